"""The two well-known documents: OpenID Connect Discovery 4 and RFC 8414 3, same members, ready bytes."""

import hashlib
from collections.abc import Mapping

from appliance.protocol.messages import Request, Response

#: How long a relying party may keep the document, seconds.
MAX_AGE = 300


class Document:
    """A public JSON document that was made when the generation was assembled."""

    methods = frozenset({"GET"})
    cors = "public"

    def __init__(self, *, name: str, path: str, body: bytes) -> None:
        self.name = name
        self.path = path
        self._response = document_response(body, "application/json")
        self._not_modified = Response(304, self._response.headers)
        self._etag = dict(self._response.headers)["ETag"]

    async def handle(self, request: Request) -> Response:
        """The document, or 304 when the client has it (RFC 9110 13.1.2)."""
        if request.header("if-none-match") == self._etag:
            return self._not_modified
        return self._response

    def metadata(self) -> Mapping[str, object]:
        """Nothing: a document about the others."""
        return {}


def document_response(body: bytes, content_type: str) -> Response:
    """A cacheable public document."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = (
        ("Content-Type", content_type),
        ("Cache-Control", f"public, max-age={MAX_AGE}"),
        ("ETag", etag),
    )
    return Response(200, headers, body)
