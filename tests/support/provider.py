"""A whole provider in process: `async with provider("config.example") as op`."""

import random
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from appliance.assembly import assemble
from appliance.config.load import load
from appliance.options import PARTS
from appliance.protocol.errors import OAuthError
from appliance.protocol.messages import Request, Response
from appliance.seams import Tools
from appliance.snapshot import Snapshot

ROOT = Path(__file__).resolve().parents[2]
#: Where every test's clock begins: 2026-11-21T12:00:00Z.
START = 1795262400.0


class Clock:
    """Epoch seconds that only tests move."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class TestReport:
    """Keeps what would be logged, so that a test can see that nothing unexpected happened."""

    __test__ = False

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.refusals: list[OAuthError] = []
        self.notices: list[tuple[str, dict[str, str]]] = []
        self.failed_logins: list[tuple[str, str, str]] = []

    def failure(self, request: Request, error: Exception) -> str:
        """Remember a failure."""
        self.failures.append(error)
        return "test-reference"

    def refusal(self, request: Request, error: OAuthError) -> str:
        """Remember a refusal."""
        self.refusals.append(error)
        return "test-reference"

    def notice(self, event: str, **facts: str) -> None:
        """Remember a notice."""
        self.notices.append((event, facts))

    def failed_login(self, profile: str, authenticator: str, reason: str) -> None:
        """Remember a failed login."""
        self.failed_logins.append((profile, authenticator, reason))


class Provider:
    """An assembled provider with the handles that tests need."""

    def __init__(self, directory: Path, state: Path, seed: int) -> None:
        self.directory = directory
        self.state = state
        self.clock = Clock()
        self.report = TestReport()
        self._random = random.Random(seed)
        self.tools = Tools(clock=self.clock, entropy=self._random.randbytes)
        self._snapshot: Snapshot | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The current generation."""
        if self._snapshot is None:
            raise RuntimeError("the provider is not loaded")
        return self._snapshot

    async def load(self) -> Snapshot:
        """Load the directory (again): a reload whose result goes live."""
        loaded = load(self.directory, environment=None, parts=PARTS)
        previous = self._snapshot
        self._snapshot = await assemble(
            loaded.declared, tools=self.tools, state=self.state, previous=previous, report=self.report
        )
        await self._snapshot.rehearse()
        if previous is not None:
            await previous.retire()
        return self._snapshot

    async def respond(self, request: Request) -> Response:
        """The answer of the current generation."""
        return await self.snapshot.respond(request)

    async def close(self) -> None:
        """Let go of all resources."""
        await self.snapshot.retire()


@asynccontextmanager
async def provider(
    case: str | Path = "config.example", *, edit: dict[str, str] | None = None, seed: int = 1
) -> AsyncIterator[Provider]:
    """A provider from a copy of a configuration directory.

    `case` is a path, or a name below tests/config/accepted, or "config.example". `edit` replaces or adds files
    (relative name to text; an empty text removes the file).
    """
    source = _directory(case)
    with TemporaryDirectory() as scratch:
        directory = Path(scratch) / "config"
        shutil.copytree(source, directory)
        for name, text in (edit or {}).items():
            target = directory / name
            if text:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            else:
                target.unlink()
        state = Path(scratch) / "state"
        state.mkdir()
        made = Provider(directory, state, seed)
        await made.load()
        try:
            yield made
        finally:
            await made.close()


def _directory(case: str | Path) -> Path:
    if isinstance(case, Path):
        return case
    for candidate in (
        ROOT / case,
        ROOT / "tests" / "config" / "accepted" / case,
        ROOT / "tests" / "seeds" / case,
    ):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"no configuration directory {case}")
