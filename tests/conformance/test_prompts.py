"""prompt, max_age and id_token_hint: when a login page comes, and what auth_time says afterwards."""

import pytest

from tests.conformance.judging import check_error
from tests.conformance.suite import Flow, Rp, Suite, Variant, variants

pytestmark = pytest.mark.asyncio(loop_scope="module")
EACH = pytest.mark.parametrize("variant", variants("BIH"), ids=str)
SILENT = {"login_required", "interaction_required", "consent_required", "account_selection_required"}


async def asking(suite: Suite, variant: Variant, *, auth_time: bool = False) -> Rp:
    """A client of the variant, perhaps one that always wants to know when the user logged in."""
    return await suite.client(variant, require_auth_time=True) if auth_time else await suite.client(variant)


async def twice(suite: Suite, rp: Rp, pause: float, first: dict[str, str], second: dict[str, str]) -> tuple[Flow, Flow]:
    """Two flows in one browser."""
    browser = suite.browser()
    before = await suite.flow(rp, browser=browser, **first)
    suite.op.clock.forward(pause)
    return before, await suite.flow(rp, browser=browser, **second)


@pytest.mark.conformance("prompt-login")
@EACH
async def test_oidcc_prompt_login(suite: Suite, variant: Variant) -> None:
    rp = await asking(suite, variant)
    first, second = await twice(suite, rp, 1, {}, {"prompt": "login"})
    assert "login" in second.outcome.steps
    assert second.claims["auth_time"] > first.claims["iat"]
    assert abs(second.claims["auth_time"] - suite.now) < 10
    assert second.claims["sub"] == first.claims["sub"]


@pytest.mark.conformance("prompt-login")
@pytest.mark.parametrize("variant", [Variant("code"), Variant("id_token")], ids=str)
async def test_oidcc_prompt_login_moves_auth_time(suite: Suite, variant: Variant) -> None:
    rp = await asking(suite, variant, auth_time=True)
    first, second = await twice(suite, rp, 2, {}, {"prompt": "login"})
    assert second.claims["auth_time"] == first.claims["auth_time"] + 2


@pytest.mark.conformance("prompt-none-not-logged-in")
@EACH
async def test_oidcc_prompt_none_not_logged_in(suite: Suite, variant: Variant) -> None:
    state = "x8Yn2xE5" * 16
    asked = suite.request_of(await suite.client(variant), prompt="none", state=state)
    outcome = await suite.authorize(suite.browser(), asked)
    assert outcome.steps == ()
    assert outcome.carrier == variant.carrier
    check_error(outcome.fields, SILENT, state)


@pytest.mark.conformance("prompt-none-logged-in")
@EACH
async def test_oidcc_prompt_none_logged_in(suite: Suite, variant: Variant) -> None:
    rp = await asking(suite, variant, auth_time=True)
    first, second = await twice(suite, rp, 3, {}, {"prompt": "none"})
    assert first.outcome.steps
    assert second.outcome.steps == ()
    assert second.claims["sub"] == first.claims["sub"]
    assert second.claims["auth_time"] == first.claims["auth_time"]


@pytest.mark.conformance("id-token-hint")
@EACH
async def test_oidcc_id_token_hint(suite: Suite, variant: Variant) -> None:
    rp, browser = await asking(suite, variant), suite.browser()
    first = await suite.flow(rp, browser=browser)
    second = await suite.flow(rp, browser=browser, prompt="none", id_token_hint=first.id_token)
    assert second.outcome.steps == ()
    assert second.claims["sub"] == first.claims["sub"]
    assert second.claims.get("auth_time") == first.claims.get("auth_time")


@pytest.mark.conformance("max-age-1")
@EACH
async def test_oidcc_max_age_1(suite: Suite, variant: Variant) -> None:
    rp = await suite.client(variant)
    first, second = await twice(suite, rp, 2, {}, {"max_age": "1"})
    assert "login" in second.outcome.steps
    assert second.claims["sub"] == first.claims["sub"]
    assert second.claims["auth_time"] > first.claims["iat"]
    assert abs(second.claims["auth_time"] - suite.now) < 10


@pytest.mark.conformance("max-age-10000")
@EACH
async def test_oidcc_max_age_10000(suite: Suite, variant: Variant) -> None:
    rp = await suite.client(variant)
    first, second = await twice(suite, rp, 2, {"max_age": "15000"}, {"max_age": "10000"})
    assert second.outcome.steps == ()
    assert second.claims["sub"] == first.claims["sub"]
    assert second.claims["auth_time"] == first.claims["auth_time"]


async def test_every_login_asserts_a_level_that_is_published(suite: Suite) -> None:
    values = (await suite.metadata())["acr_values_supported"]
    rp, browser = await suite.client(Variant("code")), suite.browser()
    for more in ({}, {"prompt": "none"}, {"prompt": "login"}, {"acr_values": "1 2"}):
        assert (await suite.flow(rp, browser=browser, **more)).claims["acr"] in values


async def test_an_answer_is_silent_right_after_consent(suite: Suite) -> None:
    rp, browser = await suite.client(Variant("code"), client_name="once"), suite.browser()
    assert "consent" in (await suite.flow(rp, browser=browser, scope="openid profile")).outcome.steps
    assert not (await suite.flow(rp, browser=browser, scope="openid profile", prompt="none")).outcome.steps
