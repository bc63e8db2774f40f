"""RFC 8705 3, 4: access tokens that count only with the certificate they were asked for with."""

from dataclasses import replace

import pytest

from appliance.endpoints.introspection import IntrospectionEndpoint
from appliance.jose.certificates import thumbprint
from appliance.protocol.client import Client
from tests.support.certificates import Certified, certify
from tests.support.minting import (
    CLIENT,
    CLIENTS,
    JWT_SHOP,
    PROFILE,
    REDIRECT_URI,
    SPA,
    VERIFIER,
    Answer,
    Mint,
    answer,
    claims_of,
    mint,
    request,
)
from tests.support.proving import KEY, jkt_of, look, proof, use_proof

OWN, OTHER = certify("CN=spa"), certify("CN=spa")
CERTIFIED = replace(SPA, client_id="certified", tls_client_certificate_bound_access_tokens=True)
BACKEND = replace(JWT_SHOP, client_id="backend", tls_client_certificate_bound_access_tokens=True)


async def provider(*clients: Client) -> Mint:
    profile = replace(PROFILE, tls_client_certificate_bound_access_tokens=True)
    return await mint(profile=profile, clients=(*CLIENTS, CERTIFIED, BACKEND, *clients))


async def send(op: Mint, client: Client, shown: Certified | None, *proofs: str, **parameters: str) -> Answer:
    headers = {"dpop": proofs} if proofs else None
    asked = request(client, now=op.now[0], headers=headers, **parameters)
    return await op.send(replace(asked, certificate=None if shown is None else shown.der))


async def redeem(op: Mint, client: Client, shown: Certified | None, *proofs: str) -> Answer:
    parameters = {"redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER, "grant_type": "authorization_code"}
    return await send(op, client, shown, *proofs, code=await op.code(client), **parameters)


async def refresh(op: Mint, client: Client, shown: Certified | None, token: str) -> Answer:
    return await send(op, client, shown, grant_type="refresh_token", refresh_token=token)


@pytest.mark.spec("RFC 8705", "3")
@pytest.mark.attack("TB-19")
async def test_the_provider_takes_a_bound_token_with_its_certificate_only() -> None:
    op = await provider()
    answered = await redeem(op, CERTIFIED, OWN)
    assert (answered.status, answered["token_type"]) == (200, "Bearer")
    token = answered["access_token"]
    assert (await look(op, token, scheme="Bearer", certificate=OWN.der)).status == 200
    for certificate in (OTHER.der, None, b"", OWN.der[:-1]):
        used = await look(op, token, scheme="Bearer", certificate=certificate)
        assert (used.status, used.code) == (401, "invalid_token")
        assert 'Bearer realm="' in used.headers["WWW-Authenticate"]
    header = {"authorization": (f"Bearer {token}",), "client-cert": (OWN.pem,), "x-ssl-cert": (OWN.pem,)}
    assert (await look(op, token, headers=header)).status == 401


@pytest.mark.spec("RFC 8705", "3.1")
@pytest.mark.spec("RFC 8705", "3.2")
async def test_the_provider_names_the_certificate_in_jwt_tokens_and_introspection() -> None:
    op = await provider()
    token = (await redeem(op, BACKEND, OWN))["access_token"]
    assert claims_of(token)["cnf"] == {"x5t#S256": thumbprint(OWN.der)}
    told = await answer(IntrospectionEndpoint(op.profile), request(BACKEND, now=op.now[0], token=token))
    assert told["cnf"] == {"x5t#S256": thumbprint(OWN.der)}
    assert told["token_type"] == "Bearer"


@pytest.mark.spec("RFC 8705", "3.4")
async def test_the_provider_gives_no_token_without_the_certificate_it_is_to_be_bound_to() -> None:
    op = await provider()
    for client in (CERTIFIED, BACKEND):
        refused = await redeem(op, client, None)
        assert (refused.status, refused.code) == (400, "invalid_request")
    off = await mint(clients=(*CLIENTS, CERTIFIED))
    refused = await redeem(off, CERTIFIED, OWN)
    assert (refused.status, refused.code) == (400, "invalid_request")


@pytest.mark.spec("RFC 8705", "3")
async def test_the_provider_binds_nothing_for_who_only_happens_to_have_a_certificate() -> None:
    op = await provider()
    token = (await redeem(op, SPA, OWN))["access_token"]
    assert (await look(op, token, scheme="Bearer")).status == 200


@pytest.mark.spec("RFC 8705", "4")
@pytest.mark.attack("TB-20")
async def test_the_provider_binds_refresh_tokens_of_public_clients_only() -> None:
    op = await provider()
    token = (await redeem(op, CERTIFIED, OWN))["refresh_token"]
    stolen = await refresh(op, CERTIFIED, OTHER, token)
    assert (stolen.status, stolen.code) == (400, "invalid_grant")
    assert (await refresh(op, CERTIFIED, None, token)).status == 400
    renewed = await refresh(op, CERTIFIED, OWN, token)
    assert renewed.status == 200
    assert (await refresh(op, CERTIFIED, OTHER, renewed["refresh_token"])).code == "invalid_grant"
    # A confidential client proves itself anew, and may have renewed its certificate.
    kept = (await redeem(op, BACKEND, OWN))["refresh_token"]
    moved = await refresh(op, BACKEND, OTHER, kept)
    assert claims_of(moved["access_token"])["cnf"] == {"x5t#S256": thumbprint(OTHER.der)}


@pytest.mark.spec("RFC 9449", "5")
async def test_the_provider_binds_to_both_keys_where_both_are_shown() -> None:
    op = await provider()
    token = (await redeem(op, BACKEND, OWN, proof(KEY, op.now[0])))["access_token"]
    assert claims_of(token)["cnf"] == {"jkt": jkt_of(KEY), "x5t#S256": thumbprint(OWN.der)}
    assert (await look(op, token, use_proof(KEY, op.now[0], token), certificate=OWN.der)).status == 200
    assert (await look(op, token, use_proof(KEY, op.now[0], token))).status == 401
    assert (await look(op, token, scheme="Bearer", certificate=OWN.der)).status == 401


@pytest.mark.spec("RFC 8705", "3")
async def test_the_provider_leaves_others_alone() -> None:
    op = await provider()
    assert (await redeem(op, CLIENT, None))["token_type"] == "Bearer"
