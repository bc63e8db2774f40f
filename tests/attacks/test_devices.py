"""Devices, and those who would like to be somebody else's."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from appliance.protocol.messages import Request, Response
from tests.support.browser import Browser, forms
from tests.support.provider import Provider, provider
from tests.support.relying import claims_of
from tests.support.waiting import DEVICE, LEVEL, Device, client, devices, retail, text_of

WRONG = "BCDF-GHJK"


class From:
    """The provider as it is seen from another address."""

    def __init__(self, op: Provider, peer: str) -> None:
        self._op = op
        self._peer = peer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._op, name)

    async def respond(self, request: Request) -> Response:
        """The answer to somebody there."""
        return await self._op.respond(replace(request, peer=self._peer))


async def guess(browser: Browser, code: str = WRONG) -> str:
    """Type a code; "right", "wrong" or "throttled"."""
    shown = await browser.submit(await browser.visit("/retail/device"), user_code=code)
    if browser.path.startswith("/retail/device?"):
        return "throttled" if "Too many attempts" in text_of(shown) else "wrong"
    return "right"


@pytest.mark.attack("DV-01")
@pytest.mark.spec("RFC 8628", "5.1")
async def test_stops_who_guesses_codes_in_one_browser() -> None:
    async with provider(edit=devices()) as op:
        device, browser = Device(op), Browser(op)
        await device.begin()
        heard = [await guess(browser) for _ in range(40)]
        assert heard[:5] == ["wrong"] * 5 and set(heard[5:]) == {"throttled"}
        assert await guess(browser, device.begun["user_code"]) == "throttled", "not even the right one is looked up"
        op.clock.forward(31)
        assert await guess(browser, device.begun["user_code"]) == "right"


@pytest.mark.attack("DV-01")
@pytest.mark.spec("RFC 8628", "5.1")
async def test_stops_who_guesses_codes_in_many_browsers_at_one_address() -> None:
    async with provider(edit=devices()) as op:
        heard = [await guess(Browser(op)) for _ in range(60)]
        assert heard == ["wrong"] * 50 + ["throttled"] * 10


@pytest.mark.attack("DV-01")
@pytest.mark.spec("RFC 8628", "5.1")
async def test_stops_who_guesses_codes_everywhere_but_not_who_is_logged_in() -> None:
    limits = {"user_code": {"failures": 20}}
    async with provider(edit=devices(device_authorization=limits)) as op:
        member: Any = From(op, "203.0.113.9")
        device = Device(op, browser=Browser(member))
        await device.begin()
        await device.decide()
        await device.begin()
        strangers: list[Any] = [From(op, f"198.51.100.{number}") for number in range(1, 31)]
        heard = [await guess(Browser(stranger)) for stranger in strangers]
        assert heard == ["wrong"] * 20 + ["throttled"] * 10
        assert await guess(device.browser, device.begun["user_code"]) == "right"


@pytest.mark.attack("DV-01")
async def test_counts_no_code_that_is_right() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        for _ in range(8):
            await device.begin()
            assert await guess(device.browser, device.begun["user_code"]) == "right"


@pytest.mark.attack("DV-01")
async def test_takes_no_code_from_another_site() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        sent = {"user_code": device.begun["user_code"]}
        shown = await device.browser.visit("/retail/device")
        for fields in (sent, sent | {"csrf": "AAAA"}):
            forged = await device.browser.request("POST", "/retail/device", form=fields)
            assert forged.status == 403
        own = sent | forms(shown)[0].fields | sent
        elsewhere = await device.browser.request(
            "POST",
            "/retail/device",
            form=own,
            headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        )
        assert elsewhere.status == 403


@pytest.mark.attack("DV-02")
@pytest.mark.spec("RFC 8628", "3.4")
async def test_gives_a_decision_to_the_device_that_asked_and_to_no_other() -> None:
    async with provider(edit=devices()) as op:
        tv, box = Device(op, "tv"), Device(op, "box")
        await tv.begin()
        await box.begin()
        await tv.decide()
        await box.decide()
        code = tv.begun["device_code"]
        assert (await box.poll(device_code=code)).error == "invalid_grant"
        own = {"client_id": "box", "grant_type": DEVICE, "device_code": box.begun["device_code"]}
        unproved = await box.post("/token", own)
        assert (unproved.status, unproved.error) == (401, "invalid_client")
        other = "op_dc_" + "A" * 49
        for guessed in (code[:-1] + ("B" if code[-1] == "A" else "A"), code.replace("op_dc_", "op_ac_"), other):
            assert (await tv.poll(device_code=guessed)).error == "invalid_grant"
        assert (await tv.poll(device_code="")).error == "invalid_request"
        assert (await tv.poll(grant_type="authorization_code", code=code)).error == "unauthorized_client"
        assert (await tv.poll()).status == 200
        assert (await box.poll()).status == 200


@pytest.mark.attack("DV-03")
@pytest.mark.spec("RFC 8628", "3.5")
async def test_gives_one_set_of_tokens_however_many_polls_come_at_once() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        early = await asyncio.gather(*(device.poll() for _ in range(20)))
        assert sorted(answer.error for answer in early)[:1] == ["authorization_pending"]
        assert [answer.error for answer in early].count("authorization_pending") == 1
        await device.decide()
        answers = await asyncio.gather(*(device.poll() for _ in range(20)))
        assert sorted(answer.status for answer in answers) == [200] + [400] * 19
        assert {answer.error for answer in answers if answer.status == 400} == {"invalid_grant"}
        assert (await device.poll()).error == "invalid_grant"


@pytest.mark.attack("DV-03")
async def test_lets_nobody_decide_twice() -> None:
    async with provider(edit=devices()) as op:
        device, other = Device(op), Browser(op)
        await device.begin()
        mine = await device.browser.login(await device.type_code(), "anna")
        shown = await other.submit(await other.visit("/retail/device"), user_code=device.begun["user_code"])
        theirs = await other.login(shown, "ben")
        await device.browser.submit(mine, button="deny")
        late = await other.submit(theirs, button="allow")
        assert late.status == 400 and (await device.wait_and_poll()).error == "access_denied"


@pytest.mark.attack("DV-05")
@pytest.mark.spec("RFC 10027", "1")
@pytest.mark.parametrize(("asked", "seen"), [({"max_age": "60"}, "login"), ({"acr_values": f"{LEVEL}3"}, "otp")])
async def test_lets_no_old_or_weak_login_approve(asked: dict[str, str], seen: str) -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        await device.decide()
        op.clock.forward(300)
        begun = op.clock()
        device.seen.clear()
        await device.begin(**asked)
        question = await device.type_code()
        assert b'id="allow"' not in question.body
        interaction = device.browser.path.partition("?")[2]
        ahead = await device.browser.visit(f"/retail/approval?{interaction}")
        assert b'id="allow"' not in ahead.body, "nor by going to the last page at once"
        await device.through(question, "anna")
        assert seen in device.seen
        claims = claims_of((await device.wait_and_poll())["id_token"])
        assert claims.get("auth_time", begun) >= begun


@pytest.mark.attack("DV-05")
async def test_shows_the_question_of_a_device_on_its_own_page_only() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        await device.browser.login(await device.type_code(), "anna")
        interaction = device.browser.path.partition("?")[2]
        shown = await device.browser.visit(f"/retail/consent?{interaction}")
        assert device.browser.path.startswith("/retail/approval?") and b'id="caution"' in shown.body
        stranger = await Browser(op).visit(f"/retail/approval?{interaction}")
        assert stranger.status == 400 and b'id="allow"' not in stranger.body


@pytest.mark.attack("DV-07", "CA-44")
async def test_gives_devices_nothing_that_their_client_may_not_have() -> None:
    """A client without the grant type, a scope that is not its own, and a client that was switched off meanwhile."""
    plain = client("web", response_types=["code"], redirect_uris=["https://web.example/cb"])
    narrow = client("tv", grant_types=[DEVICE], scope="openid")
    async with provider(edit=devices() | plain | narrow) as op:
        assert (await Device(op, "web").begin()).error == "unauthorized_client"
        assert (await Device(op, "web").poll(device_code="op_dc_x")).error == "unauthorized_client"
        device, late = Device(op), Device(op)
        await device.begin(scope="openid email offline_access")
        await device.decide()
        answer = await device.wait_and_poll()
        assert answer["scope"] == "openid" and "refresh_token" not in answer.body
        await late.begin()
        await late.decide()
        for name, text in client("tv", grant_types=[DEVICE], op={"status": "disabled"}).items():
            (op.directory / name).write_text(text)
        await op.load()
        op.clock.forward(6)
        assert (await late.poll()).error == "invalid_client"


@pytest.mark.attack("CA-44")
async def test_refuses_grant_types_that_the_profile_does_not_offer() -> None:
    async with provider(
        edit=retail() | client("web", response_types=["code"], redirect_uris=["https://w.example/"])
    ) as op:
        assert (await Device(op, "web").poll(device_code="op_dc_x")).error == "unsupported_grant_type"


@pytest.mark.attack("DV-07")
async def test_gives_nothing_of_users_who_are_gone() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        await device.decide("anna")
        users = op.directory / "sources" / "customers.yaml"
        text = users.read_text()
        assert "login: [anna" in text or "login: anna" in text
        users.write_text(text.replace("attributes:", "active: false\n        attributes:", 1))
        await op.load()
        assert (await device.wait_and_poll()).error == "invalid_grant"


@pytest.mark.attack("DV-07")
async def test_gives_nothing_that_the_user_took_back_before_it_was_fetched() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        await device.decide()
        shown = await device.browser.visit("/retail/consents")
        await device.browser.submit(shown, button="revoke-1")
        assert (await device.wait_and_poll()).error == "invalid_grant"
