"""What of a file may be shown: no line with a secret leaves this room unmasked.

The judgement goes by the names of keys in the text, so that it also works where a file is too broken to be
parsed, and for a secret that stands where no schema expects one. `file:` and `env:` say where a secret is and
are shown.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from appliance.config.problems import LINE_BREAK, Excerpts, Line, Mark, Path, Problem

_WORDS: Final = (
    "secrets?|passwords?|passwd|passphrase|pass|pwd|salt|pepper|pin|credentials?|api[_-]?keys?|private[_-]?keys?"
    "|tokens?|totp|hash|bearer|jwe|jws"
)
# `token_endpoint_auth_method`, `id_token`, `refresh_token_idle` and the like are settings, not secrets.
_NAME: Final = re.compile(rf"(?:.*[_.-])?(?:{_WORDS})", re.IGNORECASE)
_SETTINGS: Final = frozenset(
    {
        *("id_token", "access_token", "refresh_token", "claims_in_id_token", "claims_in_access_token"),
        *("dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens"),
    }
)
#: What holds a secret as a map; a theme's `tokens` are no secrets.
_HOLDER: Final = re.compile(
    r"(?:.*[_.-])?(?:secrets?|passwords?|salt|totp|credentials?|api[_-]?keys?|private[_-]?keys?)", re.IGNORECASE
)
#: Names under which somebody writes a secret down where only references are accepted.
_LITERALS: Final = frozenset({"value", "plain", "plaintext", "cleartext", "text", "raw", "literal", "string", "key"})
_KEY: Final = re.compile(r"""(?P<quote>["']?)(?P<name>[A-Za-z0-9_.#-]{1,80})(?P=quote)\s*[:=](?=\s|$|["'])""")
_VALUE_END: Final = re.compile(r"[,\]}](?:\s|$)|\s#")
_OPENS: Final = re.compile(r"\{|\[\s*\{|\*\w+\s*$|[|>][+-]?[0-9]?\s*$")
_QUOTED: Final = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")
_STRUCTURE: Final = re.compile(r"\s*(?:-\s+)*(?:[\[{]|[\"']?[A-Za-z0-9_.#-]+[\"']?\s*:(?:\s|$))")
_WIDEST: Final = 240
_MASK: Final = "*"


def is_secret_name(name: str) -> bool:
    """Whether a member of that name holds a secret, as far as a name can tell."""
    return name not in _SETTINGS and _NAME.fullmatch(name) is not None


def is_secret_path(path: Path) -> bool:
    """Whether something at a path may be a secret or part of one."""
    if path and path[-1] in ("file", "env"):
        return False
    return any(isinstance(step, str) and is_secret_name(step) for step in path)


def excerpts(problems: Iterable[Problem], texts: Mapping[str, str], names: frozenset[str]) -> Excerpts:
    """The lines that problems are about, as they may be shown; `names` are further names of secrets."""
    wanted: dict[str, dict[int, int]] = {}
    for problem in problems:
        own = Mark(problem.file, problem.line, problem.column, problem.length)
        for mark in (own, *problem.secondary):
            if mark.line and mark.file in texts:
                wanted.setdefault(mark.file, {}).setdefault(mark.line, mark.column)
    shown: dict[str, dict[int, Line]] = {}
    for file, lines in wanted.items():
        written = LINE_BREAK.split(texts[file])
        shown[file] = {
            number: _cut(_masked(written, number - 1, names), column)
            for number, column in lines.items()
            if number <= len(written)
        }
    return shown


def _cut(text: str, column: int) -> Line:
    if len(text) <= _WIDEST:
        return Line(0, text)
    start = max(0, min(column - 1 - _WIDEST // 3, len(text) - _WIDEST))
    return Line(start, text[start : start + _WIDEST])


def _masked(lines: Sequence[str], index: int, names: frozenset[str]) -> str:
    line = lines[index]
    if _continues_secret(lines, index, names):
        return _mask(line, len(line) - len(line.lstrip()), len(line))
    end = 0
    inside = _is_inside_secret(lines, index)
    for key in _KEY.finditer(line):
        told = inside and key["name"] in _LITERALS
        if key.start() < end or not (told or is_secret_name(key["name"]) or key["name"] in names):
            continue
        start = key.end() + len(line[key.end() :]) - len(line[key.end() :].lstrip())
        if _OPENS.match(line, start):
            # A map: its own members decide; or a text in the lines below.
            inside = inside or _HOLDER.fullmatch(key["name"]) is not None
            continue
        end = _value_end(line, start)
        line = _mask(line, start, end)
    return line


def _is_inside_secret(lines: Sequence[str], index: int) -> bool:
    """Whether the line is a member of something with the name of a secret."""
    indent = len(lines[index]) - len(lines[index].lstrip())
    item = lines[index].lstrip().startswith("- ")
    for above in range(index - 1, max(-1, index - 200), -1):
        text = lines[above]
        own = len(text) - len(text.lstrip())
        if not text.strip() or own > indent or (own == indent and (not item or text.lstrip().startswith("- "))):
            continue
        keys = list(_KEY.finditer(text))
        if keys and _HOLDER.fullmatch(keys[-1]["name"]) and not text[keys[-1].end() :].strip():
            return True
        if not text.lstrip().startswith("- "):
            return False
        indent, item = own, True
    return False


def _value_end(line: str, start: int) -> int:
    quoted = _QUOTED.match(line, start)
    if quoted:
        return quoted.end()
    if line[start : start + 1] in ("[", '"', "'"):
        return len(line)
    found = _VALUE_END.search(line, start)
    return found.start() if found else len(line)


def _continues_secret(lines: Sequence[str], index: int, names: frozenset[str]) -> bool:
    """Whether a line is part of a longer value that began at the key of a secret above it."""
    line = lines[index]
    indent = len(line) - len(line.lstrip())
    for above in range(index - 1, max(-1, index - 2000), -1):
        text = lines[above]
        if not text.strip() or len(text) - len(text.lstrip()) > indent:
            continue
        own = len(text) - len(text.lstrip())
        keys = list(_KEY.finditer(text))
        if own < indent or (keys and own == indent and line.lstrip().startswith("- ")):
            last = keys[-1] if keys else None
            if last and (is_secret_name(last["name"]) or last["name"] in names):
                rest = text[last.end() :].strip()
                opened = not rest or rest[0] in "|>[&!" or (rest[0] in "\"'" and not _QUOTED.match(rest))
                return (opened and not _STRUCTURE.match(line)) or rest[:1] in ("|", ">")
            indent = own
        if indent == 0:
            break
    return False


def _mask(line: str, start: int, end: int) -> str:
    return line[:start] + _MASK * (end - start) + line[end:]
