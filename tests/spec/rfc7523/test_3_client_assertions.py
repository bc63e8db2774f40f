"""RFC 7523 2.2, 3 and OpenID Connect Core 9: clients that prove themselves by assertions."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.jose.keys import symmetric
from appliance.jose.tokens import sign
from appliance.profile.discovery import metadata
from tests.support.assertions import (
    CLIENTS,
    ENDED,
    HASHED,
    MAC,
    SHARED,
    SHORT,
    SIGNER,
    claims,
    key,
    key_set,
    present,
    provider,
    signed,
)
from tests.support.minting import NOW, PROFILE, mint

ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


@pytest.mark.spec("OpenID Connect Core", "9")
@pytest.mark.parametrize("alg", ASYMMETRIC)
async def test_a_client_signs_with_its_private_key(alg: str) -> None:
    client = replace(SIGNER, jwks=key_set(key(alg)))
    op = await provider(clients=(client,))
    answer = await present(op, signed(client, alg=alg))
    assert (answer.status, answer["token_type"], answer["scope"]) == (200, "Bearer", "reports.read")


@pytest.mark.spec("OpenID Connect Core", "9")
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_a_client_signs_with_its_secret(alg: str) -> None:
    op = await provider()
    assert (await present(op, signed(MAC, alg=alg))).status == 200


@pytest.mark.spec("RFC 7521", "4.2")
async def test_client_id_is_optional_beside_an_assertion() -> None:
    op = await provider()
    assert (await present(op, signed())).status == 200
    assert (await present(op, signed(jti="2"), client_id=SIGNER.client_id)).status == 200


@pytest.mark.spec("RFC 7518", "3.2")
async def test_a_secret_shorter_than_the_hash_makes_no_mac() -> None:
    op = await provider()
    assert (await present(op, sign(symmetric(SHARED[:40], "HS256"), claims(SHORT)))).status == 200
    forged = sign(symmetric(SHARED, "HS384"), claims(SHORT, jti="2"))
    assert (await present(op, forged)).status == 401


async def test_a_secret_known_by_its_hash_makes_no_mac() -> None:
    op = await provider()
    assert (await present(op, signed(HASHED, alg="HS256"))).status == 401


async def test_a_secret_that_ended_is_not_accepted_and_its_successor_is() -> None:
    live = replace(ENDED.client_secrets[0], id="2", not_after=None)
    rotated = replace(MAC, client_id="rotated", client_secrets=(*ENDED.client_secrets, live))
    op = await provider(clients=(*CLIENTS, rotated))
    assert (await present(op, signed(ENDED, alg="HS256"))).status == 401
    assert (await present(op, signed(rotated, alg="HS256"))).status == 200


@pytest.mark.spec("RFC 7523", "3")
async def test_the_end_may_be_as_far_as_the_profile_says_and_a_skew() -> None:
    op = await provider()
    for number, ahead in enumerate((1, 300, 360)):
        assert (await present(op, signed(exp=int(NOW) + ahead, jti=str(number)))).status == 200
    assert (await present(op, signed(exp=int(NOW) + 361, jti="far"))).status == 401


async def test_an_assertion_is_remembered_until_its_end() -> None:
    op = await provider()
    text = signed(exp=NOW + 60.5)
    assert (await present(op, text)).status == 200
    for seconds in (30, 30, 0.4, 0.2):
        op.forward(seconds)
        assert (await present(op, text)).status == 401
    assert (await present(op, signed(exp=int(NOW) + 120))).status == 200


async def test_only_methods_of_the_profile_are_taken() -> None:
    only = replace(PROFILE, token_endpoint_auth_methods_supported=("private_key_jwt",))
    op = await mint(profile=only, clients=CLIENTS)
    assert (await present(op, signed(MAC, alg="HS256"))).status == 401
    assert (await present(op, signed())).status == 200
    basic_only = await mint(clients=CLIENTS)
    answer = await present(basic_only, signed())
    assert (answer.status, answer.code) == (401, "invalid_client")


@pytest.mark.spec("RFC 8414", "2")
@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        (("private_key_jwt",), ASYMMETRIC),
        (("client_secret_jwt",), ("HS256", "HS384", "HS512")),
        (("client_secret_jwt", "private_key_jwt"), ("HS256", "HS384", "HS512", *ASYMMETRIC)),
        (("client_secret_basic", "none"), None),
    ],
)
async def test_metadata_names_algorithms_where_assertions_are_taken(methods: Any, expected: Any) -> None:
    op = await mint(profile=replace(PROFILE, token_endpoint_auth_methods_supported=methods))
    found = metadata(op.profile, [])
    named = found.get("token_endpoint_auth_signing_alg_values_supported")
    assert named == (list(expected) if expected else None)
    assert "none" not in (expected or ())
