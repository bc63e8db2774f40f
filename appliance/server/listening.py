"""The listeners that are open, and how they follow the configuration.

A new socket opens before the old one closes, so that a refused address costs nothing.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path

from appliance.config.declared.root import Listener, Listeners, Tls
from appliance.server.connection import Answer
from appliance.server.listeners import OpenListener, PortInUse, open_listener, split_bind
from appliance.server.messages import Networks


@dataclass(frozen=True, slots=True)
class _Identity:
    """What a socket is made of: a change of anything else needs no new one."""

    bind: str
    certificate: str


class Listening:
    """The open listeners by name: "public", "admin" and, where it is declared, "mtls"."""

    def __init__(self, answers: Mapping[str, Answer], directory: Path) -> None:
        self._answers = answers
        #: Where relative names of certificates start.
        self._directory = directory
        self._open: dict[str, tuple[_Identity, OpenListener]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def port(self, name: str) -> int:
        """The port a listener got, which is interesting when it asked for port 0."""
        return self._open[name][1].port

    async def follow(self, declared: Listeners, authorities: str = "") -> "Change":
        """Open what is new. PortInUse, and everything as before, when that is not possible.

        `authorities` (PEM) are those of the listener for clients with certificates.
        """
        change = Change(self, _names(declared))
        try:
            await self._open_new("public", self._located(declared.public), change)
            await self._open_new("admin", self._located(declared.admin), change)
            if declared.mtls is not None:
                mtls = Listener(declared.mtls.bind, declared.mtls.tls, ())
                await self._open_new("mtls", self._located(mtls), change, authorities)
        except (PortInUse, OSError) as error:
            await change.undo()
            raise PortInUse(str(error)) from None
        return change

    async def _open_new(self, name: str, listener: Listener, change: "Change", authorities: str = "") -> None:
        identity = _identity(listener, authorities)
        before = self._open.get(name)
        if before is not None and before[0] == identity:
            return
        if before is not None and split_bind(before[0].bind)[1] == split_bind(identity.bind)[1] != 0:
            # The same port on another address, or with another certificate: both cannot be open at once.
            change.opened[name] = (identity, await self._replace(name, listener, before, authorities))
            return
        change.opened[name] = (identity, await open_listener(listener, self._answers[name], authorities))

    def _located(self, listener: Listener) -> Listener:
        tls = listener.tls
        if tls is None:
            return listener
        found = Tls(str(self._directory / tls.certificate), str(self._directory / tls.key))
        return replace(listener, tls=found)

    async def _replace(
        self, name: str, listener: Listener, before: tuple[_Identity, OpenListener], authorities: str
    ) -> OpenListener:
        await before[1].stop_accepting()
        try:
            return await open_listener(listener, self._answers[name], authorities)
        except (PortInUse, OSError):
            again = await open_listener(before[1].declared, self._answers[name], before[1].authorities)
            self._open[name] = (before[0], again)
            self.close_later(before[1])
            raise

    def take(self, opened: Mapping[str, tuple[_Identity, OpenListener]], declared: frozenset[str]) -> None:
        """The new ones are the open ones from now on; the old ones, and those no more declared, drain and close."""
        for name in self._open.keys() - declared:
            self.close_later(self._open.pop(name)[1])
        for name, entry in opened.items():
            before = self._open.get(name)
            self._open[name] = entry
            if before is not None:
                self.close_later(before[1])

    def close_later(self, listener: OpenListener) -> None:
        """Let its requests end, then close, without anybody waiting for it."""
        task = asyncio.get_running_loop().create_task(listener.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Stop accepting, let requests in flight finish, close everything; the admin listener last."""
        for name in ("public", "mtls", "admin"):
            entry = self._open.pop(name, None)
            if entry is not None:
                await entry[1].close()
        await asyncio.gather(*self._closing)


class Change:
    """Sockets that are open already but not yet in use for good: to be taken or undone."""

    def __init__(self, listening: Listening, declared: frozenset[str]) -> None:
        self._listening = listening
        self._declared = declared
        self.opened: dict[str, tuple[_Identity, OpenListener]] = {}

    def take(self) -> None:
        """Keep them."""
        self._listening.take(self.opened, self._declared)

    async def undo(self) -> None:
        """Close them again."""
        for _, listener in self.opened.values():
            await listener.close()


def proxies(declared: Listeners) -> Networks:
    """The networks whose X-Forwarded-For the public listener believes."""
    return tuple(ip_network(network, strict=False) for network in declared.public.trusted_proxies)


def _names(declared: Listeners) -> frozenset[str]:
    return frozenset({"public", "admin"} if declared.mtls is None else {"public", "admin", "mtls"})


def _identity(listener: Listener, authorities: str) -> _Identity:
    if listener.tls is None:
        return _Identity(listener.bind, "")
    # By content: a renewed certificate keeps its file name.
    files = (Path(listener.tls.certificate), Path(listener.tls.key))
    content = (authorities.encode("latin-1"), *(file.read_bytes() for file in files))
    return _Identity(listener.bind, hashlib.sha256(b"\0".join(content)).hexdigest())
