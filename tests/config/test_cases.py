"""Whole configurations: what is accepted, what is refused, and every word of why.

A case of `rejected/` or `warned/` is a handful of files laid over `accepted/minimal`, and `problems.txt`, what
an operator reads. `pytest tests/config --update-goldens` writes those anew; read each difference.
"""

import importlib
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from appliance.config.load import Loaded, load
from appliance.config.objects import Parts
from appliance.config.problems import CODES, ConfigRejected
from appliance.config.rendering import render_text
from appliance.parts.authenticators import AUTHENTICATORS
from appliance.parts.sources import SOURCES
from appliance.resources import CONFIG_EXAMPLE
from tests.house.source import ROOT

HERE = ROOT / "tests" / "config"
MINIMAL = HERE / "accepted" / "minimal"
GOLDEN = "problems.txt"


PARTS: Parts = {
    family: {kind: importlib.import_module(part.__module__).Options for kind, part in parts.items()}
    for family, parts in (("sources", SOURCES), ("authenticators", AUTHENTICATORS))
}


def read(directory: Path, environment: str | None = None) -> tuple[Loaded | None, str]:
    """What a directory loads to, if it does, and what is said about it, wherever the directory is."""
    try:
        loaded = load(directory, environment=environment, parts=PARTS)
    except ConfigRejected as rejected:
        said = render_text(rejected.problems, rejected.excerpts, colour=False)
        return None, said.replace(str(directory), "<configuration>")
    return loaded, render_text(loaded.warnings, loaded.excerpts, colour=False)


def laid_over_minimal(case: Path, directory: Path) -> Path:
    """The minimal configuration with the files of a case over it."""
    shutil.copytree(MINIMAL, directory, dirs_exist_ok=True)
    shutil.copytree(case, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns(GOLDEN))
    return directory


def check_golden(case: Path, said: str, request: pytest.FixtureRequest) -> None:
    """What is said is what the golden file has, or becomes it when that was asked for."""
    golden = case / GOLDEN
    if request.config.getoption("--update-goldens", default=False):
        golden.write_text(said, encoding="utf-8")
    assert said == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", sorted((HERE / "accepted").iterdir()), ids=lambda case: case.name)
def test_it_accepts_without_a_word(case: Path) -> None:
    loaded, said = read(case)
    assert said == ""
    assert loaded is not None


@pytest.mark.parametrize("environment", [None, "production"])
def test_it_accepts_the_example(environment: str | None) -> None:
    loaded, said = read(CONFIG_EXAMPLE, environment)
    assert said == ""
    assert loaded is not None
    assert sorted(loaded.declared.profiles) == ["retail", "workforce"]
    assert len(loaded.declared.clients) >= 8


@pytest.mark.attack("CA-43", "CF-05", "CF-07", "CF-16", "CF-17", "JW-05", "MX-12", "PS-02", "RU-31")
@pytest.mark.seed("002")
@pytest.mark.parametrize("case", sorted((HERE / "rejected").iterdir()), ids=lambda case: case.name)
def test_it_refuses_and_says_why(case: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    loaded, said = read(laid_over_minimal(case, tmp_path))
    assert loaded is None
    check_golden(case, said, request)


@pytest.mark.attack("CF-17")
@pytest.mark.parametrize("case", sorted((HERE / "warned").iterdir()), ids=lambda case: case.name)
def test_it_accepts_with_a_warning(case: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    loaded, said = read(laid_over_minimal(case, tmp_path))
    assert loaded is not None
    assert said
    check_golden(case, said, request)


def import_codes(module: str) -> Mapping[str, object]:
    """The codes of one module of them."""
    codes: Mapping[str, object] = importlib.import_module(f"appliance.config.codes.{module}").CODES
    return codes


def test_every_rule_has_a_case() -> None:
    told = "".join(golden.read_text(encoding="utf-8") for golden in HERE.glob("*/*/" + GOLDEN))
    rules = [*import_codes("rules"), *import_codes("compat"), *import_codes("sign_up")]
    rules += import_codes("authorization")
    assert [code for code in rules if f"[{code}]" not in told and code not in TOLD_ELSEWHERE] == []


#: One takes the absence of files, the other names a number of days: test_rules.py has them.
TOLD_ELSEWHERE = {"OP264", "OP912"}


def test_every_code_has_a_title_and_an_explanation() -> None:
    assert [code for code, text in CODES.items() if not text.title or len(text.explanation) < 15] == []
