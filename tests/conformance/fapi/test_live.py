"""The same over sockets, TLS and client certificates: what `start fapi` starts, by the plans that it writes."""

import base64
import hashlib
import json
import os
import re
import secrets
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from jwcrypto.jwk import JWK

from appliance.jose.keys import SigningKey, generate
from tests.conformance.fapi.suite import CIBA, GROUPS
from tests.conformance.judging import verified
from tests.conformance.started import started
from tests.conformance.suite import CHALLENGE, JWT_BEARER, VERIFIER, signed_jwt
from tests.support.live import PATIENCE, free_ports
from tests.support.proving import proof

ROOT = Path(__file__).resolve().parents[3]
CALLBACK = "https://www.certification.openid.net/test/a/appliance/callback"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.spec("FAPI 2.0 Security Profile", "5.2")]


@dataclass(frozen=True)
class Live:
    """A provider that `start fapi` started."""

    origin: str
    ports: tuple[int, int]
    admin: str
    state: Path
    authority: str
    process: subprocess.Popen[bytes]

    def plan(self, name: str) -> dict[str, Any]:
        """What is entered in the suite."""
        found: dict[str, Any] = json.loads((self.state / f"plans/{name}.json").read_text())
        return found

    def metadata(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        """The discovery document."""
        found: dict[str, Any] = requests.get(
            plan["server"]["discoveryUrl"], verify=self.authority, timeout=PATIENCE
        ).json()
        return found


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[Live]:
    """The provider of an operator."""
    port, mtls, admin, accounts = free_ports(4)
    state, origin = tmp_path_factory.mktemp("live-fapi"), f"https://localhost:{port}"
    environment = {
        "OP_BASE_URL": origin,
        "OP_LISTEN": f"127.0.0.1:{port}",
        "OP_MTLS_LISTEN": f"127.0.0.1:{mtls}",
        "OP_RESOURCE_LISTEN": f"127.0.0.1:{accounts}",
        "OP_ADMIN": f"127.0.0.1:{admin}",
        "OP_CERTIFICATE": str(certificate[0]),
        "OP_KEY": str(certificate[1]),
        "OP_CA": str(certificate[0]),
    }
    address = f"http://127.0.0.1:{admin}"
    with started("fapi", admin=address, state=state, environment=environment) as process:
        yield Live(origin, (port, mtls), address, state, str(certificate[0]), process)


class Rp:
    """A client of a plan, who knows nothing but the plan and the metadata."""

    def __init__(self, live: Live, name: str, directory: Path, *, number: str = "") -> None:
        self.live = live
        self.name = name
        self.plan = live.plan(name)
        self.metadata = live.metadata(self.plan)
        self.client = self.plan[f"client{number}"]
        self.key = JWK(**self.client["jwks"]["keys"][0])
        self.dpop: SigningKey | None = generate("ES256") if name.removesuffix("-oauth").endswith("dpop") else None
        self.certificate = self.write(directory, f"mtls{number}")

    def write(self, directory: Path, which: str) -> tuple[str, str]:
        """A certificate of the plan and its key, as files."""
        files = [directory / f"{self.name}-{which}.{part}" for part in ("cert", "key")]
        for file, part in zip(files, ("cert", "key"), strict=True):
            file.write_text(self.plan[which][part])
        return str(files[0]), str(files[1])

    @property
    def certified(self) -> bool:
        """Whether requests of its own need a certificate."""
        return self.dpop is None or "-mtls-" in self.name

    def endpoint(self, name: str) -> str:
        """The address of an endpoint, of the listener for certificates where it needs one."""
        found = self.metadata["mtls_endpoint_aliases"] if self.certified else self.metadata
        return str(found[f"{name}_endpoint"])

    def proof(self, url: str, method: str, **more: str) -> dict[str, str]:
        """The DPoP header of a request; nothing of a client without a key."""
        return {} if self.dpop is None else {"DPoP": proof(self.dpop, time.time(), htu=url, htm=method, **more)}

    def post(
        self, name: str, form: Mapping[str, str], *, certificate: tuple[str, str] | None = None
    ) -> requests.Response:
        """A form to an endpoint, proved by the method of the plan."""
        url, now, client_id = self.endpoint(name), int(time.time()), self.client["client_id"]
        whole = {**form, "client_id": client_id}
        if "-key-" in self.name:
            aud = self.metadata["issuer"]
            claims = {"iss": client_id, "sub": client_id, "aud": aud, "iat": now, "exp": now + 60}
            claims["jti"] = secrets.token_hex(12)
            assertion = signed_jwt(claims, self.key, "PS256")
            whole |= {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
        shown = (certificate or self.certificate) if self.certified else None
        headers = self.proof(url, "POST") if name == "token" else {}
        return requests.post(url, whole, headers=headers, cert=shown, verify=self.live.authority, timeout=PATIENCE)

    def code(self) -> str:
        """A code for foo, through the pages."""
        asked: dict[str, Any] = {
            "client_id": self.client["client_id"],
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": " ".join(
                each for each in self.client["scope"].split() if each in ("openid", "profile", "accounts")
            ),
            "nonce": "n",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        if self.name.startswith("signing"):
            asked["response_mode"] = "jwt"
        if not self.name.startswith("plain"):
            now = int(time.time())
            claims = asked | {"iss": asked["client_id"], "aud": self.metadata["issuer"], "nbf": now, "exp": now + 300}
            asked = {"request": signed_jwt(claims, self.key, "PS256")}
        pushed = self.post("pushed_authorization_request", asked)
        assert pushed.status_code == 201, pushed.text
        found = browse(self, {"client_id": self.client["client_id"], "request_uri": pushed.json()["request_uri"]})
        if "response" in found:
            _, found = verified(
                found["response"],
                requests.get(self.metadata["jwks_uri"], verify=self.live.authority, timeout=PATIENCE).content,
            )
        assert (found["state"], found["iss"]) == ("s", self.metadata["issuer"])
        return str(found["code"])

    def redeem(self, code: str, **more: Any) -> requests.Response:
        """Exchange a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.post("token", form, **more)

    def resource(self, token: str, certificate: tuple[str, str] | None = None) -> requests.Response:
        """The protected resource of the plan."""
        url = self.plan["resource"]["resourceUrl"]
        ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        headers = {
            "Authorization": f"{'Bearer' if self.dpop is None else 'DPoP'} {token}",
            **self.proof(url, "GET", ath=ath),
        }
        shown = (certificate or self.certificate) if self.dpop is None else None
        return requests.get(url, headers=headers, cert=shown, verify=self.live.authority, timeout=PATIENCE)


def browse(rp: Rp, query: Mapping[str, str]) -> dict[str, str]:
    """The browser of foo, who allows; the parameters of the answer."""
    session, tls, origin = requests.Session(), rp.live.authority, rp.live.origin
    page = session.get(
        rp.metadata["authorization_endpoint"], params=dict(query), allow_redirects=False, timeout=PATIENCE, verify=tls
    )
    for _ in range(12):
        if page.is_redirect:
            target = page.headers["Location"]
            if target.startswith(CALLBACK):
                assert page.status_code == 303
                return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
            page = session.get(
                origin + target if target.startswith("/") else target,
                allow_redirects=False,
                timeout=PATIENCE,
                verify=tls,
            )
        else:
            page = submit(session, page, origin, tls)
    raise AssertionError(page.text)


def submit(session: requests.Session, page: requests.Response, origin: str, tls: str) -> requests.Response:
    """Fill a page: log in, take up, allow."""
    assert page.status_code == 200, page.text
    action = unescape(re.findall(r'<form[^>]*action="([^"]+)"', page.text)[0])
    fields = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text))
    if 'id="password"' in page.text:
        fields |= {"username": "foo", "password": "bar"}
    else:
        fields["decision"] = "review" if 'id="review-1"' in page.text else "allow"
    headers = {"Origin": origin}
    return session.post(origin + action, fields, headers=headers, allow_redirects=False, timeout=PATIENCE, verify=tls)


@pytest.mark.conformance("fapi2-security-profile-final-happy-flow")
@pytest.mark.parametrize("name", [group for group in GROUPS if not group.startswith("signed")])
def test_happy_flow_over_tls(live: Live, name: str, tmp_path: Path) -> None:
    rp, other = Rp(live, name, tmp_path), Rp(live, name, tmp_path, number="2")
    answer = rp.redeem(rp.code())
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    assert tokens["token_type"] == ("Bearer" if rp.dpop is None else "DPoP")
    found = rp.resource(tokens["access_token"])
    assert (found.status_code, found.json()["name"]) == (200, "Foo Marie Bar")
    assert "Date" in found.headers
    if rp.dpop is None:
        assert rp.resource(tokens["access_token"], other.certificate).status_code == 401
    if "-mtls-" in name:
        refused = rp.redeem(rp.code(), certificate=other.certificate)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


@pytest.mark.conformance("fapi2-security-profile-final-happy-flow", "fapi2-security-profile-final-dpop-negative-tests")
@pytest.mark.parametrize("name", [f"{group}-oauth" for group in GROUPS if not group.startswith("signed")])
def test_happy_flow_of_plain_oauth_over_tls(live: Live, name: str, tmp_path: Path) -> None:
    """The resource knows a token only from the provider, and who may use it by itself."""
    rp, other = Rp(live, name, tmp_path), Rp(live, name, tmp_path, number="2")
    code = rp.code()
    tokens = rp.redeem(code).json()
    assert "id_token" not in tokens
    token = tokens["access_token"]
    assert rp.resource(token).json() == {"accounts": []}
    # Of a certificate that is not the token's, or a key: another's.
    if rp.dpop is None:
        assert rp.resource(token, other.certificate).status_code == 401
    else:
        rp.dpop, own = generate("ES256"), rp.dpop
        assert rp.resource(token).status_code == 401
        rp.dpop = own
    url = rp.plan["resource"]["resourceUrl"]
    for scheme in ("Bearer", "DPoP"):
        headers = {"Authorization": f"{scheme} {token}"}
        assert requests.get(url, headers=headers, verify=live.authority, timeout=PATIENCE).status_code == 401
    assert requests.get(url, verify=live.authority, timeout=PATIENCE).status_code == 401
    # A code that is presented again takes its tokens with it.
    assert rp.redeem(code).json()["error"] == "invalid_grant"
    assert rp.resource(token).status_code == 401


@pytest.mark.conformance("fapi2-security-profile-final-ensure-holder-of-key-required")
def test_no_token_is_issued_over_a_connection_without_a_certificate(live: Live, tmp_path: Path) -> None:
    rp = Rp(live, "plain-key-mtls", tmp_path)
    form = {"grant_type": "authorization_code", "code": rp.code(), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    now, client_id = int(time.time()), rp.client["client_id"]
    claims = {"iss": client_id, "sub": client_id, "aud": rp.metadata["issuer"], "jti": "x", "iat": now, "exp": now + 60}
    assertion = signed_jwt(claims, rp.key, "PS256")
    form |= {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
    answer = requests.post(rp.endpoint("token"), form, verify=live.authority, timeout=PATIENCE)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.conformance("fapi-ciba-id1", "fapi-ciba-id1-ensure-mtls-holder-of-key-required")
@pytest.mark.parametrize("name", ["ciba-key-poll", "ciba-mtls-poll"])
def test_ciba_over_tls(live: Live, name: str, tmp_path: Path) -> None:
    rp, now = Rp(live, name, tmp_path), int(time.time())
    claims = {
        "iss": rp.client["client_id"],
        "aud": rp.metadata["issuer"],
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "jti": secrets.token_hex(12),
        "scope": "openid profile",
        rp.client["hint_type"]: rp.client["hint_value"],
        "binding_message": "1234",
    }
    told = rp.post("backchannel_authentication", {"request": signed_jwt(claims, rp.key, "PS256")})
    assert told.status_code == 200, told.text
    session, tls = requests.Session(), live.authority
    page = session.get(f"{rp.metadata['issuer']}/approvals", allow_redirects=False, timeout=PATIENCE, verify=tls)
    for _ in range(12):
        if page.is_redirect:
            target = page.headers["Location"]
            page = session.get(
                live.origin + target if target.startswith("/") else target,
                allow_redirects=False,
                timeout=PATIENCE,
                verify=tls,
            )
        elif 'id="decided"' in page.text:
            break
        else:
            page = submit(session, page, live.origin, tls)
    answer = rp.post("token", {"grant_type": CIBA, "auth_req_id": told.json()["auth_req_id"]})
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    assert rp.resource(token).json()["name"] == "Foo Marie Bar"
    other = Rp(live, name, tmp_path, number="2")
    assert rp.resource(token, other.certificate).status_code == 401


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.2.1")
@pytest.mark.spec("RFC 9325", "4.2")
@pytest.mark.conformance("fapi2-security-profile-final-ensure-holder-of-key-required")
@pytest.mark.parametrize("listener", [0, 1], ids=["public", "mtls"])
@pytest.mark.parametrize(
    ("ciphers", "good"),
    [
        ("ECDHE+AESGCM", True),
        ("ECDHE+CHACHA20", False),
        ("ECDHE+AES:!AESGCM", False),
        ("DHE+AESGCM", False),
        ("kRSA", False),
    ],
)
def test_tls_1_2_has_only_what_bcp_195_recommends(live: Live, listener: int, ciphers: str, good: bool) -> None:
    context = ssl.create_default_context(cafile=live.authority)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    with socket.create_connection(("127.0.0.1", live.ports[listener]), timeout=PATIENCE) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                assert good, secured.cipher()
        except ssl.SSLError:
            assert not good


@pytest.mark.conformance("fapi2-security-profile-final-ensure-holder-of-key-required")
@pytest.mark.parametrize("listener", [0, 1], ids=["public", "mtls"])
def test_tls_1_3_is_preferred(live: Live, listener: int) -> None:
    context = ssl.create_default_context(cafile=live.authority)
    with (
        socket.create_connection(("127.0.0.1", live.ports[listener]), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.version() == "TLSv1.3"


def test_start_says_what_is_missing(tmp_path: Path) -> None:
    start = str(ROOT / "deploy/conformance/start")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OP_")}
    whole = {**clean, "OP_STATE": str(tmp_path), "PYTHON": sys.executable}
    addressed = {**whole, "OP_BASE_URL": "https://op.example.com"}
    for arguments, environment, said in (
        (["fapi"], whole, b"OP_BASE_URL"),
        (["fapi"], addressed, b"OP_CERTIFICATE"),
        (["oidc"], addressed, b"usage"),
    ):
        done = subprocess.run([start, *arguments], env=environment, capture_output=True, check=False, timeout=PATIENCE)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
