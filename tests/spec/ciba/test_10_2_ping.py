"""CIBA Core 10.2: clients that are told that a decision waits for them."""

import json

import pytest

from appliance.profile.deliveries import FIRST_PAUSE, MAX_ATTEMPTS
from appliance.protocol.records import PingDelivery
from tests.support.live import PATIENCE
from tests.support.logging_out import Receiver, receiving
from tests.support.provider import Provider, provider
from tests.support.waiting import CIBA, ISSUER, Caller, backchannels, client, loopback

TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"


def pinged(receiver: Receiver) -> dict[str, str]:
    """A provider with a shop that listens."""
    shop = client(
        "shop",
        grant_types=[CIBA],
        backchannel_token_delivery_mode="ping",
        backchannel_client_notification_endpoint=receiver.uri("/ciba"),
    )
    return backchannels() | shop | loopback()


async def settled(op: Provider) -> tuple[PingDelivery, ...]:
    """What still waits once everything that was begun has ended."""
    pending = op.snapshot.profiles["retail"].pending
    assert pending is not None and pending.backchannel is not None
    await pending.backchannel.pings.wait(PATIENCE)
    return await op.snapshot.shared.store.find(PingDelivery, "issuer", ISSUER)


async def resume(op: Provider) -> tuple[PingDelivery, ...]:
    """A round of maintenance."""
    for each in op.snapshot.profiles["retail"].deliveries:
        await each.resume()
    return await settled(op)


@pytest.mark.spec("CIBA Core 1.0", "10.2")
@pytest.mark.parametrize("allow", [True, False])
@pytest.mark.parametrize("status", [204, 200])
async def test_tells_a_client_which_request_was_decided_on_and_not_how(allow: bool, status: int) -> None:
    async with receiving(Receiver(status=lambda _: status)) as receiver, provider(edit=pinged(receiver)) as op:
        caller = Caller(op, "shop")
        await caller.begin(client_notification_token=TOKEN)
        assert await settled(op) == () and receiver.paths == []
        await caller.decide(allow=allow)
        assert await settled(op) == ()
        assert receiver.paths == ["/ciba"]
        head = receiver.heads[0].lower()
        assert head.startswith("post /ciba ") and f"authorization: bearer {TOKEN}" in head
        assert "content-type: application/json" in head
        assert json.loads(receiver.bodies[0]) == {"auth_req_id": caller.begun["auth_req_id"]}
        answer = await caller.poll()
        assert (answer.status == 200) if allow else (answer.error == "access_denied")


@pytest.mark.spec("CIBA Core 1.0", "10.1")
async def test_lets_clients_that_are_pinged_poll_as_well() -> None:
    async with receiving() as receiver, provider(edit=pinged(receiver)) as op:
        caller = Caller(op, "shop")
        await caller.begin(client_notification_token=TOKEN)
        assert (await caller.poll()).error == "authorization_pending"
        assert (await caller.poll()).error == "slow_down"


@pytest.mark.spec("CIBA Core 1.0", "10.2")
async def test_tells_nobody_who_did_not_ask_for_it() -> None:
    async with receiving() as receiver, provider(edit=pinged(receiver)) as op:
        caller = Caller(op, "bank")
        await caller.begin(client_notification_token=TOKEN)
        await caller.decide()
        assert await settled(op) == () and receiver.paths == []


@pytest.mark.attack("DV-12")
@pytest.mark.spec("CIBA Core 1.0", "10.2")
@pytest.mark.parametrize("status", [500, 503, 429])
async def test_tries_again_where_that_may_help_and_over_a_reload(status: int) -> None:
    answers = Receiver(status=lambda n: status if n < 3 else 204)
    async with receiving(answers) as receiver, provider(edit=pinged(receiver)) as op:
        caller = Caller(op, "shop")
        await caller.begin(client_notification_token=TOKEN)
        await caller.decide()
        assert len(await settled(op)) == 1
        assert len(await resume(op)) == 1 and len(receiver.paths) == 1, "not before its time"
        await op.load()
        op.clock.forward(FIRST_PAUSE + 1)
        assert len(await resume(op)) == 1 and len(receiver.paths) == 2
        op.clock.forward(2 * FIRST_PAUSE + 1)
        assert await resume(op) == () and len(receiver.paths) == 3
        assert (await caller.poll()).status == 200


@pytest.mark.attack("DV-12")
@pytest.mark.spec("CIBA Core 1.0", "10.2")
@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404])
async def test_follows_no_redirect_and_takes_a_no_for_an_answer(status: int) -> None:
    async with receiving() as trap:
        answer = Receiver(status=lambda _: status, headers=f"Location: {trap.uri()}\r\n")
        async with receiving(answer) as receiver, provider(edit=pinged(receiver)) as op:
            caller = Caller(op, "shop")
            await caller.begin(client_notification_token=TOKEN)
            await caller.decide()
            assert await settled(op) == ()
            assert len(receiver.paths) == 1 and trap.paths == []
            assert [event for event, _ in op.report.notices] == ["ping_delivery_dropped"]
            assert TOKEN not in str(op.report.notices) and caller.begun["auth_req_id"] not in str(op.report.notices)
            assert (await caller.poll()).status == 200


@pytest.mark.attack("DV-12")
async def test_asks_no_address_within_and_waits_for_nobody_who_hangs() -> None:
    """The address of a client is one of the inside, or its server never answers: the user notices neither."""
    async with receiving(Receiver(hold=True)) as receiver, provider(edit=pinged(receiver)) as op:
        caller = Caller(op, "shop")
        await caller.begin(client_notification_token=TOKEN)
        await caller.decide()
        assert caller.browser.path == "/retail/approval/done"
        assert (await caller.poll()).status == 200
    inside = client(
        "shop",
        grant_types=[CIBA],
        backchannel_token_delivery_mode="ping",
        backchannel_client_notification_endpoint="https://10.0.0.1/ciba",
    )
    async with provider(edit=backchannels() | inside) as op:
        caller = Caller(op, "shop")
        await caller.begin(client_notification_token=TOKEN)
        await caller.decide()
        (waiting,) = await settled(op)
        assert waiting.attempts == 1 < MAX_ATTEMPTS


@pytest.mark.spec("CIBA Core 1.0", "10.2")
async def test_forgets_pings_with_their_requests() -> None:
    async with receiving(Receiver(status=lambda _: 500)) as receiver, provider(edit=pinged(receiver)) as op:
        caller = Caller(op, "shop")
        await caller.begin(client_notification_token=TOKEN)
        await caller.decide()
        assert len(await settled(op)) == 1
        op.clock.forward(301)
        assert await resume(op) == () and len(receiver.paths) == 1
