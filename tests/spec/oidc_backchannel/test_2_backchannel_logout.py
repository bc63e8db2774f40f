"""OpenID Connect Back-Channel Logout 2, over real sockets."""

import json

import pytest

from appliance.jose.tokens import verify
from appliance.profile.logout_deliveries import EVENT
from tests.support.browser import Browser, header
from tests.support.live import PATIENCE
from tests.support.logging_out import (
    ISSUER,
    LOGGED_OUT_URI,
    Receiver,
    claims,
    client,
    edit,
    is_live,
    leaving,
    log_in,
    logout,
    receiving,
    redeem,
    token,
    waiting,
)
from tests.support.provider import provider

SPEC = "OpenID Connect Back-Channel Logout"


@pytest.mark.spec(SPEC, "2.4")
@pytest.mark.spec(SPEC, "2.5")
async def test_tells_a_client_by_a_signed_token_of_the_right_members_before_the_browser_leaves() -> None:
    async with receiving() as rp, leaving(client(backchannel_logout_uri=rp.uri())) as (op, browser):
        tokens = await redeem(browser, await log_in(browser))
        id_token = claims(tokens["id_token"])
        end = await browser.visit(logout(id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT_URI))
        assert header(end, "Location") == LOGGED_OUT_URI
        # The deliveries were waited for: it has come by now.
        (sent,) = rp.unverified
        assert sent.header["typ"] == "logout+jwt" and sent.header["alg"] == "RS256"
        keys = op.snapshot.profiles["main"].keys.verification()
        said = verify(sent, keys, algs=("RS256",), typ=frozenset({"logout+jwt"})).claims
        assert set(said) == {"iss", "sub", "aud", "iat", "exp", "jti", "events", "sid"}
        assert said["iss"] == ISSUER and said["aud"] == "shop" and said["iat"] == int(op.clock())
        assert said["exp"] == said["iat"] + 120
        assert said["events"] == {EVENT: {}}
        assert (said["sub"], said["sid"]) == (id_token["sub"], id_token["sid"])
        assert "content-type: application/x-www-form-urlencoded" in rp.heads[0].lower()
        assert rp.heads[0].startswith("POST /out ")
        assert await waiting(op) == ()


@pytest.mark.spec(SPEC, "2.4")
async def test_names_the_user_as_each_client_knows_him() -> None:
    async with receiving() as rp:
        clients = [
            client(name, backchannel_logout_uri=rp.uri(f"/{name}"), subject_type="pairwise")
            for name in ("shop", "wiki", "other")
        ]
        del clients[2]["backchannel_logout_uri"]
        salt = {"salt": {"file": "secrets/salt"}}
        files = edit(*clients, subject_types_supported=["pairwise"], pairwise=salt) | {
            "secrets/salt": "0123456789abcdef0123456789abcdef"
        }
        async with provider("minimal", edit=files) as op:
            browser = Browser(op)
            subs = {}
            for name in ("shop", "wiki", "other"):
                got = await redeem(browser, await log_in(browser, name), name)
                subs[name] = claims(got["id_token"])["sub"]
            assert len(set(subs.values())) == 3
            question = await browser.visit("/logout")
            await browser.submit(question, button="logout-yes")
            told = {claims(each)["aud"]: claims(each)["sub"] for each in rp.tokens}
            assert told == {"shop": subs["shop"], "wiki": subs["wiki"]}
            assert sorted(rp.paths) == ["/shop", "/wiki"]
            assert len({claims(each)["jti"] for each in rp.tokens}) == 2


@pytest.mark.spec(SPEC, "2.6")
async def test_signs_even_for_a_client_that_wants_unsigned_id_tokens() -> None:
    async with receiving() as rp:
        unsigned = client(backchannel_logout_uri=rp.uri(), id_token_signed_response_alg="none")
        async with leaving(unsigned, compat={"unsigned_id_tokens": True}) as (_, browser):
            await log_in(browser)
            await browser.submit(await browser.visit("/logout"), button="logout-yes")
            assert rp.unverified[0].header["alg"] == "RS256"


@pytest.mark.spec(SPEC, "2.7")
async def test_ends_what_was_granted_for_the_session_and_keeps_offline_access() -> None:
    always = client("always", op={"refresh_token": "always"})
    async with leaving(client(), always) as (_, browser):
        offline = await redeem(browser, await log_in(browser, scope="openid offline_access", prompt="consent"))
        online = await redeem(browser, await log_in(browser, "always"), "always")
        unused = await log_in(browser, "always")
        assert "refresh_token" in offline and "refresh_token" in online
        await browser.submit(await browser.visit("/logout"), button="logout-yes")
        assert not await is_live(browser, online["access_token"])
        gone = await token(browser, "always", grant_type="refresh_token", refresh_token=online["refresh_token"])
        assert gone["error"] == "invalid_grant"
        assert (await redeem(browser, unused, "always"))["error"] == "invalid_grant"
        assert await is_live(browser, offline["access_token"])
        kept = await token(browser, "shop", grant_type="refresh_token", refresh_token=offline["refresh_token"])
        assert "access_token" in kept


@pytest.mark.spec(SPEC, "2.8")
@pytest.mark.parametrize("status", [200, 204])
async def test_takes_an_empty_answer_for_a_yes(status: int) -> None:
    async with (
        receiving(Receiver(status=lambda _: status)) as rp,
        leaving(client(backchannel_logout_uri=rp.uri())) as (op, browser),
    ):
        await log_in(browser)
        await browser.submit(await browser.visit("/logout"), button="logout-yes")
        assert len(rp.bodies) == 1 and await waiting(op) == () and op.report.notices == []


async def test_tells_by_the_sid_alone_of_a_user_who_is_not_there_any_more() -> None:
    async with receiving() as rp, leaving(client(backchannel_logout_uri=rp.uri())) as (op, browser):
        sid = claims((await redeem(browser, await log_in(browser)))["id_token"])["sid"]
        people = op.directory / "sources" / "people.yaml"
        kept = json.loads(people.read_text())
        del kept["sources"]["people"]["users"]["anna"]
        people.write_text(json.dumps(kept))
        await op.load()
        # The next look at the session finds nobody behind it, which ends it.
        login = await log_in(browser, prompt="none")
        assert "login_required" in (header(login, "Location") or "")
        await op.snapshot.profiles["main"].logout.deliveries.wait(PATIENCE)
        said = claims(rp.tokens[0])
        assert said["sid"] == sid and "sub" not in said


@pytest.mark.spec(SPEC, "2.1")
async def test_says_in_its_metadata_what_it_supports() -> None:
    async with leaving() as (_, browser):
        found = json.loads((await browser.visit("/.well-known/openid-configuration")).body)
        for member in ("backchannel_logout", "frontchannel_logout"):
            assert found[f"{member}_supported"] is True and found[f"{member}_session_supported"] is True
        assert found["end_session_endpoint"] == f"{ISSUER}/logout"
        assert found["check_session_iframe"] == f"{ISSUER}/check_session"
    async with leaving(logout={}) as (_, browser):
        found = json.loads((await browser.visit("/.well-known/openid-configuration")).body)
        assert not {name for name in found if name.startswith(("backchannel", "frontchannel", "check_session"))}


async def test_tells_nobody_where_it_is_not_offered() -> None:
    async with receiving() as rp, leaving(client(backchannel_logout_uri=rp.uri()), logout={}) as (op, browser):
        await log_in(browser)
        await browser.submit(await browser.visit("/logout"), button="logout-yes")
        await op.snapshot.profiles["main"].logout.deliveries.wait(PATIENCE)
        assert rp.bodies == [] and await waiting(op) == ()
