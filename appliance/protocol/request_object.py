"""The request object: an authorization request as the claims of a JWT (OpenID Connect Core 6, RFC 9101).

Here is what its claims mean as parameters, and which of the parameters beside it still count. Who wrote it was
proved before.
"""

import json
from collections.abc import Mapping
from typing import Final

from appliance.protocol import response_type, scope
from appliance.protocol.authorization_request import PARAMETERS, restore
from appliance.protocol.errors import InvalidRequest, InvalidRequestObject
from appliance.protocol.form import Params
from appliance.protocol.resource import RESOURCE, joined

REQUEST: Final = "request"
REQUEST_URI: Final = "request_uri"
#: The media type of an object that claims to be the whole request (RFC 9101 10.8).
TYPE: Final = "oauth-authz-req+jwt"

# What is refused by name must be seen to be there, and it is JSON in an object (Core 7.2.1, RFC 9396 2).
_JSON: Final = frozenset({"claims", "registration", "authorization_details"})
_NAMES: Final = (*PARAMETERS, "registration")
# One without the other would mean something else than either side wrote (RFC 7636 4.3).
_TOGETHER: Final = frozenset({"code_challenge", "code_challenge_method"})


def read_parameters(claims: Mapping[str, object]) -> dict[str, str]:
    """The authorization request parameters of an object, as they would be sent. InvalidRequestObject."""
    if REQUEST in claims or REQUEST_URI in claims:
        # RFC 9101 4, Core 6.1: an object inside an object.
        raise InvalidRequestObject("a request object must not contain request or request_uri", parameter=REQUEST)
    return {name: text for name in _NAMES if name in claims and (text := _text(name, claims[name]))}


def _text(name: str, value: object) -> str:
    if isinstance(value, str) and not (name == RESOURCE and " " in value):
        return value
    if name == "max_age" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if name in _JSON and isinstance(value, dict | list):
        return json.dumps(value)
    if name == RESOURCE and isinstance(value, list) and all(isinstance(each, str) for each in value):
        # RFC 8707 2: several of them are an array in JSON.
        return joined(value)
    raise InvalidRequestObject(f"member {name} of the request object has the wrong type", parameter=REQUEST)


def assemble(outer: Params, inner: Mapping[str, str], *, alone: bool) -> Params:
    """The request that an object and the parameters beside it make. InvalidRequest; InvalidRequestObject.

    With `alone`, and whenever what stands outside is no OpenID request of its own, only the object counts
    (RFC 9101 6.3). Otherwise parameters that the object does not have are taken from outside (Core 6.3.3): that
    is how objects that were signed long before get their `state` and `nonce`.
    """
    _check_same(outer, inner)
    outside = outer.get("scope", "").split(" ")
    if alone or "response_type" not in outer or scope.OPENID not in outside:
        if "client_id" not in inner:
            raise InvalidRequestObject("the request object has no client_id", parameter=REQUEST)
        return restore(inner)
    replaced = {REQUEST, REQUEST_URI, *inner} | (_TOGETHER if not _TOGETHER.isdisjoint(inner) else frozenset())
    kept = (pair for pair in outer.pairs() if pair[0] not in replaced)
    return Params((*kept, *restore(inner).pairs()))


def _check_same(outer: Params, inner: Mapping[str, str]) -> None:
    """RFC 9101 5, Core 6.1: these two say the same outside and inside, or nothing."""
    if inner.get("client_id", outer.get("client_id")) != outer.get("client_id"):
        raise InvalidRequest("client_id differs from that of the request object", parameter="client_id")
    if "response_type" in outer and "response_type" in inner:
        asked = response_type.same(outer["response_type"], frozenset(inner["response_type"].split(" ")))
        if not asked:
            raise InvalidRequest("response_type differs from that of the request object", parameter="response_type")
