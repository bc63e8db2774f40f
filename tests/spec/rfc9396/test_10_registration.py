"""RFC 9396 10, RFC 9126 6: what clients that register themselves may say of their requests."""

from typing import Any

import pytest

from tests.support.registering import registrar

TYPES: dict[str, Any] = {name: {"schema": {"properties": {}}, "title": {"en": name}} for name in ("payment", "account")}
PROFILE: dict[str, Any] = {"authorization_details_types": TYPES}


@pytest.mark.spec("RFC 9396", "10")
@pytest.mark.attack("DC-04")
async def test_gives_registered_clients_the_types_that_they_may_have() -> None:
    asked = ["payment", "account", "unknown"]
    async with registrar(PROFILE, authorization_details_types=["account"]) as client:
        made = await client.register(authorization_details_types=asked)
        assert (made.status, made["authorization_details_types"]) == (201, ["account"])
        read = await client.manage("GET", made)
        assert read["authorization_details_types"] == ["account"]
    async with registrar(PROFILE) as client:
        made = await client.register(authorization_details_types=asked)
        assert (made.status, made.body.get("authorization_details_types", [])) == (201, [])
        for wrong in ("payment", [1], ["pay ment"], [["payment"]]):
            refused = await client.register(authorization_details_types=wrong)
            assert refused.status in (201, 400)
            assert not refused.body.get("authorization_details_types")


@pytest.mark.spec("RFC 9126", "6")
async def test_lets_clients_protect_themselves_from_plain_requests() -> None:
    pushing = {"endpoints": {"pushed_authorization_request": True}}
    async with registrar(pushing) as client:
        made = await client.register(require_pushed_authorization_requests=True)
        assert (made.status, made["require_pushed_authorization_requests"]) == (201, True)
        found = await client.send("GET", f"/authorize?client_id={made['client_id']}&response_type=code")
        location = dict(found.response.headers)["Location"]
        assert "error=invalid_request" in location
    async with registrar() as client:
        refused = await client.register(require_pushed_authorization_requests=True)
        assert (refused.status, refused.error) == (400, "invalid_client_metadata")
        assert (await client.register(require_pushed_authorization_requests=False)).status == 201
