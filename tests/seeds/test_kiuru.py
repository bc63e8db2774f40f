"""Kiuru OpenID: the provider as another way into a product family whose accounts live elsewhere."""

import pytest

from tests.support.browser import Browser
from tests.support.provider import provider
from tests.support.relying import RelyingParty, claims_of

CALLBACK = "https://city.example/callback"


@pytest.mark.seed("K1", "K4", "K6", "K11", "K20")
async def test_the_provider_releases_the_extended_profile_below_its_path() -> None:
    async with provider("kiuru") as op:
        rp = RelyingParty(op, "city", CALLBACK, path="/openid")
        given = await rp.tokens("aino", scope="openid profile phone mobile_id")
        assert claims_of(given["id_token"])["iss"] == "http://localhost:8080/openid"
        told = (await rp.userinfo(given["access_token"])).body
        assert told == {
            "sub": "e-1",
            "name": "Aino Korhonen",
            "given_name": "Aino",
            "family_name": "Korhonen",
            "locale": "fi-FI",
            "phone_number": "+358401234567",
            "phone_number_verified": True,
            "mobile_operator": "Example Mobile",
            "certificate_level": 3,
        }


@pytest.mark.seed("K4")
async def test_the_provider_lets_users_type_their_number() -> None:
    async with provider("kiuru") as op:
        rp = RelyingParty(op, "city", CALLBACK, path="/openid")
        page = await rp.ask()
        page = await rp.browser.login(page, "+358 40 1234567".replace(" ", ""), "aino-demo-password")
        assert b'id="allow"' in page.body


@pytest.mark.seed("K2", "K3")
async def test_the_provider_takes_the_second_way_to_the_user_where_its_level_is_asked() -> None:
    async with provider("kiuru") as op:
        rp = RelyingParty(op, "city", CALLBACK, path="/openid")
        given = await rp.tokens("aino", acr_values="urn:kiuru:acr:mobile")
        assert rp.seen == ["login", "otp", "consent"]
        assert claims_of(given["id_token"])["acr"] == "urn:kiuru:acr:mobile"


@pytest.mark.seed("K10")
async def test_the_provider_follows_the_life_of_an_account() -> None:
    async with provider("kiuru") as op:
        rp = RelyingParty(op, "city", CALLBACK, path="/openid")
        given = await rp.tokens("aino")
        accounts = op.directory / "sources" / "accounts.yaml"
        accounts.write_text(accounts.read_text().replace("password:", "active: false\n        password:", 1))
        await op.load()
        assert (await rp.userinfo(given["access_token"])).status == 401
        again = await rp.token(grant_type="refresh_token", refresh_token=given["refresh_token"])
        assert again.error == "invalid_grant"
        rp.browser = Browser(op)
        page = await rp.browser.login(await rp.ask(), "aino", "aino-demo-password")
        assert page.status == 200 and b'id="password"' in page.body


@pytest.mark.seed("K15", "K16", "K17", "K18")
async def test_the_provider_keeps_consents_and_reads_clients_and_users_from_elsewhere() -> None:
    async with provider("kiuru") as op:
        rp = RelyingParty(op, "city", CALLBACK, path="/openid")
        await rp.tokens("aino")
        await op.load()
        other = RelyingParty(op, "city", CALLBACK, path="/openid")
        await other.tokens("aino")
        assert (rp.seen, other.seen) == (["login", "consent"], ["login"])
