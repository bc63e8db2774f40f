"""Attacks on what a security profile switches off, tried at the issuer that has it."""

from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Any

import pytest

from appliance.client_assertions import JWT_BEARER
from appliance.jose.tokens import sign
from tests.support.browser import header
from tests.support.objects import ISSUER, KEY
from tests.support.provider import Provider
from tests.support.pushing import Shop, pushing_provider

IN_FRONT = ("token", "id_token", "id_token token", "code token", "code id_token", "code id_token token")
TOKENS = ("access_token", "id_token", "code=", 'name="code"')
_NUMBERS = count()


def fapi_provider() -> AbstractAsyncContextManager[Provider]:
    """A FAPI 2.0 issuer whose one client signs its assertions."""
    client: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt", "client_secrets": []}
    return pushing_provider(profile={"security_profile": "fapi2"}, **client)


def proved(op: Provider) -> dict[str, Any]:
    """The parameters by which the client proves itself, each time with another assertion."""
    now = int(op.clock())
    claims = {"iss": "shop", "sub": "shop", "aud": ISSUER, "jti": f"a-{next(_NUMBERS)}", "iat": now, "exp": now + 60}
    return {"client_assertion_type": JWT_BEARER, "client_assertion": sign(KEY, claims)}


def fapi_shop(op: Provider) -> Shop:
    """The client, without the secret that it does not have."""
    shop = Shop(op)
    shop.secret = None
    return shop


@pytest.mark.attack("RT-12")
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.2")
async def test_no_other_response_type_than_code_can_be_pushed() -> None:
    async with fapi_provider() as op:
        for response_type in IN_FRONT:
            refused = await fapi_shop(op).push(response_type=response_type, nonce="n", **proved(op))
            assert (refused.status, refused.error) == (400, "unsupported_response_type"), response_type
            assert "request_uri" not in refused.body


@pytest.mark.attack("RT-12")
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.2")
async def test_no_token_comes_by_the_browser_of_a_user_who_is_logged_in() -> None:
    async with fapi_provider() as op:
        shop = fapi_shop(op)
        pushed = await shop.push(**proved(op))
        landed = await shop.log_in(await shop.visit(pushed["request_uri"]))
        assert "code" in landed and "access_token" not in landed
        for response_type in IN_FRONT:
            # Straight, in each mode.
            for mode in (None, "query", "fragment", "form_post"):
                refused = await shop.ask(response_type=response_type, response_mode=mode, nonce="n")
                said = (header(refused, "Location") or "") + refused.body.decode()
                assert refused.status == 400 or "error=" in said or 'name="error"' in said, said
                assert not any(name in said for name in TOKENS), said
            # Beside a reference that asked for a code.
            reference = (await shop.push(**proved(op)))["request_uri"]
            end = await shop.visit(reference, response_type=response_type, response_mode="fragment", nonce="n")
            location = header(end, "Location") or ""
            assert "code=" in location and "#" not in location
            assert "access_token" not in location and "id_token" not in location
