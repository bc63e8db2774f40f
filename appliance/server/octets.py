"""Responses as octets (RFC 9112 2.1), each whole before it is sent.

The HTTP library's own responses build, check and walk a dictionary of headers, which costs a third of a trivial
answer.
"""

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from time import time

from appliance.protocol.messages import Response

#: Statuses whose answers have neither a body nor a length (RFC 9110 8.6).
_BARE = frozenset({204, 304})
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def octets(response: Response, method: str, *, old: bool = False, stays: bool = True) -> bytes:
    """The response to a request by that method; `old` for HTTP/1.0, `stays` when the connection does.

    ValueError for a header that would be more than one line.
    """
    content = response.body
    lines = f"HTTP/1.{0 if old else 1} {_STATUS_LINES[response.status]}\r\n{_date(int(time()))}"
    if old or not stays:
        lines += _connection(old=old, stays=stays)
    if method == "HEAD" or response.status in _BARE:
        length = f"Content-Length: {len(content)}\r\n" if content and response.status not in _BARE else ""
        return f"{lines}{length}{_fields(response)}\r\n".encode()
    return f"{lines}Content-Length: {len(content)}\r\n{_fields(response)}\r\n".encode() + content


def _fields(response: Response) -> str:
    if response.status == 200 and not response.cookies:
        return _usual(response.headers)
    return _lines(*response.headers, *[("Set-Cookie", cookie.header()) for cookie in response.cookies])


@lru_cache(maxsize=256)
def _usual(headers: tuple[tuple[str, str], ...]) -> str:
    """Of an endpoint's good answers, which are mostly the same and tell no secret."""
    return _lines(*headers)


def _lines(*headers: tuple[str, str]) -> str:
    lines = [f"{name}: {value}\r\n" for name, value in headers]
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
