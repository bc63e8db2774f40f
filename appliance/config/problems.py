"""A mistake in the configuration as a value, and the exception that carries all of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from appliance.config.codes import CODES
from appliance.config.codes.text import CodeText, Severity

__all__ = [
    "CODES",
    "LINE_BREAK",
    "CodeText",
    "ConfigRejected",
    "Excerpts",
    "Line",
    "Mark",
    "Path",
    "Problem",
    "Unreadable",
    "problem_at",
    "sort_problems",
]

#: What YAML takes for the end of a line.
LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

#: Where in a document something is: member names and list positions from its top.
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file. Line and column count from 1 in characters; line 0 means the file as a whole."""

    file: str
    line: int
    column: int
    length: int
    #: What a secondary mark says beside its underline.
    label: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file as it may be shown: secrets masked; `start` characters were cut off before it."""

    start: int
    text: str


#: File to line number to line.
Excerpts = Mapping[str, Mapping[int, Line]]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake or doubt, with its place and its remedy. Its texts never contain the value of a secret."""

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    length: int
    message: str
    help: str | None = None
    notes: tuple[str, ...] = ()
    secondary: tuple[Mark, ...] = ()

    def noting(self, *notes: str) -> Self:
        """The same problem with further notes."""
        return type(self)(
            self.code, self.severity, self.file, self.line, self.column, self.length,
            self.message, self.help, (*self.notes, *notes), self.secondary,
        )  # fmt: skip


class ConfigRejected(Exception):
    """The configuration is not taken; `problems` has every error and warning that was found, sorted.

    `excerpts` has the lines they are about, with secrets masked.
    """

    def __init__(self, problems: Iterable[Problem], excerpts: Excerpts | None = None) -> None:
        self.problems = sort_problems(problems)
        self.excerpts: Excerpts = excerpts if excerpts is not None else {}
        super().__init__(self.problems, self.excerpts)

    def __str__(self) -> str:
        errors = sum(problem.severity == "error" for problem in self.problems)
        return f"{errors} errors, {len(self.problems) - errors} warnings"


class Unreadable(Exception):
    """A value has the right shape but no meaning; raised by readers of single values.

    `path` leads from that value to the part of it that is wrong; `key`: its key is, not its value.
    """

    def __init__(
        self, path: Path, message: str, help: str | None = None, code: str = "OP112", *, key: bool = False
    ) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.help = help
        self.code = code
        self.key = key


def problem_at(
    code: str, mark: Mark, message: str, *, help: str | None = None, secondary: tuple[Mark, ...] = ()
) -> Problem:
    """A problem at a mark; its severity is that of its code."""
    severity = CODES[code].severity
    return Problem(code, severity, mark.file, mark.line, mark.column, mark.length, message, help, (), secondary)


def sort_problems(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once, by file and place; errors before warnings of the same place."""
    return tuple(
        sorted(
            dict.fromkeys(problems),
            key=lambda p: (p.file, p.line, p.column, p.severity, p.code, p.message, p.length),
        )
    )
