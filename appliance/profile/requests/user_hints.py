"""Who is meant by a hint of a client (CIBA Core 7.1, 7.2)."""

from collections.abc import Mapping

from appliance.profile.claims import ClaimsRelease
from appliance.profile.tokens.mint import Tokens
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequest, ServerError
from appliance.protocol.records import Session
from appliance.seams import Source, Store, User


class UserHints:
    """Finds users in the sources that people of this profile log in by."""

    def __init__(
        self, *, issuer: str, sources: Mapping[str, Source], claims: ClaimsRelease, tokens: Tokens, store: Store
    ) -> None:
        self._issuer = issuer
        self._sources = sources
        self._claims = claims
        self._tokens = tokens
        self._store = store

    async def by_login(self, login: str) -> User | None:
        """The active user whose login name it is. SourceUnavailable."""
        for source in self._sources.values():
            user = await source.find(login)
            if user is not None and user.active:
                return user
        return None

    async def by_id_token(self, token: str, client: Client) -> User | None:
        """The user whom an ID Token of ours for this client is about. InvalidRequest; SourceUnavailable.

        Found by his session while it lasts, and by his id where clients know him by it: what a pairwise `sub`
        stands for cannot be told by anybody.
        """
        claims = self._tokens.read_id_token_hint(token)
        sub, audience, sid = claims.get("sub"), claims.get("aud"), claims.get("sid")
        audiences = audience if isinstance(audience, list) else [audience]
        if not isinstance(sub, str) or client.client_id not in audiences:
            # CIBA 14: another client's token would be a way to ask who else is known here.
            raise InvalidRequest("id_token_hint was issued to another client", parameter="id_token_hint")
        for user in (await self._by_sid(sid), *[await source.load(sub) for source in self._sources.values()]):
            if user is not None and user.active and await self._sub(user, client) == sub:
                return user
        return None

    async def _by_sid(self, sid: object) -> User | None:
        found = await self._store.find(Session, "sid", sid) if isinstance(sid, str) and sid else ()
        session = next((one for one in found if one.issuer == self._issuer), None)
        source = None if session is None else self._sources.get(session.subject.source)
        return None if source is None or session is None else await source.load(session.subject.id)

    async def _sub(self, user: User, client: Client) -> str:
        try:
            return await self._claims.sub(user, client)
        except ServerError:
            return ""
