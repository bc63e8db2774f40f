"""Responses as octets (RFC 9112 2.1), each handed to the connection in one piece.

The HTTP library parses requests and keeps connections. Its own responses build, check and walk a dictionary of
headers, which costs a third of a trivial answer; here a response is a value that is whole before it is sent.
"""

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from time import time

from aiohttp import HttpVersion10, web
from aiohttp.abc import AbstractStreamWriter

from appliance.protocol.messages import Response

#: Statuses whose answers have neither a body nor a length (RFC 9110 8.6).
_BARE = frozenset({204, 304})
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Octets(web.StreamResponse):
    """A response that goes out as the octets it was made of."""

    def __init__(self, response: Response) -> None:
        """ValueError for a header that would be more than one line."""
        super().__init__(status=response.status)
        self._fields = _fields(response)
        self._content = response.body

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send all of it. ConnectionError when nobody is there any more."""
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        old = request.version == HttpVersion10
        connection = _connection(old=old, stays=self._keep_alive)
        lines = f"HTTP/1.{0 if old else 1} {_STATUS_LINES[self.status]}\r\n{_date(int(time()))}{connection}"
        content = self._content
        if self.status in _BARE:
            content = b""
        elif content or request.method != "HEAD":
            lines += f"Content-Length: {len(content)}\r\n"
        if request.method == "HEAD":
            content = b""
        await request.writer.write(f"{lines}{self._fields}\r\n".encode() + content)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing: it was sent in one piece."""


def _fields(response: Response) -> str:
    lines = [f"{name}: {value}\r\n" for name, value in response.headers]
    lines += [f"Set-Cookie: {cookie.header()}\r\n" for cookie in response.cookies]
    text = "".join(lines)
    # RFC 9110 5.5: whatever got into a value, it must not begin a header or a body of its own.
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        raise ValueError("a header has a line break")
    return text


def _connection(*, old: bool, stays: bool) -> str:
    if stays:
        return "Connection: keep-alive\r\n" if old else ""
    return "" if old else "Connection: close\r\n"


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """The headers that every answer has; made once in each second. No version of any software is told."""
    return f"Date: {formatdate(usegmt=True)}\r\nServer: appliance\r\n"
