"""OpenID Connect Registration 5: the sector document is fetched once, and has every redirect URI."""

import json
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.protocol.sector import sector
from tests.outbound.servers import plain, serving
from tests.support.registering import registrar

pytestmark = [pytest.mark.spec("OpenID Connect Registration 1.0", "5"), pytest.mark.seed("002")]

URIS = ["https://one.example/cb", "https://two.example/cb"]


@dataclass(frozen=True)
class Https:
    """TLS for servers on loopback, and the authority to trust for it."""

    context: ssl.SSLContext
    authority: Path


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Https:
    directory = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem"
        " -days 3650 -subj /CN=sector -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(command.split(), cwd=directory, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return Https(context, directory / "cert.pem")


PAIRWISE: dict[str, Any] = {"subject_type": "pairwise", "redirect_uris": URIS}


async def test_makes_the_documents_host_the_sector(https: Https) -> None:
    document = json.dumps([*URIS, "https://three.example/cb"]).encode()
    async with serving(plain(document), tls=https.context) as served, registrar(authority=https.authority) as client:
        uri = served.url("/sector", scheme="https")
        answer = await client.register(**PAIRWISE, sector_identifier_uri=uri)
        assert answer.status == 201, answer.body
        found = await client.op.snapshot.profiles["main"].clients.find(answer["client_id"])
        assert found is not None and sector(found) == "127.0.0.1"
        assert len(served.asked) == 1
        assert (await client.manage("GET", answer)).status == 200
        assert len(served.asked) == 1


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (b'{"redirect_uris": []}', "application/json"),
        (b'["https://one.example/cb"]', "application/json"),
        (json.dumps([*URIS, 5]).encode(), "application/json"),
        (json.dumps(URIS).encode(), "text/html"),
        (b"[" * 9 + b"]" * 9, "application/json"),
        (b"not json", "application/json"),
        (json.dumps([*URIS, "x" * 70000]).encode(), "application/json"),
    ],
)
@pytest.mark.attack("PS-03", "SS-07")
async def test_refuses_a_document_that_does_not_vouch(https: Https, document: bytes, kind: str) -> None:
    answers = plain(document, kind=kind)
    async with serving(answers, tls=https.context) as served, registrar(authority=https.authority) as client:
        answer = await client.register(**PAIRWISE, sector_identifier_uri=served.url(scheme="https"))
        assert len(served.asked) == 1
    assert (answer.status, answer.error) == (400, "invalid_client_metadata")


@pytest.mark.attack("PS-03", "SS-06")
@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect", "500 Broken", "404 Not Found"])
async def test_follows_no_redirect_for_it(https: Https, status: str) -> None:
    body = json.dumps(URIS).encode()
    async with serving(plain(body), tls=https.context) as real, registrar(authority=https.authority) as client:
        elsewhere = plain(body, f"Location: {real.url(scheme='https')}", status=status)
        async with serving(elsewhere, tls=https.context) as served:
            answer = await client.register(**PAIRWISE, sector_identifier_uri=served.url(scheme="https"))
            assert len(served.asked) == 1
        assert real.asked == []
    assert answer.error == "invalid_client_metadata"


@pytest.mark.attack("PS-02", "SS-05")
@pytest.mark.parametrize(
    "uri",
    ["http://sector.example/", "https://10.0.0.1/", "https://169.254.169.254/latest", "https://[fd00::1]/", "ftp://x/"],
)
async def test_asks_nobody_inside(uri: str) -> None:
    async with registrar() as client:
        answer = await client.register(**PAIRWISE, sector_identifier_uri=uri)
    assert answer.error == "invalid_client_metadata"


@pytest.mark.attack("PS-02")
async def test_refuses_a_pairwise_client_whose_sector_cannot_be_told() -> None:
    async with registrar() as client:
        several = await client.register(**PAIRWISE)
        none = await client.register(subject_type="pairwise", redirect_uris=["com.example.app:/cb"])
        one = await client.register(subject_type="pairwise", redirect_uris=URIS[:1])
        found = await client.op.snapshot.profiles["main"].clients.find(one["client_id"])
    assert several.error == none.error == "invalid_client_metadata"
    assert found is not None and sector(found) == "one.example"


async def test_lets_nobody_state_a_sector() -> None:
    async with registrar() as client:
        answer = await client.register(**PAIRWISE, sector_identifier="sunrise", op={"sector_identifier": "sunrise"})
    assert answer.error == "invalid_client_metadata"


async def test_refuses_public_clients_where_pairwise_is_required() -> None:
    async with registrar(require={"subject_type": "pairwise"}) as client:
        refused: tuple[dict[str, Any], ...] = ({}, {"subject_type": "public"})
        for said in refused:
            assert (await client.register(**said)).error == "invalid_client_metadata"
        assert (await client.register(subject_type="pairwise")).status == 201
        assert (await client.register(template="app", redirect_uris=["com.example.app:/cb"])).status == 201


async def test_makes_each_instance_of_a_pairwise_template_a_sector_of_its_own() -> None:
    async with registrar() as client:
        one, other = await client.register(template="partner"), await client.register(template="partner")
        clients = client.op.snapshot.profiles["main"].clients
        sectors = {sector(found) for each in (one, other) if (found := await clients.find(each["client_id"]))}
        app = await client.register(template="app", redirect_uris=["com.example.app:/cb"])
        plain_app = await clients.find(app["client_id"])
    assert sectors == {one["client_id"], other["client_id"]}
    assert plain_app is not None and plain_app.op.sector_identifier is None
