"""RFC 8628 3.3: the person in his browser, from the code to the end."""

from collections.abc import Callable

import pytest

from tests.support.browser import Browser, header, title
from tests.support.provider import provider
from tests.support.waiting import DEVICE, LEVEL, Device, client, devices, text_of

WAYS: tuple[Callable[[str], str], ...] = (
    str.lower,
    lambda code: code.replace("-", ""),
    lambda code: f" {code[:3]} {code[3:]}.",
)


@pytest.mark.spec("RFC 8628", "3.3")
async def test_leads_from_the_code_over_the_login_to_a_question_and_an_end() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin(scope="openid email")
        shown = await device.type_code()
        assert device.browser.path.startswith("/retail/login?")
        shown = await device.browser.login(shown, "anna")
        assert device.browser.path.startswith("/retail/approval?")
        words = text_of(shown)
        assert device.begun["user_code"] in words and "Tv asks for access" in words
        assert "See your email address" in words and "If somebody sent you the code" in words
        shown = await device.browser.submit(shown, button="allow")
        assert device.browser.path == "/retail/approval/done" and title(shown).startswith("Done")
        assert (await device.wait_and_poll()).status == 200


@pytest.mark.spec("RFC 8628", "3.3")
async def test_tells_the_device_of_a_no() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        shown = await device.decide(allow=False)
        assert device.browser.path == "/retail/approval/denied" and "Nothing was given away" in text_of(shown)
        assert (await device.wait_and_poll()).error == "access_denied"
        assert "not known" in text_of(await device.type_code()), "a code that was decided on is nobody's"


@pytest.mark.spec("RFC 8628", "3.3.1")
async def test_only_fills_in_a_code_that_comes_with_the_address() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        shown = await device.complete()
        assert device.browser.path.startswith("/retail/device?")
        assert f'value="{device.begun["user_code"]}"' in shown.body.decode()
        assert (await device.wait_and_poll()).error == "authorization_pending"
        shown = await device.through(await device.browser.submit(shown), "anna")
        assert device.browser.path == "/retail/approval/done"


@pytest.mark.spec("RFC 8628", "5.4")
async def test_asks_each_time_though_login_and_consent_are_remembered() -> None:
    edit = devices() | client("own", grant_types=[DEVICE], op={"consent": "skip_first_party"})
    async with provider(edit=edit) as op:
        browser = Browser(op)
        for name, seen in (("tv", ["login", "consent"]), ("tv", ["consent"]), ("own", ["consent"])):
            device = Device(op, name, browser)
            await device.begin()
            await device.decide()
            assert device.seen == seen


@pytest.mark.spec("RFC 8628", "6.1")
@pytest.mark.parametrize("change", WAYS)
async def test_takes_a_code_however_it_is_written(change: Callable[[str], str]) -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        await device.type_code(change(device.begun["user_code"]))
        assert device.browser.path.startswith("/retail/login?")


@pytest.mark.spec("RFC 8628", "3.3")
@pytest.mark.parametrize(
    ("typed", "said"), [("", "Enter the code"), ("BCDF-GHJK", "not known"), ("AEIO-UAEI", "not known")]
)
async def test_says_what_is_wrong_with_a_code_and_keeps_what_was_typed(typed: str, said: str) -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        shown = await device.type_code(typed)
        assert device.browser.path.startswith("/retail/device?") and shown.status == 200
        assert said in text_of(shown) and title(shown).startswith("Error")
        assert ('value="BCDF-GHJK"' in shown.body.decode()) == (typed == "BCDF-GHJK")


@pytest.mark.spec("RFC 8628", "3.3")
async def test_forgets_codes_with_their_time() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        shown = await device.type_code()
        op.clock.forward(601)
        late = await device.through(shown, "anna")
        assert late.status == 400 and "took too long" in text_of(late)
        assert "not known" in text_of(await device.type_code())


@pytest.mark.spec("RFC 8628", "3.3")
async def test_holds_the_user_to_the_level_that_the_device_asks_for() -> None:
    async with provider(edit=devices()) as op:
        browser = Browser(op)
        first = Device(op, browser=browser)
        await first.begin()
        await first.decide()
        second = Device(op, browser=browser)
        await second.begin(acr_values=f"{LEVEL}3")
        await second.decide()
        assert second.seen == ["otp", "consent"]
        assert (await second.wait_and_poll()).status == 200


@pytest.mark.spec("RFC 8628", "5.4")
async def test_protects_its_pages_like_all_others() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        code_page = await device.browser.visit("/retail/device")
        question = await device.browser.login(await device.type_code())
        done = await device.browser.submit(question, button="allow")
        for shown in (code_page, question, done):
            policy = header(shown, "Content-Security-Policy") or ""
            assert "frame-ancestors 'none'" in policy and "script-src 'self'" in policy
            assert policy.endswith("form-action 'self'")
            assert header(shown, "X-Frame-Options") == "DENY" and header(shown, "Cache-Control") == "no-store"


@pytest.mark.spec("RFC 8628", "3.3")
async def test_speaks_the_language_of_the_user() -> None:
    async with provider(edit=devices()) as op:
        browser = Browser(op)
        shown = await browser.request("GET", "/retail/device", headers={"accept-language": "fi"})
        assert "Yhdistä laite" in text_of(shown)
        assert "Gerät verbinden" in text_of(await browser.visit("/retail/device?lang=de"))
