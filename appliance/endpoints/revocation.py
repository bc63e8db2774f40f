"""revocation_endpoint (RFC 7009): a client gives back a token that it does not need any more."""

from collections.abc import Mapping

from appliance import artefacts
from appliance.endpoints.forms import empty_response, read_form
from appliance.profile.client_auth import auth_metadata
from appliance.profile.profile import Profile
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidToken
from appliance.protocol.handles import REFRESH_TOKEN
from appliance.protocol.messages import Request, Response
from appliance.protocol.records import AccessToken, RefreshToken
from appliance.seams import Change


class RevocationEndpoint:
    """Ends a token of the caller; a refresh token takes everything with it that came of its authorization."""

    name = "revocation_endpoint"
    path = "/revoke"
    methods = frozenset({"POST"})
    cors = "clients"

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    async def handle(self, request: Request) -> Response:
        """Done, also where there was nothing to do: the client could make nothing of an error (RFC 7009 2.2)."""
        form = read_form(request)
        client = await self._profile.client_auth.authenticate(request, form)
        # RFC 7009 2.1: a hint is for speed alone, and a wrong one changes nothing.
        await self._revoke(form.require("token"), client)
        return empty_response()

    def metadata(self) -> Mapping[str, object]:
        """How callers prove themselves: as at the token endpoint."""
        return auth_metadata(self.name, self._profile.client_auth_methods.values())

    async def _revoke(self, token: str, client: Client) -> None:
        profile = self._profile
        refresh_token = await artefacts.load(
            profile.store, RefreshToken, REFRESH_TOKEN, token, profile.issuer, client.client_id
        )
        if refresh_token is not None:
            # RFC 7009 2.1, and whatever the family was rotated to meanwhile.
            kinds = (AccessToken, RefreshToken)
            await profile.store.delete_by(kinds, "authorization_id", refresh_token.authorization_id)
            return
        try:
            access_token = await profile.tokens.read_access_token(token)
        except InvalidToken:
            return
        if access_token.authorization.client_id == client.client_id:
            await profile.store.commit(Change(delete=(access_token,)))
