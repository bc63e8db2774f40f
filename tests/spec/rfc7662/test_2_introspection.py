"""RFC 7662: what the introspection endpoint tells, and whom."""

import json
from dataclasses import replace
from typing import Any

import pytest

from appliance.endpoints.introspection import IntrospectionEndpoint
from appliance.protocol.authorization import Subject
from appliance.protocol.client import Client
from appliance.protocol.form import encode
from appliance.protocol.handles import stored_id
from appliance.protocol.messages import Request
from appliance.protocol.records import AccessToken, RefreshToken, Session
from appliance.seams import Change
from tests.support.minting import (
    CLIENT,
    CLIENTS,
    ISSUER,
    JWT_SHOP,
    NOW,
    PAIRED,
    POSTER,
    PROFILE,
    SPA,
    Answer,
    Mint,
    answer,
    basic,
    mint,
    request,
)
from tests.support.provider import ROOT, provider

pytestmark = pytest.mark.spec("RFC 7662", "2.2")

RESOURCE_SERVER = replace(POSTER, client_id="reports-api", op=replace(POSTER.op, introspection="all"))
ALL = (*CLIENTS, RESOURCE_SERVER)
INACTIVE = {"active": False}


async def introspect(op: Mint, token: str, client: Client = CLIENT, **sent: str) -> Answer:
    asked = request(client, now=op.now[0], token=token, **sent)
    return await answer(IntrospectionEndpoint(op.profile), asked)


async def tokens_of(op: Mint, client: Client = CLIENT, **changes: Any) -> Any:
    return (await op.redeem(await op.code(client, **changes), client)).body


@pytest.mark.parametrize("client", [CLIENT, JWT_SHOP], ids=["opaque", "jwt"])
async def test_tells_a_client_of_its_access_token(client: Client) -> None:
    op = await mint()
    token = (await tokens_of(op, client))["access_token"]
    told = await introspect(op, token, client)
    assert told.status == 200
    assert told.body.pop("jti")
    assert told.body == {
        "active": True,
        "scope": "openid profile offline_access",
        "client_id": client.client_id,
        "token_type": "Bearer",
        "exp": int(NOW) + 600,
        "iat": int(NOW),
        "sub": "alice-1",
        "aud": ISSUER,
        "iss": ISSUER,
        "acr": "urn:level:1",
        "auth_time": int(NOW) - 100,
    }
    assert told.headers["Cache-Control"] == "no-store"
    assert (await introspect(op, token, client, token_type_hint="refresh_token")).body["active"] is True
    op.forward(600)
    assert (await introspect(op, token, client)).body == INACTIVE


async def test_tells_a_client_of_its_refresh_token_while_it_is_the_live_one() -> None:
    op = await mint()
    token = (await tokens_of(op))["refresh_token"]
    told = (await introspect(op, token)).body
    assert told["active"] is True and told["sub"] == "alice-1" and told["exp"] == int(NOW) + 3600
    assert "token_type" not in told
    successor = (await op.refresh(token))["refresh_token"]
    assert (await introspect(op, token)).body == INACTIVE
    assert (await introspect(op, successor)).body["active"] is True


@pytest.mark.attack("IN-01")
@pytest.mark.spec("RFC 7662", "4")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_tells_a_client_nothing_of_the_tokens_of_another(kind: str) -> None:
    op = await mint()
    token = (await tokens_of(op, JWT_SHOP))[kind]
    assert (await introspect(op, token, CLIENT)).body == INACTIVE


@pytest.mark.attack("IN-01")
@pytest.mark.parametrize("client", [CLIENT, JWT_SHOP], ids=["opaque", "jwt"])
async def test_tells_a_resource_server_of_all_access_tokens_but_of_no_refresh_token(client: Client) -> None:
    op = await mint(clients=ALL)
    tokens = await tokens_of(op, client)
    told = (await introspect(op, tokens["access_token"], RESOURCE_SERVER)).body
    assert told["active"] is True and told["client_id"] == client.client_id
    assert (await introspect(op, tokens["refresh_token"], RESOURCE_SERVER)).body == INACTIVE


@pytest.mark.spec("OpenID Connect Core 1.0", "8")
async def test_names_the_user_as_the_client_of_the_token_knows_him() -> None:
    """Whoever introspects a pairwise client's token does not learn the public sub."""
    op = await mint(clients=ALL)
    sub = await op.profile.claims.sub(op.users.users["alice"], PAIRED)
    token = (await tokens_of(op, PAIRED, sub=sub))["access_token"]
    told = await introspect(op, token, RESOURCE_SERVER)
    assert told["sub"] == sub != "alice-1"
    assert "alice" not in json.dumps(told.body)


async def test_names_the_client_where_no_user_is_involved() -> None:
    op = await mint()
    token = (await op.ask(grant_type="client_credentials", scope="reports.read"))["access_token"]
    told = (await introspect(op, token)).body
    assert (told["sub"], told["client_id"], told["scope"]) == (CLIENT.client_id, CLIENT.client_id, "reports.read")
    assert "auth_time" not in told and "acr" not in told


@pytest.mark.spec("RFC 7662", "2.1")
@pytest.mark.attack("IN-01")
async def test_refuses_whoever_does_not_prove_himself() -> None:
    op = await mint()
    token = (await tokens_of(op, SPA))["access_token"]
    for asked in (
        request(SPA, token=token),
        request(SPA, token=token, client_id="nobody"),
        request(CLIENT, token=token, headers={"authorization": (basic(CLIENT.client_id, "wrong"),)}),
        request(CLIENT, token=token, headers={"authorization": (f"Bearer {token}",)}),
    ):
        refused = await answer(IntrospectionEndpoint(op.profile), asked)
        assert (refused.status, refused.code) == (401, "invalid_client")


@pytest.mark.spec("RFC 7662", "2.1")
async def test_needs_a_token_once() -> None:
    op = await mint()
    endpoint = IntrospectionEndpoint(op.profile)
    assert (await answer(endpoint, request(CLIENT))).code == "invalid_request"
    twice = replace(request(CLIENT), body=b"token=a&token=b")
    assert (await answer(endpoint, twice)).code == "invalid_request"


@pytest.mark.attack("IN-01", "IN-04")
async def test_calls_nothing_active_that_does_not_hold_any_more() -> None:
    """Another issuer, a revoked token, a user or client that is gone: each as soon as it is so."""
    op = await mint()
    tokens = await tokens_of(op)
    access_token, refresh_token = tokens["access_token"], tokens["refresh_token"]
    stored = await op.store.get(AccessToken, stored_id(access_token))
    assert stored is not None

    async def both() -> list[bool]:
        return [(await introspect(op, token)).body["active"] for token in (access_token, refresh_token)]

    assert await both() == [True, True]
    alice = op.users.users["alice"]
    op.users.users["alice"] = replace(alice, active=False)
    assert await both() == [False, False]
    del op.users.users["alice"]
    assert await both() == [False, False]
    op.users.users["alice"] = alice
    assert await both() == [True, True]
    await op.store.commit(Change(put=(replace(stored, issuer="https://op.example/other"),)))
    assert await both() == [False, True]
    await op.store.commit(Change(put=(stored,)))
    await op.store.delete_by((AccessToken, RefreshToken), "authorization_id", "authorization-1")
    assert await both() == [False, False]
    for token in ("", "x", access_token[:-1], access_token + "x", "op_at_" + "A" * 49, "é" * 50, "a.b.c"):
        assert (await introspect(op, token or "-")).body == INACTIVE


async def test_tells_a_resource_server_nothing_of_a_client_that_is_gone() -> None:
    op = await mint(clients=ALL)
    token = (await tokens_of(op, JWT_SHOP))["access_token"]
    later = await mint(clients=tuple(client for client in ALL if client is not JWT_SHOP))
    stored = await op.store.find(AccessToken, "authorization_id", "authorization-1")
    await later.store.commit(Change(put=stored))
    assert (await introspect(op, token, RESOURCE_SERVER)).body["active"] is True
    assert (await introspect(later, token, RESOURCE_SERVER)).body == INACTIVE


async def test_leaves_out_scopes_that_the_client_lost() -> None:
    op = await mint()
    token = (await op.front({"token"}, scope=("openid", "billing")))["access_token"]
    assert (await introspect(op, token))["scope"] == "openid"


def session(**changes: Any) -> Session:
    made = Session(
        id="s",
        issuer=ISSUER,
        expires_at=NOW + 3600,
        sid="session-1",
        subject=Subject("people", "alice"),
        user="people\x1falice",
        login="alice",
        proofs=(),
        created_at=NOW,
        seen_at=NOW,
        clients=(),
    )
    return replace(made, **changes)


ACCEPTING = replace(PROFILE, compat=replace(PROFILE.compat, introspection_accepts_id_tokens=True))


async def test_knows_nothing_of_id_tokens_unless_it_is_told_to() -> None:
    op = await mint()
    token = (await tokens_of(op))["id_token"]
    await op.store.commit(Change(put=(session(),)))
    assert (await introspect(op, token)).body == INACTIVE


async def test_tells_a_client_of_its_id_token_where_the_profile_allows_that() -> None:
    op = await mint(profile=ACCEPTING, clients=ALL)
    token = (await tokens_of(op))["id_token"]
    assert (await introspect(op, token)).body == INACTIVE  # no session
    await op.store.commit(Change(put=(session(issuer="https://op.example/other"),)))
    assert (await introspect(op, token)).body == INACTIVE
    await op.store.commit(Change(put=(session(),)))
    assert (await introspect(op, token)).body == {
        "active": True,
        "client_id": CLIENT.client_id,
        "iss": ISSUER,
        "sub": "alice-1",
        "aud": CLIENT.client_id,
        "exp": int(NOW) + 300,
        "iat": int(NOW),
        "acr": "urn:level:1",
    }
    for other in (JWT_SHOP, RESOURCE_SERVER):
        assert (await introspect(op, token, other)).body == INACTIVE
    alice = op.users.users["alice"]
    op.users.users["alice"] = replace(alice, active=False)
    assert (await introspect(op, token)).body == INACTIVE
    op.users.users["alice"] = alice
    assert (await introspect(op, token[:-3] + "AAA")).body == INACTIVE
    op.forward(300)
    assert (await introspect(op, token)).body == INACTIVE


SWITCHED_ON = (ROOT / "config.example/profiles/retail.yaml").read_text() + "\nendpoints: {introspection: true}\n"


@pytest.mark.attack("IN-03")
@pytest.mark.spec("RFC 8414", "2")
async def test_is_off_until_the_profile_says_otherwise_and_then_in_the_metadata() -> None:
    headers = {"host": ("localhost:8080",)}
    where = "/.well-known/openid-configuration"
    async with provider() as op:
        metadata = json.loads((await op.respond(Request("GET", f"/retail{where}", headers=headers))).body)
        assert not [name for name in metadata if name.startswith(("introspection", "revocation"))]
        assert (await op.respond(Request("POST", "/retail/introspect", headers=headers))).status == 404
    async with provider(edit={"profiles/retail.yaml": SWITCHED_ON}) as op:
        metadata = json.loads((await op.respond(Request("GET", f"/retail{where}", headers=headers))).body)
        assert metadata["introspection_endpoint"] == metadata["issuer"] + "/introspect"
        methods = set(metadata["token_endpoint_auth_methods_supported"])
        assert set(metadata["introspection_endpoint_auth_methods_supported"]) == methods - {"none"}
        assert "revocation_endpoint" not in metadata
        got = await op.respond(Request("GET", "/retail/introspect", "token=x", headers))
        assert (got.status, dict(got.headers)["Cache-Control"]) == (405, "no-store")
        sent = {**headers, "content-type": ("application/x-www-form-urlencoded",), "origin": ("https://x.example",)}
        refused = await op.respond(
            Request("POST", "/retail/introspect", "", sent, encode([("token", "x")]).encode(), "192.0.2.1")
        )
        assert (refused.status, dict(refused.headers)["Cache-Control"]) == (401, "no-store")
        assert "Access-Control-Allow-Origin" not in dict(refused.headers)
