"""One-time codes of an authenticator app."""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyotp
import pytest

from appliance.parts.authenticators import AUTHENTICATORS
from appliance.parts.authenticators.totp import Options, Totp
from appliance.parts.sources.static import Static
from appliance.parts.stores.memory import Memory
from appliance.passwords import Passwords
from appliance.protocol.pages import OtpPage
from appliance.seams import Ask, Change, Proved, SourceUnavailable, StoreUnavailable, Tools, User
from tests.parts.users import CHEAP, NOW, TOTP_KEY, Clock, options, step, throttle, user

OPTIONS = Options(source="accounts", digits=6, period=30, algorithm="SHA1", skew=1, issuer="Sunrise")
KEY = base64.b32encode(TOTP_KEY)
OTHER_KEY = base64.b32encode(b"abcdefghijklmnopqrst")


@pytest.fixture
def source() -> Iterator[Static]:
    """Alice and Carol with apps, Bob without, Dave who left."""
    pool = Passwords(CHEAP)
    users = options(
        a1=user("Alice", totp=KEY),
        b2=user("bob"),
        c3=user("carol", totp=OTHER_KEY),
        d4=user("dave", totp=KEY, active=False),
    )
    yield Static(name="accounts", options=users, passwords=pool)
    pool.close()


@pytest.fixture
def store() -> Memory:
    """A store on the clock of the tests."""
    return Memory(Tools(clock=Clock(), entropy=bytes))


@pytest.fixture
def totp(source: Static, store: Memory) -> Totp:
    """The authenticator."""
    return made(source, store)


def made(source: Static, store: Memory, declared: Options = OPTIONS) -> Totp:
    """An authenticator on a source and a store."""
    tools = Tools(clock=Clock(), entropy=bytes)
    return Totp(name="app", options=declared, source=source, throttle=throttle(store), store=store, tools=tools)


def code(at: float = NOW, key: bytes = KEY) -> str:
    """What the app shows."""
    return pyotp.TOTP(key.decode()).at(int(at))


def wrong(at: float = NOW) -> str:
    """A code that the app does not show near that time."""
    near = {code(at + 30 * n) for n in range(-3, 4)}
    return next(one for n in range(10) if (one := f"{n:06}") not in near)


async def alice(source: Static) -> User:
    """The user who is known."""
    found = await source.load("a1")
    assert found is not None
    return found


def error(result: Ask | Proved) -> str:
    """The error on the page."""
    assert isinstance(result, Ask) and isinstance(result.page, OtpPage)
    return result.page.error


def test_the_catalogue_names_it() -> None:
    assert AUTHENTICATORS["totp"] is Totp
    assert (Totp.name, Totp.step) == ("totp", "otp")


async def test_it_asks_the_known_user(totp: Totp, source: Static) -> None:
    asked = await totp.begin(step(known=await alice(source)))
    assert isinstance(asked, Ask) and asked.page == OtpPage(login="Alice", error="")


@pytest.mark.spec("RFC 6238", "4")
@pytest.mark.spec("RFC 8176", "2")
async def test_the_code_of_now_proves_the_user(totp: Totp, source: Static) -> None:
    proved = await totp.finish(step(known=await alice(source), code=code()))
    assert isinstance(proved, Proved)
    assert (proved.user.subject.id, proved.amr) == ("a1", ("otp",))


@pytest.mark.spec("RFC 6238", "B")
@pytest.mark.parametrize(
    ("algorithm", "key", "at", "shown"),
    [
        ("SHA1", b"12345678901234567890", 1111111109, "07081804"),
        ("SHA256", b"12345678901234567890123456789012", 1234567890, "91819424"),
        ("SHA512", b"1234567890" * 6 + b"1234", 20000000000, "47863826"),
    ],
)
async def test_the_published_codes_are_accepted(
    store: Memory, source: Static, algorithm: str, key: bytes, at: int, shown: str
) -> None:
    users = options(a1=user("Alice", totp=base64.b32encode(key)))
    own = Static(name="accounts", options=users, passwords=source._passwords)
    totp = made(own, store, replace(OPTIONS, algorithm=algorithm, digits=8, skew=0))
    assert error(await totp.finish(step(known=await alice(own), code=shown, at=at + 60))) == "wrong_code"
    assert isinstance(await totp.finish(step(known=await alice(own), code=shown, at=at)), Proved)


@pytest.mark.parametrize("typed", ["{} ", "{:.3} {}", "{:.3}-{}", "\u3000{}\t", "wide"])
async def test_a_code_may_be_typed_with_spaces_and_in_wide_digits(totp: Totp, source: Static, typed: str) -> None:
    shown = code()
    if typed == "wide":
        typed = "".join(chr(ord(one) + 0xFEE0) for one in shown)
    elif ":.3" in typed:
        typed = typed.format(shown, shown[3:])
    else:
        typed = typed.format(shown)
    assert isinstance(await totp.finish(step(known=await alice(source), code=typed)), Proved)


@pytest.mark.spec("RFC 6238", "5.2")
@pytest.mark.parametrize(("age", "accepted"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
async def test_codes_of_the_periods_beside_are_accepted_and_no_others(
    totp: Totp, source: Static, age: int, accepted: bool
) -> None:
    result = await totp.finish(step(known=await alice(source), code=code(NOW + age)))
    assert isinstance(result, Proved) is accepted


@pytest.mark.attack("AU-07")
@pytest.mark.spec("RFC 6238", "5.2")
async def test_a_code_is_accepted_once_by_all_authenticators_together(
    totp: Totp, source: Static, store: Memory
) -> None:
    known = await alice(source)
    assert isinstance(await totp.finish(step(known=known, code=code())), Proved)
    assert error(await totp.finish(step(known=known, code=code()))) == "wrong_code"
    assert error(await totp.finish(step(known=known, code=code(), at=NOW + 30))) == "wrong_code"
    assert error(await made(source, store).finish(step(known=known, code=code()))) == "wrong_code"
    assert isinstance(await totp.finish(step(known=known, code=code(NOW + 30), at=NOW + 30)), Proved)


@pytest.mark.attack("AU-07", "AU-08")
async def test_of_parallel_uses_of_one_code_one_is_accepted(totp: Totp, source: Static) -> None:
    known = await alice(source)
    results = await asyncio.gather(*(totp.finish(step(known=known, code=code())) for _ in range(5)))
    assert sum(isinstance(result, Proved) for result in results) == 1


@pytest.mark.attack("AU-07")
async def test_a_mark_of_use_lives_as_long_as_its_code_could_be_accepted(source: Static) -> None:
    clock = Clock()
    tools = Tools(clock=clock, entropy=bytes)
    store = Memory(tools)
    totp = made(source, store)
    start = NOW - NOW % 30
    ahead = code(start + 30)
    assert isinstance(await totp.finish(step(known=await alice(source), code=ahead, at=start)), Proved)
    clock.now = start + 89.9
    assert error(await totp.finish(step(known=await alice(source), code=ahead, at=clock.now))) == "wrong_code"


@pytest.mark.attack("AU-07")
async def test_after_five_wrong_codes_the_right_one_is_not_evaluated(totp: Totp, source: Static) -> None:
    known = await alice(source)
    errors = [error(await totp.finish(step(known=known, code=wrong(), peer=f"192.0.2.{n}"))) for n in range(20)]
    assert errors == ["wrong_code"] * 5 + ["throttled"] * 15
    assert error(await totp.finish(step(known=known, code=code(), peer="198.51.100.1"))) == "throttled"
    carol = await source.load("c3")
    assert isinstance(await totp.finish(step(known=carol, code=code(key=OTHER_KEY))), Proved)


@pytest.mark.attack("AU-08")
async def test_of_a_hundred_parallel_codes_five_are_evaluated(totp: Totp, source: Static) -> None:
    known = await alice(source)
    guesses = (totp.finish(step(known=known, code=wrong(), peer=f"192.0.2.{n}")) for n in range(100))
    errors = [error(one) for one in await asyncio.gather(*guesses)]
    assert (errors.count("wrong_code"), errors.count("throttled")) == (5, 95)


@pytest.mark.attack("AU-07")
async def test_the_code_of_another_user_proves_nobody(totp: Totp, source: Static) -> None:
    assert error(await totp.finish(step(known=await alice(source), code=code(key=OTHER_KEY)))) == "wrong_code"


@pytest.mark.attack("AU-10")
@pytest.mark.parametrize("form", [{}, {"code": ""}, {"code": " - "}, {"otp": "000000"}])
async def test_a_missing_code_is_asked_for(totp: Totp, source: Static, form: dict[str, Any]) -> None:
    assert error(await totp.finish(step(known=await alice(source), **form))) == "missing_code"


@pytest.mark.attack("AU-07")
@pytest.mark.parametrize("typed", ["12345", "1234567", "abcdef", "\0" * 6, "é" * 6, "9" * 5000, "٠١٢٣٤٥"])
async def test_what_is_no_code_is_a_wrong_code(totp: Totp, source: Static, typed: str) -> None:
    assert error(await totp.finish(step(known=await alice(source), code=typed))) == "wrong_code"


@pytest.mark.attack("AU-07", "AU-10")
async def test_who_is_not_known_or_has_no_app_is_not_let_through(totp: Totp, source: Static) -> None:
    bob = await source.load("b2")
    foreign = replace(await alice(source), subject=replace((await alice(source)).subject, source="other"))
    for known in (None, bob, foreign):
        assert error(await totp.begin(step(known=known))) == "not_enrolled"
        assert error(await totp.finish(step(known=known, code=code()))) == "not_enrolled"


async def test_a_user_who_left_is_not_let_through(totp: Totp, source: Static) -> None:
    dave = await source.load("d4")
    assert dave is not None
    assert error(await totp.finish(step(known=replace(dave, active=True), code=code()))) == "wrong_code"


@pytest.mark.attack("AU-20")
@pytest.mark.parametrize("method", ["load", "credential"])
async def test_a_source_that_does_not_answer_lets_nobody_in(totp: Totp, source: Static, method: str) -> None:
    known = await alice(source)

    async def fail(*_: object) -> None:
        raise SourceUnavailable

    setattr(source, method, fail)
    assert error(await totp.begin(step(known=known))) == "unavailable"
    assert error(await totp.finish(step(known=known, code=code()))) == "unavailable"


@pytest.mark.attack("AU-20")
async def test_a_store_that_does_not_answer_lets_nobody_in(totp: Totp, source: Static, store: Memory) -> None:
    async def fail(change: Change) -> bool:
        raise StoreUnavailable

    store.commit = fail  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await totp.finish(step(known=await alice(source), code=code()))
