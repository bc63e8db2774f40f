"""A person in Chromium: opens the sample relying party, logs in, consents, sees the claims, edits a file, logs out."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web
from playwright.sync_api import Browser, Page, sync_playwright

from appliance.demo.sample_rp import Registration, SampleRelyingParty
from tests.support import live as lives
from tests.support.chromium import ARGUMENTS, CHROMIUM, PATIENCE, follow
from tests.support.live import ROOT, Live, free_ports, running
from tests.support.person import PASSWORDS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@contextmanager
def sample(registration: Registration, port: int) -> Iterator[None]:
    """The sample relying party in a thread of its own."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(SampleRelyingParty(registration).application(), access_log=None)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(start(), loop).result(lives.PATIENCE)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(lives.PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, str]]:
    """A provider, and the address of a sample relying party that is registered there."""
    (port,) = free_ports(1)
    with running(tmp_path_factory.mktemp("live"), rp_port=port) as live:
        secret = (ROOT / "config.example/secrets/sample-rp").read_text().strip()
        origin = f"http://127.0.0.1:{port}"
        scope = "openid profile email offline_access"
        with sample(Registration(f"{live.origin}/retail", "sample-rp", secret, origin, scope), port):
            yield live, origin


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty browser profile."""
    context = chromium.new_context(java_script_enabled=request.param == "with JavaScript", locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()


def sign_in(page: Page, origin: str) -> None:
    """From the sample's page through login and consent back to it."""
    page.goto(origin)
    follow(page, "#sign-in")
    page.wait_for_url("**/retail/login?*")
    page.locator("#login").fill("anna")
    page.locator("#password").fill(PASSWORDS["anna"])
    follow(page, "#submit")
    if "/consent" in page.url:
        follow(page, "#allow")
    page.wait_for_url(f"{origin}/**")


def text_once(page: Page, words: str, *, there: bool) -> str:
    """The text of the page, loaded anew until the words are there, or are not; whatever it is after a minute."""
    end = time.monotonic() + lives.PATIENCE
    while True:
        page.reload()
        text = page.locator("body").inner_text()
        if (words in text) is there or time.monotonic() > end:
            return text
        page.wait_for_timeout(100)


@pytest.mark.spec("OpenID Connect Core", "3.1")
def test_a_person_logs_in_consents_and_sees_her_claims(page: Page, stage: tuple[Live, str]) -> None:
    _, origin = stage
    sign_in(page, origin)
    assert "anna@example.com" not in page.locator("body").inner_text()
    follow(page, "#userinfo")
    text = page.locator("body").inner_text()
    assert "anna@example.com" in text
    assert "Virtanen" in text
    follow(page, "#refresh")
    assert page.locator("#error").count() == 0


def test_a_wrong_password_keeps_the_name_and_says_not_which_was_wrong(page: Page, stage: tuple[Live, str]) -> None:
    _, origin = stage
    page.goto(origin)
    follow(page, "#sign-in")
    page.locator("#login").fill("anna")
    page.locator("#password").fill("not hers")
    follow(page, "#submit")
    assert page.title().startswith("Error:")
    assert page.locator("#login").input_value() == "anna"
    assert page.locator("#password").input_value() == ""


def test_an_edited_file_is_live_at_the_next_page(page: Page, stage: tuple[Live, str]) -> None:
    live, origin = stage
    page.goto(origin)
    follow(page, "#sign-in")
    before = page.locator("body").inner_text()
    assert "Turned round" not in before
    name = "clients/retail/sample-rp.yaml"
    original = (live.directory / name).read_text()
    label = next(line for line in original.splitlines() if line.startswith("client_name:"))
    live.edit(name, label, "client_name: Turned round")
    try:
        assert "Turned round" in text_once(page, "Turned round", there=True)
    finally:
        live.edit(name, "client_name: Turned round", label)
        # The next test shares the provider: it begins when the old name is back.
        assert "Turned round" not in text_once(page, "Turned round", there=False)


@pytest.mark.spec("RP-Initiated Logout", "2")
def test_a_person_logs_out_and_must_log_in_again(page: Page, stage: tuple[Live, str]) -> None:
    _, origin = stage
    sign_in(page, origin)
    follow(page, "#logout")
    if page.locator("#logout-yes").count():
        follow(page, "#logout-yes")
    page.goto(origin)
    follow(page, "#sign-in")
    page.wait_for_url("**/retail/login?*")
    assert page.locator("#password").count() == 1
