"""Every directory that stands in for a system is accepted, and says which specifications it bends."""

import re
from pathlib import Path

import pytest

from appliance.server.checking import Checker

HERE = Path(__file__).parent
#: What `appliance check` warns of in each: its bent specifications, and tokens in addresses.
BENT = {
    "kiuru": set(),
    "resilient_access": {"OP921", "OP927", "OP941", "OP942"},
    "curity": {"OP926"},
    "onegini": {"OP231", "OP942"},
    "kobil": {"OP231", "OP922", "OP923", "OP924", "OP925", "OP943"},
}


@pytest.mark.parametrize("seed", sorted(BENT))
def test_the_provider_accepts_the_directory_and_says_what_bends(seed: str) -> None:
    checked = Checker(None).check(HERE / seed)
    assert {problem.code for problem in checked.warnings} == BENT[seed]


@pytest.mark.parametrize("seed", sorted(BENT))
def test_the_directory_says_what_stands_in_for_what(seed: str) -> None:
    assert "stands in" in (HERE / seed / "README.md").read_text(encoding="utf-8")


#: How many rows the requirements of each system have, by the letter of their ids.
ROWS = {
    "kiuru": ("K", 20),
    "resilient_access": ("R", 62),
    "curity": ("C", 40),
    "onegini": ("O", 48),
    "kobil": ("B", 72),
}


@pytest.mark.parametrize("seed", sorted(BENT))
def test_every_row_has_a_story_or_a_word_on_why_it_has_none(seed: str) -> None:
    letter, count = ROWS[seed]
    told = (HERE / seed / "README.md").read_text(encoding="utf-8")
    told += (HERE / f"test_{seed}.py").read_text(encoding="utf-8")
    named = set(map(int, re.findall(rf"\b{letter}([0-9]+)\b", told)))
    for first, last in re.findall(rf"\b{letter}([0-9]+) to {letter}([0-9]+)\b", told):
        named |= set(range(int(first), int(last) + 1))
    assert [f"{letter}{row}" for row in range(1, count + 1) if row not in named] == []
