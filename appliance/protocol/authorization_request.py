"""The authorization request: its parameters read once into a frozen value (RFC 6749 4.1.1, Core 3.1.2.1).

Reading has two halves. `read_reply` takes what is needed to know where an answer may go, and never fails
on anything else; `read` takes the rest, and its errors can be delivered there.
"""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from appliance.protocol import authorization_details, claims_request, pkce, prompt, resource, response_type, scope
from appliance.protocol.authorization import ClaimsRequest
from appliance.protocol.authorization_details import Details
from appliance.protocol.errors import InvalidRequest, OAuthError
from appliance.protocol.form import Params
from appliance.protocol.frozen import quick

#: Longest value of each parameter that we know; an unknown parameter is ignored (RFC 6749 3.1).
PARAMETERS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "response_type": 64,
        "client_id": 1024,
        "redirect_uri": 2048,
        "scope": scope.MAX_LENGTH,
        "state": 8192,
        "response_mode": 64,
        "nonce": 2048,
        "display": 64,
        "prompt": 64,
        "max_age": 64,
        "ui_locales": 512,
        "claims_locales": 512,
        "id_token_hint": 16384,
        "login_hint": 512,
        "acr_values": 2048,
        "claims": claims_request.MAX_LENGTH,
        "code_challenge": 512,
        "code_challenge_method": 64,
        "dpop_jkt": 512,
        "resource": resource.MAX_COUNT * (resource.MAX_LENGTH + 1),
        "authorization_details": authorization_details.MAX_LENGTH,
        "grant_management_action": 64,
        "grant_id": 256,
    }
)
#: Parameters whose presence is an error here: to ignore them would be to grant what was not asked.
REFUSED: Final = frozenset({"request", "request_uri", "registration"})

#: What of it has a meaning where no browser is sent back.
DIRECT: Final = frozenset(
    {
        *("client_id", "scope", "acr_values", "max_age", "claims", "claims_locales", "ui_locales"),
        *("id_token_hint", "login_hint", "resource", "authorization_details"),
        *("grant_management_action", "grant_id"),
    }
)

_MAY_REPEAT = frozenset({resource.RESOURCE})
_MAX_AGE = re.compile(r"[0-9]{1,10}")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@quick
@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """What a request says of where and how it wants to be answered."""

    client_id: str
    redirect_uri: str | None
    state: str | None
    #: Whether it is, or may be, an OpenID request: then redirect_uri is required (Core 3.1.2.1).
    openid: bool
    #: Modes its errors may go by, the best first: what was asked, if legal, and the response type's default.
    response_modes: tuple[str, ...]


@quick
@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """One authorization request whose every parameter is well-formed."""

    client_id: str
    redirect_uri: str | None
    response_type: frozenset[str]
    response_mode: str | None
    scope: tuple[str, ...]
    state: str | None
    nonce: str | None
    prompt: frozenset[str]
    max_age: int | None
    ui_locales: tuple[str, ...]
    claims_locales: tuple[str, ...]
    id_token_hint: str | None
    login_hint: str
    acr_values: tuple[str, ...]
    claims: ClaimsRequest
    code_challenge: str | None
    #: Names of `REFUSED` that were sent.
    refused: frozenset[str]
    #: The known parameters as they were sent: what an interaction keeps.
    parameters: Mapping[str, str]
    #: `sub` of the id_token_hint once the hint was verified.
    hinted_sub: str | None = None
    #: Thumbprint of the DPoP key that must come with the code (RFC 9449 10).
    dpop_jkt: str | None = None
    #: Where tokens are to be used (RFC 8707 2).
    resource: tuple[str, ...] = ()
    authorization_details: Details = ()

    @property
    def mode(self) -> str:
        """The response mode asked, else the default of the response type."""
        if self.response_mode is None:
            return response_type.default_mode(self.response_type)
        return response_type.resolve_mode(self.response_mode, self.response_type)

    @property
    def openid(self) -> bool:
        """Whether it is an OpenID Connect request."""
        return scope.OPENID in self.scope


def with_consent_parameter(params: Params) -> Params:
    """The parameters with `consent`, which is not a standard one, as the `prompt` that it stands for."""
    if not params.repeated <= _MAY_REPEAT or params.get("consent", "0").lower() in ("0", "false"):
        return params
    words = " ".join(dict.fromkeys((*params.get("prompt", "").split(), prompt.CONSENT)))
    return Params((*(pair for pair in params.pairs() if pair[0] != "prompt"), ("prompt", words)))


def restore(parameters: Mapping[str, str]) -> Params:
    """The parameters of a request that was kept, as they were sent."""
    several = parameters.get(resource.RESOURCE)
    if several is None:
        return Params(parameters.items())
    others = (pair for pair in parameters.items() if pair[0] != resource.RESOURCE)
    return Params((*others, *((resource.RESOURCE, each) for each in resource.split(several))))


def read_reply(params: Params) -> ReplyRequest:
    """Where the answer shall go. InvalidRequest, for a page, when that cannot be known."""
    client_id = params.require("client_id")
    if "redirect_uri" in params.repeated:
        # RFC 6749 3.1: neither of two is the one, and a redirect to either could be the attacker's.
        raise InvalidRequest("parameter redirect_uri was sent more than once", parameter="redirect_uri")
    state = params.get("state")
    if state is not None and len(state) > PARAMETERS["state"]:
        # It could not be echoed, and an answer without it would be taken for another request's.
        raise InvalidRequest("parameter state is too long", parameter="state")
    words = _words(params)
    asked_mode = response_type.resolve_mode(params.get("response_mode", ""), words)
    if asked_mode == "query" and response_type.carries_tokens(words):
        asked_mode = ""
    asked_scope = params.get("scope", "")
    return ReplyRequest(
        client_id=client_id,
        redirect_uri=params.get("redirect_uri"),
        state=state,
        openid="scope" in params.repeated or scope.OPENID in asked_scope.split(" "),
        response_modes=(asked_mode, response_type.default_mode(words)),
    )


def _words(params: Params) -> frozenset[str]:
    """The response type that decides the way of an error: an unusable one is answered in the query."""
    try:
        return response_type.read(params.get("response_type"))
    except OAuthError:
        return frozenset({"code"})


def read(params: Params) -> AuthorizationRequest:
    """The whole request. An OAuthError, for the client, when a parameter is repeated or malformed."""
    params.check_once(resource.RESOURCE)
    return _read(params, response_type.read(params.get("response_type")), PARAMETERS.keys())


def read_direct(params: Params) -> AuthorizationRequest:
    """A request that came without a browser (RFC 8628 3.1, CIBA 7.1): nothing in it leads anywhere. OAuthError.

    Its user decides on a page of ours, each time.
    """
    return replace(_read(params, frozenset(), DIRECT), prompt=frozenset({prompt.CONSENT}))


def _read(params: Params, words: frozenset[str], names: Set[str]) -> AuthorizationRequest:
    params.check_once(resource.RESOURCE)
    known = params.known(names)
    targets = resource.read(params.all(resource.RESOURCE)) if resource.RESOURCE in names else ()
    if targets:
        known[resource.RESOURCE] = resource.joined(targets)
    for name, value in known.items():
        if len(value) > PARAMETERS[name]:
            raise InvalidRequest(f"parameter {name} is too long", parameter=name)
    return AuthorizationRequest(
        client_id=params.require("client_id"),
        redirect_uri=known.get("redirect_uri"),
        response_type=words,
        response_mode=known.get("response_mode"),
        scope=scope.read(known.get("scope")),
        state=known.get("state"),
        nonce=known.get("nonce"),
        prompt=prompt.read(known.get("prompt")),
        max_age=_max_age(known.get("max_age")),
        ui_locales=read_locales(known.get("ui_locales")),
        claims_locales=read_locales(known.get("claims_locales")),
        id_token_hint=known.get("id_token_hint"),
        login_hint=known.get("login_hint", ""),
        acr_values=_words_of(known.get("acr_values")),
        claims=claims_request.read(known.get("claims")),
        code_challenge=pkce.read_challenge(known.get("code_challenge"), known.get("code_challenge_method")),
        dpop_jkt=_dpop_jkt(known.get("dpop_jkt")),
        refused=REFUSED.intersection(params),
        parameters=known,
        resource=targets,
        authorization_details=authorization_details.read(known.get("authorization_details")),
    )


def _max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not _MAX_AGE.fullmatch(text):
        raise InvalidRequest("max_age is not a number of seconds", parameter="max_age")
    return int(text)


def _dpop_jkt(text: str | None) -> str | None:
    if text is not None and not _THUMBPRINT.fullmatch(text):
        raise InvalidRequest("dpop_jkt is not the SHA-256 of a key in base64url", parameter="dpop_jkt")
    return text


def _words_of(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in text.split(" ") if word)) if text else ()


def read_locales(text: str | None) -> tuple[str, ...]:
    """The well-formed language tags of a list; others are no error (Core 3.1.2.1)."""
    return tuple(tag for tag in _words_of(text) if _LOCALE.fullmatch(tag))[:10] if text else ()
