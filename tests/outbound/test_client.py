"""The guarded client against servers that mean it ill."""

import asyncio
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from appliance.outbound.client import OutboundClient, Policy
from appliance.outbound.problems import OutboundProblem
from tests.outbound.servers import plain, serving

HERE = Policy(allow_loopback=True)


class Names(AbstractResolver):
    """Gives the listed addresses, one list a question; the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def refused(client: OutboundClient, url: str, **options: Any) -> str:
    """Why a fetch is refused."""
    with pytest.raises(OutboundProblem) as problem:
        await client.fetch(url, accept="application/json", **options)
    assert url not in str(problem.value)
    return str(problem.value)


async def test_it_fetches_a_small_document() -> None:
    async with serving(plain(b'{"a":1}', "X-A: 1", "X-A: 2")) as server:
        fetched = await OutboundClient(HERE).fetch(server.url("/a?b=%2F"), accept="application/json")
    assert (fetched.status, fetched.content_type, fetched.body) == (200, "application/json", b'{"a":1}')
    assert fetched.headers["x-a"] == "1"
    head = server.asked[0].decode()
    assert head.startswith("GET /a?b=%2F HTTP/1.1\r\n")
    assert "accept-encoding: identity" in head.lower()
    assert "cookie" not in head.lower()


async def test_it_posts_a_form() -> None:
    async with serving(plain(b"", status="204 No Content")) as server:
        answer = await OutboundClient(HERE).post(server.url("/logout"), {"logout_token": "a b&c"})
    assert answer.status == 204
    assert server.asked[0].endswith(b"\r\n\r\nlogout_token=a+b%26c")
    assert b"Content-Type: application/x-www-form-urlencoded\r\n" in server.asked[0]


async def test_it_does_not_speak_to_this_machine_unless_allowed() -> None:
    async with serving(plain(b"{}")) as server:
        strict = OutboundClient(Policy(ports=frozenset({443, server.port})))
        assert await refused(strict, server.url()) == "only https URLs are fetched"
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]"):
            said = await refused(strict, server.url(host=host, scheme="https"))
            assert said == "the address is not a public one"
    assert server.asked == []


@pytest.mark.attack("SS-05")
@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::"])
async def test_it_looks_at_the_address_and_not_at_the_name(address: str) -> None:
    client = OutboundClient(Policy(), resolver=Names([address]))
    assert await refused(client, "https://rp.example/jwks") == "the address is not a public one"


@pytest.mark.attack("SS-05")
async def test_it_looks_again_at_every_resolution() -> None:
    async with serving(plain(b"{}")) as server:
        names = Names(["203.0.113.1"], ["127.0.0.1"])
        client = OutboundClient(Policy(ports=frozenset({server.port})), resolver=names)
        for _ in range(3):
            said = await refused(client, server.url(host="rp.example", scheme="https"))
            assert said == "the address is not a public one"
    assert names.asked == ["rp.example"] * 3
    assert server.asked == []


@pytest.mark.attack("SS-05")
async def test_it_asks_the_resolver_once_and_connects_to_what_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[Any] = []
    loop = asyncio.get_running_loop()

    async def sock_connect(sock: socket.socket, address: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(loop, "sock_connect", sock_connect, raising=False)
    names = Names(["10.0.0.1", "9.9.9.9", "127.0.0.1", "::1"], ["127.0.0.1"])
    await refused(OutboundClient(Policy(), resolver=names), "https://rp.example/jwks")
    assert names.asked == ["rp.example"]
    assert set(connected) == {("9.9.9.9", 443)}


async def test_plain_http_stays_here_whatever_localhost_is_said_to_be() -> None:
    client = OutboundClient(HERE, resolver=Names(["9.9.9.9"]))
    assert await refused(client, "http://localhost:8080/") == "the address is not a public one"


@pytest.mark.attack("SS-06", "SS-10")
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_it_follows_no_redirection(status: str) -> None:
    async with (
        serving(plain(b"inside")) as inside,
        serving(plain(b"", f"Location: {inside.url()}", status=status)) as outside,
    ):
        client = OutboundClient(HERE)
        fetched = await client.fetch(outside.url(), accept="*/*")
        posted = await client.post(outside.url(), {"logout_token": "t"})
    assert (fetched.status, posted.status) == (int(status[:3]), int(status[:3]))
    assert inside.asked == []


@pytest.mark.attack("SS-07", "SS-10")
async def test_it_reads_no_more_than_the_cap() -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        for _ in range(10_000):
            writer.write(b"x" * 65536)
            await writer.drain()

    async def chunked(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(10_000):
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    for answer in (endless, chunked, plain(b"x" * 65537)):
        async with serving(answer) as server:
            assert await refused(OutboundClient(HERE), server.url()) == "the answer is too long"
    async with serving(plain(b"x" * 65536)) as server:
        assert len((await OutboundClient(HERE).fetch(server.url(), accept="*/*")).body) == 65536
    async with serving(plain(b"x" * 101)) as server:
        assert await refused(OutboundClient(HERE), server.url(), max_bytes=100) == "the answer is too long"


@pytest.mark.attack("SS-07")
async def test_it_believes_no_length_that_is_announced() -> None:
    async def hundred_megabytes(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")

    async with serving(hundred_megabytes) as server:
        assert await refused(OutboundClient(HERE), server.url()) == "the answer is too long"


@pytest.mark.attack("SS-07", "SS-10")
@pytest.mark.parametrize("where", ["silent", "head", "body"])
async def test_it_waits_no_longer_for_drips_than_for_silence(where: str) -> None:
    dripped = asyncio.Event()

    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        if where == "body":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        elif where == "head":
            writer.write(b"HTTP/1.1 200 OK\r\nX-A: ")
        for _ in range(1000):
            if where != "silent":
                writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)
        dripped.set()

    async with serving(drip) as server:
        client = OutboundClient(HERE, timeout=0.2)
        assert await refused(client, server.url()) == "no whole answer in time"
        assert not dripped.is_set(), "it went before the last drop, which comes after twenty seconds"


@pytest.mark.attack("SS-07")
async def test_it_unpacks_nothing() -> None:
    for encoding in ("gzip", "deflate", "br", "zstd", "identity, gzip"):
        async with serving(plain(b"\x1f\x8b", f"Content-Encoding: {encoding}")) as server:
            assert await refused(OutboundClient(HERE), server.url()) == "the answer is encoded"


@pytest.mark.attack("SS-07")
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x00" * 100,
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/9.9 xxx\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(20000)) + b"\r\n",
    ],
    ids=lambda text: repr(text[:24]),
)
async def test_it_has_one_answer_to_garbage(text: bytes) -> None:
    async def garbage(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(text)

    async with serving(garbage) as server:
        await refused(OutboundClient(HERE, timeout=30), server.url())


async def test_nothing_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login alice password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    async with serving(plain(b"{}")) as server, serving(plain(b"proxied")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        await OutboundClient(HERE).fetch(server.url(), accept="*/*")
    assert proxy.asked == []
    assert b"authorization" not in server.asked[0].lower()


def certificate(directory: Path) -> tuple[ssl.SSLContext, str]:
    """A server's TLS and the authority that vouches for it, for rp.example."""
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem"
        " -days 3650 -subj /CN=rp.example -addext subjectAltName=DNS:rp.example"
    )
    subprocess.run(command.split(), cwd=directory, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return context, (directory / "cert.pem").read_text()


async def test_it_trusts_the_declared_authority_for_its_name_only(tmp_path: Path) -> None:
    tls, authority = certificate(tmp_path)
    async with serving(plain(b"{}"), tls=tls) as server:
        names = Names(["127.0.0.1"])
        trusting = Policy(allow_loopback=True, ports=frozenset({server.port}), authorities=authority)
        client = OutboundClient(trusting, resolver=names)
        fetched = await client.fetch(server.url(host="rp.example", scheme="https"), accept="*/*")
        assert fetched.body == b"{}"
        await refused(client, server.url(host="other.example", scheme="https"))
        doubting = Policy(allow_loopback=True, ports=frozenset({server.port}))
        await refused(OutboundClient(doubting, resolver=names), server.url(host="rp.example", scheme="https"))
    assert len(server.asked) == 1


def test_it_takes_no_broken_authorities() -> None:
    with pytest.raises(OutboundProblem):
        OutboundClient(Policy(authorities="no certificate"))
