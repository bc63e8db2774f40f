"""RFC 9101: the request object as the whole request, of clients that never send another."""

from typing import Any

import pytest

from tests.support.minting import CHALLENGE
from tests.support.objects import OTHER_URI, address, end, mac, shop_provider, signed, unsigned

WHOLE = "oauth-authz-req+jwt"
DIFFERING: tuple[dict[str, Any], ...] = ({"client_id": "none"}, {"response_type": "none"})


@pytest.mark.spec("RFC 9101", "5")
async def test_needs_nothing_but_the_client_id_outside() -> None:
    async with shop_provider() as op:
        bare = address(request=signed(typ=WHOLE), scope=None, state=None, redirect_uri=None, response_type=None)
        assert bare.startswith("/authorize?client_id=shop&request=")
        assert (await end(op, bare)).parameters["state"] == "inside"


@pytest.mark.spec("RFC 9101", "6.3")
@pytest.mark.parametrize("typ", [WHOLE, None])
async def test_uses_only_what_the_object_has(typ: str | None) -> None:
    outside = {"redirect_uri": OTHER_URI, "state": "outside", "prompt": "none", "scope": "email"}
    async with shop_provider() as op:
        found = await end(op, address(request=signed(typ=typ, state=None), **outside))
        assert "code" in found.parameters and "state" not in found.parameters
        weak = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    async with shop_provider(op={"profile": "main", "consent": "skip_first_party", "require_pkce": True}) as op:
        assert (await end(op, address(request=signed(typ=WHOLE), **weak))).error == "invalid_request"
        assert (await end(op, address(request=signed(), **weak))).error is None


@pytest.mark.spec("RFC 9101", "10.5")
@pytest.mark.parametrize("request_object", [signed(), signed(typ=WHOLE), mac()])
async def test_holds_clients_to_signing_if_they_said_so(request_object: str) -> None:
    async with shop_provider(require_signed_request_object=True) as op:
        assert (await end(op, address())).error == "invalid_request"
        assert (await end(op, address(request=unsigned()))).error == "invalid_request_object"
        assert (await end(op, address(request=request_object))).parameters["state"] == "inside"


@pytest.mark.spec("RFC 9101", "5")
async def test_refuses_what_says_one_thing_outside_and_another_inside() -> None:
    differing = (signed(typ=typ, **other) for typ in (WHOLE, None) for other in DIFFERING)
    async with shop_provider() as op:
        for request_object in differing:
            found = await end(op, address(request=request_object))
            assert found.error == "invalid_request" and found.parameters["state"] == "s"
