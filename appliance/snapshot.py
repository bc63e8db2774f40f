"""One generation, assembled: routes to endpoints, and the frame around every answer.

The server keeps one current Snapshot and swaps the reference; a request lives its whole life under the one it
began with. Everything an endpoint cannot say by itself is said here once: unknown paths, methods, CORS,
errors as JSON, pages rendered.
"""

import asyncio
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import orjson

from appliance.config.declared.whole import Declared
from appliance.jose import encryption, tokens
from appliance.jose.public_keys import import_set
from appliance.pages.rendering import Renderer
from appliance.passwords import Passwords
from appliance.profile.client_keys import KeySets
from appliance.profile.profile import Profile
from appliance.protocol.errors import OAuthError, ServerError, TemporarilyUnavailable
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import ErrorPage
from appliance.seams import Endpoint, SourceUnavailable, Store, StoreUnavailable

#: Seconds after which an answer of "temporarily unavailable" invites another try.
RETRY_AFTER = "2"

#: How long a generation that ends waits for clients that are being told of a logout, seconds.
DELIVERIES_END = 2.0

_REHEARSAL_ENC = "A128GCM"

_NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
_JSON = (("Content-Type", "application/json"), *_NO_STORE, ("X-Content-Type-Options", "nosniff"))
_TEXT = (("Content-Type", "text/plain; charset=utf-8"), *_NO_STORE, ("X-Content-Type-Options", "nosniff"))
_PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, POST"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP, MCP-Protocol-Version"),
    ("Access-Control-Max-Age", "600"),
)


class Report(Protocol):
    """Where what must not reach the wire is told; gives the reference that the wire may carry."""

    def failure(self, request: Request, error: Exception) -> str:
        """Something unexpected, with its traceback."""

    def refusal(self, request: Request, error: OAuthError) -> str:
        """A protocol error, with its detail."""

    def notice(self, event: str, **facts: str) -> None:
        """Something that an operator should know and that no request waits for."""

    def failed_login(self, profile: str, authenticator: str, reason: str) -> None:
        """Somebody did not prove who he is."""


@dataclass(frozen=True, slots=True)
class Route:
    """One path of one host: the endpoint, and the origins whose browsers may call it."""

    endpoint: Endpoint
    #: Host of the issuer, as in a Host header.
    host: str
    path: str
    origins: Container[str]


class Routes:
    """(host, path) to route by dictionary. A path that only one issuer has is found whatever the Host says."""

    def __init__(self, routes: Iterable[Route]) -> None:
        by_path: dict[str, list[Route]] = {}
        for route in routes:
            by_path.setdefault(route.path, []).append(route)
        # One endpoint may have a path at several hosts.
        numbers = {path: len({id(route.endpoint) for route in found}) for path, found in by_path.items()}
        self._sole = {path: found[0] for path, found in by_path.items() if numbers[path] == 1}
        self._by_host = {(route.host, path): route for path, found in by_path.items() for route in found}

    def find(self, request: Request) -> Route | None:
        """The route of a request. The Host header only chooses among declared hosts, it never forms a URL."""
        return self._at(request, request.path) or self._above(request)

    def _at(self, request: Request, path: str) -> Route | None:
        return self._sole.get(path) or self._by_host.get((request.header("host") or "", path))

    def _above(self, request: Request) -> Route | None:
        """The route of an endpoint that has one address for each of its things, below its own."""
        found = self._at(request, request.path[: request.path.rfind("/") + 1])
        return found if found is not None and found.endpoint.path.endswith("/") else None


@dataclass(slots=True)
class Shared:
    """What outlives a generation as long as its declaration stays the same: the store and the password workers."""

    store: Store
    passwords: Passwords
    #: How many generations use it.
    users: int = 0

    async def close(self) -> None:
        """Let go of it."""
        await self.store.close()
        self.passwords.close()


class Snapshot:
    """An assembled generation. Immutable but for the count of requests that are still inside."""

    def __init__(
        self,
        *,
        declared: Declared,
        profiles: Mapping[str, Profile],
        routes: Sequence[Route],
        renderer: Renderer,
        key_sets: KeySets,
        shared: Shared,
        report: Report,
    ) -> None:
        self.declared = declared
        self.profiles = profiles
        self.renderer = renderer
        self.key_sets = key_sets
        self.shared = shared
        self._inside = 0
        # Set when the last one leaves a generation that ends; until then nobody waits, so nobody is told.
        self._empty: asyncio.Event | None = None
        self._routes = Routes(routes)
        self._report = report
        shared.users += 1

    async def rehearse(self) -> None:
        """Try what must work before this goes live: every key that signs, every key that opens, the store.

        StoreUnavailable; jose.TokenProblem when a key does not verify what it signed, or nothing opens what was
        encrypted to a published key.
        """
        await self.shared.store.ping()
        for profile in self.profiles.values():
            for alg in profile.keys.algorithms:
                token = tokens.sign(profile.keys.signing(alg), {"iss": profile.issuer}, "rehearsal")
                tokens.verify(token, profile.keys.verification(), algs=(alg,), typ=frozenset({"rehearsal"}))
            await asyncio.to_thread(_open_each, profile)

    async def retire(self) -> None:
        """Wait for the last request inside, then close what no later generation carries over."""
        if self._inside:
            self._empty = asyncio.Event()
            await self._empty.wait()
        for profile in self.profiles.values():
            await asyncio.gather(*(each.close(DELIVERIES_END) for each in profile.deliveries))
        self.shared.users -= 1
        if self.shared.users == 0:
            await self.shared.close()

    async def respond(self, request: Request) -> Response:
        """The answer to any request; never raises."""
        return (await self.answer(request))[1]

    async def answer(self, request: Request) -> tuple[str, Response]:
        """The same with the name of the endpoint that answered, "none" for a path that is not ours."""
        self._inside += 1
        try:
            route = self._routes.find(request)
            if route is None:
                return "none", Response(404, _TEXT, b"There is nothing here.\n")
            return route.endpoint.name, await self._answer(route, request)
        finally:
            self.leave()

    def notice(self, event: str, **facts: str) -> None:
        """Tell of something that an operator did."""
        self._report.notice(event, **facts)

    def enter(self) -> None:
        """Count somebody who uses this generation: it does not end before `leave`."""
        self._inside += 1

    def leave(self) -> None:
        """Count him out."""
        self._inside -= 1
        if not self._inside and self._empty is not None:
            self._empty.set()

    async def _answer(self, route: Route, request: Request) -> Response:
        endpoint = route.endpoint
        method = "GET" if request.method == "HEAD" else request.method
        if method == "OPTIONS" and endpoint.cors != "none":
            return _preflight(route, request)
        if method not in endpoint.methods:
            allow = ", ".join(sorted(endpoint.methods))
            return Response(405, (*_TEXT, ("Allow", allow)), b"This address does not know that method.\n")
        try:
            response = await endpoint.handle(request)
        except Exception as error:  # noqa: BLE001 - the wire must never see what it was
            response = self._failed(request, error)
        reference = "" if response.cause is None else self._tell(request, response.cause)
        if response.page is not None:
            response = self._render(response, request, reference)
        if endpoint.cors == "none":
            return response
        return response.with_headers(*_cors(route, request))

    def _failed(self, request: Request, error: Exception) -> Response:
        """The answer to what an endpoint raised."""
        if isinstance(error, OAuthError):
            self._report.refusal(request, error)
            return error_response(error)
        reference = self._report.failure(request, error)
        if isinstance(error, StoreUnavailable | SourceUnavailable):
            return error_response(TemporarilyUnavailable("try again in a moment"))
        return error_response(ServerError(f"reference {reference}"))

    def _tell(self, request: Request, cause: Exception) -> str:
        if isinstance(cause, OAuthError):
            return self._report.refusal(request, cause)
        return self._report.failure(request, cause)

    def _render(self, response: Response, request: Request, reference: str) -> Response:
        reply = response.page
        if reply is None:
            return response
        if reference and isinstance(reply.page, ErrorPage):
            reply = replace(reply, page=replace(reply.page, reference=reference))
        try:
            rendered = self.renderer.render(reply)
        except Exception as error:  # noqa: BLE001 - a page that fails on real data is a fault of ours
            reference = self._report.failure(request, error)
            return error_response(ServerError(f"reference {reference}"))
        said = frozenset(name for name, _ in rendered.headers)
        more = tuple(header for header in response.headers if header[0] not in said)
        return replace(rendered, headers=rendered.headers + more, cookies=response.cookies)


def _open_each(profile: Profile) -> None:
    """Encrypt to each key of the key set as a stranger would, who knows nothing but the document, and open it."""
    own = profile.keys.decryption()
    for key in import_set(orjson.loads(profile.keys.jwks)):
        if key.use != "enc" or key.alg is None:
            continue
        token = encryption.encrypt(key.encryption(key.alg), profile.issuer, enc=_REHEARSAL_ENC)
        encryption.decrypt(token, own, algs=(key.alg,), encs=(_REHEARSAL_ENC,))


def error_response(error: OAuthError) -> Response:
    """A protocol error as JSON (RFC 6749 5.2)."""
    members = {"error": error.error}
    if error.description:
        members["error_description"] = error.description
    headers: tuple[tuple[str, str], ...] = _JSON
    if error.status in (429, 503):
        headers = (*headers, ("Retry-After", str(error.retry_after or RETRY_AFTER)))
    if error.challenge:
        headers = (*headers, ("WWW-Authenticate", error.challenge))
    if error.nonce:
        headers = (*headers, ("DPoP-Nonce", error.nonce))
    return Response(error.status, headers, orjson.dumps(members))


def _preflight(route: Route, request: Request) -> Response:
    headers = _cors(route, request)
    return Response(
        204, headers + _PREFLIGHT if len(headers) > 1 or route.endpoint.cors == "public" else headers
    )


def _cors(route: Route, request: Request) -> tuple[tuple[str, str], ...]:
    """CORS headers: any origin without credentials for public documents, else the registered origins exactly."""
    if route.endpoint.cors == "public":
        return (("Access-Control-Allow-Origin", "*"),)
    origin = request.header("origin")
    if origin is None or origin not in route.origins:
        return (("Vary", "Origin"),)
    return (
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "WWW-Authenticate, DPoP-Nonce"),
    )
