"""RFC 7591 2.3: statements of those we believe override what the client says; all others are refused."""

from typing import Any

import pytest

from appliance.jose.keys import generate, public_jwk
from appliance.jose.tokens import sign, unsecured
from tests.support.registering import INITIAL, REDIRECT_URI, registrar

pytestmark = pytest.mark.spec("RFC 7591", "2.3")

ISSUER = "https://trust.example.org"
KEY, OTHER = generate("ES256"), generate("ES256")
SETTINGS = {"issuers": {ISSUER: {"keys": [dict(public_jwk(KEY))]}}}
NOW = 1795262400


def statement(key: Any = KEY, typ: str | None = None, **claims: Any) -> str:
    return sign(key, {"iss": ISSUER, "software_id": "s-1", **claims}, typ)


async def test_admits_without_a_token_and_overrides_what_is_said() -> None:
    said = {"client_name": "Bank", "scope": "openid"}
    async with registrar(software_statements=SETTINGS) as client:
        text = statement(client_name="Honest software", exp=NOW + 60)
        answer = await client.register(token=None, software_statement=text, **said)
        assert answer.status == 201, answer.body
        assert answer["client_name"] == "Honest software"
        assert answer["software_statement"] == text and answer["software_id"] == "s-1"
        # RFC 7592 2.2: an update is no way around what was vouched for.
        body = {"client_id": answer["client_id"], "redirect_uris": [REDIRECT_URI], "client_name": "Bank"}
        assert (await client.manage("PUT", answer, body))["client_name"] == "Honest software"


@pytest.mark.attack("DC-06")
@pytest.mark.parametrize(
    ("text", "error"),
    [
        (unsecured({"iss": ISSUER}), "invalid_software_statement"),
        (statement(OTHER), "invalid_software_statement"),
        (statement(exp=NOW - 3600), "invalid_software_statement"),
        (statement(nbf=NOW + 3600), "invalid_software_statement"),
        (statement(aud="https://other.example"), "invalid_software_statement"),
        (statement(typ="at+jwt"), "invalid_software_statement"),
        (statement(iss="https://nobody.example"), "unapproved_software_statement"),
        (statement(client_name=5), "invalid_client_metadata"),
        ("nonsense", "invalid_software_statement"),
        (5, "invalid_software_statement"),
    ],
)
async def test_refuses_every_other_statement(text: object, error: str) -> None:
    async with registrar(software_statements=SETTINGS) as client:
        for token in (None, INITIAL):
            answer = await client.register(software_statement=text, token=token)
            assert (answer.status, answer.error) == (400, error)


async def test_asks_for_one_where_it_is_required() -> None:
    settings = {**SETTINGS, "required": True}
    async with registrar(mode="open", software_statements=settings) as client:
        assert (await client.register(token=None)).error == "invalid_software_statement"
        assert (await client.register(token=None, software_statement=statement())).status == 201
