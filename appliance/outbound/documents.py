"""JSON documents of others, fetched when needed and remembered for a while.

One request at a time for each address however many ask, no request soon after one that failed, and an answer that
was good is used for some time after its server stopped giving good ones.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from appliance.outbound.client import MAX_BYTES, Fetched, OutboundClient
from appliance.outbound.problems import OutboundProblem
from appliance.protocol.handles import Clock
from appliance.protocol.strict_json import StrictJsonProblem, loads

T = TypeVar("T")

_MAX_AGE = re.compile(r"max-age=([0-9]{1,9})")
_ACCEPT: Final = "application/json, application/jwk-set+json"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what is remembered counts; seconds. What a server says of it is heard within these bounds."""

    #: Without a word of the server.
    fresh: int = 600
    fresh_at_least: int = 60
    fresh_at_most: int = 3600
    #: How long after that the last good document stands in for one that cannot be had.
    stale: int = 21600
    #: Between two requests that are made because the document was not as expected.
    refresh_interval: int = 60
    #: Between a failed request and the next.
    retry_interval: int = 10


@dataclass(slots=True)
class _Entry(Generic[T]):
    """What is known of one address."""

    document: T | None = None
    fresh_until: float = 0.0
    usable_until: float = 0.0
    asked_at: float = float("-inf")
    failed_at: float = float("-inf")
    problem: str = ""
    fetching: asyncio.Task[None] | None = None


class JsonDocuments(Generic[T]):
    """Documents by URL, each as `read` makes it of the JSON; what `read` refuses counts as not fetched."""

    def __init__(
        self,
        client: OutboundClient,
        *,
        read: Callable[[object], T],
        clock: Clock,
        patience: Patience = Patience(),
        max_entries: int = 1024,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.client = client
        self._max_bytes = max_bytes
        self._read = read
        self._clock = clock
        self._patience = patience
        self._max_entries = max_entries
        self._entries: OrderedDict[str, _Entry[T]] = OrderedDict()

    def knows(self, url: str) -> bool:
        """Whether the document at a URL was asked for lately, with or without success."""
        return url in self._entries

    async def get(self, url: str, *, refresh: bool = False) -> T:
        """The document at a URL. OutboundProblem when there is none and none that may stand in.

        `refresh` says that the remembered one is not what is needed: it is fetched again, unless that was done
        within the last interval.
        """
        entry = self._entry(url)
        if self._due(entry, refresh=refresh):
            if entry.fetching is None:
                entry.asked_at = self._clock()
                entry.fetching = asyncio.create_task(self._fetch(url, entry))
            # Shielded: whoever gives up waiting does not take the document from the others.
            await asyncio.shield(entry.fetching)
        if entry.document is None or self._clock() >= entry.usable_until:
            raise OutboundProblem(entry.problem or "the document is too old")
        return entry.document

    def _due(self, entry: _Entry[T], *, refresh: bool) -> bool:
        now = self._clock()
        if entry.fetching is not None:
            return refresh or entry.document is None or now >= entry.fresh_until
        if now < entry.failed_at + self._patience.retry_interval:
            return False
        if entry.document is None or now >= entry.fresh_until:
            return True
        return refresh and now >= entry.asked_at + self._patience.refresh_interval

    def _entry(self, url: str) -> _Entry[T]:
        entry = self._entries.get(url)
        if entry is None:
            entry = self._entries[url] = _Entry()
        self._entries.move_to_end(url)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)
        return entry

    async def _fetch(self, url: str, entry: _Entry[T]) -> None:
        try:
            fetched = await self.client.fetch(url, accept=_ACCEPT, max_bytes=self._max_bytes)
            document = self._read(read_json(fetched))
        except OutboundProblem as problem:
            entry.failed_at, entry.problem = self._clock(), str(problem)
        else:
            now = self._clock()
            entry.document, entry.problem = document, ""
            entry.fresh_until = now + self._fresh_for(fetched)
            entry.usable_until = entry.fresh_until + self._patience.stale
        finally:
            entry.fetching = None

    def _fresh_for(self, fetched: Fetched) -> int:
        """Seconds, by Cache-Control (RFC 9111 5.2.2) within our bounds."""
        patience = self._patience
        said = fetched.headers.get("cache-control", "").lower()
        if "no-store" in said or "no-cache" in said:
            return patience.fresh_at_least
        found = _MAX_AGE.search(said)
        if found is None:
            return patience.fresh
        return min(max(int(found[1]), patience.fresh_at_least), patience.fresh_at_most)


def read_json(fetched: Fetched) -> object:
    """The value of a document. OutboundProblem when the answer is none, or not strict JSON."""
    if fetched.status != 200:
        # A redirection too: where it leads was named by nobody we trust.
        raise OutboundProblem("the answer is not 200 OK")
    kind = fetched.content_type
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise OutboundProblem("the answer is not declared as JSON")
    try:
        return loads(fetched.body)
    except StrictJsonProblem:
        raise OutboundProblem("the answer is not strict JSON") from None
