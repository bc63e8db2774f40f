"""RFC 8628 3.1 and 3.2: what a device asks, and what it gets."""

import re

import pytest

from appliance.protocol.user_code import ALPHABET
from tests.support.browser import header
from tests.support.provider import provider
from tests.support.waiting import DEVICE, ISSUER, Device, client, devices, retail

CODE = re.compile(f"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}")


@pytest.mark.spec("RFC 8628", "3.2")
async def test_gives_a_device_its_codes_and_addresses() -> None:
    async with provider(edit=devices()) as op:
        begun = await Device(op).begin()
        assert begun.status == 200
        assert CODE.fullmatch(begun["user_code"])
        assert begun["device_code"].startswith("op_dc_") and len(begun["device_code"]) > 43
        assert begun["verification_uri"] == f"{ISSUER}/device"
        assert begun["verification_uri_complete"] == f"{ISSUER}/device?user_code={begun['user_code']}"
        assert (begun["expires_in"], begun["interval"]) == (600, 5)


@pytest.mark.spec("RFC 8628", "3.2")
async def test_obeys_its_settings() -> None:
    settings = {"ttl": "2m", "interval": 7, "user_code": {"length": 10}}
    async with provider(edit=devices(device_authorization=settings)) as op:
        begun = await Device(op).begin()
        assert (begun["expires_in"], begun["interval"]) == (120, 7)
        assert re.fullmatch(f"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}-[{ALPHABET}]{{2}}", begun["user_code"])


@pytest.mark.spec("RFC 8628", "3.1")
async def test_takes_clients_with_and_without_a_secret() -> None:
    async with provider(edit=devices()) as op:
        assert (await Device(op, "tv").begin()).status == 200
        assert (await Device(op, "box").begin()).status == 200
        unproved = await Device(op, "box").post("/device_authorization", {"client_id": "box", "scope": "openid"})
        assert (unproved.status, unproved.error) == (401, "invalid_client")
        nobody = await Device(op).post("/device_authorization", {"scope": "openid"})
        assert (nobody.status, nobody.error) == (401, "invalid_client")


@pytest.mark.spec("RFC 8628", "3.1")
async def test_refuses_what_is_asked_wrongly() -> None:
    async with provider(edit=devices(unknown_scopes="reject")) as op:
        device = Device(op)
        assert (await device.begin(scope="openid nothing")).error == "invalid_scope"
        assert (await device.begin(max_age="soon")).error == "invalid_request"
        twice = await device.send(
            "POST",
            "/device_authorization",
            {"content-type": ("application/x-www-form-urlencoded",)},
            b"client_id=tv&scope=openid&scope=email",
        )
        assert twice.error == "invalid_request"
        assert (await device.send("GET", "/device_authorization")).status == 405


@pytest.mark.spec("RFC 8628", "3.1")
async def test_ignores_parameters_that_mean_nothing_here() -> None:
    async with provider(edit=devices()) as op:
        sent = {"redirect_uri": "https://evil.example/", "response_type": "token", "prompt": "none", "x": "y"}
        assert (await Device(op).begin(**sent)).status == 200


@pytest.mark.spec("RFC 8628", "3.2")
async def test_never_gives_two_requests_the_same_code_nor_lets_them_be_kept() -> None:
    async with provider(edit=devices()) as op:
        device = Device(op)
        codes = [(await device.begin())["user_code"] for _ in range(50)]
        assert len(set(codes)) == 50
        response = await device.browser.request("POST", "/retail/device_authorization", form={"client_id": "tv"})
        assert header(response, "Cache-Control") == "no-store"


@pytest.mark.spec("RFC 8628", "4")
async def test_tells_of_devices_in_its_metadata_only_where_they_are_welcome() -> None:
    async with provider(edit=devices()) as op:
        document = await Device(op).send("GET", "/.well-known/openid-configuration")
        assert document["device_authorization_endpoint"] == f"{ISSUER}/device_authorization"
        assert DEVICE in document["grant_types_supported"]
    async with provider() as op:
        document = await Device(op).send("GET", "/.well-known/openid-configuration")
        assert "device_authorization_endpoint" not in document.body
        assert DEVICE not in document["grant_types_supported"]
        for path in ("/device", "/device_authorization", "/approval", "/approval/done"):
            assert (await Device(op).send("GET", path)).status == 404


@pytest.mark.spec("RFC 8628", "3.1")
async def test_keeps_clients_out_that_are_not_registered_for_it() -> None:
    edit = retail(DEVICE) | client("web", response_types=["code"], redirect_uris=["https://web.example/cb"])
    async with provider(edit=edit) as op:
        assert (await Device(op, "web").begin()).error == "unauthorized_client"
