"""Attacks on requests that wait for their user, across issuers and by clients that prove nothing."""

import json

import pytest

from tests.support.provider import ROOT, provider
from tests.support.relying import RelyingParty
from tests.support.waiting import CIBA, DEVICE, SECRETS, Caller, Device, backchannels, client, retail


def workforce(*grants: str) -> dict[str, str]:
    """The other issuer with these grant types, and a client of its own that may use them."""
    text = (ROOT / "config.example" / "profiles" / "workforce.yaml").read_text()
    offered = "grant_types_supported: [authorization_code, refresh_token, client_credentials"
    assert offered in text
    listed = ", ".join((offered, *(f'"{grant}"' for grant in grants)))
    own = {
        "client_id": "one",
        "response_types": [],
        "scope": "openid profile",
        "grant_types": list(grants),
        "client_secrets": [{"id": "1", "file": "secrets/one"}],
        "op": {"profile": "workforce"},
    }
    return {
        "profiles/workforce.yaml": text.replace(offered, listed),
        "clients/workforce/one.yaml": json.dumps(own),
        "secrets/one": SECRETS["one"],
    }


@pytest.mark.attack("MX-09")
async def test_what_waits_at_one_issuer_is_nothing_to_the_other() -> None:
    box = client("box", grant_types=[DEVICE])
    bank = client("bank", grant_types=[CIBA])
    async with provider(edit={**retail(DEVICE, CIBA), **box, **bank, **workforce(DEVICE, CIBA)}) as op:
        device, caller = Device(op, "box"), Caller(op, "bank")
        await device.begin()
        await device.decide()
        assert (await caller.begin()).status == 200
        there = RelyingParty(op, "one", path="/workforce")
        for form in (
            {"grant_type": DEVICE, "device_code": device.begun["device_code"]},
            {"grant_type": CIBA, "auth_req_id": caller.begun["auth_req_id"]},
        ):
            refused = await there.token(**form)
            assert (refused.status, refused.error) == (400, "invalid_grant")
        # Nothing was used up by the attempt.
        assert (await device.wait_and_poll()).status == 200


@pytest.mark.attack("CA-07")
async def test_nobody_asks_about_users_who_proves_nothing() -> None:
    async with provider(edit={**backchannels(), **client("tv", redirect_uris=["https://tv.example/cb"],
                                                         response_types=["code"])}) as op:  # fmt: skip
        refused = await Caller(op, "tv").begin()
        assert refused.status in (400, 401) and refused.error in ("unauthorized_client", "invalid_client")
