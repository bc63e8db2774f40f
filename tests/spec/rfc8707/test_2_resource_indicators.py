"""RFC 8707: tokens for the resource servers that a client names, and for no others."""

import asyncio
import json
from typing import Any

import pytest

from appliance.jose.tokens import decode_strict
from appliance.protocol.records import AccessToken
from tests.support.browser import answer
from tests.support.objects import ISSUER, signed
from tests.support.provider import Provider
from tests.support.pushing import ASKED, Shop, pushing_provider
from tests.support.relying import claims_of

REPORTS = "https://reports.example.com"
BILLING = "https://api.example.com/billing?v=2"
OPAQUE = "urn:example:opaque"
PROFILE: dict[str, Any] = {
    "scopes": {
        "openid": {},
        "email": {"claims": ["email"]},
        "offline_access": {},
        "reports.read": {"description": {"en": "Read reports"}},
        "reports.write": {"description": {"en": "Write reports"}},
        "billing": {"description": {"en": "See bills"}},
        "other": {"description": {"en": "Something else"}},
        "mail": {"description": {"en": "Read mail"}},
    },
    "resources": {
        REPORTS: {
            "scopes": ["reports.read", "reports.write"],
            "title": {"en": "The reports"},
            "access_token_format": "jwt",
            "access_token_signing_alg": "ES256",
            "access_token_ttl": "2m",
            "claims": ["email"],
        },
        BILLING: {
            "scopes": ["billing"],
            "audience": "billing",
            "access_token_format": "jwt",
            "access_token_signing_alg": "ES256",
        },
        OPAQUE: {"scopes": ["mail"]},
    },
    "keys": {"signing": [{"alg": "RS256"}, {"alg": "ES256"}]},
    "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
    "ttl": {"access_token": "10m"},
}
CLIENT: dict[str, Any] = {
    "scope": "openid email offline_access reports.read reports.write billing other mail",
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
}
#: The code challenge as claims of a request object.
CHALLENGED = {name: ASKED[name] for name in ("code_challenge", "code_challenge_method")}
OP: dict[str, Any] = {"profile": "main", "consent": "skip_first_party", "refresh_token": "always"}


def resourceful(profile: dict[str, Any] | None = None, **client: Any) -> Any:
    """A provider with resources and a client that may have all of them."""
    op = OP | client.pop("op", {})
    return pushing_provider(profile=PROFILE | (profile or {}), **(CLIENT | {"op": op} | client))


async def with_resource_servers(op: Provider) -> dict[str, Shop]:
    """Resource servers that introspect, by client id."""
    found = {}
    for name in ("reports-api", "mail-api", "nobody-api", "all-api"):
        client = {
            "client_id": name,
            "response_types": [],
            "grant_types": ["client_credentials"],
            "scope": "other",
            "client_secrets": [{"id": "1", "file": f"secrets/{name}"}],
            "op": {"profile": "main", "introspection": "all" if name == "all-api" else "own"},
        }
        (op.directory / "secrets" / name).write_text(f"{name}-0123456789abcdef0123456789abcdef")
        (op.directory / "clients" / f"{name}.yaml").write_text(json.dumps(client))
        found[name] = Shop(op, client_id=name)
        found[name].secret = f"{name}-0123456789abcdef0123456789abcdef"
    path = op.directory / "profiles" / "main.yaml"
    settings = json.loads(path.read_text())
    settings["resources"][REPORTS]["introspection_clients"] = ["reports-api"]
    settings["resources"][OPAQUE]["introspection_clients"] = ["mail-api"]
    path.write_text(json.dumps(settings))
    await op.load()
    return found


@pytest.mark.spec("RFC 8707", "2")
async def test_issues_a_token_for_the_resource_alone() -> None:
    async with resourceful() as op:
        shop = Shop(op)
        tokens = await shop.tokens(resource=REPORTS, scope="openid email reports.read billing other")
        assert tokens.status == 200 and tokens["expires_in"] == 120
        # What belongs to another resource is left out, what is about the user is not for a resource server.
        assert tokens["scope"] == "reports.read"
        assert "id_token" in tokens.body
        told = claims_of(tokens["access_token"])
        assert told["aud"] == REPORTS and told["scope"] == "reports.read" and told["email"] == "anna@example.com"
        assert told["exp"] - told["iat"] == 120


@pytest.mark.spec("RFC 9068", "3")
async def test_signs_and_names_it_as_its_resource_asks() -> None:
    async with resourceful() as op:
        shop = Shop(op)
        token = (await shop.tokens(resource=BILLING, scope="openid billing"))["access_token"]
        assert claims_of(token)["aud"] == "billing"
        head = decode_strict(token).header
        assert head["alg"] == "ES256" and head["typ"] == "at+jwt"
        plain = await shop.tokens(scope="openid email other")
        assert "." not in plain["access_token"] and plain["scope"] == "openid email other"
        opaque = (await shop.tokens(resource=OPAQUE, scope="openid mail"))["access_token"]
        assert "." not in opaque


@pytest.mark.spec("RFC 8707", "2")
@pytest.mark.parametrize(
    "resource",
    [
        "https://unknown.example",
        REPORTS + "/",
        REPORTS + "#f",
        REPORTS.upper(),
        "reports",
        "//reports.example.com",
        f"{REPORTS} {BILLING}",
        f" {REPORTS}",
        [REPORTS, "https://unknown.example"],
        "x" * 600,
        [f"https://{n}.example" for n in range(30)],
    ],
)
async def test_refuses_resources_that_it_does_not_know(resource: Any) -> None:
    async with resourceful() as op:
        shop = Shop(op)
        refused = answer(await shop.ask(resource=resource))
        assert (refused["error"], refused["state"]) == ("invalid_target", "pushed")
        assert (await shop.push(resource=resource)).error == "invalid_target"
        machine = await shop.post("/token", {"grant_type": "client_credentials", "resource": resource})
        assert (machine.status, machine.error) == (400, "invalid_target")


@pytest.mark.spec("RFC 8707", "2.1")
async def test_takes_several_resources_and_lets_each_have_a_token() -> None:
    async with resourceful() as op:
        shop = Shop(op)
        asked = {"resource": [REPORTS, BILLING], "scope": "openid reports.read billing offline_access"}
        tokens = await shop.tokens(**asked)
        told = claims_of(tokens["access_token"])
        assert told["aud"] == [REPORTS, "billing"] and told["scope"] == "reports.read billing"
        # A claim that only one of them may read is in no token for both.
        assert "email" not in told
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        for resource, audience, scope in ((BILLING, "billing", "billing"), (REPORTS, REPORTS, "reports.read")):
            again = await shop.post("/token", refresh | {"resource": resource})
            assert (claims_of(again["access_token"])["aud"], again["scope"]) == (audience, scope)
            refresh["refresh_token"] = again["refresh_token"]
        pushed = (await shop.push(**asked))["request_uri"]
        landed = await shop.log_in(await shop.visit(pushed))
        one = await shop.redeem(landed["code"], resource=BILLING)
        assert claims_of(one["access_token"])["aud"] == "billing"
        both = signed(resource=[REPORTS, BILLING], scope="openid billing", **CHALLENGED)
        landed = await shop.log_in(await shop.ask(request=both, state=None))
        assert claims_of((await shop.redeem(landed["code"]))["access_token"])["aud"] == [REPORTS, "billing"]


@pytest.mark.spec("RFC 8707", "2.2")
@pytest.mark.attack("RF-04")
async def test_gives_less_and_never_more_at_the_token_endpoint() -> None:
    async with resourceful() as op:
        shop = Shop(op)
        landed = await shop.log_in(await shop.ask(resource=REPORTS, scope="openid reports.read"))
        for wrong in (BILLING, "https://unknown.example", [REPORTS, BILLING], "x"):
            refused = await shop.redeem(landed["code"], resource=wrong)
            assert (refused.status, refused.error) == (400, "invalid_target")
        tokens = await shop.redeem(landed["code"], resource=REPORTS)
        assert tokens.status == 200
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        for wrong in (BILLING, "https://unknown.example"):
            assert (await shop.post("/token", refresh | {"resource": wrong})).error == "invalid_target"
        assert (await shop.post("/token", refresh | {"scope": "billing"})).error == "invalid_scope"
        # Neither consumed the token.
        again = await shop.post("/token", refresh)
        assert claims_of(again["access_token"])["aud"] == REPORTS
        none = await shop.tokens(scope="openid email")
        refresh = {"grant_type": "refresh_token", "refresh_token": none["refresh_token"], "resource": REPORTS}
        assert (await shop.post("/token", refresh)).error == "invalid_target"


@pytest.mark.spec("RFC 8707", "2.2")
async def test_keeps_the_narrower_token_in_a_race_for_the_refresh_token() -> None:
    async with resourceful() as op:
        shop = Shop(op)
        tokens = await shop.tokens(resource=[REPORTS, BILLING], scope="openid reports.read billing")
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "resource": BILLING}
        for each in await asyncio.gather(*(shop.post("/token", refresh) for _ in range(5))):
            assert claims_of(each["access_token"])["aud"] == "billing"


@pytest.mark.spec("RFC 9068", "4")
async def test_lets_no_resource_server_go_on_to_userinfo() -> None:
    async with resourceful() as op:
        shop = Shop(op)
        tokens = await shop.tokens(resource=REPORTS, scope="openid email reports.read")
        assert await userinfo(shop, tokens["access_token"]) == 401
        # The client itself may have a token for that as well.
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "resource": ISSUER}
        own = await shop.post("/token", refresh)
        assert own["scope"] == "openid email"
        assert await userinfo(shop, own["access_token"]) == 200
        asked = await shop.tokens(resource=ISSUER, scope="openid email reports.read")
        assert asked["scope"] == "openid email" and await userinfo(shop, asked["access_token"]) == 200
        assert await userinfo(shop, (await shop.tokens(scope="openid"))["access_token"]) == 200


async def userinfo(shop: Shop, token: str) -> int:
    """The status of a UserInfo request."""
    response = await shop.browser.request("GET", "/userinfo", headers={"Authorization": f"Bearer {token}"})
    return response.status


@pytest.mark.spec("RFC 7662", "4")
@pytest.mark.attack("IN-01")
async def test_tells_a_resource_server_of_its_own_tokens_only() -> None:
    async with resourceful() as op:
        servers = await with_resource_servers(op)
        shop = Shop(op)

        async def told(name: str, token: str) -> dict[str, Any]:
            return (await servers[name].post("/introspect", {"token": token})).body

        tokens = await shop.tokens(resource=REPORTS, scope="openid reports.read")
        for name, active in (("reports-api", True), ("mail-api", False), ("nobody-api", False), ("all-api", True)):
            found = await told(name, tokens["access_token"])
            assert found["active"] is active
            if active:
                assert (found["aud"], found["scope"]) == (REPORTS, "reports.read")
        refresh = tokens["refresh_token"]
        assert await told("reports-api", refresh) == {"active": False}
        plain = (await shop.tokens(scope="openid email"))["access_token"]
        assert await told("reports-api", plain) == {"active": False}
        assert (await told("all-api", plain))["aud"] == ISSUER
        # Of a token for many, each is told what is for itself.
        both = (await shop.tokens(resource=[REPORTS, BILLING], scope="reports.read billing"))["access_token"]
        assert claims_of(both)["aud"] == [REPORTS, "billing"]
        found = await told("reports-api", both)
        assert (found["aud"], found["scope"]) == (REPORTS, "reports.read")
        assert (await told("all-api", both))["aud"] == [REPORTS, "billing"]
        assert (await shop.post("/introspect", {"token": both}))["scope"] == "reports.read billing"


@pytest.mark.spec("RFC 8707", "2.2")
async def test_gives_a_client_for_itself_what_it_asks_for() -> None:
    async with resourceful() as op:
        shop = Shop(op)
        token = await shop.post("/token", {"grant_type": "client_credentials", "resource": BILLING})
        assert token["scope"] == "billing"
        told = claims_of(token["access_token"])
        assert (told["aud"], told["sub"], told["scope"]) == ("billing", "shop", "billing")
        everything = await shop.post("/token", {"grant_type": "client_credentials"})
        assert set(everything["scope"].split()) == {"reports.read", "reports.write", "billing", "other", "mail"}
        mixed = await shop.post("/token", {"grant_type": "client_credentials", "resource": [BILLING, OPAQUE]})
        assert mixed.error == "invalid_target"


@pytest.mark.spec("RFC 8707", "3")
async def test_gives_nobody_a_token_for_a_resource_that_is_not_his() -> None:
    async with resourceful(scope="openid email") as op:
        # Without any scope of it the client has nothing to do there.
        assert answer(await Shop(op).ask(resource=REPORTS))["error"] == "invalid_target"
    async with resourceful(op={"resources": [BILLING]}) as op:
        shop = Shop(op)
        assert answer(await shop.ask(resource=REPORTS))["error"] == "invalid_target"
        assert claims_of((await shop.tokens(resource=BILLING, scope="billing"))["access_token"])["aud"] == "billing"
    async with resourceful({"unknown_scopes": "reject"}) as op:
        refused = answer(await Shop(op).ask(resource=REPORTS, scope="openid billing"))
        assert refused["error"] == "invalid_scope"
        form = {"grant_type": "client_credentials", "resource": REPORTS, "scope": "billing"}
        assert (await Shop(op).post("/token", form)).error == "invalid_scope"


@pytest.mark.spec("RFC 9068", "3")
async def test_has_a_default_resource_for_clients_that_name_none() -> None:
    async with resourceful(op={"default_resource": REPORTS}) as op:
        shop = Shop(op)
        told = claims_of((await shop.tokens(scope="openid reports.read"))["access_token"])
        assert told["aud"] == REPORTS
        machine = await shop.post("/token", {"grant_type": "client_credentials", "scope": "reports.write"})
        assert claims_of(machine["access_token"])["aud"] == REPORTS
        other = await shop.tokens(scope="openid billing", resource=BILLING)
        assert claims_of(other["access_token"])["aud"] == "billing"


@pytest.mark.spec("RFC 8707", "3")
async def test_tells_the_user_where_the_client_will_use_it() -> None:
    async with resourceful(op={"consent": "ask"}) as op:
        shop = Shop(op)
        page = await shop.browser.login(await shop.ask(resource=[REPORTS, BILLING], scope="openid reports.read"))
        body = page.body.decode()
        assert "The reports" in body and BILLING.replace("&", "&amp;") in body
        assert "code" in await shop.log_in(page)
        # The same again was allowed; another resource was not.
        assert "code" in answer(await shop.ask(resource=REPORTS, scope="openid reports.read", prompt="none"))
        refused = answer(await shop.ask(resource=[REPORTS, OPAQUE], scope="openid", prompt="none"))
        assert refused["error"] == "consent_required"


@pytest.mark.spec("RFC 8707", "2.2")
async def test_issues_nothing_any_more_for_a_resource_that_was_taken_away() -> None:
    async with resourceful() as op:
        shop = Shop(op)
        tokens = await shop.tokens(resource=[REPORTS, BILLING], scope="openid reports.read billing")
        path = op.directory / "profiles" / "main.yaml"
        settings = json.loads(path.read_text())
        del settings["resources"][BILLING]
        path.write_text(json.dumps(settings))
        await op.load()
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await shop.post("/token", refresh | {"resource": BILLING})).error == "invalid_target"
        less = await shop.post("/token", refresh)
        assert claims_of(less["access_token"])["aud"] == REPORTS
        del settings["resources"][REPORTS]
        path.write_text(json.dumps(settings))
        await op.load()
        refresh["refresh_token"] = less["refresh_token"]
        assert (await shop.post("/token", refresh)).error == "invalid_target"


@pytest.mark.spec("RFC 8707", "2")
async def test_ends_the_token_with_the_session_unless_access_was_to_outlast_it() -> None:
    async with resourceful(op={"refresh_token": "offline_access"}) as op:
        shop = Shop(op)
        for scope, lasts in (("openid reports.read", False), ("openid reports.read offline_access", True)):
            tokens = await shop.tokens(resource=REPORTS, scope=scope, prompt="consent")
            # As a logout does.
            sid = claims_of(tokens["id_token"])["sid"]
            await op.snapshot.shared.store.delete_by((AccessToken,), "session", "\x1f".join((ISSUER, sid)))
            told = await shop.post("/introspect", {"token": tokens["access_token"]})
            assert told["active"] is lasts
            shop = Shop(op)
