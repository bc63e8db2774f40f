"""RFC 7523 2.1: the provider takes a trusted issuer's word for a user, once."""

import asyncio
import json
from typing import Any

import pytest

from appliance.jose.keys import generate, public_jwk, symmetric
from appliance.jose.tokens import sign
from appliance.protocol.records import RefreshToken
from tests.outbound.servers import plain, serving
from tests.support.exchanging import (
    CLIENTS,
    ISSUER,
    JWT_BEARER,
    PARTNER,
    PARTNER_KEY,
    SHOP,
    TRUST,
    Told,
    assertion,
    claims_of,
    exchanging,
    introspect,
    main,
    post,
)
from tests.support.provider import START, Provider

pytestmark = pytest.mark.spec("RFC 7523", "2.1")


async def bring(op: Provider, text: str | None, client_id: str = "backend", **changes: Any) -> Told:
    """A client brings an assertion."""
    return await post(op, "/token", {"grant_type": JWT_BEARER, "assertion": text} | changes, client_id)


async def test_takes_the_word_of_a_trusted_issuer_for_a_user() -> None:
    async with exchanging() as op:
        told = await bring(op, assertion(op), scope="orders.read")
        assert told.status == 200
        token = told.body.pop("access_token")
        assert told.body == {"token_type": "Bearer", "expires_in": 600, "scope": "orders.read"}
        claims = claims_of(token)
        assert (claims["sub"], claims["client_id"]) == ("anna", "backend")
        # What he proved elsewhere is not known here.
        assert {"acr", "amr", "auth_time", "sid", "act"}.isdisjoint(claims)
        assert (await introspect(op, token))["active"] is True
        assert await main(op).store.find(RefreshToken, "authorization_id", "") == ()


async def test_gives_the_scope_of_the_issuer_and_the_client_and_no_more() -> None:
    async with exchanging() as op:
        assert (await bring(op, assertion(op)))["scope"] == "orders.read stock.read"
        for scope in ("orders.write", "orders.read orders.write", "openid", "nothing", 'quo"te'):
            refused = await bring(op, assertion(op, jti=scope), scope=scope)
            assert refused.refusal == (400, "invalid_scope")
        # A refusal of the scope does not use the assertion up.
        assert (await bring(op, assertion(op, jti="openid"))).status == 200


async def test_gives_neither_id_token_nor_refresh_token() -> None:
    backend = CLIENTS[3] | {
        "scope": "openid offline_access orders.read",
        "grant_types": [*CLIENTS[3]["grant_types"], "refresh_token"],
    }
    trust = TRUST | {"scope": ["openid", "offline_access", "orders.read"]}
    async with exchanging(clients=(*CLIENTS[:3], backend), trust=trust) as op:
        told = await bring(op, assertion(op))
        assert told["scope"] == "openid orders.read"
        assert {"id_token", "refresh_token"}.isdisjoint(told.body)


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.attack("TE-03")
async def test_takes_each_assertion_once() -> None:
    async with exchanging() as op:
        first = assertion(op)
        answers = await asyncio.gather(*(bring(op, first) for _ in range(4)))
        assert sorted(each.status for each in answers) == [200, 400, 400, 400]
        assert {each["error"] for each in answers if each.status == 400} == {"invalid_grant"}
        # Signed anew it is still the same one.
        assert (await bring(op, assertion(op))).refusal == (400, "invalid_grant")
        assert (await bring(op, assertion(op, jti="assertion-2"))).status == 200


STRANGER = generate("ES256", kid="partner-1")


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.attack("TE-03")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://stranger.example"},
        {"iss": PARTNER + "/"},
        {"iss": None},
        {"iss": ["https://idp.partner.example"]},
        {"sub": None},
        {"sub": "nobody"},
        {"sub": ""},
        {"aud": "https://elsewhere.example"},
        {"aud": ISSUER + "/"},
        {"aud": [ISSUER, "https://elsewhere.example"]},
        {"aud": ISSUER + "/token"},
        {"aud": None},
        {"exp": None},
        {"exp": int(START)},
        {"exp": int(START) + 3600},
        {"exp": str(int(START) + 60)},
        {"nbf": int(START) + 120},
        {"iat": int(START) + 120},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 257},
        {"key": STRANGER},
        {"key": symmetric(json.dumps(public_jwk(PARTNER_KEY)).encode(), "HS256")},
        {"key": generate("RS256", kid="partner-1")},
        {"typ": "at+jwt"},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"events": {}},
        {"cnf": {"jkt": "x"}},
    ],
    ids=str,
)
async def test_refuses_an_assertion_that_is_not_exactly_right(changes: dict[str, Any]) -> None:
    async with exchanging() as op:
        assert (await bring(op, assertion(op, **changes))).refusal == (400, "invalid_grant")
        # It was refused for what is wrong with it alone.
        assert (await bring(op, assertion(op))).status == 200


@pytest.mark.attack("TE-03")
async def test_refuses_what_nobody_signed() -> None:
    async with exchanging() as op:
        head, body, _ = assertion(op).split(".")
        for broken in (f"{head}.{body}.", f"{head}.{body}", "x", "a.b.c", "x" * 9000):
            assert (await bring(op, broken)).refusal == (400, "invalid_grant")
        for missing in (None, ""):
            assert (await bring(op, missing)).refusal == (400, "invalid_request")


@pytest.mark.attack("TE-03")
async def test_refuses_what_was_signed_here() -> None:
    """No token of ours is somebody else's word, whatever it says."""
    async with exchanging() as op:
        own = main(op).keys.signing(None)
        forged = sign(own, {"iss": ISSUER, "sub": "anna", "aud": ISSUER, "exp": int(START) + 60, "jti": "1"}, "JWT")
        assert (await bring(op, forged)).refusal == (400, "invalid_grant")
        told = await bring(op, assertion(op))
        assert (await bring(op, told["access_token"])).refusal == (400, "invalid_grant")


@pytest.mark.attack("TE-03")
async def test_refuses_clients_for_whom_the_issuer_is_not_declared() -> None:
    async with exchanging() as op:
        for client_id in ("shop", "gateway"):
            assert (await bring(op, assertion(op), client_id)).refusal == (400, "unauthorized_client")
    other = CLIENTS[1] | {"grant_types": [JWT_BEARER]}
    async with exchanging(
        {"clients": ["orders"], "subject": {"clients": ["shop"]}}, clients=(SHOP, other, *CLIENTS[2:])
    ) as op:
        assert (await bring(op, assertion(op), "gateway")).refusal == (400, "invalid_grant")


@pytest.mark.attack("TE-03")
async def test_refuses_a_user_who_is_not_active_and_ends_what_he_has() -> None:
    async with exchanging() as op:
        told = await bring(op, assertion(op))
        people = op.directory / "sources" / "people.yaml"
        content = json.loads(people.read_text())
        content["sources"]["people"]["users"]["anna"]["active"] = False
        people.write_text(json.dumps(content))
        await op.load()
        assert (await bring(op, assertion(op, jti="assertion-2"))).refusal == (400, "invalid_grant")
        assert await introspect(op, told["access_token"]) == {"active": False}


@pytest.mark.attack("TE-03")
async def test_refuses_an_issuer_from_the_moment_that_it_is_taken_away() -> None:
    async with exchanging() as op:
        profile = op.directory / "profiles" / "main.yaml"
        content = json.loads(profile.read_text())
        content["trusted_issuers"]["https://another.example"] = content["trusted_issuers"].pop(PARTNER)
        profile.write_text(json.dumps(content))
        assert (await bring(op, assertion(op))).status == 200
        await op.load()
        assert (await bring(op, assertion(op, jti="assertion-2"))).refusal == (400, "invalid_grant")


async def test_takes_its_token_endpoint_as_audience_where_declared() -> None:
    async with exchanging(trust=TRUST | {"audience": "issuer_or_token_endpoint"}) as op:
        assert (await bring(op, assertion(op, aud=ISSUER + "/token"))).status == 200
        assert (await bring(op, assertion(op, aud=[ISSUER], jti="2"))).status == 200
        both = assertion(op, aud=[ISSUER, ISSUER + "/token"], jti="3")
        assert (await bring(op, both)).refusal == (400, "invalid_grant")


async def test_finds_the_user_by_the_declared_claim() -> None:
    async with exchanging(trust=TRUST | {"claim": "preferred_username", "names": "login"}) as op:
        told = await bring(op, assertion(op, sub="0815", preferred_username="ANNA"))
        assert claims_of(told["access_token"])["sub"] == "anna"
        assert (await bring(op, assertion(op, jti="2"))).refusal == (400, "invalid_grant")


ASKING = {"outbound": {"allow_loopback": True, "timeout": 2}}


def published(uri: str) -> dict[str, Any]:
    """A trusted issuer that publishes its keys."""
    return {name: value for name, value in TRUST.items() if name != "jwks"} | {"jwks_uri": uri}


@pytest.mark.spec("RFC 7523", "3")
async def test_reads_the_keys_where_the_issuer_publishes_them() -> None:
    keys = json.dumps({"keys": [public_jwk(PARTNER_KEY)]}).encode()
    async with serving(plain(keys)) as served, exchanging(trust=published(served.url("/jwks")), root=ASKING) as op:
        # No keys are asked for, for what could never verify.
        for hopeless in (assertion(op, iss="https://stranger.example"), assertion(op, key=generate("RS256"))):
            assert (await bring(op, hopeless)).refusal == (400, "invalid_grant")
        assert served.asked == []
        assert (await bring(op, assertion(op))).status == 200
        assert (await bring(op, assertion(op, key=STRANGER, jti="2"))).refusal == (400, "invalid_grant")
        # A key that is not known is looked for once in a while, not each time.
        for number in range(5):
            unknown = assertion(op, key=generate("ES256", kid=f"new-{number}"), jti=f"new-{number}")
            assert (await bring(op, unknown)).refusal == (400, "invalid_grant")
        assert len(served.asked) == 1
        op.clock.forward(61)
        assert (await bring(op, assertion(op, key=generate("ES256", kid="new"), jti="9"))).status == 400
        assert len(served.asked) == 2


async def test_says_later_while_the_keys_of_the_issuer_cannot_be_had() -> None:
    async with exchanging(trust=published("http://127.0.0.1:1/jwks"), root=ASKING) as op:
        assert (await bring(op, assertion(op))).refusal == (503, "temporarily_unavailable")
