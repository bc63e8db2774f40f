"""A relying party in process: it sends its user through the pages, redeems codes and calls endpoints."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import pyotp

from appliance.protocol.messages import Request, Response
from tests.support.browser import Browser, answer, header
from tests.support.provider import Provider

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@dataclass(frozen=True)
class Answer:
    """A response of an endpoint: its status, and its body as JSON."""

    status: int
    body: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def error(self) -> Any:
        """The error of a refusal."""
        return self.body.get("error")


def secret_of(op: Provider, name: str) -> str:
    """What a file below secrets/ has."""
    return (op.directory / "secrets" / name).read_text().strip()


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified."""
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def is_hs256(token: str, secret: str) -> bool:
    """Whether a JWT is authenticated with a secret."""
    signed, _, mac = token.rpartition(".")
    digest = hmac.digest(secret.encode(), signed.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=") == mac


class RelyingParty:
    """One client at one issuer, with one browser of one user."""

    def __init__(
        self, op: Provider, client_id: str, redirect_uri: str = "", *, path: str = "", browser: Browser | None = None
    ) -> None:
        self.op = op
        self.client_id = client_id
        self.redirect_uri = redirect_uri
        self.path = path
        self.browser = browser or Browser(op)
        #: Names of the pages that the user saw: "login", "otp", "consent".
        self.seen: list[str] = []

    async def ask(self, *, at: str = "/authorize", **changes: str | None) -> Response:
        """Send the browser with an authorization request; None takes a parameter away."""
        whole: dict[str, str | None] = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid",
            "state": "xyz",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        query = urlencode({name: value for name, value in whole.items() if value is not None})
        return await self.browser.visit(f"{self.path}{at}?{query}")

    async def through(self, response: Response, user: str, *, allow: bool = True) -> Response:
        """Fill every page as that user would; the first answer that is no such page."""
        for _ in range(8):
            body = response.body
            if b'id="password"' in body:
                self.seen.append("login")
                response = await self.browser.login(response, user, f"{user}-demo-password")
            elif b'name="code"' in body and b"one-time-code" in body:
                self.seen.append("otp")
                key = secret_of(self.op, f"{user}-totp")
                response = await self.browser.submit(response, code=pyotp.TOTP(key).at(int(self.op.clock())))
                self.op.clock.forward(31)
            elif b'id="allow"' in body:
                self.seen.append("consent")
                response = await self.browser.submit(response, button="allow" if allow else "deny")
            else:
                return response
        raise AssertionError("the pages do not end")

    async def login(self, user: str, **changes: str | None) -> dict[str, str]:
        """The parameters of the answer at the redirect URI."""
        response = await self.through(await self.ask(**changes), user)
        location = header(response, "Location") or ""
        assert location.startswith(self.redirect_uri), (response.status, location, response.body[-900:])
        return answer(response)

    async def token(self, *, at: str = "/token", proved: bool = True, **form: str | None) -> Answer:
        """A token request, with the client's secret by the method it is registered for if `proved`."""
        method = self.op.snapshot.declared.clients[self.client_id].token_endpoint_auth_method
        headers: dict[str, tuple[str, ...]] = {}
        if proved and method == "client_secret_basic":
            pair = f"{quote_plus(self.client_id)}:{quote_plus(secret_of(self.op, self.client_id))}"
            headers["authorization"] = (f"Basic {base64.b64encode(pair.encode()).decode()}",)
        elif proved:
            form.setdefault("client_id", self.client_id)
        if proved and method == "client_secret_post":
            form.setdefault("client_secret", secret_of(self.op, self.client_id))
        return await self.post(at, form, headers)

    async def redeem(self, code: str, *, at: str = "/token", proved: bool = True, **form: str | None) -> Answer:
        """The code's tokens."""
        whole: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
        }
        return await self.token(at=at, proved=proved, **(whole | form))

    async def tokens(self, user: str, **changes: str | None) -> Answer:
        """Login and redemption in one."""
        return await self.redeem((await self.login(user, **changes))["code"])

    async def post(
        self, at: str, form: dict[str, str | None], headers: dict[str, tuple[str, ...]] | None = None
    ) -> Answer:
        """A form to an endpoint of the issuer."""
        body = urlencode({name: value for name, value in form.items() if value is not None}).encode()
        sent = {"content-type": ("application/x-www-form-urlencoded",), **(headers or {})}
        return await self.send("POST", at, sent, body)

    async def userinfo(self, access_token: str, *, at: str = "/userinfo") -> Answer:
        """The claims at UserInfo."""
        return await self.send("GET", at, {"authorization": (f"Bearer {access_token}",)})

    async def send(
        self, method: str, at: str, headers: dict[str, tuple[str, ...]] | None = None, body: bytes = b""
    ) -> Answer:
        """One request to the issuer, without cookies."""
        host = urlsplit(self.browser.origin).netloc
        sent = {"host": (host,), **(headers or {})}
        request = Request(method, f"{self.path}{at}", "", sent, body, "127.0.0.1", self.op.clock())
        response = await self.op.respond(request)
        text = response.body.decode()
        return Answer(response.status, json.loads(text) if text.startswith("{") else {"text": text})
