"""A provider with every kind of logout, clients that hear of it, and a person who comes and goes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

from argon2 import PasswordHasher

from appliance.jose.tokens import Unverified, decode_strict, read_unverified_claims
from appliance.profile import logout as logouts
from appliance.profile import logout_deliveries
from appliance.profile.logout_deliveries import LogoutDeliveries
from appliance.protocol.form import encode
from appliance.protocol.messages import Response
from appliance.protocol.records import LogoutDelivery
from tests.support.browser import Browser, answer
from tests.support.live import PATIENCE
from tests.support.minting import CHALLENGE, VERIFIER
from tests.support.provider import Provider, provider

ISSUER = "http://localhost:8080"
LOGGED_OUT_URI = "https://shop.example.com/bye"
ALL = {"rp_initiated": True, "backchannel": True, "frontchannel": True, "session_management": True}

_HASH = PasswordHasher(time_cost=1, memory_cost=8192).hash("secret")
_LIMITS = {"account_failures": 100, "address_failures": 10000}


def client(client_id: str = "shop", **members: Any) -> dict[str, Any]:
    """A public client that is never asked for consent."""
    settings = {"profile": "main", "consent": "skip_first_party"} | members.pop("op", {})
    return {
        "client_id": client_id,
        "redirect_uris": [f"https://{client_id}.example.com/callback"],
        "post_logout_redirect_uris": [f"https://{client_id}.example.com/bye"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": ["openid", "offline_access"],
        "op": settings,
    } | members


def edit(*clients: dict[str, Any], logout: dict[str, bool] | None = None, **profile: Any) -> dict[str, str]:
    """The files of such a provider; JSON is YAML."""
    users = {
        name: {"login": name, "password": {"hash": _HASH}, "attributes": {"id": name, "name": name}}
        for name in ("anna", "ben")
    }
    settings = {
        "profile": "main",
        "issuer": ISSUER,
        "claims": "person",
        "acr": [{"value": "urn:example:acr:password", "policy": "password"}],
        "logout": ALL if logout is None else logout,
        "throttle": _LIMITS,
    } | profile
    files: dict[str, Any] = {
        "op.yaml": {
            "version": 1,
            "name": "logout",
            "storage": {"kind": "sqlite", "path": "op.db"},
            "outbound": {"allow_loopback": True},
        },
        "profiles/main.yaml": settings,
        "sources/people.yaml": {"sources": {"people": {"kind": "static", "users": users}}},
        "clients/shop.yaml": {"clients": {each.pop("client_id"): each for each in clients or (client(),)}},
    }
    return {name: json.dumps(content) for name, content in files.items()}


def address(client_id: str = "shop", **changes: str) -> str:
    """An authorization request."""
    asked = {
        "client_id": client_id,
        "redirect_uri": f"https://{client_id}.example.com/callback",
        "response_type": "code",
        "scope": "openid",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return "/authorize?" + encode((asked | changes).items())


async def log_in(browser: Browser, client_id: str = "shop", user: str = "anna", **changes: str) -> Response:
    """Through the login page, where there is one, to the answer for a client."""
    shown = await browser.visit(address(client_id, **changes))
    if b'id="password"' in shown.body:
        shown = await browser.login(shown, user, "secret")
    if b'id="allow"' in shown.body:
        shown = await browser.submit(shown, button="allow")
    return shown


async def redeem(browser: Browser, landed: Response, client_id: str = "shop") -> dict[str, Any]:
    """The tokens for the code of an answer."""
    return await token(
        browser,
        client_id,
        grant_type="authorization_code",
        code=answer(landed)["code"],
        redirect_uri=f"https://{client_id}.example.com/callback",
        code_verifier=VERIFIER,
    )


async def token(browser: Browser, client_id: str, **parameters: str) -> dict[str, Any]:
    """A token response, or its error."""
    response = await Browser(browser.op).request("POST", "/token", form={"client_id": client_id} | parameters)
    read: dict[str, Any] = json.loads(response.body)
    return read


async def is_live(browser: Browser, access_token: str) -> bool:
    """Whether an access token is still good."""
    headers = {"authorization": f"Bearer {access_token}"}
    return (await Browser(browser.op).request("GET", "/userinfo", headers=headers)).status == 200


async def is_logged_in(browser: Browser, client_id: str = "shop") -> bool:
    return "code" in answer(await browser.visit(address(client_id, prompt="none")))


def logout(**parameters: str) -> str:
    """The address of a logout."""
    return "/logout?" + encode(parameters.items())


def claims(token: str) -> dict[str, Any]:
    """The claims of a token, unverified."""
    return read_unverified_claims(decode_strict(token))


def deliveries(op: Provider) -> LogoutDeliveries:
    return op.snapshot.profiles["main"].logout.deliveries


async def waiting(op: Provider) -> tuple[LogoutDelivery, ...]:
    """What stands in the store to be delivered."""
    return await op.snapshot.shared.store.find(LogoutDelivery, "issuer", ISSUER)


@contextmanager
def patient(seconds: float = PATIENCE) -> Iterator[None]:
    """Pages wait that long for clients to be told: a busy machine does not tell them in the time that pages have."""
    with patch.object(logouts, "PATIENCE", seconds):
        yield


@contextmanager
def hanging(seconds: float = PATIENCE) -> Iterator[None]:
    """A client that does not answer is waited for that long: nobody gives it up before the test has ended."""
    with patch.object(logout_deliveries, "_TIMEOUT", seconds):
        yield


async def eventually(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is true; time is real where sockets are."""
    clock = asyncio.get_running_loop().time
    end = clock() + PATIENCE
    while not await true():
        assert clock() < end, "it never came"
        await asyncio.sleep(0.01)


@dataclass
class Receiver:
    """A client's back channel on a real socket; answers with what `status` says for the n-th request."""

    status: Callable[[int], int] = lambda _: 200
    headers: str = ""
    hold: bool = False
    #: Requests that are held now.
    held: int = 0
    body: bytes = b""
    port: int = 0
    paths: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    def uri(self, path: str = "/out") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def tokens(self) -> list[str]:
        """The logout tokens that came, each the only parameter of a form."""
        read = [parse_qs(body, strict_parsing=True) for body in self.bodies]
        assert all(set(form) == {"logout_token"} for form in read), read
        return [form["logout_token"][0] for form in read]

    @property
    def unverified(self) -> list[Unverified]:
        return [decode_strict(each) for each in self.tokens]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(line for line in head.lower().split("\r\n") if line.startswith("content-length:"))
            body = await reader.readexactly(int(length.partition(":")[2]))
            self.heads.append(head.partition("\r\n\r\n")[0])
            self.paths.append(head.split(" ")[1])
            self.bodies.append(body.decode())
            if self.hold:
                self.held += 1
                await reader.read()  # until the provider hangs up
                self.held -= 1
                return
            status = self.status(len(self.bodies))
            answered = (
                f"HTTP/1.1 {status} X\r\nContent-Length: {len(self.body)}\r\n{self.headers}Connection: close\r\n\r\n"
            )
            writer.write(answered.encode() + self.body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(receiver: Receiver | None = None) -> AsyncIterator[Receiver]:
    """A receiver that listens; unless it lets everybody hang, pages wait until it was told."""
    made = receiver or Receiver()
    server = await asyncio.start_server(made.handle, "127.0.0.1", made.port)
    made.port = server.sockets[0].getsockname()[1]
    try:
        with nullcontext() if made.hold else patient():
            yield made
    finally:
        server.close()


@asynccontextmanager
async def leaving(*clients: dict[str, Any], **profile: Any) -> AsyncIterator[tuple[Provider, Browser]]:
    """A provider with these clients, and a browser."""
    async with provider("minimal", edit=edit(*clients, **profile)) as op:
        yield op, Browser(op)
