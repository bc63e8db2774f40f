"""`deploy/conformance/start` as an operator runs it: a process of its own on free loopback ports, ended by its pid."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.support.live import ROOT

_READY_WITHIN = 60.0
_ENDS_WITHIN = 10.0


@contextmanager
def started(
    *arguments: str, admin: str, state: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """The running process, once it is ready. `admin` is the address of its admin listener, `state` its directory."""
    whole = {**os.environ, "PYTHON": sys.executable, "OP_STATE": str(state), **environment}
    log = state / "log"
    with log.open("wb") as out:
        command = [ROOT / "deploy/conformance/start", *arguments]
        process = subprocess.Popen(command, env=whole, stdout=out, stderr=out, cwd=ROOT)
    try:
        _wait(process, admin, log)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], admin: str, log: Path) -> None:
    end = time.monotonic() + _READY_WITHIN
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            if requests.get(f"{admin}/readyz", timeout=2).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.05)
    raise AssertionError(log.read_text())
