"""Pings: clients are told that a decision waits for them at the token endpoint (CIBA Core 10.2).

A ping says which request it is about and nothing of the decision. Its bearer token is the one that the client gave
with that request, so that nobody else can make it ask.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from appliance.outbound.client import Fetched
from appliance.outbound.problems import OutboundProblem
from appliance.profile.clients import Clients
from appliance.profile.deliveries import Deliveries, Notice, NotTold, Told, check_answer
from appliance.protocol.records import PendingAuthorization, PingDelivery
from appliance.seams import Store, Tools

#: One client's own wait and the most that is read of its answer, which says nothing that is needed.
_TIMEOUT: Final = 5.0
_MAX_BYTES: Final = 16384


class PostJson(Protocol):
    """The part of the guarded HTTP client that is needed here; it follows no redirect (CIBA 10.2)."""

    async def post_json(
        self,
        url: str,
        document: Mapping[str, str],
        *,
        bearer: str,
        max_bytes: int = _MAX_BYTES,
        timeout: float | None = None,  # noqa: ASYNC109 - the deadline is part of the promise
    ) -> Fetched:
        """POST a JSON object. OutboundProblem."""


class PingDeliveries(Deliveries[PingDelivery]):
    """Pings the clients of one profile until they heard it, or do not want to, or the request is too old."""

    def __init__(
        self, *, issuer: str, clients: Clients, outbound: PostJson, store: Store, tools: Tools, report: Notice
    ) -> None:
        told = Told(kind=PingDelivery, event="ping_delivery", tell=self._tell, label=_client_id)
        super().__init__(told, issuer=issuer, store=store, tools=tools, report=report)
        self._clients = clients
        self._outbound = outbound

    async def _tell(self, delivery: PingDelivery) -> None:
        client = await self._clients.find(delivery.client_id)
        if client is None or client.backchannel_client_notification_endpoint is None:
            return
        try:
            # The address as it is registered; nothing of any request ever becomes a part of it.
            answer = await self._outbound.post_json(
                client.backchannel_client_notification_endpoint,
                {"auth_req_id": delivery.auth_req_id},
                bearer=delivery.token,
                max_bytes=_MAX_BYTES,
                timeout=_TIMEOUT,
            )
        except OutboundProblem as problem:
            raise NotTold(str(problem), temporary=True) from None
        check_answer(answer)


def ping_of(pending: PendingAuthorization, id: str, now: float) -> tuple[PingDelivery, ...]:
    """The note for a decided request, if its client is to be told. After the request's end nobody needs it."""
    if not pending.ping_handle:
        return ()
    delivery = PingDelivery(
        id=id,
        issuer=pending.issuer,
        expires_at=pending.valid_until,
        client_id=pending.client_id,
        auth_req_id=pending.ping_handle,
        token=pending.ping_token,
        attempts=0,
        due_at=now,
    )
    return (delivery,)


def _client_id(delivery: PingDelivery) -> str:
    return delivery.client_id
