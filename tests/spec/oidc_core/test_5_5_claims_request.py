"""OpenID Connect Core 5.2, 5.5: single claims, where they are wanted, never more than the client may see."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.protocol.authorization import ClaimsRequest
from tests.support.minting import CLIENT, claims_of, mint

pytestmark = pytest.mark.spec("OpenID Connect Core 1.0", "5.5")

ESSENTIAL: dict[str, Any] = {"essential": True}


async def test_releases_a_claim_where_it_is_asked_for() -> None:
    op = await mint()
    asked = ClaimsRequest({"email": None}, {"name": ESSENTIAL})
    answer = await op.redeem(await op.code(scope=("openid",), claims=asked))
    told, seen = claims_of(answer["id_token"]), (await op.look(answer["access_token"])).body
    assert (told.get("email"), told.get("name")) == ("alice@a.example", None)
    assert seen == {"sub": "alice-1", "name": "Alice Adams"}


@pytest.mark.attack("SC-09")
async def test_releases_no_claim_outside_the_clients_allowed_scopes() -> None:
    op = await mint()
    asked = ClaimsRequest({"tier": ESSENTIAL}, {"tier": ESSENTIAL})
    answer = await op.redeem(await op.code(claims=asked))
    assert "tier" not in claims_of(answer["id_token"])
    assert "tier" not in (await op.look(answer["access_token"])).body
    allowed = op.profile.claims.allowed_claims(CLIENT)
    assert "tier" not in allowed
    assert {"name", "name#fi", "email", "email_verified"} <= allowed
    assert "iss" not in allowed


@pytest.mark.attack("SC-13")
async def test_leaves_out_an_essential_claim_that_is_not_there() -> None:
    op = await mint()
    asked = ClaimsRequest({}, {"nickname": ESSENTIAL, "email": {"value": "other@a.example"}})
    answer = await op.redeem(await op.code(scope=("openid",), claims=asked))
    assert (await op.look(answer["access_token"])).body == {"sub": "alice-1", "email": "alice@a.example"}


@pytest.mark.spec("OpenID Connect Core 1.0", "5.2")
async def test_adds_the_claim_of_a_preferred_language_beside_the_untagged_one() -> None:
    op = await mint()
    answer = await op.redeem(await op.code(claims_locales=("sv", "FI")))
    seen = (await op.look(answer["access_token"])).body
    assert (seen["name"], seen["name#fi"]) == ("Alice Adams", "Liisa")
    asked = ClaimsRequest({}, {"name#fi": None})
    answer = await op.redeem(await op.code(scope=("openid",), claims=asked))
    assert (await op.look(answer["access_token"])).body == {"sub": "alice-1", "name#fi": "Liisa"}


@pytest.mark.attack("CD-09")
async def test_releases_nothing_more_once_a_scope_is_taken_from_the_client() -> None:
    op = await mint(clients=(replace(CLIENT, scope=("openid", "email")),))
    asked = ClaimsRequest({}, {"name": None})
    front = await op.front({"token"}, scope=("openid", "profile", "email"), claims=asked)
    assert (await op.look(front["access_token"])).body == {
        "sub": "alice-1", "email": "alice@a.example", "email_verified": True,
    }  # fmt: skip
