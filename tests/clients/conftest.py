"""One running provider for the tests of this folder, with the relying parties that the example does not have."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.chromium import ARGUMENTS, CHROMIUM, PATIENCE
from tests.support.live import ROOT, Live, free_ports, running

NODE_MODULES = Path(__file__).with_name("node_modules")
#: Whatever has a meaning in form-encoding, Basic credentials or URLs, and is allowed in an id or a secret (RFC 6749 A).
ODD_ID = "rp-one+two%41:three/&=~"
ODD_SECRET = "S3-cr+et%2B:with space&more=%zz~%E4%BD%A0/" + 12 * "x"
REDIRECT = "http://127.0.0.1:8081/callback"
HTTPD_SECRET = "httpd-secret-0123456789abcdef0123456789abcdef"
SCOPE = "openid profile email offline_access"


@dataclass(frozen=True)
class Stage:
    """A running provider and the ports at which its relying parties were registered to be."""

    live: Live
    pages_port: int
    httpd_port: int

    @property
    def issuer(self) -> str:
        """The profile of all relying parties here."""
        return f"{self.live.origin}/retail"


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A provider that serves config.example, open registration and the clients below."""
    pages_port, httpd_port = free_ports(2)
    # One provider under its two names: of these only localhost is the same site as the provider itself.
    pages = [f"http://{host}:{pages_port}" for host in ("localhost", "127.0.0.1")]
    httpd = f"http://localhost:{httpd_port}"
    files = {
        "clients/retail/real.yaml": json.dumps({"clients": clients(pages, httpd)}),
        "secrets/odd": ODD_SECRET,
        "secrets/httpd": HTTPD_SECRET,
        "profiles/retail.yaml": (ROOT / "config.example/profiles/retail.yaml").read_text() + PROFILE,
    }
    with running(tmp_path_factory.mktemp("live"), edit=files, append={"op.yaml": LOOPBACK}) as live:
        yield Stage(live, pages_port, httpd_port)


PROFILE = """
registration: {mode: open}
endpoints: {revocation: true}
logout: {backchannel: true, session_management: true}
"""
#: Logouts are told to a relying party on this machine.
LOOPBACK = "\noutbound: {allow_loopback: true}\n"


def clients(pages: list[str], httpd: str) -> dict[str, object]:
    """Clients by their ids, as their files would have them."""
    ours = [f"{each}/oidc-client-ts" for each in pages]
    page = {
        "token_endpoint_auth_method": "none",
        "scope": "openid profile email",
        "op": {"profile": "retail", "cors_origins": pages, "access_token_format": "jwt"},
    }
    return {
        ODD_ID: {
            "redirect_uris": [REDIRECT],
            "response_types": ["code", "code id_token", "id_token"],
            "grant_types": ["authorization_code", "refresh_token", "implicit"],
            "scope": SCOPE,
            "client_secrets": [{"id": "one", "file": "secrets/odd"}],
            "op": {"profile": "retail"},
        },
        "oidc-client-ts": {
            **page,
            "redirect_uris": [f"{each}/{leaf}" for each in ours for leaf in ("callback", "popup", "silent")],
            "post_logout_redirect_uris": [f"{each}/{leaf}" for each in ours for leaf in ("bye", "closed")],
            "op": {"profile": "retail", "cors_origins": pages},
        },
        "keycloak-js": {
            **page,
            "redirect_uris": [f"{pages[0]}/keycloak-js/{leaf}" for leaf in ("app", "silent")],
            "post_logout_redirect_uris": [f"{pages[0]}/keycloak-js/app"],
        },
        "mod_auth_openidc": {
            "redirect_uris": [f"{httpd}/protected/callback"],
            "post_logout_redirect_uris": [f"{httpd}/bye.html"],
            "backchannel_logout_uri": f"{httpd}/protected/callback?logout=backchannel",
            "scope": "openid profile email",
            "client_secrets": [{"id": "one", "file": "secrets/httpd"}],
            "op": {"profile": "retail"},
        },
    }


@pytest.fixture(scope="module")
def live(stage: Stage) -> Live:
    """The provider alone."""
    return stage.live


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    if not Path(CHROMIUM).exists():
        pytest.fail(f"{CHROMIUM} is not there: run tests/install-system-packages.sh")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE)
        yield browser
        browser.close()
