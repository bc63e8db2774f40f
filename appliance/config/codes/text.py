"""What is said of one diagnostic code."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class CodeText:
    """Severity of a code, a title of a few words, and the long text with its remedy."""

    severity: Severity
    title: str
    explanation: str
