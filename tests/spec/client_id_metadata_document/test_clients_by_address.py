"""OAuth Client ID Metadata Document 3, 4: an address is a client, as far as its document vouches for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from appliance.protocol.messages import Request, Response
from tests.outbound.servers import Served, serving
from tests.support.browser import Browser, answer, header
from tests.support.provider import Provider, provider
from tests.support.registering import configuration
from tests.support.relying import CHALLENGE, VERIFIER

SPEC = "OAuth Client ID Metadata Document"
pytestmark = pytest.mark.spec(SPEC, "3")

REDIRECT_URI = "http://localhost/callback"

#: Documents in the shapes that known desktop, editor and chat applications publish.
EDITOR = {
    "client_name": "An editor",
    "application_type": "native",
    "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    "response_types": ["code"],
    "redirect_uris": ["https://editor.example/redirect", "http://127.0.0.1/", "http://localhost/"],
    "token_endpoint_auth_method": "none",
}
DESKTOP = {
    "client_name": "A desktop assistant",
    "client_uri": "https://assistant.example",
    "redirect_uris": ["https://assistant.example/api/callback"],
    "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}
TERMINAL = {
    "client_name": "A terminal assistant",
    "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}
CHAT = {
    "client_name": "A chat",
    "redirect_uris": ["https://chat.example/connector/oauth/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "client_secret_post",
    "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "none"],
    "jwks_uri": "https://chat.example/jwks.json",
}


class Site:
    """A web site with documents; `{here}` in a document is the document's own address."""

    def __init__(self, served: Served, documents: dict[str, Any], headers: dict[str, str]) -> None:
        self.served = served
        self.documents = documents
        self.headers = headers

    def url(self, path: str = "/client.json") -> str:
        return self.served.url(path)

    @property
    def asked(self) -> int:
        return len(self.served.asked)


@asynccontextmanager
async def site(document: Any = TERMINAL, **headers: str) -> AsyncIterator[Site]:
    """A site whose /client.json is a document with its own address as client_id, unless it says another."""
    made: list[Site] = []

    async def respond(head: bytes, writer: asyncio.StreamWriter) -> None:
        path = head.split(b" ")[1].decode()
        found = made[0].documents.get(path)
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        if isinstance(found, dict):
            body = json.dumps({"client_id": made[0].url(path), **found}).encode()
        status = "404 Not Found" if found is None else "200 OK"
        lines = "".join(f"{name}: {value}\r\n" for name, value in made[0].headers.items())
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{lines}".encode())
        writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    async with serving(respond) as served:
        made.append(Site(served, {"/client.json": document}, headers))
        yield made[0]


@asynccontextmanager
async def op(profile: dict[str, Any] | None = None, **settings: Any) -> AsyncIterator[Provider]:
    """A provider that takes addresses for clients."""
    whole = {"client_id_metadata_documents": {"enabled": True, **settings}, **(profile or {})}
    async with provider("minimal", edit=configuration(whole)) as made:
        yield made


async def ask(op: Provider, client_id: str, browser: Browser | None = None, **changes: str) -> Response:
    asked = {
        "client_id": client_id,
        "redirect_uri": "http://localhost:51004/callback",
        "response_type": "code",
        "scope": "openid",
        "state": "xyz",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return await (browser or Browser(op)).visit(f"/authorize?{urlencode(asked)}")


async def login(op: Provider, client_id: str, **changes: str) -> dict[str, str]:
    browser = Browser(op)
    page = await browser.login(await ask(op, client_id, browser, **changes), "anna", "anna")
    return answer(await browser.submit(page, button="allow"))


async def redeem(op: Provider, client_id: str, code: str, **changes: str) -> tuple[int, dict[str, Any]]:
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": code,
        "redirect_uri": "http://localhost:51004/callback",
        "code_verifier": VERIFIER,
    } | changes
    headers = {"content-type": ("application/x-www-form-urlencoded",)}
    body = urlencode(form).encode()
    response = await op.respond(Request("POST", "/token", "", headers, body, "192.0.2.7", op.clock()))
    return response.status, json.loads(response.body)


async def test_a_client_that_nobody_registered_gets_tokens_by_its_address() -> None:
    async with site() as there, op() as provider_:
        code = await login(provider_, there.url())
        status, tokens = await redeem(provider_, there.url(), code["code"])
        assert (status, tokens["token_type"]) == (200, "Bearer")
        assert there.asked == 1, "the document is remembered"


@pytest.mark.spec(SPEC, "6.2")
async def test_the_consent_page_names_the_host_that_vouches_and_warns_of_programs_on_the_device() -> None:
    async with site() as there, op() as provider_:
        browser = Browser(provider_)
        page = await browser.login(await ask(provider_, there.url(), browser), "anna", "anna")
        assert b'id="client-host"' in page.body and b"127.0.0.1" in page.body
        assert b'id="on-device"' in page.body


@pytest.mark.parametrize(
    ("document", "redirect_uri"),
    [
        (EDITOR, "http://127.0.0.1:33418/"),
        (EDITOR, "http://localhost:33418/"),
        (EDITOR, "https://editor.example/redirect"),
        (DESKTOP, "https://assistant.example/api/callback"),
        (TERMINAL, "http://localhost:3118/callback"),
        (CHAT, "https://chat.example/connector/oauth/callback"),
    ],
)
@pytest.mark.spec("OpenID Connect RP Metadata Choices 1.0", "2")
async def test_the_documents_of_known_applications_are_understood(document: dict[str, Any], redirect_uri: str) -> None:
    async with site(document) as there, op() as provider_:
        shown = await ask(provider_, there.url(), redirect_uri=redirect_uri)
        assert b'id="password"' in shown.body, shown.body[-600:]
        found = await provider_.snapshot.profiles["main"].clients.find(there.url())
        assert found is not None
        assert set(found.grant_types) == {"authorization_code", "refresh_token"}
        assert found.token_endpoint_auth_method in ("none", "private_key_jwt")
        assert found.op.require_pkce is True


@pytest.mark.parametrize(
    "document",
    [
        {**TERMINAL, "client_id": "https://somebody.example/client.json"},
        {**TERMINAL, "client_secret": "shared with everybody"},
        {**TERMINAL, "token_endpoint_auth_method": "client_secret_basic"},
        {**TERMINAL, "token_endpoint_auth_method": "client_secret_jwt"},
        {**TERMINAL, "redirect_uris": ["javascript:alert(1)"]},
        {**TERMINAL, "redirect_uris": "http://localhost/callback"},
        {**TERMINAL, "redirect_uris": ["http://client.example/callback"]},
        {**TERMINAL, "client_name": "x" * 6000},
        [TERMINAL],
        b"no json",
        None,
    ],
)
@pytest.mark.spec(SPEC, "4")
async def test_a_document_that_does_not_vouch_is_no_client(document: Any) -> None:
    async with site(document) as there, op() as provider_:
        refused = await ask(provider_, there.url())
        assert refused.status == 400
        assert header(refused, "Location") is None
        assert b'id="error-page"' in refused.body


@pytest.mark.parametrize(
    "client_id",
    [
        "https://10.0.0.1/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/client.json",
        "https://user:secret@example.com/client.json",
        "https://example.com/client.json#fragment",
        "https://example.com",
        "https://example.com/a/../client.json",
        "https://example.com/a/%2e%2E/client.json",
        "https://example.com:22/client.json",
        "http://example.com/client.json",
        "ftp://example.com/client.json",
        "https://2130706433/client.json",
    ],
)
@pytest.mark.spec(SPEC, "6.4")
async def test_no_address_inside_or_in_disguise_is_asked(client_id: str) -> None:
    async with op() as provider_:
        refused = await ask(provider_, client_id)
    assert refused.status == 400
    assert header(refused, "Location") is None


async def test_only_declared_hosts_are_taken_where_hosts_are_declared() -> None:
    async with site() as there, op(hosts=["*.partners.example"]) as provider_:
        refused = await ask(provider_, there.url())
        assert (refused.status, there.asked) == (400, 0)
        assert b"clients of this host are not taken here" in refused.body


async def test_a_query_is_refused_unless_allowed() -> None:
    async with site() as there:
        there.documents["/client.json?v=1"] = TERMINAL
        async with op() as provider_:
            assert (await ask(provider_, there.url("/client.json?v=1"))).status == 400
        async with op(allow_query=True) as provider_:
            assert b'id="password"' in (await ask(provider_, there.url("/client.json?v=1"))).body


@pytest.mark.spec(SPEC, "6.5")
async def test_strangers_cannot_make_it_ask_one_host_without_end() -> None:
    async with site() as there, op(new_per_minute=3) as provider_:
        for number in range(6):
            await ask(provider_, there.url(f"/{number}.json"))
        assert there.asked == 3
        provider_.clock.forward(61)
        assert b'id="password"' in (await ask(provider_, there.url())).body


async def test_a_changed_document_counts_once_it_is_asked_for_again() -> None:
    headers = {"Cache-Control": "max-age=60"}
    async with site(TERMINAL, **headers) as there, op() as provider_:
        code = await login(provider_, there.url())
        there.documents["/client.json"] = {**TERMINAL, "redirect_uris": ["http://localhost/other"]}
        provider_.clock.forward(59)
        assert (await redeem(provider_, there.url(), code["code"]))[0] == 200
        provider_.clock.forward(2)
        assert (await ask(provider_, there.url())).status == 400


async def test_tokens_of_such_a_client_outlive_a_reload_and_a_short_outage() -> None:
    async with site() as there, op() as provider_:
        code = await login(provider_, there.url())
        await provider_.load()
        there.documents.clear()
        assert (await redeem(provider_, there.url(), code["code"]))[0] == 200
        assert there.asked == 1


async def test_is_off_unless_declared_and_says_so_in_its_metadata() -> None:
    async with site() as there:
        async with provider("minimal", edit=configuration()) as closed:
            assert (await ask(closed, there.url())).status == 400
            assert "client_id_metadata_document_supported" not in await metadata(closed)
        assert there.asked == 0
    async with op() as provider_:
        assert (await metadata(provider_))["client_id_metadata_document_supported"] is True


async def metadata(op: Provider) -> dict[str, Any]:
    response = await op.respond(Request("GET", "/.well-known/oauth-authorization-server"))
    found: dict[str, Any] = json.loads(response.body)
    return found


async def test_a_client_with_keys_proves_itself_and_nobody_else_is_it() -> None:
    document = {**DESKTOP, "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}}
    async with site(document) as there, op() as provider_:
        status, body = await redeem(provider_, there.url(), "no code")
        assert (status, body["error"]) == (401, "invalid_client")
