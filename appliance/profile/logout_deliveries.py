"""Back-channel logout, the delivering half (OpenID Connect Back-Channel Logout 2.4 to 2.8).

What is to be told stands in the store from the very step that ended the session. Each attempt is noted there before
it is made, so whatever happens in the middle (a lost answer, the death of the process) it is made again, and no two
nodes make it at once. The token is made anew each time: its life is shorter than the wait between two attempts.
"""

import asyncio
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from appliance.outbound.client import Fetched
from appliance.outbound.problems import OutboundProblem
from appliance.profile.claims import ClaimsRelease
from appliance.profile.clients import Clients
from appliance.profile.response_protection import ResponseProtection
from appliance.protocol import base64url
from appliance.protocol.client import Client
from appliance.protocol.errors import OAuthError, ServerError
from appliance.protocol.records import LogoutDelivery
from appliance.seams import Change, Source, SourceUnavailable, Store, StoreUnavailable, Tools

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
#: Life of a logout token, seconds (2.4 recommends two minutes at most).
TOKEN_TTL: Final = 120
#: How often a client is tried, and how long after the first and at most between two tries, seconds.
MAX_ATTEMPTS: Final = 10
FIRST_PAUSE: Final = 30
LONGEST_PAUSE: Final = 3600
#: How long what could not be told is kept at most; attempts end long before.
KEPT: Final = 86400

_AT_ONCE: Final = 16
_A_ROUND: Final = 200
#: One client's own wait and the most that is read of its answer, which says nothing that is needed.
_TIMEOUT: Final = 5.0
_MAX_BYTES: Final = 16384
#: Answers after which another try may help (RFC 9110 15): the rest is the client's last word.
_TEMPORARY: Final = frozenset({408, 425, 429})


class Post(Protocol):
    """The part of the guarded HTTP client that is needed here."""

    async def post(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        accept: str = "*/*",
        max_bytes: int = _MAX_BYTES,
        timeout: float | None = None,  # noqa: ASYNC109 - the deadline is part of the promise
    ) -> Fetched:
        """POST a form. OutboundProblem."""


class Notice(Protocol):
    """Where it is told that a client could not be."""

    def notice(self, event: str, **facts: str) -> None:
        """One line for the operator."""


class _Failed(Exception):
    """An attempt that did not work, and whether another may."""

    def __init__(self, reason: str, *, temporary: bool, retry_after: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.temporary = temporary
        self.retry_after = retry_after


class LogoutTokens:
    """Makes the logout tokens of one issuer, for each client as it knows the user."""

    def __init__(
        self,
        *,
        issuer: str,
        claims: ClaimsRelease,
        sources: Mapping[str, Source],
        protection: ResponseProtection,
        tools: Tools,
    ) -> None:
        self._issuer = issuer
        self._claims = claims
        self._sources = sources
        self._protection = protection
        self._tools = tools

    async def issue(self, delivery: LogoutDelivery, client: Client) -> str:
        """A logout token (2.4). SourceUnavailable; ServerError when it cannot be protected as registered."""
        now = int(self._tools.clock())
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": client.client_id,
            "iat": now,
            "exp": now + TOKEN_TTL,
            "jti": base64url.encode(self._tools.entropy(24)),
            "events": {EVENT: {}},
            "sid": delivery.sid,
        }
        sub = await self._sub(delivery, client)
        if sub:
            claims["sub"] = sub
        return await self._protection.logout_token(client, claims)

    async def _sub(self, delivery: LogoutDelivery, client: Client) -> str:
        source = self._sources.get(delivery.subject.source)
        user = await source.load(delivery.subject.id) if source is not None else None
        if user is None:
            # Of who is gone nothing can be derived any more; the session's id is enough (2.4).
            return ""
        try:
            return await self._claims.sub(user, client)
        except ServerError:
            return ""


class LogoutDeliveries:
    """Tells the clients of one profile, in parallel and within bounds, until they heard it or do not want to."""

    def __init__(
        self,
        *,
        issuer: str,
        clients: Clients,
        tokens: LogoutTokens,
        outbound: Post,
        store: Store,
        tools: Tools,
        report: Notice,
    ) -> None:
        self._issuer = issuer
        self._clients = clients
        self._tokens = tokens
        self._outbound = outbound
        self._store = store
        self._clock = tools.clock
        self._report = report
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._running: dict[str, asyncio.Task[None]] = {}

    def begin(self, deliveries: Iterable[LogoutDelivery]) -> None:
        """Start to deliver, without waiting for it."""
        for delivery in deliveries:
            if delivery.id in self._running:
                continue
            task = asyncio.get_running_loop().create_task(self._deliver(delivery), name=delivery.sid)
            self._running[delivery.id] = task
            task.add_done_callback(partial(self._forget, delivery.id))

    async def resume(self) -> int:
        """Start whatever is due in the store; how many. StoreUnavailable."""
        now = self._clock()
        waiting = await self._store.find(LogoutDelivery, "issuer", self._issuer)
        due = sorted((one for one in waiting if one.due_at <= now), key=lambda one: one.due_at)[:_A_ROUND]
        self.begin(due)
        return len(due)

    async def wait(self, patience: float, sids: Container[str] | None = None) -> None:
        """Wait, so many seconds at most, for what was begun (of these sessions); it goes on afterwards."""
        tasks = [task for task in self._running.values() if sids is None or task.get_name() in sids]
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

    async def _deliver(self, delivery: LogoutDelivery) -> None:
        try:
            async with self._places:
                claimed = await self._claim(delivery)
                if claimed is not None:
                    await self._attempt(claimed)
        except StoreUnavailable:
            # It stands there still, and the next round finds it.
            self._report.notice("logout_delivery_postponed", client_id=delivery.client_id)
        except Exception as error:  # noqa: BLE001 - nobody waits for this task; its fault must be seen
            self._report.notice("logout_delivery_failed", client_id=delivery.client_id, exception=type(error).__name__)

    async def _claim(self, delivery: LogoutDelivery) -> LogoutDelivery | None:
        """The delivery with this attempt noted; None when somebody else makes it."""
        attempts = delivery.attempts + 1
        due_at = self._clock() + min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
        claimed = replace(delivery, attempts=attempts, due_at=due_at)
        return claimed if await self._store.commit(Change(put=(claimed,), expect=(delivery,))) else None

    async def _attempt(self, delivery: LogoutDelivery) -> None:
        try:
            await self._tell(delivery)
        except _Failed as failed:
            if failed.temporary and delivery.attempts < MAX_ATTEMPTS:
                later = self._clock() + min(failed.retry_after, LONGEST_PAUSE)
                if later > delivery.due_at:
                    postponed = replace(delivery, due_at=later)
                    await self._store.commit(Change(put=(postponed,), expect=(delivery,)))
                return
            self._report.notice(
                "logout_delivery_dropped",
                client_id=delivery.client_id,
                reason=failed.reason,
                attempts=str(delivery.attempts),
            )
        await self._store.commit(Change(delete=(delivery,)))

    async def _tell(self, delivery: LogoutDelivery) -> None:
        client = await self._clients.find(delivery.client_id)
        if client is None or client.backchannel_logout_uri is None:
            return
        try:
            token = await self._tokens.issue(delivery, client)
            # 2.5: the address as it is registered; nothing of any request ever becomes a part of it.
            answer = await self._outbound.post(
                client.backchannel_logout_uri,
                {"logout_token": token},
                max_bytes=_MAX_BYTES,
                timeout=_TIMEOUT,
            )
        except OutboundProblem as problem:
            raise _Failed(str(problem), temporary=True) from None
        except SourceUnavailable:
            raise _Failed("the user's source is not available", temporary=True) from None
        except OAuthError as problem:
            raise _Failed(problem.detail or problem.error, temporary=True) from None
        # 2.8: an empty answer is often made a 204.
        if answer.status not in (200, 204):
            temporary = answer.status >= 500 or answer.status in _TEMPORARY
            raise _Failed(f"it answered {answer.status}", temporary=temporary, retry_after=_retry_after(answer))


def _retry_after(answer: Fetched) -> int:
    """Seconds, where the client says so in seconds (RFC 9110 10.2.3)."""
    said = answer.headers.get("retry-after", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 0
