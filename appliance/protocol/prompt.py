"""The `prompt` parameter (OpenID Connect Core 3.1.2.1; Initiating User Registration via OpenID Connect 4)."""

from typing import Final

from appliance.protocol.errors import InvalidRequest

NONE: Final = "none"
LOGIN: Final = "login"
CONSENT: Final = "consent"
SELECT_ACCOUNT: Final = "select_account"
CREATE: Final = "create"

#: What every profile supports; `create` comes to it where people may make accounts.
SUPPORTED: Final = (NONE, LOGIN, CONSENT, SELECT_ACCOUNT)
VALUES: Final[frozenset[str]] = frozenset((*SUPPORTED, CREATE))


def supported(*, create: bool) -> tuple[str, ...]:
    """The values of a profile, as `prompt_values_supported` names them (Initiating User Registration 4.2)."""
    return (*SUPPORTED, CREATE) if create else SUPPORTED


def read(text: str | None) -> frozenset[str]:
    """The set of prompts. InvalidRequest for an unknown one, or `none` or `create` beside another."""
    if text is None:
        return frozenset()
    found = frozenset(text.split(" ")) - {""}
    if not found <= VALUES:
        raise InvalidRequest("prompt has a value that is not supported", parameter="prompt")
    if NONE in found and len(found) > 1:
        raise InvalidRequest("prompt none cannot be combined with another value", parameter="prompt")
    if CREATE in found and len(found) > 1:
        # Initiating User Registration 4: the others are about a user who is there already.
        raise InvalidRequest("prompt create cannot be combined with another value", parameter="prompt")
    return found
