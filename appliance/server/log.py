"""One event, one line. Secrets are redacted by type; control characters never reach a terminal."""

import logging
import secrets
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from appliance.protocol.errors import OAuthError
from appliance.protocol.messages import Request
from appliance.server.metrics import LOG_LINES_LOST, Metrics

#: Longer values are cut: a log is no place for 100 kB of somebody's input.
MAX_VALUE = 500

#: Texts of our own that have lines.
_WHOLE = frozenset({"traceback", "diagnostics"})
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str, form: str, stream: TextIO | None = None) -> None:
    """Set up logging for the process: `form` is "json" or "console"."""
    out = stream or sys.stderr
    if form == "json":
        last: list[structlog.typing.Processor] = [structlog.processors.JSONRenderer(sort_keys=True)]
    else:
        last = [_unfold, structlog.dev.ConsoleRenderer(colors=out.isatty())]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _bounded,
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=_Lines(out),
        cache_logger_on_first_use=False,
    )
    # What libraries log goes nowhere: their lines hold raw input, and failures are reported by us.
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.ERROR)


class _Lines:
    """Writes lines to a stream; a closed pipe or a full disk loses the line, which is counted, never the request."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, *_: object) -> "_Lines":
        return self

    def msg(self, line: str) -> None:
        """Write one line."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            LOG_LINES_LOST.inc()

    debug = info = warning = error = critical = msg


def _unfold(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Long texts below the line, as they are: a person reads them at a terminal."""
    texts = [str(event.pop(name)).rstrip() for name in sorted(_WHOLE) if name in event]
    if texts:
        event["exception"] = "\n".join(texts)
    return event


def _bounded(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str) and name not in _WHOLE:
            shown = value if value.isprintable() else value.encode("unicode_escape").decode()
            event[name] = shown if len(shown) <= MAX_VALUE else shown[:MAX_VALUE] + "..."
    return event


class LogReport:
    """Tells log and metrics what the wire does not say; fulfils `snapshot.Report`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = structlog.get_logger()

    def failure(self, request: Request, error: Exception) -> str:
        """Something unexpected, once, with its traceback and without its locals."""
        reference = secrets.token_hex(6)
        self._metrics.failures.inc()
        frames = "".join(traceback.format_tb(error.__traceback__))
        self._log.error(
            "failure",
            reference=reference,
            path=request.path,
            method=request.method,
            exception=type(error).__name__,
            traceback=frames,
        )
        return reference

    def refusal(self, request: Request, error: OAuthError) -> str:
        """A protocol error. The query is never logged: it carries codes, hints and tokens."""
        reference = secrets.token_hex(6)
        self._metrics.errors.labels(error.error).inc()
        self._log.info(
            "refused",
            reference=reference,
            path=request.path,
            error=error.error,
            description=error.description,
            detail=error.detail,
            peer=request.peer,
        )
        return reference

    def notice(self, event: str, **facts: str) -> None:
        """One line about something that nobody's request was the cause of."""
        self._log.warning(event, **facts)

    def failed_login(self, profile: str, authenticator: str, reason: str) -> None:
        """One more in the metrics. No line: whose name it was is nobody's business, and guesses come by thousands."""
        self._metrics.failed_logins.labels(profile, authenticator, reason).inc()
