"""Whether what was granted may still be used: client and user as they are now, not as they were then."""

from collections.abc import Mapping

from appliance.profile.clients import Clients
from appliance.protocol.authorization import Authorization
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidGrant
from appliance.seams import Source, User

_ENDED = "what was granted does not hold any more"


class Standing:
    """Asked by every grant and every read of a token, so that a lockout works at once (RFC 9700 4.14)."""

    def __init__(self, *, issuer: str, clients: Clients, sources: Mapping[str, Source]) -> None:
        self._issuer = issuer
        self._clients = clients
        self._sources = sources

    async def check(self, authorization: Authorization) -> tuple[Client, User | None]:
        """The client and the user (None where none is involved). InvalidGrant; SourceUnavailable."""
        client = await self._clients.find(authorization.client_id)
        if client is None or authorization.issuer != self._issuer:
            raise InvalidGrant(_ENDED, detail="the client is not there any more")
        subject = authorization.subject
        if subject is None:
            return client, None
        source = self._sources.get(subject.source)
        user = await source.load(subject.id) if source is not None else None
        if user is None or not user.active:
            raise InvalidGrant(_ENDED, detail="the user is not there any more, or not active")
        return client, user
