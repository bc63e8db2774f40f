"""Relying parties that are node scripts: started by a test, told of each authorization response, asked for results."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
END_WITHIN = 100


def check_installed(*packages: str) -> None:
    """Fail, and say how to install what is missing."""
    missing = [name for name in packages if not (HERE / "node_modules" / name / "package.json").exists()]
    if missing:
        pytest.fail(f"npm packages are missing: {', '.join(missing)}. Run npm ci in tests/clients, or make test.")
    if shutil.which("node") is None:
        pytest.fail("node is not there: run tests/install-system-packages.sh")


def converse(script: str, settings: Mapping[str, object], respond: Callable[[dict[str, str]], str]) -> dict[str, Any]:
    """Run a script to its end. Each line with `authorize` is answered by what `respond` makes of it; the last line
    is the result."""
    check_installed("openid-client", "oauth4webapi")
    command = ["node", str(HERE / script), json.dumps(settings)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=HERE) as node:
        assert node.stdin is not None and node.stdout is not None and node.stderr is not None
        try:
            while line := node.stdout.readline():
                said: dict[str, Any] = json.loads(line)
                if "authorize" not in said:
                    node.wait(END_WITHIN)
                    return said
                node.stdin.write(respond(said) + "\n")
                node.stdin.flush()
            raise AssertionError(f"{script} gave up: {node.stderr.read()}")
        finally:
            node.kill()
