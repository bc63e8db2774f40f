"""From changed files to a live generation: build, assemble, rehearse, swap; or the old one stays.

One attempt at a time. Whoever asks while one is running shares the next one: its files may have been read
before the change he knows of.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from appliance.assembly import Begun, begin, finish
from appliance.config.declared.whole import Declared
from appliance.config.problems import ConfigRejected
from appliance.seams import Tools
from appliance.server import frames
from appliance.server.ahead import Ahead
from appliance.server.builder import Answer, Builder, Refused
from appliance.server.client_certificates import authorities, told_by_proxies
from appliance.server.codes import LISTENER, NOT_ASSEMBLED
from appliance.server.dispatch import Current
from appliance.server.generations import last_good
from appliance.server.listeners import PortInUse
from appliance.server.listening import Change, Listening, proxies
from appliance.server.metrics import Metrics
from appliance.server.place import Place
from appliance.server.problems import diagnose, problem
from appliance.server.status import LIVE, REFUSED, UNCHANGED, Attempt, Live, Status
from appliance.snapshot import Report, Snapshot

#: Retired generations after which their circular garbage is looked for once.
COLLECT_AFTER = 16
START = "start"


@dataclass(frozen=True, slots=True)
class Process:
    """What all generations share."""

    tools: Tools
    report: Report
    metrics: Metrics
    current: Current
    listening: Listening
    #: Called with every configuration that goes live.
    follow: Callable[[Declared], None] = lambda _: None


class NotTaken(Exception):
    """A configuration that does not go live, and why."""

    def __init__(self, digest: str, diagnosis: frames.Diagnosis) -> None:
        super().__init__(digest)
        self.digest = digest
        self.diagnosis = diagnosis


class Reloader:
    """Takes up the files when asked to, and remembers what came of it."""

    def __init__(self, place: Place, process: Process, builder: Builder) -> None:
        self.place = place
        self.status = Status(str(place.directory), place.environment)
        #: What the last attempt looked at; the watcher compares with it.
        self.source = frames.Source("", "", frames.Watched((), ()))
        self._process = process
        self._builder = builder
        self._ahead = Ahead(self._begin)
        self._log = structlog.get_logger()
        self._running = asyncio.Lock()
        self._next: asyncio.Task[Attempt] | None = None
        self._background: set[asyncio.Task[None]] = set()
        #: Digests of bad states that were reported already.
        self._reported: set[str] = set()
        self._retired = 0

    @property
    def settings(self) -> Declared | None:
        """The configuration that serves."""
        snapshot = self._process.current.snapshot
        return None if snapshot is None else snapshot.declared

    def request(self, trigger: str) -> asyncio.Task[Attempt]:
        """Ask for an attempt; requests that come before it begins share it."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._in_turn(trigger))
        return self._next

    async def start(self) -> Attempt:
        """The first attempt. When the files are bad, the last good generation serves instead, if any."""
        attempt = await self.request(START)
        if attempt.result != REFUSED:
            return attempt
        kept = last_good(self.place.generations)
        if kept is None:
            return attempt
        self._tell_refused(attempt)
        try:
            answer = await self._builder.build(kept)
            await self._go_live(answer, last_good=True)
        except (Refused, NotTaken):
            self._log.error("last good configuration cannot serve either", generation=kept.name)
            return attempt
        self._log.error("serving the last good configuration", generation=kept.name, because="the files are refused")
        return attempt

    async def close(self) -> None:
        """Wait for what is under way and retire the generation that serves."""
        if self._next is not None:
            await self._next
        async with self._running:
            snapshot, self._process.current.snapshot = self._process.current.snapshot, None
            if snapshot is not None:
                await snapshot.retire()
            await asyncio.gather(*self._background)

    async def _in_turn(self, trigger: str) -> Attempt:
        async with self._running:
            # From here on the files are read: who asks now must get another attempt.
            self._next = None
            attempt = await self._attempt(trigger)
            self.status.last = attempt
            self._tell(attempt)
            return attempt

    async def _attempt(self, trigger: str) -> Attempt:
        at, began = self._process.tools.clock(), time.perf_counter()

        def outcome(result: str, digest: str, diagnosis: frames.Diagnosis, known: bool = True) -> Attempt:
            return Attempt(result, trigger, at, time.perf_counter() - began, digest, diagnosis, known)

        try:
            answer = await self._build()
            self.source = answer.source
            digest = answer.declared.digest
            live = self.status.live
            if live is not None and live.digest == digest and not live.last_good:
                return outcome(UNCHANGED, digest, answer.warnings)
            await self._go_live(answer)
        except Refused as refused:
            await self._ahead.drop()
            rejected = refused.rejected
            if rejected.source.stamp:
                self.source = rejected.source
            return outcome(REFUSED, rejected.digest, rejected.diagnosis, bool(rejected.source.stamp))
        except NotTaken as refused:
            return outcome(REFUSED, refused.digest, refused.diagnosis)
        return outcome(LIVE, digest, answer.warnings)

    async def _build(self) -> Answer:
        if self.status.live is None and last_good(self.place.generations) is None:
            return await self._builder.build(self.place.directory, self._ahead.start)
        return await self._builder.build(self.place.directory)

    async def _begin(self, declared: Declared) -> Begun:
        process = self._process
        return await begin(
            declared,
            tools=process.tools,
            state=self.place.state,
            previous=process.current.snapshot,
            report=process.report,
        )

    async def _go_live(self, answer: Answer, *, last_good: bool = False) -> None:
        """Assemble, rehearse, open listeners, swap, retire. NotTaken, and all as before, if one fails."""
        process, previous = self._process, self._process.current.snapshot
        snapshot = await self._assemble(answer.declared, previous)
        try:
            change = await self._listen(answer.declared)
        except NotTaken:
            await snapshot.retire()
            raise
        listeners = answer.declared.root.listeners
        process.current.proxies = proxies(listeners)
        process.current.certificate = told_by_proxies(listeners, process.current.proxies)
        process.current.snapshot = snapshot
        change.take()
        process.follow(answer.declared)
        number = self.status.live.generation + 1 if self.status.live else 1
        self.status.live = Live(
            number,
            answer.declared.digest,
            answer.source.commit,
            process.tools.clock(),
            answer.warnings,
            last_good,
        )
        gc.freeze()
        if previous is not None:
            self._later(self._retire(previous))
        if not last_good:
            self._later(self._remember(answer))

    async def _assemble(self, declared: Declared, previous: Snapshot | None) -> Snapshot:
        try:
            snapshot = await finish(await self._ahead.take(declared), previous=previous)
        except ConfigRejected as rejected:
            raise NotTaken(declared.digest, diagnose(rejected.problems, rejected.excerpts)) from None
        except Exception as error:  # noqa: BLE001 - whatever a part raises, the generation that serves stays
            raise self._not_assembled(declared, error) from None
        try:
            await snapshot.rehearse()
        except Exception as error:  # noqa: BLE001 - the same
            await snapshot.retire()
            raise self._not_assembled(declared, error) from None
        return snapshot

    def _not_assembled(self, declared: Declared, error: Exception) -> NotTaken:
        words = f"{type(error).__name__}: {error}"
        return NotTaken(declared.digest, problem(NOT_ASSEMBLED, f"not applied: {words}"))

    async def _listen(self, declared: Declared) -> Change:
        try:
            listeners = declared.root.listeners
            return await self._process.listening.follow(
                listeners, authorities(declared) if listeners.mtls is not None else ""
            )
        except PortInUse as error:
            raise NotTaken(declared.digest, problem(LISTENER, f"not applied: {error}")) from None

    async def _retire(self, previous: Snapshot) -> None:
        await previous.retire()
        self._retired += 1
        if self._retired % COLLECT_AFTER == 0:
            # What was frozen and then dropped is freed by counting references, but for circles.
            gc.unfreeze()
            gc.collect()
            gc.freeze()

    async def _remember(self, answer: Answer) -> None:
        asked = frames.Remember(
            self.place.directory,
            answer.source.stamp,
            self.place.generations,
            answer.declared.digest,
            answer.declared.root.reload.keep_generations,
        )
        if not await self._builder.remember(asked):
            self._log.warning("configuration not kept", digest=answer.declared.digest[:12])

    def _later(self, coroutine: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _tell(self, attempt: Attempt) -> None:
        metrics, live = self._process.metrics, self.status.live
        metrics.reloads.labels(attempt.result, attempt.trigger).inc()
        metrics.last_successful.set(attempt.result != REFUSED)
        if attempt.result == REFUSED:
            # At a start without anything to serve, the text is the last word of the process.
            if attempt.trigger != START:
                self._tell_refused(attempt)
            return
        self._reported.clear()
        if live is not None and attempt.result == LIVE:
            metrics.reload_seconds.observe(attempt.seconds)
            metrics.last_success_at.set(live.loaded_at)
            metrics.warnings.set(len(live.warnings.problems))
            metrics.generation(live.digest, live.commit)
            self._log.info(
                "configuration live",
                generation=live.generation,
                digest=live.digest[:12],
                commit=live.commit[:12],
                trigger=attempt.trigger,
                seconds=round(attempt.seconds, 3),
                warnings=len(live.warnings.problems),
            )

    def _tell_refused(self, attempt: Attempt) -> None:
        if attempt.digest in self._reported:
            return
        self._reported.add(attempt.digest)
        self._log.error(
            "configuration refused",
            digest=attempt.digest[:12],
            trigger=attempt.trigger,
            serving=self.status.live.digest[:12] if self.status.live else "nothing",
            diagnostics=attempt.diagnosis.text,
        )
