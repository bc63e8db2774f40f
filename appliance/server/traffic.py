"""How many requests were answered and how long it took, counted in plain numbers on the way of every request.

The metrics library counts under a lock and adds to every bucket, which costs a tenth of a trivial request; it
is given the numbers when somebody reads them. Only the event loop's thread counts.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

#: Upper bounds of the buckets, seconds.
BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(slots=True)
class _Times:
    """Answers of one kind: how many in each bucket, the last of which has no bound, and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0


class Traffic(Collector):
    """The counters of the public listener, by endpoint and status."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, int], _Times] = {}

    def count(self, endpoint: str, status: int, elapsed: float) -> None:
        """One answered request; `elapsed` in seconds."""
        times = self._times.get((endpoint, status))
        if times is None:
            times = self._times[endpoint, status] = _Times()
        times.counts[bisect_left(BUCKETS, elapsed)] += 1
        times.total += elapsed

    def collect(self) -> Iterable[Metric]:
        """The numbers in the library's form."""
        requests = CounterMetricFamily("op_http_requests", "Requests answered.", labels=["endpoint", "status"])
        of_endpoint: dict[str, _Times] = {}
        for (endpoint, status), times in self._times.items():
            requests.add_metric([endpoint, str(status)], sum(times.counts))
            whole = of_endpoint.setdefault(endpoint, _Times())
            whole.counts = [sum(both) for both in zip(whole.counts, times.counts, strict=True)]
            whole.total += times.total
        seconds = HistogramMetricFamily("op_http_request_seconds", "Time to answer.", labels=["endpoint"])
        for endpoint, times in of_endpoint.items():
            seconds.add_metric([endpoint], _cumulative(times), times.total)
        return (requests, seconds)


def _cumulative(times: _Times) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    below = 0
    for bound, count in zip([*map(str, BUCKETS), "+Inf"], times.counts, strict=True):
        below += count
        found.append((bound, below))
    return found
