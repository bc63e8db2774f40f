"""The one thread that writes: many waiting changes share one transaction and one flush to the disk.

What an event loop asks while it waits for an answer is kept together and handed over after the answer: the
thread is woken once, and the more there is to do the more is done at once.

A task that fails its expectations writes nothing and needs no transaction of its own. Whatever SQLite reports
undoes the whole batch, and each of its tasks is told StoreUnavailable.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final

from appliance.parts.stores.sqlite import batch
from appliance.parts.stores.sqlite.batch import Work
from appliance.seams import StoreUnavailable

Connect = Callable[[], sqlite3.Connection]

#: How long a write may take from asking to answer, seconds.
ANSWER_WITHIN: Final = 5.0
#: How long a task may lie in the queue before it is refused unrun: its asker will hardly wait any more.
START_WITHIN: Final = 2.5
#: How long tasks may join those that wait for the answer to others: a disk that hangs holds up no newer ones.
JOIN_WITHIN: Final = 0.25
_BATCH: Final = 256


class _Turn:
    """The tasks that one event loop hands over together, and that are answered together."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.works: list[Work] = []
        self.futures: list[asyncio.Future[Any]] = []
        now = time.monotonic()
        self.join_before = now + JOIN_WITHIN
        self.start_before = now + START_WITHIN
        # A disk that hangs must not hang its askers: the answer has an end of its own.
        self._timer = loop.call_later(ANSWER_WITHIN, self._give_up)

    def is_open(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether a task of that loop may join."""
        return self.loop is loop and len(self.works) < _BATCH and time.monotonic() < self.join_before

    def settle(self, results: Sequence[Any]) -> None:
        """Give each asker what came of its task."""
        self._timer.cancel()
        for future, result in zip(self.futures, results, strict=True):
            if future.done():  # cancelled, or given up
                continue
            if isinstance(result, StoreUnavailable):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _give_up(self) -> None:
        self.settle([StoreUnavailable("the database did not answer in time") for _ in self.futures])


class Writer:
    """Runs tasks in write transactions, one thread, one connection."""

    def __init__(self, connect: Connect, connection: sqlite3.Connection) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = connection
        self._queue: queue.SimpleQueue[_Turn | None] = queue.SimpleQueue()
        self._turn: _Turn | None = None
        #: The loop that hands over its next tasks when it gets its answer.
        self._awaiting: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    def run(self, work: Work) -> asyncio.Future[Any]:
        """The result of the work, once it is committed."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        turn = self._turn
        if turn is None or not turn.is_open(loop):
            if turn is not None:
                self._hand_over(turn)
            turn = self._turn = _Turn(loop)
            if self._awaiting is not loop:
                loop.call_soon(self._hand_over, turn)
        future: asyncio.Future[Any] = loop.create_future()
        turn.works.append(work)
        turn.futures.append(future)
        return future

    async def close(self) -> None:
        """Finish all that was asked, then end the thread and its connection."""
        if not self._closed:
            self._closed = True
            if self._turn is not None:
                self._hand_over(self._turn)
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self, turn: _Turn) -> None:
        if self._turn is turn:
            self._turn = None
            self._awaiting = turn.loop
            self._queue.put(turn)

    def _run(self) -> None:
        last = False
        while not last:
            turns: list[_Turn] = []
            size = 0
            turn = self._queue.get()
            while turn is not None:
                turns.append(turn)
                size += len(turn.works)
                if size >= _BATCH:
                    break
                try:
                    turn = self._queue.get_nowait()
                except queue.Empty:
                    break
            last = turn is None
            results = iter(self._results(turns)) if turns else iter(())
            # Not by the loop, which may have ended: it would be awaiting for ever.
            self._awaiting = None
            for one in turns:
                with contextlib.suppress(RuntimeError):  # the loop has ended and nobody waits any more
                    one.loop.call_soon_threadsafe(self._settle, one, list(islice(results, len(one.works))))
        if self._connection is not None:
            self._connection.close()

    def _settle(self, turn: _Turn, results: list[Any]) -> None:
        turn.settle(results)
        following = self._turn
        if following is not None and following.loop is turn.loop:
            # After those that have their answer now: what they ask next goes along.
            turn.loop.call_soon(self._hand_over, following)

    def _results(self, turns: list[_Turn]) -> list[Any]:
        """What came of each task of the turns, in their order."""
        now = time.monotonic()
        works = [work for turn in turns if now < turn.start_before for work in turn.works]
        try:
            if self._connection is None:
                self._connection = self._connect()
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            done = batch.run(connection, works)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever a task raises, the thread must outlive it
            self._undo()
            done = [_unavailable(error) for _ in works]
        if len(done) == sum([len(turn.works) for turn in turns]):
            return done
        told = iter(done)
        late = [now >= turn.start_before for turn in turns for _ in turn.works]
        return [StoreUnavailable("the database is too busy") if each else next(told) for each in late]

    def _undo(self) -> None:
        """Back to a connection without a transaction, or to none: the next batch then makes a new one."""
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection = None
            connection.close()


def _unavailable(error: Exception) -> StoreUnavailable:
    unavailable = StoreUnavailable(f"the database cannot be written: {type(error).__name__}: {error}")
    unavailable.__cause__ = error
    return unavailable
