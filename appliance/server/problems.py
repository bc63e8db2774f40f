"""Problems as the server tells them: a text for people, JSON for programs, the same words as `appliance check`.

Apart from `checking`, so that the serving process does not load what only reads files.
"""

from collections.abc import Iterable

from appliance.config.problems import Excerpts, Problem
from appliance.config.rendering import as_members, render_text
from appliance.server.codes import CODES
from appliance.server.frames import Diagnosis


def diagnose(problems: Iterable[Problem], excerpts: Excerpts) -> Diagnosis:
    """Problems with their excerpts."""
    found = tuple(problems)
    return Diagnosis(render_text(found, excerpts, colour=False), tuple(as_members(problem) for problem in found))


def problem(code: str, message: str, file: str = "op.yaml") -> Diagnosis:
    """The diagnosis of one problem of a file as a whole: what keeps a good configuration from going live."""
    return diagnose([Problem(code, CODES[code].severity, file, 0, 0, 0, message)], {})
