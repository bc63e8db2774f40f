"""One connection's requests to the current generation and back."""

import time
from dataclasses import dataclass, field

from appliance.protocol.handles import Clock
from appliance.protocol.messages import Response
from appliance.server import messages
from appliance.server.client_certificates import Certificate, certified
from appliance.server.metrics import Metrics
from appliance.snapshot import Snapshot

_UNAVAILABLE = Response(503, (("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "2")), b"Starting.\n")


@dataclass(slots=True)
class Current:
    """The one mutable cell of the process: which generation answers new requests."""

    snapshot: Snapshot | None = None
    #: Networks whose X-Forwarded-For is believed.
    proxies: messages.Networks = field(default=())
    #: Reads what they tell of client certificates, if anything of that is believed.
    certificate: Certificate | None = None


class Dispatch:
    """The handler of the public listener, and with `certificate` that of the one for clients with certificates."""

    def __init__(
        self, current: Current, metrics: Metrics, clock: Clock, certificate: Certificate | None = None
    ) -> None:
        self._certificate = certificate
        self._current = current
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, raw: messages.Incoming) -> Response:
        """Answer one request under the generation that is current now, whatever is current at its end. Refused."""
        started = time.perf_counter()
        try:
            request = await messages.read(raw, self._current.proxies, self._clock())
        except messages.Refused as refused:
            self._metrics.request("refused", refused.status, started)
            raise
        certificate = self._certificate or self._current.certificate
        if certificate is not None:
            request = certified(request, certificate(raw))
        # Taken without a pause before it is entered: a generation with nobody inside may end at any time.
        snapshot = self._current.snapshot
        if snapshot is None:
            return _UNAVAILABLE
        endpoint, response = await snapshot.answer(request)
        self._metrics.request(endpoint, response.status, started)
        return response
