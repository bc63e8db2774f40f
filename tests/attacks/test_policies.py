"""Attacks by configuration on what a login must prove."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.cli import main
from tests.config.test_cases import read
from tests.support.provider import ROOT
from tests.support.two_issuers import configuration

PASSWORD, CODE = {"authenticate": "password"}, {"authenticate": "code"}
#: What the policy of a level must not be, and a word of why. Policies are lines: branches and circles have no words.
REFUSED: dict[str, tuple[Any, str]] = {
    "an authenticator that is not defined": ([PASSWORD, {"authenticate": "fingerprint"}], "fingerprint"),
    "nothing to prove": ([], "steps"),
    "a step that names nothing": ([{}], "authenticate"),
    "a policy within a policy, which could be a cycle": ([{"policy": "strong"}], "policy"),
    "a branch that skips the second factor": ([{"any": [PASSWORD, [PASSWORD, CODE]]}], "any"),
    "a branch of its own key": ([PASSWORD, {**CODE, "unless": "trusted"}], "unless"),
}


def check(tmp_path: Path, strong: Any, weak: Any = (PASSWORD,)) -> tuple[bool, str]:
    """Whether the configuration is taken with these policies of its two levels, and what is said."""
    write(tmp_path, strong, weak)
    loaded, said = read(tmp_path)
    return loaded is not None, said


def write(tmp_path: Path, strong: Any, weak: Any = (PASSWORD,)) -> None:
    """The configuration with these policies of its two levels."""
    files = configuration()
    files["authenticators/all.yaml"] = json.dumps(
        {
            "authenticators": {
                "password": {"kind": "password", "source": "people"},
                "code": {"kind": "totp", "source": "people"},
            }
        }
    )
    files["policies/all.yaml"] = json.dumps(
        {"policies": {"password": {"steps": list(weak)}, "recent": {"steps": strong}}}
    )
    minimal = ROOT / "tests" / "config" / "accepted" / "minimal"
    for path in minimal.rglob("*.yaml"):
        files.setdefault(str(path.relative_to(minimal)), path.read_text())
    for name, text in files.items():
        if text:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(f"{text}\n")


def test_a_second_factor_after_the_first_is_taken(tmp_path: Path) -> None:
    taken, said = check(tmp_path, [PASSWORD, CODE])
    assert taken, said


@pytest.mark.attack("AU-19")
@pytest.mark.parametrize("why", REFUSED)
def test_a_policy_that_proves_less_than_it_seems_is_refused(tmp_path: Path, why: str) -> None:
    steps, word = REFUSED[why]
    taken, said = check(tmp_path, steps)
    assert not taken, why
    assert "policies/all.yaml:1:" in said or "profiles/a.yaml:1:" in said
    assert word in said


@pytest.mark.attack("AU-19")
@pytest.mark.parametrize(
    ("weak", "strong", "code"),
    [([PASSWORD, CODE], [PASSWORD], "OP603"), ([PASSWORD], [PASSWORD, PASSWORD], "OP605")],
)
def test_a_second_factor_that_is_none_is_told_of(tmp_path: Path, weak: Any, strong: Any, code: str) -> None:
    _, said = check(tmp_path, strong, weak)
    assert f"[{code}]" in said


@pytest.mark.attack("AU-19")
@pytest.mark.parametrize(
    ("weak", "strong", "reached"),
    [
        ([PASSWORD], [PASSWORD, CODE], {"password": 1, "recent": 2}),
        # The lower level asks for all that the higher one does: who passes it has reached both.
        ([PASSWORD, CODE], [PASSWORD, CODE], {"password": 2, "recent": 2}),
    ],
)
def test_check_prints_which_levels_each_policy_reaches(
    tmp_path: Path, weak: Any, strong: Any, reached: dict[str, int]
) -> None:
    write(tmp_path, strong, weak)
    said = json.loads(CliRunner().invoke(main, ["check", "--format", "json", str(tmp_path)]).output)
    assert said["ok"]
    assert {each["policy"]: len(each["acr"]) for each in said["reaches"] if each["profile"] == "a"} == reached
    lines = CliRunner().invoke(main, ["check", str(tmp_path)]).output.splitlines()
    assert sum(line.startswith("a: policy ") and " reaches " in line for line in lines) == len(reached)
