"""PyPI idpyoidc against the running provider: it registers itself, logs in, reads what was registered, and logs out."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from idpyoidc.client.defaults import DEFAULT_KEY_DEFS, DEFAULT_OIDC_SERVICES
from idpyoidc.client.rp_handler import RPHandler

from tests.clients.conftest import Stage
from tests.support.live import PATIENCE
from tests.support.person import Person

#: Never asked: the test itself takes what the browser would bring. A web client that registers has https.
BASE = "https://rp.example.org"
METADATA = {
    "post_logout_redirect_uris": [f"{BASE}/bye"],
    # Sent along with client_secret_basic, to which it does not apply.
    "token_endpoint_auth_signing_alg": "RS256",
}


def relying_party(stage: Stage, keys_file: Path) -> RPHandler:
    """A relying party that knows nothing but the issuer."""
    pkce = {
        "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
        "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
    }
    settings = {
        "issuer": stage.issuer,
        "client_type": "oidc",
        "client_authn_methods": ["client_secret_basic"],
        "redirect_uris": [f"{BASE}/callback"],
        "preference": {
            "application_type": "web",
            "client_name": "idpyoidc",
            "response_types_supported": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
        },
        "add_ons": {"pkce": pkce},
    }
    services = {
        **DEFAULT_OIDC_SERVICES,
        "registration_read": {"class": "idpyoidc.client.oidc.read_registration.RegistrationRead"},
        "end_session": {"class": "idpyoidc.client.oidc.end_session.EndSession"},
    }
    # Its keys would be in the working directory. Nobody fetches the public ones, for nothing here needs them.
    keys = {"key_defs": DEFAULT_KEY_DEFS, "private_path": str(keys_file), "read_only": False, "uri_path": "jwks.json"}
    return RPHandler(base_url=BASE, client_configs={stage.issuer: settings}, services=services, key_conf=keys)


@pytest.mark.clients
@pytest.mark.spec("OpenID Connect Registration", "3")
@pytest.mark.spec("OpenID Connect Core", "3.1")
@pytest.mark.spec("RFC 7592", "2.1")
@pytest.mark.spec("RP-Initiated Logout", "2")
def test_idpyoidc_registers_logs_in_and_out(stage: Stage, tmp_path: Path) -> None:
    handler = relying_party(stage, tmp_path / "jwks.json")
    anna = Person()
    client = handler.init_client(stage.issuer)
    handler.issuer2rp[handler.do_provider_info(client)] = client
    handler.do_client_registration(client, request_args=dict(METADATA))
    url = handler.begin(stage.issuer, req_args={"scope": ["openid", "email"]})
    callback = anna.authorize(url, f"{BASE}/callback")
    session = handler.finalize(stage.issuer, dict(parse_qsl(urlsplit(callback).query)))
    registered = client.get_context().registration_response
    assert registered["client_id"] == client.get_client_id()
    assert registered["token_endpoint_auth_method"] == "client_secret_basic"
    assert session.get("error") is None, session
    assert session["id_token"]["iss"] == stage.issuer
    assert session["userinfo"]["sub"] == session["id_token"]["sub"]
    assert session["userinfo"]["email"] == "anna@example.com"
    # The library says so by itself when it registers, and read the answer as a signed JWT.
    assert registered["userinfo_signed_response_alg"] == "RS256"
    read = client.do_request("registration_read")
    assert read["client_id"] == registered["client_id"]
    logout = client.logout(session["state"], f"{BASE}/bye")
    answer = anna.session.get(logout["url"], allow_redirects=False, timeout=PATIENCE)
    assert answer.headers["Location"].startswith(f"{BASE}/bye")
