"""RFC 8628 3.4 and 3.5: what a device hears while it waits, and what it gets."""

import pytest

from tests.support.provider import provider
from tests.support.relying import claims_of
from tests.support.waiting import DEVICE, Device, devices


@pytest.mark.spec("RFC 8628", "3.5")
async def test_lets_a_device_wait_and_slows_down_who_cannot() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin()
        assert (await device.poll()).error == "authorization_pending"
        op.clock.forward(5)
        assert (await device.poll()).error == "authorization_pending"
        op.clock.forward(4)
        assert (await device.poll()).error == "slow_down"
        op.clock.forward(6)
        assert (await device.poll()).error == "slow_down", "the interval is 10 seconds now"
        op.clock.forward(15)
        assert (await device.poll()).error == "authorization_pending"


@pytest.mark.spec("RFC 8628", "3.5")
async def test_keeps_the_intervals_of_two_devices_apart() -> None:
    async with provider(edit=devices()) as op:
        one, other = Device(op), Device(op)
        await one.begin()
        await other.begin()
        await one.poll()
        assert (await one.poll()).error == "slow_down"
        assert (await other.poll()).error == "authorization_pending"


@pytest.mark.spec("RFC 8628", "3.5")
async def test_tells_a_device_when_its_time_is_over() -> None:
    async with provider(edit=devices()) as op:
        undecided, decided = Device(op), Device(op)
        await undecided.begin()
        await decided.begin()
        await decided.decide()
        op.clock.forward(600)
        assert (await undecided.poll()).error == "expired_token"
        assert (await decided.poll()).error == "expired_token", "what was granted is not kept for ever"
        op.clock.forward(700)
        assert (await undecided.poll()).error == "invalid_grant"


@pytest.mark.spec("RFC 8628", "3.5")
async def test_gives_the_tokens_of_the_user_and_no_part_of_his_browser_session() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        await device.begin(scope="openid profile")
        await device.decide("anna")
        answer = await device.wait_and_poll()
        assert (answer["token_type"], answer["scope"]) == ("Bearer", "openid profile")
        claims = claims_of(answer["id_token"])
        assert claims["aud"] == "tv" and "sid" not in claims and "nonce" not in claims and "at_hash" in claims
        assert (await device.userinfo(answer["access_token"]))["name"].startswith("Anna")
        assert "refresh_token" not in answer.body, "offline_access was not asked for"


@pytest.mark.spec("RFC 8628", "3.5")
@pytest.mark.parametrize(("client_id", "scope"), [("tv", "openid offline_access"), ("box", "openid")])
async def test_gives_refresh_tokens_as_the_client_is_registered(client_id: str, scope: str) -> None:
    async with provider(edit=devices()) as op:
        device = Device(op, client_id)
        await device.begin(scope=scope)
        await device.decide()
        first = await device.wait_and_poll()
        again = await device.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
        assert again.status == 200 and again["access_token"] != first["access_token"]


@pytest.mark.spec("RFC 8628", "3.5")
async def test_keeps_a_decision_over_a_reload_and_ends_it_with_the_grant_type() -> None:
    async with provider(edit=devices()) as op:
        device, late = Device(op), Device(op)
        await device.begin()
        await late.begin()
        await device.decide()
        shown = await late.type_code()
        await op.load()
        assert (await device.wait_and_poll()).status == 200
        profile = op.directory / "profiles" / "retail.yaml"
        profile.write_text(profile.read_text().replace(', "urn:ietf:params:oauth:grant-type:device_code"', ""))
        for name in ("tv", "box"):
            (op.directory / "clients" / "retail" / f"{name}.yaml").unlink()
        await op.load()
        assert (await late.browser.login(shown)).status == 400
        gone = {"client_id": "tv", "grant_type": DEVICE, "device_code": late.begun["device_code"]}
        assert (await late.post("/token", gone)).error == "invalid_client"
