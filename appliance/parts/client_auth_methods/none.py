"""`none`: a public client only names itself (RFC 6749 2.1, 3.2.1)."""

from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient
from appliance.protocol.form import Params
from appliance.protocol.messages import Request


class NoAuthentication:
    """The client_id in the form and no credential of any kind."""

    name = "none"
    algorithms: tuple[str, ...] = ()

    def __init__(self, **tools: object) -> None:
        """None of the tools is needed: what is presented is the proof, or there is none."""

    def claims(self, request: Request, form: Params) -> str | None:
        """The client_id, when nothing in the request looks like a credential."""
        if "authorization" in request.headers or "client_secret" in form or "client_assertion" in form:
            return None
        return form.get("client_id")

    async def verify(self, request: Request, form: Params, client: Client) -> None:
        """Return for a client registered as public; nothing was proved."""
        if not client.is_public:
            raise InvalidClient
