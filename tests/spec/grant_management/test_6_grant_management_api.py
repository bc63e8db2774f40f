"""Grant Management for OAuth 2.0: a confidential client sees and ends its own grants, and nobody else's."""

import json
from typing import Any

import pytest

from appliance.endpoints.grant_management import GrantManagementEndpoint
from appliance.profile.discovery import metadata
from appliance.protocol.authorization import ClaimsRequest, Subject
from appliance.protocol.form import encode
from appliance.protocol.messages import Request
from tests.support.browser import Browser, answer
from tests.support.exchanging import (
    CLIENTS,
    ISSUER,
    SCOPES,
    SHOP,
    Told,
    access_token,
    exchange,
    exchanging,
    introspect,
    main,
    post,
    tokens_of,
)
from tests.support.provider import START, Provider

pytestmark = pytest.mark.spec("Grant Management for OAuth 2.0", "6")

QUERY, REVOKE = "grant_management_query", "grant_management_revoke"
REDIRECT_URI = "https://shop.example.com/callback"
GRANT = "authorization-of-anna"
ALL = {"actions": ["create", "query", "revoke"]}
PUBLIC = {
    "client_id": "spa",
    "redirect_uris": ["https://spa.example.com/callback"],
    "token_endpoint_auth_method": "none",
    "scope": f"openid {QUERY} {REVOKE}",
    "op": {"profile": "main"},
}


def managed(settings: Any = None, **profile: Any) -> Any:
    """A provider whose clients manage their grants."""
    scopes = {name: {"type": "resource", "description": {"en": name}} for name in (*SCOPES, QUERY, REVOKE)}
    shop = SHOP | {"scope": f"{SHOP['scope']} {QUERY} {REVOKE}"}
    gateway = CLIENTS[1] | {"scope": f"{CLIENTS[1]['scope']} {QUERY} {REVOKE}"}
    return exchanging(
        clients=(shop, gateway, *CLIENTS[2:], PUBLIC),
        scopes={"openid": {}, "offline_access": {}, **scopes},
        grant_management=ALL if settings is None else settings,
        **profile,
    )


async def own_token(op: Provider, scope: str = QUERY, client_id: str = "shop") -> str:
    """A token that a client has for itself."""
    answered = await post(op, "/token", {"grant_type": "client_credentials", "scope": scope}, client_id)
    return str(answered["access_token"])


async def call(op: Provider, method: str, token: str | None, grant_id: str = GRANT) -> Told:
    """One call of the endpoint."""
    headers = {"host": ("localhost:8080",)} | ({} if token is None else {"authorization": (f"Bearer {token}",)})
    response = await op.respond(
        Request(method, f"/grants/{grant_id}", headers=headers, peer="192.0.2.1", at=op.clock())
    )
    sent = dict(response.headers)
    is_json = sent.get("Content-Type") == "application/json"
    return Told(response.status, json.loads(response.body) if is_json else {}, sent)


@pytest.mark.spec("Grant Management for OAuth 2.0", "6.4")
async def test_tells_a_client_what_a_grant_is_worth() -> None:
    async with managed() as op:
        claims = ClaimsRequest({"email": None}, {"name": None, "email": None})
        details = ({"type": "account", "actions": ("read",)},)
        tokens = await tokens_of(op, claims=claims, authorization_details=details)
        assert tokens["grant_id"] == GRANT
        told = await call(op, "GET", await own_token(op))
        assert told.status == 200
        assert "no-store" in told.headers["Cache-Control"]
        assert told.body == {
            "scopes": [{"scope": " ".join(("openid", "offline_access", *SCOPES))}],
            "claims": ["email", "name"],
            "authorization_details": [{"type": "account", "actions": ["read"]}],
            "expires_at": int(START) + op.snapshot.declared.profiles["main"].ttl.refresh_token.absolute,
        }
        assert tokens["access_token"] not in json.dumps(told.body)


@pytest.mark.spec("Grant Management for OAuth 2.0", "6.5")
async def test_ends_a_grant_with_all_that_came_of_it() -> None:
    async with managed() as op:
        tokens = await tokens_of(op)
        other = await tokens_of(op, id="another")
        exchanged = (await exchange(op, tokens["access_token"]))["access_token"]
        told = await call(op, "DELETE", await own_token(op, REVOKE))
        assert (told.status, told.body) == (204, {})
        for token in (tokens["access_token"], exchanged):
            assert await introspect(op, token) == {"active": False}
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await post(op, "/token", refresh, "shop")).refusal == (400, "invalid_grant")
        assert (await introspect(op, other["access_token"]))["active"] is True
        assert (await call(op, "DELETE", await own_token(op, REVOKE))).status == 404
        assert (await call(op, "GET", await own_token(op))).status == 404


@pytest.mark.spec("Grant Management for OAuth 2.0", "6.6")
async def test_needs_a_token_for_the_action() -> None:
    async with managed() as op:
        await tokens_of(op)
        for method, other in (("GET", REVOKE), ("DELETE", QUERY)):
            refused = await call(op, method, await own_token(op, other))
            assert (refused.status, refused["error"]) == (403, "insufficient_scope")
            for token in ("nothing", None):
                refused = await call(op, method, token)
                assert (refused.status, refused["error"]) == (401, "invalid_token")
                assert refused.headers["WWW-Authenticate"].startswith("Bearer ")
        assert (await call(op, "GET", await own_token(op))).status == 200


@pytest.mark.spec("Grant Management for OAuth 2.0", "10")
async def test_shows_and_ends_nothing_of_another_client_or_user() -> None:
    async with managed() as op:
        tokens = await tokens_of(op, scope=("openid", "offline_access", *SCOPES))
        exchanged = (await exchange(op, tokens["access_token"]))["access_token"]
        ben = {"subject": Subject("people", "ben"), "sub": "ben", "id": "of-ben"}
        strangers = [
            await own_token(op, f"{QUERY} {REVOKE}", "gateway"),
            await access_token(op, scope=("openid", QUERY, REVOKE), **ben),
            await access_token(op, scope=(QUERY, REVOKE), client_id="spa", id="of-spa"),
            exchanged,
        ]
        for token in strangers[1:3]:
            assert (await call(op, "GET", token)).status in (403, 404)
            assert (await call(op, "DELETE", token)).status in (403, 404)
        assert (await call(op, "DELETE", strangers[3])).status == 403
        mine = await call(op, "GET", await own_token(op))
        assert mine.status == 200
        # The gateway has a token by exchange, which is not the grant that it came of.
        assert (await call(op, "GET", strangers[0])).status == 404
        assert (await call(op, "DELETE", strangers[0])).status == 404
        assert (await introspect(op, tokens["access_token"]))["active"] is True
        for strange in ("", "nothing", "of-ben%2f..", GRANT + "/x", "../token"):
            assert (await call(op, "GET", await own_token(op), strange)).status in (404, 405)


@pytest.mark.spec("Grant Management for OAuth 2.0", "7.1")
async def test_offers_what_is_declared() -> None:
    async with managed() as op:
        told = metadata(main(op), [GrantManagementEndpoint(main(op))])
        assert told["grant_management_endpoint"] == f"{ISSUER}/grants"
        assert told["grant_management_actions_supported"] == ["create", "query", "revoke"]
        assert told["grant_management_action_required"] is False
    async with managed({"actions": ["query"]}) as op:
        await tokens_of(op)
        assert (await call(op, "DELETE", await own_token(op, REVOKE))).status == 405
        assert (await call(op, "GET", await own_token(op))).status == 200
    async with managed({"actions": []}) as op:
        assert "grant_id" not in await tokens_of(op)
        assert (await call(op, "GET", await own_token(op))).status == 404


@pytest.mark.spec("Grant Management for OAuth 2.0", "5.5")
async def test_names_the_grant_with_the_tokens_and_with_each_refresh() -> None:
    async with managed() as op:
        tokens = await tokens_of(op)
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await post(op, "/token", refresh, "shop"))["grant_id"] == GRANT
        # Neither with what a client has for itself, nor with what is of another client's grant.
        own = await post(op, "/token", {"grant_type": "client_credentials"}, "shop")
        exchanged = await exchange(op, tokens["access_token"])
        public = await tokens_of(op, client_id="spa", scope=("openid",))
        assert all("grant_id" not in each for each in (own.body, exchanged.body, public))


@pytest.mark.spec("Grant Management for OAuth 2.0", "5.5")
async def test_makes_a_grant_of_a_request_of_its_own() -> None:
    """From the browser to the end of it, twice, with one session: each request has its own grant."""
    async with managed() as op:
        browser = Browser(op)
        members = {
            "client_id": "shop",
            "response_type": "code",
            "scope": "openid orders.read",
            "redirect_uri": REDIRECT_URI,
            "grant_management_action": "create",
        }
        grants = []
        for _ in range(2):
            page = await browser.visit("/authorize?" + encode(members.items()))
            if b'id="password"' in page.body:
                page = await browser.login(page)
            if page.status == 200:
                page = await browser.submit(page, button="allow")
            redeem = {
                "grant_type": "authorization_code",
                "code": answer(page)["code"],
                "redirect_uri": REDIRECT_URI,
            }
            told = await post(op, "/token", redeem, "shop")
            grants.append(told["grant_id"])
        assert len(set(grants)) == 2
        assert (await call(op, "DELETE", await own_token(op, REVOKE), grants[0])).status == 204
        assert (await call(op, "GET", await own_token(op), grants[0])).status == 404
        seen = await call(op, "GET", await own_token(op), grants[1])
        assert seen["scopes"] == [{"scope": "openid orders.read"}]


@pytest.mark.spec("Grant Management for OAuth 2.0", "5.2")
@pytest.mark.parametrize(
    ("required", "asked", "error"),
    [
        (False, {}, None),
        (False, {"grant_management_action": "create"}, None),
        (True, {"grant_management_action": "create"}, None),
        (True, {}, "invalid_request"),
        (False, {"grant_management_action": "merge", "grant_id": GRANT}, "invalid_request"),
        (False, {"grant_management_action": "replace", "grant_id": GRANT}, "invalid_request"),
        (False, {"grant_management_action": "query"}, "invalid_request"),
        (False, {"grant_management_action": "create", "grant_id": GRANT}, "invalid_request"),
        (False, {"grant_id": GRANT}, "invalid_request"),
    ],
)
async def test_reads_what_a_request_wants_of_grants(required: bool, asked: dict[str, str], error: str | None) -> None:
    async with managed(ALL | {"required": required}) as op:
        members = {
            "client_id": "shop",
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": REDIRECT_URI,
            "prompt": "none",
        }
        response = await Browser(op).visit("/authorize?" + encode((members | asked).items()))
        assert answer(response)["error"] == (error or "login_required")
