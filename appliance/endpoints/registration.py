"""registration_endpoint (RFC 7591 3, OpenID Connect Registration 3): a client registers itself."""

from collections.abc import Mapping

import orjson

from appliance.endpoints.bearer import challenged, missing, read_token
from appliance.profile.profile import Profile
from appliance.profile.registration.register import Registered, Registration
from appliance.protocol.errors import InvalidClientMetadata, InvalidRequest, InvalidToken, ServerError
from appliance.protocol.form import encode
from appliance.protocol.messages import Request, Response
from appliance.protocol.strict_json import StrictJsonProblem, loads_object

#: Where a registered client finds itself, below the issuer.
MANAGEMENT_PATH = "/register/client"

_JSON = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
)


class RegistrationEndpoint:
    """Registers clients for those who may: with an initial access token, a software statement, or anybody."""

    name = "registration_endpoint"
    path = "/register"
    methods = frozenset({"POST"})

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._open = profile.declared.registration.mode == "open"
        # Scripts of any page may register where anybody may: no cookie is looked at here.
        self.cors = "public" if self._open else "none"

    async def handle(self, request: Request) -> Response:
        """201 with all that is registered; every refusal is an OAuthError (RFC 7591 3.2.2)."""
        registration = registration_of(self._profile)
        vouched = self._vouched(request, registration)
        document = read_document(request)
        if not vouched and not self._open and "software_statement" not in document:
            raise missing(self._profile.issuer)
        registered = await registration.register(document, peer=request.peer, openly=not vouched)
        return client_response(201, registered, self._profile)

    def metadata(self) -> Mapping[str, object]:
        """Nothing beyond its address."""
        return {}

    def _vouched(self, request: Request, registration: Registration) -> bool:
        """Whether the request has an initial access token. InvalidToken for one that is none of ours."""
        try:
            token = read_token(request)
            if token is not None and not registration.admits(token):
                raise InvalidToken("the initial access token is not valid")
        except (InvalidToken, InvalidRequest) as error:
            raise challenged(error, self._profile.issuer, "") from None
        return token is not None


def registration_of(profile: Profile) -> Registration:
    """The registered clients of a profile that has any."""
    if profile.registration is None:
        raise ServerError(detail="a registration endpoint without registration")
    return profile.registration


def read_document(request: Request) -> dict[str, object]:
    """The metadata in a request. InvalidClientMetadata."""
    media_type, _, _ = (request.header("content-type") or "").partition(";")
    if media_type.strip().lower() != "application/json":
        raise InvalidClientMetadata("the body must be application/json")
    try:
        return loads_object(request.body)
    except StrictJsonProblem as problem:
        raise InvalidClientMetadata(f"the body is refused: {problem}") from None


def client_response(status: int, registered: Registered, profile: Profile) -> Response:
    """The client information response (RFC 7591 3.2.1)."""
    told = registration_of(profile).told(registered)
    query = encode([("client_id", registered.record.id)])
    told["registration_client_uri"] = f"{profile.issuer}{MANAGEMENT_PATH}?{query}"
    return Response(status, _JSON, orjson.dumps(told))
