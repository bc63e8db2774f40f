"""Access tokens at our own endpoints (RFC 6750, RFC 9449 7): where one may stand, whose it must be, and the
challenge when it fails."""

from appliance.endpoints.forms import has_form
from appliance.profile.profile import Profile
from appliance.profile.tokens.sender_constraint import BEARER, DPOP
from appliance.protocol.errors import (
    InsufficientUserAuthentication,
    InvalidDpopProof,
    InvalidDpopProofAtResource,
    InvalidRequest,
    InvalidToken,
    OAuthError,
    UseDpopNonce,
    UseDpopNonceAtResource,
)
from appliance.protocol.form import read
from appliance.protocol.messages import Request
from appliance.protocol.records import AccessToken


def read_token(request: Request) -> str | None:
    """The one bearer token of a request, None without any credential. InvalidRequest, InvalidToken."""
    token = _read(request)
    if token is None:
        return None
    if token[0] != BEARER:
        raise InvalidToken("the Authorization header is not of the scheme Bearer")
    return token[1]


async def read_access_token(request: Request, profile: Profile) -> AccessToken | None:
    """The record of the access token that a request uses, and may use; None without any credential.

    InvalidRequest, InvalidToken; InvalidDpopProofAtResource, UseDpopNonceAtResource; StoreUnavailable.
    """
    read_ = _read(request)
    if read_ is None:
        return None
    scheme, token = read_
    record = await profile.tokens.read_access_token(token)
    try:
        await profile.sender_constraint.check_use(request, scheme, token, record.authorization.confirmation)
    except InvalidDpopProof as refused:
        raise InvalidDpopProofAtResource(refused.description, detail=refused.detail) from None
    except UseDpopNonce as asked:
        again = UseDpopNonceAtResource(asked.description)
        again.nonce = asked.nonce
        raise again from None
    return record


def _read(request: Request) -> tuple[str, str] | None:
    """Scheme and token of a request. InvalidRequest, InvalidToken.

    In the Authorization header or a form body (RFC 6750 2.1, 2.2). In the query it would end up in logs and
    histories, so it is refused there even when it is good (RFC 9700 4.3.2).
    """
    query = read(request.query)
    if "access_token" in query or "access_token" in query.repeated:
        raise InvalidRequest("an access token must not be in the query")
    headers = request.headers.get("authorization", ())
    if len(headers) > 1:
        raise InvalidRequest("the Authorization header was sent more than once")
    posted = _posted(request)
    if not headers:
        return None if posted is None else (BEARER, posted)
    if posted is not None:
        raise InvalidRequest("more than one access token was sent")
    scheme, _, token = headers[0].partition(" ")
    # RFC 9110 11.1: schemes are written in any case.
    if (scheme := scheme.lower()) not in (BEARER, DPOP):
        raise InvalidToken("the Authorization header is not of the scheme Bearer")
    return scheme, token.strip(" ")


def challenged(error: OAuthError, realm: str, scope: str) -> OAuthError:
    """The error with its challenge (RFC 6750 3): `scope` is what the endpoint needs."""
    return _challenged("Bearer", error, realm, scope)


def challenged_as_used(error: OAuthError, request: Request, profile: Profile, scope: str) -> OAuthError:
    """The same in the scheme that the request used, and for what any token may mend in the others (RFC 9449 7.1)."""
    values = request.headers.get("authorization", ())
    about_proof = isinstance(error, InvalidDpopProof | UseDpopNonce)
    algs = _algs(profile)
    if algs and (about_proof or any(value[:5].lower() == "dpop " for value in values)):
        error = _challenged("DPoP", error, profile.issuer, scope)
        error.challenge += f", {algs}"
        return error
    error = challenged(error, profile.issuer, scope)
    if error.status == 401 and algs and not isinstance(error, InsufficientUserAuthentication):
        error.challenge += f", DPoP {algs}"
    return error


def missing_as_offered(profile: Profile) -> OAuthError:
    """What a request without any credential gets where each kind of access token is taken (RFC 9449 7.1)."""
    error, algs = missing(profile.issuer), _algs(profile)
    if algs and profile.sender_constraint.dpop_required:
        error.challenge = f'DPoP realm="{profile.issuer}", {algs}'
    elif algs:
        error.challenge += f", DPoP {algs}"
    return error


def _algs(profile: Profile) -> str:
    """The parameter of a DPoP challenge; empty where DPoP is off."""
    algs = profile.sender_constraint.algs
    return f'algs="{" ".join(algs)}"' if algs else ""


def _challenged(scheme: str, error: OAuthError, realm: str, scope: str) -> OAuthError:
    parts = [f'{scheme} realm="{realm}"', f'error="{error.error}"']
    if error.description:
        parts.append(f'error_description="{error.description}"')
    if error.status == 403:
        parts.append(f'scope="{scope}"')
    if isinstance(error, InsufficientUserAuthentication):
        asked = {"acr_values": error.acr, "max_age": error.max_age}
        parts += [f'{name}="{value}"' for name, value in asked.items() if value is not None]
    error.challenge = ", ".join(parts)
    return error


def missing(realm: str) -> OAuthError:
    """What a request without any credential gets: a challenge that names no error (RFC 6750 3.1)."""
    error = InvalidToken("an access token is needed")
    error.challenge = f'Bearer realm="{realm}"'
    return error


def _posted(request: Request) -> str | None:
    if request.method != "POST" or not has_form(request):
        return None
    form = read(request.body)
    if "access_token" in form.repeated:
        raise InvalidRequest("more than one access token was sent")
    return form.get("access_token")
