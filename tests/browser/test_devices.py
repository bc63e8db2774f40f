"""A person with a device and a browser, and one whom a client asks about: every page, with scripts and without."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, async_playwright

from tests.browser.test_logout import http
from tests.browser.test_pages_axe import AXE, OWN_RULES, TAGS
from tests.support.chromium import CHROMIUM, PATIENCE
from tests.support.provider import ROOT, Provider, provider
from tests.support.waiting import Caller, Device, backchannels, devices

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@asynccontextmanager
async def shown(edit: dict[str, str], *, scripts: bool) -> AsyncIterator[tuple[Provider, Page, str]]:
    """A provider, a page of Chromium, and the issuer by which they know each other."""
    serving: dict[str, Provider] = {}
    async with http(lambda request: serving["op"].respond(request)) as port:
        root = (ROOT / "config.example" / "op.yaml").read_text().replace("localhost:8080", f"localhost:{port}")
        async with provider(edit={**edit, "op.yaml": root}) as op, async_playwright() as playwright:
            serving["op"] = op
            running = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE
            )
            try:
                context = await running.new_context(java_script_enabled=scripts, locale="en-GB")
                context.set_default_timeout(PATIENCE)
                yield op, await context.new_page(), f"http://localhost:{port}/retail"
            finally:
                await running.close()


async def complaints(page: Page, *, scripts: bool) -> list[str]:
    """What axe and our own rules say of the page that is open; axe needs scripts."""
    if not scripts:
        return []
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    result = await page.evaluate("options => axe.run(document, options)", options)
    return [violation["id"] for violation in result["violations"]] + await page.evaluate(OWN_RULES)


async def log_in(page: Page) -> None:
    """As anna."""
    await page.fill("#login", "anna")
    await page.fill("#password", "anna-demo-password")
    await page.click("#submit")


@pytest.mark.spec("RFC 8628", "3.3")
@pytest.mark.parametrize("scripts", [True, False])
async def test_leads_a_person_from_his_device_through_accessible_pages(scripts: bool) -> None:
    async with shown(devices(), scripts=scripts) as (op, page, issuer):
        device, found = Device(op), []
        await device.begin(scope="openid email")
        await page.goto(f"{issuer}/device")
        found += await complaints(page, scripts=scripts)
        await page.fill("#code", "bcdf ghjk")
        await page.click("#submit")
        await page.locator("#error-summary").wait_for()
        found += await complaints(page, scripts=scripts)
        await page.goto(device.begun["verification_uri_complete"])
        await page.click("#submit")
        await log_in(page)
        assert await page.locator("#shown-code").inner_text() == device.begun["user_code"]
        assert await page.locator("#caution").is_visible()
        found += await complaints(page, scripts=scripts)
        await page.click("#allow")
        await page.locator("#decided").wait_for()
        found += await complaints(page, scripts=scripts)
        await page.go_back()
        assert await page.locator("#allow").count() == 0, "nothing can be answered twice"
        assert found == []
        assert (await device.wait_and_poll()).status == 200


@pytest.mark.spec("CIBA Core 1.0", "8")
@pytest.mark.parametrize("scripts", [True, False])
async def test_leads_a_person_to_what_waits_for_him(scripts: bool) -> None:
    async with shown(backchannels(), scripts=scripts) as (op, page, issuer):
        caller, found = Caller(op), []
        await caller.begin(binding_message="W4SCT 120,00 €")
        await page.goto(f"{issuer}/approvals")
        await log_in(page)
        await page.locator("#review-1").wait_for()
        found += await complaints(page, scripts=scripts)
        await page.click("#review-1")
        assert await page.locator("#shown-message").inner_text() == "W4SCT 120,00 €"
        found += await complaints(page, scripts=scripts)
        await page.click("#deny")
        await page.locator("#decided").wait_for()
        found += await complaints(page, scripts=scripts)
        assert found == []
        assert (await caller.wait_and_poll()).error == "access_denied"
