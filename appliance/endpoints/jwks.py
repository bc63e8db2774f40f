"""jwks_uri (OpenID Connect Discovery 3, RFC 7517 5): the public keys, as ready bytes."""

from collections.abc import Mapping

from appliance.endpoints.discovery import document_response
from appliance.profile.profile import Profile
from appliance.protocol.messages import Request, Response


class JwksEndpoint:
    """The key set of the moment: it changes when keys are rotated, without a reload."""

    name = "jwks_uri"
    path = "/jwks"
    methods = frozenset({"GET"})
    cors = "public"

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._keys = b""
        self._response = Response()
        self._etag = ""

    async def handle(self, request: Request) -> Response:
        """The key set, or 304 when the client has it (RFC 9110 13.1.2)."""
        keys = self._profile.keys.jwks
        if keys is not self._keys:
            self._keys = keys
            self._response = document_response(keys, "application/json")
            self._etag = dict(self._response.headers)["ETag"]
        if request.header("if-none-match") == self._etag:
            return Response(304, self._response.headers)
        return self._response

    def metadata(self) -> Mapping[str, object]:
        """Its address, under the name the specification gives it."""
        return {self.name: self._profile.issuer + self.path}
