"""RFC 6749 6, RFC 9700 4.14.2: refresh tokens rotate, narrow, end, and are not to be used by two parties."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from appliance.config.declared.profile import RefreshTokenTtl
from appliance.protocol.records import RefreshToken
from tests.support.minting import CLIENT, OTHER_SPA, PROFILE, SPA, Mint, claims_of, mint

pytestmark = pytest.mark.spec("RFC 6749", "6")


def profile(**changes: Any) -> Any:
    ttl = {"idle": 3600, "absolute": 36000, "rotate": True, "reuse_grace": None} | changes
    return replace(PROFILE, ttl=replace(PROFILE.ttl, refresh_token=RefreshTokenTtl(**ttl)))


async def begin(op: Mint, client: Any = CLIENT) -> str:
    return str((await op.redeem(await op.code(client), client))["refresh_token"])


async def live(op: Mint) -> int:
    family = await op.store.find(RefreshToken, "authorization_id", "authorization-1")
    return sum(not token.rotated_at for token in family)


async def test_answers_with_new_tokens_and_rotates() -> None:
    op = await mint()
    first = await begin(op)
    op.forward(20)
    answer = await op.refresh(first)
    assert answer.status == 200
    assert answer["refresh_token"] != first
    assert answer["scope"] == "openid profile offline_access"
    assert (await op.look(answer["access_token"])).status == 200
    assert await live(op) == 1
    assert (await op.refresh(answer["refresh_token"])).status == 200


@pytest.mark.spec("OpenID Connect Core 1.0", "12.2")
@pytest.mark.attack("RF-13")
async def test_refreshed_id_token_keeps_who_and_when_and_drops_the_nonce() -> None:
    op = await mint()
    answer = await op.redeem(await op.code(auth_time_required=True))
    op.forward(30)
    again = await op.refresh(answer["refresh_token"])
    before, after = claims_of(answer["id_token"]), claims_of(again["id_token"])
    for name in ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid"):
        assert after[name] == before[name]
    assert before["nonce"] == "n-0S6_WzA2Mj"
    assert "nonce" not in after
    assert after["iat"] == before["iat"] + 30


@pytest.mark.attack("RF-04")
async def test_narrows_the_scope_of_one_access_token_only() -> None:
    op = await mint()
    narrow = await op.refresh(await begin(op), scope="openid")
    assert narrow["scope"] == "openid"
    assert list((await op.look(narrow["access_token"])).body) == ["sub"]
    whole = await op.refresh(narrow["refresh_token"])
    assert whole["scope"] == "openid profile offline_access"


@pytest.mark.attack("RF-04")
@pytest.mark.parametrize("asked", ["openid email", "reports.read", "openid  unknown", " ", 'a"b', "é"])
async def test_refuses_a_wider_scope_and_consumes_nothing(asked: str) -> None:
    op = await mint()
    token = await begin(op)
    assert (await op.refresh(token, scope=asked)).code == "invalid_scope"
    assert (await op.refresh(token)).status == 200


@pytest.mark.attack("RF-15")
@pytest.mark.parametrize("client", [CLIENT, SPA], ids=["confidential", "public"])
async def test_ends_the_family_when_a_replaced_token_comes_again(client: Any) -> None:
    op = await mint()
    stolen = await begin(op, client)
    thief = await op.refresh(stolen, client)
    op.forward(11)
    assert (await op.refresh(stolen, client)).code == "invalid_grant"
    assert (await op.refresh(thief["refresh_token"], client)).code == "invalid_grant"
    assert (await op.look(thief["access_token"])).status == 401
    assert await live(op) == 0


async def test_gives_a_public_client_no_grace() -> None:
    op = await mint()
    token = await begin(op, SPA)
    answer = await op.refresh(token, SPA)
    assert (await op.refresh(token, SPA)).code == "invalid_grant"
    assert (await op.refresh(answer["refresh_token"], SPA)).code == "invalid_grant"


async def test_answers_a_lost_answer_with_the_same_successor() -> None:
    op = await mint()
    token = await begin(op)
    first = await op.refresh(token)
    op.forward(9)
    again = await op.refresh(token)
    assert again["refresh_token"] == first["refresh_token"]
    assert again["access_token"] != first["access_token"]
    assert await live(op) == 1


async def test_ends_the_family_when_a_token_comes_again_after_its_successor_was_used() -> None:
    op = await mint()
    token = await begin(op)
    second = await op.refresh(token)
    third = await op.refresh(second["refresh_token"])
    assert (await op.refresh(token)).code == "invalid_grant"
    assert (await op.refresh(third["refresh_token"])).code == "invalid_grant"


@pytest.mark.parametrize("grace", [0, 30])
async def test_obeys_the_declared_grace(grace: int) -> None:
    op = await mint(profile=profile(reuse_grace=grace))
    token = await begin(op)
    await op.refresh(token)
    op.forward(max(grace - 1, 0))
    assert (await op.refresh(token)).status == (200 if grace else 400)
    op.forward(1)
    assert (await op.refresh(token)).code == "invalid_grant"


@pytest.mark.attack("RF-02")
@pytest.mark.parametrize("grace", [0, 10])
async def test_leaves_at_most_one_live_branch_of_parallel_refreshes(grace: int) -> None:
    op = await mint(profile=profile(reuse_grace=grace))
    token = await begin(op)
    answers = await asyncio.gather(*(op.refresh(token) for _ in range(20)))
    successors = {answer["refresh_token"] for answer in answers if answer.status == 200}
    assert len(successors) == 1
    assert all(answer.code == "invalid_grant" for answer in answers if answer.status != 200)
    assert await live(op) == (1 if grace else 0)


async def test_keeps_the_token_where_rotation_is_off_but_rotates_for_public_clients() -> None:
    op = await mint(profile=profile(rotate=False))
    token = await begin(op)
    for _ in range(3):
        op.forward(3000)
        assert (await op.refresh(token))["refresh_token"] == token
    answers = await asyncio.gather(*(op.refresh(token) for _ in range(20)))
    assert {answer["refresh_token"] for answer in answers} == {token}
    public = await begin(op, SPA)
    assert (await op.refresh(public, SPA))["refresh_token"] != public


@pytest.mark.attack("RF-07")
@pytest.mark.parametrize("rotate", [True, False])
async def test_ends_a_family_at_its_absolute_lifetime_and_when_idle(rotate: bool) -> None:
    op = await mint(profile=profile(rotate=rotate))
    token = await begin(op)
    for _ in range(12):
        op.forward(2999)
        answer = await op.refresh(token)
        assert answer.status == 200
        token = answer["refresh_token"]
    op.forward(36000 - 12 * 2999)
    assert (await op.refresh(token)).code == "invalid_grant"
    token = await begin(op)
    op.forward(3600)
    assert (await op.refresh(token)).code == "invalid_grant"


async def test_obeys_the_lifetimes_of_the_client() -> None:
    brief = replace(CLIENT, op=replace(CLIENT.op, ttl=replace(CLIENT.op.ttl, refresh_token_idle=10)))
    op = await mint(clients=(brief,))
    token = await begin(op, brief)
    op.forward(10)
    assert (await op.refresh(token, brief)).code == "invalid_grant"


async def test_refuses_the_refresh_token_of_another_client() -> None:
    op = await mint()
    token = await begin(op, SPA)
    assert (await op.refresh(token, OTHER_SPA)).code == "invalid_grant"
    assert (await op.refresh(token, SPA)).status == 200


@pytest.mark.attack("RF-06")
async def test_refuses_to_refresh_for_a_user_who_was_disabled() -> None:
    op = await mint()
    token = await begin(op)
    alice = op.users.users["alice"]
    op.users.users["alice"] = replace(alice, active=False)
    assert (await op.refresh(token)).code == "invalid_grant"
    op.users.users["alice"] = alice
    assert (await op.refresh(token)).status == 200


@pytest.mark.attack("RF-10")
async def test_refuses_every_other_artefact_as_a_refresh_token() -> None:
    op = await mint()
    code = await op.code()
    answer = await op.redeem(code)
    for other in (code, answer["access_token"], answer["id_token"]):
        assert (await op.refresh(other)).code == "invalid_grant"
    assert (await op.look(answer["refresh_token"])).status == 401
    assert (await op.look(answer["id_token"])).status == 401


@pytest.mark.attack("RF-08")
async def test_detects_reuse_after_a_restart(tmp_path: Any) -> None:
    op = await mint(database=tmp_path / "state.db")
    token = await begin(op)
    answer = await op.refresh(token)
    await op.store.close()
    again = await mint(database=tmp_path / "state.db", seed=2)
    again.forward(60)
    assert (await again.refresh(token)).code == "invalid_grant"
    assert (await again.refresh(answer["refresh_token"])).code == "invalid_grant"
    await again.store.close()


async def test_keeps_no_usable_successor_in_the_store() -> None:
    op = await mint()
    answer = await op.refresh(await begin(op))
    assert answer["refresh_token"] not in repr(vars(op.store))
