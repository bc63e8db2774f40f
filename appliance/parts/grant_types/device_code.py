"""grant_type=urn:ietf:params:oauth:grant-type:device_code (RFC 8628 3.4): a device asks what became of its request."""

from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.polling import Polling
from appliance.protocol.client import Client
from appliance.protocol.form import Params
from appliance.protocol.handles import DEVICE_CODE
from appliance.seams import Redeemed, Store, Tools

NAME: Final = "urn:ietf:params:oauth:grant-type:device_code"


class DeviceCodeGrant:
    """Redeems a device code that its user has approved in a browser."""

    name = NAME
    parameters = frozenset({"device_code"})

    def __init__(self, *, store: Store, tools: Tools, issuer: str, profile: DeclaredProfile) -> None:
        self._polling = Polling(store=store, tools=tools, issuer=issuer, grant_type=NAME, prefix=DEVICE_CODE)

    async def authorize(self, form: Params, client: Client) -> Redeemed:
        """What was granted to the device. The errors of RFC 8628 3.5; InvalidGrant."""
        return await self._polling.redeem(form.require("device_code"), client)
