"""Every store of the catalogue, ready to be tried."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.parts.stores import STORES
from appliance.parts.stores.memory import Memory
from appliance.parts.stores.sqlite import Sqlite
from appliance.seams import Store, Tools


@dataclass
class MovableClock:
    """Time that stands still until a test moves it."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bench:
    """A place where stores of one kind are opened and closed; opening again finds the same records."""

    kind: str
    directory: Path
    clock: MovableClock = field(default_factory=MovableClock)

    def open(self) -> Store:
        """A store on this bench."""
        return OPENERS[self.kind](self)

    @property
    def tools(self) -> Tools:
        """Tools with the bench's clock."""
        return Tools(clock=self.clock, entropy=bytes)


OPENERS: dict[str, Callable[[Bench], Store]] = {
    "memory": lambda bench: Memory(bench.tools),
    "sqlite": lambda bench: Sqlite(bench.directory / "state.db", "normal", bench.tools),
}


@pytest.fixture(params=sorted(STORES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """A bench for each store of the catalogue; one without an opener here fails."""
    return Bench(request.param, tmp_path)


@pytest.fixture
async def store(bench: Bench) -> AsyncIterator[Store]:
    """An open, empty store."""
    opened = bench.open()
    yield opened
    await opened.close()
