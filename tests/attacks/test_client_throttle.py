"""Attacks on client secrets by trying many."""

from dataclasses import replace

import pytest

from appliance.protocol.client import Client
from appliance.protocol.messages import Request
from appliance.protocol.records import Attempts
from appliance.snapshot import error_response
from tests.support.minting import CLIENT, NOW, POSTER, PROFILE, SPA, Answer, Mint, basic, mint, request

ATTACKER, HOME = "203.0.113.7", "198.51.100.1"
LIMIT = PROFILE.throttle.address_failures
pytestmark = [pytest.mark.attack("CA-16"), pytest.mark.spec("RFC 6749", "10.10")]


def asking(op: Mint, peer: str, client: Client = CLIENT, secret: str | None = None) -> Request:
    asked = request(client, now=op.now[0], grant_type="client_credentials", scope="reports.read")
    if secret is not None:
        asked = replace(asked, headers={**asked.headers, "authorization": (basic(client.client_id, secret),)})
    return replace(asked, peer=peer)


async def ask(op: Mint, peer: str, client: Client = CLIENT, secret: str | None = None) -> Answer:
    return await op.send(asking(op, peer, client, secret))


async def test_many_wrong_secrets_are_not_heard_any_more_and_the_right_client_elsewhere_is() -> None:
    op = await mint()
    answers = [await ask(op, ATTACKER, secret=f"guess-{number}") for number in range(1000)]
    assert [answer.status for answer in answers] == [401] * LIMIT + [429] * (1000 - LIMIT)
    refused = await ask(op, ATTACKER)
    assert refused.status == 429 and refused.error is not None
    assert dict(error_response(refused.error).headers)["Retry-After"] == str(PROFILE.throttle.delay)
    assert (await ask(op, HOME)).status == 200
    # Another client at the attacker's address, and one without a secret to be guessed.
    assert (await ask(op, ATTACKER, POSTER)).status == 200
    public = request(SPA, grant_type="refresh_token", refresh_token="x")
    assert (await op.send(replace(public, peer=ATTACKER))).code == "invalid_grant"


async def test_each_further_failure_waits_longer_and_every_wait_ends() -> None:
    op = await mint()
    for _ in range(LIMIT):
        await ask(op, ATTACKER, secret="wrong")
    waits = []
    for _ in range(8):
        refused = await ask(op, ATTACKER, secret="wrong")
        assert refused.status == 429 and refused.error is not None
        waits.append(refused.error.retry_after)
        op.forward(refused.error.retry_after)
        assert (await ask(op, ATTACKER, secret="wrong")).status == 401
    assert waits == sorted(waits) and waits[0] == 1 and waits[-1] == PROFILE.throttle.window
    op.forward(PROFILE.throttle.window)
    assert (await ask(op, ATTACKER)).status == 200


async def test_a_success_forgets_the_failures_of_other_instances_behind_the_same_address() -> None:
    op = await mint()
    for _ in range(3):
        for _ in range(LIMIT - 1):
            assert (await ask(op, HOME, secret="old")).status == 401
        assert (await ask(op, HOME)).status == 200


async def test_a_client_that_does_not_exist_waits_like_one_that_does() -> None:
    op = await mint()
    nobody = replace(CLIENT, client_id="nobody")
    statuses = [(await ask(op, ATTACKER, nobody, "guess")).status for _ in range(LIMIT + 2)]
    assert statuses == [401] * LIMIT + [429] * 2


async def test_the_memory_of_one_address_is_bounded_and_holds_no_names() -> None:
    op = await mint()
    for number in range(6000):
        await ask(op, ATTACKER, replace(CLIENT, client_id=f"made-up-{number}"), "guess")
    records = [record for record in op.store._records.values() if isinstance(record, Attempts)]  # type: ignore[attr-defined]
    assert 0 < len(records) <= 4096
    assert not any("made-up" in record.id or ATTACKER in record.id for record in records)
    assert max(record.expires_at for record in records) <= NOW + 2 * PROFILE.throttle.window


async def test_who_has_no_address_is_not_counted_against_others() -> None:
    op = await mint()
    assert {(await ask(op, "", secret="wrong")).status for _ in range(LIMIT + 5)} == {401}
    assert (await ask(op, "")).status == 200
