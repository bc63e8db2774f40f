"""Whether a regular expression of the configuration may be run: it compiles, and it cannot run away.

Python's engine backtracks. A repeat within a repeat, or alternatives within one, take exponential time on a
text made for it, and the texts come from directories that users edit (OWASP ASVS 1.3.12).
"""

import re
import warnings

MAX_LENGTH = 500
#: Each further open-ended repeat multiplies the steps by the length of the text.
MAX_OPEN_REPEATS = 3

_GROUP = re.compile(r"\((?:\?(?:P<\w+>|[aiLmsux-]*:|<?[=!]))?")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d*(?:,\d*)?\})[?+]?")
_BACKREFERENCE = re.compile(r"\\[1-9]|\(\?P=|\(\?\(|\(\?>")


class _Frame:
    """What was seen so far within one pair of parentheses."""

    def __init__(self) -> None:
        self.repeats = False
        self.alternatives = False

    def take(self, inner: "_Frame") -> None:
        """What is inside of an inner group is inside of this one."""
        self.repeats = self.repeats or inner.repeats
        self.alternatives = self.alternatives or inner.alternatives


def fault(pattern: str) -> str | None:
    """Why a pattern is refused, to be read after "the pattern"; None if it is not."""
    if len(pattern) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except re.error as error:
        place = "" if error.pos is None else f" at character {error.pos + 1}"
        return f"is not a regular expression: {error.msg}{place}"
    except (RecursionError, OverflowError, Warning):
        return "is not a regular expression that this provider runs"
    return _runaway(pattern)


def groups(pattern: str) -> int:
    """How many capture groups a pattern has that `fault` accepted."""
    return re.compile(pattern).groups


def _runaway(pattern: str) -> str | None:
    frames = [_Frame()]
    open_repeats = 0
    at = 0
    while at < len(pattern):
        closed: _Frame | None = None
        if _BACKREFERENCE.match(pattern, at):
            return "refers back to a group; such patterns can run away"
        if pattern[at] == "\\":
            at += 2
        elif pattern[at] == "[" and (found := _CLASS.match(pattern, at)):
            at = found.end()
        elif pattern[at] == "(" and (found := _GROUP.match(pattern, at)):
            frames.append(_Frame())
            at = found.end()
            continue
        elif pattern[at] == ")" and len(frames) > 1:
            closed = frames.pop()
            frames[-1].take(closed)
            at += 1
        else:
            frames[-1].alternatives = frames[-1].alternatives or pattern[at] == "|"
            at += 1
        quantifier = _QUANTIFIER.match(pattern, at)
        if quantifier is None:
            continue
        at = quantifier.end()
        repeats, open_ended = _reach(quantifier[0])
        if closed is not None and repeats and closed.repeats:
            return "has a repeat within a repeat; such patterns can run away"
        if closed is not None and repeats and closed.alternatives:
            return "repeats alternatives; such patterns can run away"
        frames[-1].repeats = True
        open_repeats += open_ended
    return f"has more than {MAX_OPEN_REPEATS} open-ended repeats" if open_repeats > MAX_OPEN_REPEATS else None


def _reach(quantifier: str) -> tuple[bool, bool]:
    """Whether a quantifier repeats at all, and whether without end."""
    if quantifier[0] != "{":
        return quantifier[0] != "?", quantifier[0] != "?"
    least, comma, most = quantifier.rstrip("?+")[1:-1].partition(",")
    if comma and not most:
        return True, True
    return int(most or least or 0) > 1, False
