"""Modules whose token request is wrong, or whose tokens are used by somebody else."""

import json

import pytest

from tests.conformance.fapi.suite import GROUPS, Rp, Sent, Suite, check_refused
from tests.conformance.fapi.wrong import wrong_assertions
from tests.conformance.suite import VERIFIER
from tests.support.browser import header

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1")]
MODULE = "fapi2-security-profile-final-"
MTLS = [group for group in GROUPS if "mtls" in group]


async def check_still_good(suite: Suite, rp: Rp, code: str) -> None:
    """What was refused to somebody else was not used up by him."""
    suite.check_tokens(rp, await suite.redeem(rp, code))


@pytest.mark.conformance(f"{MODULE}ensure-client-id-in-token-endpoint")
@pytest.mark.parametrize("group", GROUPS)
async def test_ensure_client_id_in_token_endpoint(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    code = await suite.code(rp)
    response = await suite.redeem(rp, code, client_id=suite.rp(group, 2).client_id)
    check_refused(response, "invalid_client", "invalid_request", "invalid_grant")
    await check_still_good(suite, rp, code)


@pytest.mark.conformance(f"{MODULE}ensure-holder-of-key-required")
@pytest.mark.parametrize("group", GROUPS)
async def test_ensure_holder_of_key_required(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    code = await suite.code(rp)
    if rp.proves:
        check_refused(await suite.redeem(rp, code, Sent(proofs=())), "invalid_dpop_proof", "invalid_request")
    else:
        refused = ("invalid_request", "invalid_grant") if rp.by_key else ("invalid_client",)
        check_refused(await suite.redeem(rp, code, Sent(shown=False)), *refused)
    await check_still_good(suite, rp, code)


@pytest.mark.conformance(f"{MODULE}ensure-authorization-code-is-bound-to-client")
@pytest.mark.parametrize("group", GROUPS)
async def test_ensure_authorization_code_is_bound_to_client(suite: Suite, group: str) -> None:
    one, other = suite.rp(group), suite.rp(group, 2)
    code = await suite.code(one)
    check_refused(await suite.redeem(other, code, redirect_uri=one.redirect_uri), "invalid_grant")


@pytest.mark.conformance(f"{MODULE}attempt-reuse-authorization-code-after-one-second")
@pytest.mark.parametrize("group", GROUPS)
async def test_attempt_reuse_authorization_code_after_one_second(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    flow = await suite.flow(rp)
    suite.op.clock.forward(1)
    check_refused(await suite.redeem(rp, flow.code), "invalid_grant")
    # A refused token is a warning of the suite where it is still good.
    assert (await suite.resource(rp, flow["access_token"])).status == 401


@pytest.mark.conformance(f"{MODULE}attempt-to-use-expired-auth-code")
async def test_attempt_to_use_expired_auth_code(suite: Suite) -> None:
    rp = suite.rp("plain-key-dpop")
    code = await suite.code(rp)
    suite.op.clock.forward(60)
    check_refused(await suite.redeem(rp, code), "invalid_grant")


@pytest.mark.conformance(
    f"{MODULE}ensure-signed-client-assertion-with-RS256-fails",
    f"{MODULE}ensure-client-assertion-in-token-endpoint",
    f"{MODULE}ensure-client-assertion-with-exp-is-5-minutes-in-past-fails",
    f"{MODULE}ensure-client-assertion-with-wrong-aud-fails",
    f"{MODULE}ensure-client-assertion-with-no-sub-fails",
)
@pytest.mark.parametrize("group", [group for group in GROUPS if "-key-" in group])
async def test_client_assertions_that_are_wrong_at_the_token_endpoint(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    code = await suite.code(rp)
    for sent in wrong_assertions(suite, rp.issuer):
        check_refused(await suite.redeem(rp, code, sent), "invalid_client")
    once = {"jti": "only-once"}
    await suite.redeem(rp, "no-code", Sent(assertion=once))
    check_refused(await suite.redeem(rp, code, Sent(assertion=once)), "invalid_client")
    await check_still_good(suite, rp, code)


@pytest.mark.conformance(
    f"{MODULE}ensure-pkce-code-verifier-required", f"{MODULE}par-incorrect-pkce-code-verifier-rejected"
)
@pytest.mark.parametrize("group", ["plain-key-dpop", "plain-mtls-mtls", "signing-key-dpop"])
async def test_code_verifiers_that_are_missing_or_wrong(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    for verifier in (None, VERIFIER[:-1] + ("a" if VERIFIER[-1] != "a" else "b")):
        response = await suite.redeem(rp, await suite.code(rp), code_verifier=verifier)
        check_refused(response, "invalid_grant")


@pytest.mark.parametrize("group", ["plain-key-dpop", "plain-mtls-mtls"])
async def test_redirect_uris_that_are_others_than_the_pushed_one(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    for uri in (f"{rp.redirect_uri}/abc", suite.rp(group, 2).redirect_uri):
        check_refused(await suite.redeem(rp, await suite.code(rp), redirect_uri=uri), "invalid_grant")


@pytest.mark.spec("RFC 8705", "3")
@pytest.mark.conformance(f"{MODULE}ensure-holder-of-key-required")
@pytest.mark.parametrize("group", [group for group in MTLS if group.endswith("mtls")])
async def test_tokens_of_a_certificate_are_of_no_use_with_another(suite: Suite, group: str) -> None:
    rp, other = suite.rp(group), suite.rp(group, 2)
    flow = await suite.flow(rp)
    path, bearer = f"{rp.path}/userinfo", {"authorization": (f"Bearer {flow['access_token']}",)}
    for shown in (None, other.certificate):
        response = await suite.send("GET", path, headers=bearer, certificate=shown)
        assert response.status == 401
        assert 'error="invalid_token"' in (header(response, "WWW-Authenticate") or "")
    # Nor by the other scheme, nor its refresh token without it.
    assert (await suite.resource(rp, flow["access_token"], scheme="DPoP")).status == 401
    form = {"grant_type": "refresh_token", "refresh_token": flow["refresh_token"]}
    check_refused(
        await suite.call(rp, "/token", form, Sent(shown=False)), "invalid_request", "invalid_grant", "invalid_client"
    )


@pytest.mark.spec("RFC 8705", "2.1")
@pytest.mark.parametrize("group", [group for group in MTLS if "-mtls-" in group])
async def test_clients_are_known_by_their_own_certificate(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    code = await suite.code(rp)
    for sent in (Sent(certificate=suite.rp(group, 2).certificate), Sent(shown=False)):
        check_refused(await suite.redeem(rp, code, sent), "invalid_client")
    await check_still_good(suite, rp, code)


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.4")
@pytest.mark.parametrize("group", ["plain-key-dpop", "plain-key-mtls"])
async def test_access_tokens_in_the_query_are_refused(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    flow = await suite.flow(rp)
    query = f"access_token={flow['access_token']}"
    response = await suite.send("GET", f"{rp.path}/userinfo", query=query, certificate=rp.certificate)
    assert response.status in (400, 401)


@pytest.mark.spec("FAPI 2.0 Message Signing", "5.5.1")
@pytest.mark.parametrize("group", [group for group in GROUPS if group.startswith("signing")])
async def test_introspection_is_signed(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    flow = await suite.flow(rp)
    headers = {
        "accept": ("application/token-introspection+jwt",),
        "content-type": ("application/x-www-form-urlencoded",),
    }
    response = await suite.introspect(rp, flow["access_token"], headers)
    assert (header(response, "Content-Type") or "").startswith("application/token-introspection+jwt")
    head, claims = suite.read_signed(response, await suite.jwks(rp))
    assert head["alg"] == "PS256" and head["typ"] == "token-introspection+jwt"
    told = claims["token_introspection"]
    assert (claims["iss"], claims["aud"], told["active"]) == (rp.issuer, rp.client_id, True)
    assert told["cnf"].keys() == ({"jkt"} if rp.proves else {"x5t#S256"})
    assert "active" in json.dumps(told)
