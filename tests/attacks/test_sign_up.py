"""Attacks on sign-up: somebody else's name, somebody else's browser, very many accounts, and answers that lie."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing

import pytest

from appliance.parts.stores.sqlite.encoding import read_record
from appliance.protocol.messages import Request, Response
from appliance.protocol.records import Interaction
from appliance.protocol.stored_users import StoredLogin, StoredUser
from tests.support.browser import Browser, answer, forms, header
from tests.support.provider import Provider
from tests.support.signing_up import PASSWORD, PROFILE, address, fill_in, open_provider, sign_up

SPEC = "Initiating User Registration via OpenID Connect"
SIGN_UP = PROFILE["sign_up"]


def stored(op: Provider) -> list[tuple[str, bytes]]:
    """Everything that the provider keeps: kinds and bodies of its records, as another program would read them."""
    with closing(sqlite3.connect(f"file:{op.state / 'op.sqlite'}?mode=ro", uri=True)) as database:
        return database.execute("SELECT kind, body FROM records ORDER BY rowid").fetchall()


def accounts(op: Provider) -> list[StoredUser]:
    """The accounts that were made, in their order."""
    return [read_record(StoredUser, body) for kind, body in stored(op) if kind == StoredUser.kind]


def fault_of(response: Response) -> str:
    """The words above the form."""
    found = re.search(r'id="error-summary">(.*?)</div>', response.body.decode(), re.DOTALL)
    plain = re.sub(r"<[^>]*>", "", found[1]) if found else ""
    return " ".join(plain.split())


async def post(op: Provider, browser: Browser, peer: str, page: Response, **fields: str) -> Response:
    """The page's form from an address of the network; no redirect followed."""
    form = forms(page)[0]
    body = "&".join(f"{name}={value}" for name, value in (form.fields | fields).items()).replace(" ", "+").encode()
    headers = {
        "content-type": ("application/x-www-form-urlencoded",),
        "cookie": ("; ".join(f"{name}={value}" for name, value in browser.cookies.items()),),
        "origin": (browser.origin,),
    }
    path, _, query = form.action.partition("?")
    return await op.respond(Request("POST", path, query, headers, body, peer, op.clock()))


@pytest.mark.spec(SPEC, "5")
@pytest.mark.attack("AU-04", "AU-05")
@pytest.mark.parametrize(
    "name",
    ["anna", "ANNA", " Anna ", "ａｎｎａ", "Änna Straße", "änna STRASSE", "A\u0308nna straße", "𝒜nna"],
    ids=ascii,
)
async def test_no_spelling_of_a_taken_name_gets_the_account(name: str) -> None:
    async with open_provider() as op:
        await sign_up(op, "Anna")
        await sign_up(op, "Änna Straße")
        before = accounts(op)
        thief = Browser(op)
        page = await fill_in(thief, await thief.visit(address(prompt="create")), name, "the password of a thief")
        assert "Somebody has this user name" in fault_of(page)
        assert accounts(op) == before
        assert not any("session" in name for name in thief.cookies)
        for password, element in (("the password of a thief", b'id="error-summary"'), (PASSWORD, b'id="allow"')):
            browser = Browser(op)
            assert element in (await browser.login(await browser.visit(address()), "anna", password)).body


@pytest.mark.spec(SPEC, "5")
@pytest.mark.attack("AU-05")
async def test_what_only_looks_like_a_name_is_another_account() -> None:
    async with open_provider() as op:
        await sign_up(op, "anna")
        await sign_up(op, "аnnа", "another good password")  # Cyrillic
        assert len({user.id for user in accounts(op)}) == 2
        for name in ("an\u200bna", "anna\u202e", "anna\u0000", "anna\u00ad"):
            browser = Browser(op)
            page = await browser.visit(address(prompt="create"))
            answered = await post(op, browser, "192.0.2.1", page, username=name, password=PASSWORD)
            assert len(accounts(op)) == 2, answered.status


@pytest.mark.spec(SPEC, "5")
@pytest.mark.attack("SE-01")
async def test_a_form_counts_in_its_own_browser_only() -> None:
    async with open_provider() as op:
        attacker, victim = Browser(op), Browser(op)
        page = await attacker.visit(address(prompt="create"))
        own = await victim.visit(address(prompt="create"))
        # The attacker's form, address and all, sent by the victim's browser.
        stolen = await victim.submit(page, username="mallory", password=PASSWORD, **{"field-email": "m@example.com"})
        assert stolen.status == 400 and b'id="error-page"' in stolen.body
        # The attacker's anti-forgery field in the victim's own form; then none, another page's, another browser's.
        login = await victim.visit(victim.path.split("?")[0].replace("/sign_up", "/login") + "?" + own_query(own))
        for csrf in (forms(page)[0].fields["csrf"], "", forms(login)[0].fields["csrf"], "x" * 43):
            forged = await victim.submit(own, csrf=csrf, username="mallory", password=PASSWORD)
            assert forged.status == 403, csrf
        assert accounts(op) == []
        assert b'id="allow"' in (await fill_in(victim, own, "anna")).body


def own_query(page: Response) -> str:
    """The query of the address that a page's form posts to."""
    return forms(page)[0].action.partition("?")[2]


@pytest.mark.spec(SPEC, "5")
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8081"},
        {"sec-fetch-site": "cross-site", "origin": "null"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
async def test_a_form_of_another_site_is_refused(headers: dict[str, str]) -> None:
    async with open_provider() as op:
        browser = Browser(op)
        page = await browser.visit(address(prompt="create"))
        form = forms(page)[0].fields | {"username": "anna", "password": PASSWORD, "field-email": "a@example.com"}
        sent = await browser.request("POST", forms(page)[0].action, form=form, headers=headers)
        assert sent.status == 403 and accounts(op) == []


@pytest.mark.spec(SPEC, "5")
async def test_no_get_and_no_other_media_type_makes_an_account() -> None:
    async with open_provider() as op:
        browser = Browser(op)
        page = await browser.visit(address(prompt="create"))
        typed = f"&username=anna&password=abcdefg+xyz&field-email=a@b.example&csrf={forms(page)[0].fields['csrf']}"
        assert (await browser.request("GET", forms(page)[0].action + typed)).status == 200
        headers = {"content-type": "text/plain", "origin": browser.origin}
        assert (await browser.request("POST", forms(page)[0].action, headers=headers)).status == 400
        assert accounts(op) == []


@pytest.mark.spec(SPEC, "5")
@pytest.mark.attack("AU-03")
async def test_an_address_makes_so_many_accounts_in_an_hour_and_others_go_on() -> None:
    async with open_provider({"sign_up": SIGN_UP | {"quota": 3}}) as op:
        for number in range(3):
            await sign_up(op, f"robot-{number}")
        browser = Browser(op)
        page = await browser.visit(address(prompt="create"))
        refused = await fill_in(browser, page, "robot-3")
        assert "Too many accounts" in fault_of(refused) and len(accounts(op)) == 3
        assert b'value="robot-3"' in refused.body
        elsewhere = await post(
            op, browser, "198.51.100.7", page, username="anna", password=PASSWORD, **{"field-email": "a@b.example"}
        )
        assert "/authorize/resume" in (header(elsewhere, "Location") or "") and len(accounts(op)) == 4
        op.clock.forward(3601)
        await sign_up(op, "robot-5")


@pytest.mark.spec(SPEC, "5")
@pytest.mark.attack("AU-03")
async def test_names_can_be_tried_no_more_often_than_accounts_be_made() -> None:
    async with open_provider({"sign_up": SIGN_UP | {"quota": 4}}) as op:
        await sign_up(op, "anna")
        told = []
        browser = Browser(op)
        for _ in range(5):
            page = await fill_in(browser, await browser.visit(address(prompt="create")), "anna")
            told.append(fault_of(page))
        assert ["Somebody" in each for each in told] == [True, True, True, False, False]
        # Once it is used up, a name that is taken and one that is not are the same answer.
        free = await fill_in(browser, await browser.visit(address(prompt="create")), "nobody-yet")
        assert fault_of(free) == told[-1] and "Too many accounts" in told[-1]
        # A form with a fault of its own tells nothing of the name.
        for name in ("anna", "nobody-yet"):
            short = await fill_in(browser, await browser.visit(address(prompt="create")), name, "short")
            assert "at least" in fault_of(short) and "Somebody" not in fault_of(short)


@pytest.mark.spec(SPEC, "5")
async def test_a_thousand_forms_at_once_make_one_account_of_a_name() -> None:
    async with open_provider({"sign_up": SIGN_UP | {"quota": 1000}}) as op:
        browsers = [Browser(op) for _ in range(20)]
        pages = [await browser.visit(address(prompt="create")) for browser in browsers]
        ends = await asyncio.gather(
            *(fill_in(browser, page, "anna") for browser, page in zip(browsers, pages, strict=True))
        )
        assert sum(b'id="allow"' in end.body for end in ends) == 1
        assert len(accounts(op)) == 1 == [kind for kind, _ in stored(op)].count(StoredLogin.kind)
        assert op.report.failures == []


@pytest.mark.spec(SPEC, "5")
@pytest.mark.attack("SE-13")
async def test_a_second_press_of_the_button_is_harmless() -> None:
    async with open_provider() as op:
        browser = Browser(op)
        page = await browser.visit(address(prompt="create"))
        typed = {"username": "anna", "password": PASSWORD, "field-email": "a@b.example"}
        both = await asyncio.gather(*(post(op, browser, "192.0.2.1", page, **typed) for _ in range(2)))
        assert [("/authorize/resume" in (header(each, "Location") or "")) for each in both] == [True, True]
        assert len(accounts(op)) == 1
        # Whichever answer the browser takes, its user goes on with this account; at worst he sends the form again.
        for response in both:
            then = Browser(op)
            then.cookies = browser.cookies | {cookie.name: cookie.value for cookie in response.cookies}
            shown = await then.visit(header(response, "Location") or "")
            if b'id="allow"' not in shown.body:
                shown = await then.submit(shown, **typed)
            assert b'id="allow"' in shown.body
        assert len(accounts(op)) == 1


@pytest.mark.spec(SPEC, "5")
@pytest.mark.attack("AU-10")
async def test_nothing_but_the_declared_fields_is_taken_up() -> None:
    async with open_provider() as op:
        names = "id sub login active attributes account field-id field-login field-profile.name field-email_verified"
        more = dict.fromkeys(names.split(), "1")
        browser = Browser(op)
        page = await browser.visit(address(prompt="create"))
        end = await browser.submit(page, username="anna", password=PASSWORD, **{"field-email": "a@b.example"}, **more)
        assert b'id="allow"' in end.body
        (made,) = accounts(op)
        assert json.loads(made.attributes) == {"email": "a@b.example"} and made.login == "anna"


@pytest.mark.spec(SPEC, "5")
@pytest.mark.attack("AU-10")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "Enter your user name"),
        ({"username": " ", "password": PASSWORD}, "Enter your user name"),
        ({"username": "anna"}, "Enter your password"),
        ({"username": "anna", "password": PASSWORD}, "Fill in: Email address"),
        ({"username": "anna", "password": PASSWORD, "field-email": "anna"}, "Enter an email address"),
        ({"username": "anna", "password": PASSWORD, "field-email": "a@b.example\r\nBcc: x@y.example"}, "see"),
        ({"username": "anna", "password": PASSWORD, "field-email": "a@b.example", "field-name": "x\u202ey"}, "Name"),
        ({"username": "anna", "password": PASSWORD, "field-email": "a@b.example", "field-name": "x" * 201}, "Name"),
        (
            {"username": "anna", "password": PASSWORD, "field-email": "a@b.example", "field-phone_number": "1;2"},
            "phone",
        ),
        (
            {"username": "anna", "password": PASSWORD, "field-email": "a@b.example", "field-birthdate": "1990-02-30"},
            "date",
        ),
        (
            {"username": "anna-of-the-shop", "password": "anna-of-the-shop", "field-email": "a@b.example"},
            "easy to guess",
        ),
        ({"username": "anna", "password": "x y" * 5000, "field-email": "a@b.example"}, "too long"),
        ({"username": "x" * 300, "password": PASSWORD, "field-email": "a@b.example"}, "cannot be used"),
    ],
)
async def test_a_form_with_a_fault_makes_nothing_and_says_why(typed: dict[str, str], said: str) -> None:
    async with open_provider() as op:
        browser = Browser(op)
        page = await browser.submit(await browser.visit(address(prompt="create")), **typed)
        assert page.status == 200 and (said in fault_of(page) or said == "see"), fault_of(page)
        assert fault_of(page) and b"<title>Error:" in page.body
        assert accounts(op) == [] and b'id="password"' in page.body
        assert op.report.failures == []
        # Reloading the page shows it again and sends nothing.
        assert fault_of(await browser.visit(browser.path)) == fault_of(page)


@pytest.mark.spec(SPEC, "5")
@pytest.mark.attack("LG-01", "XS-04")
async def test_the_password_is_kept_nowhere_and_hostile_names_stay_text() -> None:
    hostile = '"><script>alert(1)</script>'
    async with open_provider() as op:
        browser = Browser(op)
        page = await browser.visit(address(prompt="create"))
        wrong = await fill_in(browser, page, hostile, PASSWORD, email=hostile, name=hostile)
        assert b"<script>alert" not in wrong.body and b"&lt;script&gt;" in wrong.body
        assert PASSWORD.encode() not in wrong.body
        waiting = [body for kind, body in stored(op) if kind == Interaction.kind]
        assert waiting and all(len(body) < 4096 for body in waiting)
        made = await fill_in(browser, wrong, hostile, PASSWORD, name=hostile)
        assert b'id="allow"' in made.body and b"<script>alert" not in made.body
        assert all(PASSWORD.encode() not in body for _, body in stored(op))
        told = repr((op.report.notices, op.report.refusals))
        assert PASSWORD not in told and hostile not in told


@pytest.mark.spec(SPEC, "5")
@pytest.mark.attack("SE-07")
async def test_going_back_after_the_answer_makes_no_second_account() -> None:
    async with open_provider() as op:
        browser = Browser(op)
        page = await browser.visit(address(prompt="create"))
        consent = await fill_in(browser, page, "anna")
        # While the consent page is open the form is not sent to anybody any more.
        assert b'id="allow"' in (await fill_in(browser, page, "ben")).body
        assert "code" in answer(await browser.submit(consent, button="allow"))
        late = await fill_in(browser, page, "carol")
        assert late.status == 400 and [user.login for user in accounts(op)] == ["anna"]


@pytest.mark.spec(SPEC, "5")
async def test_an_outage_is_told_and_makes_half_an_account_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_provider() as op:
        browser = Browser(op)
        page = await browser.visit(address(prompt="create"))
        passwords = op.snapshot.shared.passwords
        monkeypatch.setattr(passwords._places, "acquire", lambda blocking: False)
        busy = await fill_in(browser, page, "anna")
        assert "cannot be created right now" in fault_of(busy) and accounts(op) == []
        assert StoredLogin.kind not in [kind for kind, _ in stored(op)]
        monkeypatch.undo()
        assert b'id="allow"' in (await fill_in(browser, busy, "anna")).body
