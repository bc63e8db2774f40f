"""Curity: OpenID Connect switched per profile, claims by allowed scopes, pairwise subjects and their sectors."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from appliance.config.problems import ConfigRejected
from appliance.parts.subject_types.pairwise import Pairwise
from tests.support.browser import Browser, header
from tests.support.provider import Provider, provider
from tests.support.relying import Answer, RelyingParty, claims_of, secret_of

URIS = {
    "plain": "https://plain.example/cb",
    "alpha": "https://www.alpha.example/cb",
    "beta": "https://beta.example/cb",
    "zort-shop": "https://shop.zort.example/cb",
    "zort-bank": "https://bank.example/cb",
}


@pytest.fixture
async def op() -> AsyncIterator[Provider]:
    """The provider that stands in."""
    async with provider("curity") as made:
        yield made


def client(op: Provider, client_id: str) -> RelyingParty:
    return RelyingParty(op, client_id, URIS[client_id], path="/login", browser=Browser(op))


async def sub_at(op: Provider, client_id: str, user: str = "teddie") -> str:
    claims = claims_of((await client(op, client_id).tokens(user))["id_token"])
    sub: str = claims["sub"]
    return sub


async def register(op: Provider, /, **metadata: Any) -> Answer:
    headers = {
        "content-type": ("application/json",),
        "authorization": (f"Bearer {secret_of(op, 'initial-access-token')}",),
    }
    rp = RelyingParty(op, "", path="/login")
    return await rp.send("POST", "/register", headers, json.dumps(metadata).encode())


@pytest.mark.seed("C1", "C2")
async def test_the_provider_is_oauth_alone_where_openid_connect_is_off(op: Provider) -> None:
    rp = RelyingParty(op, "records", "https://records.example/cb", path="/api")
    refused = await rp.ask(scope="openid read")
    assert "error=invalid_scope" in (header(refused, "Location") or "")
    given = await rp.tokens("teddie", scope="read")
    assert given["scope"] == "read" and "id_token" not in given.body
    assert (await rp.userinfo(given["access_token"])).status == 404
    assert (await rp.send("GET", "/.well-known/openid-configuration")).status == 404
    outer = RelyingParty(op, "records")
    told = await outer.send("GET", "/.well-known/oauth-authorization-server/api")
    assert told["issuer"] == "http://localhost:8080/api" and told["scopes_supported"] == ["read", "write"]
    openid = [name for name in told.body if name.startswith(("userinfo", "id_token", "subject_types", "claim"))]
    assert openid == []
    assert (await rp.token(grant_type="client_credentials", scope="openid write"))["scope"] == "write"


@pytest.mark.seed("C3", "C4", "C6", "C9")
async def test_the_provider_has_id_tokens_userinfo_and_metadata_where_it_is_on(op: Provider) -> None:
    rp = client(op, "plain")
    given = await rp.tokens("teddie")
    claims = claims_of(given["id_token"])
    assert claims["exp"] - claims["iat"] == 180
    assert (await rp.userinfo(given["access_token"])).body == {"sub": "teddie"}
    told = await rp.send("GET", "/.well-known/openid-configuration")
    assert told["claims_parameter_supported"] is True


@pytest.mark.seed("C5")
async def test_the_provider_publishes_no_metadata_where_that_is_off(op: Provider) -> None:
    quiet = RelyingParty(op, "quiet-app", "https://quiet.example/cb", path="/quiet")
    assert (await quiet.send("GET", "/.well-known/openid-configuration")).status == 404
    assert "id_token" in (await quiet.tokens("teddie")).body


@pytest.mark.seed("C7", "C8", "C10", "C11", "C12", "C13")
async def test_the_provider_gives_single_claims_where_they_are_asked_for(op: Provider) -> None:
    rp = client(op, "plain")
    asked = {"id_token": {"nickname": None}, "userinfo": {"picture": {"essential": True}}}
    given = await rp.tokens("teddie", claims=json.dumps(asked))
    claims = claims_of(given["id_token"])
    assert claims["nickname"] == "ted" and "picture" not in claims
    told = (await rp.userinfo(given["access_token"])).body
    assert told == {"sub": "teddie", "picture": "https://bear.example/ted.png"}


@pytest.mark.seed("C8", "C12", "C14")
@pytest.mark.parametrize("claims", ['{"userinfo": {"picture": null}}', "{", '{"userinfo": []}'])
async def test_the_provider_refuses_a_claim_outside_of_the_allowed_scopes(op: Provider, claims: str) -> None:
    refused = await client(op, "alpha").ask(claims=claims)
    assert "error=invalid_request" in (header(refused, "Location") or "")


@pytest.mark.seed("C15")
async def test_the_provider_logs_in_at_the_acr_that_the_claims_parameter_names(op: Provider) -> None:
    rp = client(op, "plain")
    asked = {"id_token": {"acr": {"essential": True, "value": "urn:curity:acr:form-and-code"}}}
    given = await rp.tokens("teddie", claims=json.dumps(asked))
    assert rp.seen == ["login", "otp", "consent"]
    assert claims_of(given["id_token"])["acr"] == "urn:curity:acr:form-and-code"


@pytest.mark.seed("C16", "C17", "C24", "C26")
async def test_the_provider_makes_one_subject_for_each_sector(op: Provider) -> None:
    subs = {name: await sub_at(op, name) for name in URIS}
    assert subs["plain"] == "teddie"
    assert subs["zort-shop"] == subs["zort-bank"]
    assert len({subs["plain"], subs["alpha"], subs["beta"], subs["zort-shop"]}) == 4
    assert await sub_at(op, "alpha") == subs["alpha"] != await sub_at(op, "alpha", "lena")


@pytest.mark.seed("C18", "C19", "C21", "C22")
@pytest.mark.parametrize(("client_id", "sector"), [("alpha", "www.alpha.example"), ("zort-shop", "Sector Zort")])
async def test_the_provider_computes_it_from_subject_and_sector(op: Provider, client_id: str, sector: str) -> None:
    salt = op.snapshot.declared.profiles["login"].pairwise
    assert salt is not None
    assert await sub_at(op, client_id) == Pairwise(salt=salt.salt).sub("teddie", sector)


@pytest.mark.seed("C20")
@pytest.mark.parametrize("uris", [["https://a.example/cb", "https://b.example/cb"], ["com.example.app:/cb"]])
async def test_the_provider_is_not_started_with_a_client_whose_sector_cannot_be_told(uris: list[str]) -> None:
    many = {
        "client_id": "many",
        "client_name": "Many",
        "application_type": "native" if uris[0].startswith("com") else "web",
        "redirect_uris": uris,
        "token_endpoint_auth_method": "none",
        "subject_type": "pairwise",
        "op": {"profile": "login"},
    }
    with pytest.raises(ConfigRejected) as refused:
        async with provider("curity", edit={"clients/many.yaml": json.dumps(many)}):
            raise AssertionError("it was started")
    assert "OP221" in [problem.code for problem in refused.value.problems]


@pytest.mark.seed("C25")
async def test_the_provider_tells_a_pairwise_client_the_raw_subject_nowhere(op: Provider) -> None:
    rp = client(op, "alpha")
    given = await rp.tokens("teddie", scope="openid email")
    sub = claims_of(given["id_token"])["sub"]
    told = [claims_of(given["id_token"]), claims_of(given["access_token"])]
    told.append((await rp.userinfo(given["access_token"])).body)
    form: dict[str, str | None] = {"token": given["access_token"]}
    told.append((await rp.token(at="/introspect", **form)).body)
    assert [each["sub"] for each in told] == [sub] * 4
    for each in told:
        each.pop("email", None)
        assert "teddie" not in json.dumps(each)


@pytest.mark.seed("C27")
async def test_the_provider_knows_everybody_anew_after_a_change_of_the_sector(op: Provider) -> None:
    before = await sub_at(op, "zort-bank")
    clients = op.directory / "clients" / "all.yaml"
    clients.write_text(clients.read_text().replace("sector_identifier: Sector Zort", "sector_identifier: Sector Zed"))
    await op.load()
    assert await sub_at(op, "zort-bank") != before


@pytest.mark.seed("C28", "C29", "C30", "C31")
@pytest.mark.parametrize(
    ("metadata", "accepted"),
    [
        ({"redirect_uris": ["https://one.example/a"]}, False),
        ({"redirect_uris": ["https://one.example/a"], "subject_type": "public"}, False),
        ({"redirect_uris": ["https://one.example/a", "https://one.example/b"], "subject_type": "pairwise"}, True),
        ({"redirect_uris": ["https://one.example/a", "https://two.example/b"], "subject_type": "pairwise"}, False),
        ({"redirect_uris": ["https://one.example/a"], "subject_type": "pairwise", "sector_identifier": "x"}, True),
    ],
)
async def test_the_provider_registers_pairwise_clients_with_one_host_alone(
    op: Provider, metadata: dict[str, Any], accepted: bool
) -> None:
    made = await register(op, client_name="Registered", **metadata)
    assert (made.status, made.error) == ((201, None) if accepted else (400, "invalid_client_metadata"))


@pytest.mark.seed("C30", "C36", "C37", "C38")
async def test_the_provider_takes_the_client_id_as_sector_of_a_client_from_a_template(op: Provider) -> None:
    subs = set()
    for _ in range(2):
        made = await register(op, template="mobile")
        assert made.status == 201 and made["scope"] == "openid", made
        rp = RelyingParty(op, made["client_id"], "com.example.app:/callback", path="/login")
        code = (await rp.login("teddie"))["code"]
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": rp.redirect_uri,
            "client_id": rp.client_id,
            "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        }
        subs.add(claims_of((await rp.post("/token", form))["id_token"])["sub"])
    assert len(subs) == 2 and "teddie" not in subs


@pytest.mark.seed("C2")
@pytest.mark.parametrize(
    "metadata", [{"grant_types": ["password"]}, {"op": {"compat": {"redirect_match": "ignore_query"}}}]
)
async def test_the_provider_registers_nobody_for_a_bent_specification(op: Provider, metadata: dict[str, Any]) -> None:
    wanted = {"redirect_uris": ["https://one.example/a"], "subject_type": "pairwise", "response_types": ["code"]}
    made = await register(op, client_name="Registered", **(wanted | metadata))
    if made.status == 201:
        client = await op.snapshot.profiles["login"].clients.find(made["client_id"])
        assert client is not None and client.op.compat.redirect_match == "exact"
        assert "password" not in client.grant_types and not client.op.compat.password_grant
    else:
        assert made.error == "invalid_client_metadata"
