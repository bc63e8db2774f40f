"""npm openid-client, a certified relying party library, against the running provider."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.live import ROOT, Live
from tests.support.person import Person

REDIRECT = "http://127.0.0.1:8081/callback"


@pytest.mark.clients
@pytest.mark.spec("OpenID Connect Core", "3.1")
@pytest.mark.spec("RFC 7636", "4")
@pytest.mark.spec("RFC 6749", "6")
def test_openid_client_completes_code_pkce_userinfo_and_refresh(live: Live) -> None:
    secret = (ROOT / "config.example/secrets/sample-rp").read_text().strip()
    script = Path(__file__).with_name("flow.mjs")
    with subprocess.Popen(
        ["node", str(script), f"{live.origin}/retail", "sample-rp", secret, REDIRECT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=script.parent,
    ) as node:
        assert node.stdin is not None and node.stdout is not None and node.stderr is not None
        line = node.stdout.readline()
        assert line, node.stderr.read()
        callback = Person().authorize(json.loads(line)["authorize"], REDIRECT)
        node.stdin.write(callback + "\n")
        node.stdin.flush()
        line = node.stdout.readline()
        assert line, node.stderr.read()
    answer = json.loads(line)
    assert answer["claims"]["iss"] == f"{live.origin}/retail"
    assert answer["userinfo"]["sub"] == answer["claims"]["sub"] == answer["refreshed"]["sub"]
    assert answer["userinfo"]["email_verified"] is True
    assert "email" not in answer["claims"]
    assert answer["rotated"] is True
    assert answer["refreshed"]["auth_time"] == answer["claims"].get(
        "auth_time", answer["refreshed"]["auth_time"]
    )
