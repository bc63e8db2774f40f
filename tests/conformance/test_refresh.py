"""Refresh tokens: two clients, and the rotation of a client's own keys."""

import pytest
from jwcrypto.jwk import JWK

from tests.conformance.conftest import Site
from tests.conformance.judging import check_entropy, check_refused, check_token_response, verified
from tests.conformance.suite import PRIVATE, Flow, Rp, Suite, Variant, variants

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def refreshing(suite: Suite, variant: Variant, name: str, **more: object) -> tuple[Rp, Flow]:
    """A client with a refresh token."""
    grants = ["authorization_code", "refresh_token", *(["implicit"] if variant.words - {"code"} else [])]
    rp = await suite.client(variant, grant_types=grants, client_name=name, **more)
    flow = await suite.flow(rp, scope="openid offline_access", prompt="consent", max_age="1000")
    assert flow.tokens["refresh_token"]
    return rp, flow


async def check_refresh(suite: Suite, rp: Rp, flow: Flow) -> dict[str, object]:
    """One refresh with all that is looked at."""
    suite.op.clock.forward(1)
    form = {"grant_type": "refresh_token", "refresh_token": flow.tokens["refresh_token"]}
    tokens = check_token_response(await suite.token(rp, form))
    assert tokens["access_token"] != flow.access_token
    check_entropy(tokens["refresh_token"])
    if "id_token" in tokens:
        _, claims = verified(tokens["id_token"], await suite.jwks())
        for name in ("iss", "sub", "aud", "auth_time"):
            assert claims[name] == flow.claims[name]
        assert claims["iat"] > flow.claims["iat"]
        assert claims.get("azp") == flow.claims.get("azp")
        assert claims["acr"] == flow.claims["acr"]
        assert claims.get("nonce", flow.nonce) == flow.nonce
    found = await suite.claims_at_userinfo(tokens["access_token"])
    assert found["sub"] == flow.claims["sub"]
    return tokens


@pytest.mark.conformance("refresh-token")
@pytest.mark.parametrize("variant", variants("BH"), ids=str)
async def test_oidcc_refresh_token(suite: Suite, variant: Variant) -> None:
    metadata = await suite.metadata()
    assert "refresh_token" in metadata["grant_types_supported"]
    assert "offline_access" in metadata["scopes_supported"]
    first, first_flow = await refreshing(suite, variant, "first")
    second, second_flow = await refreshing(suite, variant, "second")
    for flow in (first_flow, second_flow):
        check_entropy(flow.tokens["refresh_token"])
    await check_refresh(suite, first, first_flow)
    stolen = {"grant_type": "refresh_token", "refresh_token": second_flow.tokens["refresh_token"]}
    check_refused(await suite.token(first, stolen), "invalid_grant")
    await check_refresh(suite, second, second_flow)


@pytest.mark.conformance("refresh-token")
async def test_oidcc_refresh_token_with_the_scope_said_again(suite: Suite) -> None:
    rp, flow = await refreshing(suite, Variant("code"), "scope")
    form = {"grant_type": "refresh_token", "refresh_token": flow.tokens["refresh_token"]}
    check_token_response(await suite.token(rp, form | {"scope": "openid offline_access"}))


@pytest.mark.conformance("refresh-token")
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt", PRIVATE])
async def test_oidcc_refresh_token_with_the_clients_of_the_files(suite: Suite, method: str) -> None:
    rp = suite.static_client(method)
    flow = await suite.flow(rp, scope="openid offline_access", prompt="consent", max_age="1000")
    await check_refresh(suite, rp, flow)


@pytest.mark.conformance("refresh-token-rp-key-rotation", "registration-jwks-uri")
async def test_oidcc_refresh_token_rp_key_rotation(suite: Suite, site: Site) -> None:
    old, new = (JWK.generate(kty="RSA", size=2048, kid=kid, alg="RS256", use="sig") for kid in ("old", "new"))
    address = site.put("/rotating-jwks", '{"keys": [' + old.export_public() + "]}")
    variant = Variant("code", auth=PRIVATE)
    grants = ["authorization_code", "refresh_token"]
    rp = await suite.client(variant, grant_types=grants, jwks=None, jwks_uri=address)
    assert rp.registered["jwks_uri"] == address
    rp = Rp(rp.client_id, variant, key=old)
    flow = await suite.flow(rp, scope="openid offline_access", prompt="consent")
    site.put("/rotating-jwks", '{"keys": [' + new.export_public() + "]}")
    suite.op.clock.forward(60)
    form = {"grant_type": "refresh_token", "refresh_token": flow.tokens["refresh_token"]}
    check_token_response(await suite.token(Rp(rp.client_id, variant, key=new), form))


@pytest.mark.conformance("ensure-client-assertion-with-iss-aud-succeeds")
@pytest.mark.parametrize("auth", [PRIVATE, "client_secret_jwt"])
async def test_oidcc_ensure_client_assertion_with_iss_aud_succeeds(suite: Suite, auth: str) -> None:
    rp = await suite.client(Variant("code", auth=auth))
    for audience in ("https://op.example.com", "https://op.example.com/token"):
        outcome = await suite.authorize(suite.browser(), suite.request_of(rp))
        form = {"grant_type": "authorization_code", "code": outcome["code"], "redirect_uri": rp.redirect_uri}
        check_token_response(await suite.token(rp, form, aud=audience))
