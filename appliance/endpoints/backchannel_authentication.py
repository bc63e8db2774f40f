"""backchannel_authentication_endpoint (CIBA Core 7): a client asks for its user, who decides on a page of ours."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from appliance.endpoints import authorization_rules
from appliance.endpoints.forms import json_response, read_form
from appliance.jose.algorithms import ASYMMETRIC_SIGNATURE_ALGORITHMS, SIGNATURE_ALGORITHMS
from appliance.parts.grant_types.ciba import NAME as CIBA_GRANT
from appliance.profile.profile import Profile
from appliance.profile.waiting.backchannel import Backchannel
from appliance.profile.waiting.pending import KEPT, PendingAuthorizations
from appliance.protocol import backchannel_request
from appliance.protocol.authorization_request import AuthorizationRequest, read_direct
from appliance.protocol.backchannel_request import ID_TOKEN_HINT, LOGIN_HINT, BackchannelRequest
from appliance.protocol.client import Client
from appliance.protocol.errors import (
    InvalidBindingMessage,
    InvalidRequest,
    InvalidScope,
    ServerError,
    UnauthorizedClient,
    UnknownUserId,
)
from appliance.protocol.form import Params
from appliance.protocol.handles import AUTH_REQ_ID, issue, stored_id
from appliance.protocol.messages import Request, Response
from appliance.protocol.records import PendingAuthorization, user_key
from appliance.protocol.resource import RESOURCE
from appliance.seams import User

PING: Final = "ping"

#: Parameters of the client's authentication, which are no part of its request.
_CREDENTIALS: Final = frozenset({"client_id", "client_secret", "client_assertion", "client_assertion_type"})


class BackchannelAuthenticationEndpoint:
    """Begins backchannel authentications, for clients that prove who they are."""

    name = "backchannel_authentication_endpoint"
    path = "/backchannel_authentication"
    methods = frozenset({"POST"})
    cors = "none"

    def __init__(self, profile: Profile, pendings: PendingAuthorizations, backchannel: Backchannel) -> None:
        self._profile = profile
        self._settings = profile.declared.backchannel_authentication
        self._pendings = pendings
        self._backchannel = backchannel

    async def handle(self, request: Request) -> Response:
        """The acknowledgement as JSON (CIBA 7.3); every refusal is an OAuthError (CIBA 13)."""
        form = read_form(request, RESOURCE)
        client = await self._profile.client_auth.authenticate(request, form)
        if client.is_public or CIBA_GRANT not in client.grant_types:
            # CIBA 7.1: who asks about users behind their backs must be known.
            raise UnauthorizedClient("the client is not registered for this grant type")
        params = Params(pair for pair in form.pairs() if pair[0] not in _CREDENTIALS)
        params = await self._backchannel.signed_requests.read(params, client)
        asked, own = self._read(params, client)
        user = await self._user(own, client, request.at)
        handle = issue(AUTH_REQ_ID, self._profile.tools.entropy)
        pending = await self._pending(handle, asked, own, client, user)
        if not await self._pendings.begin(pending):
            raise ServerError(detail="a step without expectations was refused by the store")
        return json_response(
            {
                "auth_req_id": handle,
                "expires_in": int(pending.valid_until - pending.created_at),
                "interval": pending.interval,
            }
        )

    def metadata(self) -> Mapping[str, object]:
        """The members of CIBA 4. Authentication is that of the token endpoint."""
        settings = self._settings
        algorithms = [alg for alg in SIGNATURE_ALGORITHMS if alg in ASYMMETRIC_SIGNATURE_ALGORITHMS]
        return {
            "backchannel_token_delivery_modes_supported": list(settings.backchannel_token_delivery_modes_supported),
            "backchannel_authentication_request_signing_alg_values_supported": algorithms,
            "backchannel_user_code_parameter_supported": settings.backchannel_user_code_parameter_supported,
        }

    def _read(self, params: Params, client: Client) -> tuple[AuthorizationRequest, BackchannelRequest]:
        """The request, checked by the rules of every other one. OAuthError."""
        params.require("scope")
        own = backchannel_request.read(params)
        others = (pair for pair in params.pairs() if pair[0] != "client_id")
        asked = read_direct(Params((*others, ("client_id", client.client_id))))
        if not asked.openid:
            raise InvalidScope("the scope must contain openid", parameter="scope")
        asked = authorization_rules.check_direct(replace(asked, id_token_hint=None), client, self._profile)
        if not own.binding_message and self._settings.binding_message_required:
            raise InvalidBindingMessage("a binding_message is needed")
        if client.backchannel_token_delivery_mode == PING and not own.client_notification_token:
            raise InvalidRequest(
                "parameter client_notification_token is missing", parameter="client_notification_token"
            )
        return asked, own

    async def _user(self, own: BackchannelRequest, client: Client, at: float) -> User | None:
        """Who is asked; None for nobody, where that is not told. UnknownUserId, TooManyRequests, ..."""
        backchannel = self._backchannel
        user = None
        if own.hint == LOGIN_HINT:
            user = await backchannel.hints.by_login(own.hinted)
        elif own.hint == ID_TOKEN_HINT:
            user = await backchannel.hints.by_id_token(own.hinted, client)
        else:
            raise InvalidRequest("login_hint_token is not accepted here", parameter="login_hint_token")
        # Whoever is asked for, there or not: a wait tells nothing of who has an account.
        about = f"nobody\x1f{own.hinted}" if user is None else user_key(user.subject)
        await backchannel.begin_asking(about, client.client_id, at)
        if user is None and self._settings.unknown_user == "reject":
            raise UnknownUserId("nobody is meant by the hint")
        if self._settings.backchannel_user_code_parameter_supported and client.backchannel_user_code_parameter:
            await backchannel.check_user_code(user, own.user_code, at)
        return user

    async def _pending(
        self, handle: str, asked: AuthorizationRequest, own: BackchannelRequest, client: Client, user: User | None
    ) -> PendingAuthorization:
        profile, settings = self._profile, self._settings
        now = profile.tools.clock()
        ttl = min(own.requested_expiry or settings.ttl, settings.longest_ttl)
        pinged = client.backchannel_token_delivery_mode == PING
        known = {name: value for name, value in asked.parameters.items() if name not in (LOGIN_HINT, ID_TOKEN_HINT)}
        return PendingAuthorization(
            id=stored_id(handle),
            issuer=profile.issuer,
            expires_at=now + ttl + KEPT,
            client_id=client.client_id,
            grant_type=CIBA_GRANT,
            # The user's own name instead of what a client called him: pages show it to him.
            parameters=known if user is None else {**known, LOGIN_HINT: user.login},
            user_code="",
            user="" if user is None else user_key(user.subject),
            sub="" if user is None else await profile.claims.sub(user, client),
            binding_message=own.binding_message,
            created_at=now,
            valid_until=now + ttl,
            interval=settings.interval,
            polled_at=0,
            outcome="",
            authorization=None,
            offline=False,
            ping_handle=handle if pinged else "",
            ping_token=own.client_notification_token if pinged else "",
        )
