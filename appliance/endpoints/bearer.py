"""Bearer tokens at our own endpoints (RFC 6750): where a token may stand, and the challenge when it fails."""

from appliance.endpoints.forms import has_form
from appliance.protocol.errors import InvalidRequest, InvalidToken, OAuthError
from appliance.protocol.form import read
from appliance.protocol.messages import Request


def read_token(request: Request) -> str | None:
    """The one bearer token of a request, None without any credential. InvalidRequest, InvalidToken.

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
        return posted
    if posted is not None:
        raise InvalidRequest("more than one access token was sent")
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidToken("the Authorization header is not of the scheme Bearer")
    return token.strip(" ")


def challenged(error: OAuthError, realm: str, scope: str) -> OAuthError:
    """The error with its challenge (RFC 6750 3): `scope` is what the endpoint needs."""
    parts = [f'Bearer realm="{realm}"', f'error="{error.error}"']
    if error.description:
        parts.append(f'error_description="{error.description}"')
    if error.status == 403:
        parts.append(f'scope="{scope}"')
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
