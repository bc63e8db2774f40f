"""token_endpoint (RFC 6749 3.2, OpenID Connect Core 3.1.3): the steps that every grant type shares.

A grant type sees only the parameters it names and is asked only after the client has proved itself, so no
grant type can leave a step out.
"""

from collections.abc import Mapping

from appliance.endpoints.forms import json_response, read_form
from appliance.endpoints.token_targets import concerns, narrowed
from appliance.profile.profile import Profile
from appliance.protocol.client import Client
from appliance.protocol.errors import UnauthorizedClient, UnsupportedGrantType
from appliance.protocol.form import Params
from appliance.protocol.messages import Request, Response
from appliance.protocol.resource import RESOURCE
from appliance.protocol.token_exchange import AUDIENCE
from appliance.seams import GrantType


class TokenEndpoint:
    """Exchanges a grant for tokens."""

    name = "token_endpoint"
    path = "/token"
    methods = frozenset({"POST"})
    cors = "clients"

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    async def handle(self, request: Request) -> Response:
        """The token response as JSON; every refusal is an OAuthError (RFC 6749 5.2)."""
        profile = self._profile
        form = read_form(request, RESOURCE, AUDIENCE)
        client = await profile.client_auth.authenticate(request, form)
        grant = self._grant(form, client)
        asked = form.narrowed(grant.parameters)
        proved = await profile.sender_constraint.verify(request, client)
        redeemed = await grant.authorize(asked, client)
        if concerns(form, grant, redeemed, client):
            redeemed = narrowed(form, redeemed, client, profile)
        profile.sender_constraint.check_binding(redeemed.authorization.confirmation, proved)
        _, user = await profile.standing.check(redeemed.authorization)
        response = json_response(await profile.tokens.issue(redeemed, client, user, proved))
        headers = await profile.sender_constraint.headers(request)
        return response.with_headers(*headers) if headers else response

    def metadata(self) -> Mapping[str, object]:
        """Nothing beyond its address: the lists it obeys are the profile's."""
        return {}

    def _grant(self, form: Params, client: Client) -> GrantType:
        grant_type = form.require("grant_type")
        grant = self._profile.grant_types.get(grant_type)
        if grant is None:
            raise UnsupportedGrantType("the grant type is not supported")
        if grant_type not in client.grant_types:
            raise UnauthorizedClient("the client is not registered for this grant type")
        return grant
