"""One provider for each file of tests, as deploy/conformance makes it; and a client's own web server."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from deploy.conformance.prepare import Place, prepare
from tests.conformance.certificate import write_certificate
from tests.conformance.judging import ISSUER
from tests.conformance.suite import Suite
from tests.support.logging_out import patient
from tests.support.provider import provider

SUITE_URL = "https://www.certification.openid.net/test/a/appliance"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration that `start` would serve."""
    target = tmp_path_factory.mktemp("conformance")
    prepare(target, Place(ISSUER, SUITE_URL))
    return target


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine and its key."""
    return write_certificate(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def assembled(prepared: Path, authority: Path, seed: int = 1) -> AsyncIterator[Suite]:
    """A provider with that configuration that trusts the client's web server, and the suite in front of it."""
    root = (prepared / "config/op.yaml").read_text() + f"  ca_file: {authority}\n"
    async with provider(prepared / "config", edit={"op.yaml": root}, seed=seed) as op:
        copyfile(prepared / "generated.json", op.directory.parent / "generated.json")
        yield Suite(op)
        assert op.report.failures == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def suite(prepared: Path, certificate: tuple[Path, Path]) -> AsyncIterator[Suite]:
    """One provider for the tests of a file."""
    async with assembled(prepared, certificate[0]) as made:
        yield made


@dataclass
class Site:
    """A client's own web server: what is at which path, and what was asked for or sent."""

    port: int = 0
    documents: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def put(self, path: str, text: str | bytes, kind: str = "application/json") -> str:
        """Publish a document; its address."""
        self.documents[path] = (kind, text.encode() if isinstance(text, str) else text)
        return f"https://127.0.0.1:{self.port}{path}"

    def posted(self, path: str) -> list[dict[str, str]]:
        """The forms that were sent to a path."""
        return [form for method, where, form in self.asked if method == "POST" and where == path]

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        form: dict[str, Any] = dict(await request.post()) if request.method == "POST" else {}
        self.asked.append((request.method, request.path, form))
        kind, body = self.documents.get(request.path, ("text/plain", b""))
        found = request.method == "POST" or request.path in self.documents
        return web.Response(status=200 if found else 404, body=body, headers={"Content-Type": kind})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(certificate: tuple[Path, Path]) -> AsyncIterator[Site]:
    """The client's web server, which speaks nothing older than TLS 1.3; pages wait until it was told."""
    made = Site()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(*certificate)
    runner = web.ServerRunner(web.Server(made.answer, access_log=None))
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await listening.start()
    made.port = runner.addresses[0][1]
    with patient():
        yield made
    await runner.cleanup()


@pytest.fixture(autouse=True)
def nothing_failed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a module does, the provider itself never fails."""
    yield
    suite = request.node.funcargs.get("suite")
    if suite is not None:
        failures = list(suite.op.report.failures)
        suite.op.report.failures.clear()
        assert failures == []
