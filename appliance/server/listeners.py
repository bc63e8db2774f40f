"""Listening sockets that can be opened, replaced and drained while the process runs."""

import asyncio
import socket
import ssl

from aiohttp import web

from appliance.config.declared.root import Listener
from appliance.server.connection import Answer, Answers, Server

#: How long a TLS handshake may take, seconds.
HANDSHAKE_TIMEOUT = 10.0
#: How long requests in flight may take when the process or a listener ends, seconds.
DRAIN = 5.0
#: How long idle connections may still send a request, which is then told to be the last, seconds.
GRACE = 0.5
TICK = 0.02
BACKLOG = 1024
#: TLS 1.2 with what BCP 195 recommends and nothing else (RFC 9325 4.2); TLS 1.3 has no other kind.
TLS12_CIPHERS = "ECDHE+AESGCM"


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


class OpenListener:
    """One listener that is open."""

    def __init__(
        self, declared: Listener, authorities: str, runner: web.ServerRunner, answers: Answers, port: int
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
    answers = Answers(answer)
    runner = web.ServerRunner(Server(answers), handle_signals=False, shutdown_timeout=DRAIN)
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
