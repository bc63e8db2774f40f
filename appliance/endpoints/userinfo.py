"""userinfo_endpoint (OpenID Connect Core 5.3): the claims of the user, for the bearer of an access token."""

from collections.abc import Mapping

from appliance.endpoints.bearer import challenged_as_used, missing_as_offered, read_access_token
from appliance.endpoints.forms import json_response, jwt_response
from appliance.profile.claims import Placement
from appliance.profile.profile import Profile
from appliance.protocol.authorization import Authorization
from appliance.protocol.errors import (
    InsufficientScope,
    InsufficientUserAuthentication,
    InvalidGrant,
    InvalidToken,
    OAuthError,
)
from appliance.protocol.messages import Request, Response


class UserinfoEndpoint:
    """Releases claims as the user's source has them now."""

    name = "userinfo_endpoint"
    path = "/userinfo"
    methods = frozenset({"GET", "POST"})
    cors = "clients"

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    async def handle(self, request: Request) -> Response:
        """The claims as JSON, `sub` first, or as the JWT that is registered; a refusal carries a challenge."""
        try:
            return await self._answer(request)
        except (InvalidToken, InsufficientScope) as error:
            raise error if error.challenge else self._challenged(error, request) from None
        except OAuthError as error:
            raise (self._challenged(error, request) if error.status in (400, 401) else error) from None

    def metadata(self) -> Mapping[str, object]:
        """Nothing beyond its address."""
        return {}

    async def _answer(self, request: Request) -> Response:
        profile = self._profile
        record = await read_access_token(request, profile)
        if record is None:
            raise missing_as_offered(profile)
        authorization = record.authorization
        if not profile.resources.is_for_issuer(authorization.resource):
            # RFC 9068 4: a resource server that was given a token may not go on with it.
            raise InvalidToken("the access token is for another resource")
        # Core 5.3: a token of the openid scope, and so of a user.
        if "openid" not in authorization.scope or authorization.subject is None:
            raise InsufficientScope("the access token is not for the openid scope")
        try:
            client, user = await profile.standing.check(authorization)
        except InvalidGrant as ended:
            raise InvalidToken("the access token is not valid any more", detail=ended.detail) from None
        if user is None:
            raise InsufficientScope("the access token is not for the openid scope")
        self._check_login(authorization)
        released = await profile.claims.release(authorization, client, user, Placement.USERINFO)
        claims = {"sub": authorization.sub} | released
        token = await profile.response_protection.userinfo(client, claims, profile.issuer)
        response = json_response(claims) if token is None else jwt_response(token)
        headers = await profile.sender_constraint.headers(request)
        return response.with_headers(*headers) if headers else response

    def _check_login(self, authorization: Authorization) -> None:
        """The login that the profile asks for, here (RFC 9470 3). InsufficientUserAuthentication."""
        profile = self._profile
        asked = profile.declared.userinfo
        enough = asked.acr is None or profile.levels.satisfies(authorization.acr, asked.acr)
        if enough and asked.max_age is not None:
            # A login that nobody knows of was none.
            at = authorization.auth_time
            enough = at is not None and profile.tools.clock() - at <= asked.max_age
        if not enough:
            raise InsufficientUserAuthentication(asked.acr, asked.max_age)

    def _challenged(self, error: OAuthError, request: Request) -> OAuthError:
        return challenged_as_used(error, request, self._profile, "openid")
