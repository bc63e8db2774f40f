"""OpenID Connect Core 3.1.2: from an authorization request to its answer."""

from dataclasses import replace

import pytest

from tests.support.browsing import ALWAYS, HYBRID, OWN, SHOP, house


@pytest.mark.spec("OpenID Connect Core", "3.1.2.5")
async def test_answers_a_code_after_login_and_consent() -> None:
    op = await house()
    browser = op.browser()
    login = await browser.authorize()
    assert (login.path, login.page.template) == ("/retail/login", "login.html")
    consent = await browser.login(login)
    assert [scope.name for scope in consent.page.scopes] == ["openid", "profile"]
    end = await browser.submit(consent, decision="allow")
    assert end.location.startswith("https://rp.example/callback?code=op_ac_")
    assert end["state"] == "xyz" and end["iss"] == op.profile.issuer
    claims = await op.claims(end)
    assert claims["nonce"] == "n-1" and claims["acr"] == "urn:example:1" and claims["amr"] == ["pwd"]


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_answers_at_once_when_the_user_is_logged_in_and_consented() -> None:
    op = await house()
    browser = op.browser()
    first = await op.claims(await browser.through(await browser.authorize()))
    op.forward(90)
    silent = await browser.authorize(prompt="none")
    second = await op.claims(silent)
    assert second["auth_time"] == first["auth_time"] and second["sid"] == first["sid"]


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_takes_the_request_by_post() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize())
    mine = dict(browser.cookies)
    url = (await browser.authorize(state="a")).location
    assert url.startswith("https://rp.example/callback?code=")
    body = "client_id=shop&redirect_uri=https%3A%2F%2Frp.example%2Fcallback&response_type=code&scope=openid&state=p"
    browser.cookies.clear()
    posted = await browser.send(
        "POST", "/retail/authorize", body, origin="https://rp.example", sec_fetch_site="cross-site"
    )
    assert posted.status == 303 and posted.cookies == ()
    # The redirect is a top-level GET: now the browser sends its Lax cookies.
    browser.cookies.update(mine)
    end = await browser.follow(posted)
    assert end["state"] == "p" and "code" in end


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_asks_for_a_new_login_with_prompt_login() -> None:
    op = await house()
    browser = op.browser()
    first = await op.claims(await browser.through(await browser.authorize()))
    op.forward(5)
    login = await browser.authorize(prompt="login")
    assert login.page.template == "login.html" and not login.page.login_fixed
    second = await op.claims(await browser.through(login))
    assert second["auth_time"] == first["auth_time"] + 5 and second["sid"] == first["sid"]


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("max_age", ["0", "5"])
async def test_asks_for_a_new_login_when_max_age_is_over_and_only_once(max_age: str) -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize())
    op.forward(0 if max_age == "0" else 6)
    login = await browser.authorize(max_age=max_age)
    assert login.page.template == "login.html" and login.page.login_fixed
    # The clock stands still: the proof just made counts, or this would go in a circle.
    claims = await op.claims(await browser.login(login))
    assert claims["auth_time"] == int(op.mint.now[0])


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_states_auth_time_when_max_age_is_asked_and_met() -> None:
    op = await house()
    browser = op.browser()
    first = await op.claims(await browser.through(await browser.authorize(max_age="15000")))
    op.forward(60)
    second = await op.claims(await browser.authorize(max_age="10000"))
    assert first["auth_time"] == second["auth_time"]


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_lets_the_user_choose_an_account() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN))
    other = await browser.submit(await browser.authorize(OWN, prompt="select_account"), account="")
    assert other.page.template == "login.html" and other.page.login == ""
    bob = await op.claims(await browser.login(other, "bob"), OWN)
    chooser = await browser.authorize(OWN, prompt="select_account")
    logins = {view.login: view.id for view in chooser.page.accounts}
    assert set(logins) == {"alice", "bob"}
    alice = await op.claims(await browser.submit(chooser, account=logins["alice"]), OWN)
    assert (bob["sub"], alice["sub"]) == ("bob-1", "alice-1")
    assert (await op.claims(await browser.authorize(OWN, prompt="none"), OWN))["sub"] == "alice-1"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.4")
async def test_asks_again_for_more_than_was_consented() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(scope="openid"))
    assert (await browser.authorize(scope="openid email", prompt="none")).error == "consent_required"
    consent = await browser.authorize(scope="openid email")
    assert consent.page.template == "consent.html"
    assert "code" in await browser.submit(consent, decision="allow")
    assert "code" in await browser.authorize(scope="openid email", prompt="none")


@pytest.mark.spec("OpenID Connect Core", "3.1.2.4")
async def test_names_claims_beyond_the_scopes_on_the_consent_page() -> None:
    op = await house()
    browser = op.browser()
    asked = '{"userinfo": {"email": null, "name": null, "auth_time": null}}'
    consent = await browser.login(await browser.authorize(claims=asked))
    assert consent.page.claims == ("email",)


@pytest.mark.spec("OpenID Connect Core", "3.1.2.6")
async def test_tells_the_client_that_the_user_denied() -> None:
    op = await house()
    browser = op.browser()
    consent = await browser.login(await browser.authorize())
    end = await browser.submit(consent, decision="deny")
    assert (end.error, end["state"], end["iss"]) == ("access_denied", "xyz", op.profile.issuer)
    assert "code" not in end


async def test_follows_the_client_s_consent_setting() -> None:
    op = await house()
    browser = op.browser()
    assert "code" in await browser.login(await browser.authorize(OWN))
    assert (await browser.authorize(OWN, prompt="consent")).page.template == "consent.html"
    await browser.through(await browser.authorize(ALWAYS))
    assert (await browser.authorize(ALWAYS)).page.template == "consent.html"
    assert (await browser.authorize(ALWAYS, prompt="none")).error == "consent_required"


@pytest.mark.spec("OpenID Connect Core", "11")
async def test_grants_offline_access_only_with_prompt_consent() -> None:
    op = await house()
    browser = op.browser()
    without = await browser.through(await browser.authorize(scope="openid offline_access"))
    assert "refresh_token" not in (await op.redeem(without["code"])).body
    withal = await browser.through(await browser.authorize(scope="openid offline_access", prompt="consent"))
    assert "refresh_token" in (await op.redeem(withal["code"])).body


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_refuses_to_answer_about_another_user_than_the_hint() -> None:
    op = await house()
    browser = op.browser()
    end = await browser.through(await browser.authorize())
    token = (await op.redeem(end["code"]))["id_token"]
    assert "code" in await browser.authorize(id_token_hint=token, prompt="none")
    other = op.browser()
    await other.through(await other.authorize(), "bob")
    assert (await other.authorize(id_token_hint=token, prompt="none")).error == "login_required"
    # Bob may hand over to alice, but whoever else logs in is not answered about.
    login = await other.authorize(id_token_hint=token)
    assert login.page.template == "login.html"
    assert (await other.login(login, "carol")).error == "login_required"
    assert "code" in await other.through(await other.authorize(id_token_hint=token), "alice")


@pytest.mark.spec("OpenID Connect Core", "3.3.2.5")
@pytest.mark.parametrize(
    ("response_type", "present"),
    [
        ("code", {"code"}),
        ("id_token", {"id_token"}),
        ("token id_token", {"id_token", "access_token", "token_type", "expires_in", "scope"}),
        ("code token", {"code", "access_token", "token_type", "expires_in", "scope"}),
        ("code id_token", {"code", "id_token"}),
        ("none", set()),
    ],
)
async def test_answers_each_response_type_with_its_parameters(response_type: str, present: set[str]) -> None:
    op = await house()
    browser = op.browser()
    end = await browser.through(await browser.authorize(HYBRID, response_type=response_type))
    assert set(end.parameters) == present | {"state", "iss"}
    assert ("#" in end.location) is (not present <= {"code"})


async def test_ends_the_session_of_a_user_who_is_gone() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize())
    del op.mint.users.users["alice"]
    assert (await browser.authorize(prompt="none")).error == "login_required"
    assert (await browser.authorize()).page.template == "login.html"


async def test_shows_hints_of_the_request_on_the_login_page() -> None:
    op = await house()
    page = await op.browser().authorize(login_hint="alice@example.com", ui_locales="fi sv x_y", display="popup")
    assert page.page.login == "alice@example.com" and page.reply.locales == ("fi", "sv")
    assert page.reply.form_action == ("https://rp.example",) and page.reply.client == SHOP


@pytest.mark.spec("OpenID Connect Core", "2")
@pytest.mark.parametrize(
    ("parameters", "stated"),
    [
        ({}, False),
        ({"max_age": "1000"}, True),
        ({"prompt": "login"}, True),
        ({"claims": '{"id_token":{"auth_time":{"essential":true}}}'}, True),
    ],
)
async def test_states_auth_time_where_it_is_asked(parameters: dict[str, str], stated: bool) -> None:
    plain = replace(OWN, client_id="plain", require_auth_time=False)
    op = await house(clients=(plain,))
    browser = op.browser()
    claims = await op.claims(await browser.through(await browser.authorize(plain, **parameters)), plain)
    assert ("auth_time" in claims) is stated


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_uses_the_registered_default_max_age() -> None:
    hasty = replace(OWN, client_id="hasty", default_max_age=60)
    op = await house(clients=(hasty,))
    browser = op.browser()
    await browser.through(await browser.authorize(hasty))
    op.forward(59)
    assert "code" in await browser.authorize(hasty, prompt="none")
    op.forward(1)
    assert (await browser.authorize(hasty, prompt="none")).error == "login_required"


async def test_continues_under_the_configuration_of_the_moment() -> None:
    op = await house()
    browser = op.browser()
    login = await browser.authorize()
    clients = op.profile.clients
    clients._active = {}  # type: ignore[attr-defined] - what a reload without the client amounts to
    gone = await browser.get(login.location)
    assert gone.page.template == "error.html" and "Location" not in dict(gone.response.headers)
