"""Codes of security profiles: OP95x."""

from collections.abc import Mapping
from types import MappingProxyType

from appliance.config.codes.text import CodeText

_ERRORS: Mapping[str, tuple[str, str]] = {
    "OP951": (
        "a profile that does not keep its security profile",
        "`security_profile` switches a whole set of rules on: OAuth 2.1, the FAPI 2.0 Security Profile, or FAPI 2.0 "
        "Message Signing. What you leave out follows it by itself; what you write against it is refused, because "
        "relying parties and auditors take the name for the whole.",
    ),
    "OP952": (
        "a client that does not keep its security profile",
        "The set that the client or its profile chose forbids what is written here. A client cannot loosen what its "
        "profile promises.",
    ),
}

CODES: Mapping[str, CodeText] = MappingProxyType({code: CodeText("error", *texts) for code, texts in _ERRORS.items()})
