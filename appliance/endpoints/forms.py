"""Form bodies and JSON answers of the endpoints that clients call directly."""

import re
from collections.abc import Mapping
from typing import Final

import orjson

from appliance.protocol.errors import InvalidRequest
from appliance.protocol.form import Params, read
from appliance.protocol.messages import Request, Response

FORM: Final = "application/x-www-form-urlencoded"

# RFC 6749 5.1, RFC 9700 4.2: whatever carries a token or a claim is kept by nobody.
_KEPT_BY_NOBODY: Final = (
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
)
_JSON: Final = (("Content-Type", "application/json"), *_KEPT_BY_NOBODY)
# A weight of nothing.
_NEVER = re.compile(r"(?:^|;)\s*q=0(?:\.0{0,3})?\s*(?:;|$)", re.IGNORECASE)


def has_form(request: Request) -> bool:
    """Whether the body is declared as an urlencoded form."""
    sent = request.header("content-type") or ""
    return sent == FORM or sent.partition(";")[0].strip().lower() == FORM


def read_form(request: Request, *may_repeat: str) -> Params:
    """The parameters of a form body, each sent once but those named. InvalidRequest (RFC 6749 3.2)."""
    if not has_form(request):
        raise InvalidRequest("the body must be application/x-www-form-urlencoded")
    form = read(request.body)
    form.check_once(*may_repeat)
    return form


def json_response(members: Mapping[str, object], status: int = 200) -> Response:
    """An answer that carries tokens or claims."""
    return Response(status, _JSON, orjson.dumps(members))


def jwt_response(token: str, media_type: str = "application/jwt") -> Response:
    """An answer that is a signed or encrypted token as a whole (Core 5.3.2, RFC 9701 5)."""
    return Response(200, (("Content-Type", media_type), *_KEPT_BY_NOBODY), token.encode("ascii"))


def accepts(request: Request, media_type: str) -> bool:
    """Whether the sender names a media type among those it takes; wildcards name none (RFC 9110 12.5.1)."""
    named = (each.partition(";") for line in request.headers.get("accept", ()) for each in line.split(","))
    return any(name.strip().lower() == media_type and not _NEVER.search(rest) for name, _, rest in named)


def empty_response() -> Response:
    """An answer that says nothing but that it was done."""
    return Response(200, _KEPT_BY_NOBODY)
