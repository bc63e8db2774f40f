"""PyPI authlib, as most Python relying parties use it, against the running provider."""

import pytest
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt

from tests.support.live import ROOT, Live
from tests.support.person import Person

REDIRECT = "http://127.0.0.1:8081/callback"


@pytest.mark.clients
@pytest.mark.spec("OpenID Connect Core", "3.1")
@pytest.mark.spec("OpenID Connect Discovery", "4")
def test_authlib_completes_code_pkce_userinfo_and_refresh(live: Live) -> None:
    issuer = f"{live.origin}/retail"
    secret = (ROOT / "config.example/secrets/sample-rp").read_text().strip()
    rp = OAuth2Session(
        "sample-rp",
        secret,
        token_endpoint_auth_method="client_secret_basic",
        scope="openid profile email offline_access",
        redirect_uri=REDIRECT,
        code_challenge_method="S256",
    )
    metadata = rp.get(f"{issuer}/.well-known/openid-configuration", withhold_token=True).json()
    verifier = "v" * 64
    url, state = rp.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-0S6_WzA2Mj", prompt="consent"
    )
    callback = Person().authorize(url, REDIRECT)
    token = rp.fetch_token(
        metadata["token_endpoint"], authorization_response=callback, code_verifier=verifier, state=state
    )
    keys = JsonWebKey.import_key_set(rp.get(metadata["jwks_uri"], withhold_token=True).json())
    claims = jwt.decode(
        token["id_token"],
        keys,
        claims_options={
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": "sample-rp"},
            "nonce": {"value": "n-0S6_WzA2Mj"},
        },
    )
    claims.validate()
    userinfo = rp.get(metadata["userinfo_endpoint"]).json()
    assert userinfo["sub"] == claims["sub"]
    assert userinfo["email"].endswith("@example.com")
    before = token["refresh_token"]
    refreshed = rp.refresh_token(metadata["token_endpoint"], refresh_token=before)
    assert refreshed["refresh_token"] != before
    assert rp.get(metadata["userinfo_endpoint"]).status_code == 200
