"""Problems as text with the lines they are about, or as JSON. Lines come masked (see `secrecy`)."""

import json
import unicodedata
from collections.abc import Iterable
from typing import Final

from appliance.config.problems import Excerpts, Line, Mark, Problem

_TAB: Final = "    "
_RED, _YELLOW, _BLUE, _BOLD, _PLAIN = "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"


def wants_colour(environ: Iterable[str], *, terminal: bool) -> bool:
    """Whether to colour: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return terminal and "NO_COLOR" not in environ


def render_text(problems: Iterable[Problem], sources: Excerpts, colour: bool) -> str:
    """The problems for people, one after the other, and how many there are."""
    listed = list(problems)
    if not listed:
        return ""
    errors = sum(problem.severity == "error" for problem in listed)
    counts = [_count(errors, "error"), _count(len(listed) - errors, "warning")]
    summary = ", ".join(count for count in counts if count)
    blocks = [_render(problem, sources, _Paint(colour)) for problem in listed]
    return "\n\n".join([*blocks, summary]) + "\n"


def render_json(problems: Iterable[Problem]) -> str:
    """The problems for programs: a list of objects. Columns count from 1, `end_column` is behind the last."""
    return json.dumps([as_members(problem) for problem in problems], indent=2, ensure_ascii=False) + "\n"


def as_members(problem: Problem) -> dict[str, object]:
    """A problem as JSON members; also what the status of a reload shows."""
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "end_column": problem.column + problem.length,
        "message": problem.message,
        "help": problem.help,
        "notes": list(problem.notes),
        "secondary": [
            {"file": mark.file, "line": mark.line, "column": mark.column, "label": mark.label}
            for mark in problem.secondary
        ],
    }


class _Paint:
    """Wraps text in colours, or leaves it as it is."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, code: str, text: str) -> str:
        return f"{code}{text}{_PLAIN}" if self._colour else text


def _count(number: int, word: str) -> str:
    return "" if not number else f"{number} {word}{'s' if number > 1 else ''}"


def _render(problem: Problem, sources: Excerpts, paint: _Paint) -> str:
    tone = _RED if problem.severity == "error" else _YELLOW
    lines = [paint(tone, f"{problem.severity}[{problem.code}]") + paint(_BOLD, f": {problem.message}")]
    own = Mark(problem.file, problem.line, problem.column, problem.length)
    marks = [mark for mark in (own, *problem.secondary) if mark.line]
    shown = [mark for mark in marks if mark.line in sources.get(mark.file, {})]
    margin = len(str(max((mark.line for mark in shown), default=0)))
    place = f"{own.file}:{own.line}:{own.column}" if own.line else own.file
    if place:
        lines.append(paint(_BLUE, " " * margin + "-->") + f" {place}")
    bar = paint(_BLUE, " " * margin + " |")
    last_file, last_line = own.file, 0
    for mark in sorted(shown, key=lambda mark: (mark.file != own.file, mark.file, mark.line, mark.column)):
        if mark.file != last_file:
            lines.append(paint(_BLUE, " " * margin + ":::") + f" {mark.file}:{mark.line}:{mark.column}")
            last_file, last_line = mark.file, 0
        if not last_line:
            lines.append(bar)
        line = sources[mark.file][mark.line]
        if mark.line != last_line:
            lines.append(paint(_BLUE, f"{mark.line:>{margin}} |") + f" {_shown(line.text)}")
        lines.append(f"{bar} {_underline(line, mark, '^' if mark == own else '-', paint, tone)}".rstrip())
        last_line = mark.line
    remarks = [f"note: {note}" for note in problem.notes] + ([f"help: {problem.help}"] if problem.help else [])
    lines += [paint(_BLUE, " " * margin + " =") + f" {remark}" for remark in remarks]
    return "\n".join(lines)


def _underline(line: Line, mark: Mark, sign: str, paint: _Paint, tone: str) -> str:
    begin = max(0, mark.column - 1 - line.start)
    before = line.text[:begin]
    marked = line.text[begin : begin + mark.length]
    words = f" {mark.label}" if mark.label else ""
    drawn = sign * max(1, _width(marked)) + words
    return " " * _width(before) + paint(tone if sign == "^" else _BLUE, drawn)


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else _stand_in(character) for character in text)


def _stand_in(character: str) -> str:
    # A control or direction-changing character must not act on the terminal (Trojan Source).
    return _TAB if character == "\t" else "\ufffd"


def _width(text: str) -> int:
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if character == "\t":
        return len(_TAB)
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
