"""Back-channel logout, the delivering half (OpenID Connect Back-Channel Logout 2.4 to 2.8).

What is to be told stands in the store from the very step that ended the session, and is told as `deliveries` says.
The token is made anew each time: its life is shorter than the wait between two attempts.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from appliance.outbound.client import Fetched
from appliance.outbound.problems import OutboundProblem
from appliance.profile.claims import ClaimsRelease
from appliance.profile.clients import Clients
from appliance.profile.deliveries import Deliveries, Notice, NotTold, Told, check_answer
from appliance.profile.tokens.response_protection import ResponseProtection
from appliance.protocol import base64url
from appliance.protocol.client import Client
from appliance.protocol.errors import OAuthError, ServerError
from appliance.protocol.records import LogoutDelivery
from appliance.seams import Source, SourceUnavailable, Store, Tools

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
#: Life of a logout token, seconds (2.4 recommends two minutes at most).
TOKEN_TTL: Final = 120
#: How long what could not be told is kept at most; attempts end long before.
KEPT: Final = 86400

#: One client's own wait and the most that is read of its answer, which says nothing that is needed.
_TIMEOUT: Final = 5.0
_MAX_BYTES: Final = 16384


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


class LogoutDeliveries(Deliveries[LogoutDelivery]):
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
        told = Told(kind=LogoutDelivery, event="logout_delivery", tell=self._tell, label=_sid)
        super().__init__(told, issuer=issuer, store=store, tools=tools, report=report)
        self._clients = clients
        self._tokens = tokens
        self._outbound = outbound

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
            raise NotTold(str(problem), temporary=True) from None
        except SourceUnavailable:
            raise NotTold("the user's source is not available", temporary=True) from None
        except OAuthError as problem:
            raise NotTold(problem.detail or problem.error, temporary=True) from None
        check_answer(answer)


def _sid(delivery: LogoutDelivery) -> str:
    return delivery.sid
