"""Markers, the reports of requirements and of conformance modules, and the rule that CI never skips."""

import os
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.fapi.modules import MODULES as FAPI_MODULES
from tests.conformance.modules import MODULES

MARKERS = (
    "spec(document, section, level='MUST'): the requirement that the test holds the provider to",
    "attack(*ids): the attacks that the test tries, by their ids",
    "seed(*ids): the seeds whose story the test tells",
    "conformance(*modules): the modules of the certification plans that the test walks through",
    "browser: drives a real browser",
    "clients: drives a client library that is not ours",
    "slow: takes more than a few seconds",
)
CI = os.environ.get("CI", "").lower() in {"1", "true"}
_WORST_FIRST = ("failed", "skipped", "passed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options that ask for the report and for new golden files."""
    parser.addoption(
        "--requirements-report", metavar="FILE", help="write a markdown table of sections and attacks x tests"
    )
    parser.addoption(
        "--conformance-report", metavar="FILE", help="write a markdown table of certification modules x tests"
    )
    parser.addoption(
        "--update-goldens", action="store_true", help="write the golden files anew: read every difference"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registers the markers, and the report where one is asked for."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if target := config.getoption("--requirements-report"):
        config.pluginmanager.register(RequirementsReport(Path(target)), "requirements-report")
    if target := config.getoption("--conformance-report"):
        config.pluginmanager.register(ConformanceReport(Path(target)), "conformance-report")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Under CI a skip is a failure: what a test drives for real was to be installed."""
    report: Any = yield
    refuse_skip(report, item.nodeid)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """The same for a module that skips itself as a whole."""
    report: Any = yield
    refuse_skip(report, collector.nodeid)
    return report


def refuse_skip(report: Any, name: str, *, ci: bool = CI) -> None:
    """Turns a skip under CI into a failure that tells why it would have been skipped."""
    if ci and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{name} was skipped, and CI skips nothing: {report.longrepr}"


class _Report:
    """Collects the worst outcome of each test, over all its cases."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keeps the worst outcome of each test."""
        name = self._name(report.nodeid)
        seen = self._outcomes.get(name, report.outcome)
        self._outcomes[name] = min(seen, report.outcome, key=_WORST_FIRST.index)

    def _write(self, lines: list[str]) -> None:
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._target.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @staticmethod
    def _name(nodeid: str) -> str:
        return nodeid.partition("[")[0]


class ConformanceReport(_Report):
    """Which test walks which module of the certification plans, and how it went."""

    def __init__(self, target: Path) -> None:
        super().__init__(target)
        self._tests: dict[str, dict[str, int]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Reads the markers and counts the cases of each test."""
        for item in session.items:
            for mark in item.iter_markers("conformance"):
                for module in mark.args:
                    cases = self._tests.setdefault(str(module), {})
                    name = self._name(item.nodeid)
                    cases[name] = cases.get(name, 0) + 1

    def pytest_sessionfinish(self) -> None:
        """Writes the table, in the order of the plans."""
        today = datetime.now(UTC).date().isoformat()
        lines = [
            "# Certification modules and their tests",
            "",
            f"As of {today}, by our own tests against `deploy/conformance`; this is no run of the foundation's suite.",
            "Written by `pytest tests/conformance --conformance-report docs/conformance.md`.",
            "",
            "Plans: B basic, I implicit, H hybrid (each also with form_post), C config, D dynamic, 3 third-party-",
            "initiated login, R RP-initiated, S session, F front-channel and K back-channel logout.",
            "",
            "| module | plans | test | cases | outcome |",
            "|---|---|---|---|---|",
        ]
        for module, plans in MODULES.items():
            tests = self._tests.get(module, {"no test": 0})
            lines.extend(
                f"| oidcc-{module} | {plans} | {test.removeprefix('tests/conformance/')} | {cases} "
                f"| {self._outcomes.get(test, 'not run')} |"
                for test, cases in sorted(tests.items())
            )
        lines += [
            "",
            "FAPI, against what `deploy/conformance/start fapi` serves. Plans: S FAPI 2.0 Security Profile, M Message",
            "Signing, C FAPI-CIBA; d with DPoP, k with private_key_jwt, t with mutual TLS, p in ping mode.",
            "",
            "| module | plans | test | cases | outcome |",
            "|---|---|---|---|---|",
        ]
        for module, plans in FAPI_MODULES.items():
            lines.extend(
                f"| {module} | {plans} | {test.removeprefix('tests/conformance/')} | {cases} "
                f"| {self._outcomes.get(test, 'not run')} |"
                for test, cases in sorted(self._tests.get(module, {"no test": 0}).items())
            )
        self._write(lines)


class RequirementsReport(_Report):
    """Collects which test speaks for which section or attack, and writes the table at the end."""

    def __init__(self, target: Path) -> None:
        super().__init__(target)
        self._rows: dict[tuple[str, str, str], set[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Reads the markers of every selected test; the cases of one parametrized test share a line."""
        for item in session.items:
            for mark in item.iter_markers("spec"):
                document, section = (str(argument) for argument in mark.args[:2])
                level = str(mark.args[2] if len(mark.args) > 2 else mark.kwargs.get("level", ""))
                self._rows.setdefault((document, section, level), set()).add(self._name(item.nodeid))
            for mark in item.iter_markers("attack"):
                for attack in mark.args:
                    self._rows.setdefault(("attack", str(attack), ""), set()).add(self._name(item.nodeid))

    def pytest_sessionfinish(self) -> None:
        """Writes the table."""
        lines = ["# Requirements and their tests", "", "| document | section | level | test | outcome |"]
        lines.append("|---|---|---|---|---|")
        for (document, section, level), tests in sorted(self._rows.items()):
            lines.extend(
                f"| {document} | {section} | {level} | {test} | {self._outcomes.get(test, 'not run')} |"
                for test in sorted(tests)
            )
        self._write(lines)
