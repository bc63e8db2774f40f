"""CIBA Core 7.1.1: requests that their clients sign."""

from typing import Any

import pytest

from appliance.jose.keys import generate, public_jwk
from tests.support.provider import Provider, provider
from tests.support.waiting import CIBA, Caller, backchannels, client, signed

KEY, STRANGER, OTHER = generate("ES256", kid="1"), generate("ES256", kid="1"), generate("RS256", kid="2")


def signing(**settings: Any) -> dict[str, str]:
    """A provider with a bank that signs."""
    bank = client(
        "bank",
        grant_types=[CIBA],
        jwks={"keys": [public_jwk(KEY), public_jwk(OTHER)]},
        backchannel_authentication_request_signing_alg="ES256",
    )
    return backchannels(**settings) | bank


async def ask(op: Provider, request: str, **beside: str) -> Any:
    """A request with nothing but an object, or with something beside it."""
    return await Caller(op).token(at="/backchannel_authentication", request=request, **beside)


@pytest.mark.spec("CIBA Core 1.0", "7.1.1")
async def test_takes_a_request_that_is_signed() -> None:
    async with provider(edit=signing()) as op:
        caller = Caller(op)
        caller.begun = await ask(op, signed(caller, KEY, requested_expiry=90, binding_message="signed words"))
        assert caller.begun["expires_in"] == 90
        assert "signed words" in (await caller.list()).body.decode()
        await caller.decide()
        assert (await caller.poll()).status == 200
        assert (await ask(op, signed(caller, KEY, requested_expiry="90")))["expires_in"] == 90


@pytest.mark.spec("CIBA Core 1.0", "7.1.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "shop"},
        {"aud": "https://other.example"},
        {"exp": 1},
        {"exp": 4102444800},
        {"nbf": 4102444800},
        {"nbf": 1},
        {"jti": None},
        {"nbf": None},
        {"iat": None},
        {"exp": None},
        {"aud": None},
        {"sub": "bank"},
        {"scope": ["openid"]},
        {"resource": [1]},
        {"login_hint": 7},
        {"authorization_details": [{"type": "unknown"}]},
    ],
)
async def test_refuses_what_is_signed_wrongly(changes: dict[str, Any]) -> None:
    async with provider(edit=signing()) as op:
        answer = await ask(op, signed(Caller(op), KEY, **changes))
        expected = "invalid_authorization_details" if "authorization_details" in changes else "invalid_request"
        assert (answer.status, answer.error) == (400, expected)


@pytest.mark.spec("CIBA Core 1.0", "7.1.1")
async def test_refuses_signatures_of_strangers_and_other_algorithms() -> None:
    async with provider(edit=signing()) as op:
        caller = Caller(op)
        assert (await ask(op, signed(caller, STRANGER))).error == "invalid_request"
        assert (await ask(op, signed(caller, OTHER))).error == "invalid_request"
        unsigned = "eyJhbGciOiJub25lIn0." + signed(caller, KEY).split(".")[1] + "."
        assert (await ask(op, unsigned)).error == "invalid_request"


@pytest.mark.spec("CIBA Core 1.0", "7.1.1")
async def test_refuses_parameters_beside_a_signed_request_and_the_same_one_twice() -> None:
    async with provider(edit=signing()) as op:
        caller = Caller(op)
        request = signed(caller, KEY)
        assert (await ask(op, request, login_hint="ben")).error == "invalid_request"
        assert (await ask(op, request, scope="openid")).error == "invalid_request"
        assert (await ask(op, request)).status == 200
        assert (await ask(op, request)).error == "invalid_request"


@pytest.mark.spec("FAPI CIBA", "5.2.2")
async def test_refuses_unsigned_requests_of_who_signs_and_where_all_must() -> None:
    async with provider(edit=signing()) as op:
        assert (await Caller(op).begin()).error == "invalid_request"
    async with provider(edit=backchannels()) as op:
        assert (await ask(op, signed(Caller(op), KEY))).error == "invalid_request", "a client without an algorithm"
