"""RFC 6749 4.1.2.1 and 3.1: the table of checks, and the errors that come of it."""

import pytest

from appliance.endpoints.authorization_rules import RULES
from tests.support.browsing import address, house


def test_names_a_source_for_every_check_and_none_twice() -> None:
    assert all(rule.source for rule in RULES)
    assert len({rule.check for rule in RULES}) == len(RULES)


@pytest.mark.spec("RFC 6749", "3.1")
async def test_ignores_unknown_and_empty_parameters() -> None:
    op = await house()
    end = await op.browser().get(address(prompt="", max_age="") + "&foo=bar&display=..%2f&vtr=x")
    assert end.page.template == "login.html"


@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_checks_the_response_type_before_the_rest() -> None:
    op = await house()
    end = await op.browser().authorize(response_type="code id_token", nonce=None, scope="nonsense", id_token_hint="x")
    assert end.error == "unauthorized_client"


@pytest.mark.spec("RFC 6749", "3.1.2.3")
async def test_needs_no_redirect_uri_of_a_plain_oauth_client_with_one() -> None:
    from tests.support.browsing import SPA

    op = await house()
    browser = op.browser()
    end = await browser.through(await browser.authorize(SPA, redirect_uri=None, scope="reports.read"))
    assert end.location.startswith(SPA.redirect_uris[0] + "?code=")
    assert (await browser.authorize(SPA, redirect_uri=None, scope="openid")).page.template == "error.html"
