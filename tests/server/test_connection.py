"""A connection between two requests: who does not read, who leaves, and what a body turns out to be."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from appliance.protocol.messages import Response
from appliance.server import connection
from appliance.server.connection import Answers
from appliance.server.listeners import OpenListener
from appliance.server.messages import Incoming
from tests.server.serving import PATIENCE, Served, exchange, serving

HOST = b"Host: 127.0.0.1\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
LAST = b"GET /jwks HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


@pytest_asyncio.fixture
async def op(config: Path, state: Path) -> AsyncIterator[Served]:
    """A provider that serves, and to which nothing unexpected happens."""
    async with serving(config, state) as served:
        yield served
        assert served.events("failure") == []


def listener(op: Served) -> OpenListener:
    """Its public listener."""
    return op.running.listening._open["public"][1]


@pytest.mark.spec("RFC 9112", "7.1")
@pytest.mark.parametrize("rest", [b"zz\r\nab\r\n0\r\n\r\n", b"-1\r\n", b"2\r\nabc\r\n"])
async def test_a_body_that_turns_out_to_be_malformed_is_refused_at_once_and_the_last(
    op: Served, rest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.server.messages.BODY_TIMEOUT", 10 * PATIENCE)
    reader, writer = await asyncio.open_connection("127.0.0.1", op.public)
    writer.write(b"POST /token HTTP/1.1\r\n" + HOST + FORM + b"Transfer-Encoding: chunked\r\n\r\n2\r\ngr\r\n")
    await op.until(lambda: listener(op)._answers.under_way == 1)
    writer.write(rest + LAST)
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ") and answer.count(b"HTTP/1.") == 1


@pytest.mark.spec("RFC 9110", "7.8")
async def test_an_upgrade_is_answered_as_if_it_had_not_been_asked_and_is_the_last(op: Served) -> None:
    asked = b"GET /jwks HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
    answer = await exchange(op.public, asked + LAST)
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.count(b"HTTP/1.") == 1
    assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.attack("HT-06")
async def test_who_leaves_in_the_middle_of_a_body_is_not_waited_for(
    op: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.server.messages.BODY_TIMEOUT", 10 * PATIENCE)
    _, writer = await asyncio.open_connection("127.0.0.1", op.public)
    writer.write(b"POST /token HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: 10\r\n\r\ngr")
    await op.until(lambda: listener(op)._answers.under_way == 1)
    writer.transport.abort()
    await op.until(lambda: listener(op)._answers.under_way == 0 and not listener(op)._open_connections())


@pytest.mark.attack("HT-06")
async def test_who_does_not_read_is_let_go_and_others_are_served(
    op: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "READING", 0.2)
    # Far more than the buffers of both ends hold, and nobody takes any of it.
    _, writer = await asyncio.open_connection("127.0.0.1", op.public, limit=1024)
    one = b"GET /.well-known/openid-configuration HTTP/1.1\r\n" + HOST + b"\r\n"
    writer.write(one * 20_000)
    await op.until(lambda: listener(op)._open_connections() == 1)
    answer = await exchange(op.public, LAST)
    assert answer.startswith(b"HTTP/1.1 200 ")
    await op.until(lambda: listener(op)._open_connections() == 0)
    writer.transport.abort()


@pytest.mark.attack("HT-06")
@pytest.mark.parametrize("last", [b"", b"Connection: close\r\n"])
async def test_who_does_not_read_an_answer_that_is_nearly_sent_is_let_go_too(
    op: Served, last: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def page(_: Incoming) -> Response:
        return Response(200, body=b"a" * 60_000)

    monkeypatch.setattr(listener(op)._answers, "_answer", page)
    monkeypatch.setattr(connection, "READING", 0.2)
    monkeypatch.setattr(connection, "KEEPALIVE_TIMEOUT", 0.2)
    monkeypatch.setattr(connection, "_SETTINGS", {**connection._SETTINGS, "keepalive_timeout": 0.5})
    # No more than what the server holds back itself: it never has to stop in writing.
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        peer.setblocking(False)
        await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", op.public))
        opened = listener(op)._runner.server
        assert opened is not None
        await op.until(lambda: bool(opened.connections))
        transport = opened.connections[0].transport
        assert transport is not None
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
        await asyncio.get_running_loop().sock_sendall(peer, b"GET / HTTP/1.1\r\n" + HOST + last + b"\r\n")
        await op.until(lambda: not opened.connections)


@pytest.mark.attack("HT-04")
async def test_who_sends_many_requests_at_once_takes_turns_with_others(op: Served) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(others())
    try:
        answer = await exchange(op.public, 2000 * (b"GET /jwks HTTP/1.1\r\n" + HOST + b"\r\n") + LAST)
    finally:
        counting.cancel()
    assert answer.count(b"HTTP/1.1 200 ") == 2001
    assert turns >= 2000


@pytest.mark.attack("HT-19")
async def test_what_fails_outside_of_all_answers_is_told_in_the_log_only(
    config: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "of the " + "house"

    async def broken(_: Incoming) -> Response:
        raise RuntimeError(words)

    async with serving(config, state) as op:
        answers: Answers = listener(op)._answers
        monkeypatch.setattr(answers, "_answer", broken)
        answer = await exchange(op.public, LAST)
        assert answer.startswith(b"HTTP/1.1 500 ") and answer.endswith(b"\r\n\r\nFailed.\n")
        (told,) = op.events("failure")
        assert told["exception"] == "RuntimeError" and words not in str(told)
