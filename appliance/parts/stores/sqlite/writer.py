"""The one thread that writes: many waiting changes share one transaction and one flush to the disk.

A task runs inside the transaction and checks all it expects before its first write, so that a task that
fails its expectations needs no transaction of its own. Whatever SQLite reports undoes the whole batch, and
each of its tasks is told StoreUnavailable.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from appliance.seams import StoreUnavailable

T = TypeVar("T")
Connect = Callable[[], sqlite3.Connection]

#: How long a write may take from asking to answer, seconds.
ANSWER_WITHIN: Final = 5.0
#: How long a task may lie in the queue before it is refused unrun: its asker will hardly wait any more.
START_WITHIN: Final = 2.5
_BATCH: Final = 256


@dataclass(frozen=True, slots=True)
class _Task:
    """One piece of work, who waits for it, and until when it is worth starting."""

    work: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    start_before: float


class _Turn:
    """The tasks of one turn of an event loop: handed over together, answered together."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.tasks: list[_Task] = []
        # A disk that hangs must not hang its askers: the answer has an end of its own.
        self._timer = loop.call_later(ANSWER_WITHIN, self._give_up)

    def deliver(self, results: list[Any]) -> None:
        """Hand the results to the loop, from the writer's thread."""
        try:
            self.loop.call_soon_threadsafe(self._settle, results)
        except RuntimeError:  # the loop has ended and nobody waits any more
            return

    def _settle(self, results: list[Any]) -> None:
        self._timer.cancel()
        for task, result in zip(self.tasks, results, strict=True):
            if task.future.done():  # cancelled, or given up
                continue
            if isinstance(result, StoreUnavailable):
                task.future.set_exception(result)
            else:
                task.future.set_result(result)

    def _give_up(self) -> None:
        self._settle([StoreUnavailable("the database did not answer in time") for _ in self.tasks])


class Writer:
    """Runs tasks in write transactions, one thread, one connection."""

    def __init__(self, connect: Connect, connection: sqlite3.Connection) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = connection
        self._queue: queue.SimpleQueue[_Turn | None] = queue.SimpleQueue()
        self._turn: _Turn | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of the work, once it is committed."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        turn = self._turn
        if turn is None or turn.loop is not loop:
            # The thread is woken once for all that one turn of the loop asks.
            turn = self._turn = _Turn(loop)
            loop.call_soon(self._hand_over)
        future: asyncio.Future[T] = loop.create_future()
        turn.tasks.append(_Task(work, future, time.monotonic() + START_WITHIN))
        return await future

    async def close(self) -> None:
        """Finish all that was asked, then end the thread and its connection."""
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        if self._turn is not None:
            self._queue.put(self._turn)
            self._turn = None

    def _run(self) -> None:
        last = False
        while not last:
            turns: list[_Turn] = []
            size = 0
            turn = self._queue.get()
            while turn is not None:
                turns.append(turn)
                size += len(turn.tasks)
                if size >= _BATCH:
                    break
                try:
                    turn = self._queue.get_nowait()
                except queue.Empty:
                    break
            last = turn is None
            results = self._results([task for one in turns for task in one.tasks]) if turns else []
            for one in turns:
                one.deliver(results[: len(one.tasks)])
                del results[: len(one.tasks)]
        if self._connection is not None:
            self._connection.close()

    def _results(self, batch: list[_Task]) -> list[Any]:
        now = time.monotonic()
        try:
            if self._connection is None:
                self._connection = self._connect()
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            results = [_outcome(task, connection, now) for task in batch]
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever a task raises, the thread must outlive it
            self._undo()
            return [_unavailable(error) for _ in batch]
        return results

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


def _outcome(task: _Task, connection: sqlite3.Connection, now: float) -> Any:
    if now >= task.start_before:
        return StoreUnavailable("the database is too busy")
    try:
        return task.work(connection)
    except StoreUnavailable as error:
        # Met while checking what is stored, before the task's first write: no fault of its neighbours.
        return error


def _unavailable(error: Exception) -> StoreUnavailable:
    unavailable = StoreUnavailable(f"the database cannot be written: {type(error).__name__}: {error}")
    unavailable.__cause__ = error
    return unavailable
