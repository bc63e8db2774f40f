"""A provider as an operator runs it: its own process, its own directory, free loopback ports, stopped by pid."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Seconds that are waited for what must merely happen, however busy the machine: whoever waits ends when it did.
PATIENCE = 60.0
_STEP = 0.05
#: The ports that were given out, each with the socket that keeps it for its server.
_KEPT: list[socket.socket] = []


@dataclass(frozen=True)
class Live:
    """A running provider."""

    port: int
    admin_port: int
    directory: Path
    state: Path
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def origin(self) -> str:
        """Where its profiles are."""
        return f"http://localhost:{self.port}"

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a file as an editor does: a new file renamed over the old one."""
        target = self.directory / name
        text = target.read_text()
        assert old in text, f"{old!r} is not in {name}"
        fresh = target.with_name(f".{target.name}.new")
        fresh.write_text(text.replace(old, new))
        fresh.replace(target)


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, and that nobody else gets while the tests run.

    A socket that never listens stays bound to each of them: the system then gives the port to nobody who asks for any,
    and a server that names it binds beside that socket, as both say SO_REUSEADDR.
    """
    kept = [socket.socket() for _ in range(count)]
    for each in kept:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        each.bind(("127.0.0.1", 0))
    _KEPT.extend(kept)
    return [each.getsockname()[1] for each in kept]


def eventually(true: Callable[[], bool], within: float = PATIENCE) -> bool:
    """Whether something became true; asks again and again until it is, or the time is over."""
    end = time.monotonic() + within
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(_STEP)
    return True


def copy_example(target: Path, port: int, admin_port: int, rp_port: int | None = None) -> None:
    """config.example for other ports; with `rp_port` the sample relying party lives there."""
    shutil.copytree(ROOT / "config.example", target)
    for file in target.rglob("*.yaml"):
        text = file.read_text()
        text = text.replace("localhost:8080", f"localhost:{port}").replace(
            "127.0.0.1:8080", f"127.0.0.1:{port}"
        )
        text = text.replace("127.0.0.1:9090", f"127.0.0.1:{admin_port}")
        if rp_port is not None:
            text = text.replace("127.0.0.1:8081", f"127.0.0.1:{rp_port}")
        file.write_text(text)


@contextmanager
def running(
    scratch: Path,
    *,
    rp_port: int | None = None,
    edit: dict[str, str] | None = None,
    append: dict[str, str] | None = None,
) -> Iterator[Live]:
    """A provider that serves a copy of config.example; `edit` adds or replaces files, `append` adds to their ends."""
    port, admin_port = free_ports(2)
    directory, state, log = scratch / "config", scratch / "state", scratch / "log"
    copy_example(directory, port, admin_port, rp_port)
    for name, text in (edit or {}).items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    for name, text in (append or {}).items():
        with (directory / name).open("a") as file:
            file.write(text)
    command = [sys.executable, "-m", "appliance", "serve", "--config", str(directory), "--state", str(state)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, cwd=ROOT, env={**os.environ, "NO_COLOR": "1"}
        )
    live = Live(port, admin_port, directory, state, process, log)
    try:
        _wait(live)
        yield live
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process as an operator does, and by force when it does not."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(live: Live) -> None:
    def ready() -> bool:
        if live.process.poll() is not None:
            raise AssertionError(f"the provider ended: {live.log.read_text()}")
        return answers(f"http://127.0.0.1:{live.admin_port}/readyz")

    assert eventually(ready), f"the provider was not ready in time: {live.log.read_text()}"


def answers(url: str) -> bool:
    """Whether a server says yes to a GET."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE):
            return True
    except (OSError, urllib.error.URLError):
        return False
