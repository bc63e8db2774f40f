"""Requests that wait for their user's decision: begun by an endpoint, decided once, by a page or whatever else asks.

This is the seam for engines that ask users out of band: whatever proves that a user allowed or refused a request
calls `approve` or `refuse`, and everything after that (tokens, refusals, notifications) follows by itself.
"""

from dataclasses import dataclass, replace
from typing import Final

from appliance.polling import APPROVED
from appliance.profile.waiting.backchannel import Backchannel
from appliance.profile.waiting.ping_deliveries import ping_of
from appliance.protocol import base64url
from appliance.protocol.authorization import Authorization, Subject
from appliance.protocol.handles import stored_id
from appliance.protocol.records import PendingAuthorization, PingDelivery, Record, UserCode, user_key
from appliance.seams import Change, Store, Tools

#: How long who polls too late is told that he does, seconds.
KEPT: Final = 600


@dataclass(frozen=True, slots=True)
class PendingAuthorizations:
    """Those of one issuer."""

    store: Store
    tools: Tools
    issuer: str
    #: None where no client can be told, and where nobody is asked out of the blue.
    backchannel: Backchannel | None = None

    async def begin(self, pending: PendingAuthorization) -> bool:
        """Store a request, and the code that its user types. False when somebody has the same code now."""
        code = self._code(pending)
        return await self.store.commit(Change(put=(pending, *code), absent=code))

    async def find(self, id: str) -> PendingAuthorization | None:
        """A request that can still be decided on; None for any other. StoreUnavailable."""
        found = await self.store.get(PendingAuthorization, id)
        if found is None or found.issuer != self.issuer or found.outcome:
            return None
        return found if self.tools.clock() < found.valid_until else None

    async def find_by_code(self, code: str) -> PendingAuthorization | None:
        """The request for which a code is shown. StoreUnavailable."""
        found = await self.store.get(UserCode, self._code_id(code))
        return None if found is None else await self.find(found.pending)

    async def of_user(self, subject: Subject) -> tuple[PendingAuthorization, ...]:
        """The requests that wait for a user, oldest first. StoreUnavailable."""
        now = self.tools.clock()
        found = await self.store.find(PendingAuthorization, "user", user_key(subject))
        own = [one for one in found if one.issuer == self.issuer and not one.outcome and now < one.valid_until]
        return tuple(sorted(own, key=lambda one: (one.created_at, one.id)))

    async def approve(self, id: str, authorization: Authorization, *, offline: bool) -> bool:
        """The user allowed it. False, and nothing done, when it was decided before or is too old."""
        return await self._decide(id, APPROVED, authorization, offline=offline)

    async def refuse(self, id: str, error: str) -> bool:
        """The user did not, or could not; `error` is the code that the client gets. False as with `approve`."""
        return await self._decide(id, error, None, offline=False)

    async def _decide(self, id: str, outcome: str, authorization: Authorization | None, *, offline: bool) -> bool:
        while (found := await self.find(id)) is not None:
            # What the client is told by is not needed twice.
            decided = replace(
                found, outcome=outcome, authorization=authorization, offline=offline, ping_handle="", ping_token=""
            )
            pings = ping_of(found, base64url.encode(self.tools.entropy(24)), self.tools.clock())
            # A code that was decided on is nobody's any more. A poll in between only changed when it came.
            change = Change(put=(decided, *pings), delete=self._code(found), expect=(found,))
            if await self.store.commit(change):
                await self._tell(found, outcome, pings)
                return True
        return False

    async def _tell(self, found: PendingAuthorization, outcome: str, pings: tuple[PingDelivery, ...]) -> None:
        if self.backchannel is None:
            return
        self.backchannel.pings.begin(pings)
        if found.user and outcome == APPROVED:
            await self.backchannel.asks.allowed(found.user, found.client_id)

    def _code(self, pending: PendingAuthorization) -> tuple[Record, ...]:
        if not pending.user_code:
            return ()
        name = self._code_id(pending.user_code)
        return (UserCode(id=name, issuer=self.issuer, expires_at=pending.valid_until, pending=pending.id),)

    def _code_id(self, code: str) -> str:
        return stored_id("\x1f".join((self.issuer, code)))
