"""RFC 7591 3: who may register, what is answered, and that the client can then log its users in."""

import base64
import json
from typing import Any

import pytest

from appliance.protocol.form import encode
from appliance.protocol.handles import stored_id
from appliance.protocol.records import AccessToken, RegisteredClient
from tests.support.browser import Browser, answer, header
from tests.support.registering import ENDED, INITIAL, REDIRECT_URI, registrar


@pytest.mark.spec("RFC 7591", "3.2.1")
async def test_answers_201_with_credentials_and_nothing_cacheable() -> None:
    async with registrar() as client:
        said = await client.register(client_name="Shop", software_id="s-1", software_version="2")
    assert said.status == 201
    assert header(said.response, "Cache-Control") == "no-store"
    assert header(said.response, "Content-Type") == "application/json"
    assert said["client_secret_expires_at"] == 0 and len(said["client_secret"]) >= 49
    assert said["client_id_issued_at"] == 1795262400
    assert said["registration_client_uri"].startswith("http://localhost:8080/register/client?client_id=op_cl_")
    assert (said["software_id"], said["software_version"]) == ("s-1", "2")


@pytest.mark.spec("RFC 7591", "3.2.1")
@pytest.mark.parametrize("method", ["none", "private_key_jwt"])
async def test_gives_no_secret_to_a_client_that_uses_none(method: str) -> None:
    async with registrar() as client:
        said = await client.register(
            token_endpoint_auth_method=method,
            jwks_uri="https://client.example.org/jwks" if method != "none" else None,
        )
    assert said.status == 201
    assert {"client_secret", "client_secret_expires_at"}.isdisjoint(said.body)


@pytest.mark.spec("RFC 7591", "5")
async def test_keeps_digests_and_the_secret_itself_only_for_a_mac() -> None:
    async with registrar() as client:
        basic = await client.register()
        mac = await client.register(token_endpoint_auth_method="client_secret_jwt")
        records = await client.op.snapshot.shared.store.find(RegisteredClient, "issuer", "http://localhost:8080")
    kept = {
        record.id: str([getattr(record, name) for name in ("secret", "metadata", "token_digest")]) for record in records
    }
    assert basic["client_secret"] not in kept[basic["client_id"]]
    assert mac["client_secret"] in kept[mac["client_id"]]
    for each in (basic, mac):
        assert each["registration_access_token"] not in kept[each["client_id"]]
    assert all(record.secret not in repr(record) for record in records)


@pytest.mark.spec("RFC 7591", "3")
@pytest.mark.attack("DC-01")
@pytest.mark.parametrize("token", [None, "wrong", ENDED, "op_ia_é"])
async def test_registers_nobody_without_a_live_initial_access_token(token: str | None) -> None:
    async with registrar() as client:
        said = await client.register(token=token)
        assert await client.op.snapshot.shared.store.find(RegisteredClient, "issuer", "http://localhost:8080") == ()
    assert said.status == 401
    assert said.challenge.startswith("Bearer ")
    assert said.error == "invalid_token"


@pytest.mark.attack("DC-01")
async def test_registers_nobody_with_a_token_that_was_taken_away_or_is_in_the_query() -> None:
    async with registrar() as client:
        assert (await client.register()).status == 201
        in_query = await client.send("POST", f"/register?access_token={INITIAL}", {"redirect_uris": [REDIRECT_URI]})
        profile = client.op.directory / "profiles" / "main.yaml"
        settings = json.loads(profile.read_text())
        settings["registration"]["initial_access_tokens"] = []
        profile.write_text(json.dumps(settings))
        await client.op.load()
        gone = await client.register()
    assert (in_query.status, gone.status) == (400, 401)


async def test_has_no_endpoint_unless_asked_for() -> None:
    async with registrar(mode="closed") as client:
        assert (await client.register()).status == 404
        assert (await client.send("GET", "/register/client?client_id=x", token="x")).status == 404
        found = await client.send("GET", "/.well-known/openid-configuration")
        assert "registration_endpoint" not in found.body
    async with registrar() as client:
        found = await client.send("GET", "/.well-known/openid-configuration")
        assert found["registration_endpoint"] == "http://localhost:8080/register"
        assert "registration_management" not in found.body


@pytest.mark.spec("RFC 7591", "3.1")
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[]", "application/json"),
        (b"", "application/json"),
        (b'{"redirect_uris": ["https://a.example/"], "redirect_uris": []}', "application/json"),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", "application/json"),
        (b"\xff", "application/json"),
        (b'{"redirect_uris": ["https://client.example.org/callback"]}', "text/plain"),
    ],
)
async def test_reads_strict_json_and_nothing_else(body: bytes, kind: str) -> None:
    async with registrar() as client:
        said = await client.send("POST", "/register", body, token=INITIAL, headers={"content-type": (kind,)})
    assert (said.status, said.error) == (400, "invalid_client_metadata")


def basic(said: Any) -> str:
    return "Basic " + base64.b64encode(f"{said['client_id']}:{said['client_secret']}".encode()).decode()


@pytest.mark.spec("RFC 7591", "3.2.1")
async def test_lets_a_registered_client_log_its_users_in() -> None:
    async with registrar() as client:
        said = await client.register(client_name="Shop", scope="openid email")
        browser = Browser(client.op)
        asked = {
            "client_id": said["client_id"], "redirect_uri": REDIRECT_URI, "response_type": "code",
            "scope": "openid email", "state": "s",
        }  # fmt: skip
        page = await browser.login(await browser.visit("/authorize?" + encode(asked.items())), password="anna")
        assert b"Shop" in page.body
        code = answer(await browser.submit(page, button="allow"))["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        token = await browser.request("POST", "/token", form=form, headers={"Authorization": basic(said)})
        tokens = json.loads(token.body)
        assert token.status == 200, tokens
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (
            json.loads((await browser.request("GET", "/userinfo", headers=headers)).body)["email"] == "anna@example.com"
        )
        assert client.op.report.failures == []
        # RFC 7592 2.3: with the client ends what was issued to it.
        kept = await client.op.snapshot.shared.store.get(AccessToken, stored_id(tokens["access_token"]))
        assert kept is not None
        assert (await client.manage("DELETE", said)).status == 204
        assert await client.op.snapshot.shared.store.get(AccessToken, kept.id) is None
        assert (await browser.request("GET", "/userinfo", headers=headers)).status == 401
        refused = await browser.request("POST", "/token", form=form, headers={"Authorization": basic(said)})
        assert refused.status == 401
        shown = await Browser(client.op).visit("/authorize?" + encode(asked.items()))
        assert header(shown, "Location") is None


@pytest.mark.spec("RFC 7591", "5")
@pytest.mark.attack("DC-05")
async def test_trusts_openly_registered_clients_with_less() -> None:
    async with registrar({"ignore": [{"code": "OP275", "reason": "a test of strangers"}]}, mode="open") as client:
        assert (
            await client.register(token=None, grant_types=["client_credentials"])
        ).error == "invalid_client_metadata"
        said = await client.register(token=None)
        vouched = await client.register()
        clients = client.op.snapshot.profiles["main"].clients
        stranger, partner = await clients.find(said["client_id"]), await clients.find(vouched["client_id"])
        assert stranger is not None and stranger.op.require_pkce is True and stranger.op.consent == "ask"
        assert partner is not None and partner.op.require_pkce is None
        assert (await client.register(token="wrong")).status == 401
        asked = {
            "client_id": said["client_id"],
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "openid",
        }
        shown = await Browser(client.op).visit("/authorize?" + encode(asked.items()))
        assert answer(shown)["error"] == "invalid_request"
        preflight = await client.send("OPTIONS", "/register", headers={"origin": ("https://any.example",)})
        assert header(preflight.response, "Access-Control-Allow-Origin") == "*"


async def test_ends_clients_that_nobody_uses() -> None:
    async with registrar(expires_after="10d") as client:
        used, left = await client.register(grant_types=["client_credentials"], scope="openid"), await client.register()
        browser = Browser(client.op)
        for _ in range(3):
            client.op.clock.forward(4 * 86400)
            form = {"grant_type": "client_credentials"}
            await browser.request("POST", "/token", form=form, headers={"Authorization": basic(used)})
        clients = client.op.snapshot.profiles["main"].clients
        assert await clients.find(used["client_id"]) is not None
        assert await clients.find(left["client_id"]) is None


async def test_gives_the_same_client_object_while_nothing_changes() -> None:
    async with registrar() as client:
        said = await client.register()
        clients = client.op.snapshot.profiles["main"].clients
        first = await clients.find(said["client_id"])
        assert first is not None and await clients.find(said["client_id"]) is first
        assert clients.known(said["client_id"]) is first


async def test_lets_scripts_of_a_registered_public_client_call_in() -> None:
    origin = {"origin": ("https://client.example.org",)}
    async with registrar() as client:
        before = await client.send("OPTIONS", "/token", headers=origin)
        await client.register(token_endpoint_auth_method="none")
        after = await client.send("OPTIONS", "/token", headers=origin)
        await client.op.load()
        reloaded = await client.send("OPTIONS", "/token", headers=origin)
    allowed = [header(each.response, "Access-Control-Allow-Origin") for each in (before, after, reloaded)]
    assert allowed == [None, "https://client.example.org", "https://client.example.org"]
