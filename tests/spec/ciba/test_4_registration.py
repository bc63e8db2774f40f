"""CIBA Core 4: what clients register about themselves, and what they are to whom."""

from dataclasses import replace

import pytest

from appliance.protocol.client import NOBODY
from appliance.protocol.sector import UnknownSector, sector
from tests.support import registering
from tests.support.registering import registrar
from tests.support.waiting import CIBA, DEVICE

PROFILE = {"grant_types_supported": [*registering.PROFILE["grant_types_supported"], CIBA, DEVICE]}
MEMBERS = {
    "backchannel_token_delivery_mode": "ping",
    "backchannel_client_notification_endpoint": "https://bank.example/ciba",
}


@pytest.mark.spec("CIBA Core 1.0", "4")
async def test_registers_clients_that_are_pinged() -> None:
    async with registrar(PROFILE) as clients:
        made = await clients.register(grant_types=[CIBA], redirect_uris=..., **MEMBERS)
        assert made.status == 201
        assert {name: made[name] for name in MEMBERS} == MEMBERS and made["response_types"] == []
        assert (await clients.manage("GET", made))["backchannel_token_delivery_mode"] == "ping"


@pytest.mark.spec("CIBA Core 1.0", "4")
@pytest.mark.parametrize(
    "changes",
    [
        {"backchannel_client_notification_endpoint": ...},
        {"backchannel_client_notification_endpoint": "http://bank.example/ciba"},
        {"backchannel_client_notification_endpoint": "https://10.0.0.1:9000/ciba"},
        {"backchannel_token_delivery_mode": "push"},
        {"backchannel_authentication_request_signing_alg": "HS256"},
        {"backchannel_authentication_request_signing_alg": "ES256"},
        {"token_endpoint_auth_method": "none"},
    ],
)
async def test_registers_nobody_who_could_not_ask_or_be_told(changes: dict[str, object]) -> None:
    async with registrar(PROFILE) as clients:
        whole = {"grant_types": [CIBA], "redirect_uris": ...} | MEMBERS | changes
        refused = await clients.register(**whole)
        assert (refused.status, refused.error) == (400, "invalid_client_metadata")


@pytest.mark.spec("CIBA Core 1.0", "14")
async def test_lets_nobody_ask_users_who_registered_without_a_word() -> None:
    async with registrar(PROFILE, mode="open", initial_access_tokens=[]) as clients:
        refused = await clients.register(token=None, grant_types=[CIBA], redirect_uris=..., **MEMBERS)
        assert refused.error == "invalid_client_metadata"


@pytest.mark.spec("RFC 7591", "2")
async def test_leaves_out_what_says_nothing_of_a_client_of_another_kind() -> None:
    async with registrar(PROFILE) as clients:
        made = await clients.register(**MEMBERS)
        assert made.status == 201 and not [name for name in MEMBERS if name in made.body]
        assert (await clients.register(grant_types=[DEVICE], redirect_uris=...)).status == 201


@pytest.mark.spec("CIBA Core 1.0", "4")
def test_takes_the_keys_of_a_client_for_its_sector() -> None:
    bank = replace(NOBODY, grant_types=(CIBA,), jwks_uri="https://keys.bank.example/jwks")
    assert sector(bank) == "keys.bank.example"
    assert sector(replace(bank, sector_identifier_uri="https://group.example/sector")) == "group.example"
    assert sector(replace(bank, redirect_uris=("https://bank.example/cb",))) == "bank.example"
    with pytest.raises(UnknownSector):
        sector(replace(bank, grant_types=(DEVICE,)))
