"""One connection's requests to the current generation and back."""

import time
from dataclasses import dataclass, field

from aiohttp import web

from appliance.protocol.handles import Clock
from appliance.protocol.messages import Response
from appliance.server import messages
from appliance.server.metrics import Metrics
from appliance.snapshot import Snapshot

_UNAVAILABLE = Response(503, (("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "2")), b"Starting.\n")


@dataclass(slots=True)
class Current:
    """The one mutable cell of the process: which generation answers new requests."""

    snapshot: Snapshot | None = None
    #: Networks whose X-Forwarded-For is believed.
    proxies: messages.Networks = field(default=())


class Dispatch:
    """The handler of the public listener."""

    def __init__(self, current: Current, metrics: Metrics, clock: Clock) -> None:
        self._current = current
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, raw: web.BaseRequest) -> web.StreamResponse:
        """Answer one request under the generation that is current now, whatever is current at its end."""
        started = time.perf_counter()
        try:
            request = await messages.read(raw, self._current.proxies, self._clock())
        except messages.Refused as refused:
            self._metrics.request("refused", refused.status, started)
            return messages.refusal(refused)
        # Taken without a pause before it is entered: a generation with nobody inside may end at any time.
        snapshot = self._current.snapshot
        if snapshot is None:
            return messages.write(_UNAVAILABLE)
        endpoint, response = await snapshot.answer(request)
        self._metrics.request(endpoint, response.status, started)
        return messages.write(response)
