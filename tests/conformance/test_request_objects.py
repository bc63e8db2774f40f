"""request and request_uri: unsigned and signed, and whose values win."""

import pytest
from jwcrypto.jwk import JWK

from tests.conformance.conftest import Site
from tests.conformance.suite import Outcome, Rp, Suite, Variant, signed_jwt, unsigned_jwt, variants

pytestmark = pytest.mark.asyncio(loop_scope="module")
EACH = pytest.mark.parametrize("variant", variants("BIH"), ids=str)


async def sent(
    suite: Suite, rp: Rp, whole: dict[str, str], outside: tuple[str, ...] = (), **parameters: str
) -> Outcome:
    """A request of whose parameters only some stand outside of its object."""
    names = ("client_id", "response_type", "scope", "redirect_uri", "response_mode", *outside)
    asked = {name: value for name, value in whole.items() if name in names}
    return await suite.authorize(suite.browser(), asked | parameters)


@pytest.mark.conformance("unsigned-request-object-supported-correctly-or-rejected")
@EACH
async def test_oidcc_unsigned_request_object_supported_correctly_or_rejected(suite: Suite, variant: Variant) -> None:
    metadata = await suite.metadata()
    assert metadata["request_parameter_supported"] is True
    assert {"none", "RS256"} <= set(metadata["request_object_signing_alg_values_supported"])
    rp = await suite.client(variant)
    whole = suite.request_of(rp)
    # state and nonce are nowhere but in the object.
    outcome = await sent(suite, rp, whole, request=unsigned_jwt(whole))
    await suite.conclude(rp, outcome, whole)


async def check_request_uri(suite: Suite, site: Site, variant: Variant, fragment: str) -> None:
    """An unsigned object by its address: honoured, with or without a fragment in what was registered."""
    assert (await suite.metadata())["request_uri_parameter_supported"] is True
    path = f"/request/{str(variant).replace('+', '-')}{len(fragment)}"
    address = site.put(path, "") + fragment
    rp = await suite.client(variant, request_uris=[address], request_object_signing_alg="none")
    assert rp.registered["request_uris"] == [address]
    whole = suite.request_of(rp)
    site.put(path, unsigned_jwt(whole), "application/oauth-authz-req+jwt")
    outcome = await sent(suite, rp, whole, request_uri=address)
    await suite.conclude(rp, outcome, whole)


@pytest.mark.conformance("request-uri-unsigned-supported-correctly-or-rejected")
@EACH
async def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected(
    suite: Suite, site: Site, variant: Variant
) -> None:
    await check_request_uri(suite, site, variant, "")


@pytest.mark.conformance("request-uri-unsigned")
@EACH
async def test_oidcc_request_uri_unsigned(suite: Suite, site: Site, variant: Variant) -> None:
    await check_request_uri(suite, site, variant, "#nF9")


@pytest.mark.conformance("request-uri-signed-rs256")
async def test_oidcc_request_uri_signed_rs256(suite: Suite, site: Site) -> None:
    metadata = await suite.metadata()
    assert "RS256" in metadata["request_object_signing_alg_values_supported"]
    key = JWK.generate(kty="RSA", size=2048, kid="request", alg="RS256", use="sig")
    jwks = site.put("/request-jwks", '{"keys": [' + key.export_public() + "]}")
    address = site.put("/request-signed", "") + "#kL8"
    rp = await suite.client(
        Variant("code"), request_uris=[address], jwks_uri=jwks, request_object_signing_alg="RS256"
    )
    whole = suite.request_of(rp)
    claims = {**whole, "iss": rp.client_id, "aud": "https://op.example.com"}
    site.put("/request-signed", signed_jwt(claims, key, "RS256"), "application/jwt")
    outcome = await sent(suite, rp, whole, request_uri=address)
    await suite.conclude(rp, outcome, whole)


@pytest.mark.conformance("ensure-request-object-with-redirect-uri")
@EACH
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
async def test_oidcc_ensure_request_object_with_redirect_uri(suite: Suite, variant: Variant, signed: bool) -> None:
    key = JWK.generate(kty="RSA", size=2048, kid="request", alg="RS256", use="sig") if signed else None
    more = {} if key is None else {"jwks": {"keys": [key.export_public(as_dict=True)]}}
    rp = await suite.client(variant, request_object_signing_alg="RS256" if signed else "none", **more)
    whole = suite.request_of(rp)
    token = unsigned_jwt(whole) if key is None else signed_jwt(whole, key, "RS256")
    # The object's address is good, that outside is nobody's.
    outside = ("state", "nonce")
    outcome = await sent(suite, rp, whole, outside, request=token, redirect_uri=f"{rp.redirect_uri}/Yn2xE5")
    await suite.conclude(rp, outcome, whole)


async def test_values_in_the_object_win_over_those_outside(suite: Suite) -> None:
    rp = await suite.client(Variant("code"))
    whole = suite.request_of(rp)
    outcome = await sent(suite, rp, whole, request=unsigned_jwt(whole), state="outside", nonce="outside")
    await suite.conclude(rp, outcome, whole)
