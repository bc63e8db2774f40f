"""The end of everything that was issued before now: to a client, of a user, or of one authorization.

Sessions end first, so that nothing new comes of them, then codes and refresh tokens, then access tokens; and it is
looked again until nothing is found, because a refresh that was under way has put its tokens somewhere else. What
users consented to stays: it is what they want, not what somebody holds.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.profile.logout import Logout
from appliance.protocol.authorization import Authorization, Subject
from appliance.protocol.records import (
    AccessToken,
    AuthorizationCode,
    PendingAuthorization,
    Record,
    RefreshToken,
    Session,
    user_key,
)
from appliance.seams import Change, Store

_KINDS: Final[tuple[type[Record], ...]] = (AuthorizationCode, PendingAuthorization, RefreshToken, AccessToken)
#: Rounds after which it is over, whoever goes on refreshing: by then each finds what the one before left.
_ROUNDS: Final = 8

_Matches = Callable[[Authorization], bool]


@dataclass(frozen=True, slots=True)
class Ended:
    """How much there was that ended."""

    sessions: int
    tokens: int


class Withdrawals:
    """Ends what was issued at one issuer. Every method raises StoreUnavailable; then it may be done in part."""

    def __init__(self, *, issuer: str, store: Store, logout: Logout) -> None:
        self._issuer = issuer
        self._store = store
        self._logout = logout

    async def of_user(self, subject: Subject) -> Ended:
        """All sessions, codes and tokens of a user; clients are told of the sessions' end."""
        sessions = [each for each in await self._store.find(Session, "user", user_key(subject)) if self._own(each)]
        ended = await self._logout.end(sessions)
        return Ended(len(ended), await self._end(lambda granted: granted.subject == subject))

    async def of_client(self, client_id: str) -> Ended:
        """All codes and tokens of a client, of whichever user and its own, and what others got for them."""
        return Ended(0, await self._end(lambda granted: granted.client_id == client_id))

    async def of_grant(self, authorization_id: str) -> Ended:
        """All that came of one authorization, as `grant_id` names it."""
        ended = 0
        for kind in (AuthorizationCode, RefreshToken, AccessToken):
            found = await self._store.find(kind, "authorization_id", authorization_id)
            if own := tuple(each for each in found if self._own(each)):
                ended += len(own)
                await self._store.delete_by((kind,), "authorization_id", authorization_id)
        return Ended(0, ended)

    async def _end(self, matches: _Matches) -> int:
        ended = 0
        # Authorizations that ended: a later round finds what others got for their tokens by token exchange.
        roots: set[str] = set()
        for _ in range(_ROUNDS):
            found = [await self._end_kind(kind, matches, roots) for kind in _KINDS]
            ended += sum(found)
            if not sum(found):
                break
        return ended

    async def _end_kind(self, kind: type[Record], matches: _Matches, roots: set[str]) -> int:
        after, ended = "", 0
        while page := await self._store.page(kind, after):
            after = page[-1].id
            gone = tuple(each for each in page if self._own(each) and _is_of(each, matches, roots))
            if gone:
                await self._store.commit(Change(delete=gone))
                ended += len(gone)
                # Their own: what a token came of by exchange is not its client's to end.
                roots.update(filter(None, map(_own_id, gone)))
            # Others want the event loop too.
            await asyncio.sleep(0)
        return ended

    def _own(self, record: Record) -> bool:
        return record.issuer == self._issuer


def _own_id(record: Record) -> str:
    authorization = getattr(record, "authorization", None)
    return authorization.id if isinstance(authorization, Authorization) else ""


def _is_of(record: Record, matches: _Matches, roots: set[str]) -> bool:
    authorization = getattr(record, "authorization", None)
    if not isinstance(authorization, Authorization):
        return False
    return matches(authorization) or getattr(record, "authorization_id", "") in roots
