"""Logout and session state in a real browser, with scripts and without, over the provider itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import async_playwright

from appliance.protocol.messages import Request, Response
from tests.support.browser import Browser
from tests.support.chromium import CHROMIUM, PATIENCE
from tests.support.logging_out import claims, client, edit, token
from tests.support.minting import CHALLENGE, VERIFIER
from tests.support.provider import Provider, provider

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Respond = Callable[[Request], Awaitable[Response]]

ASK = """([iframe, message]) => new Promise(resolve => {
  const frame = document.createElement('iframe');
  frame.src = iframe;
  window.addEventListener('message', event => resolve([event.data, event.origin]));
  frame.onload = () => frame.contentWindow.postMessage(message, new URL(iframe).origin);
  document.body.append(frame);
})"""


@asynccontextmanager
async def http(respond: Respond) -> AsyncIterator[int]:
    """A loopback server that answers like this; its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            headers: dict[str, tuple[str, ...]] = {}
            for line in filter(None, lines[1:]):
                name, _, value = line.partition(":")
                headers[name.lower()] = (*headers.get(name.lower(), ()), value.strip())
            body = await reader.readexactly(int(headers.get("content-length", ("0",))[0]))
            path, _, query = target.partition("?")
            found = await respond(Request(method, path, query, headers, body, "127.0.0.1", 0.0))
            sent = [*found.headers, *(("Set-Cookie", cookie.header()) for cookie in found.cookies)]
            sent += [("Content-Length", str(len(found.body))), ("Connection", "close")]
            text = "".join(f"{name}: {value}\r\n" for name, value in sent)
            writer.write(f"HTTP/1.1 {found.status} X\r\n{text}\r\n".encode() + found.body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize("scripts", [True, False])
async def test_ends_the_session_at_the_client_before_the_browser_goes_there(scripts: bool) -> None:
    serving: dict[str, Provider] = {}
    visited: list[str] = []

    async def rp(request: Request) -> Response:
        visited.append(f"{request.path}?{request.query}")
        if request.path == "/out":
            await asyncio.sleep(0.3)
        return Response(200, (("Content-Type", "text/html"),), b"<!doctype html><title>rp</title><body>rp")

    async with http(lambda request: serving["op"].respond(request)) as op_port, http(rp) as rp_port:
        issuer, home = f"http://localhost:{op_port}", f"http://localhost:{rp_port}"
        shop = client(
            redirect_uris=[f"{home}/callback"],
            post_logout_redirect_uris=[f"{home}/bye"],
            frontchannel_logout_uri=f"{home}/out",
        )
        async with provider("minimal", edit=edit(shop, issuer=issuer)) as op, async_playwright() as playwright:
            serving["op"] = op
            running = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE
            )
            try:
                context = await running.new_context(java_script_enabled=scripts)
                context.set_default_timeout(PATIENCE)
                await _walk(await context.new_page(), op, (issuer, home), visited, scripts=scripts)
            finally:
                await running.close()


async def _walk(page: Any, op: Provider, places: tuple[str, str], visited: list[str], *, scripts: bool) -> None:
    issuer, home = places
    asked = {
        "client_id": "shop", "redirect_uri": f"{home}/callback", "response_type": "code", "scope": "openid",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    await page.goto(f"{issuer}/authorize?{urlencode(asked)}")
    await page.fill("#login", "anna")
    await page.fill("#password", "secret")
    await page.click("#submit")
    await page.wait_for_url(f"{home}/callback*")
    landed = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    message = f"shop {landed['session_state']}"
    if scripts:
        assert await page.evaluate(ASK, [f"{issuer}/check_session", message]) == ["unchanged", issuer]
    tokens = await token(
        Browser(op), "shop", grant_type="authorization_code", code=landed["code"],
        redirect_uri=f"{home}/callback", code_verifier=VERIFIER,
    )  # fmt: skip
    hint = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": f"{home}/bye", "state": "x"}
    await page.goto(f"{issuer}/logout?{urlencode(hint)}")
    await page.wait_for_url(f"{home}/bye?state=x")
    sid = claims(tokens["id_token"])["sid"]
    paths = [each for each in visited if each.startswith(("/out", "/bye"))]
    assert paths == [f"/out?{urlencode({'iss': issuer, 'sid': sid})}", "/bye?state=x"]
    if scripts:
        assert await page.evaluate(ASK, [f"{issuer}/check_session", message]) == ["changed", issuer]
