"""Logout as an older contract has it: `client_id`, `redirect_uri` and `sub` instead of an ID Token.

It is the end session endpoint in other words. It acts on the session of this very browser and on no other, at once
only if `sub` is how the client knows that session's user; who sends somebody else's gets a question asked. Nothing
is redirected to but a registered `post_logout_redirect_uris`.
"""

from collections.abc import Mapping
from dataclasses import replace

from appliance.endpoints.authorization_reply import guard
from appliance.endpoints.end_session import EndSessionEndpoint
from appliance.profile.profile import Profile
from appliance.protocol.form import Params, read
from appliance.protocol.messages import Request, Response


class LegacyLogoutEndpoint:
    """Answers where `compat.legacy_logout` says."""

    name = "legacy_logout"
    methods = frozenset({"GET"})
    cors = "none"

    def __init__(self, profile: Profile, path: str) -> None:
        self.path = path
        self._profile = profile
        self._end_session = EndSessionEndpoint(profile)

    async def handle(self, request: Request) -> Response:
        """The redirect to the client, the question, or the error page."""
        return await guard(self._profile, request, self._answer)

    def metadata(self) -> Mapping[str, object]:
        """Nothing: it is no endpoint of the specifications."""
        return {}

    async def _answer(self, request: Request) -> Response:
        params = read(request.query)
        params.check_once()
        sub = params.require("sub")
        # The older contract requires all three.
        meant = (
            ("client_id", params.require("client_id")),
            ("post_logout_redirect_uri", params.require("redirect_uri")),
        )
        asked = await self._end_session.read(Params(meant))
        return await self._end_session.proceed(request, replace(asked, sub=sub))
