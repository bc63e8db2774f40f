"""npm @modelcontextprotocol/sdk: an agent that knows nothing but the address of its tools logs a user in.

The agent finds the provider through the tools' protected resource metadata, says who it is by the address of its
metadata document, or else registers, and gets tokens for the tools and for nothing else.
"""

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.clients.node_scripts import check_installed, converse
from tests.support.live import Live, free_ports, running
from tests.support.person import Person

REDIRECT = "http://127.0.0.1:8099/callback"
SECRET = "tools-secret-0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Stage:
    """A running provider, where the tools will be, and where the agent's document is."""

    live: Live
    port: int
    document: str

    @property
    def issuer(self) -> str:
        """The profile that agents meet."""
        return f"{self.live.origin}/agents"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A provider with a profile for agents."""
    scratch = tmp_path_factory.mktemp("mcp")
    (port,) = free_ports(1)
    authority, key = certificate(scratch)
    files = {
        "profiles/agents.yaml": json.dumps(profile(port)),
        "clients/tools.yaml": json.dumps({"clients": {"tools": TOOLS}}),
        "secrets/tools": SECRET,
    }
    outbound = f"\noutbound: {{allow_loopback: true, ca_file: {json.dumps(str(authority))}}}\n"
    with published(authority, key) as document, running(scratch, edit=files, append={"op.yaml": outbound}) as live:
        yield Stage(live, port, document)


TOOLS: dict[str, Any] = {
    "client_name": "The tools themselves",
    "grant_types": ["client_credentials"],
    "response_types": [],
    "client_secrets": [{"id": "one", "file": "secrets/tools"}],
    "op": {"profile": "agents"},
}


def profile(port: int) -> dict[str, Any]:
    """A profile as an operator of tools for agents would declare it."""
    return {
        "profile": "agents",
        "issuer": "${var.base_url}/agents",
        "security_profile": "oauth21",
        "claims": "person",
        "acr": [{"value": "urn:example:acr:password", "policy": "password"}],
        "keys": {"signing": [{"alg": "ES256"}]},
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "endpoints": {"introspection": True},
        "scopes": {"openid": {}, "offline_access": {}, "tools.call": {"description": {"en": "Use your tools"}}},
        "resources": {
            f"http://127.0.0.1:{port}/mcp": {
                "scopes": ["tools.call"],
                "title": {"en": "Your tools"},
                "introspection_clients": ["tools"],
            }
        },
        "client_id_metadata_documents": {"enabled": True, "scopes": ["tools.call"]},
        "registration": {"mode": "open", "scopes": ["tools.call"]},
        "ignore": [{"code": "OP275", "reason": "agents that have no document register"}],
    }


def certificate(scratch: Path) -> tuple[Path, Path]:
    """A certificate for this machine that is its own authority, and its key."""
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem"
        " -days 3650 -subj /CN=agent -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(command.split(), cwd=scratch, check=True, capture_output=True)
    return scratch / "cert.pem", scratch / "key.pem"


class published:  # noqa: N801 - a context
    """The agent's document on an https server of its own."""

    def __init__(self, authority: Path, key: Path) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(authority, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.RequestHandlerClass = _answering(self.url)

    @property
    def url(self) -> str:
        """The address of the document, which is the client's id."""
        return f"https://127.0.0.1:{self._server.server_port}/agent/client.json"

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self.url

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _answering(url: str) -> type[BaseHTTPRequestHandler]:
    body = json.dumps(
        {
            "client_id": url,
            "client_name": "A real agent",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
    ).encode()

    class Answer(BaseHTTPRequestHandler):
        """The same document for every request."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the tests' output is for the tests."""

    return Answer


def flow(stage: Stage, document: str) -> dict[str, Any]:
    """The script's result."""
    check_installed("@modelcontextprotocol/sdk")
    settings = {
        "issuer": stage.issuer,
        "port": str(stage.port),
        "introspectionId": "tools",
        "introspectionSecret": SECRET,
        "documentUrl": document,
        "redirectUri": REDIRECT,
    }
    return converse("mcp.mjs", settings, lambda said: json.dumps(asdict(Person().arrive(said["authorize"], REDIRECT))))


@pytest.mark.clients
@pytest.mark.spec("OAuth Client ID Metadata Document", "3")
@pytest.mark.spec("RFC 9728", "5")
@pytest.mark.spec("RFC 8707", "2")
def test_an_agent_with_a_document_uses_tools_that_it_never_met(stage: Stage) -> None:
    answer = flow(stage, stage.document)
    assert answer["refused"], "the tools are not for everybody"
    assert answer["clientId"] == stage.document
    assert answer["asked"]["resource"] == f"http://127.0.0.1:{stage.port}/mcp"
    assert answer["asked"]["code_challenge_method"] == "S256"
    assert answer["state"] == "an opaque state"
    assert answer["iss"] == stage.issuer
    assert answer["called"]["client"] == stage.document
    assert answer["introspected"]["aud"] == f"http://127.0.0.1:{stage.port}/mcp"
    assert answer["introspected"]["scope"] == "tools.call"
    assert answer["refreshed"]


@pytest.mark.clients
@pytest.mark.spec("RFC 7591", "3")
def test_an_agent_without_a_document_registers_and_goes_on(stage: Stage) -> None:
    answer = flow(stage, "")
    assert answer["clientId"].startswith("op_")
    assert answer["called"]["client"] == answer["clientId"]
    assert answer["refreshed"]
