"""pushed_authorization_request_endpoint (RFC 9126): a client sends its request here, and the browser a reference.

Whatever the authorization endpoint would check of a request is checked here already, so that a client hears of its
mistakes itself, and no user does.
"""

from collections.abc import Mapping
from typing import Final

from appliance.endpoints.authorization_reply import Refused
from appliance.endpoints.forms import json_response, read_form
from appliance.endpoints.request_objects import check_may_do_without
from appliance.endpoints.visits import read_asked
from appliance.profile.profile import Profile
from appliance.profile.requests.pushed_requests import PushedRequests
from appliance.protocol.authorization_request import AuthorizationRequest
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequest, RequestNotSupported, UnauthorizedClient
from appliance.protocol.form import Params
from appliance.protocol.messages import Request, Response
from appliance.protocol.request_object import REQUEST, REQUEST_URI
from appliance.protocol.resource import RESOURCE

#: Parameters of the client's authentication, which are no part of its request.
_CREDENTIALS: Final = frozenset({"client_id", "client_secret", "client_assertion", "client_assertion_type"})


class PushedAuthorizationRequestEndpoint:
    """Takes authorization requests from clients that prove who they are."""

    name = "pushed_authorization_request_endpoint"
    path = "/par"
    methods = frozenset({"POST"})

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._pushed = PushedRequests(declared=profile.declared, store=profile.store, tools=profile.tools)
        #: Scripts have no use for it unless they may push without a secret.
        self.cors = "clients" if profile.declared.pushed_authorization_request.public_clients else "none"

    async def handle(self, request: Request) -> Response:
        """201 with the reference (RFC 9126 2.2); every refusal is an OAuthError (RFC 9126 2.3)."""
        form = read_form(request, RESOURCE)
        client = await self._profile.client_auth.authenticate(request, form)
        if client.is_public and not self._profile.declared.pushed_authorization_request.public_clients:
            raise UnauthorizedClient("a public client may not push requests")
        if REQUEST_URI in form:
            # RFC 9126 2.1: a reference to a reference.
            raise InvalidRequest("request_uri must not be pushed", parameter=REQUEST_URI)
        asked = await self._read(request, form, client)
        request_uri, expires_in = await self._pushed.issue(asked, client)
        response = json_response({"request_uri": request_uri, "expires_in": expires_in}, status=201)
        return response.with_headers(*await self._profile.sender_constraint.headers(request))

    def metadata(self) -> Mapping[str, object]:
        """Whether requests come this way only (RFC 9126 5). Authentication is that of the token endpoint."""
        return {"require_pushed_authorization_requests": self._profile.declared.require_pushed_authorization_requests}

    async def _read(self, request: Request, form: Params, client: Client) -> AuthorizationRequest:
        """The request as it will be kept, checked. OAuthError."""
        pairs = (pair for pair in form.pairs() if pair[0] not in _CREDENTIALS)
        params = await self._whole(Params((*pairs, ("client_id", client.client_id))), client)
        # RFC 9449 10.1: a proof beside the request stands for the key that the code will be bound to.
        params = await self._profile.sender_constraint.with_dpop_jkt(request, params)
        try:
            _, asked = await read_asked(params, self._profile, pushed=True)
        except Refused as refused:
            # There is no browser to send anywhere: the client itself hears of it.
            raise refused.error from None
        return asked

    async def _whole(self, params: Params, client: Client) -> Params:
        """The parameters that count: those of a request object, if there is one, and no others (RFC 9126 3)."""
        if REQUEST not in params:
            check_may_do_without(client)
            return params
        objects = self._profile.request_objects
        if objects is None or not objects.takes(params):
            raise RequestNotSupported("request objects are not supported", parameter=REQUEST)
        return await objects.assemble(params, client, alone=True)
