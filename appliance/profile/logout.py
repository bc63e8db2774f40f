"""The end of sessions, and who is to be told of it (OpenID Connect Back- and Front-Channel Logout).

One store step ends a session: the session, what was issued in it for as long as it lasts, and a note for each client
that must be told. Whoever was logged out stays logged out, whatever becomes of the telling.

What was issued without `offline_access` ends with the session: refresh tokens as Back-Channel Logout 2.7 wants it,
and codes and access tokens too, as nobody is there any more in whose presence they were granted.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.profile.clients import Clients
from appliance.profile.deliveries import Notice
from appliance.profile.logout_deliveries import KEPT, LogoutDeliveries, LogoutTokens, Post
from appliance.protocol import base64url
from appliance.protocol.client import Client
from appliance.protocol.records import (
    AccessToken,
    AuthorizationCode,
    LogoutDelivery,
    Record,
    RefreshToken,
    Session,
)
from appliance.protocol.redirects import with_query
from appliance.seams import Change, Store, Tools

_ENDING: Final[tuple[type[Record], ...]] = (AuthorizationCode, AccessToken, RefreshToken)
#: How long a page waits for clients to be told before it goes out, seconds.
PATIENCE: Final = 0.8


class Logout:
    """Ends the sessions of one profile."""

    def __init__(
        self,
        *,
        declared: DeclaredProfile,
        clients: Clients,
        tokens: LogoutTokens,
        outbound: Post,
        store: Store,
        tools: Tools,
        report: Notice,
    ) -> None:
        self.deliveries = LogoutDeliveries(
            issuer=declared.issuer,
            clients=clients,
            tokens=tokens,
            outbound=outbound,
            store=store,
            tools=tools,
            report=report,
        )
        self._issuer = declared.issuer
        self._offered = declared.logout
        self._clients = clients
        self._store = store
        self._tools = tools

    async def end(self, sessions: Iterable[Session]) -> tuple[Session, ...]:
        """End these sessions as they are now; those that there were. Durable when this returns."""
        ended = [await self._end(session) for session in sessions]
        return tuple(session for session in ended if session is not None)

    async def _end(self, session: Session) -> Session | None:
        """By its sid: a handle that was renewed meanwhile does not save it."""
        while (found := await self._find(session.sid)) is not None:
            notes = await self._notes(found)
            index = "\x1f".join((self._issuer, found.sid))
            issued = [record for kind in _ENDING for record in await self._store.find(kind, "session", index)]
            # The session as it was read: a client that was noted in it meanwhile must be told as well.
            change = Change(put=notes, delete=(found, *issued), expect=(found,))
            if await self._store.commit(change):
                # What was being issued at that very moment.
                await self._store.delete_by(_ENDING, "session", index)
                self.deliveries.begin(notes)
                return found
        return None

    async def _find(self, sid: str) -> Session | None:
        found = await self._store.find(Session, "sid", sid)
        return next((session for session in found if session.issuer == self._issuer), None)

    async def _notes(self, session: Session) -> tuple[LogoutDelivery, ...]:
        if not self._offered.backchannel:
            return ()
        now = self._tools.clock()
        return tuple(
            LogoutDelivery(
                id=base64url.encode(self._tools.entropy(24)),
                issuer=self._issuer,
                expires_at=now + KEPT,
                client_id=client.client_id,
                subject=session.subject,
                sid=session.sid,
                attempts=0,
                due_at=now,
            )
            for client in await self._clients_of(session)
            if client.backchannel_logout_uri is not None
        )

    async def frames(self, sessions: Sequence[Session]) -> tuple[str, ...]:
        """What the browser must load so that these sessions end at its clients too (Front-Channel Logout 2)."""
        if not self._offered.frontchannel:
            return ()
        found: dict[str, None] = {}
        for session in sessions:
            members = (("iss", self._issuer), ("sid", session.sid))
            for client in await self._clients_of(session):
                if client.frontchannel_logout_uri is not None:
                    found[with_query(client.frontchannel_logout_uri, members)] = None
        return tuple(found)

    async def told(self, sessions: Iterable[Session]) -> None:
        """Give those who are being told a moment; RP-Initiated Logout 3 wants it before the browser leaves."""
        await self.deliveries.wait(PATIENCE, frozenset(session.sid for session in sessions))

    async def _clients_of(self, session: Session) -> tuple[Client, ...]:
        found = [await self._clients.find(client_id) for client_id in session.clients]
        return tuple(client for client in found if client is not None)
