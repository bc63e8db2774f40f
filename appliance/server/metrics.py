"""Counters that people already know how to alert on. Labels come from closed sets only: never from input."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from appliance.server.traffic import Traffic

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: Of the process, like the stream that its lines go to.
LOG_LINES_LOST = Counter(
    "op_log_lines_lost_total", "Log lines that could not be written: full disk, closed pipe.", registry=None
)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(LOG_LINES_LOST)
        self._traffic = Traffic()
        self.registry.register(self._traffic)
        self.errors = Counter("op_errors_total", "Protocol errors answered.", ["error"], registry=self.registry)
        self.failures = Counter("op_failures_total", "Unexpected failures.", registry=self.registry)
        self.failed_logins = Counter(
            "op_failed_logins_total",
            "Logins that were not proved: wrong, or throttled and therefore not looked at.",
            ["profile", "authenticator", "reason"],
            registry=self.registry,
        )
        self.reloads = Counter(
            "op_config_reload_total",
            "Attempts to take up the files.",
            ["result", "trigger"],
            registry=self.registry,
        )
        self.reload_seconds = Histogram(
            "op_config_reload_seconds",
            "Time from trigger to live.",
            registry=self.registry,
            buckets=(0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
        )
        self.last_successful = Gauge(
            "op_config_last_reload_successful", "1 when the last attempt went live.", registry=self.registry
        )
        self.last_success_at = Gauge(
            "op_config_last_reload_success_timestamp_seconds",
            "When the serving configuration went live.",
            registry=self.registry,
        )
        self.warnings = Gauge("op_config_warnings", "Warnings of the serving configuration.", registry=self.registry)
        self._generation = Gauge(
            "op_config_info", "The serving configuration.", ["digest", "commit"], registry=self.registry
        )

    def request(self, endpoint: str, status: int, started: float) -> None:
        """Count one answered request; `started` by `time.perf_counter`."""
        self._traffic.count(endpoint, status, time.perf_counter() - started)

    def generation(self, digest: str, commit: str) -> None:
        """Name the serving configuration."""
        self._generation.clear()
        self._generation.labels(digest[:12], commit).set(1)

    def page(self) -> bytes:
        """The text exposition."""
        return generate_latest(self.registry)
