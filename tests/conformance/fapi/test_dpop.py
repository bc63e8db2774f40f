"""Modules about DPoP proofs: bound codes, clocks, and every way to make a proof badly."""

import json
from typing import Any

import pytest

from appliance.jose.keys import generate
from tests.conformance.fapi.suite import Rp, Sent, Suite, check_refused
from tests.conformance.judging import read_jwt
from tests.support.proving import jkt_of, jwk_of, proof

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.spec("RFC 9449", "4.3")]
MODULE = "fapi2-security-profile-final-"
GROUPS = ["plain-key-dpop", "plain-mtls-dpop", "signing-key-dpop"]
OTHER, PRIVATE = generate("ES256"), generate("PS256")


def other_proof(suite: Suite, rp: Rp, path: str) -> str:
    """A good proof, of another key."""
    return proof(OTHER, suite.now, htu=rp.at + path, htm="POST")


@pytest.mark.conformance(f"{MODULE}ensure-mismatched-dpop-jkt-fails")
@pytest.mark.parametrize("group", GROUPS)
async def test_ensure_mismatched_dpop_jkt_fails(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    asked = suite.asked(rp, dpop_jkt=jkt_of(OTHER))
    response = await suite.push(rp, asked, Sent(proofs=(suite.proof(rp, "/par"),)))
    check_refused(response, "invalid_dpop_proof", "invalid_request")


@pytest.mark.conformance(
    f"{MODULE}ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt",
    f"{MODULE}ensure-token-endpoint-fails-with-mismatched-dpop-jkt",
)
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("by_proof", [True, False])
async def test_codes_that_are_bound_to_another_key(suite: Suite, group: str, by_proof: bool) -> None:
    rp = suite.rp(group)
    if by_proof:
        code = await suite.code(rp, Sent(proofs=(suite.proof(rp, "/par"),)))
    else:
        code = await suite.code(rp, dpop_jkt=suite.jkt(rp))
    response = await suite.redeem(rp, code, Sent(proofs=(other_proof(suite, rp, "/token"),)))
    check_refused(response, "invalid_grant", "invalid_dpop_proof")


@pytest.mark.conformance(
    f"{MODULE}ensure-dpop-proof-at-par-endpoint-binding-success", f"{MODULE}ensure-dpop-auth-code-binding-success"
)
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("by_proof", [True, False])
async def test_codes_that_are_bound_to_the_own_key(suite: Suite, group: str, by_proof: bool) -> None:
    rp = suite.rp(group)
    proofs = (suite.proof(rp, "/par"),) if by_proof else None
    code = await suite.code(rp, Sent(proofs=proofs), dpop_jkt=suite.jkt(rp))
    tokens = suite.check_tokens(rp, await suite.redeem(rp, code))
    assert (await suite.resource(rp, tokens["access_token"])).status == 200


@pytest.mark.conformance(
    f"{MODULE}check-dpop-proof-nbf-exp",
    f"{MODULE}ensure-dpop-proof-with-iat-10seconds-before-succeeds",
    f"{MODULE}ensure-dpop-proof-with-iat-10seconds-after-succeeds",
)
@pytest.mark.parametrize("group", GROUPS)
async def test_proofs_of_clocks_that_are_a_little_off(suite: Suite, group: str) -> None:
    rp, now = suite.rp(group), suite.now
    for changes in ({"iat": now - 10}, {"iat": now + 10}, {"nbf": now, "exp": now + 60}, {"nbf": now + 8}):
        sent = Sent(proofs=(suite.proof(rp, "/token", **changes),))
        tokens = suite.check_tokens(rp, await suite.redeem(rp, await suite.code(rp), sent))
        used = suite.use(rp, tokens["access_token"], **changes)
        assert (await suite.resource(rp, tokens["access_token"], proofs=(used,))).status == 200, changes


@pytest.mark.conformance(f"{MODULE}dpop-negative-tests")
@pytest.mark.parametrize("group", GROUPS)
async def test_dpop_negative_tests_at_the_resource(suite: Suite, group: str) -> None:
    rp = suite.rp(group)
    token = (await suite.flow(rp))["access_token"]
    now, url = suite.now, f"{rp.at}/userinfo"

    def use(head: dict[str, Any] | None = None, **changes: Any) -> str:
        return suite.use(rp, token, head, **changes)

    good = use()
    private = {**jwk_of(rp.dpop), "d": "AAAA"}
    bad: list[tuple[str, ...]] = [
        (),
        (use(), use()),
        ("no-jwt",),
        (good[:-8] + "AAAAAAAA",),
        (good.replace(".", "", 1),),
        *((use({name: None}),) for name in ("typ", "jwk")),
        *((use(**{name: None}),) for name in ("jti", "htm", "htu", "iat", "ath")),
        *((use({"typ": typ}),) for typ in ("JWT", "dpop", "jwt")),
        *((use({"alg": alg}),) for alg in ("none", "RS256", "HS256")),
        (use({"jwk": private}),),
        *((use(htm=method),) for method in ("PUT", "POST")),
        *((use(htu=other),) for other in (f"{rp.at}/token", "https://other.example/userinfo", f"{url}/x")),
        *((use(iat=at),) for at in (now + 3600, now - 3600)),
        (use(ath="x" * 43),),
        (proof(OTHER, now, htu=url, htm="GET", ath=json_ath(use())),),
        (proof(PRIVATE, now, {"alg": "RS256"}, htu=url, htm="GET", ath=json_ath(use())),),
    ]
    for proofs in bad:
        response = await suite.resource(rp, token, proofs=proofs)
        assert response.status in (400, 401), (proofs, response.body)
    # As a bearer token it is worth nothing, with a proof or without.
    for proofs in ((), (use(),)):
        assert (await suite.resource(rp, token, scheme="Bearer", proofs=proofs)).status == 401
    for fine in (
        use(htu=f"{url}?query#fragment"),
        use(more="x"),
        use({"more": "x"}),
        use(htu=url.replace("https", "HTTPS")),
    ):
        assert (await suite.resource(rp, token, proofs=(fine,))).status == 200, fine
        assert (await suite.resource(rp, token, proofs=(fine,))).status in (400, 401), "a proof counts once"


def json_ath(used: str) -> str:
    """The `ath` of a proof."""
    return str(read_jwt(used)[1]["ath"])


@pytest.mark.conformance(f"{MODULE}dpop-negative-tests")
async def test_dpop_negative_tests_at_the_token_endpoint(suite: Suite) -> None:
    rp = suite.rp("plain-key-dpop")
    code = await suite.code(rp)
    other = proof(rp.dpop, suite.now, htu=f"{rp.at}/par", htm="POST")
    for proofs in (
        ("no-jwt",),
        (suite.proof(rp, "/token"), suite.proof(rp, "/token")),
        (suite.proof(rp, "/token", method="GET"),),
        (other,),
        (suite.proof(rp, "/token", iat=suite.now - 3600),),
    ):
        check_refused(await suite.redeem(rp, code, Sent(proofs=proofs)), "invalid_dpop_proof")
    tokens = suite.check_tokens(rp, await suite.redeem(rp, code))
    # The refresh token of a confidential client is bound to the client, and a new proof to the new token.
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = json.loads((await suite.call(rp, "/token", form)).body)
    assert again["token_type"] == "DPoP"
    check_refused(await suite.call(rp, "/token", form, Sent(proofs=())), "invalid_dpop_proof", "invalid_request")
