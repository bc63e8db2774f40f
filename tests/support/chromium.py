"""Debian's Chromium, as every test drives it."""

from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
#: Milliseconds for a page to do what it must merely do, however busy the machine: the driver goes on once it did.
PATIENCE = 60_000


def follow(page: Page, selector: str) -> None:
    """Click what leads to another page, and go on when that is there."""
    with page.expect_navigation():
        page.locator(selector).click()
