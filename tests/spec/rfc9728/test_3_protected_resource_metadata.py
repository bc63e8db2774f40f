"""RFC 9728 3: what clients of declared resources have to know, at the place where they look for it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from appliance.protocol.messages import Request, Response
from tests.support.browser import header
from tests.support.provider import Provider, provider
from tests.support.registering import configuration

pytestmark = pytest.mark.spec("RFC 9728", "3")

TOOLS = "https://tools.example.com/mcp"
PROFILE: dict[str, Any] = {
    "scopes": {
        "openid": {},
        "email": {"claims": ["email"]},
        "tools.read": {"description": {"en": "Read"}},
        "tools.call": {"description": {"en": "Call"}},
    },
    "resources": {
        TOOLS: {"scopes": ["tools.read", "tools.call"], "title": {"en": "Tools", "fi": "Työkalut"}},
        "https://plain.example.com": {},
        "urn:example:service": {},
    },
}


@asynccontextmanager
async def op(**changes: Any) -> AsyncIterator[Provider]:
    async with provider("minimal", edit=configuration({**PROFILE, **changes})) as made:
        yield made


async def get(op: Provider, path: str, host: str = "localhost:8080") -> tuple[Response, dict[str, Any]]:
    response = await op.respond(Request("GET", path, headers={"host": (host,)}))
    return response, json.loads(response.body) if response.status == 200 else {}


async def test_it_is_where_clients_of_the_resource_look_for_it() -> None:
    async with op() as provider_:
        response, found = await get(provider_, "/.well-known/oauth-protected-resource/mcp", "tools.example.com")
    assert header(response, "Content-Type") == "application/json"
    assert header(response, "ETag")
    assert found["resource"] == TOOLS
    assert found["authorization_servers"] == ["http://localhost:8080"]
    assert found["scopes_supported"] == ["tools.read", "tools.call"]
    assert found["bearer_methods_supported"] == ["header"]
    assert (found["resource_name"], found["resource_name#fi"]) == ("Tools", "Työkalut")


@pytest.mark.spec("RFC 9728", "5.1")
async def test_it_is_below_the_issuer_too_for_challenges_that_name_it() -> None:
    async with op() as provider_:
        _, found = await get(provider_, "/.well-known/oauth-protected-resource/tools.example.com/mcp")
        _, plain = await get(provider_, "/.well-known/oauth-protected-resource/plain.example.com")
    assert found["resource"] == TOOLS
    assert plain["resource"] == "https://plain.example.com"


@pytest.mark.spec("RFC 9728", "3.3")
async def test_a_resource_without_path_has_the_bare_well_known_address_of_its_host() -> None:
    async with op() as provider_:
        _, found = await get(provider_, "/.well-known/oauth-protected-resource", "plain.example.com")
    assert found["resource"] == "https://plain.example.com"


@pytest.mark.spec("RFC 9728", "4")
async def test_the_providers_metadata_name_the_resources() -> None:
    async with op() as provider_:
        _, found = await get(provider_, "/.well-known/oauth-authorization-server")
    assert set(found["protected_resources"]) == {TOOLS, "https://plain.example.com", "urn:example:service"}


@pytest.mark.spec("RFC 9728", "2")
async def test_it_says_that_tokens_must_be_bound_where_they_must() -> None:
    async with op(dpop={"required": True}) as provider_:
        _, found = await get(provider_, "/.well-known/oauth-protected-resource/mcp", "tools.example.com")
    assert found["dpop_bound_access_tokens_required"] is True
    assert "ES256" in found["dpop_signing_alg_values_supported"]


async def test_scripts_of_any_origin_may_read_it() -> None:
    async with op() as provider_:
        headers = {
            "host": ("tools.example.com",),
            "origin": ("https://anybody.example",),
            "access-control-request-method": ("GET",),
        }
        path = "/.well-known/oauth-protected-resource/mcp"
        asked = await provider_.respond(Request("OPTIONS", path, headers=headers))
        response = await provider_.respond(Request("GET", path, headers=headers))
    assert "MCP-Protocol-Version" in (header(asked, "Access-Control-Allow-Headers") or "")
    assert header(response, "Access-Control-Allow-Origin") == "*"
