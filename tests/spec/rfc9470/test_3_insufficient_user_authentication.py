"""RFC 9470: the provider's own resource asks for another login, and its tokens say what login they are of."""

from typing import Any

import pytest

from tests.support.exchanging import (
    LEVEL,
    POLICY,
    Told,
    access_token,
    assertion,
    claims_of,
    exchanging,
    introspect,
    post,
    userinfo,
)
from tests.support.provider import START

pytestmark = pytest.mark.spec("RFC 9470", "3")

HIGHER = "urn:example:acr:higher"
LEVELS = [{"value": LEVEL, "policy": "password"}, {"value": HIGHER, "policy": "password"}]


def asking(**userinfo_: Any) -> Any:
    """A provider whose UserInfo asks for a login."""
    return exchanging(POLICY, userinfo=userinfo_, acr=LEVELS)


def challenge(told: Told) -> str:
    """The challenge of a refusal."""
    assert (told.status, told["error"]) == (401, "insufficient_user_authentication")
    return told.headers["WWW-Authenticate"]


async def test_asks_for_the_level_that_it_needs() -> None:
    async with asking(acr=HIGHER) as op:
        said = challenge(await userinfo(op, await access_token(op)))
        assert said.startswith("Bearer ")
        assert 'error="insufficient_user_authentication"' in said
        assert f'acr_values="{HIGHER}"' in said
        assert "max_age" not in said
        assert (await userinfo(op, await access_token(op, acr=HIGHER)))["sub"] == "anna"


async def test_takes_a_higher_level_for_a_lower_one() -> None:
    async with asking(acr=LEVEL) as op:
        assert (await userinfo(op, await access_token(op, acr=HIGHER))).status == 200
        assert (await userinfo(op, await access_token(op))).status == 200
        for nothing in (None, "urn:example:acr:unknown", ""):
            assert (await userinfo(op, await access_token(op, acr=nothing))).status == 401


async def test_asks_for_a_login_that_is_younger() -> None:
    async with asking(max_age="5m") as op:
        token = await access_token(op, auth_time=int(START))
        op.clock.forward(300)
        assert (await userinfo(op, token)).status == 200
        op.clock.forward(1)
        said = challenge(await userinfo(op, token))
        assert 'max_age="300"' in said and "acr_values" not in said
        unknown = await access_token(op, auth_time=None)
        assert (await userinfo(op, unknown)).status == 401


async def test_asks_for_both_and_for_nothing_where_nothing_is_declared() -> None:
    async with asking(acr=HIGHER, max_age=60) as op:
        said = challenge(await userinfo(op, await access_token(op)))
        assert f'acr_values="{HIGHER}"' in said and 'max_age="60"' in said
    async with asking() as op:
        assert (await userinfo(op, await access_token(op, acr=None, auth_time=None))).status == 200


async def test_tells_of_scope_and_token_before_it_tells_of_the_login() -> None:
    async with asking(acr=HIGHER) as op:
        assert (await userinfo(op, await access_token(op, scope=("orders.read",)))).status == 403
        assert (await userinfo(op, "nothing"))["error"] == "invalid_token"


@pytest.mark.spec("RFC 9470", "6")
async def test_says_of_which_login_a_token_is() -> None:
    async with asking() as op:
        token = await access_token(op, client_id="gateway", scope=("orders.read",))
        seen = await introspect(op, token)
        claims = claims_of(token)
        for told in (seen, claims):
            assert (told["acr"], told["auth_time"]) == (LEVEL, int(START) - 100)


@pytest.mark.spec("RFC 9470", "6")
async def test_says_nothing_of_a_login_that_was_not_here() -> None:
    async with asking() as op:
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        told = await post(op, "/token", {"grant_type": grant, "assertion": assertion(op, acr=HIGHER)}, "backend")
        assert {"acr", "auth_time"}.isdisjoint(claims_of(told["access_token"]))
        assert {"acr", "auth_time"}.isdisjoint(await introspect(op, told["access_token"]))
