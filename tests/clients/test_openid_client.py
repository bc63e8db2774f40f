"""npm openid-client, a certified relying party library, against the running provider."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from tests.clients.conftest import ODD_ID, ODD_SECRET, REDIRECT, Stage
from tests.clients.node_scripts import converse
from tests.support.live import ROOT
from tests.support.person import Person


def flow(stage: Stage, name: str, client_id: str, secret: str) -> dict[str, Any]:
    """One flow of the script with somebody who logs in."""
    settings = {
        "issuer": stage.issuer,
        "clientId": client_id,
        "clientSecret": secret,
        "redirectUri": REDIRECT,
        "flow": name,
    }
    anna = Person()
    return converse("flow.mjs", settings, lambda said: json.dumps(asdict(anna.arrive(said["authorize"], REDIRECT))))


@pytest.mark.clients
@pytest.mark.spec("OpenID Connect Core", "3.1")
@pytest.mark.spec("RFC 7636", "4")
@pytest.mark.spec("RFC 6749", "6")
def test_openid_client_completes_code_pkce_userinfo_and_refresh(stage: Stage) -> None:
    secret = (ROOT / "config.example/secrets/sample-rp").read_text().strip()
    answer = flow(stage, "code", "sample-rp", secret)
    assert answer["claims"]["iss"] == stage.issuer
    assert answer["userinfo"]["sub"] == answer["claims"]["sub"] == answer["refreshed"]["sub"]
    assert answer["userinfo"]["email_verified"] is True
    assert "email" not in answer["claims"]
    assert answer["rotated"] is True
    # Of the login, not of the refresh (Core 12.2).
    assert answer["refreshed"]["auth_time"] == answer["claims"]["auth_time"]


@pytest.mark.clients
@pytest.mark.spec("OpenID Connect Core", "3.3")
@pytest.mark.spec("OAuth 2.0 Form Post Response Mode", "2")
@pytest.mark.parametrize("mode", ["fragment", "form_post"])
def test_openid_client_completes_the_hybrid_flow(stage: Stage, mode: str) -> None:
    answer = flow(stage, mode, ODD_ID, ODD_SECRET)
    assert answer["posted"] is (mode == "form_post")
    assert answer["claims"]["aud"] in (ODD_ID, [ODD_ID])
    assert answer["userinfo"]["email"] == "anna@example.com"


@pytest.mark.clients
@pytest.mark.spec("OpenID Connect Core", "3.2")
def test_openid_client_takes_an_id_token_by_form_post(stage: Stage) -> None:
    answer = flow(stage, "implicit", ODD_ID, ODD_SECRET)
    assert answer["claims"]["iss"] == stage.issuer
    # No access token was issued, so what scopes ask for comes in the ID Token itself (Core 5.4).
    assert answer["claims"]["email"] == "anna@example.com"
