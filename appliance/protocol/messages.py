"""HTTP as plain values: what endpoints receive and return.

`server.messages` makes a Request of the wire and writes a Response to it; nobody else knows HTTP's library.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from appliance.protocol.frozen import quick
from appliance.protocol.pages import PageReply

_NO_HEADERS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@quick
@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are lower case; every value of a repeated header is kept."""

    method: str
    path: str
    #: The raw query string, still percent-encoded, without the question mark.
    query: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_HEADERS)
    body: bytes = b""
    #: Address of the peer, after trusted proxies were taken into account.
    peer: str = ""
    #: Epoch seconds at which the request was read.
    at: float = 0.0
    #: The client certificate of the connection, DER: proved by TLS, or told by a proxy that is believed.
    certificate: bytes | None = None

    def header(self, name: str) -> str | None:
        """The value of a header that came exactly once, else None (a repeated one is not trusted)."""
        values = self.headers.get(name, ())
        return values[0] if len(values) == 1 else None

    def cookies(self, name: str) -> tuple[str, ...]:
        """Every value sent for a cookie name: more than one means somebody planted one (RFC 6265bis 8.6)."""
        found: list[str] = []
        for header in self.headers.get("cookie", ()):
            for pair in header.split(";"):
                # Most are others, and a look at the text is cheaper than taking it apart.
                if name in pair:
                    key, separator, value = pair.strip().partition("=")
                    if separator and key == name:
                        found.append(value)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One cookie to set; `max_age` None makes a session cookie, 0 deletes it (RFC 6265bis 4.1)."""

    name: str
    value: str
    max_age: int | None
    secure: bool
    same_site: str = "Lax"
    http_only: bool = True

    def header(self) -> str:
        """The value of the Set-Cookie header."""
        parts = [f"{self.name}={self.value}", "Path=/"]
        if self.max_age is not None:
            parts.append(f"Max-Age={self.max_age}")
        if self.http_only:
            parts.append("HttpOnly")
        if self.secure:
            parts.append("Secure")
        parts.append(f"SameSite={self.same_site}")
        return "; ".join(parts)


@quick
@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response: bytes, or a page that the snapshot renders before it goes out."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cookies: tuple[SetCookie, ...] = field(default=())
    page: PageReply | None = None
    #: What was refused or failed, where the endpoint answered it itself: for the log, never for the wire.
    cause: Exception | None = None

    def with_headers(self, *headers: tuple[str, str]) -> "Response":
        """The same response with more headers."""
        if not headers:
            return self
        return Response(self.status, self.headers + headers, self.body, self.cookies, self.page, self.cause)

    def with_cookies(self, *cookies: SetCookie) -> "Response":
        """The same response with more cookies."""
        if not cookies:
            return self
        return Response(self.status, self.headers, self.body, self.cookies + cookies, self.page, self.cause)
