"""Nothing unfinished is committed, and nothing that only one machine understands."""

import re
from collections.abc import Iterable
from pathlib import Path

from tests.house.source import committed_texts

# Each pattern is written so that it does not match itself.
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X|NotImplemented[E]rror)\b")
ONE_MACHINE = re.compile(
    r"(?<![\w.:}/-])/(?:wor[k]/(?:main|shared|\.library)|roo[t]/|User[s]/\w|hom[e]/\w|tm[p]/c/)"
    r"|\b(?:pypi\.or[g]|pythonhosted\.or[g]|npmjs\.(?:or[g]|co[m])|crates\.i[o]|deb\.debian\.or[g])\b"
)


def mark_complaints(texts: Iterable[tuple[Path, str]], mark: re.Pattern[str]) -> list[str]:
    """Lines of the texts that bear a mark."""
    return [
        f"{path}:{number}: {found.group()}"
        for path, text in texts
        for number, line in enumerate(text.splitlines(), start=1)
        if (found := mark.search(line))
    ]


def test_nothing_unfinished_is_committed() -> None:
    assert mark_complaints(committed_texts(), UNFINISHED) == []


def test_no_path_or_host_of_one_machine_is_committed() -> None:
    assert mark_complaints(committed_texts(), ONE_MACHINE) == []
