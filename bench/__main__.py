"""`make bench`: the floor and the product in interleaved rounds, CPU time of the server per operation.

python -m bench [--rounds 3] [--seconds 2] [--connections 8] [--store memory|sqlite] [--only NAME] [--reload] [--start]
"""

import argparse
import asyncio
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.config import PORT, write
from bench.floor import ACCESS_TOKEN, COOKIE
from bench.modern import COUNTERPARTS, Modern
from bench.operations import Operation, Traffic
from bench.reload import measure_reloads
from bench.start import measure_starts
from bench.wire import Connection

FLOOR_PORT = 18090


@dataclass(frozen=True)
class Measured:
    """One round of one operation: CPU milliseconds of the server an operation, operations a second."""

    cpu_ms: float
    per_second: float


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process so far, to the nanosecond. OSError when it has ended."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def measure(pid: int, port: int, operation: Operation, connections: int, seconds: float) -> Measured:
    """Run an operation over so many connections for so long."""
    opened = [Connection(port) for _ in range(connections)]
    for connection in opened:
        await operation(connection)
    done = 0
    cpu, began = cpu_seconds(pid), time.perf_counter()

    async def loop(connection: Connection) -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            await operation(connection)
            done += 1

    await asyncio.gather(*map(loop, opened))
    elapsed, cpu = time.perf_counter() - began, cpu_seconds(pid) - cpu
    for connection in opened:
        connection.close()
    return Measured(1000 * cpu / done, done / elapsed)


async def wait_for(port: int, process: subprocess.Popen[bytes]) -> float:
    """Seconds until the port answers."""
    began = time.perf_counter()
    while time.perf_counter() - began < 30:
        if process.poll() is not None:
            raise SystemExit("the server ended before it answered")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return time.perf_counter() - began
        except OSError:
            await asyncio.sleep(0.02)
    raise SystemExit("the server did not answer")


async def compare(options: argparse.Namespace) -> None:
    """Interleaved rounds of all operations, and a table."""
    with tempfile.TemporaryDirectory() as scratch:
        write(Path(scratch) / "config", store=options.store)
        for port in (FLOOR_PORT, PORT):
            # Another's server would answer in place of the one that is measured.
            with socket.create_server(("127.0.0.1", port)):
                pass
        servers = [
            subprocess.Popen([sys.executable, "-m", "bench.floor", "--port", str(FLOOR_PORT)]),
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "appliance", "serve"),
                    *("--config", f"{scratch}/config", "--state", f"{scratch}/state"),
                ]
            ),
        ]
        try:
            await wait_for(FLOOR_PORT, servers[0])
            started = await wait_for(PORT, servers[1])
            print(f"start to first answer {started:.2f} s, {resident_mib(servers[1].pid):.0f} MiB resident")
            await _table(options, servers[0].pid, servers[1].pid)
            print(f"{resident_mib(servers[1].pid):.0f} MiB resident at the end")
        finally:
            for server in servers:
                server.terminate()
                server.wait(10)


async def _table(options: argparse.Namespace, floor_pid: int, product_pid: int) -> None:
    floor, product = Traffic(COOKIE, ACCESS_TOKEN), Traffic()
    await product.log_in(Connection(PORT))
    operations = product.operations() | Modern(product).operations()
    print("| operation | floor ms CPU | appliance ms CPU | ratio | appliance per second |\n|---|---|---|---|---|")
    lowers = floor.operations() | Modern(floor).operations()
    for name, upper in operations.items():
        if options.only and options.only not in name:
            continue
        lower = lowers[COUNTERPARTS.get(name, name)]
        rounds: list[tuple[Measured, Measured]] = []
        for _ in range(options.rounds):
            a = await measure(floor_pid, FLOOR_PORT, lower, options.connections, options.seconds)
            b = await measure(product_pid, PORT, upper, options.connections, options.seconds)
            rounds.append((a, b))
        ratio = statistics.median(b.cpu_ms / a.cpu_ms for a, b in rounds)
        a_ms = statistics.median(a.cpu_ms for a, _ in rounds)
        b_ms = statistics.median(b.cpu_ms for _, b in rounds)
        rate = statistics.median(b.per_second for _, b in rounds)
        print(f"| {name} | {a_ms:.3f} | {b_ms:.3f} | {ratio:.2f} | {rate:.0f} |", flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--store", choices=["memory", "sqlite"], default="memory")
    parser.add_argument("--only", default="")
    parser.add_argument("--reload", action="store_true", help="measure reloads instead")
    parser.add_argument("--start", action="store_true", help="measure starts instead")
    options = parser.parse_args()
    if options.start:
        measure_starts()
        return
    uvloop.run(measure_reloads() if options.reload else compare(options))


main()
