"""Listening sockets that can be opened, replaced and drained while the process runs."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod
from aiohttp.web_protocol import RequestHandler

from appliance.config.declared.root import Listener

#: Idle connections, half-sent headers and silent peers are closed after this many seconds.
KEEPALIVE_TIMEOUT = 15.0
#: How long a TLS handshake may take, seconds.
HANDSHAKE_TIMEOUT = 10.0
#: How long the rest of a refused body is read, so that the sender sees the refusal, seconds.
LINGERING = 1.0
#: How long requests in flight may take when the process or a listener ends, seconds.
DRAIN = 5.0
#: How long idle connections may still send a request, which is then told to be the last, seconds.
GRACE = 0.5
TICK = 0.02
BACKLOG = 1024
#: TLS 1.2 with what BCP 195 recommends and nothing else (RFC 9325 4.2); TLS 1.3 has no other kind.
TLS12_CIPHERS = "ECDHE+AESGCM"


Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class _Protocol(RequestHandler):
    """The HTTP library's connection, which answers malformed requests without repeating them."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading, if it was stopped; the stock one wakes the parser for every body that was read."""
        if self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """A fixed text; the stock one echoes the offending line to the sender and to the log."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer had already begun")
        text = "The request is malformed.\n" if status < 500 or isinstance(exc, BadHttpMethod) else "Failed.\n"
        answer = web.Response(status=status, text=text, headers={"Server": "appliance"})
        answer.force_close()
        return answer


class _Server(web.Server):
    """A server of such connections."""

    def __call__(self) -> RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class _TlsSite(web.SockSite):
    """A listening socket that does not wait a minute, as the stock one does, for handshakes that never end."""

    async def start(self) -> None:
        """Begin to accept."""
        await web.BaseSite.start(self)
        server = self._runner.server
        if server is None:
            raise OSError("the listener is closed already")
        self._server = await asyncio.get_running_loop().create_server(
            server,
            sock=self._sock,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
        )


class PortInUse(Exception):
    """A declared address cannot be listened on."""


class _Draining:
    """Answers requests, counts those under way, and asks for the end of connections once it drains."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.draining = False
        self.under_way = 0

    async def __call__(self, raw: web.BaseRequest) -> web.StreamResponse:
        self.under_way += 1
        try:
            response = await self._answer(raw)
        finally:
            self.under_way -= 1
        if self.draining:
            response.force_close()
        return response


class OpenListener:
    """One listener that is open."""

    def __init__(
        self, declared: Listener, authorities: str, runner: web.ServerRunner, answers: _Draining, port: int
    ) -> None:
        self.declared = declared
        self.authorities = authorities
        self.port = port
        self._runner = runner
        self._answers = answers

    async def stop_accepting(self) -> None:
        """Give the address free; connections that are open go on."""
        for site in list(self._runner.sites):
            await site.stop()
        # The loop lets go of the socket in its next turn.
        await asyncio.sleep(0)

    async def close(self) -> None:
        """Stop accepting, let requests in flight finish and idle connections learn of it, close."""
        await self.stop_accepting()
        self._answers.draining = True
        clock = asyncio.get_running_loop().time
        began = clock()
        # The HTTP library stops reading when it is told to end: a body half here would be lost.
        while self._open_connections() and clock() - began < DRAIN:
            if not self._answers.under_way and clock() - began > GRACE:
                break
            await asyncio.sleep(TICK)
        await self._runner.cleanup()

    def _open_connections(self) -> int:
        server = self._runner.server
        return 0 if server is None else len(server.connections)


async def open_listener(declared: Listener, answer: Answer, authorities: str = "") -> OpenListener:
    """Listen as declared. PortInUse when the address is taken or not ours.

    With `authorities` (PEM) clients are asked for certificates, and may have one of theirs or none.
    """
    host, port = split_bind(declared.bind)
    context = None
    if declared.tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_ciphers(TLS12_CIPHERS)
        context.load_cert_chain(declared.tls.certificate, declared.tls.key)
        if authorities:
            context.verify_mode = ssl.CERT_OPTIONAL
            # An authority need not be the top of its tree, and a self-signed certificate is its own.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            context.load_verify_locations(cadata=authorities)
    answers = _Draining(answer)
    server = _Server(
        answers,
        access_log=None,
        keepalive_timeout=KEEPALIVE_TIMEOUT,
        lingering_time=LINGERING,
        auto_decompress=False,
    )
    runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=DRAIN)
    await runner.setup()
    try:
        sock = await asyncio.get_running_loop().run_in_executor(None, _bind, host, port)
        kind = web.SockSite if context is None else _TlsSite
        site = kind(runner, sock, ssl_context=context, backlog=BACKLOG)
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise PortInUse(f"{declared.bind}: {error.strerror or error}") from None
    return OpenListener(declared, authorities, runner, answers, sock.getsockname()[1])


def split_bind(bind: str) -> tuple[str, int]:
    """Host and port of `host:port`, `[v6]:port`."""
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)


def _bind(host: str, port: int) -> socket.socket:
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
        0
    ]
    sock = socket.socket(family, kind, proto)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock
