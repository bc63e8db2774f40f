"""The backchannel authentication request: its own parameters, read once (CIBA Core 7.1)."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from appliance.protocol.errors import InvalidBindingMessage, InvalidRequest
from appliance.protocol.form import Params
from appliance.protocol.resource import RESOURCE

LOGIN_HINT: Final = "login_hint"
ID_TOKEN_HINT: Final = "id_token_hint"
LOGIN_HINT_TOKEN: Final = "login_hint_token"
HINTS: Final = (LOGIN_HINT, ID_TOKEN_HINT, LOGIN_HINT_TOKEN)

#: What such a request has of its own.
PARAMETERS: Final = (*HINTS, "binding_message", "client_notification_token", "user_code", "requested_expiry")

#: Characters of a binding message: both sides must be able to show it, and a person to compare it.
MAX_BINDING_MESSAGE: Final = 100
#: Categories of characters that one sees: letters, marks, digits, punctuation, currency and mathematical signs.
_VISIBLE: Final = frozenset("LMNP")
_SIGNS: Final = frozenset({"Sc", "Sm"})

_MAX_TOKEN: Final = 1024
_MAX_USER_CODE: Final = 128
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
#: CIBA 7.1: 128 bits at least, which nobody can see, but a shorter text never has them.
_LEAST_TOKEN: Final = 22
_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class BackchannelRequest:
    """What such a request says besides what every authorization request may say."""

    #: The one hint: its name in `HINTS` and its value.
    hint: str
    hinted: str
    binding_message: str
    client_notification_token: str
    user_code: str
    requested_expiry: int | None


def read(params: Params) -> BackchannelRequest:
    """The request. InvalidRequest, InvalidBindingMessage."""
    params.check_once(RESOURCE)
    hints = [name for name in HINTS if name in params]
    if len(hints) != 1:
        raise InvalidRequest("exactly one of login_hint, id_token_hint and login_hint_token is needed")
    if len(params.get("user_code", "")) > _MAX_USER_CODE:
        raise InvalidRequest("user_code is too long", parameter="user_code")
    return BackchannelRequest(
        hint=hints[0],
        hinted=params[hints[0]],
        binding_message=_binding_message(params.get("binding_message", "")),
        client_notification_token=_token(params.get("client_notification_token", "")),
        user_code=params.get("user_code", ""),
        requested_expiry=_expiry(params.get("requested_expiry")),
    )


def _binding_message(text: str) -> str:
    if len(text) > MAX_BINDING_MESSAGE:
        raise InvalidBindingMessage(f"binding_message has more than {MAX_BINDING_MESSAGE} characters")
    for each in text:
        category = unicodedata.category(each)
        # No line breaks, nothing invisible, nothing that turns the direction of what follows.
        if each != " " and category[0] not in _VISIBLE and category not in _SIGNS:
            raise InvalidBindingMessage("binding_message has a character that cannot be shown plainly")
    if text and not text.strip():
        raise InvalidBindingMessage("binding_message says nothing")
    return text


def _token(text: str) -> str:
    if not text:
        return ""
    # RFC 6750 2.1: it becomes a part of a header.
    if not _LEAST_TOKEN <= len(text) <= _MAX_TOKEN or not _BEARER.fullmatch(text):
        words = "client_notification_token is not a bearer token of 22 to 1024 characters"
        raise InvalidRequest(words, parameter="client_notification_token")
    return text


def _expiry(text: str | None) -> int | None:
    if text is None:
        return None
    if not _SECONDS.fullmatch(text) or int(text) == 0:
        raise InvalidRequest("requested_expiry is not a positive number of seconds", parameter="requested_expiry")
    return int(text)
