"""The throttle: counted before it is evaluated, never for ever."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from appliance.parts.stores import STORES
from appliance.parts.stores.memory import Memory
from appliance.parts.stores.sqlite import Sqlite
from appliance.protocol.records import Attempts
from appliance.seams import Change, Store, Tools
from appliance.throttle import Throttle, Throttled
from tests.parts.users import ISSUER, LIMITS, NOW, Clock

DAY = 86_400


@pytest.fixture
def clock() -> Clock:
    """A clock to move."""
    return Clock()


@pytest.fixture(params=sorted(STORES))
async def store(request: pytest.FixtureRequest, clock: Clock, tmp_path: object) -> AsyncIterator[Store]:
    """Each store of the catalogue."""
    tools = Tools(clock=clock, entropy=bytes)
    opened: Store = Memory(tools) if request.param == "memory" else Sqlite(f"{tmp_path}/x.db", "normal", tools)
    yield opened
    await opened.close()


@pytest.fixture
def throttle(store: Store, clock: Clock) -> Throttle:
    """Five failures an account, fifty an address, then 30 s and up to 15 min."""
    return Throttle(store, Tools(clock=clock, entropy=bytes), LIMITS, ISSUER)


async def fail(throttle: Throttle, clock: Clock, times: int, account: str = "alice", peer: str = "192.0.2.1") -> int:
    """So many attempts, none of them right, whenever the next is allowed; how many seconds they took."""
    started = clock.now
    for _ in range(times):
        try:
            await throttle.begin(account, peer, clock.now)
        except Throttled as throttled:
            clock.now += throttled.retry_after
            await throttle.begin(account, peer, clock.now)
    return int(clock.now - started)


@pytest.mark.attack("AU-02")
async def test_failures_up_to_the_limit_wait_for_nothing_and_then_longer_and_longer(
    throttle: Throttle, clock: Clock
) -> None:
    assert await fail(throttle, clock, 5) == 0
    with pytest.raises(Throttled) as throttled:
        await throttle.begin("alice", "192.0.2.1", clock.now)
    assert throttled.value.retry_after == 30
    assert [await fail(throttle, clock, 1) for _ in range(7)] == [30, 60, 120, 240, 480, 900, 900]


@pytest.mark.attack("AU-02")
@pytest.mark.spec("NIST SP 800-63B", "5.2.2")
async def test_a_hundred_failures_take_a_day_and_each_further_one_another(throttle: Throttle, clock: Clock) -> None:
    peers = [f"192.0.2.{n}" for n in range(100)]
    for peer in peers:
        await fail(throttle, clock, 1, peer=peer)
    assert clock.now - NOW > 0.9 * DAY
    with pytest.raises(Throttled) as throttled:
        await throttle.begin("alice", "198.51.100.1", clock.now)
    assert throttled.value.retry_after == DAY
    clock.now += DAY
    await throttle.begin("alice", "198.51.100.1", clock.now)
    with pytest.raises(Throttled) as throttled:
        await throttle.begin("alice", "198.51.100.2", clock.now)
    assert throttled.value.retry_after == DAY


@pytest.mark.attack("AU-02")
async def test_strangers_do_not_lock_a_user_out_of_an_address_that_is_known(throttle: Throttle, clock: Clock) -> None:
    await throttle.success(await throttle.begin("alice", "203.0.113.7", clock.now))
    for n in range(20):
        await fail(throttle, clock, 1, peer=f"192.0.2.{n}")
    with pytest.raises(Throttled):
        await throttle.begin("alice", "198.51.100.1", clock.now)
    await throttle.success(await throttle.begin("alice", "203.0.113.7", clock.now))
    # His own success is no help to the strangers, and his address is throttled by its own failures.
    with pytest.raises(Throttled):
        await throttle.begin("alice", "198.51.100.1", clock.now)
    assert await fail(throttle, clock, 5, peer="203.0.113.7") == 0
    with pytest.raises(Throttled):
        await throttle.begin("alice", "203.0.113.7", clock.now)


@pytest.mark.attack("AU-03")
async def test_an_address_that_tries_many_accounts_is_throttled_and_others_are_not(
    throttle: Throttle, clock: Clock
) -> None:
    refused = 0
    for n in range(200):
        try:
            await throttle.begin(f"user{n}", "192.0.2.1", clock.now)
        except Throttled:
            refused += 1
    assert refused == 150
    await throttle.begin("user1", "192.0.2.2", clock.now)


@pytest.mark.attack("AU-03")
async def test_an_ipv6_subscriber_is_one_address(throttle: Throttle, clock: Clock) -> None:
    for n in range(50):
        await throttle.begin(f"user{n}", f"2001:db8:1:2:{n:x}::1", clock.now)
    with pytest.raises(Throttled):
        await throttle.begin("user50", "2001:db8:1:2:ffff::1", clock.now)
    await throttle.begin("user50", "2001:db8:1:3::1", clock.now)


async def test_an_ipv4_address_in_ipv6_is_itself(throttle: Throttle, clock: Clock) -> None:
    for n in range(50):
        await throttle.begin(f"user{n}", "::ffff:192.0.2.1", clock.now)
    with pytest.raises(Throttled):
        await throttle.begin("user50", "192.0.2.1", clock.now)
    await throttle.begin("user50", "::ffff:192.0.2.2", clock.now)


@pytest.mark.attack("AU-08")
async def test_of_a_hundred_parallel_guesses_as_many_are_evaluated_as_may(throttle: Throttle, clock: Clock) -> None:
    guesses = (throttle.begin("alice", f"192.0.2.{n}", clock.now) for n in range(100))
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(1 for result in results if not isinstance(result, Throttled)) == 5
    assert not [one for one in results if isinstance(one, BaseException) and not isinstance(one, Throttled)]


@pytest.mark.attack("AU-08")
async def test_of_parallel_guesses_after_the_wait_one_is_evaluated(throttle: Throttle, clock: Clock) -> None:
    await fail(throttle, clock, 6)
    clock.now += 60
    guesses = (throttle.begin("alice", f"192.0.2.{n}", clock.now) for n in range(50))
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(1 for result in results if not isinstance(result, Throttled)) == 1


async def test_success_forgets_the_accounts_failures_and_is_none_of_the_address(
    throttle: Throttle, clock: Clock
) -> None:
    for n in range(60):
        await throttle.success(await throttle.begin(f"user{n}", "192.0.2.1", clock.now))
    await fail(throttle, clock, 4)
    await throttle.success(await throttle.begin("alice", "192.0.2.1", clock.now))
    assert await fail(throttle, clock, 5) == 0


async def test_an_attempt_that_was_not_evaluated_does_not_count(throttle: Throttle, clock: Clock) -> None:
    for _ in range(60):
        await throttle.withdraw(await throttle.begin("alice", "192.0.2.1", clock.now))
    assert await fail(throttle, clock, 5) == 0


async def test_success_of_one_factor_does_not_forget_the_failures_of_another(throttle: Throttle, clock: Clock) -> None:
    await fail(throttle, clock, 5, account="otp\x1falice")
    await throttle.success(await throttle.begin("pwd\x1falice", "192.0.2.1", clock.now))
    with pytest.raises(Throttled):
        await throttle.begin("otp\x1falice", "192.0.2.1", clock.now)


async def test_an_account_has_one_counter_at_all_issuers(store: Store, throttle: Throttle, clock: Clock) -> None:
    other = Throttle(store, Tools(clock=clock, entropy=bytes), LIMITS, "https://op.example.com/workforce")
    await fail(throttle, clock, 5)
    with pytest.raises(Throttled):
        await other.begin("alice", "198.51.100.1", clock.now)


async def test_waiting_alone_earns_no_new_allowance_until_a_day_has_passed(throttle: Throttle, clock: Clock) -> None:
    await fail(throttle, clock, 12)
    clock.now += 3600
    await throttle.begin("alice", "192.0.2.1", clock.now)
    with pytest.raises(Throttled):
        await throttle.begin("alice", "192.0.2.1", clock.now)
    clock.now += 3 * DAY
    assert await fail(throttle, clock, 5) == 0


async def test_a_clock_set_back_makes_nobody_wait_longer_than_the_wait(throttle: Throttle, clock: Clock) -> None:
    await fail(throttle, clock, 5)
    clock.now -= DAY
    with pytest.raises(Throttled) as throttled:
        await throttle.begin("alice", "192.0.2.1", clock.now)
    assert throttled.value.retry_after == 30


async def test_an_unknown_peer_is_counted_by_account_alone(throttle: Throttle, clock: Clock) -> None:
    for n in range(60):
        await throttle.begin(f"user{n}", "", clock.now)
    assert await fail(throttle, clock, 5, peer="") == 0
    with pytest.raises(Throttled):
        await throttle.begin("alice", "", clock.now)


async def test_no_record_shows_a_name_or_an_address(clock: Clock) -> None:
    written: list[Attempts] = []

    class Watched(Memory):
        """Keeps what was put."""

        async def commit(self, change: Change) -> bool:
            written.extend(one for one in change.put if isinstance(one, Attempts))
            return await super().commit(change)

    tools = Tools(clock=clock, entropy=bytes)
    throttle = Throttle(Watched(tools), tools, LIMITS, ISSUER)
    await throttle.success(await throttle.begin("alice", "192.0.2.1", clock.now))
    assert len(written) == 3
    assert not [one for one in written if "alice" in repr(one) or "192.0" in repr(one)]
