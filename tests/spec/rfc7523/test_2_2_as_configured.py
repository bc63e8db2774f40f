"""Clients with assertions from files to answers: declared, assembled, served, reloaded."""

import json

import pytest

from appliance.client_assertions import JWT_BEARER
from appliance.jose.keys import load_private, symmetric
from appliance.jose.tokens import sign
from appliance.outbound.problems import OutboundProblem
from appliance.protocol import form
from appliance.protocol.messages import Request
from tests.support.provider import START, Provider, provider

ISSUER = "http://localhost:8080"
#: The key of RFC 8037 appendix A.1, whose public half the case declares.
KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "kid": "a",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
}
SECRET = b"q7Zt0vLx3Wc9Rk2Mn8Bp5Yd1Hf6Gj4Sa"


async def ask(op: Provider, assertion: str) -> tuple[int, str]:
    """Status and error of a request for a code that never was: `invalid_grant` means that the client is known."""
    pairs = {
        "grant_type": "authorization_code",
        "code": "op_ac_never",
        "redirect_uri": "https://rp.example.com/callback",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion,
    }
    headers = {"content-type": ("application/x-www-form-urlencoded",), "host": ("localhost:8080",)}
    body = form.encode(pairs.items()).encode()
    response = await op.respond(Request("POST", "/token", headers=headers, body=body, at=op.clock()))
    return response.status, json.loads(response.body)["error"]


def claims(client_id: str, jti: str, **changes: object) -> dict[str, object]:
    whole = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": int(START) + 60, "jti": jti}
    return whole | changes


@pytest.mark.spec("RFC 7523", "2.2")
@pytest.mark.seed("001")
async def test_declared_clients_prove_themselves() -> None:
    private = load_private(json.dumps(KEY).encode(), "EdDSA")
    mac = symmetric(SECRET, "HS256")
    async with provider("client-keys") as op:
        assert await ask(op, sign(private, claims("registered", "1"))) == (400, "invalid_grant")
        assert await ask(op, sign(private, claims("registered", "1"))) == (401, "invalid_client")
        endpoint = ISSUER + "/token"
        assert await ask(op, sign(private, claims("registered", "2", aud=endpoint))) == (400, "invalid_grant")
        milliseconds = claims("mac", "1", exp=(int(START) + 60) * 1000)
        assert await ask(op, sign(mac, milliseconds)) == (400, "invalid_grant")
        assert await ask(op, sign(mac, claims("registered", "3"))) == (401, "invalid_client")
        assert op.report.failures == []


async def test_metadata_is_derived_from_the_declared_methods() -> None:
    async with provider("client-keys") as op:
        path = "/.well-known/openid-configuration"
        found = json.loads((await op.respond(Request("GET", path, headers={"host": ("localhost:8080",)}))).body)
    named = found["token_endpoint_auth_signing_alg_values_supported"]
    assert {"HS256", "ES256", "PS256", "EdDSA"} <= set(named)
    assert "none" not in named


async def test_a_reload_keeps_fetched_keys_and_what_was_used() -> None:
    private = load_private(json.dumps(KEY).encode(), "EdDSA")
    async with provider("client-keys") as op:
        before = op.snapshot.key_sets
        text = sign(private, claims("registered", "1"))
        assert await ask(op, text) == (400, "invalid_grant")
        await op.load()
        assert op.snapshot.key_sets is before
        assert await ask(op, text) == (401, "invalid_client")
        file = op.directory / "op.yaml"
        file.write_text(file.read_text().replace("timeout: 2s", "timeout: 3s"))
        await op.load()
        assert op.snapshot.key_sets is not before


async def test_authorities_that_cannot_be_used_change_nothing() -> None:
    async with provider("client-keys") as op:
        before = op.snapshot
        broken = op.directory / "company-ca.pem"
        broken.write_text("no certificate")
        file = op.directory / "op.yaml"
        file.write_text(file.read_text().replace("timeout: 2s", f"timeout: 2s, ca_file: {broken}"))
        with pytest.raises(OutboundProblem):
            await op.load()
        assert op.snapshot is before
