"""userinfo_endpoint (OpenID Connect Core 5.3): the claims of the user, for the bearer of an access token."""

from collections.abc import Mapping

from appliance.endpoints.bearer import challenged, missing, read_token
from appliance.endpoints.forms import json_response, jwt_response
from appliance.profile.claims import Placement
from appliance.profile.profile import Profile
from appliance.protocol.errors import InsufficientScope, InvalidGrant, InvalidToken, OAuthError
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
            raise error if error.challenge else self._challenged(error) from None
        except OAuthError as error:
            raise (self._challenged(error) if error.status == 400 else error) from None

    def metadata(self) -> Mapping[str, object]:
        """Nothing beyond its address."""
        return {}

    async def _answer(self, request: Request) -> Response:
        profile = self._profile
        token = read_token(request)
        if token is None:
            raise missing(profile.issuer)
        record = await profile.tokens.read_access_token(token)
        authorization = record.authorization
        # Core 5.3: a token of the openid scope, and so of a user.
        if "openid" not in authorization.scope or authorization.subject is None:
            raise InsufficientScope("the access token is not for the openid scope")
        try:
            client, user = await profile.standing.check(authorization)
        except InvalidGrant as ended:
            raise InvalidToken("the access token is not valid any more", detail=ended.detail) from None
        if user is None:
            raise InsufficientScope("the access token is not for the openid scope")
        released = await profile.claims.release(authorization, client, user, Placement.USERINFO)
        claims = {"sub": authorization.sub} | released
        token = await profile.response_protection.userinfo(client, claims, profile.issuer)
        return json_response(claims) if token is None else jwt_response(token)

    def _challenged(self, error: OAuthError) -> OAuthError:
        return challenged(error, self._profile.issuer, "openid")
