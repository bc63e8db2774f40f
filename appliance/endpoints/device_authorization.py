"""device_authorization_endpoint (RFC 8628 3.1, 3.2): a device asks, and gets the code that its user will type."""

from collections.abc import Mapping
from typing import Final

from appliance.config.declared.device_authorization import DeviceAuthorization
from appliance.endpoints import authorization_rules
from appliance.endpoints.device_page import DevicePageEndpoint
from appliance.endpoints.forms import json_response, read_form
from appliance.parts.grant_types.device_code import NAME as DEVICE_CODE_GRANT
from appliance.profile.profile import Profile
from appliance.profile.waiting.pending import KEPT
from appliance.protocol import user_code
from appliance.protocol.authorization_request import AuthorizationRequest, read_direct
from appliance.protocol.errors import ServerError, UnauthorizedClient, UnsupportedGrantType
from appliance.protocol.form import Params
from appliance.protocol.handles import DEVICE_CODE, issue, stored_id
from appliance.protocol.messages import Request, Response
from appliance.protocol.records import PendingAuthorization
from appliance.protocol.redirects import with_query
from appliance.protocol.resource import RESOURCE

#: How many codes are drawn before it is given up: another request having the same is next to impossible.
_TRIES: Final = 4


class DeviceAuthorizationEndpoint:
    """Begins device authorizations, for clients that prove themselves as at the token endpoint."""

    name = "device_authorization_endpoint"
    path = "/device_authorization"
    methods = frozenset({"POST"})
    cors = "clients"

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    async def handle(self, request: Request) -> Response:
        """The codes as JSON; every refusal is an OAuthError (RFC 8628 3.2)."""
        profile = self._profile
        form = read_form(request, RESOURCE)
        client = await profile.client_auth.authenticate(request, form)
        if DEVICE_CODE_GRANT not in client.grant_types:
            raise UnauthorizedClient("the client is not registered for this grant type")
        own = (pair for pair in form.pairs() if pair[0] != "client_id")
        asked = read_direct(Params((*own, ("client_id", client.client_id))))
        asked = authorization_rules.check_direct(asked, client, profile)
        return await self._begin(asked)

    def metadata(self) -> Mapping[str, object]:
        """Nothing beyond its address."""
        return {}

    async def _begin(self, asked: AuthorizationRequest) -> Response:
        profile, settings = self._profile, self._profile.declared.device_authorization
        if profile.pending is None:
            raise UnsupportedGrantType("the grant type is not supported")
        for _ in range(_TRIES):
            handle = issue(DEVICE_CODE, profile.tools.entropy)
            pending = self._pending(handle, asked, settings)
            if await profile.pending.begin(pending):
                return json_response(self._answer(handle, pending))
        raise ServerError(detail="no free user code was found")

    def _pending(self, handle: str, asked: AuthorizationRequest, settings: DeviceAuthorization) -> PendingAuthorization:
        tools = self._profile.tools
        now = tools.clock()
        return PendingAuthorization(
            id=stored_id(handle),
            issuer=self._profile.issuer,
            expires_at=now + settings.ttl + KEPT,
            client_id=asked.client_id,
            grant_type=DEVICE_CODE_GRANT,
            parameters=asked.parameters,
            user_code=user_code.draw(tools.entropy, settings.user_code.length),
            user="",
            sub="",
            binding_message="",
            created_at=now,
            valid_until=now + settings.ttl,
            interval=settings.interval,
            polled_at=0,
            outcome="",
            authorization=None,
            offline=False,
        )

    def _answer(self, handle: str, pending: PendingAuthorization) -> dict[str, object]:
        typed_at = self._profile.issuer + DevicePageEndpoint.path
        code = user_code.shown(pending.user_code)
        return {
            "device_code": handle,
            "user_code": code,
            "verification_uri": typed_at,
            "verification_uri_complete": with_query(typed_at, (("user_code", code),)),
            "expires_in": int(pending.valid_until - pending.created_at),
            "interval": pending.interval,
        }
