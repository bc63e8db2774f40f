"""Every kind of token that the provider issues, as a subject token and as an assertion: only the right one is taken."""

from collections.abc import Awaitable, Callable

import pytest

from appliance.profile.tokens.response_protection import ResponseProtection
from tests.support.exchanging import (
    ACCESS_TOKEN,
    CLIENTS,
    ID_TOKEN,
    ISSUER,
    JWT,
    JWT_BEARER,
    PARTNER,
    SHOP,
    access_token,
    assertion,
    exchange,
    exchanging,
    log_in,
    main,
    policy,
    post,
    tokens_of,
)
from tests.support.provider import Provider

#: Whatever the shop has, the gateway may exchange: only the kind can be wrong.
TAKES_ALL = policy(
    subject={"token_types": ["access_token", "id_token", "jwt"], "clients": ["shop", "backend"], "issuers": [PARTNER]}
)
SIGNS_ALL = SHOP | {"userinfo_signed_response_alg": "RS256"}


def protection(op: Provider) -> ResponseProtection:
    """What signs everything but access tokens."""
    return main(op).response_protection


async def id_token(op: Provider) -> str:
    return str((await tokens_of(op, sid="session-of-anna"))["id_token"])


async def refresh_token(op: Provider) -> str:
    return str((await tokens_of(op))["refresh_token"])


async def jwt_access_token(op: Provider) -> str:
    return await access_token(op, client_id="backend", scope=("orders.read",))


async def userinfo_response(op: Provider) -> str:
    client = await main(op).clients.find("shop")
    assert client is not None
    return str(await protection(op).userinfo(client, {"sub": "anna"}, ISSUER))


async def introspection_response(op: Provider) -> str:
    accept = "application/token-introspection+jwt"
    told = await post(op, "/introspect", {"token": await access_token(op)}, "orders", accept=accept)
    return str(told["text"])


async def logout_token(op: Provider) -> str:
    client = await main(op).clients.find("shop")
    assert client is not None
    now = int(op.clock())
    events: dict[str, object] = {"http://schemas.openid.net/event/backchannel-logout": {}}
    claims = {"iss": ISSUER, "aud": "shop", "sub": "anna", "sid": "session-of-anna", "iat": now, "exp": now + 60}
    return await protection(op).logout_token(client, {**claims, "jti": "1", "events": events})


async def authorization_response(op: Provider) -> str:
    client = await main(op).clients.find("shop")
    assert client is not None
    return await protection(op).response(client, (("code", "x"), ("iss", ISSUER), ("sub", "anna")))


async def partners_word(op: Provider) -> str:
    return assertion(op)


KINDS: dict[str, Callable[[Provider], Awaitable[str]]] = {
    "opaque access token": access_token,
    "JWT access token": jwt_access_token,
    "refresh token": refresh_token,
    "ID Token": id_token,
    "UserInfo response": userinfo_response,
    "introspection response": introspection_response,
    "logout token": logout_token,
    "authorization response": authorization_response,
    "a partner's assertion": partners_word,
}
RIGHT = {
    ACCESS_TOKEN: {"opaque access token", "JWT access token"},
    ID_TOKEN: {"ID Token"},
    JWT: {"a partner's assertion"},
    JWT_BEARER: {"a partner's assertion"},
}


@pytest.mark.attack("JW-01", "CA-32", "TE-01", "TE-03")
@pytest.mark.spec("RFC 8725", "3.12")
@pytest.mark.parametrize("place", RIGHT)
async def test_a_token_is_exchanged_only_for_what_it_is(place: str) -> None:
    async with exchanging(TAKES_ALL, clients=(SIGNS_ALL, *CLIENTS[1:])) as op:
        await log_in(op)
        taken = set()
        for kind, made in KINDS.items():
            token = await made(op)
            if place == JWT_BEARER:
                told = await post(op, "/token", {"grant_type": JWT_BEARER, "assertion": token}, "backend")
            else:
                told = await exchange(op, token, subject_token_type=place)
            if told.status == 200:
                taken.add(kind)
        assert taken == RIGHT[place]
