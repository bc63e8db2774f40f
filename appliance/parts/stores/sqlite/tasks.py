"""What is asked of the writer: one class per verb.

`Take` and `Commit` name the records they touch and work on a view of them, so that a batch of them reads and
writes all records at once (`batch`). The others are rare: each has statements of its own.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final, Protocol

from appliance.parts.stores.sqlite.encoding import encode, same
from appliance.parts.stores.sqlite.schema import INDEXES
from appliance.protocol.frozen import quick
from appliance.protocol.records import Record

#: Kind and id of a record.
Key = tuple[str, str]

_BY_INDEX: Final = """SELECT rowid, kind, expires_at FROM records
    WHERE (index_1 = ?1 OR index_2 = ?1 OR index_3 = ?1 OR index_4 = ?1)"""
_NO_INDEXES: Final = (None,) * INDEXES


@quick
@dataclass(frozen=True, slots=True)
class Row:
    """A record made ready for the table; `found_by` holds its issuer and all its indexes."""

    key: Key
    found_by: tuple[str | None, ...]
    expires_at: float
    body: bytes


class View(Protocol):
    """The records as the tasks before this one left them."""

    def body(self, key: Key, now: float) -> bytes | None:
        """What is stored there and has not expired."""

    def put(self, row: Row) -> None:
        """Store it in place of what is there."""

    def delete(self, key: Key) -> None:
        """Store nothing there."""


def row(record: Record) -> Row:
    """A record made ready for the writer, in the thread of its asker. UnicodeEncodeError for text that is none."""
    indexes = [index_value(*entry) for entry in record.indexes().items()]
    if len(indexes) > INDEXES:
        raise TypeError(f"a {record.kind} has more than {INDEXES} indexes")
    found_by = (record.issuer, *indexes, *_NO_INDEXES[len(indexes) :])
    return Row((record.kind, record.id), found_by, record.expires_at, encode(record))


def key_of(record: Record) -> Key:
    """Where a record lies. UnicodeEncodeError for an id that SQLite would refuse in the middle of a batch."""
    record.id.encode()
    return (record.kind, record.id)


@quick
@dataclass(frozen=True, slots=True)
class Take:
    """Get and delete."""

    key: Key
    now: float

    def looks(self) -> tuple[Key, ...]:
        """Keys of all records that this looks at or deletes."""
        return (self.key,)

    def apply(self, view: View) -> bytes | None:
        """The body of the record, gone now; None when there is none."""
        body = view.body(self.key, self.now)
        if body is not None:
            view.delete(self.key)
        return body


@quick
@dataclass(frozen=True, slots=True)
class Commit:
    """A change with its records encoded."""

    put: tuple[Row, ...]
    delete: tuple[Key, ...]
    #: Class and encoding of a record, for each that must be stored so.
    expect: tuple[tuple[type[Record], Key, bytes], ...]
    absent: tuple[Key, ...]
    now: float

    def looks(self) -> tuple[Key, ...]:
        """Keys of all records that this looks at or deletes."""
        return (*[key for _, key, _ in self.expect], *self.absent, *self.delete)

    def apply(self, view: View) -> bool:
        """Whether the expectations held and all was done. StoreUnavailable, and nothing done, for a bad body."""
        for kind, key, body in self.expect:
            stored = view.body(key, self.now)
            if stored is None or not same(kind, body, stored):
                return False
        for key in self.absent:
            if view.body(key, self.now) is not None:
                return False
        for key in self.delete:
            view.delete(key)
        for row in self.put:
            view.put(row)
        return True


@dataclass(frozen=True, slots=True)
class DeleteBy:
    """Delete by an index, over several kinds."""

    kinds: tuple[str, ...]
    entry: str
    now: float

    def __call__(self, connection: sqlite3.Connection) -> int:
        """How many live records were deleted."""
        rows = connection.execute(_BY_INDEX, (self.entry,)).fetchall()
        found = [row for row in rows if row[1] in self.kinds]
        connection.executemany("DELETE FROM records WHERE rowid = ?", [row[:1] for row in found])
        return sum(1 for row in found if row[2] > self.now)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Remove expired records, the longest expired first."""

    now: float
    limit: int

    def __call__(self, connection: sqlite3.Connection) -> int:
        """How many were removed."""
        return connection.execute(
            """DELETE FROM records WHERE rowid IN
            (SELECT rowid FROM records WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)""",
            (self.now, max(self.limit, 0)),
        ).rowcount


@dataclass(frozen=True, slots=True)
class Ping:
    """Write something, so that a full or read-only disk shows."""

    now: float

    def __call__(self, connection: sqlite3.Connection) -> None:
        """Leave the time of the ping in the file."""
        connection.execute("INSERT OR REPLACE INTO pings (id, at) VALUES (1, ?)", (self.now,))


def index_value(name: str, value: str) -> str:
    """What the column of an index holds, whichever of them it is."""
    return f"{name}={value}"
