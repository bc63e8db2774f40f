"""The rendered pages in a real browser: accessible, readable at 320 px, and protected by their own headers."""

import os
import threading
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from appliance.pages.assets import asset_response
from appliance.pages.policy import origin_of, page_headers
from appliance.pages.rehearsal import Sample, sample_face, sample_reply, samples
from appliance.pages.rendering import stage
from appliance.protocol.messages import Response
from appliance.protocol.pages import FormPostPage
from tests.pages.theme_folders import shipped_compiled
from tests.support.chromium import CHROMIUM, PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

AXE = Path(__file__).parents[1] / "clients" / "node_modules" / "axe-core" / "axe.min.js"
SAMPLES = {sample.name: sample for sample in samples()}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES = ("light", "dark")
#: The other themes change colours and shapes: one state of each page shows it.
STATES = {
    "default": tuple(name for name in SAMPLES if name != "form-post"),
    "contrast": (
        "login-wrong_credentials",
        "sign-up-login_taken",
        "otp",
        "consent",
        "accounts",
        "consents",
        "device-wrong_user_code",
        "approval-device",
        "approvals",
        "error-restart",
    ),
    "sunrise": (
        "login-or-sign-up",
        "login-missing_password",
        "device",
        "approval-message",
        "decided",
        "sign-up",
        "consent",
        "accounts",
        "logged-out",
        "error-described",
    ),
}


@cache
def answer(theme: str, name: str, locale: str, own: str) -> Response:
    """A sample page with the headers that it has in earnest."""
    compiled = shipped_compiled()[theme]
    staging = stage(compiled, sample_face(compiled), locale, pytest.fail)
    sample: Sample = SAMPLES[name]
    logo = f"{own}/logo"
    headers = page_headers(locale, (own,), origin_of(logo), auto_submit=isinstance(sample.page, FormPostPage))
    body = staging.markup(sample_reply(sample, locale, logo_uri=logo)).encode()
    return Response(headers=headers, body=body)


class Pages(BaseHTTPRequestHandler):
    """GET /<theme>/<sample>?locale=fi, the assets, and an answer to every form."""

    def do_GET(self) -> None:
        """One page or asset."""
        address = urlsplit(self.path)
        own = f"http://{self.headers['Host']}"
        parts = address.path.strip("/").split("/")
        if parts[0] == "assets":
            found = asset_response(parts[2], shipped_compiled()[parts[1]].assets[parts[2]])
        elif parts[0] == "logo":
            logo = next(n for n in shipped_compiled()["sunrise"].assets if n.startswith("logo."))
            found = asset_response(logo, shipped_compiled()["sunrise"].assets[logo])
        else:
            locale = parse_qs(address.query).get("locale", ["en"])[0]
            found = answer(parts[0], parts[1], locale, own)
        self._send(found)

    def do_POST(self) -> None:
        """Where forms lead."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._send(Response(headers=(("Content-Type", "text/plain"),), body=b"posted"))

    def _send(self, found: Response) -> None:
        self.send_response(found.status)
        for name, value in found.headers:
            # The loopback pictures of the sample client stand in for another origin.
            self.send_header(name, value if name != "Cross-Origin-Resource-Policy" else "cross-origin")
        self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        self.wfile.write(found.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A loopback server with every sample page."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"], timeout=PATIENCE
        )
        yield running
        running.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The accessibility checker that tests/clients installs; AXE_CORE names another copy."""
    return Path(os.environ.get("AXE_CORE", AXE)).read_text(encoding="utf-8")


def open_context(browser: Browser, *, width: int = 1280, scheme: str = "light", **more: Any) -> BrowserContext:
    """A browser profile of its own. CSP stays in force: axe is put in beside the page, not into it."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **more)
    context.set_default_timeout(PATIENCE)
    return context


OWN_RULES = """() => {
  const found = [];
  const shown = (e) => e.getClientRects().length > 0;
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth)
    found.push('scrolls sideways: ' + document.documentElement.scrollWidth);
  if (document.querySelectorAll('h1').length !== 1) found.push('not one h1');
  for (const input of document.querySelectorAll('input:not([type=hidden])')) {
    if (!(input.labels.length && shown(input.labels[0]))) found.push(input.id + ': no visible label');
    if (!input.autocomplete) found.push(input.id + ': no autocomplete');
    if (parseFloat(getComputedStyle(input).fontSize) < 16) found.push(input.id + ': small text');
    if (input.spellcheck) found.push(input.id + ': spellcheck');
    if (input.maxLength > 0) found.push(input.id + ': maxlength');
  }
  for (const target of document.querySelectorAll('a, button, input:not([type=hidden])')) {
    if (!shown(target)) continue;
    const box = target.getBoundingClientRect();
    if (box.width < 24 || box.height < 24)
      found.push(`target ${target.id || target.textContent.trim()}: ${box.width} x ${box.height}`);
  }
  const picture = [...document.images].find((i) => i.complete && !i.naturalWidth);
  if (picture) found.push('picture not loaded: ' + picture.src);
  return found;
}"""


def findings(page: Page, axe: str) -> list[str]:
    """What axe and our own rules say of the page that is open."""
    page.evaluate(axe)
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    result = page.evaluate("options => axe.run(document, options)", options)
    found = [
        f"{violation['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:200]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
    return found + page.evaluate(OWN_RULES)


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("theme", STATES)
def test_every_page_is_accessible(browser: Browser, site: str, axe: str, theme: str, scheme: str, width: int) -> None:
    complaints = []
    context = open_context(browser, width=width, scheme=scheme)
    page = context.new_page()
    for name in STATES[theme]:
        locale = "de" if width == 320 else "en"
        page.goto(f"{site}/{theme}/{name}?locale={locale}")
        complaints += [f"{name}: {finding}" for finding in findings(page, axe)]
    context.close()
    assert complaints == []


def test_the_form_post_page_is_accessible_without_scripts(browser: Browser, site: str) -> None:
    context = open_context(browser, width=320, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/default/form-post")
    assert page.locator("#submit").is_visible()
    assert page.locator("h1").count() == 1
    context.close()


@pytest.mark.attack("XS-05")
def test_the_form_post_page_sends_itself_under_its_policy(browser: Browser, site: str) -> None:
    context = open_context(browser)
    page = context.new_page()
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    # The sample's redirect URI is another origin: named by form-action it is reached, else the browser stops it.
    page.route("https://shop.example/**", lambda route: route.fulfill(status=200, body="arrived"))
    page.route(
        f"{site}/default/form-post",
        lambda route: route.fulfill(
            response=(plain := route.fetch()),
            headers=plain.headers
            | {
                "content-security-policy": plain.headers["content-security-policy"].replace(
                    f"form-action 'self' {site}", "form-action 'self' https://shop.example"
                )
            },
        ),
    )
    page.goto(f"{site}/default/form-post")
    page.wait_for_url("https://shop.example/callback**")
    assert alerts == []
    context.close()


@pytest.mark.attack("XS-04", "XS-15")
def test_hostile_values_run_nothing_and_break_no_policy(browser: Browser, site: str) -> None:
    context = open_context(browser)
    page = context.new_page()
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for name in ("login-hostile", "sign-up-hostile", "consent-hostile", "login", "error-described"):
        page.goto(f"{site}/default/{name}")
        page.wait_for_load_state("networkidle")
    assert said == []
    context.close()


def test_the_enhancement_shows_a_password_and_hides_it_before_it_is_sent(browser: Browser, site: str) -> None:
    context = open_context(browser)
    page = context.new_page()
    page.goto(f"{site}/default/login")
    page.fill("#password", "correct horse")
    page.get_by_role("button", name="Show password").click()
    assert page.get_attribute("#password", "type") == "text"
    page.evaluate("document.forms[0].addEventListener('submit', (e) => e.preventDefault())")
    page.click("#submit")
    assert page.get_attribute("#password", "type") == "password"
    context.close()


def test_every_form_works_without_scripts(browser: Browser, site: str) -> None:
    context = open_context(browser, java_script_enabled=False)
    page = context.new_page()
    for name, button in (
        ("login", "#submit"),
        ("sign-up", "#submit"),
        ("consent", "#deny"),
        ("logout", "#logout-yes"),
    ):
        page.goto(f"{site}/default/{name}")
        with page.expect_navigation():
            page.click(button)
        assert page.inner_text("body") == "posted"
    context.close()


def test_focus_goes_through_the_login_page_in_reading_order(browser: Browser, site: str) -> None:
    context = open_context(browser)
    page = context.new_page()
    page.goto(f"{site}/default/login")
    seen = [page.evaluate("document.activeElement.id")]
    for _ in range(3):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert seen == ["login", "password", "reveal", "submit"]
    context.close()


def test_focus_goes_to_the_first_fault_and_through_the_sign_up_page_in_reading_order(
    browser: Browser, site: str
) -> None:
    context = open_context(browser)
    page = context.new_page()
    page.goto(f"{site}/default/sign-up")
    seen = [page.evaluate("document.activeElement.id")]
    for field in ("field-email", "field-name", "field-phone_number"):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id"))
        assert seen[-1] == field
    assert seen[0] == "login"
    page.goto(f"{site}/default/sign-up-missing_login")
    assert page.evaluate("document.activeElement.id") == "login"
    page.get_by_role("link", name="Enter an email address").click()
    assert page.evaluate("document.activeElement.id") == "field-email"
    described = page.locator("#password").get_attribute("aria-describedby")
    assert described == "password-error password-hint"
    context.close()


@pytest.mark.parametrize("features", [{"forced_colors": "active"}, {"reduced_motion": "reduce"}])
def test_pages_survive_forced_colors_and_reduced_motion(browser: Browser, site: str, features: dict[str, str]) -> None:
    context = open_context(browser, width=320, **features)
    page = context.new_page()
    page.goto(f"{site}/default/login-wrong_credentials")
    page.focus("#submit")
    style = page.evaluate(
        "(() => { const s = getComputedStyle(document.querySelector('#submit'));"
        " return [s.borderStyle, s.outlineStyle, s.transitionDuration]; })()"
    )
    assert style[0] != "none"
    if "reduced_motion" in features:
        assert set(style[2].split(", ")) == {"0s"}
    assert page.evaluate(OWN_RULES) == []
    context.close()


def test_right_to_left_pages_are_mirrored(browser: Browser, site: str) -> None:
    """Logical properties only: turning the direction alone must mirror the page."""
    context = open_context(browser, width=1280)
    page = context.new_page()
    page.goto(f"{site}/default/consent")
    assert page.evaluate(
        "(() => { const t = document.querySelector('.tick').getBoundingClientRect(),"
        " w = document.querySelector('.what').getBoundingClientRect(); return t.left < w.left; })()"
    )
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate(
        "(() => { const t = document.querySelector('.tick').getBoundingClientRect(),"
        " w = document.querySelector('.what').getBoundingClientRect(); return t.right > w.right; })()"
    )
    assert page.evaluate(OWN_RULES) == []
    context.close()
