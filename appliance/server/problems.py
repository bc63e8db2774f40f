"""What keeps a good configuration from going live, in the form of diagnostics."""

from appliance.config.problems import Problem
from appliance.server.checking import diagnose
from appliance.server.codes import CODES
from appliance.server.frames import Diagnosis


def problem(code: str, message: str, file: str = "op.yaml") -> Diagnosis:
    """The diagnosis of one problem of a file as a whole."""
    return diagnose([Problem(code, CODES[code].severity, file, 0, 0, 0, message)], {})
