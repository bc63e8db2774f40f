"""npm openid-client and oauth4webapi with what banks and devices use: PAR, JAR, JARM, DPoP, keys, device flow, CIBA."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from appliance.jose.keys import export_private, generate
from tests.clients.node_scripts import converse
from tests.support.live import Live, running
from tests.support.person import Person

REDIRECT = "http://127.0.0.1:8097/callback"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
CIBA = "urn:openid:params:grant-type:ciba"
KEY: dict[str, Any] = json.loads(export_private(generate("ES256", kid="client")))
PROFILES: dict[str, dict[str, Any]] = {
    "bank": {
        "security_profile": "fapi2_message_signing",
        "dpop": {"nonce": "required"},
        "grant_types_supported": ["authorization_code", "refresh_token", CIBA],
        "endpoints": {"introspection": True},
    },
    "devices": {
        "keys": {"signing": [{"alg": "ES256"}]},
        "grant_types_supported": ["authorization_code", DEVICE_CODE],
        "device_authorization": {"interval": 30},
    },
}
CLIENTS: dict[str, dict[str, Any]] = {
    "payments": {
        "application_type": "native",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token", CIBA],
        "scope": "openid email offline_access",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [{name: value for name, value in KEY.items() if name != "d"}]},
        "introspection_signed_response_alg": "PS256",
        "op": {"profile": "bank"},
    },
    "television": {
        "application_type": "native",
        "response_types": [],
        "grant_types": [DEVICE_CODE],
        "scope": "openid email",
        "token_endpoint_auth_method": "none",
        "op": {"profile": "devices"},
    },
}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """config.example with two profiles more."""
    shared = {"claims": "person", "acr": [{"value": "urn:example:acr:password", "policy": "password"}]}
    files = {
        f"profiles/{name}.yaml": json.dumps({"profile": name, "issuer": f"${{var.base_url}}/{name}", **shared, **own})
        for name, own in PROFILES.items()
    }
    files["clients/modern.yaml"] = json.dumps({"clients": CLIENTS})
    with running(tmp_path_factory.mktemp("modern"), edit=files) as live:
        yield live


def flow(live: Live, script: str, profile: str, name: str, person: Person) -> dict[str, Any]:
    """One flow of a script; the person does what is asked."""
    settings = {
        "issuer": f"{live.origin}/{profile}",
        "clientId": "payments" if profile == "bank" else "television",
        "jwk": KEY,
        "redirectUri": REDIRECT,
        "loginHint": "anna",
        "flow": name,
    }

    def respond(said: dict[str, str]) -> str:
        if "code" in said:
            person.through(said["authorize"], 'id="decided"', user_code=said["code"])
        elif "message" in said:
            page = person.through(said["authorize"], 'id="shown-message"', decision="review")
            assert said["message"] in page.text
            person.through(said["authorize"], 'id="decided"', decision="review")
        else:
            return json.dumps(asdict(person.arrive(said["authorize"], REDIRECT)))
        return "{}"

    return converse(script, settings, respond)


@pytest.mark.clients
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2")
@pytest.mark.spec("FAPI 2.0 Message Signing", "5.3")
@pytest.mark.spec("RFC 9449", "5")
@pytest.mark.spec("RFC 9126", "2")
def test_openid_client_is_a_banks_client(live: Live) -> None:
    answer = flow(live, "modern.mjs", "bank", "bank", Person())
    assert set(answer["asked"]) == {"client_id", "request_uri"}
    assert answer["answered"] == ["response"]
    assert answer["tokenType"] == "dpop"
    assert answer["userinfo"]["email"] == "anna@example.com"
    assert answer["refreshed"] is True
    assert answer["rotated"] is False
    assert answer["asBearer"] == 401
    assert answer["introspected"]["cnf"]["jkt"]


@pytest.mark.clients
@pytest.mark.spec("RFC 9449", "8")
@pytest.mark.spec("RFC 9701", "5")
@pytest.mark.spec("JARM", "4.1")
def test_oauth4webapi_finds_nothing_wrong_with_the_bank(live: Live) -> None:
    answer = flow(live, "modern_strict.mjs", "bank", "bank", Person())
    assert 0 < answer["expiresIn"] < 600
    assert answer["tokenType"] == "dpop"
    assert answer["nonces"][0] == "use_dpop_nonce"
    assert answer["claims"]["sub"] == answer["userinfo"]["sub"]
    assert answer["kind"].startswith("application/token-introspection+jwt")
    assert answer["told"]["active"] is True


@pytest.mark.clients
@pytest.mark.spec("RFC 8628", "3")
def test_openid_client_logs_in_on_a_device_without_a_browser(live: Live) -> None:
    answer = flow(live, "modern.mjs", "devices", "device", Person())
    assert answer["started"]["verification_uri"] == f"{live.origin}/devices/device"
    assert answer["userinfo"]["email"] == "anna@example.com"


@pytest.mark.clients
@pytest.mark.spec("RFC 8628", "3.5")
def test_oauth4webapi_understands_what_a_device_is_told(live: Live) -> None:
    answer = flow(live, "modern_strict.mjs", "devices", "device", Person(decision="deny"))
    assert answer == {"early": "authorization_pending", "sooner": "slow_down", "denied": "access_denied"}


@pytest.mark.clients
@pytest.mark.spec("CIBA Core", "7")
@pytest.mark.spec("FAPI-CIBA", "5.2.2")
def test_openid_client_waits_for_a_user_who_is_elsewhere(live: Live) -> None:
    answer = flow(live, "modern.mjs", "bank", "backchannel", Person())
    assert answer["tokenType"] == "dpop"
    assert answer["claims"]["aud"] in ("payments", ["payments"])
