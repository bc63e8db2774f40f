"""The operations that are measured: for the floor and for the product the same requests."""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode, urlsplit

import orjson

from appliance.protocol.form import read
from bench.wire import Answer, Connection

VERIFIER = "a" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
REDIRECT = "http://127.0.0.1:9/cb"


def secret(client_id: str) -> str:
    """The secret of a benchmark client."""
    return f"bench-secret-bench-secret-bench-secret-{client_id}"


#: One operation over one connection.
Operation = Callable[[Connection], Awaitable[None]]


class Unexpected(Exception):
    """The server answered something else than the benchmark is about."""


def expect(answer: Answer, status: int) -> Answer:
    """The answer, if it has that status."""
    if answer.status != status:
        raise Unexpected(
            f"{answer.status} instead of {status}: {answer.headers.get('location', '')} {answer.body[:300]!r}"
        )
    return answer


def form(**fields: str) -> bytes:
    """A urlencoded body."""
    return urlencode(fields).encode()


def basic(client_id: str) -> dict[str, str]:
    """HTTP Basic credentials of a benchmark client."""
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret(client_id)}".encode()).decode()}


def code_of(answer: Answer) -> str:
    """The code of an authorization response."""
    return read(urlsplit(expect(answer, 303).headers["location"]).query)["code"]


@dataclass
class Traffic:
    """Operations on the provider with the configuration of bench/config, or on the floor."""

    cookie: str = ""
    access_token: str = ""
    #: A refresh family per connection: a family is one line of tokens.
    families: dict[Connection, str] = field(default_factory=dict)

    async def log_in(self, connection: Connection) -> None:
        """Log in once, through the pages of the provider."""
        cookies: dict[str, str] = {}
        answer = await connection.request("GET", self.authorize("es256", "openid"))
        while answer.status == 303 or b'id="password"' in answer.body:
            cookies |= answer.cookies
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
            if answer.status == 303:
                location = answer.headers["location"]
                if location.startswith(REDIRECT):
                    break
                parts = urlsplit(location)
                path = f"{parts.path}?{parts.query}"
                answer = await connection.request("GET", path, headers=headers)
                continue
            text = answer.body.decode()
            fields = {"username": "anna", "password": "anna", "csrf": _attribute(text, "csrf")}
            action = unescape(re.findall(r'action="([^"]+)"', text)[0])
            answer = await connection.request("POST", action, headers=headers, body=urlencode(fields).encode())
        self.cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self.access_token = str((await self._tokens(connection, "es256", "openid profile email"))["access_token"])

    def operations(self) -> dict[str, Operation]:
        """By name."""

        async def discovery(connection: Connection) -> None:
            expect(await connection.request("GET", "/.well-known/openid-configuration"), 200)

        async def jwks(connection: Connection) -> None:
            expect(await connection.request("GET", "/jwks"), 200)

        async def client_credentials(connection: Connection) -> None:
            body = form(grant_type="client_credentials")
            expect(await connection.request("POST", "/token", headers=basic("machine"), body=body), 200)

        async def userinfo(connection: Connection) -> None:
            headers = {"Authorization": f"Bearer {self.access_token}"}
            expect(await connection.request("GET", "/userinfo", headers=headers), 200)

        return {
            "discovery": discovery,
            "jwks": jwks,
            "client_credentials": client_credentials,
            "code flow ES256": self._flow("es256"),
            "code flow RS256": self._flow("rs256"),
            "refresh RS256": self._refresh,
            "userinfo": userinfo,
        }

    def _flow(self, client_id: str) -> Operation:
        async def flow(connection: Connection) -> None:
            await self._tokens(connection, client_id, "openid")

        return flow

    async def _refresh(self, connection: Connection) -> None:
        token = self.families.get(connection)
        if token is None:
            token = str((await self._tokens(connection, "refreshing", "openid"))["refresh_token"])
        body = form(grant_type="refresh_token", refresh_token=token)
        answer = expect(await connection.request("POST", "/token", headers=basic("refreshing"), body=body), 200)
        self.families[connection] = orjson.loads(answer.body)["refresh_token"]

    async def _tokens(self, connection: Connection, client_id: str, scope: str) -> dict[str, object]:
        path = self.authorize(client_id, scope)
        code = code_of(await connection.request("GET", path, headers={"Cookie": self.cookie}))
        body = form(grant_type="authorization_code", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER)
        answer = expect(await connection.request("POST", "/token", headers=basic(client_id), body=body), 200)
        tokens: dict[str, object] = orjson.loads(answer.body)
        return tokens

    def authorize(self, client_id: str, scope: str) -> str:
        """The address of an authorization request."""
        asked = {
            "client_id": client_id,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": scope,
            "state": "state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return "/authorize?" + urlencode(asked)


def _attribute(text: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', text)
    return unescape(found[1]) if found else ""
