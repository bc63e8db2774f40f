"""Modules with a client that does everything right, or something that must do no harm."""

import json
from typing import Any

import pytest

from tests.conformance.fapi.suite import BASE, GROUPS, MTLS, SECURITY, SIGNING, Suite
from tests.conformance.judging import CLAIMS, page_ids, verified
from tests.support.browser import header

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2")]
KEY_DPOP = ("plain-key-dpop", "signing-key-dpop")
FAPI = {"PS256", "ES256", "EdDSA"}


@pytest.mark.conformance("fapi2-security-profile-final-discovery-end-point-verification")
@pytest.mark.parametrize("path", ["/fapi2", "/signing"])
async def test_discovery_end_point_verification(suite: Suite, path: str) -> None:
    found = await suite.metadata(path)
    oauth = json.loads((await suite.send("GET", f"/.well-known/oauth-authorization-server{path}")).body)
    assert oauth["issuer"] == found["issuer"] == BASE + path
    assert set(found["token_endpoint_auth_methods_supported"]) == {"private_key_jwt", "tls_client_auth"}
    for name in (
        *("token_endpoint_auth_signing_alg_values_supported", "dpop_signing_alg_values_supported"),
        *("id_token_signing_alg_values_supported", "request_object_signing_alg_values_supported"),
        *("userinfo_signing_alg_values_supported", "authorization_signing_alg_values_supported"),
        "introspection_signing_alg_values_supported",
    ):
        assert set(found[name]) & FAPI, name
        # Nothing may be told that the profile forbids (FAPI 2.0 Security Profile 5.4.1).
        assert set(found[name]) <= FAPI, name
    assert found["tls_client_certificate_bound_access_tokens"] is True
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["require_pushed_authorization_requests"] is True
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["response_types_supported"] == ["code"]
    assert found["claims_parameter_supported"] is True
    aliases = found["mtls_endpoint_aliases"]
    for name in ("token_endpoint", "pushed_authorization_request_endpoint", "userinfo_endpoint"):
        assert aliases[name] == found[name].replace(BASE, MTLS)
    assert "registration_endpoint" not in found
    if path == "/signing":
        assert "query" not in found["response_modes_supported"]


@pytest.mark.conformance("fapi2-security-profile-final-happy-flow")
@pytest.mark.parametrize("group", GROUPS)
async def test_happy_flow(suite: Suite, group: str) -> None:
    for number in (1, 2):
        flow = await suite.flow(suite.rp(group, number))
        assert flow["refresh_token"]


@pytest.mark.conformance("fapi2-security-profile-final-happy-flow")
@pytest.mark.parametrize("group", [*SECURITY, "signing-mtls-mtls"])
async def test_happy_flow_of_plain_oauth(suite: Suite, group: str) -> None:
    flow = await suite.flow(suite.rp(group, 2), scope="accounts", nonce=None)
    assert flow["refresh_token"]


@pytest.mark.conformance("fapi2-security-profile-final-happy-flow")
@pytest.mark.parametrize("group", SECURITY)
async def test_happy_flow_with_plain_requests_and_signed_answers(suite: Suite, group: str) -> None:
    """The variant `unsigned` with `jarm`."""
    rp = suite.rp(group)
    browser, asked = suite.browser(), suite.asked(rp, response_mode="jwt")
    outcome = await suite.through(browser, await suite.visit(rp, await suite.pushed(rp, asked), browser))
    assert set(outcome.fields) == {"response"}


@pytest.mark.conformance("fapi2-security-profile-final-user-rejects-authentication")
@pytest.mark.parametrize("group", KEY_DPOP)
async def test_user_rejects_authentication(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    # A fresh wish, so that a remembered yes does not answer.
    asked = suite.asked(rp, prompt="consent")
    answer = await suite.answered(rp, await suite.pushed(rp, asked), "deny")
    assert answer["error"] == "access_denied"
    assert answer["state"] == asked["state"]
    assert answer.keys() <= {"error", "error_description", "state"}


@pytest.mark.conformance(
    "fapi2-security-profile-final-ensure-authorization-request-without-state-success",
    "fapi2-security-profile-final-ensure-authorization-request-without-nonce-success",
    "fapi2-security-profile-final-ensure-authorization-request-with-64-char-nonce-success",
    "fapi2-security-profile-final-ensure-authorization-request-with-long-nonce",
    "fapi2-security-profile-final-ensure-authorization-request-with-long-state",
)
@pytest.mark.parametrize("group", KEY_DPOP)
@pytest.mark.parametrize(
    "changes",
    [{"state": None}, {"nonce": None}, {"nonce": "n" * 64}, {"nonce": "n" * 384}, {"state": "s" * 384}],
    ids=["no-state", "no-nonce", "nonce-64", "nonce-384", "state-384"],
)
async def test_states_and_nonces_of_any_length(suite: Suite, group: str, changes: dict[str, Any]) -> None:
    await suite.flow(suite.rp(group), **changes)


@pytest.mark.conformance("fapi2-security-profile-final-ensure-other-scope-order-succeeds")
async def test_ensure_other_scope_order_succeeds(suite: Suite) -> None:
    flow = await suite.flow(suite.rp("plain-key-dpop"), scope="email profile openid")
    assert set(flow.tokens.get("scope", "email profile openid").split()) >= {"email", "profile", "openid"}


@pytest.mark.conformance("fapi2-security-profile-final-test-claims-parameter-identity-claims")
@pytest.mark.parametrize("group", KEY_DPOP)
async def test_claims_parameter_identity_claims(suite: Suite, group: str) -> None:
    rp, wanted = suite.rp(group), {name: {"essential": True} for name in ("given_name", "email", "birthdate")}
    # In a request object the parameter is an object (OpenID Connect Core 6.1).
    whole: Any = {"userinfo": wanted}
    asked = suite.asked(rp, **({} if rp.signs else {"claims": json.dumps(whole)}))
    answer = await suite.answered(rp, await suite.pushed(rp, asked, **({"claims": whole} if rp.signs else {})))
    tokens = suite.check_tokens(rp, await suite.redeem(rp, answer["code"]))
    found = json.loads((await suite.resource(rp, tokens["access_token"])).body)
    assert found.keys() >= wanted.keys()
    assert not CLAIMS["profile"] & found.keys() - wanted.keys()


@pytest.mark.conformance("fapi2-security-profile-final-access-token-type-header-case-sensitivity")
@pytest.mark.parametrize("group", ["plain-key-dpop", "plain-key-mtls"])
async def test_access_token_type_header_case_sensitivity(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    flow = await suite.flow(rp)
    for scheme in ("dpop", "DPOP", "DPoP") if rp.proves else ("bearer", "BEARER", "Bearer"):
        assert (await suite.resource(rp, flow["access_token"], scheme=scheme)).status == 200


@pytest.mark.conformance(
    "fapi2-security-profile-final-ensure-different-nonce-inside-and-outside-request-object",
    "fapi2-security-profile-final-ensure-different-state-inside-and-outside-request-object",
    "fapi2-security-profile-final-state-only-outside-request-object-not-used",
)
@pytest.mark.parametrize("group", KEY_DPOP)
@pytest.mark.parametrize("inside", [True, False])
async def test_what_is_outside_of_what_was_pushed_counts_for_nothing(suite: Suite, group: str, inside: bool) -> None:
    rp = suite.rp(group)
    asked = suite.asked(rp, **({} if inside else {"state": None}))
    outside = {"state": "another-state", "nonce": "another-nonce", "redirect_uri": "https://evil.example"}
    answer = await suite.answered(rp, await suite.pushed(rp, asked), **outside)
    assert answer.get("state") == asked.get("state")
    tokens = suite.check_tokens(rp, await suite.redeem(rp, answer["code"]))
    _, claims = verified(tokens["id_token"], await suite.jwks(rp))
    assert claims["nonce"] == asked["nonce"]


@pytest.mark.conformance("fapi2-security-profile-final-par-without-duplicate-parameters")
@pytest.mark.parametrize("group", GROUPS)
async def test_par_without_duplicate_parameters(suite: Suite, group: str) -> None:
    """Nothing but client_id and request_uri goes through the browser."""
    rp = suite.rp(group)
    response = await suite.visit(rp, await suite.pushed(rp, suite.asked(rp)))
    assert "password" in page_ids(response)


@pytest.mark.conformance("fapi2-security-profile-final-ensure-request-object-with-multiple-aud-succeeds")
@pytest.mark.conformance(
    "fapi2-security-profile-final-ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted"
)
@pytest.mark.parametrize("group", SIGNING)
async def test_request_objects_that_are_a_little_unusual(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    await suite.flow(rp, {"aud": [rp.issuer, "https://other.example"]})
    await suite.flow(rp, {"nbf": suite.now + 8})


@pytest.mark.conformance("fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds")
@pytest.mark.conformance("fapi2-security-profile-final-par-attempt-reuse-request_uri")
@pytest.mark.parametrize("group", ["plain-key-dpop", "signing-mtls-mtls"])
async def test_a_request_uri_counts_until_a_login_is_complete(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    request_uri = await suite.pushed(rp, suite.asked(rp))
    for _ in range(2):
        assert "password" in page_ids(await suite.visit(rp, request_uri))
    assert "code" in await suite.answered(rp, request_uri)
    for browser in (suite.browser(), suite.browser()):
        again = await suite.visit(rp, request_uri, browser)
        assert header(again, "Location") is None
        assert "error-page" in page_ids(again)


@pytest.mark.conformance("fapi2-security-profile-final-refresh-token")
@pytest.mark.parametrize("group", GROUPS)
async def test_refresh_token(suite: Suite, group: str) -> None:
    one, other = suite.rp(group), suite.rp(group, 2)
    flow = await suite.flow(one)
    form = {"grant_type": "refresh_token", "refresh_token": flow["refresh_token"]}
    stolen = json.loads((await suite.call(other, "/token", form)).body)
    assert stolen["error"] in ("invalid_grant", "invalid_client")
    seen = {flow["access_token"]}
    for _ in range(2):
        suite.op.clock.forward(1)
        again = suite.check_tokens(one, await suite.call(one, "/token", form))
        # Not rotated (FAPI 2.0 Security Profile 5.3.2.1): the one that is known stays good.
        assert again.get("refresh_token", form["refresh_token"]) == form["refresh_token"]
        assert again["access_token"] not in seen
        seen.add(again["access_token"])
        assert (await suite.resource(one, again["access_token"])).status == 200
