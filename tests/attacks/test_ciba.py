"""Clients that ask about users without a browser, and who would misuse that."""

import asyncio
from typing import Any

import pytest

from tests.support.browser import Browser, forms
from tests.support.provider import provider
from tests.support.waiting import CIBA, LEVEL, Caller, backchannels, client


@pytest.mark.attack("DV-09")
@pytest.mark.spec("CIBA Core 1.0", "13", "14")
async def test_lets_no_client_find_out_who_has_an_account_where_that_is_declared() -> None:
    async with provider(edit=backchannels(backchannel_authentication={"unknown_user": "conceal"})) as op:
        known, unknown = Caller(op), Caller(op)
        there, not_there = await known.begin(login_hint="anna"), await unknown.begin(login_hint="nobody")
        assert there.status == not_there.status == 200
        assert {len(each["auth_req_id"]) for each in (there, not_there)} == {len(there["auth_req_id"])}
        assert [each["expires_in"] for each in (there, not_there)] == [300, 300]
        assert (await known.poll()).body == (await unknown.poll()).body
        op.clock.forward(301)
        assert (await known.poll()).body == (await unknown.poll()).body


@pytest.mark.attack("DV-09")
async def test_waits_of_asking_tell_nothing_of_who_has_an_account() -> None:
    async with provider(edit=backchannels()) as op:
        for hint, known in (("anna", True), ("nobody", False)):
            heard = [(await Caller(op).begin(login_hint=hint)).status for _ in range(6)]
            assert heard == [200 if known else 400] * 5 + [429]


@pytest.mark.attack("DV-10")
@pytest.mark.spec("CIBA Core 1.0", "14")
async def test_stops_who_asks_a_user_again_and_again() -> None:
    async with provider(edit=backchannels()) as op:
        caller = Caller(op)
        heard = [await caller.begin() for _ in range(50)]
        assert [answer.status for answer in heard[:6]] == [200] * 5 + [429]
        assert {answer.status for answer in heard[5:]} == {429}
        assert (await caller.begin(login_hint="ben")).status == 200, "another user is another matter"
        op.clock.forward(31)
        assert [(await caller.begin()).status for _ in range(2)] == [200, 429], "and then longer each time"
        op.clock.forward(31)
        assert (await caller.begin()).status == 429


@pytest.mark.attack("DV-10")
async def test_stops_many_clients_that_ask_one_user() -> None:
    names = ("bank", "box", "one", "two", "three", "four")
    edit = backchannels()
    for name in names:
        edit |= client(name, grant_types=[CIBA])
    async with provider(edit=edit) as op:
        heard = [(await Caller(op, name).begin()).status for name in names for _ in range(4)]
        assert heard == [200] * 20 + [429] * 4


@pytest.mark.attack("DV-10")
async def test_forgives_a_client_whose_requests_are_allowed() -> None:
    async with provider(edit=backchannels()) as op:
        caller = Caller(op)
        for _ in range(8):
            assert (await caller.begin()).status == 200
            await caller.decide()


@pytest.mark.attack("DV-10")
@pytest.mark.spec("CIBA Core 1.0", "7.1.2")
async def test_stops_who_guesses_the_code_of_a_user() -> None:
    settings = {"backchannel_user_code_parameter_supported": True, "unanswered": 100}
    careful = client("bank", grant_types=[CIBA], backchannel_user_code_parameter=True)
    async with provider(edit=backchannels(backchannel_authentication=settings) | careful) as op:
        users = op.directory / "sources" / "customers.yaml"
        (op.directory / "secrets" / "anna-code").write_text("4711\n")
        users.write_text(users.read_text().replace("totp:", "user_code: {file: secrets/anna-code}\n        totp:", 1))
        await op.load()
        heard = [(await Caller(op).begin(user_code=f"{number:04}")).error for number in range(10)]
        assert heard == ["invalid_user_code"] * 5 + ["temporarily_unavailable"] * 5
        assert (await Caller(op).begin(user_code="4711")).status == 429, "not even the right one is compared"


@pytest.mark.attack("DV-11")
@pytest.mark.spec("CIBA Core 1.0", "11")
async def test_gives_a_decision_to_the_client_that_asked_once_and_in_time() -> None:
    async with provider(edit=backchannels() | client("box", grant_types=[CIBA])) as op:
        bank, box, late = Caller(op), Caller(op, "box"), Caller(op)
        await bank.begin()
        await box.begin(login_hint="ben")
        handle = bank.begun["auth_req_id"]
        assert (await box.poll(auth_req_id=handle)).error == "invalid_grant"
        assert (await bank.poll()).error == "authorization_pending", "a stranger's poll is none"
        assert (await bank.poll()).error == "slow_down"
        await bank.decide()
        device = "urn:ietf:params:oauth:grant-type:device_code"
        assert (await bank.poll(grant_type=device, device_code=handle)).error == "unsupported_grant_type"
        for guessed in (handle.replace("op_aq_", "op_dc_"), handle[:-1] + ("B" if handle[-1] == "A" else "A"), "x"):
            assert (await bank.poll(auth_req_id=guessed)).error == "invalid_grant"
        answers = await asyncio.gather(*(bank.poll() for _ in range(10)))
        assert sorted(answer.status for answer in answers) == [200] + [400] * 9
        assert {answer.error for answer in answers if answer.status == 400} == {"invalid_grant"}
        op.clock.forward(60)
        await late.begin()
        op.clock.forward(301)
        assert (await late.poll()).error == "expired_token"


@pytest.mark.attack("DV-12")
@pytest.mark.spec("CIBA Core 1.0", "8")
async def test_lets_nobody_decide_but_the_user_who_is_asked() -> None:
    """Somebody else who is logged in, with the id of the request, and with the address of its last page."""
    async with provider(edit=backchannels()) as op:
        anna, ben = Caller(op), Caller(op, browser=Browser(op))
        await anna.begin(login_hint="anna")
        mine = await anna.list("anna")
        hers = forms(mine)[0].fields["request"]
        await ben.begin(login_hint="ben")
        own = forms(await ben.list("ben"))[0].fields
        for decision in ("review", "deny"):
            foreign = await ben.browser.request(
                "POST", "/retail/approvals", form={**own, "request": hers, "decision": decision}
            )
            assert foreign.status == 400
        question = await anna.browser.submit(mine, button="review-1")
        there = await ben.browser.visit(anna.browser.path)
        assert there.status == 400 and b'id="allow"' not in there.body
        form = forms(question)[0]
        forged: dict[str, Any] = {**form.fields, "decision": "allow"}
        assert (await ben.browser.request("POST", form.action, form=forged)).status == 400
        assert (await anna.poll()).error == "authorization_pending"


@pytest.mark.attack("DV-12")
async def test_answers_about_nobody_but_the_user_who_is_asked() -> None:
    """At the login that a request needs, somebody else logs in."""
    async with provider(edit=backchannels()) as op:
        anna = Caller(op)
        await anna.begin(login_hint="anna", acr_values=f"{LEVEL}2")
        shown = await anna.list("anna")
        op.clock.forward(600)
        await anna.begin(login_hint="anna", acr_values=f"{LEVEL}2", requested_expiry="1800")
        op.clock.forward(1000)
        asked = await anna.browser.submit(await anna.browser.visit("/retail/approvals"), button="review-1")
        assert b'id="password"' in asked.body and b"readonly" in asked.body, "the name is the user's own"
        other = await anna.browser.submit(asked, username="ben", password="ben-demo-password")
        assert b'id="allow"' not in other.body
        assert shown.status == 200 and (await anna.poll()).error == "authorization_pending"
