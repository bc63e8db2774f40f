"""Name and password."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from appliance.parts.authenticators import AUTHENTICATORS
from appliance.parts.authenticators.password import Options, Password
from appliance.parts.sources.static import Static
from appliance.parts.stores.memory import Memory
from appliance.passwords import Passwords, TooBusy
from appliance.protocol.pages import LoginPage
from appliance.seams import Ask, Proved, Source, SourceUnavailable, Tools, User
from tests.parts.users import CHEAP, NOW, Clock, options, step, throttle, user

LONG = "Пароль-密码-🔑-" + "x" * 80


class Watched(Static):
    """Counts what it is asked to evaluate, and fails when told to."""

    def __init__(self, passwords: Passwords) -> None:
        users = options(
            a1=user("Alice", "alice@example.com"),
            b2=user("bob", active=False),
            c3=user("Seán O'Brien 🎻", password=LONG),
        )
        super().__init__(name="accounts", options=users, passwords=passwords)
        self.evaluated: list[User | None] = []
        self.failure: Exception | None = None

    async def check_password(self, user: User | None, password: str) -> bool:
        if self.failure:
            raise self.failure
        self.evaluated.append(user)
        return await super().check_password(user, password)


@pytest.fixture
def source() -> Iterator[Watched]:
    """Alice, Bob who left, and a name of many signs."""
    pool = Passwords(CHEAP)
    yield Watched(pool)
    pool.close()


@pytest.fixture
def password(source: Watched) -> Password:
    """The authenticator, on a throttle of five failures."""
    return made(source)


def made(source: Source) -> Password:
    """An authenticator on a source."""
    tools = Tools(clock=Clock(), entropy=bytes)
    store = Memory(tools)
    return Password(
        name="login",
        options=Options("accounts"),
        source=source,
        throttle=throttle(store),
        store=store,
        tools=tools,
    )


def page(result: Ask | Proved) -> LoginPage:
    """The page that was answered."""
    assert isinstance(result, Ask) and isinstance(result.page, LoginPage)
    return result.page


def test_the_catalogue_names_it() -> None:
    assert AUTHENTICATORS["password"] is Password
    assert (Password.name, Password.step) == ("password", "login")


async def test_it_begins_with_the_hint_or_the_known_name(password: Password, source: Watched) -> None:
    assert page(await password.begin(step(hint="ali"))) == LoginPage(login="ali", login_fixed=False, error="")
    alice = await source.find("alice")
    shown = page(await password.begin(step(hint="other", known=alice)))
    assert shown == LoginPage(login="Alice", login_fixed=True, error="")


@pytest.mark.spec("RFC 8176", "2")
@pytest.mark.parametrize("login", ["alice", " ALICE ", "Alice@example.com"])
async def test_the_right_password_proves_the_user(password: Password, login: str) -> None:
    proved = await password.finish(step(username=login, password="right"))
    assert isinstance(proved, Proved)
    assert (proved.user.subject.id, proved.amr) == ("a1", ("pwd",))


@pytest.mark.attack("MA-11")
async def test_names_and_passwords_of_every_kind_are_accepted(password: Password) -> None:
    proved = await password.finish(step(username="seán o'brien 🎻", password=LONG))
    assert isinstance(proved, Proved) and proved.user.subject.id == "c3"


@pytest.mark.attack("AU-10", "AU-13")
@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "missing_login"),
        ({"password": "right"}, "missing_login"),
        ({"username": " ", "password": "right"}, "missing_login"),
        ({"username": "alice"}, "missing_password"),
        ({"username": "alice", "password": ""}, "missing_password"),
        ({"username": "alice", "otp": "right", "step": "done", "user": "a1"}, "missing_password"),
    ],
)
async def test_what_is_missing_is_asked_for_and_nothing_is_evaluated(
    password: Password, source: Watched, form: dict[str, Any], error: str
) -> None:
    assert page(await password.finish(step(**form))).error == error
    assert source.evaluated == []


@pytest.mark.attack("AU-15")
@pytest.mark.parametrize(
    ("login", "typed"), [("alice", "wrong"), ("nobody", "right"), ("bob", "right"), ("ali\u200bce", "right")]
)
async def test_every_failure_is_the_same_answer_after_one_evaluation(
    password: Password, source: Watched, login: str, typed: str
) -> None:
    shown = page(await password.finish(step(username=login, password=typed)))
    assert shown == LoginPage(login=login, login_fixed=False, error="wrong_credentials")
    assert len(source.evaluated) == 1


@pytest.mark.attack("AU-02")
@pytest.mark.parametrize("login", ["alice", "nobody"])
async def test_after_five_failures_nothing_more_is_evaluated_for_known_and_unknown_names_alike(
    password: Password, source: Watched, login: str
) -> None:
    errors = [
        page(await password.finish(step(username=login, password="wrong", peer=f"192.0.2.{n}"))).error
        for n in range(20)
    ]
    assert errors == ["wrong_credentials"] * 5 + ["throttled"] * 15
    assert page(await password.finish(step(username=login, password="right", peer="198.51.100.1"))).error == "throttled"
    assert len(source.evaluated) == 5
    assert isinstance(await password.finish(step(username="c3", password="right")), Ask)


@pytest.mark.attack("AU-04")
async def test_spellings_and_aliases_of_a_name_share_one_counter(password: Password, source: Watched) -> None:
    spellings = ["alice", "ALICE", "alice@example.com", " alice", "ａlice", "Alice@Example.Com", "AlIcE"]
    errors = [page(await password.finish(step(username=one, password="wrong"))).error for one in spellings]
    assert errors == ["wrong_credentials"] * 5 + ["throttled"] * 2
    unknown = ["nobody", "NOBODY", " nobody", "ｎobody", "NoBody ", "nobody"]
    errors = [page(await password.finish(step(username=one, password="wrong"))).error for one in unknown]
    assert errors == ["wrong_credentials"] * 5 + ["throttled"]


@pytest.mark.attack("AU-03")
async def test_one_password_on_a_thousand_names_is_throttled_by_address(password: Password, source: Watched) -> None:
    for n in range(1000):
        await password.finish(step(username=f"user{n}", password="Winter2026"))
    assert len(source.evaluated) == 50


@pytest.mark.attack("AU-08")
async def test_of_a_hundred_parallel_guesses_five_are_evaluated(password: Password, source: Watched) -> None:
    guesses = (password.finish(step(username="alice", password="wrong", peer=f"192.0.2.{n}")) for n in range(100))
    await asyncio.gather(*guesses)
    assert len(source.evaluated) == 5


async def test_success_clears_the_failures(password: Password) -> None:
    for _ in range(3):
        for _ in range(4):
            assert isinstance(await password.finish(step(username="alice", password="wrong")), Ask)
        assert isinstance(await password.finish(step(username="alice", password="right")), Proved)


@pytest.mark.parametrize("typed", ["", "alice", "ALICE@example.com"])
async def test_re_authentication_proves_the_known_user(password: Password, source: Watched, typed: str) -> None:
    alice = await source.find("alice")
    proved = await password.finish(step(known=alice, username=typed, password="right"))
    assert isinstance(proved, Proved) and proved.user.subject.id == "a1"


@pytest.mark.attack("AU-10")
@pytest.mark.parametrize(
    ("typed", "secret"),
    [("Seán O'Brien 🎻", LONG), ("nobody", "right"), ("Seán O'Brien 🎻", "right"), ("\0", "right")],
)
async def test_re_authentication_refuses_any_other_name(
    password: Password, source: Watched, typed: str, secret: str
) -> None:
    alice = await source.find("alice")
    shown = page(await password.finish(step(known=alice, username=typed, password=secret)))
    assert shown == LoginPage(login="Alice", login_fixed=True, error="wrong_credentials")


async def test_re_authentication_refuses_a_user_who_left_or_belongs_to_another_source(
    password: Password, source: Watched
) -> None:
    alice, bob = await source.find("alice"), await source.find("bob")
    assert alice is not None and bob is not None
    stale = replace(bob, active=True)
    foreign = replace(alice, subject=replace(alice.subject, source="other"))
    for known in (stale, foreign, replace(alice, subject=replace(alice.subject, id="gone"))):
        assert page(await password.finish(step(known=known, password="right"))).error == "wrong_credentials"


@pytest.mark.attack("AU-14", "AU-20")
@pytest.mark.parametrize(("failure", "error"), [(SourceUnavailable(), "unavailable"), (TooBusy(), "throttled")])
async def test_a_source_that_does_not_answer_lets_nobody_in_and_costs_no_attempt(
    password: Password, source: Watched, failure: Exception, error: str
) -> None:
    source.failure = failure
    for _ in range(20):
        assert page(await password.finish(step(username="alice", password="right"))).error == error
    source.failure = None
    assert isinstance(await password.finish(step(username="alice", password="right")), Proved)


@pytest.mark.attack("AU-20")
async def test_a_source_that_cannot_look_up_lets_nobody_in(password: Password, source: Watched) -> None:
    async def fail(login: str) -> User | None:
        raise SourceUnavailable

    source.find = fail  # type: ignore[method-assign]
    assert page(await password.finish(step(username="alice", password="right"))).error == "unavailable"


async def test_a_very_long_name_is_cut_on_the_page(password: Password) -> None:
    shown = page(await password.finish(step(username="a" * 5000, password="x", at=NOW)))
    assert (len(shown.login), shown.error) == (256, "wrong_credentials")
