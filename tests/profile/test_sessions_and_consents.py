"""Sessions and consents: how they are kept, renewed and ended."""

import pytest

from appliance.endpoints.page_replies import locales
from appliance.protocol.messages import Request
from appliance.protocol.records import AccessToken, AuthorizationCode, RefreshToken, Session
from tests.support.browsing import OWN, SHOP, House, house


async def sessions(op: House, user: str = "alice") -> tuple[Session, ...]:
    found: tuple[Session, ...] = await op.store.find(Session, "user", f"people\x1f{user}")
    return found


async def test_notes_use_at_most_once_a_minute() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN))
    (first,) = await sessions(op)
    op.forward(59)
    await browser.authorize(OWN)
    assert (await sessions(op))[0].seen_at == first.seen_at
    op.forward(1)
    await browser.authorize(OWN)
    (later,) = await sessions(op)
    assert later.seen_at == first.seen_at + 60 and later.clients == ("own",)


async def test_holds_five_accounts_and_ends_the_one_used_longest_ago() -> None:
    op = await house()
    browser = op.browser()
    for user in ("alice", "bob", "carol", "dave", "erin", "frank"):
        await browser.login(await browser.authorize(OWN, prompt="login"), user)
    chooser = await browser.authorize(OWN, prompt="select_account")
    assert [view.login for view in chooser.page.accounts] == ["frank", "erin", "dave", "carol", "bob"]
    assert await sessions(op) == ()
    assert len(browser.cookies[op.profile.sessions.session_cookie]) < 400


async def test_revokes_a_consent_with_everything_that_came_of_it() -> None:
    op = await house()
    browser = op.browser()
    end = await browser.through(await browser.authorize(scope="openid offline_access", prompt="consent"))
    answer = await op.redeem(end["code"])
    unused = await browser.authorize(scope="openid")
    other = await op.redeem((await browser.through(await browser.authorize(OWN)))["code"], OWN)
    listed = await browser.get("/retail/consents")
    (view,) = listed.page.consents
    assert (view.client_id, view.client_name, view.granted) == ("shop", SHOP.client_name, ("offline_access", "openid"))
    after = await browser.submit(listed, client="shop")
    assert after.page.consents == ()
    assert (await op.mint.look(answer["access_token"])).code == "invalid_token"
    assert (await op.mint.refresh(answer["refresh_token"], SHOP)).code == "invalid_grant"
    assert (await op.redeem(unused["code"])).code == "invalid_grant"
    for kind in (AccessToken, RefreshToken, AuthorizationCode):
        assert await op.store.find(kind, "user_client", f"{op.profile.issuer}\x1fpeople\x1falice\x1fshop") == ()
    assert (await op.mint.look(other["access_token"])).status == 200
    assert (await browser.authorize(prompt="none")).error == "consent_required"


@pytest.mark.attack("SE-06", "SE-07")
async def test_revokes_nothing_for_another_site_or_user() -> None:
    op = await house()
    browser, bob = op.browser(), op.browser()
    await browser.through(await browser.authorize())
    await bob.through(await bob.authorize(), "bob")
    listed, bobs = await browser.get("/retail/consents"), await bob.get("/retail/consents")
    for headers in ({"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}):
        assert (await browser.submit(listed, headers=headers, client="shop")).reply.status == 403
    assert (await browser.submit(listed, csrf=bobs.reply.csrf, client="shop")).reply.status == 403
    await bob.submit(bobs, client="shop")
    assert "code" in await browser.authorize(prompt="none")
    assert (await op.browser().get("/retail/consents")).reply.status == 403


async def test_forgets_a_consent_after_its_time() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize())
    op.forward(3500)
    assert "code" in await browser.authorize(prompt="none")
    op.forward(100)
    assert (await browser.authorize(prompt="none")).error == "consent_required"


async def test_shows_an_error_after_a_redirect_so_that_going_back_sends_nothing() -> None:
    op = await house()
    browser = op.browser()
    login = await browser.authorize(OWN, acr_values="urn:example:2")
    response = await browser.send(
        "POST",
        login.reply.action,
        f"csrf={login.reply.csrf}&username=alice&password=wrong",
        origin="https://op.example",
    )
    assert response.status == 303 and response.page is None
    again = await browser.follow(response)
    assert again.page.error == "wrong_credentials" and again.path == "/retail/login"
    code = await browser.login(again)
    wrong = await browser.submit(code, code="000000")
    assert (wrong.page.template, wrong.page.error) == ("otp.html", "wrong_code")
    assert (await browser.get(wrong.location)).page.error == "wrong_code"
    # The page of a step that is passed leads on.
    assert (await browser.get(login.location)).page.template == "otp.html"
    assert "code" in await browser.submit(wrong, code="123456")


async def test_lets_a_form_be_sent_twice() -> None:
    op = await house()
    browser = op.browser()
    login = await browser.authorize(prompt="login")
    body = f"csrf={login.reply.csrf}&username=alice&password=alice"
    cookies = dict(browser.cookies)
    await browser.send("POST", login.reply.action, body)
    browser.cookies = cookies  # the second click was sent before the first was answered
    consent = await browser.follow(await browser.send("POST", login.reply.action, body))
    assert consent.page.template == "consent.html"
    await browser.send("POST", consent.reply.action, f"csrf={consent.reply.csrf}&decision=allow")
    assert "code" in await browser.submit(consent, decision="allow")


async def test_keeps_the_language_that_the_user_chose() -> None:
    op = await house()
    browser = op.browser()
    login = await browser.authorize(ui_locales="sv")
    finnish = await browser.get(login.location + "&lang=fi")
    assert finnish.reply.locales[:2] == ("fi", "sv") and finnish.reply.here == login.location
    assert (await browser.login(finnish)).reply.locales[:2] == ("fi", "sv")


@pytest.mark.spec("RFC 9110", "12.5.4")
def test_reads_accept_language_by_weight() -> None:
    header = "da;q=0.5, en-gb, fi;q=0, <script>;q=1, sv;q=0.8, *;q=0.1, de;q=x"
    request = Request("GET", "/", query="lang=no", headers={"accept-language": (header,)})
    assert locales(request, ("fr",)) == ("no", "fr", "en-gb", "sv", "da")
