"""The HTTP library's requests to our values, and what is refused unread; `octets` has the way back.

Limits are enforced here, before anything is interpreted: body size and time, no content encodings, no
HTTP versions beyond 1.1, and the request target as it was sent (libraries decode, normalise, trust Host).
"""

import asyncio
from asyncio import Transport
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader

from appliance.protocol.form import MAX_LENGTH
from appliance.protocol.frozen import quick
from appliance.protocol.messages import Request, Response

#: Seconds that a request body may take to arrive: the HTTP library itself would wait for ever.
BODY_TIMEOUT = 5.0

#: The headers that anybody here reads; no other one gets in.
_READ = {
    name.encode(): name
    for name in (
        "accept",
        "accept-language",
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "dpop",
        "expect",
        "host",
        "if-none-match",
        "origin",
        "sec-fetch-site",
        "transfer-encoding",
        "x-forwarded-for",
    )
}

Networks = Sequence[IPv4Network | IPv6Network]


class Refused(Exception):
    """A request that is not even read: its status and a fixed text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def malformed() -> Refused:
    """What the parser, or a rule of ours about framing, refuses. Made anew: an exception keeps where it was raised."""
    return Refused(400, "The request is malformed.")


class Peer(Protocol):
    """Who sent it, as a connection knows him."""

    transport: Transport | None

    @property
    def peername(self) -> str | tuple[object, ...] | None:
        """His address first, when there is one."""


@quick
@dataclass(frozen=True, slots=True)
class Incoming:
    """One request as the HTTP library has parsed it: its head, its body as it comes, and the connection it is on."""

    message: RawRequestMessage
    content: StreamReader
    connection: Peer

    @property
    def peer(self) -> str:
        """The address at the other end of the connection; "" when there is none, or none any more."""
        name = self.connection.peername
        return (name if isinstance(name, str) else str(name[0])) if name else ""


async def read(raw: Incoming, proxies: Networks, at: float) -> Request:
    """The request as a value. Refused when it breaks a limit of the front."""
    message = raw.message
    headers = _headers(message)
    _check_version(message, headers)
    target = message.path
    if not target.startswith("/"):
        # RFC 9112 3.2.2: an absolute-form target names a host that only the sender vouches for.
        raise Refused(404, "There is nothing here.")
    path, _, query = target.partition("?")
    body = b"" if raw.content.at_eof() else await _body(raw, headers)
    return Request(message.method, path, query, headers, body, _peer(raw, headers, proxies), at)


def refusal(refused: Refused) -> Response:
    """A fixed text; what the sender wrote is never repeated."""
    return Response(refused.status, (("Content-Type", "text/plain; charset=utf-8"),), f"{refused.text}\n".encode())


def _headers(message: RawRequestMessage) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in message.raw_headers:
        key = _READ.get(name.lower())
        if key is not None:
            text = value.decode("latin-1")
            found[key] = (*found[key], text) if key in found else (text,)
    return found


def _check_version(message: RawRequestMessage, headers: Mapping[str, tuple[str, ...]]) -> None:
    if message.version == HttpVersion11:
        return
    if message.version != HttpVersion10:
        raise Refused(505, "HTTP/1.1 is spoken here.")
    if "transfer-encoding" in headers:
        # RFC 9112 6.1: a 1.0 message with Transfer-Encoding has faulty framing.
        raise malformed()


async def _body(raw: Incoming, headers: Mapping[str, tuple[str, ...]]) -> bytes:
    if headers.get("content-encoding", ("identity",)) != ("identity",):
        raise Refused(415, "Request bodies must not be encoded.")
    content = raw.content
    # The parser has taken care that there is one at most, and that it is a number (RFC 9112 6.3).
    length = int(headers["content-length"][0]) if "content-length" in headers else None
    if length is not None and length > MAX_LENGTH:
        raise Refused(413, "The request is too large.")
    if "expect" not in headers and length is not None and content.total_bytes >= length and content.is_eof():
        # All of it came with the head, as it does mostly: nothing to wait for, nothing to bound.
        return content.read_nowait()
    _invite(raw, headers)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            while chunk := await content.readany():
                size += len(chunk)
                if size > MAX_LENGTH:
                    raise Refused(413, "The request is too large.")
                chunks.append(chunk)
    except TimeoutError:
        raise Refused(408, "The request took too long.") from None
    except web.RequestPayloadError:
        raise malformed() from None
    return b"".join(chunks)


def _invite(raw: Incoming, headers: Mapping[str, tuple[str, ...]]) -> None:
    """Tell a sender who waits for it that his body is welcome (RFC 9110 10.1.1)."""
    expected = headers.get("expect")
    if expected is None:
        return
    if len(expected) != 1 or expected[0].lower() != "100-continue":
        raise Refused(417, "That cannot be met.")
    transport = raw.connection.transport
    if raw.message.version == HttpVersion11 and transport is not None:
        transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _peer(raw: Incoming, headers: Mapping[str, tuple[str, ...]], proxies: Networks) -> str:
    """The address that speaks to us; behind declared proxies the right-most hop that is not one of them."""
    peer = raw.peer
    if not proxies or not _within(peer, proxies):
        return peer
    hops = [hop.strip() for value in headers.get("x-forwarded-for", ()) for hop in value.split(",")]
    for hop in reversed(hops):
        if not _is_address(hop):
            break
        peer = hop
        if not _within(hop, proxies):
            break
    return peer


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _within(text: str, networks: Networks) -> bool:
    if not _is_address(text):
        return False
    address = ip_address(text)
    return any(address in network for network in networks if network.version == address.version)
