"""Records in one database file: survives restarts, and several processes may share it.

Reads run in the event loop on a connection of their own (microseconds, and never behind a writer, thanks to
the write-ahead log); writes go through the writer's thread. What was acknowledged survives the death of the
process; `synchronous: full` makes it survive the death of the machine, for a flush to the disk per batch.
"""

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Final, TypeVar

from appliance.parts.stores.sqlite import tasks
from appliance.parts.stores.sqlite.encoding import encode, read_record
from appliance.parts.stores.sqlite.schema import migrate
from appliance.parts.stores.sqlite.writer import Writer
from appliance.protocol.records import Record
from appliance.seams import Change, StoreUnavailable, Tools

R = TypeVar("R", bound=Record)

#: How long a write waits for another process's, seconds.
WRITE_LOCK: Final = 2.0
#: A read waits for nobody but a process that recovers the log; the event loop stands still meanwhile.
READ_LOCK: Final = 0.1
_SYNCHRONOUS: Final = {"normal": "NORMAL", "full": "FULL"}
#: The first SQLite with `UPDATE ... FROM`.
_OLDEST: Final = (3, 33)
_OPEN_WITHIN: Final = 5.0
_OPEN_PAUSE: Final = 0.05

_GET: Final = "SELECT body FROM records WHERE kind = ? AND id = ? AND expires_at > ?"
# The plus keeps SQLite from reading all records of the kind instead of the few that the index names.
_FIND: Final = """SELECT body FROM records
    WHERE (index_1 = ?1 OR index_2 = ?1 OR index_3 = ?1 OR index_4 = ?1)
    AND +kind = ?2 AND +expires_at > ?3"""

_PAGE: Final = "SELECT body FROM records WHERE kind = ? AND id > ? AND expires_at > ? ORDER BY id LIMIT ?"


class Sqlite:
    """The database file at `path`, readable by its owner only."""

    name: ClassVar[str] = "sqlite"
    durable: bool = True

    def __init__(self, path: str | Path, synchronous: str, tools: Tools) -> None:
        self._path = Path(path)
        self._synchronous = _SYNCHRONOUS[synchronous]
        self._clock = tools.clock
        self._open = True
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StoreUnavailable(f"SQLite 3.33 or newer is needed; this Python has {sqlite3.sqlite_version}")
        try:
            _create(self._path)
            writing = _patiently_connect(self)
            self._reading = self._connect(READ_LOCK)
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(f"the database {self._path} cannot be opened: {error}") from error
        self._writer = Writer(self.connect_to_write, writing)

    async def get(self, kind: type[R], id: str) -> R | None:
        """The record, or None when there is none or it has expired."""
        rows = self._read(_GET, (kind.kind, id, self._clock()))
        return read_record(kind, rows[0][0]) if rows else None

    async def find(self, kind: type[R], index: str, value: str) -> tuple[R, ...]:
        """All live records of a kind with that index value."""
        rows = self._read(_FIND, (tasks.index_value(index, value), kind.kind, self._clock()))
        return tuple(read_record(kind, row[0]) for row in rows)

    async def take(self, kind: type[R], id: str) -> R | None:
        """Get and delete in one atomic step: of many callers exactly one gets the record."""
        id.encode()  # as in `tasks.key_of`
        body: bytes | None = await self._writer.run(tasks.Take((kind.kind, id), self._clock()))
        return None if body is None else read_record(kind, body)

    async def commit(self, change: Change) -> bool:
        """Apply a change; False, and nothing done, when an expectation does not hold."""
        done: bool = await self._writer.run(
            tasks.Commit(
                tuple([tasks.row(record) for record in change.put]),
                tuple([tasks.key_of(record) for record in change.delete]),
                tuple([(type(record), tasks.key_of(record), encode(record)) for record in change.expect]),
                tuple([tasks.key_of(record) for record in change.absent]),
                self._clock(),
            )
        )
        return done

    async def delete_by(self, kinds: Iterable[type[Record]], index: str, value: str) -> int:
        """Delete all records of those kinds with that index value, atomically; how many."""
        names = tuple(kind.kind for kind in kinds)
        entry = tasks.index_value(index, value)
        entry.encode()  # as in `tasks.key_of`
        deleted: int = await self._writer.run(tasks.DeleteBy(names, entry, self._clock()))
        return deleted

    async def page(self, kind: type[R], after: str = "", limit: int = 1000) -> tuple[R, ...]:
        """Up to `limit` live records of a kind, in the order of their ids, from the first id after that one."""
        rows = self._read(_PAGE, (kind.kind, after, self._clock(), limit))
        return tuple(read_record(kind, row[0]) for row in rows)

    async def sweep(self, now: float, limit: int = 1000) -> int:
        """Remove up to `limit` expired records; how many were removed."""
        removed: int = await self._writer.run(tasks.Sweep(now, limit))
        return removed

    async def ping(self) -> None:
        """Raise StoreUnavailable unless reads and writes work."""
        await self._writer.run(tasks.Ping(self._clock()))
        self._read("SELECT at FROM pings", ())

    async def close(self) -> None:
        """Finish what was acknowledged and let go of all resources."""
        await self._writer.close()
        if self._open:
            self._open = False
            self._reading.close()

    def connect_to_write(self) -> sqlite3.Connection:
        """A connection for the writer, on a file whose tables are up to date."""
        connection = self._connect(WRITE_LOCK)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # Give the disk back what a burst of writes made of the log.
            connection.execute("PRAGMA journal_size_limit = 16777216")
            # Pages of random ids are hit again and again: copy them back once for many commits, not for few.
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
            connection.execute("PRAGMA cache_size = -8192")
            # What a batch updates is gathered beside the tables: never in a file of its own.
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self, lock: float) -> sqlite3.Connection:
        # Transactions are begun and ended by our own statements; the writer's connection is made in one
        # thread and used in another, never in two at once.
        return sqlite3.connect(self._path, timeout=lock, isolation_level=None, check_same_thread=False)

    def _read(self, statement: str, values: Sequence[object]) -> list[tuple[bytes]]:
        if not self._open:
            raise StoreUnavailable("the store is closed")
        try:
            # All rows at once: a statement that is not at its end would hold on to an old state of the file.
            return self._reading.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the database cannot be read: {error}") from error


def _create(path: Path) -> None:
    """Make the file its owner's only, from its first moment; SQLite's side files follow its mode."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _patiently_connect(store: Sqlite) -> sqlite3.Connection:
    """Connect and migrate; the change to the write-ahead log does not wait for other starting processes."""
    end = time.monotonic() + _OPEN_WITHIN
    while True:
        try:
            return store.connect_to_write()
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() > end:
                raise
            threading.Event().wait(_OPEN_PAUSE)
