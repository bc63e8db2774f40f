"""Sign-up at a running provider in a real browser, with scripts and without: from the client and back to it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser.test_pages_axe import OWN_RULES
from tests.support.chromium import CHROMIUM, PATIENCE, follow
from tests.support.live import free_ports, running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PORT = free_ports(1)[0]
REDIRECT_URI = f"http://127.0.0.1:{PORT}/callback"
PASSWORD = "correct horse battery"
#: A third profile beside those of config.example: a club that anybody can join.
CLUB = {
    "profiles/club.yaml": {
        "profile": "club",
        "issuer": "${var.base_url}/club",
        "title": "Club",
        "theme": "sunrise",
        "claims": "member",
        "acr": [{"value": "urn:sunrise.example:acr:member", "policy": "member"}],
        "scopes": {"openid": {}, "email": {"claims": ["email"]}},
        "sign_up": {"source": "members", "fields": [{"claim": "email"}]},
    },
    "sources/members.yaml": {"sources": {"members": {"kind": "store", "locked_logins": ["admin"]}}},
    "authenticators/members.yaml": {"authenticators": {"member-password": {"kind": "password", "source": "members"}}},
    "policies/members.yaml": {"policies": {"member": {"steps": [{"authenticate": "member-password"}]}}},
    "claims/member.yaml": {
        "claims_set": "member",
        "sources": {"member": "members"},
        "subject": "member.id",
        "claims": {"email": "member.email"},
    },
    "clients/club.yaml": {
        "client_id": "club-app",
        "client_name": "Club",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
        "scope": "openid email",
        "op": {"profile": "club"},
    },
}


class Arrived(BaseHTTPRequestHandler):
    """The client, for which it is enough that somebody comes."""

    def do_GET(self) -> None:
        """Any page."""
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"arrived")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def club() -> Iterator[None]:
    """The client's server, while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Arrived)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(origin: str, **parameters: str) -> str:
    """An authorization request of the club's client."""
    asked = {
        "client_id": "club-app",
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "openid email",
        "state": "s",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "ui_locales": "en",
    }
    return f"{origin}/club/authorize?{urlencode(asked | parameters)}"


def arrive(page: Page) -> dict[str, list[str]]:
    """What the client gets in the end."""
    page.wait_for_url(f"{REDIRECT_URI}**")
    return parse_qs(urlsplit(page.url).query)


@pytest.mark.spec("Initiating User Registration via OpenID Connect", "4.1")
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_somebody_makes_an_account_and_comes_back_with_it(tmp_path: Path, *, scripts: bool) -> None:
    files = {name: json.dumps(value) for name, value in CLUB.items()}
    with club(), running(tmp_path, edit=files) as live, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"], timeout=PATIENCE
        )
        context = browser.new_context(java_script_enabled=scripts, viewport={"width": 360, "height": 800})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(ask(live.origin, prompt="create"))
        page.fill("#login", "Anna")
        page.fill("#password", "short")
        follow(page, "#submit")
        assert page.title().startswith("Error: Create an account")
        assert page.input_value("#login") == "Anna" and page.input_value("#password") == ""
        assert not scripts or page.evaluate(OWN_RULES) == []
        page.fill("#field-email", "anna@example.com")
        page.fill("#password", PASSWORD)
        follow(page, "#submit")
        follow(page, "#allow")
        first = arrive(page)
        assert first["state"] == ["s"] and first["code"]
        context.clear_cookies()
        page.goto(ask(live.origin))
        follow(page, "#sign-up")
        page.fill("#login", "ANNA")
        page.fill("#field-email", "thief@example.com")
        page.fill("#password", "the password of a thief")
        follow(page, "#submit")
        assert "Somebody has this user name already" in page.inner_text("#error-summary")
        follow(page, "#sign-in")
        page.fill("#login", "anna")
        page.fill("#password", PASSWORD)
        follow(page, "#submit")
        assert arrive(page)["code"] != first["code"]
        browser.close()
        assert PASSWORD not in live.log.read_text() and "anna" not in live.log.read_text().lower()
