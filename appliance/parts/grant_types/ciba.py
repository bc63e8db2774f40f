"""grant_type=urn:openid:params:grant-type:ciba (CIBA Core 10.1): a client asks what became of its request."""

from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.polling import Polling
from appliance.protocol.client import Client
from appliance.protocol.errors import UnauthorizedClient
from appliance.protocol.form import Params
from appliance.protocol.handles import AUTH_REQ_ID
from appliance.seams import Redeemed, Store, Tools

NAME: Final = "urn:openid:params:grant-type:ciba"


class CibaGrant:
    """Redeems an auth_req_id, of clients that poll and of clients that are pinged alike."""

    name = NAME
    parameters = frozenset({"auth_req_id"})

    def __init__(self, *, store: Store, tools: Tools, issuer: str, profile: DeclaredProfile) -> None:
        self._polling = Polling(store=store, tools=tools, issuer=issuer, grant_type=NAME, prefix=AUTH_REQ_ID)

    async def authorize(self, form: Params, client: Client) -> Redeemed:
        """What the user granted. The errors of CIBA 11; InvalidGrant; UnauthorizedClient for public clients."""
        if client.is_public:
            # CIBA 10.1: who asks about users behind their backs must be known.
            raise UnauthorizedClient("this grant type is for confidential clients")
        return await self._polling.redeem(form.require("auth_req_id"), client)
