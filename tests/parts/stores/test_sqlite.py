"""What the database file must withstand: other processes, sudden death, a full disk, old files."""

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.parts.stores.sqlite import Sqlite
from appliance.parts.stores.sqlite.schema import STEPS, VERSION
from appliance.protocol.records import Attempts, Record, Session, Used
from appliance.seams import Change, StoreUnavailable, Tools
from tests.house.source import ROOT
from tests.parts.stores import records

TOOLS = Tools(clock=lambda: 1_000_000.0, entropy=bytes)

# Each script gets the path of the database; it waits for a line on its input before it races.
RACER = """
import asyncio, json, sys
from dataclasses import replace
from appliance.parts.stores.sqlite import Sqlite
from appliance.protocol.records import Attempts, Used
from appliance.seams import Change
from tests.parts.stores.test_sqlite import TOOLS

async def main():
    store = Sqlite(sys.argv[1], "normal", TOOLS)
    print("ready", flush=True)
    sys.stdin.readline()
    taken, swapped = [], []
    for number in range(20):
        found = await asyncio.gather(*(store.take(Used, f"u{number}") for _ in range(8)))
        taken += [number] * sum(1 for one in found if one)
        first = await store.get(Attempts, f"a{number}")
        if first is not None and first.failures == 0:
            change = Change(expect=(first,), put=(replace(first, failures=1),))
            won = await asyncio.gather(*(store.commit(change) for _ in range(8)))
            swapped += [number] * won.count(True)
    print(json.dumps([taken, swapped]), flush=True)
    await store.close()

asyncio.run(main())
"""
WRITER = """
import asyncio, sys
from appliance.parts.stores.sqlite import Sqlite
from appliance.seams import Change
from tests.parts.stores import records
from tests.parts.stores.test_sqlite import TOOLS

async def main():
    store = Sqlite(sys.argv[1], "normal", TOOLS)
    async def write(line):
        number = line
        while True:
            await store.commit(Change(put=(records.session(f"s{number}", user="u"),)))
            print(f"s{number}", flush=True)
            number += 8
    await asyncio.gather(*(write(line) for line in range(8)))

asyncio.run(main())
"""
CRAMPED = """
import asyncio, json, resource, sys
from appliance.parts.stores.sqlite import Sqlite
from appliance.protocol.records import Session
from appliance.seams import Change, StoreUnavailable
from tests.parts.stores import records
from tests.parts.stores.test_sqlite import TOOLS

async def main():
    store = Sqlite(sys.argv[1], "normal", TOOLS)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    kept, refused = [], 0
    for number in range(400):
        try:
            await store.commit(Change(put=(records.session(f"s{number}", user="u" * 2000),)))
            kept.append(f"s{number}")
        except StoreUnavailable:
            refused += 1
    pinged = True
    try:
        await store.commit(Change(put=(records.interaction(parameters={"x": "y" * 300_000}),)))
    except StoreUnavailable:
        pinged = False
    readable = all([await store.get(Session, id) for id in kept])
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await store.ping()
    recovered = await store.commit(Change(put=(records.session("after"),)))
    await store.close()
    again = Sqlite(sys.argv[1], "normal", TOOLS)
    still = all([await again.get(Session, id) for id in [*kept, "after"]])
    await again.close()
    print(json.dumps([len(kept), refused, pinged, readable, recovered, still]))

asyncio.run(main())
"""


def start(script: str, path: Path) -> "subprocess.Popen[str]":
    """Another process that works on the same file."""
    return subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line(process: "subprocess.Popen[str]") -> str:
    """The next line that the process printed."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database lies."""
    return tmp_path / "state.db"


@pytest.mark.attack("CD-01", "RF-02")
async def test_two_processes_race_and_each_record_has_one_winner(path: Path) -> None:
    store = Sqlite(path, "normal", TOOLS)
    every: tuple[Record, ...] = tuple(records.used(f"u{n}") for n in range(20))
    every += tuple(records.attempts(f"a{n}", failures=0) for n in range(20))
    await store.commit(Change(put=every))
    racers = [start(RACER, path) for _ in range(2)]
    assert [line(racer) for racer in racers] == ["ready", "ready"]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    outcomes = [json.loads(line(racer)) for racer in racers]
    assert [racer.wait(60) for racer in racers] == [0, 0]
    assert sorted(outcomes[0][0] + outcomes[1][0]) == list(range(20))
    assert sorted(outcomes[0][1] + outcomes[1][1]) == list(range(20))
    assert [await store.get(Used, f"u{n}") for n in range(20)] == [None] * 20
    await store.close()


@pytest.mark.attack("CD-12", "RF-14")
async def test_a_killed_process_loses_nothing_that_was_acknowledged(path: Path) -> None:
    writer = start(WRITER, path)
    acknowledged = [line(writer) for _ in range(300)]
    writer.send_signal(signal.SIGKILL)
    assert writer.stdout is not None
    acknowledged += writer.stdout.read().split("\n")[:-1]
    writer.wait(60)
    store = Sqlite(path, "normal", TOOLS)
    missing = [one for one in acknowledged if await store.get(Session, one) is None]
    found = {one.id for one in await store.find(Session, "user", "u")}
    await store.close()
    assert len(acknowledged) >= 300
    assert missing == []
    assert set(acknowledged) <= found


def test_a_disk_without_room_makes_the_store_unavailable_and_it_recovers(path: Path) -> None:
    done = start(CRAMPED, path)
    out, _ = done.communicate(timeout=60)
    kept, refused, big_one, readable, recovered, still = json.loads(out)
    assert kept > 0 and refused > 0 and not big_one
    assert readable and recovered and still


async def test_a_database_that_may_not_grow_makes_the_store_unavailable_and_it_recovers(path: Path) -> None:
    store = Sqlite(path, "normal", TOOLS)
    await store._writer.run(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchall())
    with pytest.raises(StoreUnavailable):
        await store.commit(Change(put=(records.interaction(parameters={"x": "y" * 50_000}),)))
    await store._writer.run(lambda connection: connection.execute("PRAGMA max_page_count = 9999").fetchall())
    assert await store.commit(Change(put=(records.interaction(parameters={"x": "y" * 50_000}),)))
    await store.close()


async def test_the_file_and_its_side_files_are_the_owners_alone(path: Path) -> None:
    previous = os.umask(0)
    try:
        store = Sqlite(path, "normal", TOOLS)
        await store.commit(Change(put=(records.used(),)))
        modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    finally:
        os.umask(previous)
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
    await store.close()


async def test_a_file_that_others_may_read_is_closed_to_them(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT, 0o644))
    await Sqlite(path, "normal", TOOLS).close()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


@pytest.mark.parametrize("synchronous", ["normal", "full"])
async def test_a_second_store_on_the_file_sees_what_the_first_acknowledged(path: Path, synchronous: str) -> None:
    first, second = Sqlite(path, synchronous, TOOLS), Sqlite(path, synchronous, TOOLS)
    for number in range(10):
        await first.commit(Change(put=(records.attempts(failures=number),)))
        seen = await second.get(Attempts, "a1")
        assert seen is not None and seen.failures == number
        assert not await second.commit(Change(expect=(replace(seen, failures=99),)))
    level = await first._writer.run(lambda connection: connection.execute("PRAGMA synchronous").fetchall())
    assert level == [(1,) if synchronous == "normal" else (2,)]
    await first.close()
    await second.close()


async def test_a_lock_held_too_long_makes_the_store_unavailable_and_reads_go_on(path: Path) -> None:
    store = Sqlite(path, "normal", TOOLS)
    await store.commit(Change(put=(records.used(),)))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writes = [asyncio.ensure_future(store.commit(Change(put=(records.used(f"w{n}"),)))) for n in range(5)]
    started = asyncio.get_running_loop().time()
    await asyncio.sleep(0)
    assert await store.get(Used, "u1") is not None
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert all(isinstance(result, StoreUnavailable) for result in results)
    # One after the other they would wait for ten seconds.
    assert asyncio.get_running_loop().time() - started < 6
    other.execute("ROLLBACK")
    other.close()
    assert await store.commit(Change(put=(records.used("w9"),)))
    assert await store.get(Used, "w0") is None
    await store.close()


@pytest.mark.parametrize("name", ["none/state.db", "file/state.db", "."])
def test_a_place_where_no_file_can_be_makes_the_store_unavailable(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        Sqlite(tmp_path / name, "normal", TOOLS)


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_text("not a database" * 100)
    with pytest.raises(StoreUnavailable):
        Sqlite(path, "normal", TOOLS)


async def test_a_file_made_read_only_makes_the_store_unavailable(path: Path) -> None:
    store = Sqlite(path, "normal", TOOLS)
    # Root may write any file; SQLite's own switch has the same effect on the writer.
    await store._writer.run(lambda connection: connection.execute("PRAGMA query_only = 1").fetchall())
    with pytest.raises(StoreUnavailable):
        await store.ping()
    await store.close()


def test_a_file_of_a_newer_provider_is_refused_in_words(path: Path) -> None:
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()
    with pytest.raises(StoreUnavailable, match=f"newer version .* version {VERSION + 1}, .* up to {VERSION}"):
        Sqlite(path, "normal", TOOLS)


async def test_an_older_file_is_brought_up_to_date_and_keeps_its_records(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Sqlite(path, "normal", TOOLS)
    await old.commit(Change(put=(records.session(),)))
    await old.close()
    monkeypatch.setattr("appliance.parts.stores.sqlite.schema.STEPS", (*STEPS, ("CREATE TABLE extra (x)",)))
    monkeypatch.setattr("appliance.parts.stores.sqlite.schema.VERSION", VERSION + 1)
    for _ in range(2):
        newer = Sqlite(path, "normal", TOOLS)
        assert await newer.get(Session, "s1") == records.session()
        assert newer._reading.execute("SELECT * FROM extra").fetchall() == []
        await newer.close()


async def test_a_step_that_fails_leaves_the_older_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await Sqlite(path, "normal", TOOLS).close()
    broken = ("CREATE TABLE extra (x)", "CREATE TABLE records (x)")
    with monkeypatch.context() as patched:
        patched.setattr("appliance.parts.stores.sqlite.schema.STEPS", (*STEPS, broken))
        patched.setattr("appliance.parts.stores.sqlite.schema.VERSION", VERSION + 1)
        with pytest.raises(StoreUnavailable):
            Sqlite(path, "normal", TOOLS)
    store = Sqlite(path, "normal", TOOLS)
    with pytest.raises(sqlite3.OperationalError):
        store._reading.execute("SELECT * FROM extra")
    await store.close()


async def test_a_record_with_a_field_of_a_newer_provider_is_read_and_one_without_is_refused(
    path: Path,
) -> None:
    store = Sqlite(path, "normal", TOOLS)
    await store.commit(Change(put=(records.attempts("a1"), records.attempts("a2"), records.attempts("a3"))))
    update = "UPDATE records SET body = ? WHERE id = ?"
    # {"id": "a1", "issuer": "", "expires_at": 2e6, "failures": 1, "last_at": 1, "new": 1} in MessagePack.
    more = b"\x86\xa2id\xa2a1\xa6issuer\xa0\xaaexpires_at\xce\x00\x1e\x84\x80"
    more += b"\xa8failures\x01\xa7last_at\x01\xa3new\x01"
    await store._writer.run(lambda connection: connection.execute(update, (more, "a1")).fetchall())
    await store._writer.run(lambda connection: connection.execute(update, (b"\x80", "a2")).fetchall())
    found = await store.get(Attempts, "a1")
    assert found is not None and found.failures == 1
    with pytest.raises(StoreUnavailable):
        await store.get(Attempts, "a2")
    # A record that cannot be read fails its own change and no neighbour's.
    results = await asyncio.gather(
        store.commit(Change(expect=(records.attempts("a2"),))),
        store.commit(Change(expect=(records.attempts("a3"),))),
        return_exceptions=True,
    )
    assert isinstance(results[0], StoreUnavailable) and results[1] is True
    await store.close()


async def test_a_cancelled_asker_leaves_the_store_sound(path: Path) -> None:
    store = Sqlite(path, "normal", TOOLS)
    asked = [asyncio.ensure_future(store.commit(Change(put=(records.used(f"u{n}"),)))) for n in range(10)]
    await asyncio.sleep(0)
    for one in asked[::2]:
        one.cancel()
    assert await asyncio.gather(*asked[1::2]) == [True] * 5
    await store.ping()
    await store.close()


async def test_a_text_that_cannot_be_written_harms_no_neighbour(path: Path) -> None:
    store = Sqlite(path, "normal", TOOLS)
    results = await asyncio.gather(
        store.commit(Change(put=(records.used("u1"),))),
        store.commit(Change(delete=(records.used("\ud800"),))),
        store.commit(Change(put=(records.used("\ud800"),))),
        return_exceptions=True,
    )
    assert results[0] is True
    assert all(isinstance(result, UnicodeEncodeError) for result in results[1:])
    await store.close()


async def test_many_stores_that_start_at_once_all_open(path: Path) -> None:
    starts = (asyncio.to_thread(Sqlite, path, "normal", TOOLS) for _ in range(6))
    stores = await asyncio.gather(*starts)
    for store in stores:
        await store.ping()
    for store in stores:
        await store.close()
