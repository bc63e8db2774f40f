"""The HTTP library's requests to our values, and what is refused unread; `octets` has the way back.

Limits are enforced here, before anything is interpreted: body size and time, no content encodings, no
HTTP versions beyond 1.1, and the request target as it was sent (libraries decode, normalise, trust Host).
"""

import asyncio
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import HttpVersion10, HttpVersion11, web

from appliance.protocol.form import MAX_LENGTH
from appliance.protocol.messages import Request

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


async def read(raw: web.BaseRequest, proxies: Networks, at: float) -> Request:
    """The request as a value. Refused when it breaks a limit of the front."""
    headers = _headers(raw)
    _check_version(raw, headers)
    target = raw.raw_path
    if not target.startswith("/"):
        # RFC 9112 3.2.2: an absolute-form target names a host that only the sender vouches for.
        raise Refused(404, "There is nothing here.")
    path, _, query = target.partition("?")
    body = await _body(raw, headers) if raw.can_read_body else b""
    return Request(raw.method, path, query, headers, body, _peer(raw, headers, proxies), at)


def refusal(refused: Refused) -> web.Response:
    """A fixed text; what the sender wrote is never repeated."""
    answer = web.Response(status=refused.status, text=refused.text + "\n", headers={"Server": "appliance"})
    answer.force_close()
    return answer


def _headers(raw: web.BaseRequest) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in raw.raw_headers:
        key = _READ.get(name.lower())
        if key is not None:
            text = value.decode("latin-1")
            found[key] = (*found[key], text) if key in found else (text,)
    return found


def _check_version(raw: web.BaseRequest, headers: Mapping[str, tuple[str, ...]]) -> None:
    if raw.version == HttpVersion11:
        return
    if raw.version != HttpVersion10:
        raise Refused(505, "HTTP/1.1 is spoken here.")
    if "transfer-encoding" in headers:
        # RFC 9112 6.1: a 1.0 message with Transfer-Encoding has faulty framing.
        raise Refused(400, "The request is malformed.")


async def _body(raw: web.BaseRequest, headers: Mapping[str, tuple[str, ...]]) -> bytes:
    if headers.get("content-encoding", ("identity",)) != ("identity",):
        raise Refused(415, "Request bodies must not be encoded.")
    length = raw.content_length
    if length is not None and length > MAX_LENGTH:
        raise Refused(413, "The request is too large.")
    content = raw.content
    if "expect" not in headers and length is not None and content.total_bytes >= length and content.is_eof():
        # All of it came with the head, as it does mostly: nothing to wait for, nothing to bound.
        return content.read_nowait()
    await _invite(raw, headers)
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
    return b"".join(chunks)


async def _invite(raw: web.BaseRequest, headers: Mapping[str, tuple[str, ...]]) -> None:
    """Tell a sender who waits for it that his body is welcome (RFC 9110 10.1.1)."""
    expected = headers.get("expect")
    if expected is None:
        return
    if len(expected) != 1 or expected[0].lower() != "100-continue":
        raise Refused(417, "That cannot be met.")
    if raw.version == HttpVersion11:
        await raw.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # What was written is not yet the answer.
        raw.writer.output_size = 0


def _peer(raw: web.BaseRequest, headers: Mapping[str, tuple[str, ...]], proxies: Networks) -> str:
    """The address that speaks to us; behind declared proxies the right-most hop that is not one of them."""
    peer = raw.remote or ""
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
