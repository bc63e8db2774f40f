"""What a reload costs: from one changed file to live, and the longest stall that a request can meet meanwhile."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path

import orjson

from bench.config import PORT, client, write
from bench.wire import Connection

SIZES = (1, 1_000, 10_000)


async def measure_reloads() -> None:
    """One changed client file among 1, 1,000 and 10,000 clients."""
    print("| clients | first start s | change to live ms | longest answer meanwhile ms | longest answer at rest ms |")
    print("|---|---|---|---|---|")
    for size in SIZES:
        await _measure(size)


async def _measure(size: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "config"
        write(config, clients=size)
        command = [
            sys.executable,
            "-m",
            "appliance",
            "serve",
            "--config",
            str(config),
            "--state",
            f"{scratch}/state",
        ]
        began = time.perf_counter()
        server = subprocess.Popen(command)
        try:
            await _until(lambda: _digest(), "")
            started = time.perf_counter() - began
            await asyncio.sleep(2.0)
            rest = await _longest_answer(asyncio.sleep(2.0))
            lives: list[float] = []
            gaps: list[float] = []
            for turn in range(3):
                gaps.append(await _longest_answer(_change(config, turn, lives)))
            figures = (1000 * sorted(lives)[1], 1000 * max(gaps), 1000 * rest)
            print(f"| {size} | {started:.1f} | " + " | ".join(f"{each:.1f}" for each in figures) + " |", flush=True)
        finally:
            server.terminate()
            server.wait(10)


async def _change(config: Path, turn: int, lives: list[float]) -> None:
    before = await _digest()
    (config / "clients/more/c00000.yaml").write_text(client("c00000", name=f"Turn {turn}"))
    began = time.perf_counter()
    await _until(lambda: _digest(), before)
    lives.append(time.perf_counter() - began)


async def _longest_answer(meanwhile: Coroutine[None, None, None]) -> float:
    task = asyncio.create_task(meanwhile)
    connection = Connection(PORT)
    longest = 0.0
    while not task.done():
        began = time.perf_counter()
        await connection.request("GET", "/.well-known/openid-configuration")
        longest = max(longest, time.perf_counter() - began)
        await asyncio.sleep(0.001)
    connection.close()
    await task
    return longest


async def _digest() -> str:
    try:
        connection = Connection(PORT + 1)
        answer = await connection.request("GET", "/config/status")
        connection.close()
        return str(orjson.loads(answer.body)["digest"])
    except (OSError, KeyError, asyncio.IncompleteReadError):
        return ""


async def _until(read: object, before: str) -> None:
    began = time.perf_counter()
    while time.perf_counter() - began < 120:
        digest = await read()  # type: ignore[operator]
        if digest and digest != before:
            return
        await asyncio.sleep(0.01)
    raise SystemExit("the change did not go live")
