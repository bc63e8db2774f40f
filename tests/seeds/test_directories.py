"""Every directory that stands in for a system is accepted, and says which specifications it bends."""

from pathlib import Path

import pytest

from appliance.server.checking import Checker

HERE = Path(__file__).parent
#: What `appliance check` warns of in each: its bent specifications, and tokens in addresses.
BENT = {
    "kiuru": set(),
    "resilient_access": {"OP921", "OP927"},
    "curity": {"OP926"},
    "onegini": {"OP231"},
    "kobil": {"OP231", "OP922", "OP923", "OP924", "OP925"},
}


@pytest.mark.parametrize("seed", sorted(BENT))
def test_the_provider_accepts_the_directory_and_says_what_bends(seed: str) -> None:
    checked = Checker(None).check(HERE / seed)
    assert {problem.code for problem in checked.warnings} == BENT[seed]


@pytest.mark.parametrize("seed", sorted(BENT))
def test_the_directory_says_what_stands_in_for_what(seed: str) -> None:
    assert "stands in" in (HERE / seed / "README.md").read_text(encoding="utf-8")
