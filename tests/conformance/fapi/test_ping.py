"""Modules of FAPI-CIBA in which the client is told of a decision, and answers as it likes."""

import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile

import pytest
import pytest_asyncio
from aiohttp import web

from deploy.conformance.prepare import Place
from deploy.conformance.prepare_fapi import FapiPlace, prepare_fapi
from tests.conformance.fapi.asking import Asking
from tests.conformance.fapi.conftest import settled_on_this_machine
from tests.conformance.fapi.suite import BASE, MTLS, RESOURCE, Suite, check_refused
from tests.support.live import PATIENCE
from tests.support.provider import provider

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.spec("CIBA Core 1.0", "10.2")]
MODULE = "fapi-ciba-id1-ping-backchannel-notification-endpoint-"
PING = ["ciba-key-ping", "ciba-mtls-ping"]


@dataclass
class Listener:
    """The notification endpoint of the suite: what came, and what is answered."""

    url: str = ""
    status: int = 204
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    came: list[tuple[str, str, str, str, bytes]] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        authorization, kind = (request.headers.get(name, "") for name in ("Authorization", "Content-Type"))
        self.came.append((request.method, request.path, authorization, kind, await request.read()))
        return web.Response(status=self.status, body=self.body or None, headers=self.headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listening(certificate: tuple[Path, Path]) -> AsyncIterator[Listener]:
    """It speaks nothing older than TLS 1.3."""
    made, context = Listener(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(*certificate)
    runner = web.ServerRunner(web.Server(made.answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    made.url = f"https://127.0.0.1:{runner.addresses[0][1]}/test/a/appliance"
    yield made
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pinging(
    listening: Listener, certificate: tuple[Path, Path], prepared_fapi: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Suite]:
    """A provider for a suite on this very machine, with the keys of the others."""
    target, (file, key) = tmp_path_factory.mktemp("ping"), certificate
    copyfile(prepared_fapi / "generated.json", target / "generated.json")
    prepare_fapi(target, FapiPlace(Place(BASE, listening.url, certificate=file, key=key), MTLS, RESOURCE))
    root = settled_on_this_machine(target, certificate, suite_url=listening.url)
    async with provider(target / "config", edit={"op.yaml": root}) as op:
        copyfile(target / "generated.json", op.directory.parent / "generated.json")
        yield Suite(op)
        assert op.report.failures == []


async def ping(pinging: Suite, listening: Listener, group: str, button: str = "allow") -> tuple[Asking, dict[str, str]]:
    """A request that was decided on, all notifications of which have ended."""
    pinging.op.clock.forward(1801)
    listening.came.clear()
    asking = Asking(pinging, pinging.rp(group))
    told = await asking.begin()
    assert listening.came == []
    await asking.decide(button)
    pending = pinging.op.snapshot.profiles["ciba"].pending
    assert pending is not None and pending.backchannel is not None
    await pending.backchannel.pings.wait(PATIENCE)
    ((method, path, authorization, kind, body),) = listening.came
    assert (method, path) == ("POST", "/test/a/appliance/ciba-notification-endpoint")
    assert authorization == f"Bearer {asking.token}"
    assert kind.startswith("application/json")
    assert json.loads(body) == {"auth_req_id": told["auth_req_id"]}
    return asking, told


@pytest.mark.conformance("fapi-ciba-id1", f"{MODULE}response-has-body")
@pytest.mark.parametrize("group", PING)
@pytest.mark.parametrize("body", [b"", b'{"any": "body"}'])
async def test_ping_and_answers_with_a_body(pinging: Suite, listening: Listener, group: str, body: bytes) -> None:
    listening.status, listening.body, listening.headers = 200 if body else 204, body, {}
    asking, told = await ping(pinging, listening, group)
    tokens = pinging.check_tokens(asking.rp, await asking.poll(told))
    assert (await pinging.resource(asking.rp, tokens["access_token"])).status == 200


@pytest.mark.conformance("fapi-ciba-id1-user-rejects-authentication")
@pytest.mark.parametrize("group", PING)
async def test_ping_of_a_refusal(pinging: Suite, listening: Listener, group: str) -> None:
    listening.status, listening.body, listening.headers = 204, b"", {}
    asking, told = await ping(pinging, listening, group, "deny")
    check_refused(await asking.poll(told), "access_denied")


@pytest.mark.conformance(
    f"{MODULE}response-401",
    f"{MODULE}response-403",
    "fapi-ciba-id1-ping-with-mtls-ciba-notification-endpoint-response-401-and-require-server-does-not-retry",
    f"{MODULE}return-redirect-request",
)
@pytest.mark.parametrize("group", PING)
@pytest.mark.parametrize("status", [401, 403, 301, 302, 307, 308])
async def test_pings_that_are_refused_or_sent_elsewhere(
    pinging: Suite, listening: Listener, group: str, status: int
) -> None:
    listening.status, listening.body = status, b""
    listening.headers = {"Location": f"{listening.url}/elsewhere"} if 300 < status < 400 else {}
    asking, told = await ping(pinging, listening, group)
    pinging.op.clock.forward(60)
    for each in pinging.op.snapshot.profiles["ciba"].deliveries:
        await each.resume()
    assert len(listening.came) == 1, "neither again nor elsewhere"
    pinging.check_tokens(asking.rp, await asking.poll(told))
