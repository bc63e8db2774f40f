"""The process: start, serve, end."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from appliance.config.declared.whole import Declared
from appliance.seams import Tools
from appliance.server import log
from appliance.server.admin import Admin
from appliance.server.builder import COMMAND, Builder
from appliance.server.client_certificates import of_connection
from appliance.server.connection import Answer
from appliance.server.dispatch import Current, Dispatch
from appliance.server.listening import Listening
from appliance.server.maintenance import Maintenance
from appliance.server.metrics import Metrics
from appliance.server.place import NotStarted, Place
from appliance.server.reload import Process, Reloader
from appliance.server.status import Status
from appliance.server.watching import Watcher


@dataclass(frozen=True, slots=True)
class Running:
    """A provider that serves."""

    reloader: Reloader
    current: Current
    listening: Listening
    metrics: Metrics

    @property
    def status(self) -> Status:
        """What it knows of its configuration."""
        return self.reloader.status


@asynccontextmanager
async def running(
    place: Place,
    *,
    builder: Builder | None = None,
    tools: Tools | None = None,
    command: tuple[str, ...] = COMMAND,
    follow: Callable[[Declared], None] = lambda _: None,
) -> AsyncIterator[Running]:
    """A provider from start to end within an event loop. NotStarted when there is nothing to serve."""
    builder = builder or Builder(place.environment, command=command)
    await builder.start()
    tools = tools or Tools(clock=time.time, entropy=os.urandom)
    metrics, current = Metrics(), Current()
    answers: dict[str, Answer] = {
        "public": Dispatch(current, metrics, tools.clock),
        "mtls": Dispatch(current, metrics, tools.clock, of_connection),
    }
    listening = Listening(answers, place.directory)
    process = Process(tools, log.LogReport(metrics), metrics, current, listening, follow)
    reloader = Reloader(place, process, builder)
    admin = answers["admin"] = Admin(reloader, current, metrics, tools.clock)
    try:
        place.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        attempt = await reloader.start()
        if current.snapshot is None:
            raise NotStarted(attempt.diagnosis.text)
        async with _tasks(Watcher(reloader, builder).run(), Maintenance(current, tools.clock).run()):
            yield Running(reloader, current, listening, metrics)
            admin.ending = True
    except OSError as error:
        raise NotStarted(f"{place.state}: {error.strerror or error}") from None
    finally:
        await listening.close()
        await reloader.close()
        await builder.close()


@asynccontextmanager
async def _tasks(*coroutines: "asyncio._CoroutineLike[None]") -> AsyncIterator[None]:
    tasks = [asyncio.get_running_loop().create_task(coroutine) for coroutine in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def run(place: Place, builder: Builder) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reloads. NotStarted with the reason when it does not begin."""
    log.configure("info", "text" if sys.stderr.isatty() else "json")
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    async with running(place, builder=builder, follow=_follow_log) as provider:
        loop.add_signal_handler(signal.SIGHUP, lambda: provider.reloader.request("signal"))
        await end.wait()
        structlog.get_logger().info("ending")


def _follow_log(declared: Declared) -> None:
    log.configure(declared.root.log.level, declared.root.log.format)
