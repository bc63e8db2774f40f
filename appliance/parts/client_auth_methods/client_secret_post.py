"""`client_secret_post`: the secret as a form parameter (RFC 6749 2.3.1)."""

from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient
from appliance.protocol.form import Params
from appliance.protocol.messages import Request


class ClientSecretPost:
    """client_id and client_secret in the body, never in the query."""

    name = "client_secret_post"
    algorithms: tuple[str, ...] = ()

    def __init__(self, **tools: object) -> None:
        """None of the tools is needed: what is presented is the proof, or there is none."""

    def claims(self, request: Request, form: Params) -> str | None:
        """The client_id when the form has a client_secret."""
        if "client_secret" not in form:
            return None
        client_id = form.get("client_id")
        if client_id is None:
            raise InvalidClient(detail="client_secret without client_id")
        return client_id

    async def verify(self, request: Request, form: Params, client: Client) -> None:
        """Return when the secret is one of the client's live ones."""
        if not client.has_secret(form["client_secret"].encode("utf-8", "surrogatepass"), request.at):
            raise InvalidClient(detail="wrong client_secret")
