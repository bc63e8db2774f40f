"""Every store behaves as a plain dictionary does, whatever is asked of it in whatever order."""

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from appliance.parts.stores import STORES
from appliance.protocol.records import Attempts, Record, Session, Used
from appliance.seams import Change
from tests.parts.stores import records
from tests.parts.stores.conftest import Bench

KINDS: tuple[type[Record], ...] = (Session, Attempts, Used)
IDS = st.sampled_from(["a", "b", "c"])
VALUES = st.sampled_from(["x", "y"])
LIVES = st.integers(1, 20)


@st.composite
def stored(draw: Any) -> Record:
    """A small record; its `expires_at` is a life that the machine adds to its clock."""
    kind, key, life = draw(st.sampled_from(KINDS)), draw(IDS), draw(LIVES)
    if kind is Session:
        return records.session(key, user=draw(VALUES), sid=draw(VALUES), expires_at=life)
    if kind is Attempts:
        return records.attempts(key, draw(st.integers(0, 2)), expires_at=life)
    return records.used(key, expires_at=life)


class StoreMachine(RuleBasedStateMachine):
    """Drives a store and a dictionary side by side."""

    kind = ""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.bench = Bench(self.kind, Path(self.directory.name))
        self.loop = asyncio.new_event_loop()
        self.store = self.bench.open()
        self.model: dict[tuple[str, str], Record] = {}

    def teardown(self) -> None:
        self.wait(self.store.close())
        self.loop.close()
        self.directory.cleanup()

    def wait(self, asked: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asked)

    def placed(self, record: Record) -> Record:
        return replace(record, expires_at=self.bench.clock.now + record.expires_at)

    def live(self, kind: type[Record], id: str) -> Record | None:
        found = self.model.get((kind.kind, id))
        return found if found is not None and found.expires_at > self.bench.clock.now else None

    @rule(
        put=st.lists(stored(), max_size=3),
        delete=st.lists(stored(), max_size=2),
        absent=st.lists(stored(), max_size=1),
    )
    def change(self, put: list[Record], delete: list[Record], absent: list[Record]) -> None:
        put = [self.placed(record) for record in put]
        holds = all(self.live(type(record), record.id) is None for record in absent)
        done = self.wait(self.store.commit(Change(put=tuple(put), delete=tuple(delete), absent=tuple(absent))))
        assert done is holds
        if holds:
            for record in delete:
                self.model.pop((record.kind, record.id), None)
            self.model.update({(record.kind, record.id): record for record in put})

    @rule(record=stored(), expected=stored(), truly=st.booleans())
    def swap(self, record: Record, expected: Record, truly: bool) -> None:
        record = self.placed(record)
        if truly:
            expected = self.live(type(expected), expected.id) or expected
        holds = self.live(type(expected), expected.id) == expected
        assert self.wait(self.store.commit(Change(put=(record,), expect=(expected,)))) is holds
        if holds:
            self.model[record.kind, record.id] = record

    @rule(kind=st.sampled_from(KINDS), id=IDS)
    def take(self, kind: type[Record], id: str) -> None:
        expected = self.live(kind, id)
        assert self.wait(self.store.take(kind, id)) == expected
        if expected is not None:
            del self.model[kind.kind, id]

    @rule(kinds=st.sets(st.sampled_from(KINDS)), index=st.sampled_from(["user", "sid"]), value=VALUES)
    def delete_by(self, kinds: set[type[Record]], index: str, value: str) -> None:
        keys = [
            key for key, record in self.model.items() if type(record) in kinds and record.indexes().get(index) == value
        ]
        live = sum(1 for key in keys if self.model[key].expires_at > self.bench.clock.now)
        assert self.wait(self.store.delete_by(kinds, index, value)) == live
        for key in keys:
            del self.model[key]

    @rule(limit=st.integers(0, 3))
    def sweep(self, limit: int) -> None:
        ended = {key for key, record in self.model.items() if record.expires_at <= self.bench.clock.now}
        assert self.wait(self.store.sweep(self.bench.clock.now, limit)) == min(limit, len(ended))
        # Which of them went is the store's choice among equals: from here on they are all gone.
        while len(ended) > limit and self.wait(self.store.sweep(self.bench.clock.now, 10)):
            continue
        for key in ended:
            del self.model[key]

    @rule(seconds=LIVES)
    def wait_a_while(self, seconds: int) -> None:
        self.bench.clock.now += seconds

    @precondition(lambda self: self.store.durable)
    @rule()
    def restart(self) -> None:
        self.wait(self.store.close())
        self.store = self.bench.open()

    @invariant()
    def agrees(self) -> None:
        for kind in KINDS:
            for key in ("a", "b", "c"):
                assert self.wait(self.store.get(kind, key)) == self.live(kind, key)
        for index in ("user", "sid"):
            for value in ("x", "y"):
                found = {one.id for one in self.wait(self.store.find(Session, index, value))}
                assert found == {
                    record.id
                    for record in self.model.values()
                    if record.indexes().get(index) == value and record.expires_at > self.bench.clock.now
                }


@pytest.mark.parametrize("kind", sorted(STORES))
def test_the_store_agrees_with_a_dictionary(kind: str) -> None:
    machine = type("Machine", (StoreMachine,), {"kind": kind})
    examples = settings(
        max_examples=30,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=examples)
