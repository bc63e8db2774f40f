"""Initiating User Registration via OpenID Connect 4: `prompt=create`, from the request to the tokens."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from appliance.jose.keys import public_jwk
from appliance.protocol.stored_users import StoredUser
from tests.support.browser import Browser, answer, header, title
from tests.support.objects import KEY, signed
from tests.support.provider import Provider, provider
from tests.support.signing_up import (
    ASKED,
    LOWEST,
    PASSWORD,
    REDIRECT_URI,
    SECRET,
    SHOP,
    address,
    fill_in,
    open_provider,
    sign_up,
)

SPEC = "Initiating User Registration via OpenID Connect"


async def tokens(op: Provider, browser: Browser, code: str) -> dict[str, Any]:
    """What the client gets for a code."""
    basic = base64.b64encode(f"shop:{SECRET}".encode()).decode()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
    response = await Browser(op).request("POST", "/token", form=form, headers={"authorization": f"Basic {basic}"})
    found: dict[str, Any] = json.loads(response.body)
    return found


def claims_of(id_token: str) -> dict[str, Any]:
    """The claims of an ID Token, unverified."""
    body = id_token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


async def metadata(op: Provider) -> dict[str, Any]:
    """The provider's metadata."""
    found: dict[str, Any] = json.loads((await Browser(op).visit("/.well-known/openid-configuration")).body)
    return found


@pytest.mark.spec(SPEC, "4.2")
async def test_names_create_and_all_other_prompts_where_accounts_can_be_made() -> None:
    async with open_provider() as op:
        assert (await metadata(op))["prompt_values_supported"] == [
            "none",
            "login",
            "consent",
            "select_account",
            "create",
        ]
    async with open_provider({"sign_up": None}) as op:
        assert (await metadata(op))["prompt_values_supported"] == ["none", "login", "consent", "select_account"]


@pytest.mark.spec(SPEC, "4.1")
async def test_makes_an_account_logs_in_and_answers_the_client() -> None:
    async with open_provider() as op:
        browser = Browser(op)
        page = await browser.visit(address(prompt="create", scope="openid profile email phone", nonce="n"))
        assert page.status == 200 and title(page).startswith("Create an account")
        assert browser.path.startswith("/sign_up?interaction=")
        consent = await fill_in(browser, page, "Anna", name="Anna Virtanen", phone_number="+358 (40) 123-4567")
        end = await browser.submit(consent, button="allow")
        assert (header(end, "Location") or "").startswith(REDIRECT_URI) and answer(end)["state"] == "s"
        issued = await tokens(op, browser, answer(end)["code"])
        told = claims_of(issued["id_token"])
        assert told["nonce"] == "n" and told["acr"] == LOWEST and told["amr"] == ["pwd"]
        assert told["auth_time"] == int(op.clock())
        known = await Browser(op).request(
            "GET", "/userinfo", headers={"authorization": f"Bearer {issued['access_token']}"}
        )
        assert json.loads(known.body) == {
            "sub": told["sub"],
            "preferred_username": "Anna",
            "name": "Anna Virtanen",
            "email": "anna@example.com",
            "phone_number": "+358401234567",
        }
        assert op.report.failures == []


@pytest.mark.spec(SPEC, "4.1")
async def test_the_account_can_log_in_elsewhere_and_is_the_same_user() -> None:
    async with open_provider() as op:
        first = await sign_up(op)
        shown = await first.visit(first.path)
        made = claims_of(
            (await tokens(op, first, answer(await first.submit(shown, button="allow"))["code"]))["id_token"]
        )
        browser = Browser(op)
        wrong = await browser.login(await browser.visit(address()), "ANNA", "another password")
        assert b'id="password"' in wrong.body
        end = await browser.login(wrong, " anna ", PASSWORD)
        again = claims_of((await tokens(op, browser, answer(end)["code"]))["id_token"])
        assert again["sub"] == made["sub"]


@pytest.mark.spec(SPEC, "4.1")
async def test_shows_sign_up_to_who_is_logged_in_already_and_keeps_both() -> None:
    async with open_provider() as op:
        browser = await sign_up(op)
        await browser.submit(await browser.visit(browser.path), button="allow")
        assert "code" in answer(await browser.visit(address(prompt="none")))
        page = await browser.visit(address(prompt="create"))
        assert title(page).startswith("Create an account")
        consent = await fill_in(browser, page, "Ben", email="ben@example.com")
        assert b"Ben" in consent.body
        end = await browser.submit(consent, button="allow")
        assert "code" in answer(end)
        chooser = await browser.visit(address(prompt="select_account"))
        assert b"Anna" in chooser.body and b"Ben" in chooser.body


@pytest.mark.spec(SPEC, "4.1")
async def test_helps_who_has_an_account_already_to_log_in_instead() -> None:
    async with open_provider() as op:
        await sign_up(op)
        browser = Browser(op)
        page = await browser.visit(address(prompt="create"))
        assert b'id="sign-in" href="/login?interaction=' in page.body
        login = await browser.visit(browser.path.replace("/sign_up", "/login"))
        assert b'autocomplete="current-password"' in login.body and b'id="sign-up"' in login.body
        wrong = await browser.login(login, "anna", "no such password")
        assert b'autocomplete="current-password"' in wrong.body and b'id="error-summary"' in wrong.body
        assert b'id="allow"' in (await browser.login(wrong, "anna", PASSWORD)).body


@pytest.mark.spec(SPEC, "1")
async def test_links_sign_up_and_login_where_the_profile_allows_it_and_only_there() -> None:
    async with open_provider() as op:
        browser = Browser(op)
        login = await browser.visit(address())
        assert b'<a id="sign-up" href="/sign_up?interaction=' in login.body
        page = await browser.visit(browser.path.replace("/login", "/sign_up"))
        assert title(page).startswith("Create an account")
        assert b'id="allow"' in (await fill_in(browser, page)).body
        # Who is asked to prove again that he is who he is makes no account of it; another one may.
        again = await browser.visit(address(prompt="login"))
        assert b'id="password"' in again.body and b'id="sign-up"' not in again.body
        path = browser.path.replace("/login", "/sign_up")
        assert b'autocomplete="current-password"' in (await browser.visit(path)).body
        other = await browser.submit(await browser.visit(address(prompt="select_account")), button="other-account")
        assert b'id="password"' in other.body and b'id="sign-up"' in other.body
    async with open_provider({"sign_up": None}) as op:
        browser = Browser(op)
        assert b"sign-up" not in (await browser.visit(address())).body
        assert (await browser.visit(browser.path.replace("/login", "/sign_up"))).status == 404


@pytest.mark.spec(SPEC, "4")
@pytest.mark.attack("AZ-10")
@pytest.mark.parametrize("prompt", ["create login", "consent create", "create none", "create select_account", "Create"])
async def test_refuses_create_beside_another_value(prompt: str) -> None:
    async with open_provider() as op:
        end = await Browser(op).visit(address(prompt=prompt))
        assert answer(end)["error"] == "invalid_request" and "prompt" in answer(end)["error_description"]
        assert answer(end)["state"] == "s"


@pytest.mark.spec(SPEC, "4.1")
@pytest.mark.attack("AZ-10")
async def test_refuses_create_where_nobody_can_make_an_account() -> None:
    async with open_provider({"sign_up": None}) as op:
        end = await Browser(op).visit(address(prompt="create"))
        assert answer(end)["error"] == "invalid_request" and "prompt" in answer(end)["error_description"]
    async with provider("minimal") as op:
        assert answer(await Browser(op).visit(address(prompt="create")))["error"] == "invalid_request"


@pytest.mark.spec(SPEC, "4")
async def test_refuses_create_for_a_user_who_is_named() -> None:
    async with open_provider() as op:
        browser = await sign_up(op)
        end = await browser.submit(await browser.visit(browser.path), button="allow")
        hint = (await tokens(op, browser, answer(end)["code"]))["id_token"]
        claims = json.dumps({"id_token": {"sub": {"value": claims_of(hint)["sub"]}}})
        for named in ({"id_token_hint": hint}, {"claims": claims}):
            end = await Browser(op).visit(address(prompt="create", **named))
            assert answer(end)["error"] == "invalid_request"
            login = await Browser(op).visit(address(**named))
            assert b'id="password"' in login.body and b'id="sign-up"' not in login.body


@pytest.mark.spec(SPEC, "4.1")
async def test_makes_no_account_that_could_not_meet_the_request() -> None:
    levels = [{"value": LOWEST, "policy": "password"}, {"value": "urn:example:acr:code", "policy": "code"}]
    files = {
        "policies/all.yaml": {
            "policies": {
                "password": {"steps": [{"authenticate": "password"}]},
                "code": {"steps": [{"authenticate": "password"}, {"authenticate": "code"}]},
            }
        },
        "authenticators/all.yaml": {
            "authenticators": {
                "password": {"kind": "password", "source": "people"},
                "code": {"kind": "totp", "source": "people"},
            }
        },
    }
    async with open_provider({"acr": levels}, **files) as op:
        end = await Browser(op).visit(address(prompt="create", acr_values="urn:example:acr:code"))
        assert answer(end)["error"] == "unmet_authentication_requirements"
        login = await Browser(op).visit(address(acr_values="urn:example:acr:code"))
        assert b'id="password"' in login.body and b'id="sign-up"' not in login.body
        assert b'id="sign-in"' in (await Browser(op).visit(address(prompt="create"))).body


@pytest.mark.spec(SPEC, "4.1")
async def test_answers_create_with_max_age_and_consent_refused_like_any_login() -> None:
    async with open_provider() as op:
        browser = Browser(op)
        page = await browser.visit(address(prompt="create", max_age="0"))
        consent = await fill_in(browser, page)
        denied = await browser.submit(consent, button="deny")
        assert answer(denied)["error"] == "access_denied"
        assert "code" not in answer(denied)


@pytest.mark.spec(SPEC, "4.1")
async def test_reads_create_from_a_form_as_well() -> None:
    async with open_provider() as op:
        browser = Browser(op)
        begun = await browser.request("POST", "/authorize", form=ASKED | {"prompt": "create"})
        page = await browser._follow(begun)
        assert title(page).startswith("Create an account")


@pytest.mark.spec(SPEC, "4.1")
async def test_fills_in_the_login_hint_and_speaks_the_asked_language() -> None:
    async with open_provider() as op:
        page = await Browser(op).visit(address(prompt="create", login_hint="ben", ui_locales="fi"))
        assert b'value="ben"' in page.body and b'lang="fi"' in page.body and "Luo tili" in page.body.decode()


@pytest.mark.spec(SPEC, "4.1")
async def test_goes_on_with_sign_up_over_a_reload() -> None:
    async with open_provider() as op:
        browser = Browser(op)
        page = await browser.visit(address(prompt="create"))
        await op.load()
        assert b'id="allow"' in (await fill_in(browser, page)).body


@pytest.mark.spec(SPEC, "4.1")
async def test_accounts_outlive_a_restart(tmp_path: Path) -> None:
    async with open_provider() as op:
        before = Provider(op.directory, tmp_path, seed=3)
        await before.load()
        await sign_up(before)
        await before.close()
        again = Provider(op.directory, tmp_path, seed=9)
        again.clock.now = before.clock.now + 365 * 86400
        await again.load()
        late = Browser(again)
        assert b'id="allow"' in (await late.login(await late.visit(address()), "anna", PASSWORD)).body
        taken = await fill_in(late, await late.visit(address(prompt="create")), "ANNA", "yet another password")
        assert b"Somebody has this user name already" in taken.body
        await again.close()


@pytest.mark.spec(SPEC, "4.1")
async def test_a_reload_that_locks_a_login_ends_what_clients_hold() -> None:
    async with open_provider() as op:
        browser = await sign_up(op)
        end = await browser.submit(await browser.visit(browser.path), button="allow")
        issued = await tokens(op, browser, answer(end)["code"])
        people = op.directory / "sources" / "people.yaml"
        people.write_text("sources: {people: {kind: store, locked_logins: [ANNA]}}")
        await op.load()
        bearer = {"authorization": f"Bearer {issued['access_token']}"}
        assert (await Browser(op).request("GET", "/userinfo", headers=bearer)).status == 401
        assert answer(await browser.visit(address(prompt="none")))["error"] == "login_required"
        login = await browser.visit(address())
        assert b'id="error-summary"' in (await browser.login(login, "anna", PASSWORD)).body
        people.write_text("sources: {people: {kind: store}}")
        await op.load()
        found = await op.snapshot.shared.store.get(StoredUser, claims_of(issued["id_token"])["sub"])
        assert found is not None and found.login == "Anna"


@pytest.mark.spec(SPEC, "4.1")
async def test_reads_create_from_a_request_object() -> None:
    clients = SHOP | {"jwks": {"keys": [public_jwk(KEY)]}}
    async with open_provider({"request_parameter_supported": True}, **{"clients/shop.yaml": clients}) as op:
        page = await Browser(op).visit(address(request=signed(prompt="create")))
        assert b'id="sign-in"' in page.body
        for prompt in ("create login", ["create"]):
            end = await Browser(op).visit(address(request=signed(prompt=prompt)))
            assert answer(end)["error"] in ("invalid_request", "invalid_request_object"), prompt
