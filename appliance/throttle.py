"""The throttle of guesses: an attempt is counted before it is evaluated, whoever wins the race.

Failures count twice: for the account, whatever spelling or address was used, and for the address, whatever
accounts were tried. Below their limit nobody waits. From there on every attempt waits, each twice as long as
the one before, up to `window`. An attempt that must wait is refused unevaluated and does not count.

An account counter is kept for at least a day without attempts and belongs to no issuer: sources are shared
by profiles, and a guess is a guess at any of them. From the hundredth failure in a row the account's wait is
a day (NIST SP 800-63B 5.2.2 allows a hundred). So that nobody can lock a user out like that, an address from
which the account was proved before has a counter of its own, with the same limits: what strangers do
elsewhere does not touch it. Every wait ends, and success forgets the counter that it was under.
"""

import hashlib
import ipaddress
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from appliance.config.declared.profile import Throttle as Limits
from appliance.protocol.handles import stored_id
from appliance.protocol.records import Attempts
from appliance.seams import Change, Store, Tools

_DAY: Final = 86_400
_HUNDRED: Final = 100
#: How long an address stays known to an account after its last success there, seconds.
KNOWN_FOR: Final = 90 * _DAY
# Races that one attempt may lose before it is told to come back: each loss is another's counted attempt.
_TRIES: Final = 100
#: Clients and addresses whose counter is remembered.
_REMEMBERED: Final = 4096
#: Hexadecimal digits of a client id's hash that tell its counter: 4096 counters for each address.
_BUCKET_DIGITS: Final = 3


class Throttled(Exception):
    """Too many failures; `retry_after` seconds from now the next attempt is evaluated."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"throttled for {retry_after} s")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt that is being evaluated: which counters it is under, and what it may make known."""

    counters: tuple["Counter", ...]
    known: str


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter: its record, from how many failures one waits, how long at most, how long it is kept."""

    id: str
    issuer: str
    limit: int
    delay: int
    longest: int
    kept: int
    account: bool

    def wait(self, seen: Attempts | None, at: float) -> float:
        """Seconds until the next attempt may be evaluated; 0 for at once."""
        if seen is None or seen.failures < self.limit:
            return 0.0
        doublings = min(seen.failures - self.limit, 20)
        wait = min(self.delay << doublings, self.longest)
        if self.account and seen.failures >= _HUNDRED:
            wait = _DAY
        # Never longer than the wait itself, should the clock have been set back.
        return max(0.0, min(seen.last_at + wait - at, wait))

    def count(self, seen: Attempts | None, at: float) -> Attempts:
        """The record with one more attempt."""
        failures = (seen.failures if seen else 0) + 1
        return Attempts(self.id, self.issuer, at + self.kept, failures=failures, last_at=at)


class Throttle:
    """The limits of one profile over the counters in the store."""

    def __init__(self, store: Store, tools: Tools, limits: Limits, issuer: str) -> None:
        self._store = store
        self._clock = tools.clock
        self._limits = limits
        self._issuer = issuer

    async def begin(self, account: str, peer: str, at: float) -> Attempt:
        """Count an attempt that is about to be evaluated. Throttled when it must not be.

        `account` names the account in its one form, and what is guessed of it, so that the password's
        success does not forget the failures of the second factor.
        """
        network = network_of(peer)
        known = _id("known", account, network) if network else ""
        recognised = bool(known) and await self._store.get(Attempts, known) is not None
        attempt = Attempt(self._counters(account, network, recognised), known)
        await _count(self._store, attempt.counters, at)
        return attempt

    async def success(self, attempt: Attempt) -> None:
        """The attempt was right: forget the account's failures, take it off the address, know the address."""
        for counter in attempt.counters:
            if counter.account:
                await self._store.commit(Change(delete=(counter.count(None, 0.0),)))
            else:
                await _take_off(self._store, counter)
        if attempt.known:
            now = self._clock()
            record = Attempts(attempt.known, "", now + KNOWN_FOR, failures=0, last_at=now)
            await self._store.commit(Change(put=(record,)))

    async def withdraw(self, attempt: Attempt) -> None:
        """The attempt could not be evaluated, so it was none."""
        for counter in attempt.counters:
            await _take_off(self._store, counter)

    def _counters(self, account: str, network: str, recognised: bool) -> tuple[Counter, ...]:
        limits = self._limits
        delay = max(limits.delay, 1)
        longest = max(limits.window, delay)
        own = Counter(
            id=_id("account", account, network if recognised else ""),
            issuer="",
            limit=min(limits.account_failures, _HUNDRED),
            delay=delay,
            longest=longest,
            kept=max(2 * longest, _DAY) + _DAY,
            account=True,
        )
        if not network:
            return (own,)
        # Kept for longer than the longest wait: waiting alone must not earn a new allowance.
        from_there = Counter(
            id=_id("address", self._issuer, network),
            issuer=self._issuer,
            limit=limits.address_failures,
            delay=delay,
            longest=longest,
            kept=2 * longest,
            account=False,
        )
        return (own, from_there)


class UserCodeThrottle:
    """Guesses at user codes (RFC 8628 5.1), counted before they are looked up.

    For who guesses (his account, or the browser of somebody who is not logged in), for the address, and for all
    who are not logged in together: many addresses find no more of a code that lives for minutes than one. Who is
    logged in need not wait for what strangers do.
    """

    def __init__(self, store: Store, limits: Limits, issuer: str, failures: int) -> None:
        """`failures` of all strangers together before they wait."""
        self._store = store
        self._limits = limits
        self._issuer = issuer
        self._failures = failures

    async def begin(self, user: str, browser: str, peer: str, at: float) -> Attempt:
        """Count a guess. Throttled when it must not be looked up. `user` is empty for who is not logged in."""
        attempt = Attempt(tuple(self._counters(user, browser, network_of(peer))), "")
        await _count(self._store, attempt.counters, at)
        return attempt

    async def right(self, attempt: Attempt) -> None:
        """It was none: the code is there."""
        for counter in attempt.counters:
            await _take_off(self._store, counter)

    def _counters(self, user: str, browser: str, network: str) -> Iterator[Counter]:
        own = self._limits.account_failures
        yield self._counter(own, "user", user) if user else self._counter(own, "browser", browser)
        if network:
            yield self._counter(self._limits.address_failures, "address", network)
        if not user:
            yield self._counter(self._failures, "everyone")

    def _counter(self, limit: int, *names: str) -> Counter:
        return _counter_of(self._limits, limit, self._issuer, "user code", *names)


class AskThrottle:
    """Requests about a user that he did not allow (CIBA 14): of one client, and of all clients together.

    Whoever asks again and again until somebody says yes by mistake has to wait longer and longer.
    """

    def __init__(self, store: Store, limits: Limits, issuer: str, unanswered: int) -> None:
        """`unanswered` requests of one client before it waits; four times as many of all."""
        self._store = store
        self._limits = limits
        self._issuer = issuer
        self._unanswered = unanswered

    async def begin(self, about: str, client_id: str, at: float) -> None:
        """Count a request about somebody. Throttled when it must not be made."""
        await _count(self._store, self._counters(about, client_id), at)

    async def allowed(self, about: str, client_id: str) -> None:
        """He allowed one, so that this client is no stranger."""
        own, everyone = self._counters(about, client_id)
        await self._store.commit(Change(delete=(own.count(None, 0.0),)))
        await _take_off(self._store, everyone)

    def _counters(self, about: str, client_id: str) -> tuple[Counter, Counter]:
        own = self._counter(self._unanswered, about, client_id)
        return own, self._counter(4 * self._unanswered, about)

    def _counter(self, limit: int, *names: str) -> Counter:
        return _counter_of(self._limits, limit, self._issuer, "asked", *names)


class ClientThrottle:
    """Failed client authentications, counted for a client and an address together (RFC 6749 10.10).

    What is guessed here has 256 bits, so counting after a failure is enough, and who proves itself pays one
    read. The right client at another address never notices, and a success forgets the failures: instances of one
    client behind one address do not shut each other out while their secret is changed. A client is counted under
    one of some buckets, known or not: nobody learns from a wait which clients exist, and no address makes more
    than these records.
    """

    def __init__(self, store: Store, limits: Limits, issuer: str) -> None:
        self._store = store
        self._limits = limits
        self._issuer = issuer
        # The digests of a name and an address are the same for every request of an instance of a client.
        self._counter = lru_cache(maxsize=_REMEMBERED)(self._counter_of)

    async def check(self, client_id: str, peer: str, at: float) -> Attempts | None:
        """The failures of this client at this address; Throttled when they are too many to hear it now."""
        counter = self._counter(client_id, peer)
        if counter is None:
            return None
        seen = await self._store.get(Attempts, counter.id)
        if wait := counter.wait(seen, at):
            raise Throttled(math.ceil(wait))
        return seen

    async def succeeded(self, seen: Attempts | None) -> None:
        """Forget the failures that `check` found."""
        if seen is not None:
            await self._store.commit(Change(delete=(seen,)))

    async def failed(self, client_id: str, peer: str, at: float) -> None:
        """Count a failure."""
        counter = self._counter(client_id, peer)
        if counter is None:
            return
        for _ in range(_TRIES):
            seen = await self._store.get(Attempts, counter.id)
            counted = counter.count(seen, at)
            expect, absent = ((), (counted,)) if seen is None else ((seen,), ())
            if await self._store.commit(Change(put=(counted,), expect=expect, absent=absent)):
                return

    def _counter_of(self, client_id: str, peer: str) -> Counter | None:
        network = network_of(peer)
        if not network:
            return None
        bucket = hashlib.sha256(client_id.encode("utf-8", "surrogatepass")).hexdigest()[:_BUCKET_DIGITS]
        delay = max(self._limits.delay, 1)
        longest = max(self._limits.window, delay)
        return Counter(
            id=_id("client", self._issuer, bucket, network),
            issuer=self._issuer,
            # Many instances of one client share an address, so it has the allowance of an address.
            limit=self._limits.address_failures,
            delay=delay,
            longest=longest,
            kept=2 * longest,
            account=False,
        )


def _counter_of(limits: Limits, limit: int, issuer: str, *names: str) -> Counter:
    """A counter with the usual waits."""
    delay = max(limits.delay, 1)
    longest = max(limits.window, delay)
    return Counter(
        id=_id(issuer, *names),
        issuer=issuer,
        limit=limit,
        delay=delay,
        longest=longest,
        kept=2 * longest,
        account=False,
    )


async def _count(store: Store, counters: tuple[Counter, ...], at: float) -> None:
    """Count an attempt under all of these, or none. Throttled when it must wait."""
    for _ in range(_TRIES):
        seen = [await store.get(Attempts, counter.id) for counter in counters]
        pairs = tuple(zip(counters, seen, strict=True))
        if wait := max(counter.wait(record, at) for counter, record in pairs):
            raise Throttled(math.ceil(wait))
        counted = tuple(counter.count(record, at) for counter, record in pairs)
        change = Change(
            put=counted,
            expect=tuple(record for record in seen if record is not None),
            absent=tuple(new for new, record in zip(counted, seen, strict=True) if record is None),
        )
        if await store.commit(change):
            return
    raise Throttled(1)


async def _take_off(store: Store, counter: Counter) -> None:
    for _ in range(_TRIES):
        seen = await store.get(Attempts, counter.id)
        if seen is None:
            return
        fewer = replace(seen, failures=seen.failures - 1)
        kept, gone = ((fewer,), ()) if fewer.failures > 0 else ((), (seen,))
        if await store.commit(Change(put=kept, delete=gone, expect=(seen,))):
            return


def _id(*parts: str) -> str:
    # A digest: names that were typed and addresses of people are not to be read from the store.
    return stored_id("\x1f".join(parts))


def network_of(peer: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 subscriber has; "" for none."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(address), 64), strict=False))
        address = address.ipv4_mapped
    return str(address)
