"""Opaque handles: codes, tokens, session and interaction ids.

A handle is 256 random bits behind a searchable prefix, with a checksum at its end: a leak can be found by
secret scanners, and a mistyped or truncated one is refused without asking the store. The store only ever
sees the SHA-256 of a handle, so a copy of the store, a log or a timing difference is worth nothing.
"""

import hashlib
import re
import zlib
from collections.abc import Callable
from typing import Final

from appliance.protocol import base64url

#: Gives that many random bytes; injected so that tests can be deterministic.
Entropy = Callable[[int], bytes]
#: Epoch seconds, now.
Clock = Callable[[], float]

AUTHORIZATION_CODE: Final = "op_ac_"
ACCESS_TOKEN: Final = "op_at_"
REFRESH_TOKEN: Final = "op_rt_"
#: RFC 9126 2.2.
PUSHED_AUTHORIZATION_REQUEST: Final = "urn:ietf:params:oauth:request_uri:"
DEVICE_CODE: Final = "op_dc_"
AUTH_REQ_ID: Final = "op_aq_"
#: Ids of clients that registered themselves: no secret, but told from declared ones without asking the store.
CLIENT_ID: Final = "op_cl_"
CLIENT_SECRET: Final = "op_cs_"
REGISTRATION_ACCESS_TOKEN: Final = "op_ra_"

_SHAPE = re.compile(r"[A-Za-z0-9_-]{49}")


def issue(prefix: str, entropy: Entropy) -> str:
    """A new handle: prefix, 43 characters of randomness, 6 of checksum."""
    handle = prefix + base64url.encode(entropy(32))
    return handle + _checksum(handle.encode("ascii"))


def well_formed(prefix: str, handle: str) -> bool:
    """Whether a handle has this prefix, length, alphabet and checksum."""
    rest = handle[len(prefix) :]
    if not handle.startswith(prefix) or not _SHAPE.fullmatch(rest):
        return False
    return _checksum(handle[:-6].encode("ascii")) == rest[-6:]


def stored_id(handle: str) -> str:
    """What the store knows of a handle: its SHA-256, base64url."""
    return base64url.encode(hashlib.sha256(handle.encode("utf-8", "surrogatepass")).digest())


def _checksum(text: bytes) -> str:
    return base64url.encode(zlib.crc32(text).to_bytes(4, "big"))
