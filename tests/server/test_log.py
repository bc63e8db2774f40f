"""What operators read: one line an event for programs, readable diagnostics for a person at a terminal."""

import io
import json

import pytest
import structlog

from appliance.protocol.secret import Secret
from appliance.server import log

DIAGNOSTICS = "error[OP102]: unknown key `x`\n --> clients/a.yaml:1:1\n"


def written(form: str, **facts: object) -> str:
    out = io.StringIO()
    log.configure("info", form, out)
    structlog.get_logger().error("configuration refused", **facts)
    return out.getvalue()


def test_a_person_reads_diagnostics_as_check_prints_them() -> None:
    assert DIAGNOSTICS.rstrip() in written("text", diagnostics=DIAGNOSTICS)


@pytest.mark.attack("LG-01")
def test_a_program_reads_one_line_whatever_is_in_it() -> None:
    line = written("json", diagnostics=DIAGNOSTICS, path="/a\r\nb\x1b[31m\u2028", long="x" * 100_000)
    assert line.count("\n") == 1
    event = json.loads(line)
    assert event["diagnostics"] == DIAGNOSTICS
    assert "\n" not in event["path"] and "\x1b" not in event["path"]
    assert len(event["long"]) < 1000


def test_a_secret_is_told_by_where_it_is_from() -> None:
    assert "hunter2" not in written("json", secret=str(Secret(b"hunter2", "file secrets/x")))


@pytest.mark.attack("LG-05")
def test_a_closed_log_loses_the_line_and_nothing_else() -> None:
    out = io.StringIO()
    log.configure("info", "json", out)
    logger = structlog.get_logger()
    out.close()
    logger.error("lost")
    assert out.closed
