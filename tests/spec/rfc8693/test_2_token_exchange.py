"""RFC 8693: token exchange. The provider gives another token only where a policy says so, and never a greater one."""

import json
from typing import Any

import pytest

from appliance.profile.discovery import metadata
from appliance.protocol.authorization import Confirmation, Subject
from appliance.seams import Change
from tests.support.exchanging import (
    ACCESS_TOKEN,
    CLIENTS,
    EXCHANGE,
    GATEWAY,
    ID_TOKEN,
    ISSUER,
    JWT,
    LEVEL,
    PARTNER,
    POLICY,
    REFRESH_TOKEN,
    RESOURCE,
    SHOP,
    access_token,
    assertion,
    claims_of,
    exchange,
    exchanging,
    files,
    introspect,
    log_in,
    main,
    policy,
    post,
    records_of,
    secret_of,
    tokens_of,
    userinfo,
)
from tests.support.provider import START, Provider, provider
from tests.support.proving import KEY, OTHER_KEY, jkt_of, proof

pytestmark = pytest.mark.spec("RFC 8693", "2.1")


async def own_token(op: Provider, client_id: str = "gateway") -> str:
    """A token that a client has for itself."""
    answer = await post(op, "/token", {"grant_type": "client_credentials", "scope": "orders.read"}, client_id)
    return str(answer["access_token"])


async def anna_is_locked(op: Provider) -> None:
    """A reload that takes the user away."""
    path = op.directory / "sources" / "people.yaml"
    content = json.loads(path.read_text())
    content["sources"]["people"]["users"]["anna"]["active"] = False
    path.write_text(json.dumps(content))
    await op.load()


# --- what is given ---------------------------------------------------------------------------------------


@pytest.mark.spec("RFC 8693", "2.2.1")
@pytest.mark.parametrize("requested", [None, ACCESS_TOKEN, JWT])
async def test_exchanges_an_access_token_for_one_that_tells_who_acts(requested: str | None) -> None:
    async with exchanging() as op:
        told = await exchange(op, await access_token(op), requested_token_type=requested)
        assert told.status == 200
        assert told.headers["Cache-Control"] == "no-store"
        token = told.body.pop("access_token")
        assert told.body == {
            "issued_token_type": requested or ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": 600,
            "scope": "orders.read orders.write",
        }
        claims = claims_of(token)
        assert (claims["sub"], claims["client_id"]) == ("anna", "gateway")
        assert claims["act"] == {"sub": "gateway", "client_id": "gateway"}
        assert (claims["acr"], claims["auth_time"]) == (LEVEL, int(START) - 100)
        seen = await introspect(op, token)
        assert seen["active"] is True and seen["act"] == claims["act"]
        assert (seen["sub"], seen["client_id"], seen["scope"]) == ("anna", "gateway", "orders.read orders.write")


@pytest.mark.spec("RFC 8693", "1.1")
async def test_lets_a_client_pass_for_the_user_where_a_policy_says_so() -> None:
    async with exchanging(policy(actor="none")) as op:
        told = await exchange(op, await access_token(op))
        assert "act" not in claims_of(told["access_token"])


@pytest.mark.spec("RFC 8693", "4.1")
@pytest.mark.parametrize("storage", [{"kind": "memory"}, {"kind": "sqlite", "path": "op.db"}], ids=str)
async def test_nests_the_actors_and_bounds_their_number(storage: dict[str, str]) -> None:
    second = policy(clients=["orders"], subject={"clients": ["gateway"]}, max_act_depth=2)
    third = policy(subject={"clients": ["orders"]}, max_act_depth=2)
    async with exchanging(policy(), second, third, root={"storage": storage}) as op:
        first = (await exchange(op, await access_token(op)))["access_token"]
        nested = (await exchange(op, first, client_id="orders"))["access_token"]
        assert (await introspect(op, nested))["act"] == {
            "sub": "orders",
            "client_id": "orders",
            "act": {"sub": "gateway", "client_id": "gateway"},
        }
        assert (await exchange(op, nested)).refusal == (400, "invalid_request")


@pytest.mark.spec("RFC 8693", "4.1")
async def test_does_not_forget_who_acted_before_where_a_client_passes_for_the_user() -> None:
    second = policy(clients=["orders"], subject={"clients": ["gateway"]}, actor="none")
    async with exchanging(policy(), second) as op:
        first = (await exchange(op, await access_token(op)))["access_token"]
        again = (await exchange(op, first, client_id="orders"))["access_token"]
        assert (await introspect(op, again))["act"] == {"sub": "gateway", "client_id": "gateway"}


@pytest.mark.spec("RFC 8693", "2.1")
async def test_names_whoever_the_actor_token_is_of() -> None:
    async with exchanging(policy(actor="token")) as op:
        subject, actor = await access_token(op), await own_token(op)
        told = await exchange(op, subject, actor_token=actor, actor_token_type=ACCESS_TOKEN)
        assert claims_of(told["access_token"])["act"] == {"sub": "gateway", "client_id": "gateway"}
        # Not without one, nor with somebody else's.
        assert (await exchange(op, subject)).refusal == (400, "invalid_request")
        for stranger in (await own_token(op, "shop"), await access_token(op, client_id="orders"), "x", subject[:-1]):
            refused = await exchange(op, subject, actor_token=stranger, actor_token_type=ACCESS_TOKEN)
            assert refused.refusal == (400, "invalid_request")


async def test_names_a_user_who_acts_by_a_token_of_a_declared_client() -> None:
    async with exchanging(policy(actor="token", actor_clients=["shop"])) as op:
        subject = await access_token(op)
        actor = await access_token(op, subject=user_called("ben"), sub="ben", id="of-ben")
        told = await exchange(op, subject, actor_token=actor, actor_token_type=ACCESS_TOKEN)
        claims = claims_of(told["access_token"])
        assert (claims["sub"], claims["act"]) == ("anna", {"sub": "ben"})


def user_called(name: str) -> Any:
    """The subject that a user of the one source is."""
    return Subject("people", name)


async def test_exchanges_an_id_token_while_its_session_lasts() -> None:
    taken = policy(subject={"token_types": ["id_token"]})
    async with exchanging(taken) as op:
        await log_in(op)
        id_token = (await tokens_of(op, sid="session-of-anna"))["id_token"]
        told = await exchange(op, id_token, subject_token_type=ID_TOKEN)
        claims = claims_of(told["access_token"])
        assert (told.status, claims["sub"], claims["acr"]) == (200, "anna", LEVEL)
        # As an access token it is none, and an access token is no ID Token.
        assert (await exchange(op, id_token)).refusal == (400, "invalid_request")
        swapped = await exchange(op, await access_token(op), subject_token_type=ID_TOKEN)
        assert swapped.refusal == (400, "invalid_request")
        await main(op).logout.end([await log_in(op)])
        assert (await exchange(op, id_token, subject_token_type=ID_TOKEN)).refusal == (400, "invalid_request")
        assert (await introspect(op, told["access_token"])) == {"active": False}


async def test_exchanges_a_jwt_of_a_trusted_issuer() -> None:
    taken = policy(subject={"token_types": ["jwt"], "issuers": [PARTNER]}, scope=["orders.read", "orders.write"])
    async with exchanging(taken) as op:
        told = await exchange(op, assertion(op), subject_token_type=JWT)
        assert (told.status, told["scope"], told["expires_in"]) == (200, "orders.read", 300)
        assert claims_of(told["access_token"])["sub"] == "anna"
        for broken in (
            assertion(op, iss="https://stranger.example"),
            assertion(op, aud="https://elsewhere.example"),
            assertion(op, exp=int(START)),
            assertion(op, sub="nobody"),
            assertion(op, typ="at+jwt"),
            assertion(op, events={"http://schemas.openid.net/event/backchannel-logout": {}}),
            assertion(op, act={"sub": "admin"}),
            assertion(op, cnf={"jkt": "x"}),
        ):
            assert (await exchange(op, broken, subject_token_type=JWT)).refusal == (400, "invalid_request")


@pytest.mark.spec("RFC 8693", "4.4")
@pytest.mark.parametrize(
    ("may_act", "status"),
    [
        ({"sub": "gateway"}, 200),
        ({"sub": "gateway", "iss": ISSUER}, 200),
        ({"sub": "admin"}, 400),
        ({"sub": "gateway", "iss": "https://elsewhere.example"}, 400),
        ({"sub": "gateway", "email": "x@example.com"}, 400),
        ({}, 400),
        ("gateway", 400),
    ],
)
async def test_honours_whom_a_subject_token_says_may_act(may_act: object, status: int) -> None:
    for actor in ("client", "none"):
        taken = policy(subject={"token_types": ["jwt"], "issuers": [PARTNER]}, actor=actor)
        async with exchanging(taken) as op:
            told = await exchange(op, assertion(op, may_act=may_act), subject_token_type=JWT)
            assert told.status == status


async def test_exchanges_what_a_client_has_for_itself() -> None:
    async with exchanging() as op:
        told = await exchange(op, await own_token(op, "shop"))
        claims = claims_of(told["access_token"])
        assert (claims["sub"], claims["act"]["sub"]) == ("shop", "gateway")


@pytest.mark.spec("OpenID Connect Core 1.0", "8.1")
async def test_names_the_user_as_the_new_client_knows_him() -> None:
    pairwise: dict[str, Any] = {"subject_types_supported": ["pairwise"], "pairwise": {"salt": {"file": "secrets/salt"}}}
    salted = files(**pairwise) | {"secrets/salt": "0123456789abcdef0123456789abcdef"}
    async with provider("minimal", edit=salted) as op:
        shop = await access_token(op, sub="the-sub-of-shop")
        claims = claims_of((await exchange(op, shop))["access_token"])
        assert claims["sub"] not in ("anna", "the-sub-of-shop")
        assert "anna" not in json.dumps(claims) and "the-sub-of-shop" not in json.dumps(claims)


# --- what is not -----------------------------------------------------------------------------------------


@pytest.mark.attack("TE-01", "CA-44")
async def test_refuses_whatever_no_policy_takes() -> None:
    async with exchanging() as op:
        token = await access_token(op)
        # A client without policy, a token of a client that no policy names, a public client.
        assert (await exchange(op, token, client_id="orders")).refusal == (400, "unauthorized_client")
        foreign = await access_token(op, client_id="backend", scope=("orders.read",))
        assert (await exchange(op, foreign)).refusal == (400, "invalid_request")
        own = (await exchange(op, token))["access_token"]
        assert (await exchange(op, own)).refusal == (400, "invalid_request")
        # Nor a client that has not the grant type.
        assert (await exchange(op, token, client_id="shop")).refusal == (400, "unauthorized_client")


@pytest.mark.attack("TE-01")
@pytest.mark.spec("RFC 8693", "2.2.2")
async def test_refuses_a_subject_token_that_is_not_good_any_more() -> None:
    async with exchanging() as op:
        tokens = await tokens_of(op)
        token = tokens["access_token"]
        assert (await exchange(op, tokens["refresh_token"])).refusal == (400, "invalid_request")
        assert (await exchange(op, tokens["id_token"])).refusal == (400, "invalid_request")
        await post(op, "/revoke", {"token": token}, "shop")
        assert (await exchange(op, token)).refusal == (400, "invalid_request")
        late = await access_token(op)
        op.clock.forward(600)
        assert (await exchange(op, late)).refusal == (400, "invalid_request")
        fresh = await access_token(op)
        await anna_is_locked(op)
        assert (await exchange(op, fresh)).refusal == (400, "invalid_request")


@pytest.mark.attack("TE-01")
@pytest.mark.spec("RFC 8693", "2.2.2")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"audience": "billing"}, "invalid_target"),
        ({"resource": "https://billing.example.com"}, "invalid_target"),
        ({"resource": RESOURCE + "/"}, "invalid_target"),
        ({"audience": "orders", "resource": "https://billing.example.com"}, "invalid_target"),
        ({"scope": "orders.read stock.read"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": 'quo"te'}, "invalid_scope"),
        ({"requested_token_type": REFRESH_TOKEN}, "invalid_request"),
        ({"requested_token_type": ID_TOKEN}, "invalid_request"),
        ({"requested_token_type": "access_token"}, "invalid_request"),
        ({"subject_token_type": REFRESH_TOKEN}, "invalid_request"),
        ({"subject_token_type": JWT}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
    ],
)
async def test_refuses_more_than_the_policy_and_names_the_reason(changes: dict[str, str], error: str) -> None:
    async with exchanging(policy(audience=["orders"], resource=[RESOURCE])) as op:
        token = await access_token(op)
        assert (await exchange(op, token, **changes)).refusal == (400, error)
        assert len(await records_of(op)) == 1


@pytest.mark.attack("TE-02")
@pytest.mark.parametrize("name", ["subject_token", "subject_token_type"])
@pytest.mark.parametrize("value", [None, ""])
async def test_needs_the_subject_token_and_its_type(name: str, value: str | None) -> None:
    async with exchanging() as op:
        asked = {"subject_token": await access_token(op), "subject_token_type": ACCESS_TOKEN}
        refused = await post(op, "/token", {"grant_type": EXCHANGE} | asked | {name: value})
        assert refused.refusal == (400, "invalid_request")


@pytest.mark.attack("TE-02")
async def test_takes_each_parameter_of_the_subject_once() -> None:
    async with exchanging() as op:
        token = await access_token(op)
        pairs = [("grant_type", EXCHANGE), ("subject_token_type", ACCESS_TOKEN), ("subject_token", token)]
        assert (await post(op, "/token", pairs)).status == 200
        for again in (("subject_token", ""), ("subject_token", token), ("subject_token_type", JWT), ("scope", "a")):
            doubled = [*pairs, ("scope", "orders.read"), again]
            assert (await post(op, "/token", doubled)).refusal == (400, "invalid_request")


@pytest.mark.attack("TE-01")
async def test_never_widens_the_scope_of_the_subject_token() -> None:
    async with exchanging() as op:
        token = await access_token(op, scope=("orders.read", "stock.read"))
        assert (await exchange(op, token))["scope"] == "orders.read"
        assert (await exchange(op, token, scope="orders.write")).refusal == (400, "invalid_scope")
    narrow = GATEWAY | {"scope": "orders.write"}
    async with exchanging(clients=(SHOP, narrow, *CLIENTS[2:])) as op:
        assert (await exchange(op, await access_token(op)))["scope"] == "orders.write"


async def test_never_outlives_the_subject_token() -> None:
    async with exchanging() as op:
        token = await access_token(op)
        op.clock.forward(590)
        told = await exchange(op, token)
        assert told["expires_in"] == 10
        assert claims_of(told["access_token"])["exp"] == int(START) + 600
        op.clock.forward(10)
        assert await introspect(op, told["access_token"]) == {"active": False}


async def test_ends_with_what_it_came_of() -> None:
    async with exchanging() as op:
        tokens = await tokens_of(op)
        exchanged = (await exchange(op, tokens["access_token"]))["access_token"]
        await post(op, "/revoke", {"token": tokens["refresh_token"]}, "shop")
        assert await introspect(op, exchanged) == {"active": False}


async def test_ends_when_the_user_takes_his_consent_back() -> None:
    async with exchanging() as op:
        tokens = await tokens_of(op)
        exchanged = (await exchange(op, tokens["access_token"]))["access_token"]
        await main(op).consents.revoke(Subject("people", "anna"), "shop")
        assert await introspect(op, exchanged) == {"active": False}
        assert await introspect(op, tokens["access_token"]) == {"active": False}


@pytest.mark.attack("TE-01", "MX-04")
async def test_takes_no_token_of_another_issuer() -> None:
    settings = files()
    profile = json.loads(settings["profiles/main.yaml"]) | {"profile": "other", "issuer": f"{ISSUER}/other"}
    clients = json.loads(settings["clients/shop.yaml"])["clients"]
    theirs = {f"other-{name}": each | {"op": each["op"] | {"profile": "other"}} for name, each in clients.items()}
    for name, each in theirs.items():
        each["client_secrets"] = [{"id": "1", "file": f"secrets/{name}"}]
        settings[f"secrets/{name}"] = secret_of(name)
    profile["token_exchange"] = {
        "policies": [
            POLICY
            | {"clients": ["other-gateway"]}
            | {"subject": {"clients": ["other-shop"], "token_types": ["access_token", "id_token"]}}
        ]
    }
    profile["trusted_issuers"][PARTNER]["clients"] = ["other-backend"]
    settings["profiles/other.yaml"] = json.dumps(profile)
    settings["clients/other.yaml"] = json.dumps({"clients": theirs})
    async with provider("minimal", edit=settings) as op:
        await log_in(op)
        tokens = await tokens_of(op, sid="session-of-anna")
        for kind, urn in (("access_token", ACCESS_TOKEN), ("id_token", ID_TOKEN)):
            asked = {"grant_type": EXCHANGE, "subject_token": tokens[kind], "subject_token_type": urn}
            refused = await post(op, "/other/token", asked, "other-gateway")
            assert refused.refusal == (400, "invalid_request")
            assert op.report.refusals[-1].description == "subject_token is not valid, has expired or was revoked"


@pytest.mark.spec("RFC 7009", "2.1")
@pytest.mark.attack("IN-05")
async def test_lets_nobody_end_what_his_token_came_of() -> None:
    async with exchanging(policy(refresh_token=True)) as op:
        tokens = await tokens_of(op)
        told = await exchange(op, tokens["access_token"])
        await post(op, "/revoke", {"token": told["refresh_token"]})
        assert await introspect(op, told["access_token"]) == {"active": False}
        assert (await introspect(op, tokens["access_token"]))["active"] is True
    async with exchanging() as op:
        token = await access_token(op)
        told = await exchange(op, token)
        await post(op, "/revoke", {"token": told["access_token"]})
        assert await introspect(op, told["access_token"]) == {"active": False}
        assert (await introspect(op, token))["active"] is True


async def test_issues_nothing_when_the_subject_token_ends_meanwhile() -> None:
    async with exchanging() as op:
        token = await access_token(op)
        store = main(op).store
        commit = store.commit

        async def after_revocation(change: Change) -> bool:
            await store.delete_by((type(change.expect[0]),), "authorization_id", "authorization-of-anna")
            return await commit(change)

        store.commit = after_revocation  # type: ignore[method-assign]
        assert (await exchange(op, token)).refusal == (400, "invalid_request")
        assert await records_of(op) == ()


@pytest.mark.spec("RFC 8693", "2.2.1")
async def test_gives_a_refresh_token_only_where_a_policy_says_so() -> None:
    async with exchanging() as op:
        assert "refresh_token" not in (await exchange(op, await access_token(op))).body
    offline = GATEWAY | {"scope": "openid offline_access orders.read"}
    taken = policy(refresh_token=True, scope=["openid", "offline_access", "orders.read"])
    async with exchanging(taken, clients=(SHOP, offline, *CLIENTS[2:])) as op:
        told = await exchange(op, await access_token(op))
        again = await post(op, "/token", {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]})
        assert again.status == 200
        assert claims_of(again["access_token"])["act"]["sub"] == "gateway"
        # And still no ID Token, whatever the policy says.
        assert "id_token" not in again.body


async def test_gives_no_id_token() -> None:
    clients = (SHOP, GATEWAY | {"scope": "openid orders.read"}, *CLIENTS[2:])
    async with exchanging(policy(scope=["openid"]), clients=clients) as op:
        told = await exchange(op, await access_token(op))
        assert told["scope"] == "openid" and "id_token" not in told.body
        assert (await userinfo(op, told["access_token"]))["sub"] == "anna"


@pytest.mark.spec("RFC 9449", "7")
@pytest.mark.attack("TB-08")
async def test_takes_a_bound_subject_token_with_the_proof_of_its_key() -> None:
    bound = Confirmation(jkt=jkt_of(KEY))
    async with exchanging() as op:
        token = await access_token(op, confirmation=bound)
        asked = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
        assert (await post(op, "/token", asked)).refusal == (400, "invalid_grant")
        stolen = proof(OTHER_KEY, op.clock(), htu=f"{ISSUER}/token")
        assert (await post(op, "/token", asked, dpop=stolen)).refusal == (400, "invalid_grant")
        told = await post(op, "/token", asked, dpop=proof(KEY, op.clock(), htu=f"{ISSUER}/token"))
        assert (told.status, told["token_type"]) == (200, "DPoP")
        assert claims_of(told["access_token"])["cnf"] == {"jkt": jkt_of(KEY)}


@pytest.mark.spec("RFC 9449", "7")
async def test_takes_bound_tokens_without_a_proof_only_where_a_policy_says_so() -> None:
    bound = Confirmation(jkt=jkt_of(KEY))
    async with exchanging(policy(sender_constrained=True)) as op:
        told = await exchange(op, await access_token(op, confirmation=bound))
        assert told.status == 200
        assert "cnf" not in claims_of(told["access_token"])
    for allowed, status in ((False, 400), (True, 200)):
        async with exchanging(policy(actor="token", actor_clients=["shop"], sender_constrained=allowed)) as op:
            actor = await access_token(op, confirmation=bound, id="another")
            told = await exchange(op, await access_token(op), actor_token=actor, actor_token_type=ACCESS_TOKEN)
            assert told.status == status


async def test_asks_that_the_token_came_to_the_audience_of_the_policy() -> None:
    async with exchanging(policy(subject={"audience": ["https://gateway.example.com"]})) as op:
        assert (await exchange(op, await access_token(op))).refusal == (400, "invalid_request")
        received = await access_token(op, resource=("https://gateway.example.com", "https://other.example.com"))
        assert (await exchange(op, received)).status == 200


@pytest.mark.spec("RFC 8693", "2.1")
async def test_issues_for_the_targets_that_were_named_or_all_of_the_policy() -> None:
    async with exchanging(policy(audience=["orders", "stock"], resource=[RESOURCE])) as op:
        token = await access_token(op)
        everywhere = claims_of((await exchange(op, token))["access_token"])
        assert everywhere["aud"] == ["orders", "stock", RESOURCE]
        pairs = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
        named = [*pairs.items(), ("audience", "stock"), ("resource", RESOURCE), ("audience", "stock")]
        told = await post(op, "/token", named)
        assert claims_of(told["access_token"])["aud"] == ["stock", RESOURCE]
        one = (await exchange(op, token, audience="orders"))["access_token"]
        assert claims_of(one)["aud"] in ("orders", ["orders"])
        # It is not for the provider itself.
        assert (await userinfo(op, one)).status in (401, 403)
        for broken in ("https://orders.example.com/api#x", "orders", "/api"):
            assert (await exchange(op, token, resource=broken)).refusal == (400, "invalid_target")


async def test_takes_the_first_policy_that_fits() -> None:
    first = policy(audience=["stock"], scope=["stock.read"])
    second = policy(audience=["orders"], scope=["orders.read"])
    async with exchanging(first, second) as op:
        token = await access_token(op)
        assert (await exchange(op, token, audience="orders"))["scope"] == "orders.read"
        assert (await exchange(op, token, audience="stock"))["scope"] == "stock.read"


@pytest.mark.spec("RFC 8414", "2")
async def test_says_that_it_exchanges_tokens() -> None:
    async with exchanging() as op:
        assert EXCHANGE in metadata(main(op), ())["grant_types_supported"]  # type: ignore[operator]
