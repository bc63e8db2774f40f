"""The example for agents (tests/config/accepted/agents), told to its end: nothing of it is there for show."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from appliance.client_assertions import JWT_BEARER
from appliance.jose.keys import SigningKey, generate, public_jwk
from appliance.jose.tokens import sign
from tests.support.browser import Browser, header
from tests.support.objects import PEOPLE
from tests.support.provider import Provider, provider
from tests.support.proving import jkt_of, proof
from tests.support.pushing import Shop
from tests.support.relying import VERIFIER

ISSUER = "https://login.example.com/agents"
TOOLS = "https://tools.example.com/mcp"
REDIRECT_URI = "https://planner.example.com/callback"
SECRET = "tools-secret-0123456789abcdef0123456789abcdef"
CLIENT_KEY = generate("EdDSA", kid="a")
PROOF_KEY = generate("ES256")


@pytest_asyncio.fixture
async def op() -> AsyncIterator[Provider]:
    """The example with a key, a secret and a password that this test knows."""
    async with provider("agents", edit={"sources/people.yaml": json.dumps(PEOPLE)}) as made:
        planner, tools = (made.directory / "clients" / f"{name}.yaml" for name in ("planner", "tools"))
        planner.write_text(planner.read_text().replace("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", x_of(CLIENT_KEY)))
        digest = hashlib.sha256(SECRET.encode()).hexdigest()
        known = "3dc4f40550fa7aa19c877d33c5a470ee36173840cfac8b999b3047006c4a2325"
        tools.write_text(tools.read_text().replace(known, digest))
        await made.load()
        yield made


def x_of(key: SigningKey) -> str:
    """The public half of an Ed25519 key."""
    return str(public_jwk(key)["x"])


class Planner(Shop):
    """The agent with its keys, and the browser of its user."""

    def __init__(self, op: Provider) -> None:
        super().__init__(op, browser=Browser(op, "https://login.example.com"), client_id="planner", path="/agents")
        self.secret = None
        self.number = 0

    def proved(self) -> dict[str, str]:
        """Who sends a request, by an assertion of its own."""
        self.number += 1
        now = int(self.op.clock())
        claims = {"iss": "planner", "sub": "planner", "aud": ISSUER, "iat": now, "exp": now + 60}
        assertion = sign(CLIENT_KEY, claims | {"jti": f"assertion-{self.number}"})
        return {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}

    def bound(self, path: str) -> str:
        """A proof for an endpoint."""
        return proof(PROOF_KEY, self.op.clock(), htu=ISSUER + path)


@pytest.mark.spec("RFC 9126", "2")
@pytest.mark.spec("RFC 8707", "2")
@pytest.mark.spec("RFC 9449", "5")
async def test_the_agent_gets_a_token_for_the_tools_that_its_user_allowed(op: Provider) -> None:
    agent = Planner(op)
    asked = {"redirect_uri": REDIRECT_URI, "scope": "openid tools.call", "resource": TOOLS}
    pushed = await agent.push(**asked, **agent.proved())
    assert pushed.status == 201, pushed.body
    page = await agent.browser.login(await agent.visit(pushed["request_uri"]))
    words = page.body.decode()
    assert "Do things in your name with your tools" in words and "Your tools" in words
    assert "Look things up" not in words
    landed = await agent.log_in(page)
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI, "resource": TOOLS}
    unbound = await agent.redeem(landed["code"], **form, **agent.proved())
    assert unbound.error == "invalid_dpop_proof"
    landed = await agent.log_in(await agent.visit((await agent.push(**asked, **agent.proved()))["request_uri"]))
    given = await agent.post(
        "/token",
        form | {"code": landed["code"], "code_verifier": VERIFIER} | agent.proved(),
        dpop=agent.bound("/token"),
    )
    assert (given.status, given["token_type"], given["expires_in"]) == (200, "DPoP", 300), given.body
    claims = claims_of(given["access_token"])
    assert (claims["aud"], claims["scope"], claims["cnf"]) == (TOOLS, "tools.call", {"jkt": jkt_of(PROOF_KEY)})
    tools = Shop(op, client_id="tools", path="/agents")
    tools.secret = SECRET
    told = await tools.post("/introspect", {"token": given["access_token"]})
    assert (told["active"], told["aud"], told["cnf"]) == (True, TOOLS, claims["cnf"])


@pytest.mark.spec("RFC 9126", "5")
async def test_the_agent_must_push_and_prove_itself(op: Provider) -> None:
    agent = Planner(op)
    refused = await agent.ask(redirect_uri=REDIRECT_URI, resource=TOOLS)
    assert "error=invalid_request" in (header(refused, "Location") or "")
    assert (await agent.push(redirect_uri=REDIRECT_URI)).error == "invalid_client"


@pytest.mark.spec("OAuth Client ID Metadata Document", "5")
@pytest.mark.spec("RFC 9728", "3")
async def test_agents_find_what_they_have_to_know(op: Provider) -> None:
    metadata = await found(op, "/agents/.well-known/openid-configuration")
    assert metadata["client_id_metadata_document_supported"] is True
    assert metadata["pushed_authorization_request_endpoint"] == f"{ISSUER}/par"
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    tools = await found(op, "/agents/.well-known/oauth-protected-resource/tools.example.com/mcp")
    assert (tools["resource"], tools["authorization_servers"]) == (TOOLS, [ISSUER])


async def found(op: Provider, path: str) -> dict[str, Any]:
    """A document."""
    response = await Planner(op).browser.request("GET", path)
    document: dict[str, Any] = json.loads(response.body)
    return document


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says; that it is good is the provider's own matter here."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return claims
