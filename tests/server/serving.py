"""A provider that serves a small directory, and ways to look at it from outside."""

import asyncio
import io
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.demo import scaffold
from appliance.server import log
from appliance.server.app import Running, running
from appliance.server.builder import Builder
from appliance.server.place import Place
from tests.support.live import PATIENCE

#: A hash of nothing in particular: nobody logs in here.
PASSWORD = "$argon2id$v=19$m=19456,t=2,p=1$" + "A" * 22 + "$" + "A" * 43
#: Seconds for one answer of the process that reads the files: it lets everybody else on the machine go first.
BUILD_WITHIN = 600.0


def write_config(directory: Path, *, settle: str = "300ms", rescan: str = "1h", extra: str = "") -> Path:
    """The scaffold's configuration on ports that nobody has.

    It is not compared with its files now and then: what is taken up was noticed, however long that took.
    """
    scaffold.write(directory, lambda _: PASSWORD)
    op = directory / "op.yaml"
    text = op.read_text()
    listeners = '{public: {bind: "127.0.0.1:0"}, admin: {bind: "localhost:0"}}'
    settings = f"listeners: {listeners}\nreload: {{settle: {settle}, rescan: {rescan}}}\nstorage: {{kind: memory}}\n"
    op.write_text(text + settings + extra)
    profile = directory / "profiles" / "main.yaml"
    # Quicker than RSA to make, and as good for what is tested here.
    profile.write_text(profile.read_text() + "keys: {signing: [{alg: ES256}]}\n")
    return directory


def title(directory: Path) -> Callable[[str], None]:
    """Writes the profile with another acr value, which discovery shows."""
    profile = directory / "profiles" / "main.yaml"
    text = profile.read_text()

    def write(value: str) -> None:
        profile.write_text(text.replace("urn:example:acr:password", f"urn:example:acr:{value}"))

    return write


@dataclass
class Served:
    """A running provider and what it logged."""

    running: Running
    directory: Path
    state: Path
    logged: io.StringIO = field(default_factory=io.StringIO)

    @property
    def public(self) -> int:
        """Port of the public listener."""
        return self.running.listening.port("public")

    @property
    def admin(self) -> int:
        """Port of the admin listener."""
        return self.running.listening.port("admin")

    @property
    def generation(self) -> int:
        """Number of the generation that serves."""
        live = self.running.status.live
        return live.generation if live else 0

    def events(self, name: str) -> list[dict[str, Any]]:
        """Log lines of an event."""
        lines = (json.loads(line) for line in self.logged.getvalue().splitlines())
        return [line for line in lines if line["event"] == name]

    def last(self) -> str:
        """What came of the last attempt."""
        attempt = self.running.status.last
        return attempt.result if attempt else ""

    async def acr(self) -> str:
        """The acr value that discovery shows now."""
        _, body = await get(self.public, "/.well-known/openid-configuration")
        return str(json.loads(body)["acr_values_supported"][0]).rpartition(":")[2]

    async def shows(self, value: str, within: float = PATIENCE) -> None:
        """Wait until discovery shows an acr value."""
        until = time.monotonic() + within
        while (found := await self.acr()) != value:
            assert time.monotonic() < until, f"{found} still serves instead of {value}: {self.running.status.last}"
            await asyncio.sleep(0.02)

    async def until(self, true: Callable[[], bool], within: float = PATIENCE) -> None:
        """Wait until something is true: processes and files are real here, so is time."""
        end = time.monotonic() + within
        while not true():
            assert time.monotonic() < end, f"it never came: {self.running.status.last}"
            await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(directory: Path, state: Path) -> AsyncIterator[Served]:
    """Serve a directory."""
    logged = io.StringIO()
    log.configure("info", "json", logged)
    async with running(Place(directory, None, state), builder=Builder(None, timeout=BUILD_WITHIN)) as provider:
        yield Served(provider, directory, state, logged)


async def exchange(port: int, octets: bytes, *, until_closed: bool = True, within: float = PATIENCE) -> bytes:
    """Send octets as they are, and give what comes back until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(octets)
    try:
        async with asyncio.timeout(within):
            await writer.drain()
            return await reader.read() if until_closed else await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()


async def get(port: int, path: str, *, method: str = "GET", headers: str = "") -> tuple[int, bytes]:
    """Status and body of a plain request."""
    asked = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{headers}"
    if method == "POST":
        asked += "Content-Length: 0\r\n"
    answer = await exchange(port, f"{asked}\r\n".encode(), within=2 * PATIENCE)
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body


def copy(source: Path, target: Path) -> Path:
    """A copy of a directory."""
    shutil.copytree(source, target)
    return target
