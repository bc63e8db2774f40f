"""What the writer does inside a transaction: one class per verb, all checks before the first write."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from appliance.parts.stores.sqlite.encoding import encode, same
from appliance.parts.stores.sqlite.schema import INDEXES
from appliance.protocol.records import Record
from appliance.seams import Change

_BODY: Final = "SELECT body FROM records WHERE kind = ? AND id = ? AND expires_at > ?"
_PUT: Final = """INSERT INTO records (kind, id, issuer, expires_at, body, index_1, index_2, index_3, index_4)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET
    issuer = excluded.issuer, expires_at = excluded.expires_at, body = excluded.body,
    index_1 = excluded.index_1, index_2 = excluded.index_2, index_3 = excluded.index_3,
    index_4 = excluded.index_4"""
_BY_INDEX: Final = """SELECT rowid, kind, expires_at FROM records
    WHERE (index_1 = ?1 OR index_2 = ?1 OR index_3 = ?1 OR index_4 = ?1)"""
_DELETE: Final = "DELETE FROM records WHERE kind = ? AND id = ?"


@dataclass(frozen=True, slots=True)
class Row:
    """A record and its bytes."""

    record: Record
    body: bytes
    indexes: tuple[str | None, ...]


def row(record: Record) -> Row:
    """A record made ready for the writer, in the thread of its asker."""
    entries: list[str | None] = [index_value(*entry) for entry in record.indexes().items()]
    if len(entries) > INDEXES:
        raise TypeError(f"a {record.kind} has more than {INDEXES} indexes")
    return Row(record, encode(record), tuple(entries + [None] * (INDEXES - len(entries))))


@dataclass(frozen=True, slots=True)
class Take:
    """Get and delete."""

    kind: type[Record]
    id: str
    now: float

    def __call__(self, connection: sqlite3.Connection) -> bytes | None:
        """The body of the record, gone now; None when there is none."""
        body = _body(connection, self.kind.kind, self.id, self.now)
        if body is not None:
            connection.execute(_DELETE, (self.kind.kind, self.id))
        return body


@dataclass(frozen=True, slots=True)
class Commit:
    """A change with its records encoded."""

    change: Change
    put: tuple[Row, ...]
    expect: tuple[Row, ...]
    now: float

    def __call__(self, connection: sqlite3.Connection) -> bool:
        """Whether the expectations held and all was done."""
        for row in self.expect:
            stored = _body(connection, row.record.kind, row.record.id, self.now)
            if stored is None or not same(type(row.record), row.body, stored):
                return False
        for record in self.change.absent:
            if _body(connection, record.kind, record.id, self.now) is not None:
                return False
        for record in self.change.delete:
            connection.execute(_DELETE, (record.kind, record.id))
        for row in self.put:
            record = row.record
            key = (record.kind, record.id, record.issuer, record.expires_at, row.body)
            connection.execute(_PUT, key + row.indexes)
        return True


@dataclass(frozen=True, slots=True)
class DeleteBy:
    """Delete by an index, over several kinds."""

    kinds: tuple[str, ...]
    index: str
    value: str
    now: float

    def __call__(self, connection: sqlite3.Connection) -> int:
        """How many live records were deleted."""
        rows = connection.execute(_BY_INDEX, (index_value(self.index, self.value),)).fetchall()
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


def _body(connection: sqlite3.Connection, kind: str, id: str, now: float) -> bytes | None:
    rows = connection.execute(_BODY, (kind, id, now)).fetchall()
    return rows[0][0] if rows else None
