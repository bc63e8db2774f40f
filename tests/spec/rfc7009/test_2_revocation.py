"""RFC 7009: a client gives its tokens back."""

import json
from dataclasses import replace
from typing import Any

import pytest

from appliance.endpoints.revocation import RevocationEndpoint
from appliance.protocol.client import Client
from appliance.protocol.form import encode
from appliance.protocol.messages import Request, Response
from appliance.protocol.records import AccessToken, RefreshToken
from tests.support.minting import CLIENT, JWT_SHOP, OTHER_SPA, SPA, Mint, answer, basic, mint, request
from tests.support.provider import ROOT, provider

pytestmark = pytest.mark.spec("RFC 7009", "2.1")


async def revoke(op: Mint, token: str, client: Client = CLIENT, **sent: str) -> Response:
    return await RevocationEndpoint(op.profile).handle(request(client, now=op.now[0], token=token, **sent))


async def tokens_of(op: Mint, client: Client = CLIENT, **changes: Any) -> Any:
    return (await op.redeem(await op.code(client, **changes), client)).body


async def works(op: Mint, token: str) -> bool:
    return (await op.look(token)).status == 200


@pytest.mark.attack("TB-23")
@pytest.mark.parametrize("client", [CLIENT, JWT_SHOP, SPA], ids=["opaque", "jwt", "public"])
@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token", "unheard-of"])
async def test_ends_an_access_token_and_nothing_else(client: Client, hint: str) -> None:
    op = await mint()
    tokens = await tokens_of(op, client)
    done = await revoke(op, tokens["access_token"], client, **({"token_type_hint": hint} if hint else {}))
    assert (done.status, done.body, dict(done.headers)["Cache-Control"]) == (200, b"", "no-store")
    seen = await op.look(tokens["access_token"])
    assert (seen.status, seen.code) == (401, "invalid_token")
    assert 'error="invalid_token"' in seen.headers["WWW-Authenticate"]
    assert await works(op, (await op.refresh(tokens["refresh_token"], client))["access_token"])


@pytest.mark.attack("IN-04")
@pytest.mark.parametrize("client", [CLIENT, JWT_SHOP, SPA], ids=["opaque", "jwt", "public"])
async def test_ends_with_a_refresh_token_all_that_came_of_its_authorization(client: Client) -> None:
    op = await mint()
    first = await tokens_of(op, client)
    second = (await op.refresh(first["refresh_token"], client)).body
    other = await tokens_of(op, client, id="authorization-2")
    await revoke(op, second["refresh_token"], client)
    assert not await works(op, first["access_token"])
    assert not await works(op, second["access_token"])
    for token in (first["refresh_token"], second["refresh_token"]):
        assert (await op.refresh(token, client)).code == "invalid_grant"
    assert await works(op, other["access_token"])
    assert await op.store.find(RefreshToken, "authorization_id", "authorization-1") == ()
    assert await op.store.find(AccessToken, "authorization_id", "authorization-1") == ()


async def test_ends_the_family_by_a_token_that_was_replaced() -> None:
    op = await mint()
    first = await tokens_of(op)
    second = (await op.refresh(first["refresh_token"])).body
    await revoke(op, first["refresh_token"])
    assert (await op.refresh(second["refresh_token"])).code == "invalid_grant"


@pytest.mark.attack("IN-05")
@pytest.mark.spec("RFC 7009", "2.2")
@pytest.mark.parametrize("thief", [JWT_SHOP, OTHER_SPA], ids=["confidential", "public"])
async def test_leaves_the_tokens_of_another_client_alone(thief: Client) -> None:
    op = await mint()
    tokens = await tokens_of(op)
    for kind in ("access_token", "refresh_token"):
        assert (await revoke(op, tokens[kind], thief)).status == 200
    assert await works(op, tokens["access_token"])
    assert (await op.refresh(tokens["refresh_token"])).status == 200


@pytest.mark.attack("IN-05")
@pytest.mark.spec("RFC 7009", "2.2")
async def test_says_yes_to_what_it_does_not_know() -> None:
    op = await mint()
    tokens = await tokens_of(op)
    code = await op.code()
    for token in ("x", "op_rt_" + "A" * 49, tokens["access_token"] + "x", tokens["id_token"], code, "a.b.c"):
        assert (await revoke(op, token)).status == 200
    assert await works(op, tokens["access_token"])
    assert (await op.redeem(code)).status == 200
    await revoke(op, tokens["access_token"])
    assert (await revoke(op, tokens["access_token"])).status == 200


@pytest.mark.attack("IN-05")
async def test_wants_to_know_who_asks_and_for_what() -> None:
    op = await mint()
    endpoint = RevocationEndpoint(op.profile)
    token = (await tokens_of(op))["access_token"]
    wrong = request(CLIENT, token=token, headers={"authorization": (basic(CLIENT.client_id, "wrong"),)})
    refused = await answer(endpoint, wrong)
    assert (refused.status, refused.code) == (401, "invalid_client")
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    nobody = replace(request(CLIENT), headers={"content-type": ("application/x-www-form-urlencoded",)})
    assert (await answer(endpoint, replace(nobody, body=f"token={token}".encode()))).code == "invalid_client"
    as_public = encode([("token", token), ("client_id", CLIENT.client_id)]).encode()
    assert (await answer(endpoint, replace(nobody, body=as_public))).code == "invalid_client"
    assert (await answer(endpoint, request(CLIENT))).code == "invalid_request"
    assert await works(op, token)


SWITCHED_ON = (ROOT / "config.example/profiles/retail.yaml").read_text() + "\nendpoints: {revocation: true}\n"


@pytest.mark.spec("RFC 7009", "2.3")
async def test_lets_scripts_of_public_clients_call_it_and_nobody_by_get() -> None:
    host = {"host": ("localhost:8080",)}
    async with provider(edit={"profiles/retail.yaml": SWITCHED_ON}) as op:
        found = await op.respond(Request("GET", "/retail/.well-known/openid-configuration", headers=host))
        metadata = json.loads(found.body)
        assert metadata["revocation_endpoint"] == metadata["issuer"] + "/revoke"
        twins = metadata["revocation_endpoint_auth_methods_supported"]
        assert twins == metadata["token_endpoint_auth_methods_supported"]
        assert "introspection_endpoint" not in metadata
        public = next(client for client in op.snapshot.profiles["retail"].clients if client.is_public)
        body = encode([("client_id", public.client_id), ("token", "x")]).encode()
        origin = "/".join(public.redirect_uris[0].split("/")[:3])
        sent = {**host, "content-type": ("application/x-www-form-urlencoded",), "origin": (origin,)}
        done = await op.respond(Request("POST", "/retail/revoke", "", sent, body, "192.0.2.1"))
        assert (done.status, dict(done.headers)["Access-Control-Allow-Origin"]) == (200, origin)
        sent["origin"] = ("https://evil.example",)
        done = await op.respond(Request("POST", "/retail/revoke", "", sent, body, "192.0.2.1"))
        assert "Access-Control-Allow-Origin" not in dict(done.headers)
        assert (await op.respond(Request("GET", "/retail/revoke", "token=x", host))).status == 405
