"""OpenID Connect Core 5.3, RFC 6750: UserInfo, and who may ask it."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.protocol.handles import stored_id
from appliance.protocol.messages import Request
from appliance.protocol.records import AccessToken
from appliance.seams import Change
from tests.support.minting import CLIENT, NOW, Answer, Mint, answer, mint

pytestmark = pytest.mark.spec("OpenID Connect Core 1.0", "5.3")

FORM = {"content-type": ("application/x-www-form-urlencoded",)}


async def token_of(op: Mint, **changes: Any) -> str:
    return str((await op.redeem(await op.code(**changes)))["access_token"])


async def ask(op: Mint, method: str = "GET", **changes: Any) -> Answer:
    return await answer(op.userinfo, Request(method, "/retail/userinfo", at=NOW, **changes))


async def test_releases_the_claims_of_the_scopes_sub_first() -> None:
    op = await mint()
    seen = await op.look(await token_of(op, scope=("openid", "profile", "email")))
    assert next(iter(seen.body)) == "sub"
    assert seen.body == {
        "sub": "alice-1",
        "name": "Alice Adams",
        "birthdate": "1990-04-02",
        "locale": "fi-FI",
        "updated_at": 1795161600,
        "email": "alice@a.example",
        "email_verified": True,
    }
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.headers["Cache-Control"] == "no-store"


@pytest.mark.spec("RFC 6750", "2.1")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_reads_the_token_from_the_header_of_a_get_or_post(method: str, scheme: str) -> None:
    op = await mint()
    headers = {"authorization": (f"{scheme} {await token_of(op)}",)}
    assert (await ask(op, method, headers=headers)).status == 200


@pytest.mark.spec("RFC 6750", "2.2")
async def test_reads_the_token_from_a_form_body() -> None:
    op = await mint()
    body = f"access_token={await token_of(op)}".encode()
    assert (await ask(op, "POST", headers=FORM, body=body)).status == 200
    json_type = {"content-type": ("application/json",)}
    assert (await ask(op, "POST", headers=json_type, body=body)).status == 401
    assert (await ask(op, "GET", headers=FORM, body=body)).status == 401


@pytest.mark.spec("RFC 9700", "4.3.2")
async def test_refuses_a_token_in_the_query_even_a_good_one() -> None:
    op = await mint()
    token = await token_of(op)
    for headers in ({}, {"authorization": (f"Bearer {token}",)}):
        refused = await ask(op, query=f"access_token={token}", headers=headers)
        assert (refused.status, refused.code) == (400, "invalid_request")
        assert 'error="invalid_request"' in refused.headers["WWW-Authenticate"]


@pytest.mark.spec("RFC 6750", "2")
async def test_refuses_two_tokens() -> None:
    op = await mint()
    token = await token_of(op)
    header = {"authorization": (f"Bearer {token}",)}
    body = f"access_token={token}".encode()
    assert (await ask(op, "POST", headers=FORM | header, body=body)).status == 400
    assert (await ask(op, "POST", headers=FORM, body=body + b"&" + body)).status == 400
    assert (await ask(op, headers={"authorization": (header["authorization"][0],) * 2})).status == 400


@pytest.mark.spec("RFC 6750", "3.1")
async def test_challenges_a_request_without_a_token_and_names_no_error() -> None:
    op = await mint()
    refused = await ask(op)
    assert refused.status == 401
    expected = 'Bearer realm="https://op.example/retail", DPoP algs="ES256 EdDSA PS256"'
    assert refused.headers["WWW-Authenticate"] == expected


@pytest.mark.spec("RFC 6750", "3.1")
@pytest.mark.attack("TB-23")
@pytest.mark.parametrize("header", [
    "Bearer", "Bearer ", "Bearer x", "Bearer op_at_" + "A" * 49, "Bearer " + "a" * 20000, "Bearer é\x00",
    "Basic d2ViOnNob3A=", "DPoP abc", "", "Bearer a.b.c",
])  # fmt: skip
async def test_refuses_what_is_no_access_token(header: str) -> None:
    op = await mint()
    refused = await ask(op, headers={"authorization": (header,)})
    assert (refused.status, refused.code) == (401, "invalid_token")
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


@pytest.mark.attack("TB-23")
async def test_refuses_a_token_without_the_openid_scope() -> None:
    op = await mint()
    refused = await op.look(await token_of(op, scope=("profile",)))
    assert (refused.status, refused.code) == (403, "insufficient_scope")
    assert 'scope="openid"' in refused.headers["WWW-Authenticate"]


async def test_refuses_an_expired_token() -> None:
    op = await mint()
    token = await token_of(op)
    op.forward(599)
    assert (await op.look(token)).status == 200
    op.forward(1)
    assert (await op.look(token)).status == 401


async def test_refuses_at_once_when_the_user_or_the_client_is_disabled() -> None:
    op = await mint()
    token = await token_of(op)
    op.users.users["alice"] = replace(op.users.users["alice"], active=False)
    assert (await op.look(token)).code == "invalid_token"
    gone = await mint(clients=(replace(CLIENT, op=replace(CLIENT.op, status="disabled")),))
    front = await gone.front({"token"})
    assert (await gone.look(front["access_token"])).code == "invalid_token"


@pytest.mark.attack("RF-06")
async def test_tells_what_the_source_holds_now() -> None:
    op = await mint()
    token = await token_of(op)
    alice = op.users.users["alice"]
    op.users.users["alice"] = replace(alice, attributes={**alice.attributes, "name": {"first": "Alicia"}})
    assert (await op.look(token))["name"] == "Alicia"


@pytest.mark.attack("CD-07")
async def test_refuses_a_token_of_another_issuer_that_shares_the_store() -> None:
    op = await mint()
    token = await token_of(op)
    record = await op.store.get(AccessToken, stored_id(token))
    assert record is not None
    await op.store.commit(Change(put=(replace(record, issuer="https://op.example/workforce"),)))
    assert (await op.look(token)).status == 401


@pytest.mark.spec("RFC 7517", "5")
async def test_publishes_its_keys_and_answers_not_modified() -> None:
    op = await mint()
    response = await op.jwks.handle(Request("GET", "/retail/jwks"))
    assert response.body == op.profile.keys.jwks
    assert b'"d"' not in response.body
    etag = dict(response.headers)["ETag"]
    again = await op.jwks.handle(Request("GET", "/retail/jwks", headers={"if-none-match": (etag,)}))
    assert (again.status, again.body) == (304, b"")
    await op.profile.keys.rotate_now()
    fresh = await op.jwks.handle(Request("GET", "/retail/jwks", headers={"if-none-match": (etag,)}))
    assert fresh.status == 200
    assert op.jwks.metadata() == {"jwks_uri": "https://op.example/retail/jwks"}
