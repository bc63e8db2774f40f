"""Security profiles: names for whole sets of rules, each of which contains the one before."""

from typing import Final

OAUTH21: Final = "oauth21"
FAPI2: Final = "fapi2"
FAPI2_MESSAGE_SIGNING: Final = "fapi2_message_signing"

#: FAPI 2.0 Security Profile 5.4.1: what JWTs may be signed with, whoever makes them. None has an HMAC or RSASSA-PKCS1.
FAPI2_ALGORITHMS: Final = frozenset({"PS256", "ES256", "EdDSA"})
#: FAPI 2.0 Security Profile 5.3.2.1: how clients prove themselves.
FAPI2_METHODS: Final = frozenset({"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"})

_ORDER: Final = (OAUTH21, FAPI2, FAPI2_MESSAGE_SIGNING)


def includes(chosen: str | None, wanted: str) -> bool:
    """Whether a chosen security profile (None: none) asks for everything that another one does."""
    return chosen is not None and _ORDER.index(chosen) >= _ORDER.index(wanted)


def stricter(one: str | None, other: str | None) -> str | None:
    """The one of two that asks for more."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=_ORDER.index)
