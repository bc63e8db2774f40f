"""Failed logins as a number that somebody can alert on: by profile and authenticator, and by nobody's name."""

import io
import re

import pytest

from appliance.server.log import LogReport
from appliance.server.metrics import Metrics
from tests.support.browser import Browser
from tests.support.objects import address, end, shop_provider

SAMPLE = 'op_failed_logins_total{authenticator="password",profile="main",reason="%s"}'


def counted(metrics: Metrics, reason: str) -> float:
    """The number of failed logins for a reason."""
    found = re.search(re.escape(SAMPLE % reason) + r" ([0-9.e+]+)", metrics.page().decode())
    return float(found[1]) if found else 0.0


@pytest.mark.attack("AU-03")
async def test_the_provider_counts_one_try_on_each_of_many_names() -> None:
    async with shop_provider() as op:
        metrics = Metrics()
        report = LogReport(metrics)
        for profile, authenticator, reason in await spray(op, 60):
            report.failed_login(profile, authenticator, reason)
        assert counted(metrics, "wrong") == 50
        assert counted(metrics, "throttled") == 10
        assert "victim" not in metrics.page().decode()


async def spray(op: object, names: int) -> list[tuple[str, str, str]]:
    """One password on each of many names, from one address; what was reported."""
    browser = Browser(op)  # type: ignore[arg-type]
    page = await browser.visit(address())
    for number in range(names):
        page = await browser.submit(page, username=f"victim-{number}", password="Winter2026")
    return list(op.report.failed_logins)  # type: ignore[attr-defined]


@pytest.mark.attack("AU-03")
async def test_the_provider_counts_no_login_that_was_right_or_not_tried() -> None:
    async with shop_provider() as op:
        browser = Browser(op)
        page = await browser.visit(address())
        page = await browser.submit(page, username="", password="x")
        page = await browser.submit(page, username="anna", password="")
        assert (await end(op, address())).location is not None
        assert op.report.failed_logins == []


@pytest.mark.attack("AU-03", "LG-01")
async def test_a_failed_login_writes_no_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    LogReport(Metrics()).failed_login("main", "password", "wrong")
    assert stream.getvalue() == ""
