"""`make bench`: the floor and the product in interleaved rounds, CPU time of the server per operation.

python -m bench [--rounds 30] [--seconds 0.15] [--connections 8] [--store memory|sqlite] [--only NAME]
python -m bench --reload | --start
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
#: Of the provider with the memory store, where another store is measured beside it.
MEMORY_PORT = 18084


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
    stores = {options.store: PORT} if options.store == "memory" else {options.store: PORT, "memory": MEMORY_PORT}
    with tempfile.TemporaryDirectory() as scratch:
        for port in (FLOOR_PORT, *stores.values()):
            # Another's server would answer in place of the one that is measured.
            with socket.create_server(("127.0.0.1", port)):
                pass
        servers = {"floor": subprocess.Popen([sys.executable, "-m", "bench.floor", "--port", str(FLOOR_PORT)])}
        try:
            await wait_for(FLOOR_PORT, servers["floor"])
            floor = Traffic(COOKIE, ACCESS_TOKEN)
            operations = floor.operations() | Modern(floor).operations()
            measured = [Server("floor", servers["floor"].pid, FLOOR_PORT, operations)]
            for store, port in stores.items():
                write(Path(scratch) / store / "config", store=store, port=port)
                servers[store] = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "appliance", "serve"),
                        *("--config", f"{scratch}/{store}/config", "--state", f"{scratch}/{store}/state"),
                    ]
                )
                started, pid = await wait_for(port, servers[store]), servers[store].pid
                print(f"{store}: first answer after {started:.2f} s, {resident_mib(pid):.0f} MiB resident")
                plain = Traffic()
                await plain.log_in(Connection(port))
                operations = plain.operations() | Modern(plain).operations()
                measured.append(Server(store, pid, port, operations))
            await _table(options, measured)
            for server in measured[1:]:
                print(f"{server.name}: {resident_mib(server.pid):.0f} MiB resident at the end")
        finally:
            for each in servers.values():
                each.terminate()
                each.wait(10)


@dataclass(frozen=True)
class Server:
    """A server that is measured."""

    name: str
    pid: int
    port: int
    operations: dict[str, Operation]

    def operation(self, name: str) -> Operation:
        """An operation, or the nearest that there is."""
        return self.operations[COUNTERPARTS.get(name, name) if self.name == "floor" else name]


async def _table(options: argparse.Namespace, servers: list[Server]) -> None:
    floor, own, *others = servers
    times_others = "".join(f" times {other.name} |" for other in others)
    print(f"| operation | floor ms CPU | appliance ms CPU | ratio | appliance per second |{times_others}")
    print(f"|{'---|' * (5 + len(others))}")
    for name in own.operations:
        if options.only and options.only not in name:
            continue
        rounds: dict[str, list[Measured]] = {server.name: [] for server in servers}
        for _ in range(options.rounds):
            for server in servers:
                operation = server.operation(name)
                found = await measure(server.pid, server.port, operation, options.connections, options.seconds)
                rounds[server.name].append(found)
        upper, lower = rounds[own.name], rounds[floor.name]
        cells = [
            f"{statistics.median(each.cpu_ms for each in lower):.3f}",
            f"{statistics.median(each.cpu_ms for each in upper):.3f}",
            f"{_ratio(upper, lower):.2f}",
            f"{statistics.median(each.per_second for each in upper):.0f}",
            *(f"{_ratio(upper, rounds[other.name]):.2f}" for other in others),
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _ratio(upper: list[Measured], lower: list[Measured]) -> float:
    """The median of the rounds' own ratios: what slows a shared machine down slows both sides of a short round."""
    return statistics.median(one.cpu_ms / other.cpu_ms for one, other in zip(upper, lower, strict=True))


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=0.15)
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
