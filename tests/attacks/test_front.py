"""Attacks on the wire in front of the provider: proxy headers, line ends, TLS."""

import asyncio
import json
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from appliance.server import listeners
from tests.conformance.certificate import write_certificate
from tests.server.serving import Served, exchange, serving
from tests.support.live import PATIENCE
from tests.support.provider import ROOT
from tests.support.two_issuers import configuration

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORWARDED = (
    "X-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 666\r\nX-Forwarded-Prefix: /evil\r\n"
    "Forwarded: host=evil.example;proto=https;for=6.6.6.6\r\nX-Original-URL: /evil\r\nX-Rewrite-URL: /evil\r\n"
    "X-Forwarded-Server: evil.example\r\nX-Real-IP: 6.6.6.6\r\nX-Forwarded-Scheme: evil\r\n"
)
ASK = "/a/authorize?client_id=web-a&redirect_uri=https%3A%2F%2Fweb-a.example%2Fcb&response_type=code&scope=openid"
PKCE = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"


def write(directory: Path, **public: object) -> Path:
    """Two issuers on ports that nobody has; `public` are settings of the public listener."""
    files = configuration(a={"throttle": {"account_failures": 5, "address_failures": 3, "window": "60s"}})
    bound = {"bind": "127.0.0.1:0"}
    files["op.yaml"] = json.dumps(
        {
            "version": 1,
            "name": "two",
            "listeners": {"public": {**bound, **public}, "admin": {"bind": "localhost:0"}},
            "storage": {"kind": "memory"},
        }
    )
    minimal = ROOT / "tests" / "config" / "accepted" / "minimal"
    for path in minimal.rglob("*.yaml"):
        files.setdefault(str(path.relative_to(minimal)), path.read_text())
    for name, text in files.items():
        if text:
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_text(f"{text}\n")
            (directory / name).chmod(0o600)
    return directory


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def direct(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A provider that trusts no proxy."""
    place = tmp_path_factory.mktemp("direct")
    async with serving(write(place / "config"), place / "state") as served:
        yield served
        assert served.events("failure") == []


async def ask(port: int, path: str, headers: str = "", body: str = "", method: str = "GET") -> tuple[int, str, str]:
    """Status, head and body of one request."""
    sent = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}"
    if body:
        sent += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    answer = (await exchange(port, f"{sent}\r\n{body}".encode())).decode()
    head, _, rest = answer.partition("\r\n\r\n")
    return int(head.split(" ", 2)[1]), head, rest


async def guess(port: int, headers: str, secret: str = "wrong", client_id: str = "web-a") -> int:
    """The status of one wrong client secret."""
    body = f"grant_type=refresh_token&refresh_token=x&client_id={client_id}&client_secret={secret}"
    return (await ask(port, "/a/token", headers, body, "POST"))[0]


@pytest.mark.attack("HH-02")
@pytest.mark.parametrize("proto", ["javascript", "http", "https"])
async def test_headers_of_proxies_that_are_none_change_nothing(direct: Served, proto: str) -> None:
    spoofed = f"{FORWARDED}X-Forwarded-Proto: {proto}\r\nX-Forwarded-For: 6.6.6.6\r\n"
    discovery = "/a/.well-known/openid-configuration"
    plain = await ask(direct.public, discovery)
    assert (await ask(direct.public, discovery, spoofed))[2] == plain[2]
    first, second = await ask(direct.public, ASK + PKCE), await ask(direct.public, ASK + PKCE, spoofed)
    assert first[0] == second[0] == 303
    for _, head, body in (first, second):
        assert "evil" not in head + body and "javascript" not in head
        assert "\r\nLocation: /a/login?interaction=" in head
    flags = [sorted(line.partition("=")[0] for line in head.split("; ")) for _, head, _ in (first, second)]
    assert flags[0] == flags[1]
    assert (await ask(direct.public, "/evil", spoofed))[0] == 404
    assert await guess(direct.public, spoofed, client_id="nobody-1") == 401
    assert direct.events("refused")[-1]["peer"] == "127.0.0.1"


@pytest.mark.attack("HH-05")
async def test_a_stranger_cannot_choose_under_which_address_he_is_counted(direct: Served) -> None:
    statuses = [
        await guess(direct.public, f"X-Forwarded-For: {hop}\r\nX-Real-IP: {hop}\r\n", client_id="pair-a")
        for hop in ("127.0.0.1", "10.0.0.1", "6.6.6.1", "6.6.6.2", "6.6.6.3, 6.6.6.4")
    ]
    assert statuses == [401, 401, 401, 429, 429]


@pytest.mark.attack("HH-03", "HH-05")
async def test_behind_a_proxy_the_hop_that_it_saw_counts_and_nothing_else(tmp_path: Path) -> None:
    trusted = ["127.0.0.0/8", "10.0.0.0/8"]
    async with serving(write(tmp_path / "config", trusted_proxies=trusted), tmp_path / "state") as served:
        for number, (headers, peer) in enumerate(
            [
                ("X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9"),
                ("X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\n", "203.0.113.9"),
                ("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9"),
                ("X-Forwarded-For: 127.0.0.1, 203.0.113.9, 10.0.0.2\r\n", "203.0.113.9"),
                ("X-Forwarded-For: 2001:db8::9\r\n", "2001:db8::9"),
                ("X-Forwarded-For: 203.0.113.9, evil\r\n", "127.0.0.1"),
                ("X-Forwarded-For: 203.0.113.9,\r\n", "127.0.0.1"),
                ("X-Forwarded-For: " + "6.6.6.6, " * 800 + "203.0.113.9\r\n", "203.0.113.9"),
                ("X_Forwarded_For: 6.6.6.6\r\n", "127.0.0.1"),
            ]
        ):
            assert await guess(served.public, headers, client_id=f"nobody-{number}") == 401
            assert served.events("refused")[-1]["peer"] == peer
        spoofed = f"{FORWARDED}X-Forwarded-Proto: http\r\nX-Forwarded-Proto: javascript, https\r\n{FORWARDED}"
        discovery = "/a/.well-known/openid-configuration"
        assert (await ask(served.public, discovery, spoofed))[2] == (await ask(served.public, discovery))[2]
        # 10^4 left-most values of a guesser are one address, and another one's hop is not touched by it.
        rotating = [await guess(served.public, f"X-Forwarded-For: 6.6.6.{n}, 203.0.113.7\r\n") for n in range(5)]
        assert rotating == [401, 401, 401, 429, 429]
        assert await guess(served.public, "X-Forwarded-For: 203.0.113.7, 203.0.113.8\r\n") == 401


@pytest.mark.attack("HT-16")
async def test_no_encoded_line_end_splits_or_ends_an_answer(direct: Served) -> None:
    split = "%0d%0aSet-Cookie:%20planted=1%0d%0a%0d%0a%E5%98%8D%E5%98%8A"
    for path in (
        f"{ASK}{PKCE}&state={split}&ui_locales={split}&login_hint={split}",
        f"{ASK}&state={split}&prompt=none",
        f"{ASK}{split}",
        f"/a/logout?state={split}&post_logout_redirect_uri={split}&lang={split}",
        f"/a/assets/{split}.css",
        f"/a/{split}",
    ):
        cookies = f"Cookie: a={split}; browser_a={split}; session_a={split}\r\nAccept-Language: {split}\r\n"
        status, head, _ = await ask(direct.public, path, cookies)
        assert 200 <= status < 500
        assert "\r\nset-cookie: planted" not in head.lower() and "\r\n\r\n" not in head


@pytest.mark.attack("HD-06")
async def test_a_preflight_with_endless_headers_is_refused(direct: Served) -> None:
    asked = "Origin: https://evil.example\r\nAccess-Control-Request-Headers: " + "x-evil, " * 1300 + "\r\n"
    status, head, body = await ask(direct.public, "/a/token", asked, method="OPTIONS")
    assert status == 400
    assert "evil" not in head + body


@pytest.mark.attack("XS-16")
@pytest.mark.parametrize(
    "octets",
    [
        b"GET /%3Cscript%3E HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /<script> HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n<script>: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA <script>\r\n\r\n",
        b"<script> / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff<script> HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / <script>/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=range(7),
)
async def test_neither_parser_nor_router_repeats_what_was_sent(direct: Served, octets: bytes) -> None:
    answer = (await exchange(direct.public, octets)).lower()
    assert answer.startswith((b"http/1.1 400", b"http/1.1 404", b"http/1.0 400"))
    assert b"content-type: text/plain" in answer
    assert b"script" not in answer


@pytest.mark.attack("LG-03")
async def test_metrics_have_no_label_that_a_stranger_writes(direct: Served) -> None:
    def labels() -> set[bytes]:
        lines = direct.running.metrics.page().splitlines()
        return {line.rpartition(b" ")[0] for line in lines if not line.startswith(b"#")}

    async def everything(mark: str) -> None:
        headers = f"X-Forwarded-For: {mark}\r\nUser-Agent: {mark}\r\n"
        await guess(direct.public, headers, client_id=mark)
        await ask(direct.public, f"/{mark}", headers, method=mark.upper())
        await ask(direct.public, f"/a/authorize?client_id={mark}&scope={mark}&prompt={mark}", headers)
        await ask(direct.public, f"{ASK}{PKCE}&prompt={mark}&scope={mark}&state={mark}", headers)
        await ask(direct.public, "/a/userinfo", f"Authorization: Bearer {mark}\r\n")
        await ask(direct.public, "/a/token", headers, f"grant_type={mark}&client_id=spa-a", "POST")

    await everything("stranger")
    before = labels()
    for number in range(15):
        await everything(f"stranger{number}")
    assert labels() == before
    assert not any(b"stranger" in label or b"127.0.0.1" in label for label in before)


@pytest.fixture
async def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """A provider with a TLS listener of its own."""
    monkeypatch.setattr(listeners, "HANDSHAKE_TIMEOUT", 3.0)
    certificate, key = write_certificate(tmp_path)
    tls = {"certificate": str(certificate), "key": str(key)}
    async with serving(write(tmp_path / "config", tls=tls), tmp_path / "state") as served:
        yield served
        assert served.events("failure") == []


def context(**settings: object) -> ssl.SSLContext:
    """A client that believes any certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    for name, value in settings.items():
        setattr(made, name, value)
    return made


async def speak(port: int, client: ssl.SSLContext) -> bytes:
    """The status line over TLS, without a server name."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname="")
    writer.write(b"GET /a/jwks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    line = await reader.readline()
    writer.close()
    return line


async def end_of(reader: asyncio.StreamReader) -> None:
    """Wait until the other side closes."""
    with suppress(ConnectionError):
        await reader.read()


@pytest.mark.attack("HT-22")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.asyncio(loop_scope="function")
async def test_tls_is_modern_needs_no_server_name_and_never_waits_for_half_a_handshake(sealed: Served) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        both = {"minimum_version": version, "maximum_version": version}
        assert (await speak(sealed.public, context(**both))).startswith(b"HTTP/1.1 200")
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        client = context(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=old)
        client.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await speak(sealed.public, client)
    # A hello of SSL 3.0, and HTTP without TLS.
    for octets in (bytes.fromhex("1603000005010000010300"), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        with suppress(ConnectionError):
            assert not (await exchange(sealed.public, octets)).startswith(b"HTTP")
    halves = [await asyncio.open_connection("127.0.0.1", sealed.public) for _ in range(150)]
    for _, writer in halves:
        writer.write(b"\x16\x03\x01\x02\x00")
    ends = [asyncio.create_task(end_of(reader)) for reader, _ in halves]
    assert (await speak(sealed.public, context())).startswith(b"HTTP/1.1 200")
    assert not any(each.done() for each in ends), "it was answered while all of them were waited for"
    # The stock listener would wait for a minute.
    async with asyncio.timeout(40.0):
        await asyncio.gather(*ends)
    for _, writer in halves:
        writer.close()


@pytest.mark.attack("HT-22")
@pytest.mark.asyncio(loop_scope="function")
async def test_a_connection_is_not_negotiated_again(sealed: Served) -> None:
    def renegotiate() -> str:
        command = ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{sealed.public}"]
        done = subprocess.run(command, input="R\n", capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done.stdout + done.stderr

    said = await asyncio.to_thread(renegotiate)
    assert "RENEGOTIATING" in said
    assert "no renegotiation" in said.lower()
