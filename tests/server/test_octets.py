"""The provider writes its answers in one piece, and nothing that got into a header ends it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from appliance.protocol.messages import Response, SetCookie
from appliance.server.octets import octets
from tests.server.serving import Served, exchange, serving
from tests.server.test_http_front import HOST


@pytest_asyncio.fixture
async def op(config: Path, state: Path) -> AsyncIterator[Served]:
    """A provider that serves."""
    async with serving(config, state) as served:
        yield served


@pytest.mark.attack("HT-01")
@pytest.mark.spec("RFC 9110", "5.5")
@pytest.mark.parametrize("bad", ["a\r\nSet-Cookie: b=c", "a\nb", "a\rb", "a\0b", "\n"])
def test_never_splits_a_header(bad: str) -> None:
    for response in (
        Response(303, (("Location", f"https://rp.example/{bad}"),)),
        Response(200, ((bad, "value"),)),
        Response(200, cookies=(SetCookie("name", bad, None, True),)),
    ):
        with pytest.raises(ValueError):
            octets(response, "GET")


@pytest.mark.spec("RFC 9110", "9.3.2")
async def test_tells_the_head_of_a_get_without_its_body(op: Served) -> None:
    whole = await exchange(op.public, b"GET /jwks HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    head = await exchange(op.public, b"HEAD /jwks HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert whole.startswith(head.partition(b"Date:")[0]) and head.endswith(b"\r\n\r\n")
    length = len(whole.partition(b"\r\n\r\n")[2])
    assert length and b"\r\nContent-Length: %d\r\n" % length in head and b"\r\nConnection: close\r\n" in head


@pytest.mark.spec("RFC 9110", "15.4.5")
async def test_tells_no_length_where_nothing_follows(op: Served) -> None:
    whole = await exchange(op.public, b"GET /jwks HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    etag = next(line for line in whole.split(b"\r\n") if line.startswith(b"ETag: "))[6:]
    asked = b"GET /jwks HTTP/1.1\r\n" + HOST + b"If-None-Match: " + etag + b"\r\nConnection: close\r\n\r\n"
    answer = await exchange(op.public, asked)
    assert answer.startswith(b"HTTP/1.1 304 ") and answer.endswith(b"\r\n\r\n")
    assert b"content-length" not in answer.lower() and b"ETag: " + etag in answer


@pytest.mark.spec("RFC 9112", "9.3")
@pytest.mark.parametrize(
    ("version", "asked", "told"),
    [
        (b"1.1", b"", b""),
        (b"1.1", b"close", b"close"),
        (b"1.0", b"keep-alive", b"keep-alive"),
        (b"1.0", b"", b""),
    ],
)
async def test_says_whether_the_connection_stays(op: Served, version: bytes, asked: bytes, told: bytes) -> None:
    header = b"Connection: " + asked + b"\r\n" if asked else b""
    first = b"GET /jwks HTTP/" + version + b"\r\n" + HOST + header + b"\r\n"
    last = b"GET /jwks HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    stays = (version == b"1.1" and asked != b"close") or asked == b"keep-alive"
    # Whoever does not stay is closed without another word: the exchange would not end otherwise.
    answers = await exchange(op.public, first + (last if stays else b""))
    head = answers.partition(b"\r\n\r\n")[0] + b"\r\n"
    assert head.startswith(b"HTTP/" + version + b" 200 OK\r\n")
    assert (b"\r\nConnection: " + told + b"\r\n" in head) if told else (b"\r\nConnection:" not in head)
    assert answers.count(b"HTTP/1.") == (2 if stays else 1)
