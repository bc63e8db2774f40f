"""What every source keeps to, whoever wrote its users down; and what those keep to that make accounts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from appliance.config.rules.sign_up_rules import MAKERS
from appliance.parts.sources import SOURCES
from appliance.parts.sources.static import Static
from appliance.parts.sources.store import Accounts, Options
from appliance.parts.stores.memory import Memory
from appliance.parts.stores.sqlite import Sqlite
from appliance.parts.stores.sqlite.encoding import encode
from appliance.passwords import Passwords
from appliance.protocol.authorization import Subject
from appliance.protocol.stored_users import StoredUser
from appliance.seams import AccountMaker, LoginTaken, NewAccount, Source, Store, Tools, User
from tests.parts.users import CHEAP, Clock, options, user

PASSWORD = "correct horse battery"
#: Spellings of "Älice Smith" that mean her, and names that are somebody else's or nobody's.
SPELLINGS = ("Älice Smith", "älice smith", "ÄLICE SMITH", " älice smith ", "A\u0308lice Smith", "Älice　Smith")
OTHERS = ("", " ", "Alice Smith", "älice smıth", "älice\u200bsmith", "Älice\0Smith", "Äliсe Smith", "x" * 300)


@dataclass
class Bench:
    """A source with one user, and what it was opened on."""

    source: Source
    passwords: Passwords
    store: Store
    tools: Tools

    async def known(self) -> User:
        """The user."""
        found = await self.source.find(SPELLINGS[0])
        assert found is not None
        return found


def new(login: str, password: str, attributes: dict[str, object], key: str = "form-1") -> NewAccount:
    """A request for an account."""
    return NewAccount(login, password, attributes, key)


def entropy() -> Callable[[int], bytes]:
    """Bytes that never come twice."""
    count = iter(range(1, 1 << 30))
    return lambda length: next(count).to_bytes(length, "big")


def accounts(bench_store: Store, passwords: Passwords, tools: Tools, name: str = "people", **more: Any) -> Accounts:
    """A source of kind `store`."""
    settings: dict[str, Any] = {"password_min_length": 8, "blocked_passwords": (), "locked_logins": ()} | more
    return Accounts(name=name, options=Options(**settings), passwords=passwords, store=bench_store, tools=tools)


async def open_static(store: Store, passwords: Passwords, tools: Tools) -> Source:
    return Static(name="people", options=options(a1=user(SPELLINGS[0], password=PASSWORD)), passwords=passwords)


async def open_accounts(store: Store, passwords: Passwords, tools: Tools) -> Source:
    source = accounts(store, passwords, tools)
    await source.make_account(new(SPELLINGS[0], PASSWORD, {"email": "x@example.com"}))
    return source


OPENERS: dict[str, Callable[[Store, Passwords, Tools], Awaitable[Source]]] = {
    "static": open_static,
    "store": open_accounts,
}
#: Kinds whose users live elsewhere and that have a suite of their own.
ELSEWHERE: frozenset[str] = frozenset(SOURCES) - {*OPENERS}


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each store that a source may keep its users in."""
    tools = Tools(clock=Clock(), entropy=entropy())
    opened: Store = Memory(tools) if request.param == "memory" else Sqlite(tmp_path / "op.sqlite", "normal", tools)
    yield opened
    await opened.close()


@pytest.fixture
async def bench(store: Store, kind: str) -> AsyncIterator[Bench]:
    """A source of the kind."""
    tools = Tools(clock=Clock(), entropy=entropy())
    passwords = Passwords(CHEAP)
    yield Bench(await OPENERS[kind](store, passwords, tools), passwords, store, tools)
    passwords.close()


EACH = pytest.mark.parametrize("kind", OPENERS)
MAKER = pytest.mark.parametrize("kind", sorted(MAKERS))


def maker(bench: Bench) -> Accounts:
    """The source as one that makes accounts."""
    assert isinstance(bench.source, Accounts)
    return bench.source


@pytest.mark.spec("Initiating User Registration via OpenID Connect", "4.1")
def test_the_rules_and_the_catalogue_agree_on_who_makes_accounts() -> None:
    makers = {name for name, part in SOURCES.items() if hasattr(part, "make_account")}
    assert makers == MAKERS
    assert {*OPENERS} <= {*SOURCES}


@EACH
@pytest.mark.attack("AU-04", "AU-05")
@pytest.mark.parametrize("typed", SPELLINGS)
async def test_every_spelling_of_a_name_leads_to_one_account(bench: Bench, typed: str) -> None:
    found = await bench.source.find(typed)
    assert found is not None and found.login == SPELLINGS[0]
    assert found.subject == (await bench.known()).subject and found.subject.source == "people"


@EACH
@pytest.mark.attack("AU-05")
@pytest.mark.parametrize("typed", OTHERS, ids=repr)
async def test_other_names_lead_nowhere(bench: Bench, typed: str) -> None:
    assert await bench.source.find(typed) is None


@EACH
async def test_it_loads_by_id_and_by_nothing_else(bench: Bench) -> None:
    known = await bench.known()
    again = await bench.source.load(known.subject.id)
    assert again == known and again.active and again.attributes["email"] == "x@example.com"
    for other in ("", SPELLINGS[0], known.subject.id + "x", "x\0", "../etc/passwd"):
        assert await bench.source.load(other) is None


@EACH
async def test_only_the_right_password_passes(bench: Bench) -> None:
    known = await bench.known()
    assert await bench.source.check_password(known, PASSWORD)
    for wrong in ("", "Correct horse battery", PASSWORD + " ", "x" * 5000, "\udcff"):
        assert not await bench.source.check_password(known, wrong)
    assert not await bench.source.check_password(None, PASSWORD)
    stranger = User(Subject("elsewhere", known.subject.id), known.login, {}, active=True)
    assert not await bench.source.check_password(stranger, PASSWORD)
    assert await bench.source.credential(stranger, "totp") is None


@EACH
async def test_no_user_costs_a_hash_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    plain = bench.passwords.verify

    async def watched(encoded: str | None, password: str, decoy: str | None = None) -> Any:
        asked.append(encoded)
        return await plain(encoded, password, decoy)

    monkeypatch.setattr(bench.passwords, "verify", watched)
    await bench.source.check_password(None, PASSWORD)
    await bench.source.check_password(await bench.known(), PASSWORD)
    assert asked[0] is None and asked[1] is not None


@MAKER
async def test_an_account_has_what_was_typed_and_an_id_of_its_own(bench: Bench) -> None:
    assert isinstance(bench.source, AccountMaker)
    made = await bench.source.make_account(new(" Bob ", PASSWORD, {"profile": {"name": "Bob"}, "id": "evil"}))
    assert made.login == "Bob" and made.active
    assert made.attributes == {"profile": {"name": "Bob"}, "id": made.subject.id, "login": "Bob"}
    assert made.subject.id not in ("evil", (await bench.known()).subject.id)
    assert await bench.source.load(made.subject.id) == made == await bench.source.find("bob")


@MAKER
@pytest.mark.attack("AU-04", "AU-05")
@pytest.mark.parametrize("typed", SPELLINGS)
async def test_a_name_is_given_once_however_it_is_spelt(bench: Bench, typed: str) -> None:
    with pytest.raises(LoginTaken):
        await maker(bench).make_account(new(typed, "another good password", {"email": "thief@example.com"}))
    known = await bench.known()
    assert known.attributes["email"] == "x@example.com"
    assert await bench.source.check_password(known, PASSWORD)
    assert not await bench.source.check_password(known, "another good password")


@MAKER
async def test_of_many_who_ask_at_once_one_gets_the_name(bench: Bench) -> None:
    names = ["Carol", "carol", "CAROL", "ｃarol", " carol"]
    asked = [
        maker(bench).make_account(new(name, PASSWORD, {}, key=f"form-{number}"))
        for number, name in enumerate(names * 4)
    ]
    ends = await asyncio.gather(*asked, return_exceptions=True)
    made = [end for end in ends if isinstance(end, User)]
    assert len(made) == 1 and sum(isinstance(end, LoginTaken) for end in ends) == len(ends) - 1
    assert await bench.source.find("carol") == made[0]


@MAKER
async def test_a_form_that_is_sent_twice_makes_one_account(bench: Bench) -> None:
    asked = new("Carol", PASSWORD, {"email": "c@example.com"}, key="form-7")
    first, second = await asyncio.gather(*(maker(bench).make_account(asked) for _ in range(2)))
    assert first == second == await maker(bench).make_account(asked)
    for other in (new("Carol", PASSWORD, {}, key="form-8"), new("Carol", "another good password", {}, key="form-7")):
        with pytest.raises(LoginTaken):
            await maker(bench).make_account(other)
    more = await maker(bench).make_account(new("Dave", PASSWORD, {}, key="form-7"))
    assert more.subject != first.subject


@MAKER
async def test_the_stored_record_has_a_hash_and_not_the_password(bench: Bench) -> None:
    record = await bench.store.get(StoredUser, (await bench.known()).subject.id)
    assert record is not None and record.password.startswith("$argon2id$")
    assert PASSWORD.encode() not in encode(record)
    assert record.password not in repr(record)


@MAKER
async def test_another_source_in_the_same_store_has_names_of_its_own(bench: Bench) -> None:
    other = accounts(bench.store, bench.passwords, bench.tools, name="others")
    known = await bench.known()
    assert await other.find(known.login) is None and await other.load(known.subject.id) is None
    made = await other.make_account(new(known.login, "another good password", {}))
    assert made.subject != known.subject
    assert not await other.check_password(known, PASSWORD)
    assert await bench.source.load(made.subject.id) is None


@MAKER
async def test_a_locked_name_cannot_be_taken_and_its_owner_is_out(bench: Bench) -> None:
    known = await bench.known()
    locked = accounts(bench.store, bench.passwords, bench.tools, locked_logins=("ÄLICE smith", "Admin"))
    assert dict(locked.account_faults("ＡＤＭＩＮ", PASSWORD)) == {"login": "unusable_login"}
    with pytest.raises(ValueError, match="faults"):
        await locked.make_account(new("admin", PASSWORD, {}))
    found = await locked.load(known.subject.id)
    assert found is not None and not found.active
    assert not await locked.check_password(known, PASSWORD)
    with pytest.raises(ValueError, match="locked login"):
        accounts(bench.store, bench.passwords, bench.tools, locked_logins=("a\0",))


@MAKER
async def test_a_hash_of_an_older_cost_is_renewed_by_a_login(bench: Bench) -> None:
    known = await bench.known()
    before = await bench.store.get(StoredUser, known.subject.id)
    dearer = Passwords(replace(CHEAP, memory_kib=128))
    assert not await accounts(bench.store, dearer, bench.tools).check_password(known, "wrong")
    assert await bench.store.get(StoredUser, known.subject.id) == before
    assert await accounts(bench.store, dearer, bench.tools).check_password(known, PASSWORD)
    after = await bench.store.get(StoredUser, known.subject.id)
    assert after is not None and before is not None and "m=128" in after.password
    assert replace(after, password="") == replace(before, password="")
    assert await bench.source.check_password(known, PASSWORD)
    dearer.close()


@MAKER
@pytest.mark.parametrize("login", ["", " ", "a\0", "a\u200bb", "x" * 257, "\u202eanna"], ids=repr)
async def test_names_that_nobody_can_have_are_refused(bench: Bench, login: str) -> None:
    assert maker(bench).account_faults(login, PASSWORD)["login"] == "unusable_login"


async def test_accounts_outlive_the_process(tmp_path: Path) -> None:
    tools = Tools(clock=Clock(), entropy=entropy())
    passwords = Passwords(CHEAP)
    first = Sqlite(tmp_path / "op.sqlite", "normal", tools)
    made = await accounts(first, passwords, tools).make_account(new("Anna", PASSWORD, {"email": "a@b.example"}))
    await first.sweep(tools.clock() + 100 * 365 * 86400)
    await first.close()
    second = Sqlite(tmp_path / "op.sqlite", "normal", tools)
    source = accounts(second, passwords, tools)
    assert await source.find("anna") == made and await source.check_password(made, PASSWORD)
    with pytest.raises(LoginTaken):
        await source.make_account(new("ANNA", "another good password", {}))
    await second.close()
    passwords.close()
