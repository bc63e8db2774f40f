"""One connection: requests read by the HTTP library, answered one after another, each answer sent in one piece.

The library keeps all that a peer can spoil: the parser and its limits, what waits to be read, the clock of idle
connections, the end. Its own way from a parsed request to an answer (a task, a request object, a response object
and a stream each) costs more than most answers here, so that way is ours.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiohttp import HttpVersion10, web
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from appliance.protocol.messages import Response
from appliance.server.messages import Incoming, Refused, malformed, refusal
from appliance.server.octets import octets

#: Idle connections, half-sent headers and silent peers are closed after this many seconds.
KEEPALIVE_TIMEOUT = 15.0
#: How long somebody may take to read what waits for him, seconds.
READING = 15.0
#: How long the rest of a refused body is read, so that the sender sees the refusal, seconds.
LINGERING = 1.0

_SETTINGS: Mapping[str, Any] = {
    "access_log": None,
    "keepalive_timeout": KEEPALIVE_TIMEOUT,
    # What is compressed is refused unread.
    "auto_decompress": False,
}

#: Gives the response to one request. Refused when it is not even read.
Answer = Callable[[Incoming], Awaitable[Response]]

_FAILED = refusal(Refused(500, "Failed."))


class Answers:
    """Answers the requests of all connections of a listener, counts those under way, and asks for their end."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        #: From now on every answer is the last of its connection.
        self.draining = False
        self.under_way = 0

    async def __call__(self, raw: Incoming) -> tuple[Response, bool]:
        """The response, and whether the connection may stay."""
        self.under_way += 1
        try:
            response, stays = await self._answer(raw), not raw.message.should_close
        except Refused as refused:
            response, stays = refusal(refused), False
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - the wire must never see what it was
            # What goes wrong in answering is told and answered above: this failed before it or after it.
            frames = "".join(traceback.format_tb(error.__traceback__))
            structlog.get_logger().error("failure", exception=type(error).__name__, traceback=frames)
            response, stays = _FAILED, False
        finally:
            self.under_way -= 1
        return response, stays and not self.draining


class Connection(RequestHandler):
    """The HTTP library's connection with a way of its own from a request to its answer."""

    __slots__ = ("_answers", "_content")

    def __init__(self, answers: Answers, manager: web.Server, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(manager, loop=loop, **_SETTINGS)
        self._answers = answers
        #: The body that is being read, or may be.
        self._content: StreamReader | None = None

    def data_received(self, data: bytes) -> None:
        """Parse it; who waits for a body learns at once that what came is none, which the stock one tells nobody."""
        super().data_received(data)
        content = self._content
        if content is not None and not content.is_eof() and self._messages:
            # Nothing follows a body that is not at its end but the parser's complaint.
            content.set_exception(web.RequestPayloadError("malformed"))

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nobody waits any longer for a body that cannot come."""
        content = self._content
        super().connection_lost(exc)
        if content is not None and not content.is_eof():
            content.set_exception(ConnectionResetError("nobody is there any more"))

    def force_close(self) -> None:
        """Close it once all is sent, but not later than others must have read what they asked for."""
        transport, idle = self.transport, self._waiter is not None
        super().force_close()
        if transport is not None and transport.get_write_buffer_size():
            # An idle connection has had that time.
            self._loop.call_later(0 if idle else READING, transport.abort)

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading, if it was stopped; the stock one wakes the parser for every body that was read."""
        if self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)

    async def start(self) -> None:
        """Answer one request after another until the connection ends."""
        try:
            while not self._force_close:
                message, content = await self._next()
                self._request_in_progress = True
                try:
                    stays = await self._serve(message, content)
                finally:
                    self._request_in_progress = False
                    if self._handler_waiter is not None:
                        self._handler_waiter.set_result(None)
                if not stays or self._close:
                    break
                self._rest()
        except (ConnectionError, TimeoutError):
            # Nobody is there any more, or nobody who reads.
            if self.transport is not None:
                self.transport.abort()
        finally:
            # Whoever ends it while it waits has ended it already, and nobody is to wait for this task.
            self._task_handler = None
            self.force_close()

    async def _next(self) -> tuple[object, StreamReader]:
        """The next request, or what the parser has to say of something that is none."""
        if self._messages:
            # Who sends many at once takes turns with the others.
            await asyncio.sleep(0)
        else:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message, content = self._messages.popleft()
        if self._parser is not None:
            self._parser.message_consumed()
        if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
            self._resume_reading_if_drained()
        return message, content

    async def _serve(self, message: object, content: StreamReader) -> bool:
        """Answer a request; whether another one may follow."""
        if not isinstance(message, RawRequestMessage):
            self._send(refusal(malformed()), "", old=False, stays=False)
            return False
        self._content = content
        response, stays = await self._answers(Incoming(message, content, self))
        # RFC 9110 7.8: another protocol is not spoken here, and what follows such a request may be in it.
        stays = stays and not message.upgrade
        try:
            self._send(response, message.method, old=message.version == HttpVersion10, stays=stays)
        except ValueError:
            self._send(_FAILED, message.method, old=False, stays=False)
            return False
        if self.writing_paused:
            async with asyncio.timeout(READING):
                await self._drain_helper()
        return stays if content.is_eof() else await self._linger(content) and stays

    def _send(self, response: Response, method: str, *, old: bool, stays: bool) -> None:
        transport = self.transport
        if transport is None:
            raise ConnectionResetError("nobody is there any more")
        transport.write(octets(response, method, old=old, stays=stays))

    async def _linger(self, content: StreamReader) -> bool:
        """Read what is left of a body for a while; whether all of it came."""
        try:
            async with asyncio.timeout(LINGERING):
                while not content.is_eof():
                    await content.readany()
        except (TimeoutError, web.RequestPayloadError):
            return False
        return True

    def _rest(self) -> None:
        """Wait for the next request, but not for ever."""
        close_at = self._next_keepalive_close_time = self._loop.time() + KEEPALIVE_TIMEOUT
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(close_at, self._process_keepalive)


class Server(web.Server):
    """Makes such connections and knows those that are open."""

    def __init__(self, answers: Answers) -> None:
        super().__init__(_never)
        self._answers = answers

    def __call__(self) -> RequestHandler:
        """A new connection."""
        return Connection(self._answers, self, loop=self._loop)


async def _never(_: web.BaseRequest) -> web.StreamResponse:
    """Where the HTTP library would send requests on its own way."""
    return web.Response(status=500)
