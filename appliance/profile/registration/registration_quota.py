"""How many clients one address may register in an hour (RFC 7591 5), and how many accounts it may ask for."""

import math
from typing import Final

from appliance.protocol.errors import TooManyRequests
from appliance.protocol.handles import stored_id
from appliance.protocol.records import Attempts
from appliance.seams import Change, Store, Tools
from appliance.throttle import network_of

_HOUR: Final = 3600
_TRIES: Final = 4


class RegistrationQuota:
    """Counts the registrations of each address at one issuer; `what` is registered keeps counters apart."""

    def __init__(self, *, issuer: str, quota: int, store: Store, tools: Tools, what: str = "registration") -> None:
        self._what = what
        self._issuer = issuer
        self._quota = quota
        self._store = store
        self._clock = tools.clock

    async def count(self, peer: str) -> None:
        """Count one, whether it will succeed or not. TooManyRequests; StoreUnavailable."""
        name = stored_id("\x1f".join((self._what, self._issuer, network_of(peer))))
        for _ in range(_TRIES):
            now = self._clock()
            seen = await self._store.get(Attempts, name)
            if seen is not None and seen.failures >= self._quota:
                raise _too_many(math.ceil(seen.expires_at - now))
            until, done = (now + _HOUR, 0) if seen is None else (seen.expires_at, seen.failures)
            counted = Attempts(name, self._issuer, until, failures=done + 1, last_at=now)
            expect, absent = ((), (counted,)) if seen is None else ((seen,), ())
            if await self._store.commit(Change(put=(counted,), expect=expect, absent=absent)):
                return
        raise _too_many(1)


def _too_many(retry_after: int) -> TooManyRequests:
    refused = TooManyRequests(max(retry_after, 1))
    refused.description = "too many registrations from this address, try again later"
    return refused
