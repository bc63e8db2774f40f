"""npm oauth4webapi, which judges every message by itself, as a client whose id and secret need form-encoding."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from tests.clients.conftest import ODD_ID, ODD_SECRET, REDIRECT, Stage
from tests.clients.node_scripts import converse
from tests.support.person import Person


def flow(stage: Stage, name: str, person: Person) -> dict[str, Any]:
    """One flow of the script."""
    settings = {
        "issuer": stage.issuer,
        "clientId": ODD_ID,
        "clientSecret": ODD_SECRET,
        "redirectUri": REDIRECT,
        "flow": name,
    }
    return converse(
        "oauth4webapi.mjs", settings, lambda said: json.dumps(asdict(person.arrive(said["authorize"], REDIRECT)))
    )


@pytest.mark.clients
@pytest.mark.spec("RFC 6749", "2.3.1")
@pytest.mark.spec("RFC 9207", "2")
@pytest.mark.spec("OpenID Connect Core", "3.1")
def test_oauth4webapi_completes_code_userinfo_refresh_and_revocation(stage: Stage) -> None:
    answer = flow(stage, "complete", Person())
    assert answer["claims"]["aud"] in (ODD_ID, [ODD_ID])
    assert answer["userinfo"]["sub"] == answer["claims"]["sub"]
    assert answer["userinfo"]["email"] == "anna@example.com"
    assert answer["tokenType"] == "bearer"
    assert answer["rotated"] is True
    # The library asks for `iss` because the metadata promise it, and takes it only to the character.
    assert answer["issSupported"] is True
    assert "iss" in answer["withoutIss"]["message"]
    assert "iss" in answer["otherIss"]["message"]
    assert answer["afterRevocation"]["error"] == "invalid_grant"


@pytest.mark.clients
@pytest.mark.spec("RFC 6749", "4.1.2.1")
def test_oauth4webapi_is_told_that_the_user_refused(stage: Stage) -> None:
    denied = flow(stage, "denied", Person(decision="deny"))["denied"]
    assert denied["type"] == "AuthorizationResponseError"
    assert denied["error"] == "access_denied"


@pytest.mark.clients
@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.spec("RFC 6750", "3")
@pytest.mark.spec("OpenID Connect Core", "3.1.2.6")
def test_oauth4webapi_reads_every_refusal(stage: Stage) -> None:
    answer = flow(stage, "refused", Person())
    assert answer["silent"]["error"] == "login_required"
    assert answer["request"]["type"] == "AuthorizationResponseError"
    assert answer["request"]["error"] in ("invalid_request_object", "request_not_supported")
    for presented in ("wrongSecret", "rawSecret"):
        # 401 with a challenge (RFC 6749 5.2); the library tells of the challenge first.
        assert answer[presented]["status"] == 401, presented
    assert answer["replay"]["error"] == "invalid_grant"
    assert answer["replay"]["status"] == 400
    # A code that came twice was stolen: what it brought is void (RFC 6749 4.1.2).
    assert answer["afterReplay"]["type"] == "WWWAuthenticateChallengeError"
    assert answer["afterReplay"]["error"] == "invalid_token"
