"""Notes that clients must be told, until they heard them: what logouts and pings share.

What is to be told stands in the store from the very step that gave rise to it. Each attempt is noted there before it
is made, so whatever happens in the middle (a lost answer, the death of the process) it is made again, and no two
nodes make it at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from appliance.outbound.client import Fetched
from appliance.protocol.records import LogoutDelivery, PingDelivery
from appliance.seams import Change, Store, StoreUnavailable, Tools

#: How often a client is tried, and how long after the first and at most between two tries, seconds.
MAX_ATTEMPTS: Final = 10
FIRST_PAUSE: Final = 30
LONGEST_PAUSE: Final = 3600

_AT_ONCE: Final = 16
_A_ROUND: Final = 200
#: Answers after which another try may help (RFC 9110 15): the rest is the client's last word.
_TEMPORARY: Final = frozenset({408, 425, 429})

D = TypeVar("D", LogoutDelivery, PingDelivery)


class Notice(Protocol):
    """Where it is told that a client could not be."""

    def notice(self, event: str, **facts: str) -> None:
        """One line for the operator."""


class NotTold(Exception):
    """An attempt that did not work, and whether another may."""

    def __init__(self, reason: str, *, temporary: bool, retry_after: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.temporary = temporary
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Told(Generic[D]):
    """What is told: the kind of note, its word in the log, who tells it, and by what those who wait know it."""

    kind: type[D]
    event: str
    #: Tells one client once. NotTold.
    tell: Callable[[D], Awaitable[None]]
    label: Callable[[D], str]


class Deliveries(Generic[D]):
    """The notes of one kind at one issuer, told in parallel and within bounds."""

    def __init__(self, told: Told[D], *, issuer: str, store: Store, tools: Tools, report: Notice) -> None:
        self._told: Told[D] = told
        self._issuer = issuer
        self._store = store
        self._clock = tools.clock
        self._report = report
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._running: dict[str, asyncio.Task[None]] = {}

    def begin(self, deliveries: Iterable[D]) -> None:
        """Start to deliver, without waiting for it."""
        for delivery in deliveries:
            if delivery.id in self._running:
                continue
            name = self._told.label(delivery)
            task = asyncio.get_running_loop().create_task(self._deliver(delivery), name=name)
            self._running[delivery.id] = task
            task.add_done_callback(partial(self._forget, delivery.id))

    async def resume(self) -> int:
        """Start whatever is due in the store; how many. StoreUnavailable."""
        now = self._clock()
        waiting = await self._store.find(self._told.kind, "issuer", self._issuer)
        due = sorted((one for one in waiting if one.due_at <= now), key=lambda one: one.due_at)[:_A_ROUND]
        self.begin(due)
        return len(due)

    async def wait(self, patience: float, labels: Container[str] | None = None) -> None:
        """Wait, so many seconds at most, for what was begun (with these labels); it goes on afterwards."""
        tasks = [task for task in self._running.values() if labels is None or task.get_name() in labels]
        if tasks:
            await asyncio.wait(tasks, timeout=patience)

    async def close(self, patience: float) -> None:
        """Wait that long, then stop: what was not told stands in the store and is taken up again."""
        await self.wait(patience)
        tasks = tuple(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, id: str, _: asyncio.Task[None]) -> None:
        self._running.pop(id, None)

    async def _deliver(self, delivery: D) -> None:
        event, client_id = self._told.event, delivery.client_id
        try:
            async with self._places:
                claimed = await self._claim(delivery)
                if claimed is not None:
                    await self._attempt(claimed)
        except StoreUnavailable:
            # It stands there still, and the next round finds it.
            self._report.notice(f"{event}_postponed", client_id=client_id)
        except Exception as error:  # noqa: BLE001 - nobody waits for this task; its fault must be seen
            self._report.notice(f"{event}_failed", client_id=client_id, exception=type(error).__name__)

    async def _claim(self, delivery: D) -> D | None:
        """The note with this attempt on it; None when somebody else makes it."""
        attempts = delivery.attempts + 1
        due_at = self._clock() + min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
        claimed = replace(delivery, attempts=attempts, due_at=due_at)
        return claimed if await self._store.commit(Change(put=(claimed,), expect=(delivery,))) else None

    async def _attempt(self, delivery: D) -> None:
        try:
            await self._told.tell(delivery)
        except NotTold as failed:
            if failed.temporary and delivery.attempts < MAX_ATTEMPTS:
                later = self._clock() + min(failed.retry_after, LONGEST_PAUSE)
                if later > delivery.due_at:
                    postponed = replace(delivery, due_at=later)
                    await self._store.commit(Change(put=(postponed,), expect=(delivery,)))
                return
            self._report.notice(
                f"{self._told.event}_dropped",
                client_id=delivery.client_id,
                reason=failed.reason,
                attempts=str(delivery.attempts),
            )
        await self._store.commit(Change(delete=(delivery,)))


def check_answer(answer: Fetched) -> None:
    """NotTold unless a client's answer says that it heard."""
    # An empty answer is often made a 204 (Back-Channel Logout 2.8, CIBA 10.2).
    if answer.status not in (200, 204):
        temporary = answer.status >= 500 or answer.status in _TEMPORARY
        raise NotTold(f"it answered {answer.status}", temporary=temporary, retry_after=_retry_after(answer))


def _retry_after(answer: Fetched) -> int:
    """Seconds, where the client says so in seconds (RFC 9110 10.2.3)."""
    said = answer.headers.get("retry-after", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 0
