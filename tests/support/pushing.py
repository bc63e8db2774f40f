"""A client that pushes its requests, and a provider that takes them."""

import base64
import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from appliance.protocol.messages import Request, Response
from tests.support.browser import Browser, answer, header
from tests.support.objects import PEOPLE, REDIRECT_URI, SECRET, shop_provider
from tests.support.provider import Provider, provider
from tests.support.relying import CHALLENGE, VERIFIER

__all__ = ["ASKED", "PEOPLE", "REDIRECT_URI", "Answer", "Shop", "provider", "pushing_provider"]

ASKED: dict[str, Any] = {
    "client_id": "shop",
    "redirect_uri": REDIRECT_URI,
    "response_type": "code",
    "scope": "openid",
    "state": "pushed",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@dataclass(frozen=True)
class Answer:
    """A response of an endpoint that clients call, read as JSON."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def error(self) -> Any:
        return self.body.get("error")


def pushing_provider(
    *, profile: dict[str, Any] | None = None, root: dict[str, Any] | None = None, **client: Any
) -> AbstractAsyncContextManager[Provider]:
    """The smallest provider at which its one client may push."""
    endpoints = {"endpoints": {"pushed_authorization_request": True, "introspection": True}}
    return shop_provider(profile=endpoints | (profile or {}), root=root, **client)


def pairs(parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """Parameters as they are sent: a list stands for one that is sent several times, None for one left out."""
    found: list[tuple[str, str]] = []
    for name, value in parameters.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                found.append((name, each))
    return found


class Shop:
    """The client `shop` with the browser of one user."""

    def __init__(
        self, op: Provider, *, browser: Browser | None = None, client_id: str = "shop", path: str = ""
    ) -> None:
        self.op = op
        self.browser = browser or Browser(op)
        self.client_id = client_id
        self.path = path
        self.secret: str | None = SECRET

    async def post(self, path: str, parameters: dict[str, Any], **headers: str) -> Answer:
        """A form with the client's secret in the header, if it has one."""
        sent: dict[str, tuple[str, ...]] = {"host": ("localhost:8080",)}
        sent["content-type"] = ("application/x-www-form-urlencoded",)
        if self.secret is not None:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}"
            sent["authorization"] = ("Basic " + base64.b64encode(pair.encode()).decode(),)
        sent |= {name.replace("_", "-"): (value,) for name, value in headers.items()}
        body = urlencode(pairs(parameters)).encode()
        request = Request("POST", self.path + path, "", sent, body, "127.0.0.1", self.op.clock())
        response = await self.op.respond(request)
        told = json.loads(response.body) if response.body[:1] == b"{" else {}
        return Answer(response.status, told, dict(response.headers))

    async def push(self, **changes: Any) -> Answer:
        """Push a request; a list repeats a parameter, None takes one away."""
        return await self.post("/par", ASKED | {"client_id": self.client_id} | changes)

    async def visit(self, request_uri: str, **more: Any) -> Response:
        """Send the browser with a reference."""
        asked = {"client_id": self.client_id, "request_uri": request_uri} | more
        return await self.browser.visit(f"{self.path}/authorize?" + urlencode(pairs(asked)))

    async def ask(self, **changes: Any) -> Response:
        """Send the browser with a whole request."""
        asked = ASKED | {"client_id": self.client_id} | changes
        return await self.browser.visit(f"{self.path}/authorize?" + urlencode(pairs(asked)))

    async def log_in(self, response: Response, *, allow: bool = True) -> dict[str, str]:
        """Go through the pages to the end; the parameters of the answer."""
        for _ in range(5):
            if b'id="password"' in response.body:
                response = await self.browser.login(response)
            elif b'id="allow"' in response.body:
                response = await self.browser.submit(response, button="allow" if allow else "deny")
            else:
                break
        location = header(response, "Location") or ""
        assert location.startswith("https://"), (self.op.report.failures, response.body.decode()[-600:])
        return answer(response)

    async def redeem(self, code: str, **changes: Any) -> Answer:
        """The code's tokens."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        return await self.post("/token", form | {"code_verifier": VERIFIER} | changes)

    async def tokens(self, **changes: Any) -> Answer:
        """Login and redemption in one."""
        return await self.redeem((await self.log_in(await self.ask(**changes)))["code"])


async def metadata(op: Provider, path: str = "") -> dict[str, Any]:
    """The provider metadata."""
    response = await Browser(op).request("GET", f"{path}/.well-known/openid-configuration")
    found: dict[str, Any] = json.loads(response.body)
    return found
