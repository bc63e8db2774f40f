"""Keys of clients: registered, fetched, changed, and not to be had."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from appliance.jose.keys import SigningKey
from appliance.jose.tokens import sign
from appliance.outbound.client import OutboundClient, Policy
from tests.outbound.servers import Served, plain, serving
from tests.support.assertions import FETCHED, claims, key, key_set, present, provider
from tests.support.minting import Answer, Mint


class Site:
    """A client's site with its key set, and a provider that fetches it."""

    def __init__(self, op: Mint, server: Served) -> None:
        self.op = op
        self.server = server
        self.answer: Any = plain(b"{}")
        self.number = 0

    def publish(self, *keys: SigningKey, more: tuple[dict[str, Any], ...] = ()) -> None:
        """Serve a key set from now on."""
        jwks = key_set(*keys)
        self.answer = plain(json.dumps({"keys": [*more, *jwks["keys"]]}).encode())

    async def prove(self, signer: SigningKey) -> Answer:
        """The client's token request, with an assertion of its own each time."""
        self.number += 1
        now = int(self.op.now[0])
        text = sign(signer, claims(FETCHED, jti=f"n-{self.number}", iat=now, exp=now + 60))
        return await present(self.op, text)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made: list[Site] = []

    async def answer(head: bytes, writer: Any) -> None:
        await made[0].answer(head, writer)

    async with serving(answer) as server:
        client = replace(FETCHED, jwks_uri=server.url("/jwks.json"))
        op = await provider(clients=(client,), outbound=OutboundClient(Policy(allow_loopback=True), timeout=2))
        made.append(Site(op, server))
        yield made[0]


@pytest.mark.spec("OpenID Connect Core", "10.1.1")
async def test_a_key_set_is_fetched_once_and_again_for_a_kid_that_is_new(site: Site) -> None:
    old, new = key("ES256", "old"), key("ES256", "new")
    site.publish(old)
    for _ in range(3):
        assert (await site.prove(old)).status == 200
    assert len(site.server.asked) == 1
    site.op.forward(61)
    site.publish(old, new)
    assert (await site.prove(new)).status == 200
    assert (await site.prove(old)).status == 200
    assert len(site.server.asked) == 2


@pytest.mark.attack("SS-08", "CA-35")
async def test_unknown_kids_cause_one_request_a_minute(site: Site) -> None:
    site.publish(key("ES256", "old"))
    assert (await site.prove(key("ES256", "old"))).status == 200
    for number in range(4):
        assert (await site.prove(key("ES256", f"strange-{number}"))).status == 401
    assert len(site.server.asked) == 1
    site.op.forward(61)
    for number in range(3):
        assert (await site.prove(key("ES256", f"strange-{number}"))).status in (401, 429)
    assert len(site.server.asked) == 2


@pytest.mark.attack("CA-35")
async def test_a_key_that_was_taken_out_of_the_set_ends_with_the_set_s_freshness(site: Site) -> None:
    old, new = key("ES256", "old"), key("ES256", "new")
    site.publish(old, new)
    assert (await site.prove(old)).status == 200
    site.publish(new)
    site.op.forward(600)
    assert (await site.prove(old)).status == 401
    assert (await site.prove(new)).status == 200


@pytest.mark.attack("SS-08")
@pytest.mark.parametrize(
    "broken",
    [
        plain(b'{"keys":[]}'),
        plain(b'{"keys":{}}'),
        plain(b"[]"),
        plain(b"{", status="500 Oops"),
        plain(b'{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'),
        plain(b"", "Location: http://127.0.0.1/", status="302 Found"),
    ],
)
async def test_the_last_good_set_is_used_while_the_site_is_broken(site: Site, broken: Any) -> None:
    site.publish(key("ES256", "old"))
    assert (await site.prove(key("ES256", "old"))).status == 200
    site.answer = broken
    site.op.forward(600)
    for _ in range(4):
        assert (await site.prove(key("ES256", "old"))).status == 200
    assert len(site.server.asked) == 2
    site.op.forward(600 + 21600)
    assert (await site.prove(key("ES256", "old"))).status == 401


@pytest.mark.attack("SS-08")
async def test_a_site_that_was_never_good_is_a_refused_client(site: Site) -> None:
    site.answer = plain(b"", status="503 Down")
    for _ in range(3):
        answer = await site.prove(key("ES256", "old"))
        assert (answer.status, answer.code) == (401, "invalid_client")
    assert len(site.server.asked) == 1
    site.op.forward(11)
    site.publish(key("ES256", "old"))
    assert (await site.prove(key("ES256", "old"))).status == 200


@pytest.mark.spec("RFC 7517", "5")
async def test_keys_that_cannot_be_used_do_not_spoil_the_others(site: Site) -> None:
    strange = (
        {"kty": "XX", "kid": "a"},
        {"kty": "RSA", "kid": "b", "e": "AQAB", "n": "AQAB"},
        {"kty": "EC", "crv": "secp256k1", "kid": "c", "x": "AA", "y": "AA"},
        {**key_set(key("ES256", "enc"))["keys"][0], "use": "enc"},
    )
    site.publish(key("ES256", "good"), more=strange)
    assert (await site.prove(key("ES256", "good"))).status == 200
    assert (await site.prove(key("ES256", "enc"))).status == 401


async def test_a_site_on_this_machine_is_not_asked_unless_allowed() -> None:
    async with serving(plain(json.dumps(key_set(key("ES256"))).encode())) as server:
        client = replace(FETCHED, jwks_uri=server.url("/jwks.json"))
        op = await provider(clients=(client,))
        assert (await present(op, sign(key("ES256"), claims(client)))).status == 401
    assert server.asked == []
