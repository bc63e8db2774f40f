"""Flows of the Basic, Implicit and Hybrid plans, and of the Dynamic plan where it repeats them."""

import json
from urllib.parse import urlencode

import pytest

from appliance.protocol.messages import Response
from tests.conformance.judging import (
    CLAIMS,
    ISSUER,
    check_claims,
    check_error,
    check_error_page,
    check_refused,
    check_token_response,
    read_jwt,
    verified,
)
from tests.conformance.suite import BASIC, CHALLENGE, MAC, POST, PRIVATE, VERIFIER, Flow, Rp, Suite, Variant, variants
from tests.support.browser import header

pytestmark = pytest.mark.asyncio(loop_scope="module")


def each(plans: str, *, without: tuple[str, ...] = (), only: str = "") -> pytest.MarkDecorator:
    """A parameter for every variant of the plans."""
    found = [v for v in variants(plans) if v.response_type not in without and (not only or only in v.words)]
    return pytest.mark.parametrize("variant", found, ids=str)


@pytest.mark.conformance("server")
@pytest.mark.parametrize(
    "variant",
    [*variants("BIH"), *variants("BH", auth=MAC), *variants("BH", auth=PRIVATE)],
    ids=str,
)
async def test_oidcc_server(suite: Suite, variant: Variant) -> None:
    flow = await suite.flow(await suite.client(variant))
    assert flow.outcome.steps == ("login", "consent")
    assert "name" not in flow.claims
    if flow.tokens:
        assert "expires_in" in flow.tokens


@pytest.mark.conformance("server")
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("method", [BASIC, POST, MAC, PRIVATE])
async def test_oidcc_server_with_the_clients_of_the_files(suite: Suite, method: str, number: int) -> None:
    for variant in variants("BIH", auth=method):
        await suite.flow(suite.static_client(method, number, variant))


@pytest.mark.conformance("server")
@pytest.mark.parametrize("variant", variants("I"), ids=str)
async def test_oidcc_server_with_clients_of_the_files_that_prove_nothing(suite: Suite, variant: Variant) -> None:
    for number in (1, 2):
        await suite.flow(suite.static_client("none", number, variant))


@pytest.mark.conformance("server-client-secret-post")
@pytest.mark.parametrize("variant", variants("BH", auth=POST), ids=str)
async def test_oidcc_server_client_secret_post(suite: Suite, variant: Variant) -> None:
    await suite.flow(await suite.client(variant))


@pytest.mark.conformance("response-type-missing")
@each("BIH")
async def test_oidcc_response_type_missing(suite: Suite, variant: Variant) -> None:
    asked = suite.request_of(await suite.client(variant), response_type=None, response_mode=None)
    outcome = await suite.authorize(suite.browser(), asked)
    assert outcome.carrier == "query"
    check_error(outcome.fields, {"unsupported_response_type", "invalid_request"}, asked["state"])


async def check_signed(suite: Suite, rp: Rp) -> None:
    """RS256, by a key that the header names."""
    assert rp.registered["id_token_signed_response_alg"] == "RS256"
    head, _ = verified((await suite.flow(rp)).id_token, await suite.jwks())
    assert head["alg"] == "RS256"
    assert head["kid"]


@pytest.mark.conformance("idtoken-signature")
@each("BIH")
async def test_oidcc_idtoken_signature(suite: Suite, variant: Variant) -> None:
    await check_signed(suite, await suite.client(variant))


@pytest.mark.conformance("idtoken-rs256")
@each("BIH")
async def test_oidcc_idtoken_rs256(suite: Suite, variant: Variant) -> None:
    await check_signed(suite, await suite.client(variant, id_token_signed_response_alg="RS256"))


@pytest.mark.conformance("idtoken-unsigned")
async def test_oidcc_idtoken_unsigned(suite: Suite) -> None:
    assert "none" in (await suite.metadata())["id_token_signing_alg_values_supported"]
    rp = await suite.client(Variant("code"), id_token_signed_response_alg="none")
    assert rp.registered["id_token_signed_response_alg"] == "none"
    asked = suite.request_of(rp)
    outcome = await suite.authorize(suite.browser(), asked)
    tokens = check_token_response(await suite.redeem(rp, outcome["code"]))
    head, claims = read_jwt(tokens["id_token"])
    assert head["alg"] == "none"
    assert tokens["id_token"].endswith(".")
    assert claims["nonce"] == asked["nonce"]
    assert claims["aud"] == rp.client_id


WITH_ACCESS_TOKEN = each("BIH", without=("id_token",))
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def with_all_scopes(suite: Suite, variant: Variant) -> tuple[Flow, dict[str, str]]:
    """A flow whose access token reaches everything, and that token as a header."""
    flow = await suite.flow(await suite.client(variant), scope="openid profile email address phone")
    return flow, {"Authorization": f"Bearer {flow.access_token}"}


def check_userinfo(suite: Suite, flow: Flow, response: Response) -> None:
    """JSON about the same user, of good types."""
    assert response.status == 200
    assert (header(response, "Content-Type") or "").startswith("application/json")
    claims = json.loads(response.body)
    assert claims["sub"]
    assert claims["sub"] == flow.claims["sub"]
    check_claims(claims, suite.now)


@pytest.mark.conformance("userinfo-get")
@WITH_ACCESS_TOKEN
async def test_oidcc_userinfo_get(suite: Suite, variant: Variant) -> None:
    flow, bearer = await with_all_scopes(suite, variant)
    check_userinfo(suite, flow, await suite.send("GET", "/userinfo", headers=bearer))


@pytest.mark.conformance("userinfo-post-header")
@WITH_ACCESS_TOKEN
async def test_oidcc_userinfo_post_header(suite: Suite, variant: Variant) -> None:
    flow, bearer = await with_all_scopes(suite, variant)
    check_userinfo(suite, flow, await suite.send("POST", "/userinfo", headers=bearer))
    check_userinfo(suite, flow, await suite.send("POST", "/userinfo", headers=bearer | FORM))


@pytest.mark.conformance("userinfo-post-body")
@WITH_ACCESS_TOKEN
async def test_oidcc_userinfo_post_body(suite: Suite, variant: Variant) -> None:
    flow, _ = await with_all_scopes(suite, variant)
    body = urlencode({"access_token": flow.access_token}).encode()
    check_userinfo(suite, flow, await suite.send("POST", "/userinfo", headers=FORM, body=body))


@pytest.mark.conformance("userinfo-rs256")
async def test_oidcc_userinfo_rs256(suite: Suite) -> None:
    assert "RS256" in (await suite.metadata())["userinfo_signing_alg_values_supported"]
    rp = await suite.client(Variant("code"), userinfo_signed_response_alg="RS256")
    flow = await suite.flow(rp, scope="openid profile")
    response = await suite.userinfo(flow.access_token)
    assert response.status == 200
    assert header(response, "Content-Type") == "application/jwt"
    head, claims = verified(response.body.decode(), await suite.jwks())
    assert head["alg"] == "RS256"
    assert claims["iss"] == ISSUER
    assert claims["aud"] in (rp.client_id, [rp.client_id])
    assert claims["sub"] == flow.claims["sub"]
    assert "nonce" not in claims


@pytest.mark.conformance("ensure-request-without-nonce-succeeds-for-code-flow")
@pytest.mark.parametrize(
    "variant", [*variants("B"), Variant("code token"), Variant("code token", "form_post")], ids=str
)
async def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(suite: Suite, variant: Variant) -> None:
    flow = await suite.flow(await suite.client(variant), nonce=None)
    assert "nonce" not in flow.claims


@pytest.mark.conformance("ensure-request-without-nonce-fails")
@each("IH", only="id_token")
async def test_oidcc_ensure_request_without_nonce_fails(suite: Suite, variant: Variant) -> None:
    asked = suite.request_of(await suite.client(variant), nonce=None)
    outcome = await suite.authorize(suite.browser(), asked)
    assert outcome.carrier == variant.carrier
    check_error(outcome.fields, {"invalid_request"}, asked["state"])


async def check_scope(suite: Suite, variant: Variant, scope: str) -> None:
    """Every claim of the scopes comes back and none of another one; nothing of it in the ID Token but alone."""
    assert set(scope.split()) <= set((await suite.metadata())["scopes_supported"])
    wanted = frozenset(name for word in scope.split() for name in CLAIMS[word])
    flow = await suite.flow(await suite.client(variant), scope=f"openid {scope}")
    claims = flow.claims if variant.words == {"id_token"} else await suite.claims_at_userinfo(flow.access_token)
    assert wanted <= claims.keys()
    check_claims(claims, suite.now)
    others = {name for names in CLAIMS.values() for name in names} - wanted
    assert not others & claims.keys()


@pytest.mark.conformance("scope-profile")
@each("BIH")
async def test_oidcc_scope_profile(suite: Suite, variant: Variant) -> None:
    await check_scope(suite, variant, "profile")


@pytest.mark.conformance("scope-email")
@each("BIH")
async def test_oidcc_scope_email(suite: Suite, variant: Variant) -> None:
    await check_scope(suite, variant, "email")


@pytest.mark.conformance("scope-address")
@each("BIH")
async def test_oidcc_scope_address(suite: Suite, variant: Variant) -> None:
    await check_scope(suite, variant, "address")


@pytest.mark.conformance("scope-phone")
@each("BIH")
async def test_oidcc_scope_phone(suite: Suite, variant: Variant) -> None:
    await check_scope(suite, variant, "phone")


@pytest.mark.conformance("scope-all")
@each("BIH")
async def test_oidcc_scope_all(suite: Suite, variant: Variant) -> None:
    await check_scope(suite, variant, "profile email address phone")


@pytest.mark.conformance("alternate-happy-flow")
@each("BIH")
async def test_oidcc_alternate_happy_flow(suite: Suite, variant: Variant) -> None:
    rp = await suite.client(variant)
    asked = suite.request_of(rp, scope="phone address email profile openid")
    reordered = dict(sorted(asked.items(), reverse=True))
    outcome = await suite.authorize(suite.browser(), reordered)
    await suite.conclude(rp, outcome, asked)


@pytest.mark.conformance("display-page")
@each("BIH")
async def test_oidcc_display_page(suite: Suite, variant: Variant) -> None:
    await suite.flow(await suite.client(variant), display="page")


@pytest.mark.conformance("display-popup")
@each("BIH")
async def test_oidcc_display_popup(suite: Suite, variant: Variant) -> None:
    await suite.flow(await suite.client(variant), display="popup")


@pytest.mark.conformance("ui-locales")
@each("BIH")
async def test_oidcc_ui_locales(suite: Suite, variant: Variant) -> None:
    await suite.flow(await suite.client(variant), ui_locales="se")


@pytest.mark.conformance("claims-locales")
@each("BIH")
async def test_oidcc_claims_locales(suite: Suite, variant: Variant) -> None:
    await suite.flow(await suite.client(variant), claims_locales="se")


@pytest.mark.conformance("login-hint")
@each("BIH")
async def test_oidcc_login_hint(suite: Suite, variant: Variant) -> None:
    await suite.flow(await suite.client(variant), login_hint="foo@op.example.com")


@pytest.mark.conformance("ensure-request-with-unknown-parameter-succeeds")
@each("BIH")
async def test_oidcc_ensure_request_with_unknown_parameter_succeeds(suite: Suite, variant: Variant) -> None:
    await suite.flow(await suite.client(variant), extra="foobar")


@pytest.mark.conformance("ensure-request-with-acr-values-succeeds")
@each("BIH")
async def test_oidcc_ensure_request_with_acr_values_succeeds(suite: Suite, variant: Variant) -> None:
    values = (await suite.metadata())["acr_values_supported"]
    assert values
    flow = await suite.flow(await suite.client(variant), acr_values=" ".join(values))
    if flow.claims:
        assert flow.claims["acr"] in values
    single = await suite.flow(await suite.client(variant), acr_values=values[-1])
    assert not single.claims or single.claims["acr"] == values[-1]


@pytest.mark.conformance("ensure-registered-redirect-uri")
@each("BIH")
async def test_oidcc_ensure_registered_redirect_uri(suite: Suite, variant: Variant) -> None:
    rp = await suite.client(variant)
    asked = suite.request_of(rp, redirect_uri=f"{rp.redirect_uri}/Yn2xE5")
    check_error_page((await suite.authorize(suite.browser(), asked)).response, "redirect_uri")


@pytest.mark.conformance("ensure-post-request-succeeds")
@pytest.mark.parametrize("variant", variants("B"), ids=str)
async def test_oidcc_ensure_post_request_succeeds(suite: Suite, variant: Variant) -> None:
    rp, browser = await suite.client(variant), suite.browser()
    first = await suite.flow(rp, browser=browser, method="POST")
    second = await suite.flow(rp, browser=browser, method="POST")
    assert first.outcome.steps
    assert second.outcome.steps == ()


@pytest.mark.conformance("ensure-request-with-valid-pkce-succeeds")
@each("BH")
async def test_oidcc_ensure_request_with_valid_pkce_succeeds(suite: Suite, variant: Variant) -> None:
    assert "S256" in (await suite.metadata())["code_challenge_methods_supported"]
    challenge = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    await suite.flow(await suite.client(variant), redeem={"code_verifier": VERIFIER}, **challenge)


@pytest.mark.conformance("codereuse")
@each("BH")
async def test_oidcc_codereuse(suite: Suite, variant: Variant) -> None:
    rp = await suite.client(variant)
    flow = await suite.flow(rp)
    check_refused(await suite.redeem(rp, flow.outcome["code"]), "invalid_grant")


@pytest.mark.conformance("codereuse-30seconds")
@each("BH")
async def test_oidcc_codereuse_30seconds(suite: Suite, variant: Variant) -> None:
    rp = await suite.client(variant)
    flow = await suite.flow(rp)
    assert (await suite.userinfo(flow.access_token)).status == 200
    suite.op.clock.forward(30)
    check_refused(await suite.redeem(rp, flow.outcome["code"]), "invalid_grant")
    response = await suite.userinfo(flow.access_token)
    assert 400 <= response.status < 500
    assert "invalid_token" in (header(response, "WWW-Authenticate") or "")


@pytest.mark.conformance("claims-essential")
@each("BIH")
async def test_oidcc_claims_essential(suite: Suite, variant: Variant) -> None:
    alone = variant.words == {"id_token"}
    place = "id_token" if alone else "userinfo"
    wanted = json.dumps({place: {"name": {"essential": True}}})
    flow = await suite.flow(
        await suite.client(variant), claims=wanted, allowed=frozenset({"name"}) if alone else frozenset()
    )
    assert ("name" in flow.claims) == alone
    if not alone:
        assert (await suite.claims_at_userinfo(flow.access_token))["name"] == "Foo Marie Bar"
