"""OpenID Connect Registration 2: each member of client metadata, its default and its limits."""

from typing import Any

import pytest

from appliance.jose.keys import generate, public_jwk
from tests.support.registering import REDIRECT_URI, registrar

pytestmark = pytest.mark.spec("OpenID Connect Registration 1.0", "2")

HTTPS = {"redirect_uris": [REDIRECT_URI]}


def jwks() -> dict[str, Any]:
    key = public_jwk(generate("ES256"))
    return {"keys": [{name: key[name] for name in ("kty", "crv", "x", "y")}]}


async def test_fills_in_what_the_client_does_not_say() -> None:
    async with registrar({"keys": {"signing": [{"alg": "ES256"}, {"alg": "RS256"}]}}) as client:
        answer = await client.register()
    assert answer.status == 201
    expected = {
        "application_type": "web",
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "RS256",
        "subject_type": "public",
        "redirect_uris": [REDIRECT_URI],
    }
    assert {name: answer[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("said", "got"),
    [
        ({"response_types": ["id_token"]}, {"grant_types": ["implicit"]}),
        ({"response_types": ["code", "id_token"]}, {"grant_types": ["authorization_code", "implicit"]}),
        ({"grant_types": ["client_credentials"], "redirect_uris": ...}, {"response_types": []}),
        ({"redirect_uris": ["http://127.0.0.1/cb"]}, {"application_type": "native"}),
        ({"redirect_uris": ["com.example.app:/cb"]}, {"application_type": "native"}),
        ({"userinfo_encrypted_response_alg": "ECDH-ES"}, {"userinfo_encrypted_response_enc": "A128CBC-HS256"}),
    ],
)
async def test_derives_what_follows_from_what_is_said(said: dict[str, Any], got: dict[str, Any]) -> None:
    async with registrar() as client:
        answer = await client.register(**said, jwks=jwks())
    assert answer.status == 201, answer.body
    assert {name: answer.body.get(name) for name in got} == got


async def test_keeps_language_tags_and_ignores_what_it_does_not_know() -> None:
    async with registrar(link_hosts="any") as client:
        said: dict[str, Any] = {
            "client_name": "My Example",
            "client_name#ja-Jpan-JP": "クライアント名",
            "policy_uri#fi": "https://client.example.org/fi",
            "client_name#not a tag": "x",
            "unknown_member": {"deep": [1]},
            "contacts": None,
            "op": {"status": "disabled", "consent": "skip_first_party"},
            "client_secrets": [{"id": "1", "file": "/etc/passwd"}],
            "client_id": "chosen",
            "client_secret": "chosen",
        }
        answer = await client.register(**said)
    assert answer.status == 201
    assert answer["client_name#ja-Jpan-JP"] == "クライアント名"
    assert answer["policy_uri#fi"] == "https://client.example.org/fi"
    assert {"unknown_member", "client_name#not a tag", "contacts", "op", "client_secrets"}.isdisjoint(answer.body)
    assert answer["client_id"] != "chosen" and answer["client_secret"] != "chosen"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ...}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://client.example.org/cb"}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://client.example.org/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://localhost/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://localhost/cb"], "application_type": "web"}, "invalid_redirect_uri"),
        ({"redirect_uris": ["com.example.app:/cb"], "application_type": "web"}, "invalid_redirect_uri"),
        ({"redirect_uris": ["myapp:/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://client.example.org/cb#fragment"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://*.example.org/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://user@client.example.org/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://client.example.org/cb"], "application_type": "native"}, "invalid_redirect_uri"),
        ({"response_types": ["id_token"], "grant_types": ["authorization_code"]}, "invalid_client_metadata"),
        ({"response_types": ["code id_token"]}, "invalid_client_metadata"),
        ({"response_types": ["nonsense"]}, "invalid_client_metadata"),
        ({"grant_types": ["urn:ietf:params:oauth:grant-type:nonsense"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": "none"}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": "PS512"}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": "HS256"}, "invalid_client_metadata"),
        ({"id_token_encrypted_response_alg": "RSA-OAEP"}, "invalid_client_metadata"),
        ({"id_token_encrypted_response_enc": "A128GCM"}, "invalid_client_metadata"),
        ({"application_type": "service"}, "invalid_client_metadata"),
        ({"default_max_age": -1}, "invalid_client_metadata"),
        ({"default_acr_values": ["urn:unknown"]}, "invalid_client_metadata"),
        ({"scope": ["openid"]}, "invalid_client_metadata"),
        ({"client_name": 5}, "invalid_client_metadata"),
        ({"client_name": "x" * 201}, "invalid_client_metadata"),
        ({"jwks": {"keys": []}}, "invalid_client_metadata"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "invalid_client_metadata"),
        ({"jwks": jwks(), "jwks_uri": "https://client.example.org/jwks"}, "invalid_client_metadata"),
        ({"jwks_uri": "http://client.example.org/jwks"}, "invalid_client_metadata"),
        ({"jwks_uri": "https://10.0.0.1:22/jwks"}, "invalid_client_metadata"),
        ({"initiate_login_uri": "http://client.example.org/login"}, "invalid_client_metadata"),
    ],
)
@pytest.mark.attack("DC-02")
async def test_refuses_what_cannot_be(said: dict[str, Any], error: str) -> None:
    async with registrar() as client:
        answer = await client.register(**said)
        assert client.op.report.failures == []
    assert (answer.status, answer.error) == (400, error), answer.body
    assert "client_id" not in answer.body


async def test_takes_a_private_key_nowhere() -> None:
    key = dict(public_jwk(generate("ES256"))) | {"d": "x" * 43}
    async with registrar() as client:
        answer = await client.register(jwks={"keys": [key]})
    assert answer.error == "invalid_client_metadata"


async def test_narrows_the_scope_to_what_strangers_may_have() -> None:
    async with registrar(scopes=["openid", "email"]) as client:
        asked = await client.register(scope="openid profile admin email")
        silent = await client.register()
    assert asked["scope"] == "openid email"
    # Not told of what was not asked for: some libraries stop at a scope they did not send.
    assert "scope" not in silent.body


@pytest.mark.parametrize("keys", [{}, {"jwks": jwks()}])
async def test_ignores_how_requests_are_signed_by_a_client_that_cannot_sign(keys: dict[str, Any]) -> None:
    profile = {"request_parameter_supported": True}
    async with registrar(profile) as client:
        answer = await client.register(request_object_signing_alg="ES256", **keys)
    assert answer.status == 201, answer.body
    assert answer.body.get("request_object_signing_alg") == ("ES256" if keys else None)


async def test_registers_the_encryption_of_requests_where_there_is_a_key_for_it() -> None:
    alg, enc = "request_object_encryption_alg", "request_object_encryption_enc"
    keys = {"keys": {"encryption": [{"alg": "RSA-OAEP-256"}]}}
    async with registrar({"request_parameter_supported": True} | keys) as client:
        answer = await client.register(**{alg: "RSA-OAEP-256"})
        assert (answer[alg], answer[enc]) == ("RSA-OAEP-256", "A128CBC-HS256")
        for wrong in ({alg: "ECDH-ES"}, {alg: "RSA1_5"}, {enc: "A256GCM"}, {alg: "RSA-OAEP-256", enc: "none"}):
            assert (await client.register(**wrong)).error == "invalid_client_metadata", wrong
    # Libraries say it by habit; where no encrypted request is read, it is not registered (RFC 7591 3.2.1).
    for profile in ({"request_parameter_supported": True}, keys):
        async with registrar(profile) as client:
            answer = await client.register(**{alg: "ECDH-ES", enc: "A256GCM"})
            assert answer.status == 201, answer.body
            assert {alg, enc}.isdisjoint(answer.body)


async def test_has_links_only_where_the_client_is_at_home() -> None:
    """OpenID Connect Registration 9.1: nobody dresses up in somebody else's policy."""
    links = {"policy_uri": "https://bank.example/policy", "client_uri": "https://client.example.org/"}
    async with registrar() as client:
        answer = await client.register(**links, **{"policy_uri#fi": "https://bank.example/fi"})
        assert answer["client_uri"] == links["client_uri"]
        assert {"policy_uri", "policy_uri#fi"}.isdisjoint(answer.body)
    async with registrar(link_hosts="any") as client:
        assert (await client.register(**links))["policy_uri"] == links["policy_uri"]


async def test_allows_only_hosts_that_the_operator_named() -> None:
    async with registrar(redirect_hosts=["*.partners.example", "one.example"]) as client:
        for host, status in (("a.partners.example", 201), ("one.example", 201), ("partners.example", 400),
                             ("evilpartners.example", 400), ("two.example", 400)):  # fmt: skip
            assert (await client.register(redirect_uris=[f"https://{host}/cb"])).status == status, host
        assert (await client.register(redirect_uris=["http://127.0.0.1/cb"])).status == 201
