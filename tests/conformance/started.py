"""`deploy/conformance/start` as an operator runs it: a process of its own on free loopback ports, ended by its pid."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.live import ROOT, answers, eventually, stop


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
        stop(process)


def _wait(process: subprocess.Popen[bytes], admin: str, log: Path) -> None:
    def ready() -> bool:
        assert process.poll() is None, log.read_text()
        return answers(f"{admin}/readyz")

    assert eventually(ready), log.read_text()
