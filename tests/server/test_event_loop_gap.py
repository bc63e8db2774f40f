"""A reload of many clients does not stall the event loop: builds happen elsewhere, decoding in slices."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.server.serving import Served, serving, title, write_config

CLIENTS = 1000
#: Seconds of the processor.
BOUND = 0.02
#: What stalls the loop stalls it in every round; what else goes on in the machine does not.
ROUNDS = 3
TRIES = 3


def write_clients(config: Path, count: int, name: str = "Sample site") -> None:
    """That many clients, one file each."""
    sample = (config / "clients" / "sample.yaml").read_text().replace("Sample site", name)
    place = config / "clients" / "many"
    place.mkdir(exist_ok=True)
    for number in range(count):
        (place / f"c{number}.yaml").write_text(sample.replace("client_id: sample", f"client_id: c{number}"))


class Gap:
    """The longest time for which the loop did not turn, by the processor time that it spent itself."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Gap":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            # Processor time of this thread: what other processes take is not our stall.
            before = time.thread_time()
            await asyncio.sleep(0.001)
            self.worst = max(self.worst, time.thread_time() - before)


async def gaps_of_a_round(op: Served, number: int) -> list[float]:
    """The longest gap of a reload that carries all clients, and those of reloads that carry one."""
    sample, gaps = op.directory / "clients" / "sample.yaml", []
    text = sample.read_text()
    write_clients(op.directory, CLIENTS, f"Site {number}")
    for change in range(TRIES):
        async with Gap() as gap:
            attempt = await op.running.reloader.request("request")
        assert attempt.result in {"live", "unchanged"}, attempt.diagnosis.text
        gaps.append(gap.worst)
        sample.write_text(text.replace("Sample site", f"Sample site {change}"))
    sample.write_text(text)
    return gaps


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_thousand_clients_are_loaded_and_changed_without_a_gap(tmp_path: Path) -> None:
    async with serving(write_config(tmp_path / "config"), tmp_path / "state") as op:
        rounds: list[list[float]] = []
        while len(rounds) < ROUNDS and (not rounds or max(rounds[-1]) >= BOUND):
            rounds.append(await gaps_of_a_round(op, len(rounds)))
        snapshot = op.running.current.snapshot
        assert snapshot is not None
        assert len(snapshot.declared.clients) == CLIENTS + 1
        assert max(rounds[-1]) < BOUND, rounds


async def test_one_changed_client_of_many_is_sent_alone(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config")
    write_clients(config, 50)
    async with serving(config, tmp_path / "state") as op:
        before = op.running.current.snapshot
        assert before is not None
        kept = before.declared.clients["c7"]
        title(config)("changed")
        await op.running.reloader.request("request")
        after = op.running.current.snapshot
        assert after is not None
        assert after is not before
        assert after.declared.clients["c7"] is kept
