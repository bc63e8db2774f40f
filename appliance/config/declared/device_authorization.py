"""The block `device_authorization` of a profile (RFC 8628)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UserCodes:
    """What users type: letters of a code, and how many wrong ones strangers may try together before they wait."""

    length: int
    failures: int


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """How long a device's request waits for its user, and how often the device may ask; seconds."""

    ttl: int
    interval: int
    user_code: UserCodes
