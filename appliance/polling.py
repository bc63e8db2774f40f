"""Polling for a decision: what the grants of devices and of CIBA share (RFC 8628 3.4 and 3.5, CIBA 10.1 and 11).

Every poll is noted in the store before it is answered, so neither parallel polls nor a restart earn another
answer than the interval allows. What was approved is redeemed once: the record goes in the very step that stores
the tokens.
"""

from dataclasses import dataclass, replace
from typing import Final

from appliance.protocol.client import Client
from appliance.protocol.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidGrant,
    OAuthError,
    SlowDown,
    TemporarilyUnavailable,
    TransactionFailed,
)
from appliance.protocol.handles import stored_id, well_formed
from appliance.protocol.records import PendingAuthorization
from appliance.seams import Change, Redeemed, Store, Tools

#: The outcome of a request that its user allowed; every other one is the error code that the client gets.
APPROVED: Final = "approved"
#: How much longer the interval gets with each poll that came too early, seconds (RFC 8628 3.5).
SLOWER: Final = 5

#: A client counts its seconds where it is; a poll is not too early for what the network did to it.
_JITTER: Final = 0.5
_TRIES: Final = 4
_REFUSED: Final = "what is asked for is not known, was redeemed, or is another client's"
_OUTCOMES: Final[dict[str, type[OAuthError]]] = {
    AccessDenied.error: AccessDenied,
    TransactionFailed.error: TransactionFailed,
}


@dataclass(frozen=True, slots=True)
class Polling:
    """The polls of one grant type at one issuer. `prefix` is that of its handles."""

    store: Store
    tools: Tools
    issuer: str
    grant_type: str
    prefix: str

    async def redeem(self, handle: str, client: Client) -> Redeemed:
        """What the user granted. InvalidGrant, AuthorizationPending, SlowDown, ExpiredToken, AccessDenied,
        TransactionFailed; StoreUnavailable.
        """
        for _ in range(_TRIES):
            pending = await self._load(handle, client)
            if pending is None:
                raise InvalidGrant(_REFUSED, detail="unknown handle, or one of another client, grant type or issuer")
            now = self.tools.clock()
            if now >= pending.valid_until:
                raise ExpiredToken("the request has expired")
            if pending.outcome:
                return self._decided(pending, handle, client)
            early = bool(pending.polled_at) and now - pending.polled_at < pending.interval - _JITTER
            interval = pending.interval + SLOWER if early else pending.interval
            noted = replace(pending, polled_at=now, interval=interval)
            if await self.store.commit(Change(put=(noted,), expect=(pending,))):
                raise SlowDown("polled too often") if early else AuthorizationPending("the user has not decided yet")
        raise TemporarilyUnavailable("too many polls at once")

    async def _load(self, handle: str, client: Client) -> PendingAuthorization | None:
        if not well_formed(self.prefix, handle):
            return None
        found = await self.store.get(PendingAuthorization, stored_id(handle))
        if found is None or (found.issuer, found.client_id) != (self.issuer, client.client_id):
            return None
        return found if found.grant_type == self.grant_type else None

    def _decided(self, pending: PendingAuthorization, handle: str, client: Client) -> Redeemed:
        authorization = pending.authorization
        if pending.outcome != APPROVED or authorization is None:
            raise _OUTCOMES.get(pending.outcome, AccessDenied)("the user did not allow it")

        async def lost() -> Redeemed:
            # Another poll was first: judge what is stored now.
            return await self.redeem(handle, client)

        return Redeemed(
            authorization=authorization,
            scope=authorization.scope,
            change=Change(delete=(pending,), expect=(pending,)),
            lost=lost,
            begins_family=pending.offline and "refresh_token" in client.grant_types,
            refresh_token=None,
        )
