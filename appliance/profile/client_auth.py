"""Client authentication, once for every endpoint that needs it (RFC 6749 2.3, 3.2.1).

Exactly one method may be used, it must be the registered one, and whoever fails learns nothing: an unknown
client, a disabled one and a wrong secret look and cost the same.
"""

import secrets
from collections.abc import Mapping
from typing import Final

from appliance.profile.clients import Clients
from appliance.protocol.client import Client, ClientSecret, ClientSettings, ClientTtl
from appliance.protocol.errors import InvalidClient, InvalidRequest
from appliance.protocol.form import Params
from appliance.protocol.messages import Request
from appliance.protocol.secret import Secret
from appliance.seams import ClientAuthMethod

_FAILED: Final = "client authentication failed"


class ClientAuth:
    """Tells which client sends a request, by the methods of one profile."""

    def __init__(self, *, issuer: str, clients: Clients, methods: Mapping[str, ClientAuthMethod]) -> None:
        self._clients = clients
        self._methods = tuple(methods.values())
        self._challenge = f'Basic realm="{issuer}", charset="UTF-8"'
        self._nobody = _nobody()

    async def authenticate(self, request: Request, form: Params) -> Client:
        """The client that proved itself. InvalidClient (challenged if a header was sent), InvalidRequest."""
        _check_one_credential(request, form)
        try:
            return await self._authenticate(request, form)
        except InvalidClient as failed:
            refusal = InvalidClient(_FAILED, detail=failed.detail)
        if "authorization" in request.headers:
            # RFC 6749 5.2: 401 with the scheme the client tried.
            refusal.challenge = self._challenge
        raise refusal

    async def _authenticate(self, request: Request, form: Params) -> Client:
        method, client_id = self._claimed(request, form)
        if form.get("client_id", client_id) != client_id:
            raise InvalidClient(detail="client_id differs from the credentials")
        client = self._clients.find(client_id)
        if client is None or client.token_endpoint_auth_method != method.name:
            # The same work as for a wrong secret, so that the time tells nothing (Core 16.12).
            await method.verify(request, form, self._nobody)
            raise InvalidClient(detail="unknown client, or not the method registered for it")
        await method.verify(request, form, client)
        return client

    def _claimed(self, request: Request, form: Params) -> tuple[ClientAuthMethod, str]:
        claimed = [
            (method, client_id)
            for method in self._methods
            if (client_id := method.claims(request, form)) is not None
        ]
        if not claimed:
            raise InvalidClient(detail="no authentication method of this profile is used")
        if len(claimed) > 1:
            raise InvalidRequest("more than one client authentication method was used")
        return claimed[0]


def _check_one_credential(request: Request, form: Params) -> None:
    """RFC 6749 2.3: one method a request, whether or not the profile has the others."""
    headers = len(request.headers.get("authorization", ()))
    if headers + ("client_secret" in form) + ("client_assertion" in form) > 1:
        raise InvalidRequest("more than one client authentication method was used")


def _nobody() -> Client:
    """A client that nobody is: one secret that nobody knows, to be compared with."""
    secret = ClientSecret("nobody", Secret(secrets.token_bytes(32), "generated"), None)
    settings = ClientSettings(
        profile="",
        status="disabled",
        theme=None,
        consent="",
        require_pkce=None,
        sector_identifier=None,
        access_token_format="",
        refresh_token="",
        claims_in_id_token=(),
        cors_origins=(),
        ttl=ClientTtl(None, None, None, None, None),
        ignore=(),
    )
    return Client(
        client_id="",
        client_name="",
        localized={},
        client_uri=None,
        logo_uri=None,
        policy_uri=None,
        tos_uri=None,
        contacts=(),
        application_type="web",
        redirect_uris=(),
        post_logout_redirect_uris=(),
        response_types=(),
        grant_types=(),
        scope=(),
        token_endpoint_auth_method="",
        client_secrets=(secret,),
        subject_type=None,
        sector_identifier_uri=None,
        id_token_signed_response_alg=None,
        default_max_age=None,
        require_auth_time=False,
        default_acr_values=(),
        op=settings,
    )
