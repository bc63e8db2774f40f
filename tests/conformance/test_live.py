"""The same over sockets and TLS: what `deploy/conformance/start` starts, and what the command line says to it."""

import asyncio
import json
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from aiohttp import web

from tests.conformance.judging import verified
from tests.conformance.started import started
from tests.conformance.suite import CALLBACK, POST_LOGOUT
from tests.support.live import PATIENCE, free_ports

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Live:
    """A provider that `start` started."""

    origin: str
    port: int
    admin: str
    state: Path
    certificate: Path
    process: subprocess.Popen[bytes]

    def get(self, path: str, **more: object) -> requests.Response:
        """One request over TLS."""
        return requests.get(self.origin + path, verify=str(self.certificate), timeout=PATIENCE, **more)  # type: ignore[arg-type]

    def register(self, **metadata: object) -> dict[str, str]:
        """A client."""
        plan = json.loads((self.state / "plans/dynamic.json").read_text())
        answer = requests.post(
            f"{self.origin}/register",
            json={"redirect_uris": [CALLBACK], **metadata},
            headers={"Authorization": f"Bearer {plan['client']['initial_access_token']}"},
            verify=str(self.certificate),
            timeout=PATIENCE,
        )
        assert answer.status_code == 201, answer.text
        found: dict[str, str] = answer.json()
        return found


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[Live]:
    """The provider of an operator."""
    port, admin = free_ports(2)
    state = tmp_path_factory.mktemp("live")
    origin = f"https://localhost:{port}"
    environment = {
        "OP_BASE_URL": origin,
        "OP_LISTEN": f"127.0.0.1:{port}",
        "OP_ADMIN": f"127.0.0.1:{admin}",
        "OP_CERTIFICATE": str(certificate[0]),
        "OP_KEY": str(certificate[1]),
        "OP_CA": str(certificate[0]),
    }
    address = f"http://127.0.0.1:{admin}"
    with started(admin=address, state=state, environment=environment) as process:
        yield Live(origin, port, address, state, certificate[0], process)


def log_in(live: Live, asked: dict[str, str], session: requests.Session) -> dict[str, str]:
    """A code flow of foo in a browser without scripts; the answer's parameters."""
    # Said with each request: a bundle named in the environment would win over the session's.
    tls = str(live.certificate)
    answer = session.get(f"{live.origin}/authorize", params=asked, allow_redirects=False, timeout=PATIENCE, verify=tls)
    for _ in range(12):
        if answer.is_redirect:
            target = answer.headers["Location"]
            if target.startswith(CALLBACK):
                return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
            target = live.origin + target if target.startswith("/") else target
            answer = session.get(target, allow_redirects=False, timeout=PATIENCE, verify=tls)
            continue
        assert answer.status_code == 200, answer.text
        action = unescape(re.findall(r'<form[^>]*action="([^"]+)"', answer.text)[0])
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.text))
        form = 'id="password"' in answer.text
        fields |= {"username": "foo", "password": "bar"} if form else {"decision": "allow"}
        origin = {"Origin": live.origin}
        address = live.origin + action
        answer = session.post(address, fields, headers=origin, allow_redirects=False, timeout=PATIENCE, verify=tls)
    raise AssertionError(answer.text)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_tls_versions_and_no_older_one(live: Live, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(live.certificate))
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", live.port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]


def test_oidcc_discovery_endpoint_verification_over_tls(live: Live) -> None:
    found = live.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == live.origin
    endpoints = [value for name, value in found.items() if name.endswith(("_endpoint", "_iframe", "jwks_uri"))]
    assert len(endpoints) >= 7
    assert all(value.startswith(f"{live.origin}/") for value in endpoints)


def test_oidcc_server_over_tls(live: Live) -> None:
    client, session = live.register(scope="openid profile"), requests.Session()
    asked = {
        "client_id": client["client_id"],
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid profile",
        "state": "s",
        "nonce": "n",
    }
    answer = log_in(live, asked, session)
    assert answer["state"] == "s"
    assert all(cookie.secure and cookie.name.startswith("__Host-") for cookie in session.cookies)
    tokens = requests.post(
        f"{live.origin}/token",
        {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": CALLBACK},
        auth=(client["client_id"], client["client_secret"]),
        verify=str(live.certificate),
        timeout=PATIENCE,
    ).json()
    _, claims = verified(tokens["id_token"], live.get("/jwks").content)
    assert claims["iss"] == live.origin
    assert claims["nonce"] == "n"
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert live.get("/userinfo", headers=bearer).json()["name"] == "Foo Marie Bar"
    assert "code" in log_in(live, asked | {"prompt": "none"}, session)


def signing_kids(live: Live) -> set[str]:
    """Names of the published keys that sign; one to encrypt to gives way to its successor (Core 10.2.1)."""
    return {key["kid"] for key in live.get("/jwks").json()["keys"] if key["use"] == "sig"}


def test_oidcc_server_rotate_keys_over_tls(live: Live) -> None:
    before = signing_kids(live)
    done = subprocess.run(
        [sys.executable, "-m", "appliance", "keys", "rotate", "--admin", live.admin],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
        cwd=ROOT,
    )
    after = signing_kids(live)
    assert before < after
    assert sum(kid in done.stdout for kid in after - before) == 2


async def test_oidcc_backchannel_rp_initiated_logout_over_tls(live: Live, certificate: tuple[Path, Path]) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        told.put_nowait(str((await request.post())["logout_token"]))
        return web.Response()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(*certificate)
    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await listening.start()
    try:
        address = f"https://localhost:{runner.addresses[0][1]}/backchannel"
        location, jwks = await asyncio.to_thread(_log_in_and_out, live, address)
        token = await asyncio.wait_for(told.get(), PATIENCE)
    finally:
        await runner.cleanup()
    assert location == f"{POST_LOGOUT}?state=s"
    _, claims = verified(token, jwks)
    assert told.empty()
    assert claims["iss"] == live.origin


def _log_in_and_out(live: Live, address: str) -> tuple[str, bytes]:
    client = live.register(
        response_types=["code"], backchannel_logout_uri=address, post_logout_redirect_uris=[POST_LOGOUT]
    )
    session = requests.Session()
    asked = {"client_id": client["client_id"], "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
    answer = log_in(live, asked, session)
    tokens = requests.post(
        f"{live.origin}/token",
        {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": CALLBACK},
        auth=(client["client_id"], client["client_secret"]),
        verify=str(live.certificate),
        timeout=PATIENCE,
    ).json()
    said = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": POST_LOGOUT, "state": "s"}
    tls = str(live.certificate)
    response = session.get(f"{live.origin}/logout", params=said, allow_redirects=False, timeout=PATIENCE, verify=tls)
    return response.headers.get("Location", ""), live.get("/jwks").content
