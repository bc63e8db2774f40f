"""Notices that files changed. Events are hints only: what counts is what the files look like.

Directories are watched, never files, and again after every attempt: a directory that was replaced has a
watch that looks at the old one.
"""

import asyncio
import os

import anyio
import structlog
from watchfiles import Change, awatch

from appliance.config.declared.root import Reload
from appliance.server.builder import Builder
from appliance.server.frames import Watched
from appliance.server.reload import Reloader

#: While files keep changing, they are read after `settle_at_most`, but never in the middle of writing: not
#: before this many times as long.
PATIENCE = 10
#: How events are gathered, milliseconds.
STEP = 50
#: Pause after the watch could not be set, seconds.
AGAIN = 1.0
#: Pause after an attempt without an answer, seconds.
PAUSE = 10.0
_STILL_WRITING = "locked "


def _load() -> None:
    """Load what the watcher needs, which takes longer than a request may wait: in a thread."""
    # watchfiles waits in anyio's threads, and anyio loads its half for asyncio when it is first used.
    anyio.run(anyio.sleep, 0)


class Watcher:
    """Asks for a reload when files changed, after they were left alone for a moment."""

    def __init__(self, reloader: Reloader, builder: Builder) -> None:
        self._reloader = reloader
        self._builder = builder
        self._touched = asyncio.Event()
        self._log = structlog.get_logger()
        self._blind = False

    async def run(self) -> None:
        """Watch until cancelled. Nothing that happens to files ends it."""
        # Not at the start, whose first answer would wait for it: what changes meanwhile shows in the first stamp.
        await asyncio.to_thread(_load)
        while True:
            settings = self._settings()
            if settings is None or not settings.watch:
                await asyncio.sleep(AGAIN)
                continue
            self._touched.clear()
            stop = asyncio.Event()
            hints = asyncio.get_running_loop().create_task(self._hear(stop))
            try:
                trigger = await self._wait(settings)
                if trigger:
                    attempt = await self._reloader.request(trigger)
                    if not attempt.known:
                        # Nobody could tell what the files say: that will be the same in a moment.
                        await asyncio.sleep(PAUSE)
            finally:
                stop.set()
                await asyncio.gather(hints, return_exceptions=True)

    def _settings(self) -> Reload | None:
        declared = self._reloader.settings
        return None if declared is None else declared.root.reload

    async def _wait(self, settings: Reload) -> str:
        """Why to reload; empty when a rescan found everything as it was."""
        # The watch is set by now or will be in this turn: a change from before it shows in the stamp.
        await asyncio.sleep(0)
        if await self._changed():
            await self._settle(settings)
            return "watch"
        try:
            async with asyncio.timeout(settings.rescan):
                await self._touched.wait()
        except TimeoutError:
            # A refused state may be mended by what nothing tells of: a secret file that is there now.
            if not self._reloader.status.degraded and not await self._changed():
                return ""
            await self._settle(settings)
            return "rescan"
        await self._settle(settings)
        return "watch" if await self._changed() else ""

    async def _changed(self) -> bool:
        found = await self._stamp()
        return bool(found) and found != self._reloader.source.stamp

    async def _stamp(self) -> str:
        return await self._builder.stamp(self._reloader.place.directory)

    async def _settle(self, settings: Reload) -> None:
        """Wait until nothing happens for a while."""
        clock = asyncio.get_running_loop().time
        began = clock()
        while clock() - began < PATIENCE * settings.settle_at_most:
            quiet = await self._quiet(settings.settle)
            late = clock() - began > settings.settle_at_most
            if not quiet and not late:
                continue
            before = await self._stamp()
            if quiet and not before.startswith(_STILL_WRITING):
                return
            # Something goes on all the time: it may be files that do not concern us.
            await asyncio.sleep(settings.settle)
            if before == await self._stamp() and not before.startswith(_STILL_WRITING):
                return

    async def _quiet(self, seconds: float) -> bool:
        self._touched.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._touched.wait()
        except TimeoutError:
            return True
        return False

    async def _hear(self, stop: asyncio.Event) -> None:
        directories, entries, places = _places(self._reloader.source.watched)
        if not places:
            return

        def concerns(_change: Change, path: str) -> bool:
            return path in entries or path in directories or os.path.dirname(path) in directories

        try:
            async for _ in awatch(
                *sorted(places),
                watch_filter=concerns,
                debounce=STEP,
                step=STEP,
                stop_event=stop,
                recursive=False,
                ignore_permission_denied=True,
            ):
                self._touched.set()
        except (OSError, RuntimeError) as error:
            # Too many watches, or a file system without events: comparing now and then still finds changes.
            if not self._blind:
                self._log.warning("files cannot be watched, only compared", error=type(error).__name__)
            self._blind = True


def _places(watched: Watched) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Directories that matter whole, entries elsewhere that matter, and the directories to set watches on."""
    directories = frozenset(path for path in watched.directories if os.path.isdir(path))
    entries = frozenset(watched.entries)
    around = {os.path.dirname(entry) for entry in entries}
    return directories, entries, directories | {path for path in around if os.path.isdir(path)}
