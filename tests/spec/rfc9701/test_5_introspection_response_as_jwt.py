"""RFC 9701: introspection responses as JWT, for those who ask for them."""

from typing import Any

import pytest

from appliance.endpoints.introspection import IntrospectionEndpoint
from appliance.jose.encryption import decrypt
from appliance.jose.keys import generate_decryption, public_jwk, symmetric
from appliance.jose.tokens import decode_strict, verify
from appliance.profile.discovery import metadata
from tests.support.exchanging import (
    CLIENTS,
    ISSUER,
    ORDERS,
    Told,
    access_token,
    claims_of,
    exchanging,
    header_of,
    main,
    post,
    secret_of,
    userinfo,
)
from tests.support.provider import START, Provider

pytestmark = pytest.mark.spec("RFC 9701", "5")

JWT_RESPONSE = "application/token-introspection+jwt"


def with_orders(**changes: Any) -> Any:
    """The provider with another resource server."""
    return exchanging(clients=(*CLIENTS[:2], ORDERS | changes, *CLIENTS[3:]))


async def ask(op: Provider, token: str, accept: str = JWT_RESPONSE, client_id: str = "orders") -> Told:
    """Introspect with an Accept header."""
    return await post(op, "/introspect", {"token": token}, client_id, accept=accept)


@pytest.mark.spec("RFC 9701", "4")
@pytest.mark.parametrize(
    "accept", [JWT_RESPONSE, f"application/json;q=0.5, {JWT_RESPONSE.upper()};q=0.9", f" {JWT_RESPONSE} ; q=1.0"]
)
async def test_answers_as_a_signed_jwt_when_asked_to(accept: str) -> None:
    async with exchanging() as op:
        token = await access_token(op)
        told = await ask(op, token, accept)
        assert told.status == 200
        assert told.headers["Content-Type"] == JWT_RESPONSE
        assert told.headers["Cache-Control"] == "no-store"
        keys = main(op).keys.verification()
        verified = verify(told["text"], keys, algs=("RS256",), typ=frozenset({"token-introspection+jwt"}))
        assert set(verified.claims) == {"iss", "aud", "iat", "token_introspection"}
        outer = {name: verified.claims[name] for name in ("iss", "aud", "iat")}
        assert outer == {"iss": ISSUER, "aud": "orders", "iat": int(START)}
        plain = await ask(op, token, "application/json")
        assert verified.claims["token_introspection"] == plain.body
        assert plain["active"] is True and plain["sub"] == "anna"


@pytest.mark.parametrize(
    "accept", ["*/*", "application/*", "application/json", "", f"{JWT_RESPONSE};q=0", "application/jwt"]
)
async def test_answers_as_json_when_not_asked_for_a_jwt(accept: str) -> None:
    async with exchanging() as op:
        told = await ask(op, await access_token(op), accept)
        assert told.headers["Content-Type"] == "application/json"
        assert told["active"] is True


@pytest.mark.attack("IN-01")
async def test_tells_nothing_of_a_token_that_is_not_active_or_not_the_callers() -> None:
    async with exchanging() as op:
        for token, client_id in (("nothing", "orders"), (await access_token(op), "gateway")):
            told = await ask(op, token, client_id=client_id)
            claims = claims_of(told["text"])
            assert claims["token_introspection"] == {"active": False}
            assert claims["aud"] == client_id


@pytest.mark.spec("RFC 9701", "6")
async def test_signs_as_registered() -> None:
    keys = {"keys": {"signing": [{"alg": "RS256"}, {"alg": "ES256"}]}}
    orders = ORDERS | {"introspection_signed_response_alg": "ES256"}
    async with exchanging(clients=(*CLIENTS[:2], orders, *CLIENTS[3:]), **keys) as op:
        told = await ask(op, await access_token(op))
        assert header_of(told["text"])["alg"] == "ES256"
    async with with_orders(introspection_signed_response_alg="HS256") as op:
        told = await ask(op, await access_token(op))
        shared = symmetric(secret_of("orders").encode(), "HS256").verification()
        verify(told["text"], [shared], algs=("HS256",), typ=frozenset({"token-introspection+jwt"}))


@pytest.mark.spec("RFC 9701", "6")
async def test_encrypts_as_registered() -> None:
    key = generate_decryption("ECDH-ES", kid="orders-1")
    registered = {
        "jwks": {"keys": [public_jwk(key)]},
        "introspection_encrypted_response_alg": "ECDH-ES",
        "introspection_encrypted_response_enc": "A256GCM",
    }
    async with with_orders(**registered) as op:
        told = await ask(op, await access_token(op))
        inside = decrypt(told["text"], [key], algs={"ECDH-ES"}, encs={"A256GCM"}, max_length=65536).decode()
        claims = claims_of(inside)
        assert claims["token_introspection"]["active"] is True
        assert header_of(inside)["typ"] == "token-introspection+jwt"


@pytest.mark.spec("RFC 9701", "8.1")
@pytest.mark.attack("JW-01")
async def test_makes_nothing_that_passes_for_another_token() -> None:
    async with exchanging() as op:
        token = await access_token(op)
        response = (await ask(op, token))["text"]
        assert (await userinfo(op, response)).status == 401
        assert (await post(op, "/introspect", {"token": response}, "orders")).body == {"active": False}
        assert {"sub", "exp"}.isdisjoint(claims_of(response))
        assert decode_strict(response).header["typ"] == "token-introspection+jwt"


@pytest.mark.spec("RFC 9701", "7")
async def test_publishes_its_algorithms() -> None:
    async with with_orders(introspection_signed_response_alg="HS256") as op:
        told = metadata(main(op), [IntrospectionEndpoint(main(op))])
        assert told["introspection_signing_alg_values_supported"] == ["RS256", "HS256"]
        assert "ECDH-ES" in told["introspection_encryption_alg_values_supported"]  # type: ignore[operator]
        assert "A256GCM" in told["introspection_encryption_enc_values_supported"]  # type: ignore[operator]
