"""Attacks on the log: lines that somebody else writes, and lines that nobody can write any more."""

import io
import json
import re

import pytest

from appliance.server import log
from appliance.server.metrics import Metrics
from tests.support.browser import Browser
from tests.support.provider import Provider, provider
from tests.support.relying import RelyingParty
from tests.support.two_issuers import configuration, party

FORGED = (
    '\r\n{"event": "forged", "level": "error"}\r\n\x1b[2J\x1b]0;x\x07%s%n{0.__class__}\u2028\u2029\x85\x00\u202e'
    + "A" * 9000
)
LONGEST = 3000


def logging_to(op: Provider, stream: io.StringIO) -> Metrics:
    """Let the provider tell what the server would tell."""
    metrics = Metrics()
    log.configure("debug", "json", stream)
    op.snapshot._report = log.LogReport(metrics)
    return metrics


async def attempts(op: Provider, text: str) -> None:
    """Failed logins and requests with that text everywhere."""
    rp = party(op, "web", "a")
    page = await rp.ask(login_hint=text[:100].replace("\0", ""), state=text[:300].replace("\0", ""))
    for guess in (text, text[:200], text.replace("\0", "")):
        await rp.browser.submit(page, username=guess, password=f"wrong{guess}")
    for name in ("client_id", "redirect_uri", "scope", "prompt", "response_type", "claims", "request", "state"):
        await rp.ask(**{name: text})
        await rp.ask(**{name: text.replace("\0", "")})
    other = RelyingParty(op, text, path="/a")
    for at in ("/token", "/introspect", "/revoke", "/register"):
        form: dict[str, str | None] = {"client_id": text, "client_secret": text, "grant_type": text, "token": text}
        await other.post(at, form)
        await other.send("POST", at, {"authorization": (f"Basic {text}",), "content-type": (text,)}, text.encode())
    await other.userinfo(text)
    await Browser(op).request("GET", f"/a/logout?id_token_hint={'x' * 500}")


@pytest.mark.attack("LG-01")
async def test_whatever_is_sent_one_event_is_one_line_of_printable_bounded_text() -> None:
    stream = io.StringIO()
    async with provider("minimal", edit=configuration()) as op:
        logging_to(op, stream)
        await attempts(op, FORGED)
    written = stream.getvalue()
    lines = written.split("\n")
    assert lines.pop() == "" and len(lines) > 10
    assert len(lines) == len(written.splitlines()), "no other line end counts as one"
    for line in lines:
        event = json.loads(line)
        assert event["event"] in {"refused", "failure"}
        assert len(line) <= LONGEST
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e\ufeff]", "".join(map(str, event.values())))
    assert "wrong" not in written


class Full(io.StringIO):
    """A disk without room, and then a pipe without reader."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0

    def write(self, text: str) -> int:
        """Nothing can be written."""
        self.refused += 1
        raise OSError(28, "No space left on device") if self.refused % 2 else BrokenPipeError(32, "Broken pipe")


@pytest.mark.attack("LG-05")
async def test_serving_goes_on_without_a_log_and_lost_lines_are_counted() -> None:
    def lost(metrics: Metrics) -> float:
        found = re.search(r"^op_log_lines_lost_total (\S+)$", metrics.page().decode(), re.MULTILINE)
        assert found
        return float(found[1])

    stream = Full()
    async with provider("minimal", edit=configuration()) as op:
        metrics = logging_to(op, stream)
        before = lost(metrics)
        await attempts(op, "plain")
        assert stream.refused > 5
        assert lost(metrics) - before == stream.refused
        closed = io.StringIO()
        closed.close()
        logging_to(op, closed)
        rp = party(op, "web", "a")
        assert (await rp.userinfo("unknown")).status == 401
        assert lost(metrics) - before == stream.refused + 1
        assert (await rp.tokens("anna")).status == 200
    log.configure("info", "json")
