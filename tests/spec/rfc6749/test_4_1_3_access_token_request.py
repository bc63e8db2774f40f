"""RFC 6749 4.1.3: an authorization code buys tokens once, for its client, at its redirect URI."""

from dataclasses import replace

import pytest

from appliance.protocol.records import AccessToken, AuthorizationCode
from appliance.seams import SourceUnavailable
from tests.support.minting import BINDING, CLIENT, OTHER_SPA, PROFILE, REDIRECT_URI, SPA, mint

pytestmark = pytest.mark.spec("RFC 6749", "4.1.3")


async def test_answers_a_code_with_tokens() -> None:
    op = await mint()
    answer = await op.redeem(await op.code())
    assert answer.status == 200
    assert list(answer.body) == [
        "access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token",
    ]  # fmt: skip
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 600
    assert answer["scope"] == "openid profile offline_access"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.spec("RFC 6749", "4.1.2")
@pytest.mark.attack("CD-01")
async def test_refuses_a_code_used_twice_and_revokes_its_tokens() -> None:
    op = await mint()
    code = await op.code()
    first = await op.redeem(code)
    op.forward(1)
    second = await op.redeem(code)
    assert (second.status, second.code) == (400, "invalid_grant")
    assert (await op.look(first["access_token"])).status == 401
    assert (await op.refresh(first["refresh_token"])).code == "invalid_grant"


@pytest.mark.spec("RFC 6749", "4.1.2")
@pytest.mark.attack("CD-01")
async def test_recognises_a_code_used_again_after_its_own_life() -> None:
    op = await mint()
    code = await op.code()
    first = await op.redeem(code)
    op.forward(599)
    assert (await op.look(first["access_token"])).status == 200
    assert (await op.redeem(code)).code == "invalid_grant"
    assert (await op.look(first["access_token"])).status == 401


@pytest.mark.attack("CD-01")
async def test_revokes_a_front_channel_token_with_the_code_it_came_with() -> None:
    op = await mint()
    front = await op.front({"code", "token"})
    await op.redeem(front["code"])
    assert (await op.look(front["access_token"])).status == 200
    await op.redeem(front["code"])
    assert (await op.look(front["access_token"])).status == 401


async def test_leaves_tokens_of_other_authorizations_alone_when_a_code_is_replayed() -> None:
    op = await mint()
    kept = await op.redeem(await op.code(id="another"))
    code = await op.code()
    await op.redeem(code)
    await op.redeem(code)
    assert (await op.look(kept["access_token"])).status == 200


@pytest.mark.attack("CD-04")
async def test_refuses_a_code_of_another_client() -> None:
    op = await mint()
    code = await op.code(SPA)
    assert (await op.redeem(code, OTHER_SPA)).code == "invalid_grant"
    # It is not the thief who decides over the code of the other client.
    assert (await op.redeem(code, SPA)).status == 200


@pytest.mark.attack("CD-05")
@pytest.mark.parametrize(("age", "status"), [(59, 200), (60, 400), (61, 400)])
async def test_refuses_a_code_after_its_lifetime(age: int, status: int) -> None:
    op = await mint()
    code = await op.code()
    op.forward(age)
    assert (await op.redeem(code)).status == status


@pytest.mark.attack("RU-35")
@pytest.mark.parametrize(
    "asked", ["https://rp.example/other", REDIRECT_URI + "/", "", "https://evil.example"]
)
async def test_refuses_another_redirect_uri_and_burns_the_code(asked: str) -> None:
    op = await mint()
    code = await op.code()
    assert (await op.redeem(code, redirect_uri=asked)).code == "invalid_grant"
    assert (await op.redeem(code)).code == "invalid_grant"


async def test_needs_no_redirect_uri_when_the_authorization_request_had_none() -> None:
    op = await mint()
    binding = replace(BINDING, redirect_uri=None)
    assert (await op.redeem(await op.code(binding=binding), redirect_uri="")).status == 200
    assert (
        await op.redeem(await op.code(binding=binding), redirect_uri="https://evil.example")
    ).status == 400


@pytest.mark.attack("CD-06", "CD-07")
@pytest.mark.parametrize("change", [
    lambda code: code[:-1],
    lambda code: code + " ",
    lambda code: code[:10] + ("A" if code[10] != "A" else "B") + code[11:],
    lambda code: code.replace("op_ac_", "op_rt_"),
    lambda code: code * 100,
    lambda code: "é" * 55,
])  # fmt: skip
async def test_refuses_a_code_that_is_not_exactly_the_issued_one(change) -> None:  # type: ignore[no-untyped-def]
    op = await mint()
    code = await op.code()
    assert (await op.redeem(change(code))).code == "invalid_grant"
    assert (await op.redeem(code)).status == 200


@pytest.mark.attack("CD-08")
async def test_refuses_a_code_of_a_user_who_was_disabled_or_deleted_meanwhile() -> None:
    op = await mint()
    alice = op.users.users["alice"]
    op.users.users["alice"] = replace(alice, active=False)
    assert (await op.redeem(await op.code())).code == "invalid_grant"
    del op.users.users["alice"]
    assert (await op.redeem(await op.code())).code == "invalid_grant"


@pytest.mark.attack("CD-09")
async def test_leaves_out_a_scope_that_a_reload_took_away() -> None:
    op = await mint(clients=(replace(CLIENT, scope=("openid",)),))
    answer = await op.redeem(await op.code())
    assert answer["scope"] == "openid"


@pytest.mark.attack("CD-09")
async def test_refuses_a_code_whose_redirect_uri_was_taken_away() -> None:
    op = await mint(clients=(replace(CLIENT, redirect_uris=("https://rp.example/other",)),))
    assert (await op.redeem(await op.code())).code == "invalid_grant"


async def test_stores_digests_and_no_code_or_token() -> None:
    op = await mint()
    code = await op.code()
    answer = await op.redeem(code)
    kept = repr(vars(op.store))
    for handle in (code, answer["access_token"], answer["refresh_token"]):
        assert handle not in kept
    (tombstone,) = await op.store.find(AuthorizationCode, "authorization_id", "authorization-1")
    assert tombstone.redeemed
    assert len(await op.store.find(AccessToken, "authorization_id", "authorization-1")) == 1


async def test_issues_no_refresh_token_where_none_was_granted() -> None:
    op = await mint()
    assert (
        "refresh_token" not in (await op.redeem(await op.code(binding=replace(BINDING, offline=False)))).body
    )
    single = await mint(profile=replace(PROFILE, grant_types_supported=("authorization_code",)))
    assert "refresh_token" not in (await single.redeem(await single.code())).body
    poor = replace(CLIENT, grant_types=("authorization_code",))
    op = await mint(clients=(poor,))
    assert "refresh_token" not in (await op.redeem(await op.code(poor))).body


async def test_issues_no_id_token_without_the_openid_scope() -> None:
    op = await mint()
    answer = await op.redeem(await op.code(scope=("profile",)))
    assert answer.status == 200
    assert "id_token" not in answer.body


async def test_consumes_nothing_while_the_source_of_users_is_down() -> None:
    op = await mint()
    code = await op.code()
    op.users.down = True
    with pytest.raises(SourceUnavailable):
        await op.redeem(code)
    op.users.down = False
    assert (await op.redeem(code)).status == 200
