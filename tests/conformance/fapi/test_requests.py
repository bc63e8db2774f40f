"""Modules whose authorization request is wrong: pushed by the wrong one, signed badly, or not pushed at all."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conformance.fapi.suite import GROUPS, SIGNING, USUAL, Sent, Suite, check_refused
from tests.conformance.fapi.wrong import wrong_assertions
from tests.conformance.judging import page_ids
from tests.conformance.suite import VERIFIER, unsigned_jwt
from tests.support.browser import header

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.2")]
MODULE = "fapi2-security-profile-final-"
TYPES = ["plain-key-dpop", "signed-key-dpop", "signing-key-dpop"]


async def refused(suite: Suite, group: str, sent: Sent = USUAL, more: Any = None, **changes: Any) -> dict[str, Any]:
    """The refusal of a pushed request with other parameters (`more`) or other claims of its object."""
    rp = suite.rp(group)
    response = await suite.push(rp, suite.asked(rp, **(more or {})), sent, **changes)
    assert response.status >= 400, response.body
    errors = ("invalid_request", "invalid_request_object", "invalid_client", "unsupported_response_type")
    return check_refused(response, *errors, "invalid_dpop_proof")


@pytest.mark.spec("FAPI 2.0 Message Signing", "5.3.1")
@pytest.mark.conformance(
    f"{MODULE}ensure-request-object-without-exp-fails",
    f"{MODULE}ensure-request-object-without-nbf-fails",
    f"{MODULE}ensure-expired-request-object-fails",
    f"{MODULE}ensure-request-object-with-bad-aud-fails",
    f"{MODULE}ensure-request-object-with-exp-over-60-fails",
    f"{MODULE}ensure-request-object-with-nbf-over-60-fails",
)
@pytest.mark.parametrize("group", SIGNING)
async def test_request_objects_whose_times_or_audience_are_wrong(suite: Suite, group: str) -> None:
    now = suite.now
    for changes in (
        {"exp": None},
        {"nbf": None},
        {"exp": now - 300},
        {"aud": "https://other.example"},
        {"aud": None},
        {"exp": now + 70 * 60},
        {"nbf": now - 70 * 60},
        {"nbf": now + 600},
    ):
        found = await refused(suite, group, **changes)
        assert found["error"] in ("invalid_request_object", "invalid_request"), changes


@pytest.mark.spec("FAPI 2.0 Message Signing", "5.3.1")
@pytest.mark.conformance(
    f"{MODULE}ensure-signed-request-object-with-RS256-fails",
    f"{MODULE}ensure-request-object-signature-algorithm-is-not-none",
    f"{MODULE}ensure-request-object-with-invalid-signature-fails",
    f"{MODULE}ensure-matching-key-in-authorization-request",
    f"{MODULE}ensure-unsigned-request-at-par-endpoint-fails",
)
@pytest.mark.parametrize("group", SIGNING)
async def test_request_objects_that_the_client_did_not_sign(suite: Suite, group: str) -> None:
    rp, asked = suite.rp(group), suite.asked(suite.rp(group))
    await refused(suite, group, alg="RS256")
    await refused(suite, group, key=suite.rp(group, 2).key)
    good = suite.request_object(rp, asked)
    claims = {**asked, "iss": rp.client_id, "aud": rp.issuer, "nbf": suite.now, "exp": suite.now + 300}
    flipped = good[:-8] + ("AAAAAAAA" if not good.endswith("AAAAAAAA") else "BBBBBBBB")
    for request in (unsigned_jwt(claims), flipped):
        form = {"client_id": rp.client_id, "request": request}
        check_refused(await suite.call(rp, "/par", form), "invalid_request_object", "invalid_request")
    check_refused(await suite.call(rp, "/par", asked), "invalid_request", "invalid_request_object")


@pytest.mark.conformance(f"{MODULE}par-reject-request_uri-in-par-authorization-request")
@pytest.mark.conformance(f"{MODULE}par-reject-request_uri-in-par-authorization-form-params")
@pytest.mark.parametrize("group", GROUPS)
async def test_par_reject_request_uri(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    known = await suite.pushed(rp, suite.asked(rp))
    for inner in (known, "urn:ietf:params:oauth:request_uri:abc"):
        check_refused(await suite.call(rp, "/par", {**suite.asked(rp), "request_uri": inner}), "invalid_request")
        if rp.signs:
            found = await refused(suite, group, request_uri=inner)
            assert found["error"] in ("invalid_request_object", "invalid_request")


@pytest.mark.conformance(
    f"{MODULE}ensure-request-object-without-redirect-uri-fails",
    f"{MODULE}ensure-redirect-uri-in-authorization-request",
    f"{MODULE}ensure-registered-redirect-uri",
    f"{MODULE}plain-fapi-tolerate-unregistered-redirect-uri",
)
@pytest.mark.parametrize("group", TYPES)
async def test_redirect_uris_that_are_missing_or_not_registered(suite: Suite, group: str) -> None:
    registered = suite.rp(group).redirect_uri
    for uri in (None, f"{registered}/abc", f"{registered}?dummy1=lorem", "https://evil.example/callback"):
        found = await refused(suite, group, more={"redirect_uri": uri})
        assert found["error"] in ("invalid_request", "invalid_request_object")


@pytest.mark.conformance(
    f"{MODULE}ensure-response-type-code-idtoken-fails", f"{MODULE}ensure-response-type-token-fails"
)
@pytest.mark.parametrize("group", TYPES)
@pytest.mark.parametrize("response_type", ["code id_token", "token", "id_token", "code token"])
async def test_response_types_besides_code(suite: Suite, group: str, response_type: str) -> None:
    found = await refused(suite, group, more={"response_type": response_type})
    assert found["error"] in ("unsupported_response_type", "invalid_request")


@pytest.mark.conformance(f"{MODULE}par-ensure-pkce-required", f"{MODULE}par-ensure-plain-pkce-rejected")
@pytest.mark.parametrize("group", TYPES)
async def test_pkce_that_is_missing_or_plain(suite: Suite, group: str) -> None:
    nothing = {"code_challenge": None, "code_challenge_method": None}
    plain = {"code_challenge": VERIFIER, "code_challenge_method": "plain"}
    for more in (nothing, plain, {"code_challenge_method": None}, {"code_challenge": None}):
        assert (await refused(suite, group, more=more))["error"] in ("invalid_request", "invalid_request_object")


@pytest.mark.conformance(f"{MODULE}ensure-unsigned-authorization-request-without-using-par-fails")
@pytest.mark.parametrize("group", TYPES)
@pytest.mark.parametrize("signed", [False, True])
async def test_requests_that_nobody_pushed(suite: Suite, group: str, signed: bool) -> None:
    rp, browser = suite.rp(group), suite.browser()
    asked = suite.asked(rp)
    if signed:
        asked = {**asked, "request": suite.request_object(rp, asked)}
    response = await browser.visit(f"{rp.path}/authorize?{urlencode(asked)}")
    location = header(response, "Location")
    if location is None:
        assert "error-page" in page_ids(response)
    else:
        assert "error" in location or "response=" in location
        assert "code=" not in location


@pytest.mark.conformance(f"{MODULE}par-attempt-to-use-expired-request_uri")
@pytest.mark.parametrize("group", TYPES)
async def test_par_attempt_to_use_expired_request_uri(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    response = await suite.push(rp, suite.asked(rp))
    told = json.loads(response.body)
    suite.op.clock.forward(told["expires_in"] + 1)
    shown = await suite.visit(rp, told["request_uri"])
    assert header(shown, "Location") is None
    assert "error-page" in page_ids(shown)


@pytest.mark.conformance(f"{MODULE}par-attempt-to-use-request_uri-for-different-client")
@pytest.mark.parametrize("group", TYPES)
async def test_par_ensure_request_uri_is_bound_to_client(suite: Suite, group: str) -> None:
    one, other = suite.rp(group), suite.rp(group, 2)
    shown = await suite.visit(other, await suite.pushed(one, suite.asked(one)))
    assert header(shown, "Location") is None
    assert "error-page" in page_ids(shown)


@pytest.mark.conformance(f"{MODULE}par-attempt-invalid-http-method")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_par_reject_invalid_http_verb(suite: Suite, method: str) -> None:
    rp = suite.rp("plain-key-dpop")
    query = urlencode(suite.asked(rp))
    response = await suite.send(method, f"{rp.path}/par", query=query if method == "GET" else "")
    assert 400 <= response.status < 500


@pytest.mark.conformance(
    f"{MODULE}par-test-array-as-audience-fails",
    f"{MODULE}par-test-par-endpoint-url-as-audience-fails",
    f"{MODULE}par-test-token-endpoint-url-as-audience-fails",
    f"{MODULE}par-ensure-jwt-client-assertion-with-iat-nbf-over-60-seconds-in-the-future-fails",
    f"{MODULE}ensure-client-assertion-with-wrong-aud-fails",
    f"{MODULE}ensure-client-assertion-with-no-sub-fails",
    f"{MODULE}ensure-client-assertion-with-exp-is-5-minutes-in-past-fails",
    f"{MODULE}ensure-signed-client-assertion-with-RS256-fails",
    f"{MODULE}ensure-client-assertion-in-token-endpoint",
)
@pytest.mark.parametrize("group", [group for group in GROUPS if "-key-" in group])
async def test_client_assertions_that_are_wrong_at_the_par_endpoint(suite: Suite, group: str) -> None:
    for sent in wrong_assertions(suite, suite.rp(group).issuer):
        found = await refused(suite, group, sent)
        assert found["error"] == "invalid_client", sent


@pytest.mark.conformance(f"{MODULE}par-ensure-jwt-client-assertion-with-iat-nbf-8-seconds-in-the-future-is-accepted")
@pytest.mark.parametrize("group", [group for group in GROUPS if "-key-" in group])
async def test_client_assertions_of_clocks_that_are_ahead(suite: Suite, group: str) -> None:
    rp, ahead = suite.rp(group), suite.now + 8
    await suite.pushed(rp, suite.asked(rp), Sent(assertion={"iat": ahead, "nbf": ahead}))


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.2")
@pytest.mark.parametrize("group", ["plain-mtls-dpop", "plain-mtls-mtls", "signing-mtls-mtls"])
async def test_requests_pushed_with_another_certificate_or_none(suite: Suite, group: str) -> None:
    other = suite.rp(group, 2).certificate
    for sent in (Sent(certificate=other), Sent(shown=False)):
        assert (await refused(suite, group, sent))["error"] == "invalid_client"


@pytest.mark.spec("FAPI 2.0 Message Signing", "5.4.1")
async def test_answers_that_are_to_be_unsigned_are_refused_where_all_are_signed(suite: Suite) -> None:
    for mode in ("query", "fragment", "form_post"):
        found = await refused(suite, "signing-key-dpop", more={"response_mode": mode})
        assert found["error"] == "invalid_request"
