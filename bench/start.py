"""`make bench ARGS=--start`: from the command to the first answer of `config.example`, again and again.

As an installation starts: with its bytecode, which pip and the first start of a checkout write.
"""

import http.client
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from appliance.resources import CONFIG_EXAMPLE
from bench.config import PORT

ROUNDS = 9
_BINDS = {"127.0.0.1:8080": f"127.0.0.1:{PORT}", "127.0.0.1:9090": "127.0.0.1:0"}
_PATH = "/retail/.well-known/openid-configuration"


@dataclass(frozen=True)
class Started:
    """Seconds to the first answer; resident MiB of the serving process then."""

    seconds: float
    resident: float


def measure_starts() -> None:
    """First starts (nothing in the state directory) and later ones in turn, and a table."""
    found: dict[str, list[Started]] = {"first start": [], "later start": []}
    with tempfile.TemporaryDirectory() as scratch:
        config = _example(Path(scratch) / "config")
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": f"{scratch}/bytecode"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        _start(config, Path(scratch) / "state", environment)
        for number in range(ROUNDS):
            state = Path(scratch) / f"state-{number}"
            found["first start"].append(_start(config, state, environment))
            found["later start"].append(_start(config, state, environment))
    print("| | least s | median s | most s | MiB resident |\n|---|---|---|---|---|")
    for name, starts in found.items():
        seconds = [start.seconds for start in starts]
        resident = statistics.median(start.resident for start in starts)
        print(
            f"| {name} | {min(seconds):.2f} | {statistics.median(seconds):.2f} | {max(seconds):.2f} | {resident:.0f} |"
        )
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


def _example(target: Path) -> Path:
    shutil.copytree(CONFIG_EXAMPLE, target)
    op = target / "op.yaml"
    text = op.read_text()
    for before, after in _BINDS.items():
        text = text.replace(before, after)
    op.write_text(text)
    return target


def _start(config: Path, state: Path, environment: dict[str, str]) -> Started:
    command = (sys.executable, "-m", "appliance", "serve", "--config", str(config), "--state", str(state))
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        while _answer() != 200:
            if process.poll() is not None or time.perf_counter() - began > 60:
                raise SystemExit("the server did not answer")
            time.sleep(0.005)
        return Started(time.perf_counter() - began, _resident(process.pid))
    finally:
        process.terminate()
        process.wait(10)


def _answer() -> int:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        connection.request("GET", _PATH)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _resident(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
