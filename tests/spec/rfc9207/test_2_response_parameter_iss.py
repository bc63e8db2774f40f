"""RFC 9207 2, RFC 9700 4.12: who answers, and how the answer travels."""

import pytest

from tests.support.browsing import HYBRID, house


@pytest.mark.spec("RFC 9207", "2")
@pytest.mark.attack("MX-01")
@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_names_its_issuer_once_in_every_answer(mode: str) -> None:
    op = await house()
    browser = op.browser()
    good = await browser.through(await browser.authorize(HYBRID, response_mode=mode))
    bad = await browser.authorize(HYBRID, response_mode=mode, prompt="none", max_age="0")
    assert "code" in good and bad.error == "login_required"
    for end in (good, bad):
        assert end["iss"] == op.profile.issuer
        if mode != "form_post":
            assert end.location.count("iss=") == 1


@pytest.mark.spec("RFC 9700", "4.12")
async def test_redirects_with_303_only() -> None:
    op = await house()
    browser = op.browser()
    login = await browser.authorize()
    posted = await browser.send("POST", login.reply.action, f"csrf={login.reply.csrf}&username=alice&password=alice")
    assert posted.status == 303 and ("Cache-Control", "no-store") in posted.headers
    refused = await browser.send("GET", login.location.replace("login", "authorize") + "&client_id=shop")
    assert refused.page is not None


@pytest.mark.spec("OAuth 2.0 Form Post Response Mode", "2")
async def test_posts_the_answer_by_a_page_of_the_client() -> None:
    op = await house()
    browser = op.browser()
    end = await browser.through(
        await browser.authorize(HYBRID, response_mode="form_post", response_type="code id_token")
    )
    assert end.page.template == "form_post.html" and {"code", "id_token", "state", "iss"} == set(end.parameters)
    assert "code" not in end.location
