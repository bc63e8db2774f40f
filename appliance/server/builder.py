"""The parent's side of the build process: start it, ask it, take its answer without stalling the loop."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from appliance.config.declared.whole import Declared
from appliance.protocol.client import Client
from appliance.server import child, frames
from appliance.server.child import Child
from appliance.server.codes import NO_ANSWER
from appliance.server.place import Place
from appliance.server.problems import problem

COMMAND = child.COMMAND
#: Seconds after which a build is given up and its process ended.
TIMEOUT = 60.0
#: Seconds of decoding after which other tasks get their turn.
SLICE = 0.002


class Refused(Exception):
    """The configuration is not taken."""

    def __init__(self, rejected: frames.Rejected) -> None:
        super().__init__(rejected.digest)
        self.rejected = rejected


@dataclass(frozen=True, slots=True)
class Answer:
    """A good configuration, whole again."""

    declared: Declared
    warnings: frames.Diagnosis
    source: frames.Source


@dataclass(frozen=True, slots=True)
class _Line:
    """The two directions of talking with a child."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Builder:
    """One child process at a time, started anew when it died or does not answer."""

    def __init__(
        self,
        environment: str | None,
        *,
        state: Path | None = None,
        command: Sequence[str] = COMMAND,
        timeout: float = TIMEOUT,
    ) -> None:
        """`state` is where the child keeps what it need not check again; None: nowhere."""
        self._environment = environment
        self._state = state
        self._command = tuple(command)
        self._timeout = timeout
        self._child: Child | None = None
        self._line: _Line | None = None
        self._asking = asyncio.Lock()
        #: What the child was asked to build without anybody waiting for its answer yet.
        self._asked: Path | None = None
        #: The clients of the last good answer, by digest: the child sends none of them again.
        self._clients: dict[bytes, Client] = {}

    @classmethod
    def of_asked(cls, place: Place, asked: Child) -> Self:
        """A builder whose child runs already, and reads the configuration of this place."""
        made = cls(place.environment, state=place.state)
        made._child, made._asked = asked, place.directory
        return made

    async def start(self) -> None:
        """Start the child, so that it loads while the caller does something else."""
        async with self._asking:
            await self._started()

    async def build(self, directory: Path, ahead: Callable[[Declared], None] = lambda _: None) -> Answer:
        """The configuration of a directory. Refused when it is not good, or the child cannot tell.

        `ahead` may hear before that what is declared, of which nothing may be served yet. If the answer is about
        that, it holds the very same object.
        """
        async with self._asking:
            for attempt in (1, 2):
                try:
                    async with asyncio.timeout(self._timeout):
                        return await self._build(directory, ahead)
                except TimeoutError:
                    await self._end()
                    raise _silent(f"it took more than {self._timeout:g} seconds") from None
                except (frames.BrokenFrame, OSError, EOFError):
                    await self._end()
                    if attempt == 2:
                        raise _silent("its process ended twice") from None
        raise AssertionError("the second attempt returns or raises")  # pragma: no cover

    async def stamp(self, directory: Path) -> str:
        """What the directory looks like now; empty when the child cannot tell."""
        found = await self._ask(frames.AskStamp(directory))
        return found if isinstance(found, str) else ""

    async def remember(self, asked: frames.Remember) -> bool:
        """Keep a generation on disk. False when the files have changed since, or there is no room."""
        return await self._ask(asked) is True

    async def close(self) -> None:
        """End the child."""
        async with self._asking:
            await self._end()

    async def _ask(self, question: object) -> object:
        async with self._asking:
            try:
                async with asyncio.timeout(self._timeout):
                    line = await self._started()
                    if self._asked is not None:
                        raise frames.BrokenFrame
                    await _send(line, question)
                    return frames.load(await _receive(line))
            except (TimeoutError, frames.BrokenFrame, OSError, EOFError):
                await self._end()
                return None

    async def _build(self, directory: Path, ahead: Callable[[Declared], None]) -> Answer:
        line = await self._started()
        asked, self._asked = self._asked, None
        if asked is None:
            await _send(line, frames.Build(directory, self._environment, self._state))
        elif asked != directory:
            # An answer to another question is on its way, and would be taken for ours.
            raise frames.BrokenFrame
        told: Declared | None = None
        answer = frames.load(await _receive(line))
        if isinstance(answer, frames.Ahead):
            told = await self._take_clients(line, answer.declared, answer.batches)
            ahead(told)
            answer = frames.load(await _receive(line))
        if isinstance(answer, frames.Rejected):
            raise Refused(answer)
        if not isinstance(answer, frames.Built):
            raise frames.BrokenFrame
        if answer.declared is not None:
            told = await self._take_clients(line, answer.declared, answer.batches)
        if told is None:
            raise frames.BrokenFrame
        return Answer(told, answer.warnings, answer.source)

    async def _take_clients(self, line: _Line, declared: Declared, batches: int) -> Declared:
        """What is declared with all its clients, which come now."""
        collecting = gc.isenabled()
        # The collector would walk all that is half made, again and again, for longer than any slice.
        gc.disable()
        try:
            whole = replace(declared, clients=await self._read_clients(line, batches))
            # What is new here stays: without this, the next round of the collector walks all of it.
            gc.freeze()
        finally:
            if collecting:
                gc.enable()
        return whole

    async def _read_clients(self, line: _Line, batches: int) -> dict[str, Client]:
        """All clients by id: known ones from the last answer, new ones decoded with pauses for others."""
        known: dict[bytes, Client] = {}
        clients: dict[str, Client] = {}
        until = time.perf_counter() + SLICE
        for _ in range(batches):
            for listed in _read_batch(await _receive(line)):
                client = self._clients.get(listed.digest) if not listed.octets else _read_client(listed.octets)
                if client is None:
                    raise frames.BrokenFrame
                known[listed.digest] = clients[listed.client_id] = client
                if time.perf_counter() > until:
                    await asyncio.sleep(0)
                    until = time.perf_counter() + SLICE
        self._clients = known
        return clients

    async def _started(self) -> _Line:
        if self._child is None or self._child.returncode is not None:
            await self._end()
            self._clients = {}
            self._child = child.start(self._command)
        if self._line is None:
            self._line = _Line(*await asyncio.open_unix_connection(sock=self._child.socket))
        return self._line

    async def _end(self) -> None:
        ended, self._child = self._child, None
        line, self._line = self._line, None
        self._asked = None
        if ended is not None:
            ended.kill()
            if line is None:
                ended.socket.close()
            else:
                line.writer.close()
            # So much memory takes the kernel a while.
            await asyncio.to_thread(ended.wait)


async def _send(line: _Line, question: object) -> None:
    line.writer.write(frames.frame(frames.dump(question)))
    await line.writer.drain()


async def _receive(line: _Line) -> bytes:
    size = int.from_bytes(await line.reader.readexactly(frames.HEAD), "big")
    return await line.reader.readexactly(size)


def _read_batch(octets: bytes) -> Iterator[frames.Listed]:
    found = frames.load(octets)
    for listed in found if isinstance(found, tuple) else (None,):
        if not isinstance(listed, frames.Listed):
            raise frames.BrokenFrame
        yield listed


def _read_client(octets: bytes) -> Client | None:
    client = frames.load(octets)
    return client if isinstance(client, Client) else None


def _silent(words: str) -> Refused:
    diagnosis = problem(NO_ANSWER, f"the configuration could not be read: {words}")
    nowhere = frames.Source("", "", frames.Watched((), ()))
    return Refused(frames.Rejected(f"{NO_ANSWER} {words}", diagnosis, nowhere))
