"""Tokens without a signature (RFC 7519 6): whoever reads one knows that anybody may have written it.

They have a reader of their own, so that no reader of signed tokens can be talked into taking one.
"""

import re
from typing import Final

from appliance.jose.problems import TokenProblem
from appliance.jose.tokens import MAX_TOKEN, check_header
from appliance.protocol import base64url
from appliance.protocol.strict_json import StrictJsonProblem, loads_object

#: The one spelling of "no algorithm" (RFC 7518 3.1).
NONE: Final = "none"

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.")


def is_unsecured(token: str) -> bool:
    """Whether a text is written as a token without signature."""
    return _COMPACT.fullmatch(token) is not None


def read_unsecured(
    token: str, *, typ: frozenset[str | None], max_length: int = MAX_TOKEN
) -> tuple[dict[str, object], dict[str, object]]:
    """Header and claims of a token whose header says `none`, or TokenProblem."""
    if len(token) > max_length or not is_unsecured(token):
        raise TokenProblem("not a token without signature, or too long")
    header_text, payload_text, _ = token.split(".")
    try:
        header = loads_object(base64url.decode(header_text), max_length=max_length)
        claims = loads_object(base64url.decode(payload_text), max_length=max_length)
    except StrictJsonProblem as problem:
        raise TokenProblem(str(problem)) from None
    except ValueError:
        raise TokenProblem("token is not canonical base64url") from None
    check_header(header)
    if header["alg"] != NONE:
        raise TokenProblem("a token that names an algorithm has no signature")
    if header.get("typ") not in typ:
        raise TokenProblem("token is of another type")
    return header, claims
