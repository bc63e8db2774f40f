"""Provider metadata of the example, member by member: what relying parties configure themselves from."""

import json
from pathlib import Path

import pytest

from tests.support.browser import Browser, header
from tests.support.provider import provider

HERE = Path(__file__).parent

#: IANA's registry of authorization server metadata and OpenID Connect Discovery 3, as far as we could use it.
REGISTERED = frozenset(
    """issuer authorization_endpoint token_endpoint jwks_uri registration_endpoint userinfo_endpoint scopes_supported
    response_types_supported response_modes_supported grant_types_supported token_endpoint_auth_methods_supported
    token_endpoint_auth_signing_alg_values_supported service_documentation ui_locales_supported op_policy_uri
    op_tos_uri revocation_endpoint revocation_endpoint_auth_methods_supported
    revocation_endpoint_auth_signing_alg_values_supported introspection_endpoint
    introspection_endpoint_auth_methods_supported introspection_endpoint_auth_signing_alg_values_supported
    code_challenge_methods_supported authorization_response_iss_parameter_supported acr_values_supported
    subject_types_supported id_token_signing_alg_values_supported id_token_encryption_alg_values_supported
    id_token_encryption_enc_values_supported userinfo_signing_alg_values_supported
    userinfo_encryption_alg_values_supported userinfo_encryption_enc_values_supported
    request_object_signing_alg_values_supported request_object_encryption_alg_values_supported
    request_object_encryption_enc_values_supported display_values_supported claim_types_supported claims_supported
    claims_locales_supported claims_parameter_supported request_parameter_supported request_uri_parameter_supported
    require_request_uri_registration end_session_endpoint check_session_iframe backchannel_logout_supported
    backchannel_logout_session_supported frontchannel_logout_supported frontchannel_logout_session_supported
    prompt_values_supported authorization_signing_alg_values_supported authorization_encryption_alg_values_supported
    authorization_encryption_enc_values_supported
    dpop_signing_alg_values_supported tls_client_certificate_bound_access_tokens mtls_endpoint_aliases
    introspection_signing_alg_values_supported introspection_encryption_alg_values_supported
    introspection_encryption_enc_values_supported pushed_authorization_request_endpoint
    require_pushed_authorization_requests require_signed_request_object authorization_details_types_supported
    device_authorization_endpoint backchannel_authentication_endpoint backchannel_token_delivery_modes_supported
    backchannel_authentication_request_signing_alg_values_supported backchannel_user_code_parameter_supported
    protected_resources client_id_metadata_document_supported grant_management_endpoint
    grant_management_actions_supported grant_management_action_required""".split()
)


@pytest.mark.spec("OpenID Connect Discovery", "3")
@pytest.mark.parametrize("profile", ["retail", "workforce"])
async def test_the_metadata_is_what_the_golden_file_says(profile: str, request: pytest.FixtureRequest) -> None:
    async with provider() as op:
        response = await Browser(op).visit(f"/{profile}/.well-known/openid-configuration")
    found = json.dumps(json.loads(response.body), indent=2, sort_keys=True) + "\n"
    golden = HERE / f"{profile}.json"
    if request.config.getoption("--update-goldens"):
        golden.write_text(found)
    assert found == golden.read_text()


@pytest.mark.spec("RFC 8414", "3.1")
@pytest.mark.parametrize("profile", ["retail", "workforce"])
async def test_both_well_known_documents_are_one(profile: str) -> None:
    async with provider() as op:
        browser = Browser(op)
        openid = await browser.visit(f"/{profile}/.well-known/openid-configuration")
        oauth = await browser.visit(f"/.well-known/oauth-authorization-server/{profile}")
    assert openid.status == oauth.status == 200
    assert openid.body == oauth.body
    assert header(openid, "Access-Control-Allow-Origin") == "*"
    assert not openid.cookies


@pytest.mark.spec("OpenID Connect Discovery", "4.3")
@pytest.mark.parametrize("profile", ["retail", "workforce"])
async def test_no_member_outside_the_registries_and_the_issuer_to_the_character(profile: str) -> None:
    async with provider() as op:
        response = await Browser(op).visit(f"/{profile}/.well-known/openid-configuration")
    found = json.loads(response.body)
    assert found.keys() <= REGISTERED
    assert found["issuer"] == f"http://localhost:8080/{profile}"
    assert "RS256" in found["id_token_signing_alg_values_supported"]


@pytest.mark.attack("MX-13", "HH-04", "HD-05")
async def test_nothing_a_client_sends_changes_the_metadata() -> None:
    async with provider() as op:
        plain = await Browser(op).visit("/retail/.well-known/openid-configuration")
        headers = {"host": "evil.test", "x-forwarded-host": "evil.test", "forwarded": "host=evil.test;proto=https"}
        asked = await Browser(op).request("GET", "/retail/.well-known/openid-configuration", headers=headers)
    assert asked.body == plain.body


@pytest.mark.spec("RFC 9110", "13.1.2")
async def test_a_client_that_has_the_document_gets_no_second_copy() -> None:
    async with provider() as op:
        browser = Browser(op)
        first = await browser.visit("/retail/.well-known/openid-configuration")
        etag = header(first, "ETag") or ""
        second = await browser.request(
            "GET", "/retail/.well-known/openid-configuration", headers={"if-none-match": etag}
        )
    assert second.status == 304
    assert second.body == b""
