"""The client configuration endpoint (RFC 7592, OpenID Connect Registration 4): a client looks after itself."""

from collections.abc import Mapping

from appliance.endpoints.bearer import challenged, missing, read_token
from appliance.endpoints.registration import MANAGEMENT_PATH, client_response, read_document, registration_of
from appliance.profile.profile import Profile
from appliance.profile.registration.register import Registered
from appliance.protocol.errors import InsufficientScope, InvalidRequest, InvalidToken
from appliance.protocol.form import read
from appliance.protocol.messages import Request, Response


class RegistrationManagementEndpoint:
    """Reads, replaces and removes the one client whose registration access token is shown."""

    name = "registration_management"
    path = MANAGEMENT_PATH
    methods = frozenset({"GET", "PUT", "DELETE"})
    cors = "none"

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    async def handle(self, request: Request) -> Response:
        """The client as it is now, or 204 when it is gone; 401 for a wrong token and an unknown client alike."""
        registered = await self._authenticated(request)
        if request.method == "PUT":
            registered = await registration_of(self._profile).update(registered, read_document(request))
        elif request.method == "DELETE":
            await registration_of(self._profile).remove(registered)
            return Response(204, (("Cache-Control", "no-store"), ("Pragma", "no-cache")))
        return client_response(200, registered, self._profile)

    def metadata(self) -> Mapping[str, object]:
        """Nothing: each client is told its own address."""
        return {}

    async def _authenticated(self, request: Request) -> Registered:
        profile = self._profile
        try:
            token = read_token(request)
            if token is None:
                raise missing(profile.issuer)
            client_id = read(request.query).get("client_id", "")
            registered = await registration_of(profile).read(client_id, token)
            if profile.clients.is_declared(client_id):
                # The files have this client now, and only who writes them may change it.
                raise InsufficientScope("the client is kept elsewhere and cannot be seen or changed here")
        except (InvalidToken, InsufficientScope, InvalidRequest) as error:
            raise error if error.challenge else challenged(error, profile.issuer, "") from None
        return registered
