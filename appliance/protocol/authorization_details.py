"""The `authorization_details` parameter (RFC 9396 2): its shape, its narrowing, and what it is known by.

What a type means, and whether an object is a good one of its type, is declared by the profile.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Final

from appliance.protocol import base64url
from appliance.protocol.errors import InvalidAuthorizationDetails
from appliance.protocol.strict_json import StrictJsonProblem, loads

Detail = Mapping[str, object]
Details = tuple[Detail, ...]

AUTHORIZATION_DETAILS: Final = "authorization_details"

#: Bytes; with so many a JWT access token is still one that is read (RFC 9396 9.1).
MAX_LENGTH: Final = 4096
MAX_COUNT: Final = 20
MAX_DEPTH: Final = 8

#: RFC 9396 2.2: lists each entry of which allows something more, so that fewer entries allow less.
_LISTS: Final = frozenset({"locations", "actions", "datatypes", "privileges"})


def read(text: str | None) -> Details:
    """The objects, each with a text as its `type`. InvalidAuthorizationDetails."""
    if text is None:
        return ()
    try:
        found = loads(text.encode("utf-8", "surrogatepass"), max_depth=MAX_DEPTH, max_length=MAX_LENGTH)
    except StrictJsonProblem:
        raise _problem("authorization_details is not JSON that can be used") from None
    if not isinstance(found, list) or not found or len(found) > MAX_COUNT:
        raise _problem("authorization_details is not a list of objects")
    for each in found:
        if not isinstance(each, dict) or not isinstance(each.get("type"), str):
            raise _problem("authorization_details has something that is no object with a type")
    return tuple(found)


def digest(detail: Detail) -> str:
    """What an object is known by: alike for alike objects, however they were written."""
    text = json.dumps(detail, sort_keys=True, separators=(",", ":"))
    return base64url.encode(hashlib.sha256(text.encode()).digest())


def narrow(asked: Details, granted: Details) -> Details:
    """What is asked of what was granted. InvalidAuthorizationDetails when it is more (RFC 9396 6)."""
    for each in asked:
        if not any(_is_within(each, one) for one in granted):
            raise _problem("authorization_details exceeds what was granted")
    return asked


def _is_within(asked: Detail, granted: Detail) -> bool:
    """Whether it is the same but for shorter lists of what may be done where: nothing else is known to be less."""
    if asked.keys() != granted.keys():
        return False
    return all(_is_part(name, asked[name], granted[name]) for name in asked)


def _is_part(name: str, asked: object, granted: object) -> bool:
    if name not in _LISTS or not isinstance(asked, list) or not isinstance(granted, list):
        # As JSON, where 1 and true are two things.
        return json.dumps(asked, sort_keys=True) == json.dumps(granted, sort_keys=True)
    return bool(asked) and all(isinstance(one, str) and one in granted for one in asked)


def at(details: Iterable[Detail], locations: Iterable[str]) -> Details:
    """The objects that are for one of these locations, or for no place in particular (RFC 9396 2.2, 9)."""
    wanted = frozenset(locations)
    return tuple(each for each in details if _is_at(each.get("locations"), wanted))


def _is_at(places: object, wanted: frozenset[str]) -> bool:
    if not isinstance(places, list):
        return True
    return any(isinstance(place, str) and place in wanted for place in places)


def _problem(description: str) -> InvalidAuthorizationDetails:
    return InvalidAuthorizationDetails(description, parameter=AUTHORIZATION_DETAILS)
