"""The guarded HTTP client.

The guard stands where a socket is made: after every resolution, for every single address, and the socket is then
connected to that very address. A name that resolves differently from one moment to the next, or a literal that no
resolver ever sees, gets no further than any other.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from appliance.outbound.addresses import check_address
from appliance.outbound.problems import OutboundProblem
from appliance.outbound.urls import Target, read_url
from appliance.protocol import form as forms

MAX_BYTES: Final = 65536
TIMEOUT: Final = 5.0
# What one provider needs at a time; the rest waits, and its waiting counts against its timeout.
_AT_ONCE: Final = 32
_AGENT: Final = "appliance"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows beyond the public internet on the usual port."""

    allow_loopback: bool = False
    ports: frozenset[int] = frozenset({443})
    #: PEM text of certification authorities to trust besides those of the system.
    authorities: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, whatever its status. Header names are lower case; of a repeated header the first counts."""

    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class _Refused(OSError):
    """The guard's no in a shape that the connector understands: it goes on with the next address."""


class _Guard:
    """Makes the sockets of one request, each only after a look at the address it will be connected to."""

    def __init__(self, policy: Policy, target: Target) -> None:
        self._allow_loopback = policy.allow_loopback
        # Plain http never leaves the machine, whatever `localhost` is said to resolve to.
        self._only_loopback = target.scheme == "http"
        self.refused = False

    def open(self, found: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        """A socket for one resolved address."""
        family, kind, protocol, _, address = found
        try:
            check_address(str(address[0]), allow_loopback=self._allow_loopback, only_loopback=self._only_loopback)
        except OutboundProblem:
            self.refused = True
            raise _Refused("refused") from None
        return socket.socket(family=family, type=kind, proto=protocol)


class OutboundClient:
    """Fetches and posts; holds no connection and no cookie between two requests, so there is nothing to close."""

    def __init__(self, policy: Policy, *, timeout: float = TIMEOUT, resolver: AbstractResolver | None = None) -> None:
        self.policy = policy
        self._timeout = timeout
        self._resolver = resolver
        # Those of the system take a while to read: in a start, only who names authorities waits for it.
        self._tls = _tls_context(policy.authorities) if policy.authorities else None
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def fetch(
        self,
        url: str,
        *,
        accept: str,
        max_bytes: int = MAX_BYTES,
        timeout: float | None = None,  # noqa: ASYNC109 - the deadline is part of the promise
    ) -> Fetched:
        """GET a URL. OutboundProblem when it may not be asked, does not answer in time, or answers too much."""
        headers = {"Accept": accept}
        return await self._send("GET", url, headers, None, max_bytes, timeout)

    async def post(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        accept: str = "*/*",
        max_bytes: int = MAX_BYTES,
        timeout: float | None = None,  # noqa: ASYNC109 - the deadline is part of the promise
    ) -> Fetched:
        """POST a form to a URL. OutboundProblem as with `fetch`."""
        headers = {"Accept": accept, "Content-Type": "application/x-www-form-urlencoded"}
        body = forms.encode(form.items()).encode("ascii")
        return await self._send("POST", url, headers, body, max_bytes, timeout)

    async def post_json(
        self,
        url: str,
        document: Mapping[str, str],
        *,
        bearer: str,
        max_bytes: int = MAX_BYTES,
        timeout: float | None = None,  # noqa: ASYNC109 - the deadline is part of the promise
    ) -> Fetched:
        """POST a JSON object with a bearer token to a URL. OutboundProblem as with `fetch`."""
        headers = {"Accept": "*/*", "Content-Type": "application/json", "Authorization": f"Bearer {bearer}"}
        return await self._send("POST", url, headers, json.dumps(document).encode("ascii"), max_bytes, timeout)

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        max_bytes: int,
        timeout: float | None,  # noqa: ASYNC109 - see above
    ) -> Fetched:
        policy = self.policy
        target = read_url(url, ports=policy.ports, allow_loopback=policy.allow_loopback)
        guard = _Guard(policy, target)
        try:
            # One deadline for waiting, resolving, connecting, sending and every byte of the answer: a server that
            # drips gets no more time than one that is silent.
            async with asyncio.timeout(timeout or self._timeout), self._places, self._session(guard) as session:
                sent = session.request(
                    method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False
                )
                async with sent as response:
                    return await _read(response, max_bytes)
        except OutboundProblem:
            raise
        except TimeoutError:
            raise OutboundProblem("no whole answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError):
            # RuntimeError is what the connector makes of several failed addresses at once.
            if guard.refused:
                raise OutboundProblem("the address is not a public one") from None
            raise OutboundProblem("no connection, or no understandable answer") from None

    @asynccontextmanager
    async def _session(self, guard: _Guard) -> AsyncIterator[aiohttp.ClientSession]:
        if self._tls is None:
            self._tls = await asyncio.to_thread(_tls_context, "")
        connector = aiohttp.TCPConnector(
            ssl=self._tls,
            resolver=self._resolver or aiohttp.ThreadedResolver(),
            use_dns_cache=False,
            force_close=True,
            socket_factory=guard.open,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            # Neither proxies nor credentials come from the environment or from ~/.netrc.
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"User-Agent": _AGENT, "Accept-Encoding": "identity"},
        ) as session:
            yield session


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> Fetched:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        headers.setdefault(name.lower(), value)
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        # It was asked for plainly; what comes packed may be a thousand times as large when unpacked.
        raise OutboundProblem("the answer is encoded")
    if (response.content_length or 0) > max_bytes:
        raise OutboundProblem("the answer is too long")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            raise OutboundProblem("the answer is too long")
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return Fetched(response.status, content_type, headers, bytes(body))


def _tls_context(authorities: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities:
        try:
            context.load_verify_locations(cadata=authorities)
        except (ValueError, OSError):  # ssl.SSLError is an OSError
            raise OutboundProblem("the file of certification authorities cannot be used") from None
    return context
