"""The `resource` parameter (RFC 8707 2): where a token is to be used. The one parameter that may be sent twice."""

import re
from collections.abc import Iterable
from typing import Final

from appliance.protocol.errors import InvalidTarget

RESOURCE: Final = "resource"

MAX_LENGTH: Final = 512
#: More than any one token has a use for.
MAX_COUNT: Final = 20

# RFC 8707 2: absolute, without fragment. What else makes it one that is known is the profile's matter.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")


def read(values: Iterable[str]) -> tuple[str, ...]:
    """The resources, each once, in the order asked. InvalidTarget for what is no absolute URI."""
    found = tuple(dict.fromkeys(values))
    if len(found) > MAX_COUNT:
        raise InvalidTarget("too many resources are named", parameter=RESOURCE)
    for each in found:
        if len(each) > MAX_LENGTH or not _URI.fullmatch(each):
            raise InvalidTarget("resource is not an absolute URI without fragment", parameter=RESOURCE)
    return found


def joined(values: Iterable[str]) -> str:
    """Several resources as one text: no URI has a space in it."""
    return " ".join(values)


def split(text: str) -> tuple[str, ...]:
    """The resources of such a text."""
    return tuple(text.split(" "))
