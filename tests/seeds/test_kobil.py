"""KOBIL mIdentity: every flow, JWT and opaque access tokens, the password grant, scopes that select a login."""

import base64
from collections.abc import AsyncIterator

import pytest

from tests.support.browser import header
from tests.support.provider import Provider, provider
from tests.support.relying import RelyingParty, claims_of, secret_of

WEB, HYBRID, SCRIPT = "https://web.example/callback", "https://hybrid.example/callback", "https://page.example/callback"
PORTAL, MID_SERVER = "urn:kobil:acr:portal", "urn:kobil:acr:mid-server"


@pytest.fixture
async def op() -> AsyncIterator[Provider]:
    """The provider that stands in."""
    async with provider("kobil") as made:
        yield made


def client(op: Provider, client_id: str, redirect_uri: str = "") -> RelyingParty:
    return RelyingParty(op, client_id, redirect_uri, path="/iam")


@pytest.mark.seed("B1", "B17", "B27", "B32", "B34", "B49", "B50", "B51", "B55", "B56", "B57", "B58")
@pytest.mark.seed("B46", "B61", "B62", "B63", "B64", "B65")
async def test_the_provider_releases_standard_and_custom_claims_in_their_types(op: Provider) -> None:
    rp = client(op, "web", WEB)
    given = await rp.tokens("karl", scope="openid profile email branch")
    assert (await rp.userinfo(given["access_token"])).body == {
        "sub": "u-1",
        "name": "Karl Maria Anton von Worms",
        "given_name": "Karl Maria Anton",
        "family_name": "von Worms",
        "middle_name": "Maria Anton",
        "preferred_username": "karl @worms/1",
        "picture": "https://worms.example/karl.png",
        "gender": "male",
        "birthdate": "1970-01-31",
        "zoneinfo": "Europe/Berlin",
        "locale": "de-DE",
        "updated_at": 1790000000,
        "email": "karl@worms.example",
        "email_verified": True,
        "branch_code": "W-01",
    }


@pytest.mark.seed("B5", "B6", "B47", "B68")
async def test_the_provider_puts_declared_claims_into_jwt_access_tokens(op: Provider) -> None:
    rp = client(op, "web", WEB)
    token = claims_of((await rp.tokens("karl", scope="openid branch weather"))["access_token"])
    assert (token["sub"], token["client_id"], token["scope"]) == ("u-1", "web", "openid branch weather")
    assert token["branch_code"] == "W-01" and "name" not in token
    rp = client(op, "web", WEB)
    assert "branch_code" not in claims_of((await rp.tokens("karl", scope="openid weather"))["access_token"])
    opaque = await client(op, "mobile", "com.kobil.example:/callback").tokens("karl")
    assert opaque["access_token"].count(".") != 2


@pytest.mark.seed("B8", "B10", "B11", "B12", "B13", "B14", "B16", "B31", "B37")
@pytest.mark.parametrize(
    ("client_id", "redirect_uri", "response_type", "hashes"),
    [
        ("script", SCRIPT, "id_token", set()),
        ("script", SCRIPT, "id_token token", {"at_hash"}),
        ("hybrid", HYBRID, "code id_token", {"c_hash"}),
        ("hybrid", HYBRID, "code token", None),
        ("hybrid", HYBRID, "code id_token token", {"at_hash", "c_hash"}),
    ],
)
async def test_the_provider_answers_each_response_type_with_what_it_names(
    op: Provider, client_id: str, redirect_uri: str, response_type: str, hashes: set[str] | None
) -> None:
    answer = await client(op, client_id, redirect_uri).login("karl", response_type=response_type, nonce="n")
    names = {"code": "code", "token": "access_token", "id_token": "id_token"}
    expected = {names[word] for word in response_type.split()}
    assert expected == answer.keys() & {"code", "access_token", "id_token", "refresh_token"}
    if hashes is not None:
        assert claims_of(answer["id_token"]).keys() & {"at_hash", "c_hash"} == hashes


@pytest.mark.seed("B18", "B24", "B30")
async def test_the_provider_ignores_unknown_scopes_and_keeps_to_the_nonce_of_the_standard(op: Provider) -> None:
    given = await client(op, "web", WEB).tokens("karl", scope="openid nonsense")
    assert given["scope"] == "openid"
    refused = await client(op, "hybrid", HYBRID).ask(response_type="code id_token")
    assert "error=invalid_request" in (header(refused, "Location") or "")
    rp = client(op, "web", WEB)
    await rp.browser.login(await rp.ask(), "karl", "karl-demo-password")
    assert "error=consent_required" in (header(await rp.ask(prompt="none", scope="openid email"), "Location") or "")


@pytest.mark.seed("B2", "B20", "B21", "B22", "B23")
async def test_the_provider_matches_exactly_and_allows_http_where_it_was_agreed(op: Provider) -> None:
    assert (await client(op, "web", WEB + "?a=b").ask()).status == 400
    assert (await client(op, "mobile", "http://127.0.0.1:51004/callback").ask()).status == 200
    assert (await client(op, "intranet", "http://intranet.example/callback").ask()).status == 200
    assert (await client(op, "web", "http://web.example/callback").ask()).status == 400


@pytest.mark.seed("B29")
@pytest.mark.parametrize(("value", "asked"), [("true", True), ("required", True), ("false", False), ("0", False)])
async def test_the_provider_reads_the_parameter_consent_as_prompt_consent(
    op: Provider, value: str, asked: bool
) -> None:
    rp = client(op, "web", WEB)
    await rp.login("karl")
    page = await rp.ask(consent=value)
    assert (b'id="allow"' in page.body) is asked
    assert "error=consent_required" not in (header(await rp.ask(prompt="none"), "Location") or "")


@pytest.mark.seed("B35", "B36", "B67")
async def test_the_provider_tells_the_client_of_its_tokens_and_id_tokens(op: Provider) -> None:
    rp = client(op, "web", WEB)
    given = await rp.tokens("karl")
    own = {"client_id": "web", "client_secret": secret_of(op, "web")}
    for name in ("access_token", "id_token"):
        told = await rp.post("/introspect", {"token": given[name], **own})
        assert told["active"] is True and told["sub"] == "u-1"
    other = {"client_id": "hybrid", "client_secret": secret_of(op, "hybrid")}
    pair = base64.b64encode(":".join(other.values()).encode()).decode()
    asked = await rp.post("/introspect", {"token": given["id_token"]}, {"authorization": (f"Basic {pair}",)})
    assert asked.body == {"active": False}


@pytest.mark.seed("B33", "B38", "B39", "B40", "B69")
async def test_the_provider_refreshes_with_and_without_scope(op: Provider) -> None:
    rp = client(op, "web", WEB)
    code = (await rp.login("karl", scope="openid email offline_access", prompt="consent"))["code"]
    own: dict[str, str | None] = {"client_id": "web", "client_secret": secret_of(op, "web")}
    given = await rp.redeem(code)
    whole = own | {"grant_type": "refresh_token"}
    again = await rp.post("/token", {**whole, "refresh_token": given["refresh_token"]})
    assert again["scope"] == "openid email offline_access"
    less = await rp.post("/token", {**whole, "refresh_token": again["refresh_token"], "scope": "openid"})
    assert less["scope"] == "openid"


@pytest.mark.seed("B41", "B42", "B43", "B44", "B52")
async def test_the_provider_takes_passwords_from_a_client_that_cannot_change(op: Provider) -> None:
    rp = client(op, "legacy")
    login = {"grant_type": "password", "username": "karl", "password": "karl-demo-password"}
    given = await rp.token(**login)
    assert given["scope"] == "openid" and "refresh_token" not in given.body
    claims = claims_of(given["id_token"])
    assert (claims["sub"], claims["acr"], claims["amr"]) == ("u-1", PORTAL, ["pwd"]) and "sid" not in claims
    assert (await rp.userinfo(given["access_token"])).body == {"sub": "u-1"}
    offline = await rp.token(**login, scope="openid offline_access")
    again = await rp.token(grant_type="refresh_token", refresh_token=offline["refresh_token"])
    assert again.status == 200


@pytest.mark.seed("B41")
async def test_the_provider_answers_all_wrong_logins_alike(op: Provider) -> None:
    rp = client(op, "legacy")
    # Wrong, unknown, not active, and one who has a second factor that this grant could never ask for.
    tried = [("karl", "wrong"), ("nobody", "wrong"), ("finn", "finn-demo-password"), ("vera", "vera-demo-password")]
    told = [await rp.token(grant_type="password", username=name, password=word) for name, word in tried]
    assert {(each.status, tuple(sorted(each.body.items()))) for each in told} == {
        (400, tuple(sorted(told[0].body.items())))
    }
    assert told[0].error == "invalid_grant"


@pytest.mark.seed("B41")
async def test_the_provider_slows_down_who_guesses_through_a_client(op: Provider) -> None:
    rp = client(op, "legacy")
    told = [await rp.token(grant_type="password", username="karl", password=f"guess-{n}") for n in range(8)]
    assert told[-1].status == 429
    right = await rp.token(grant_type="password", username="karl", password="karl-demo-password")
    assert right.status == 429
    # The same account at the login page from an address that never knew it: the same counter.
    page = await client(op, "web", WEB).ask()
    shown = await (web := client(op, "web", WEB)).browser.login(await web.ask(), "karl", "karl-demo-password")
    assert page.status == 200 and b'id="password"' in shown.body


@pytest.mark.seed("B41")
async def test_the_provider_allows_the_password_grant_to_nobody_else(op: Provider) -> None:
    rp = client(op, "batch")
    refused = await rp.token(grant_type="password", username="karl", password="karl-demo-password")
    assert refused.error == "unauthorized_client"
    legacy = op.directory / "clients" / "all.yaml"
    text = legacy.read_text()
    legacy.write_text(text.replace("password_grant: true", "password_grant: false"))
    with pytest.raises(Exception, match="1 errors"):
        await op.load()


@pytest.mark.seed("B45", "B48")
async def test_the_provider_gives_machines_resource_scopes_alone(op: Provider) -> None:
    rp = client(op, "batch")
    given = await rp.token(grant_type="client_credentials")
    assert given["scope"] == "weather" and given.body.keys() & {"id_token", "refresh_token"} == set()
    assert (await rp.token(grant_type="client_credentials", scope="branch")).error == "invalid_scope"
    assert (await rp.token(grant_type="client_credentials", scope="openid")).error == "invalid_scope"


@pytest.mark.seed("B53")
async def test_the_provider_logs_in_as_a_scope_says_and_does_not_ask_about_it(op: Provider) -> None:
    rp = client(op, "web", WEB)
    page = await rp.ask(scope="openid kobil_password")
    consent = await rp.browser.login(page, "karl", "karl-demo-password")
    assert b'id="allow"' in consent.body and b"kobil_password" not in consent.body
    given = await rp.redeem((await rp.login("karl", scope="openid kobil_password"))["code"])
    assert claims_of(given["id_token"])["acr"] == MID_SERVER


@pytest.mark.seed("B53")
async def test_the_provider_asks_again_where_only_the_level_is_reached(op: Provider) -> None:
    rp = client(op, "web", WEB)
    first = await rp.tokens("karl")
    assert claims_of(first["id_token"])["acr"] == PORTAL and "kobil_password" not in first["scope"]
    silent = await rp.ask(scope="openid kobil_password", prompt="none")
    assert "error=interaction_required" in (header(silent, "Location") or "")
    rp.seen.clear()
    await rp.tokens("karl", scope="openid kobil_password")
    assert rp.seen == ["login"]


@pytest.mark.seed("B53")
async def test_the_provider_holds_to_the_level_beside_the_scope(op: Provider) -> None:
    policies = op.directory / "policies" / "all.yaml"
    policies.write_text(policies.read_text().replace("portal: {steps: [", "portal: {steps: [{authenticate: code}, ")
                        .replace("[{authenticate: code}, {authenticate: portal-password}",
                                 "[{authenticate: portal-password}, {authenticate: code}"))  # fmt: skip
    codes = op.directory / "authenticators" / "all.yaml"
    codes.write_text(codes.read_text() + "  code: {kind: totp, source: people, issuer: Kobil}\n")
    profile = op.directory / "profiles" / "iam.yaml"
    text = profile.read_text().replace(", password]", "]").replace("  password_grant: true\n", "")
    lines = text.splitlines(keepends=True)
    swap = [n for n, line in enumerate(lines) if "urn:kobil:acr:" in line]
    lines[swap[0]], lines[swap[1]] = lines[swap[1]], lines[swap[0]]
    profile.write_text("".join(lines))
    clients = op.directory / "clients" / "all.yaml"
    before, _, after = clients.read_text().partition("  legacy:\n")
    clients.write_text(before + after[after.index("  batch:\n") :])
    await op.load()
    rp = client(op, "web", WEB)
    given = await rp.tokens("vera", scope="openid kobil_password", acr_values=PORTAL)
    assert rp.seen == ["login", "login", "otp", "consent"]
    assert claims_of(given["id_token"])["acr"] == PORTAL


@pytest.mark.seed("B53")
async def test_the_provider_has_no_password_grant_for_a_scope_that_selects_a_login(op: Provider) -> None:
    login = {"grant_type": "password", "username": "karl", "password": "karl-demo-password"}
    refused = await client(op, "legacy").token(**login, scope="openid kobil_password")
    assert refused.error == "invalid_scope"


@pytest.mark.seed("B9", "B19", "B71", "B72")
async def test_the_provider_publishes_what_it_offers(op: Provider) -> None:
    told = await client(op, "web").send("GET", "/.well-known/openid-configuration")
    assert "password" in told["grant_types_supported"] and "token" not in told["response_types_supported"]
    assert {"code", "id_token token", "code id_token token"} <= set(told["response_types_supported"])


@pytest.mark.seed("B1", "B7", "B25", "B28", "B66")
async def test_the_provider_logs_in_once_for_several_sites_and_passes_the_nonce_on(op: Provider) -> None:
    rp = client(op, "web", WEB)
    await rp.login("karl", response_mode="query")
    other = RelyingParty(op, "mobile", "com.kobil.example:/callback", path="/iam", browser=rp.browser)
    nonce = "n-0S6_WzA2Mj/+ =%2F\u00e4"
    given = await other.tokens("karl", nonce=nonce)
    assert other.seen == ["consent"] and claims_of(given["id_token"])["nonce"] == nonce
    shown = await RelyingParty(op, "web", WEB, path="/iam", browser=rp.browser).ask(response_mode="form_post")
    assert shown.status == 200 and b'name="code"' in shown.body
    refused = await client(op, "hybrid", HYBRID).ask(response_type="code id_token", nonce="n", response_mode="query")
    assert "error=invalid_request" in (header(refused, "Location") or "")
