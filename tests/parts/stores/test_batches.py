"""What is asked of the database file at once is done at once, and as if it were done one after the other."""

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.parts.stores.sqlite import Sqlite, batch, writer
from appliance.protocol.records import Attempts, Record, Session, Used
from appliance.seams import Change, Store, StoreUnavailable
from tests.parts.stores import records
from tests.parts.stores.conftest import Bench

NOW = 1_000_000.0
KINDS: tuple[type[Record], ...] = (Session, Attempts)
IDS = ("a", "b", "c")
#: Expired from the start, soon, and not within a test.
ENDS = (NOW, NOW + 3, NOW + 500)


class Traced:
    """A store whose statements are seen."""

    def __init__(self, store: Sqlite) -> None:
        self.store = store
        self.statements: list[str] = []
        connection = store._writer._connection
        assert connection is not None
        connection.set_trace_callback(self.statements.append)

    async def at_once(self, *asked: Awaitable[Any]) -> list[Any]:
        """The results of what is asked in one turn of the loop; 256 tasks of it are one transaction."""
        self.statements.clear()
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert self.statements[0] == "BEGIN IMMEDIATE"
        assert len(asked) > 256 or self.statements.count("BEGIN IMMEDIATE") == 1
        return results

    def edit(self, statement: str, *values: object) -> Awaitable[Any]:
        """Run a statement of one's own."""
        return self.store._writer.run(lambda connection: connection.execute(statement, values).fetchall())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database lies."""
    return tmp_path / "state.db"


@pytest.fixture
async def traced(path: Path) -> AsyncIterator[Traced]:
    """An empty database."""
    store = Sqlite(path, "normal", Bench("sqlite", path.parent).tools)
    yield Traced(store)
    await store.close()


@pytest.mark.attack("CD-01", "RF-02")
async def test_of_two_changes_at_once_that_expect_the_same_record_one_wins(traced: Traced) -> None:
    first = records.attempts(failures=0)
    await traced.store.commit(Change(put=(first,)))
    swaps = [Change(expect=(first,), put=(replace(first, failures=n), records.used(f"u{n}"))) for n in (1, 2)]
    assert await traced.at_once(*map(traced.store.commit, swaps)) == [True, False]
    assert await traced.store.get(Attempts, "a1") == replace(first, failures=1)
    assert [one.id for one in await traced.store.page(Used)] == ["u1"]


async def test_a_chain_of_swaps_at_once_holds_link_by_link(traced: Traced) -> None:
    links = [records.attempts(failures=n) for n in range(20)]
    await traced.store.commit(Change(put=links[:1]))
    swaps = [Change(expect=(old,), put=(new,)) for old, new in pairwise(links)]
    assert await traced.at_once(*map(traced.store.commit, swaps)) == [True] * 19
    assert await traced.store.get(Attempts, "a1") == links[-1]


async def test_what_is_put_and_taken_at_once_is_taken_once(traced: Traced) -> None:
    put = traced.store.commit(Change(put=(records.used(),)))
    takes = [traced.store.take(Used, "u1") for _ in range(4)]
    again = traced.store.commit(Change(put=(records.used(),)))
    done = await traced.at_once(takes[0], put, *takes[1:3], again, takes[3])
    assert done == [None, True, records.used(), None, True, records.used()]
    assert await traced.store.get(Used, "u1") is None


@pytest.mark.parametrize("there", [True, False])
async def test_a_record_deleted_and_put_at_once_is_as_it_was_put(traced: Traced, there: bool) -> None:
    old, new = records.session(user="old"), records.session(user="new")
    await traced.store.commit(Change(put=(old,) if there else ()))
    changes = (Change(put=(old,)), Change(delete=(old,)), Change(put=(new,), absent=(new,)), Change(absent=(new,)))
    assert await traced.at_once(*map(traced.store.commit, changes)) == [True, True, True, False]
    assert await traced.store.find(Session, "user", "new") == (new,)
    assert await traced.store.find(Session, "user", "old") == ()
    changes = (Change(put=(old,)), Change(delete=(old,)))
    assert await traced.at_once(*map(traced.store.commit, changes)) == [True, True]
    assert await traced.store.page(Session) == ()


async def test_of_two_changes_at_once_that_want_to_be_first_one_is(traced: Traced) -> None:
    mine, yours = records.attempts(failures=1), records.attempts(failures=2)
    changes = [Change(absent=(one,), put=(one,)) for one in (mine, yours)]
    assert await traced.at_once(*map(traced.store.commit, changes)) == [True, False]
    assert await traced.store.get(Attempts, "a1") == mine


async def test_a_deletion_by_index_meets_what_was_put_before_it_and_not_after(traced: Traced) -> None:
    before, after = records.session("s1", user="x"), records.session("s2", user="x")
    done = await traced.at_once(
        traced.store.commit(Change(put=(before,))),
        traced.store.delete_by((Session,), "user", "x"),
        traced.store.commit(Change(expect=(before,), put=(records.used("never"),))),
        traced.store.commit(Change(absent=(before,), put=(after,))),
        traced.store.take(Session, "s1"),
    )
    assert done == [True, 1, False, True, None]
    assert await traced.store.find(Session, "user", "x") == (after,)
    assert await traced.store.get(Used, "never") is None


async def test_a_record_that_has_ended_when_it_is_put_counts_as_absent_at_once(traced: Traced) -> None:
    ended, live = records.attempts(failures=1, expires_at=NOW), records.attempts(failures=2)
    done = await traced.at_once(
        traced.store.commit(Change(put=(ended,))),
        traced.store.commit(Change(expect=(ended,))),
        traced.store.take(Attempts, "a1"),
        traced.store.commit(Change(absent=(ended,), put=(live,))),
        traced.store.commit(Change(absent=(ended,))),
    )
    assert done == [True, False, None, True, False]
    assert await traced.store.get(Attempts, "a1") == live


async def test_a_body_that_cannot_be_read_concerns_its_own_change_only(traced: Traced) -> None:
    bad, good = records.attempts("a1"), records.attempts("a2")
    await traced.store.commit(Change(put=(bad, good)))
    await traced.edit("UPDATE records SET body = x'80' WHERE id = 'a1'")
    done = await traced.at_once(
        traced.store.commit(Change(put=(records.used("u1"),))),
        traced.store.commit(Change(expect=(good, bad), put=(records.used("u2"),), delete=(good,))),
        traced.store.commit(Change(expect=(good,), put=(replace(good, failures=9),))),
        traced.store.commit(Change(absent=(bad,))),
        traced.store.commit(Change(put=(bad,))),
        traced.store.commit(Change(expect=(bad,), put=(replace(bad, failures=9),))),
    )
    assert isinstance(done[1], StoreUnavailable)
    assert done[:1] + done[2:] == [True, True, False, True, True]
    assert [one.id for one in await traced.store.page(Used)] == ["u1"]
    assert [one.failures for one in await traced.store.page(Attempts)] == [9, 9]


@pytest.mark.parametrize("number", [1, 2, 63, 64, 65, 255, 256, 257, 700])
async def test_any_number_of_changes_at_once_are_all_done(traced: Traced, number: int) -> None:
    old = [records.session(f"s{n:03}", user="old") for n in range(number)]
    kept = [replace(one, login="Other") for one in old]
    moved = [replace(one, user="new") for one in kept]
    for width in (1, 3):  # records a change
        for before, after, user in ((None, old, "old"), (old, kept, "old"), (kept, moved, "new")):
            changes = []
            for n in range(0, number, width):
                put = tuple(after[n : n + width])
                expect = tuple(before[n : n + width]) if before else ()
                changes.append(Change(put=put, expect=expect, absent=() if before else put))
            assert all(await traced.at_once(*map(traced.store.commit, changes)))
            assert await traced.store.page(Session) == tuple(after)
            assert set(await traced.store.find(Session, "user", user)) == set(after)
        assert await traced.at_once(*(traced.store.take(Session, one.id) for one in moved)) == moved
        assert await traced.store.page(Session) == ()
        assert await traced.store.find(Session, "user", "new") == ()


async def test_fifty_changes_at_once_take_no_more_statements_than_one(traced: Traced) -> None:
    async def statements(ids: list[str]) -> list[int]:
        old = [records.session(one) for one in ids]
        counts = []
        for changes in (
            [Change(put=(one,)) for one in old],
            [Change(put=(replace(one, login="Other"),), expect=(one,)) for one in old],
            [Change(delete=(one,)) for one in old],
            [Change(expect=(one,)) for one in old],
        ):
            await traced.at_once(*map(traced.store.commit, changes))
            counts.append(len(traced.statements))
        return counts

    # To begin, to read what is looked at, to write if anything is written, to commit.
    assert await statements(["one"]) == [3, 4, 4, 3]
    assert await statements([f"s{n}" for n in range(50)]) == [3, 4, 4, 3]


async def test_records_put_without_a_look_replace_what_is_there_among_what_is_not(traced: Traced) -> None:
    there = [records.session(f"s{n:02}", user="old") for n in range(0, 30, 3)]
    await traced.store.commit(Change(put=tuple(there)))
    put = [records.session(f"s{n:02}", user="new" if n % 2 else "old") for n in range(30)]
    assert await traced.at_once(*(traced.store.commit(Change(put=(one,))) for one in put)) == [True] * 30
    assert await traced.store.page(Session) == tuple(put)
    for user, odd in (("old", 0), ("new", 1)):
        assert set(await traced.store.find(Session, "user", user)) == set(put[odd::2])


async def test_no_statement_of_a_batch_reads_the_whole_table(traced: Traced) -> None:
    for statement in (batch._select, batch._delete, batch._update, batch._insert, batch._insert_new):
        for size in (1, 8, 64):
            text = statement(size)
            plan = await traced.edit(f"EXPLAIN QUERY PLAN {text}", *[None] * text.count("?"))
            assert not [step for *_, step in plan if step.startswith("SCAN records")], text


@pytest.mark.parametrize("when", ["INSERT", "UPDATE OF body", "DELETE"])
async def test_a_failure_in_the_middle_of_a_statement_undoes_all_that_was_asked(traced: Traced, when: str) -> None:
    there = tuple(records.session(f"s{n}") for n in range(8))
    await traced.store.commit(Change(put=there))
    row = "NEW" if when == "INSERT" else "OLD"
    await traced.edit(
        f"CREATE TRIGGER broken BEFORE {when} ON records WHEN {row}.id IN ('s5', 'n5') "
        "BEGIN SELECT RAISE(FAIL, 'broken'); END"
    )
    changed = [replace(one, login="Other") for one in there]
    done = await traced.at_once(
        *[traced.store.commit(Change(put=(records.session(f"n{n}"),))) for n in range(8)],
        *[traced.store.commit(Change(expect=(old,), put=(new,))) for old, new in zip(there, changed, strict=True)],
        *[traced.store.take(Session, one.id) for one in there],
    )
    await traced.edit("DROP TRIGGER broken")
    if when == "UPDATE OF body":  # what is taken in the end is never updated
        assert done == [True] * 16 + changed
        return
    assert [str(one) for one in done] == ["the database cannot be written: IntegrityError: broken"] * 24
    assert await traced.store.page(Session) == there
    assert await traced.store.commit(Change(put=(records.session("n5"),)))


async def test_a_disk_that_is_full_undoes_all_that_was_asked(traced: Traced) -> None:
    await traced.store.commit(Change(put=(records.used("u0"),)))
    await traced.edit("PRAGMA max_page_count = 1")
    big = records.interaction(parameters={"x": "y" * 50_000})
    asked = [traced.store.commit(Change(put=(records.used(f"u{n}"),))) for n in range(1, 20)]
    done = await traced.at_once(*asked, traced.store.take(Used, "u0"), traced.store.commit(Change(put=(big,))))
    assert all(isinstance(one, StoreUnavailable) for one in done)
    await traced.edit("PRAGMA max_page_count = 9999")
    assert [one.id for one in await traced.store.page(Used)] == ["u0"]


async def test_text_that_cannot_be_written_harms_no_neighbour_whatever_is_asked(traced: Traced) -> None:
    bad = records.used("\ud800")
    done = await traced.at_once(
        traced.store.commit(Change(put=(records.used("u1"),))),
        traced.store.take(Used, "\ud800"),
        traced.store.delete_by((Session,), "user", "\ud800"),
        *(traced.store.commit(change) for change in (Change(put=(bad,)), Change(expect=(bad,)), Change(absent=(bad,)))),
        traced.store.commit(Change(put=(records.used("u2"),))),
    )
    assert done[0] is True and done[-1] is True
    assert all(isinstance(one, UnicodeEncodeError) for one in done[1:-1])


class Held:
    """A store whose writer stands still: another process writes."""

    def __init__(self, traced: Traced, path: Path) -> None:
        self.traced = traced
        self._other = sqlite3.connect(path, isolation_level=None)
        self.asked: list[asyncio.Future[bool]] = []

    async def hold(self) -> None:
        """Ask for a first record and wait until the writer waits with it."""
        self._other.execute("BEGIN IMMEDIATE")
        began, loop = asyncio.Event(), asyncio.get_running_loop()
        connection = self.traced.store._writer._connection
        assert connection is not None
        self.traced.statements.clear()

        def trace(statement: str) -> None:
            self.traced.statements.append(statement)
            loop.call_soon_threadsafe(began.set)

        connection.set_trace_callback(trace)
        await self.ask("first")
        await began.wait()

    async def ask(self, name: str) -> None:
        """Ask for another record, in a turn of the loop of its own."""
        self.asked.append(asyncio.ensure_future(self.traced.store.commit(Change(put=(records.used(name),)))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def release(self) -> list[str]:
        """What came of what was asked."""
        self._other.execute("ROLLBACK")
        self._other.close()
        return [str(one) for one in await asyncio.gather(*self.asked, return_exceptions=True)]


async def test_what_is_asked_while_an_answer_is_awaited_goes_together(
    traced: Traced, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "JOIN_WITHIN", 60.0)
    held = Held(traced, path)
    await held.hold()
    for number in range(5):
        await held.ask(f"u{number}")
    assert await held.release() == ["True"] * 6
    assert traced.statements.count("COMMIT") == 2


async def test_what_waited_too_long_is_refused_and_its_neighbours_are_not(
    traced: Traced, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "JOIN_WITHIN", -1.0)  # each turn is handed over when the next one begins
    held = Held(traced, path)
    await held.hold()
    await held.ask("u1")
    with monkeypatch.context() as patched:
        patched.setattr(writer, "START_WITHIN", -1.0)
        await held.ask("late")
    await held.ask("u2")
    await held.ask("u3")
    assert await held.release() == ["True", "True", "the database is too busy", "True", "True"]
    assert [one.id for one in await traced.store.page(Used)] == ["first", "u1", "u2", "u3"]
    assert traced.statements.count("COMMIT") < 5


async def test_a_disk_that_hangs_holds_up_no_answer(
    traced: Traced, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(traced, path)
    monkeypatch.setattr(writer, "ANSWER_WITHIN", 0.01)
    monkeypatch.setattr(writer, "JOIN_WITHIN", -1.0)
    await held.hold()
    for number in range(3):
        await held.ask(f"u{number}")
    told = await asyncio.gather(*held.asked, return_exceptions=True)
    assert [str(one) for one in told] == ["the database did not answer in time"] * 4
    await held.release()
    monkeypatch.undo()
    assert await traced.store.commit(Change(put=(records.used("after"),)))


@pytest.mark.parametrize("left", [1, 3])
def test_a_loop_that_ends_while_it_waits_holds_up_no_other(path: Path, left: int) -> None:
    store = Sqlite(path, "normal", Bench("sqlite", path.parent).tools)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def leave() -> None:
        for number in range(left):
            # Kept by nobody: it ends with its loop.
            asked = asyncio.ensure_future(store.commit(Change(put=(records.used(f"u{number}"),))))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not asked.done()

    async def stay() -> list[bool]:
        asked = [asyncio.ensure_future(store.commit(Change(put=(records.used(f"s{n}"),)))) for n in range(3)]
        await asyncio.sleep(0)
        other.execute("ROLLBACK")
        done = list(await asyncio.gather(*asked))
        done.append(await store.commit(Change(put=(records.used("s3"),))))
        await store.close()
        return done

    asyncio.run(leave())
    assert asyncio.run(stay()) == [True] * 4
    other.close()


async def test_a_library_too_old_for_the_statements_is_refused_in_words(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 32, 3))
    with pytest.raises(StoreUnavailable, match=r"SQLite 3\.33 or newer"):
        Sqlite(path, "normal", Bench("sqlite", path.parent).tools)


@dataclass(frozen=True)
class Verb:
    """Something asked of a store; its words are what a failing example shows."""

    words: str
    ask: Callable[[Store], Awaitable[Any]]
    #: Seconds that pass before it is asked.
    after: float


@st.composite
def stored(draw: Any) -> Record:
    """One of few records, so that expectations often hold."""
    key, end = draw(st.sampled_from(IDS)), draw(st.sampled_from(ENDS))
    if draw(st.booleans()):
        return records.session(key, user=draw(st.sampled_from("xy")), sid="z", expires_at=end)
    return records.attempts(key, draw(st.integers(0, 1)), expires_at=end)


@st.composite
def verbs(draw: Any) -> Verb:
    """Any verb that writes."""
    kind, key, after = draw(st.sampled_from(KINDS)), draw(st.sampled_from(IDS)), draw(st.sampled_from([0, 0, 0, 1]))
    which = draw(st.integers(0, 11))
    if which == 0:
        user = draw(st.sampled_from("xy"))
        return Verb(f"delete_by {user}", lambda store: store.delete_by(KINDS, "user", user), after)
    if which == 1:
        return Verb("sweep", lambda store: store.sweep(NOW + 1), after)
    if which == 2:
        return Verb("ping", lambda store: store.ping(), after)
    if which <= 5:
        return Verb(f"take {kind.kind} {key}", lambda store: store.take(kind, key), after)
    some = st.lists(stored(), max_size=2).map(tuple)
    rare = some if draw(st.booleans()) else st.just(())
    change = Change(put=draw(some), delete=draw(rare), expect=draw(rare), absent=draw(rare))
    return Verb(f"{change}", lambda store: store.commit(change), after)


async def agree(batches: list[list[Verb]], directory: Path) -> None:
    """Ask a database file at once what a dictionary is asked in turn, batch after batch."""
    file, plain = Bench("sqlite", directory), Bench("memory", directory)
    store, model = file.open(), plain.open()

    async def ask(bench: Bench, store: Store, verb: Verb) -> Any:
        bench.clock.now += verb.after
        return await verb.ask(store)

    for asked in batches:
        # Tasks start in the order in which they were made, so that each reads the clock as the model does.
        done = await asyncio.gather(*(ask(file, store, verb) for verb in asked))
        assert done == [await ask(plain, model, verb) for verb in asked]
        for kind in KINDS:
            assert await store.page(kind) == await model.page(kind)
        for user in "xy":
            found = await store.find(Session, "user", user)
            assert sorted(one.id for one in found) == sorted(one.id for one in await model.find(Session, "user", user))
    await store.close()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.lists(verbs(), min_size=1, max_size=12), min_size=1, max_size=4))
def test_what_is_asked_at_once_agrees_with_a_dictionary_asked_in_turn(batches: list[list[Verb]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(agree(batches, Path(directory)))
