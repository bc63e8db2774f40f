"""Records in this process, gone with it: for tests, demonstrations and single processes that may forget.

A verb never waits between its first look and its last write, so the event loop makes it atomic.
"""

import heapq
from collections.abc import Iterable
from typing import ClassVar, TypeVar

from appliance.protocol.records import Record
from appliance.seams import Change, StoreUnavailable, Tools

R = TypeVar("R", bound=Record)

#: Kind, name and value of an index entry.
Entry = tuple[str, str, str]

# Below this many entries the line of ends is not worth tidying.
_TIDY_FROM = 1024


def _id_of(record: Record) -> str:
    return record.id


class Memory:
    """A dictionary of immutable records, with the sets that find them by index."""

    name: ClassVar[str] = "memory"
    durable: bool = False

    def __init__(self, tools: Tools) -> None:
        self._clock = tools.clock
        self._records: dict[tuple[str, str], Record] = {}
        # The one id of an entry as it is, as most are; several in the order they were put, in a dictionary.
        self._indexes: dict[Entry, str | dict[str, None]] = {}
        # Ends of records, soonest first. Entries of replaced and deleted records stay until they come up.
        self._ends: list[tuple[float, str, str]] = []
        self._open = True

    async def get(self, kind: type[R], id: str) -> R | None:
        """The record, or None when there is none or it has expired."""
        record = self._records.get((kind.kind, id))
        if isinstance(record, kind) and record.expires_at > self._clock():
            return record
        # Nothing is found in a store that is closed.
        self._check_open()
        return None

    async def find(self, kind: type[R], index: str, value: str) -> tuple[R, ...]:
        """All live records of a kind with that index value."""
        self._check_open()
        ids = self._ids(kind, index, value)
        return tuple(record for one in ids if (record := self._live(kind, one)) is not None)

    async def take(self, kind: type[R], id: str) -> R | None:
        """Get and delete in one atomic step."""
        self._check_open()
        record = self._live(kind, id)
        if record is not None:
            self._remove(kind.kind, id)
        return record

    async def commit(self, change: Change) -> bool:
        """Apply a change; False, and nothing done, when an expectation does not hold."""
        self._check_open()
        for record in change.expect:
            stored = self._records.get((record.kind, record.id))
            # Equal to a record that has ended is ended.
            if stored is None or (stored is not record and stored != record) or stored.expires_at <= self._clock():
                return False
        for record in change.absent:
            if self._live(type(record), record.id) is not None:
                return False
        for record in change.delete:
            self._remove(record.kind, record.id)
        for record in change.put:
            self._write(record)
        return True

    async def delete_by(self, kinds: Iterable[type[Record]], index: str, value: str) -> int:
        """Delete all records of those kinds with that index value; how many."""
        self._check_open()
        now = self._clock()
        deleted = 0
        for kind in kinds:
            for one in self._ids(kind, index, value):
                deleted += self._remove(kind.kind, one, now)
        return deleted

    async def page(self, kind: type[R], after: str = "", limit: int = 1000) -> tuple[R, ...]:
        """Up to `limit` live records of a kind, in the order of their ids, from the first id after that one."""
        self._check_open()
        ids = (one for name, one in self._records if name == kind.kind and one > after)
        live = (record for one in ids if (record := self._live(kind, one)) is not None)
        return tuple(heapq.nsmallest(limit, live, key=_id_of))

    async def sweep(self, now: float, limit: int = 1000) -> int:
        """Remove up to `limit` expired records; how many were removed."""
        self._check_open()
        removed = 0
        while self._ends and self._ends[0][0] <= now and removed < limit:
            ends, *key = heapq.heappop(self._ends)
            record = self._records.get((key[0], key[1]))
            if record is not None and record.expires_at == ends:
                self._remove(key[0], key[1])
                removed += 1
        return removed

    async def ping(self) -> None:
        """Raise StoreUnavailable unless reads and writes work."""
        self._check_open()

    async def close(self) -> None:
        """Let go of everything."""
        self._open = False
        self._records.clear()
        self._indexes.clear()
        self._ends.clear()

    def _check_open(self) -> None:
        if not self._open:
            raise StoreUnavailable("the store is closed")

    def _live(self, kind: type[R], id: str) -> R | None:
        record = self._records.get((kind.kind, id))
        if not isinstance(record, kind) or record.expires_at <= self._clock():
            return None
        return record

    def _ids(self, kind: type[Record], index: str, value: str) -> tuple[str, ...]:
        ids = self._indexes.get((kind.kind, index, value), ())
        return (ids,) if isinstance(ids, str) else tuple(ids)

    def _write(self, record: Record) -> None:
        key = kind, own = record.kind, record.id
        before = self._records.get(key)
        self._records[key] = record
        if before is None or not record.is_found_as(before):
            if before is not None:
                self._forget(before)
            for name, value in record.indexes().items():
                # Most entries lead to one record only.
                if self._indexes.setdefault((kind, name, value), own) is not own:
                    self._find_by((kind, name, value), own)
        if before is None or before.expires_at != record.expires_at:
            heapq.heappush(self._ends, (record.expires_at, kind, own))
            if len(self._ends) > _TIDY_FROM and len(self._ends) > 2 * len(self._records):
                self._ends = [(kept.expires_at, kept.kind, kept.id) for kept in self._records.values()]
                heapq.heapify(self._ends)

    def _find_by(self, entry: Entry, id: str) -> None:
        """One more record of an entry."""
        ids = self._indexes[entry]
        if isinstance(ids, str):
            if ids != id:
                self._indexes[entry] = {ids: None, id: None}
        else:
            ids[id] = None

    def _remove(self, kind: str, id: str, now: float = 0.0) -> int:
        """Remove a record if it is there; 1 when it was and is not expired at `now`."""
        record = self._records.pop((kind, id), None)
        if record is None:
            return 0
        self._forget(record)
        return int(record.expires_at > now)

    def _forget(self, record: Record) -> None:
        """Take away the index entries of a record."""
        for name, value in record.indexes().items():
            entry = (record.kind, name, value)
            ids = self._indexes[entry]
            if not isinstance(ids, str):
                del ids[record.id]
            if isinstance(ids, str) or not ids:
                del self._indexes[entry]
