"""The front over raw sockets: what is malformed is refused before anything of ours looks at it."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from appliance.server import messages
from appliance.server.log import LogReport
from tests.server.serving import Served, exchange, serving, write_config

HOST = b"Host: 127.0.0.1\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
BODY = b"grant_type=client_credentials"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def op(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """One provider for all of these: none of them may leave a trace in it."""
    place = tmp_path_factory.mktemp("front")
    async with serving(write_config(place / "config"), place / "state") as served:
        yield served
        assert served.events("failure") == [], "nothing that a stranger sends may be unexpected"


def status(answer: bytes) -> int:
    """The status of the first answer; 0 when the connection was closed without one."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def post(headers: bytes, body: bytes = BODY, version: bytes = b"HTTP/1.1") -> bytes:
    """A request to the token endpoint that ends its connection."""
    return b"POST /token " + version + b"\r\n" + HOST + b"Connection: close\r\n" + headers + b"\r\n" + body


LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

SMUGGLING = {
    "two lengths": post(FORM + LENGTH + b"Content-Length: 4\r\n"),
    "length and chunked": post(FORM + LENGTH + CHUNKED, CHUNKS),
    "an unknown transfer encoding": post(FORM + b"Transfer-Encoding: xchunked\r\n", CHUNKS),
    "chunked twice": post(FORM + b"Transfer-Encoding: chunked, chunked\r\n", CHUNKS),
    "a space before the colon": post(FORM + b"Content-Length : %d\r\n" % len(BODY)),
    "a folded header": post(FORM + LENGTH + b"X-A: 1\r\n 2\r\n"),
    "a NUL in a header": post(FORM + LENGTH + b"X-A: \0\r\n"),
    "a negative length": post(FORM + b"Content-Length: -1\r\n"),
    "a signed length": post(FORM + b"Content-Length: +29\r\n"),
    "a chunk size of garbage": post(FORM + CHUNKED, b"zz\r\nab\r\n0\r\n\r\n"),
}


@pytest.mark.attack("HT-01")
@pytest.mark.spec("RFC 9112", "6.1")
@pytest.mark.parametrize("name", SMUGGLING)
async def test_refuses_a_message_whose_end_is_in_doubt_and_closes(op: Served, name: str) -> None:
    answer = await exchange(op.public, SMUGGLING[name] + b"GET /jwks HTTP/1.1\r\n" + HOST + b"\r\n")
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.") == 1, "what follows is not read as a second request"


@pytest.mark.attack("HT-02")
@pytest.mark.spec("RFC 9112", "2.3")
@pytest.mark.parametrize(
    ("octets", "statuses"),
    [
        (b"GET /jwks HTTP/2.0\r\n" + HOST + b"\r\n", {400, 505}),
        (b"GET /jwks HTTP/0.9\r\n" + HOST + b"\r\n", {400, 505}),
        (b"GET /jwks HTTP/1.2\r\n" + HOST + b"\r\n", {400, 505}),
        (b"GET /jwks\r\n\r\n", {0, 400, 505}),
        (post(FORM + CHUNKED, CHUNKS, b"HTTP/1.0"), {400}),
    ],
)
async def test_speaks_http_1_0_and_1_1_only(op: Served, octets: bytes, statuses: set[int]) -> None:
    answer = await exchange(op.public, octets)
    assert status(answer) in statuses
    assert b'"keys"' not in answer


@pytest.mark.attack("HT-03")
async def test_an_upgrade_with_a_body_does_not_hide_a_second_request(op: Served) -> None:
    asked = b"POST /token HTTP/1.1\r\n" + HOST + FORM + LENGTH + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    second = b"GET /jwks HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    answer = await exchange(op.public, asked + BODY + second)
    assert answer.count(b"HTTP/1.1 ") in {1, 2}
    assert status(answer) in {400, 401}
    if answer.count(b"HTTP/1.1 ") == 2:
        assert b'"keys"' in answer


@pytest.mark.attack("HT-04")
async def test_a_thousand_requests_in_one_go_are_answered_one_by_one(op: Served) -> None:
    one = b"GET /jwks HTTP/1.1\r\n" + HOST + b"\r\n"
    last = b"GET /jwks HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    answer = await exchange(op.public, one * 200 + last)
    assert answer.count(b"HTTP/1.1 200 ") == 201


@pytest.mark.attack("HT-04")
async def test_a_header_without_end_is_refused(op: Served) -> None:
    answer = await exchange(op.public, b"GET /jwks HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 100_000)
    assert status(answer) == 400


@pytest.mark.attack("HT-06")
@pytest.mark.parametrize("sent", [b"", b"gr"])
async def test_a_body_that_does_not_come_is_not_waited_for(
    op: Served, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "BODY_TIMEOUT", 0.2)
    answer = await exchange(op.public, post(FORM + LENGTH, sent))
    assert status(answer) == 408


@pytest.mark.attack("HT-09")
@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip", b"identity, gzip"])
@pytest.mark.parametrize("body", [gzip.compress(b"a" * 1_000_000), b"garbage"])
async def test_no_body_is_unpacked(op: Served, encoding: bytes, body: bytes) -> None:
    headers = FORM + b"Content-Encoding: %s\r\nContent-Length: %d\r\n" % (encoding, len(body))
    assert status(await exchange(op.public, post(headers, body))) == 415


@pytest.mark.attack("HT-10")
@pytest.mark.parametrize("charset", [b"rot13", b"nope", b"utf-16", b"utf-7", b"idna", b'"'])
async def test_a_charset_other_than_utf_8_decodes_nothing(op: Served, charset: bytes) -> None:
    headers = b"Content-Type: application/x-www-form-urlencoded; charset=%s\r\n" % charset + LENGTH
    assert status(await exchange(op.public, post(headers))) in {400, 401}


@pytest.mark.attack("HT-11")
@pytest.mark.parametrize("value", [b"\xff", b"%ff", b"%zz", b"%00", b"%ed%a0%80", b"\0"])
async def test_a_form_that_is_not_utf_8_text_is_an_invalid_request(op: Served, value: bytes) -> None:
    body = BODY + b"&scope=" + value
    answer = await exchange(op.public, post(FORM + b"Content-Length: %d\r\n" % len(body), body))
    assert status(answer) == 400
    assert b"invalid_request" in answer


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read(op: Served) -> None:
    answer = await exchange(op.public, post(FORM + b"Content-Length: 10000000\r\n", b""))
    assert status(answer) == 413
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    assert status(await exchange(op.public, post(FORM + CHUNKED, chunk * 3 + b"0\r\n\r\n"))) == 413


@pytest.mark.attack("HT-15")
@pytest.mark.parametrize(
    "path",
    ["//jwks", "/jwks/", "/./jwks", "/jwks;x=1", "/JWKS", "/%6awks", "/a/../jwks", "/" + "a" * 300, "/jwks%00", "*"],
)
async def test_a_path_has_one_spelling(op: Served, path: str) -> None:
    answer = await exchange(op.public, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert status(answer) in {400, 404}
    assert b'"keys"' not in answer


@pytest.mark.spec("RFC 9112", "3.2.2")
async def test_an_absolute_target_is_not_ours(op: Served) -> None:
    for target in (b"http://evil.test/jwks", b"http://127.0.0.1/jwks", b"evil.test:443"):
        answer = await exchange(op.public, b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        assert status(answer) in {400, 404}
        assert b"evil" not in answer


@pytest.mark.attack("HT-17")
async def test_an_expectation_that_is_not_understood_is_refused(op: Served) -> None:
    assert status(await exchange(op.public, post(FORM + LENGTH + b"Expect: foo\r\n"))) == 417


@pytest.mark.attack("HT-17", "HT-06")
async def test_a_body_that_is_invited_and_does_not_come_is_not_waited_for(
    op: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "BODY_TIMEOUT", 0.2)
    answer = await exchange(op.public, post(FORM + LENGTH + b"Expect: 100-continue\r\n", b""))
    assert answer.startswith(b"HTTP/1.1 100")
    assert b"HTTP/1.1 408" in answer


@pytest.mark.attack("HT-19")
async def test_what_fails_inside_tells_a_reference_and_nothing_else(
    op: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = op.running.current.snapshot
    assert snapshot is not None
    told: list[Exception] = []

    async def broken(*_: object) -> None:
        raise RuntimeError("secret-of-the-house /etc/passwd")

    def failure(_: LogReport, request: object, error: Exception) -> str:
        told.append(error)
        return "ref123"

    monkeypatch.setattr(LogReport, "failure", failure)
    for route in snapshot._routes._by_host.values():
        if route.path == "/jwks":
            monkeypatch.setattr(type(route.endpoint), "handle", broken)
    answer = await exchange(op.public, b"GET /jwks HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert status(answer) == 500
    assert b"ref123" in answer
    assert b"secret-of-the-house" not in answer
    assert b"Traceback" not in answer
    assert len(told) == 1


@pytest.mark.attack("HT-20")
@pytest.mark.parametrize(
    "octets",
    [
        b"GET /jwks HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
        b"BREW /jwks HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
        b"garbage <script>\r\n\r\n",
        b"GET /jwks HTTP/1.1\r\n" + HOST + b"bad header <script>\r\n\r\n",
    ],
)
async def test_no_answer_names_software_or_repeats_what_was_sent(op: Served, octets: bytes) -> None:
    answer = await exchange(op.public, octets)
    lower = answer.lower()
    assert b"aiohttp" not in lower
    assert b"python" not in lower
    assert b"<script>" not in lower
    if answer:
        assert b"server: appliance" in lower


@pytest.mark.attack("HT-21")
async def test_paths_of_strangers_leave_no_trace_in_the_metrics(op: Served) -> None:
    for number in range(50):
        asked = b"GET /stranger%d HTTP/1.1\r\n" % number + HOST + b"Connection: close\r\n\r\n"
        assert status(await exchange(op.public, asked)) == 404
    page = op.running.metrics.page()
    assert b"stranger" not in page
    assert b'op_http_requests_total{endpoint="none",status="404"}' in page


@pytest.mark.attack("HT-06")
async def test_silent_connections_do_not_hold_up_others(op: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "BODY_TIMEOUT", 3.0)
    silent = [asyncio.create_task(exchange(op.public, post(FORM + LENGTH, b"g"))) for _ in range(100)]
    await asyncio.sleep(0)
    answer = await exchange(op.public, b"GET /jwks HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert status(answer) == 200
    assert not any(each.done() for each in silent), "it was answered while all of them were waited for"
    assert {status(answer) for answer in await asyncio.gather(*silent)} == {408}
