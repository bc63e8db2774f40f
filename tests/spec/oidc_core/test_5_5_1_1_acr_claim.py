"""OpenID Connect Core 5.5.1.1, 3.1.2.1: levels of authentication and stepping up."""

from dataclasses import replace

import pytest

from tests.support.browsing import (
    LEVEL_1,
    LEVEL_2,
    LEVEL_3,
    OWN,
    POLICIES,
    PROFILE,
    house,
    policy,
)


def essential(*values: str) -> str:
    quoted = ", ".join(f'"{value}"' for value in values)
    return f'{{"id_token": {{"acr": {{"essential": true, "values": [{quoted}]}}}}}}'


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_asks_only_for_the_missing_factor() -> None:
    op = await house()
    browser = op.browser()
    first = await op.claims(await browser.through(await browser.authorize(OWN)), OWN)
    op.forward(30)
    step = await browser.authorize(OWN, acr_values=LEVEL_2)
    assert step.page.template == "otp.html" and step.page.login == "alice"
    second = await op.claims(await browser.submit(step, code="123456"), OWN)
    assert (first["acr"], second["acr"], second["amr"]) == (LEVEL_1, LEVEL_2, ["pwd", "otp"])
    assert second["auth_time"] == first["auth_time"]


@pytest.mark.spec("OpenID Connect Core", "5.5.1.1")
async def test_lets_a_higher_level_satisfy_a_lower_one() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN, acr_values=LEVEL_3))
    claims = await op.claims(await browser.authorize(OWN, acr_values=LEVEL_1, prompt="none"), OWN)
    assert claims["acr"] == LEVEL_3
    # Asked as essential, the answer must be one of the values asked.
    exact = await op.claims(await browser.authorize(OWN, claims=essential(LEVEL_1), prompt="none"), OWN)
    assert exact["acr"] == LEVEL_1


@pytest.mark.spec("OpenID Connect Core Error Code unmet_authentication_requirements", "2")
async def test_refuses_an_essential_level_that_does_not_exist() -> None:
    op = await house()
    end = await op.browser().authorize(OWN, claims=essential("urn:unknown"))
    assert end.error == "unmet_authentication_requirements"
    step = await op.browser().authorize(OWN, claims=essential("urn:unknown", LEVEL_2))
    assert step.page.template == "login.html"


@pytest.mark.attack("AZ-11")
async def test_logs_in_at_the_default_level_for_an_unknown_wish() -> None:
    op = await house()
    browser = op.browser()
    claims = await op.claims(await browser.through(await browser.authorize(OWN, acr_values="urn:unknown")), OWN)
    assert claims["acr"] == LEVEL_1


@pytest.mark.attack("AZ-05")
async def test_does_not_step_up_silently() -> None:
    op = await house()
    browser = op.browser()
    assert (await browser.authorize(OWN, prompt="none")).error == "login_required"
    await browser.through(await browser.authorize(OWN))
    assert (await browser.authorize(OWN, prompt="none", acr_values=LEVEL_2)).error == "interaction_required"


async def test_prefers_the_first_of_several_levels_that_it_has() -> None:
    op = await house()
    browser = op.browser()
    end = await browser.through(await browser.authorize(OWN, acr_values=f"urn:unknown {LEVEL_2} {LEVEL_1}"))
    assert (await op.claims(end, OWN))["acr"] == LEVEL_2


async def test_refuses_several_levels_where_the_profile_says_so() -> None:
    op = await house(profile=replace(PROFILE, acr_values_multiple="reject"))
    assert (await op.browser().authorize(OWN, acr_values=f"{LEVEL_1} {LEVEL_2}")).error == "invalid_request"
    assert (await op.browser().authorize(OWN, acr_values=LEVEL_1)).page.template == "login.html"


async def test_asks_all_factors_again_with_prompt_login() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN, acr_values=LEVEL_2))
    login = await browser.authorize(OWN, acr_values=LEVEL_2, prompt="login")
    code = await browser.login(login)
    assert (login.page.template, code.page.template) == ("login.html", "otp.html")
    assert "code" in await browser.submit(code, code="123456")


async def test_counts_what_was_proved_for_that_user_only() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN, acr_values=LEVEL_2))
    code = await browser.login(await browser.authorize(OWN, acr_values=LEVEL_2, prompt="login"), "bob")
    assert code.page.template == "otp.html" and code.page.login == "bob"


async def test_renews_a_proof_that_is_older_than_the_policy_allows() -> None:
    op = await house(policies=POLICIES | {"two": policy("pass", "code", max_age=60)})
    browser = op.browser()
    await browser.through(await browser.authorize(OWN, acr_values=LEVEL_2))
    op.forward(61)
    assert "code" in await browser.authorize(OWN, prompt="none")
    login = await browser.authorize(OWN, acr_values=LEVEL_2)
    assert login.page.template == "login.html" and login.page.login_fixed
    assert "code" in await browser.through(login)


async def test_tells_a_user_who_cannot_pass_what_to_do() -> None:
    denying = replace(POLICIES["two"], deny_message={"en": "Call us."})
    op = await house(policies=POLICIES | {"two": denying})
    browser = op.browser()
    end = await browser.login(await browser.authorize(OWN, acr_values=LEVEL_2), "frank")
    assert (end.page.template, end.page.message, end.page.custom) == ("error.html", "denied", {"en": "Call us."})
    assert (await browser.get(end.page.restart)).page.message == "denied"
    plain = await house()
    browser = plain.browser()
    end = await browser.login(await browser.authorize(OWN, acr_values=LEVEL_2), "frank")
    assert (end.page.template, end.page.error) == ("otp.html", "not_enrolled")
