"""The `prompt` parameter (OpenID Connect Core 3.1.2.1)."""

from typing import Final

from appliance.protocol.errors import InvalidRequest

NONE: Final = "none"
LOGIN: Final = "login"
CONSENT: Final = "consent"
SELECT_ACCOUNT: Final = "select_account"

#: `create` (Initiating User Registration 4) is not among them: accounts are made where users are kept.
SUPPORTED: Final = (NONE, LOGIN, CONSENT, SELECT_ACCOUNT)
VALUES: Final[frozenset[str]] = frozenset(SUPPORTED)


def read(text: str | None) -> frozenset[str]:
    """The set of prompts. InvalidRequest for an unknown one, or `none` beside another."""
    if text is None:
        return frozenset()
    found = frozenset(text.split(" ")) - {""}
    if not found <= VALUES:
        raise InvalidRequest("prompt has a value that is not supported", parameter="prompt")
    if NONE in found and len(found) > 1:
        raise InvalidRequest("prompt none cannot be combined with another value", parameter="prompt")
    return found
