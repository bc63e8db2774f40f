"""CI skips nothing, and the report of requirements tells what ran."""

import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT

CASES = """
import pytest

@pytest.mark.spec("RFC 6749", "4.1.3", "MUST")
@pytest.mark.attack("PK-01")
@pytest.mark.parametrize("case", [1, 2])
def test_passes(case): pass

@pytest.mark.spec("RFC 6749", "6")
def test_skips(): pytest.skip("no browser here")
"""


def run_cases(directory: Path, ci: str) -> tuple[int, str]:
    """The exit code and the report of a small run of pytest."""
    (directory / "test_cases.py").write_text(CASES, encoding="utf-8")
    report = directory / "report.md"
    options = ["-q", "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", f"--rootdir={directory}"]
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--requirements-report={report}", str(directory)],
        cwd=ROOT,
        env={"CI": ci, "PATH": ""},
        capture_output=True,
        check=False,
    )
    return finished.returncode, report.read_text(encoding="utf-8")


def test_a_skipped_test_fails_under_ci_and_nowhere_else(tmp_path: Path) -> None:
    assert run_cases(tmp_path, ci="true")[0] == 1
    assert run_cases(tmp_path, ci="")[0] == 0


def test_the_report_names_each_requirement_with_its_test(tmp_path: Path) -> None:
    _, report = run_cases(tmp_path, ci="")
    assert "| RFC 6749 | 4.1.3 | MUST | test_cases.py::test_passes | passed |" in report
    assert "| RFC 6749 | 6 |  | test_cases.py::test_skips | skipped |" in report
    assert "| attack | PK-01 |  | test_cases.py::test_passes | passed |" in report
