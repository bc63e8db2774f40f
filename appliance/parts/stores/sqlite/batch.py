"""A batch of tasks inside a transaction: read together, tried one after the other in memory, written together.

Python's lock changes hands at every statement, which costs more than what most statements do. So a batch takes
a few statements, however many tasks it has: one that reads the records they look at, and one for each way in
which records change. In between each task meets what the tasks before it left, as if it were alone. The
statements come in few sizes, filled up with NULLs that match nothing, so that none is prepared anew.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

from appliance.parts.stores.sqlite.tasks import Commit, Key, Row, Take
from appliance.seams import StoreUnavailable

#: What works on a view of the records it names, and what has statements of its own.
Keyed = Take | Commit
Work = Keyed | Callable[[sqlite3.Connection], Any]

# In the order of `Row.found_by`.
_FOUND_BY: Final = "issuer, index_1, index_2, index_3, index_4"
_COLUMNS: Final = f"kind, id, {_FOUND_BY}, expires_at, body"
#: Row id, and the values of `_FOUND_BY`.
_Stored = tuple[Any, ...]


def run(connection: sqlite3.Connection, works: Iterable[Work]) -> list[Any]:
    """The results of the works, done in their order. sqlite3.Error: the transaction is to be rolled back."""
    results: list[Any] = []
    waiting: list[Keyed] = []
    for work in works:
        if isinstance(work, Keyed):
            waiting.append(work)
            continue
        # It may meet any record: what waits is written before it, and what was read is not true after it.
        results += _together(connection, waiting)
        waiting = []
        results.append(work(connection))
    return results + _together(connection, waiting)


def _together(connection: sqlite3.Connection, works: Sequence[Keyed]) -> list[Any]:
    records = _Records(connection, chain.from_iterable([work.looks() for work in works]))
    results = [_outcome(work, records) for work in works]
    records.write()
    return results


def _outcome(work: Keyed, records: "_Records") -> Any:
    try:
        return work.apply(records)
    except StoreUnavailable as error:
        # Met while checking what is stored, before the task's first change: no fault of its neighbours.
        return error


class _Records:
    """The records of some keys: as they were read, as they are by now, and what of that is to be written."""

    def __init__(self, connection: sqlite3.Connection, looked_at: Iterable[Key]) -> None:
        self._connection = connection
        self._stored: dict[Key, _Stored | None] = {}
        self._current: dict[Key, tuple[float, bytes]] = {}
        self._changed: dict[Key, Row | None] = {}
        for key, ends, body in self._read(tuple(dict.fromkeys(looked_at))):
            self._current[key] = (ends, body)

    def body(self, key: Key, now: float) -> bytes | None:
        """What is stored there and has not expired."""
        found = self._current.get(key)
        return found[1] if found is not None and found[0] > now else None

    def put(self, row: Row) -> None:
        """Store it in place of what is there."""
        self._current[row.key] = (row.expires_at, row.body)
        self._changed[row.key] = row

    def delete(self, key: Key) -> None:
        """Store nothing there."""
        self._current.pop(key, None)
        self._changed[key] = None

    def write(self) -> None:
        """Bring the table to where the records are by now."""
        unread = [row for key, row in self._changed.items() if row is not None and key not in self._stored]
        if self._execute(_insert_new, [_columns(row) for row in unread], 64) == len(unread):
            # As good as always: most records are put under new ids, where nothing can be.
            for row in unread:
                del self._changed[row.key]
        else:
            self._read([row.key for row in unread])
        gone: list[tuple[Any, ...]] = []
        updated: list[tuple[Any, ...]] = []
        made: list[tuple[Any, ...]] = []
        for key, changed in self._changed.items():
            stored = self._stored[key]
            if changed is not None and stored is not None and stored[1:] == changed.found_by:
                # Most changes leave a record in its place in all indexes but one: a third of the cost.
                updated.append((stored[0], changed.expires_at, changed.body))
                continue
            if stored is not None:
                gone.append(stored[:1])
            if changed is not None:
                made.append(_columns(changed))
        self._execute(_delete, gone, 256)
        self._execute(_update, updated, 64)
        self._execute(_insert, made, 64)

    def _read(self, keys: Sequence[Key]) -> list[tuple[Key, float, bytes]]:
        """Ends and bodies of the records that are stored under the keys."""
        self._stored.update(dict.fromkeys(keys))
        read: list[tuple[Key, float, bytes]] = []
        for chunk, size in _chunks(keys, 256):
            for kind, id_, *stored, ends, body in self._connection.execute(_select(size), _filled(chunk, size)):
                self._stored[kind, id_] = tuple(stored)
                read.append(((kind, id_), ends, body))
        return read

    def _execute(self, statement: Callable[[int], str], rows: Sequence[tuple[Any, ...]], most: int) -> int:
        """Write so many rows a statement; how many were written."""
        chunks = _chunks(rows, most)
        return sum([self._connection.execute(statement(size), _filled(chunk, size)).rowcount for chunk, size in chunks])


def _columns(row: Row) -> tuple[Any, ...]:
    """The values of `_COLUMNS`."""
    return (*row.key, *row.found_by, row.expires_at, row.body)


def _chunks(rows: Sequence[Any], most: int) -> Iterable[tuple[Sequence[Any], int]]:
    """Pieces of the rows, each with the size of the statement that holds it, a power of two."""
    for start in range(0, len(rows), most):
        chunk = rows[start : start + most]
        yield chunk, 1 << (len(chunk) - 1).bit_length()


def _filled(rows: Sequence[tuple[Any, ...]], size: int) -> list[Any]:
    """The values of the rows, and NULLs for those that are missing."""
    return [*chain.from_iterable(rows), *(None,) * (len(rows[0]) * (size - len(rows)))]


def _values(columns: int, size: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * size)


@cache
def _select(size: int) -> str:
    # For `(kind, id) IN (VALUES ...)` SQLite would read the whole table; CROSS JOIN keeps the order as written.
    return f"""WITH wanted (of_kind, of_id) AS (VALUES {_values(2, size)})
        SELECT kind, id, records.rowid, {_FOUND_BY}, expires_at, body
        FROM wanted CROSS JOIN records ON kind = of_kind AND id = of_id"""  # noqa: S608 - constants


# OR FAIL: a statement that fails ends the whole transaction, so that SQLite need not be able to undo it alone. To
# be able to, it copies every page that a statement changes which writes several rows, for twice the cost.


@cache
def _delete(size: int) -> str:
    return f"DELETE FROM records WHERE rowid IN ({', '.join('?' * size)})"  # noqa: S608 - constants


@cache
def _update(size: int) -> str:
    return f"""WITH made (at, ends, made_body) AS (VALUES {_values(3, size)})
        UPDATE OR FAIL records SET expires_at = ends, body = made_body FROM made WHERE records.rowid = at"""  # noqa: S608


@cache
def _insert(size: int, failing: str = "FAIL") -> str:
    return f"""INSERT OR {failing} INTO records ({_COLUMNS})
        WITH made ({_COLUMNS}) AS (VALUES {_values(9, size)})
        SELECT {_COLUMNS} FROM made WHERE kind IS NOT NULL"""  # noqa: S608 - constants


def _insert_new(size: int) -> str:
    """Leaves the records as they are that are there."""
    return _insert(size, "IGNORE")
