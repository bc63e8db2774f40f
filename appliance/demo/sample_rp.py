"""A small relying party: code flow with PKCE, state and nonce; shows what it was told.

It learns everything from the discovery document and validates the ID Token as any relying party must
(OpenID Connect Core 3.1.3.7). One browser session is one cookie; nothing is stored beyond memory.
"""

import base64
import hashlib
import hmac
import secrets
import ssl
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web

from appliance.demo.page import error_page, signed_in_page, start_page
from appliance.jose import claims, public_keys, tokens
from appliance.jose.problems import KeyProblem

COOKIE = "sample_rp"
MAX_SESSIONS = 200
LEEWAY = 60
ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")


@dataclass(frozen=True, slots=True)
class Registration:
    """What the relying party and the provider agreed on."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    origin: str
    scope: str

    @property
    def redirect_uri(self) -> str:
        """Where codes come back to."""
        return f"{self.origin}/callback"


@dataclass(slots=True)
class Visit:
    """One browser: a login under way, then what came of it."""

    state: str = ""
    nonce: str = ""
    verifier: str = ""
    tokens: Mapping[str, object] | None = None
    claims: Mapping[str, object] | None = None
    userinfo: Mapping[str, object] | None = None
    note: str = ""


class Failed(Exception):
    """The provider said no, or something that must not be believed; the text is for the page."""


class SampleRelyingParty:
    """The relying party as a web application."""

    def __init__(self, registration: Registration) -> None:
        self._own = registration
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._http: ClientSession | None = None

    def application(self) -> web.Application:
        """The application, to be served by whoever starts it."""
        app = web.Application(middlewares=[_told])
        app.router.add_get("/", self._start)
        app.router.add_get("/login", self._login)
        app.router.add_get("/callback", self._callback)
        app.router.add_post("/refresh", self._refresh)
        app.router.add_post("/userinfo", self._userinfo)
        app.router.add_post("/logout", self._logout)
        app.on_cleanup.append(self._close)
        return app

    async def _start(self, request: web.Request) -> web.Response:
        visit = self._visit(request)
        if visit is None or visit.claims is None or visit.tokens is None:
            return _html(start_page(self._own.issuer))
        note, visit.note = visit.note, ""
        return _html(signed_in_page(visit.claims, visit.userinfo, visit.tokens, note))

    async def _login(self, request: web.Request) -> web.StreamResponse:
        provider = await self._discover()
        id_, visit = secrets.token_urlsafe(24), Visit()
        visit.state, visit.nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        visit.verifier = secrets.token_urlsafe(48)
        self._visits[id_] = visit
        while len(self._visits) > MAX_SESSIONS:
            self._visits.popitem(last=False)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(visit.verifier.encode()).digest()).rstrip(b"=")
        query = {
            "client_id": self._own.client_id,
            "response_type": "code",
            "redirect_uri": self._own.redirect_uri,
            "scope": self._own.scope,
            "state": visit.state,
            "nonce": visit.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        answer = _see_other(f"{provider['authorization_endpoint']}?{urlencode(query)}")
        answer.set_cookie(COOKIE, id_, httponly=True, samesite="Lax", path="/")
        return answer

    async def _callback(self, request: web.Request) -> web.StreamResponse:
        visit = self._visit(request)
        try:
            if visit is None or not visit.state:
                raise Failed("This browser began no login here.")
            await self._finish(visit, request.query)
        except Failed as failed:
            return _html(error_page(str(failed)), status=400)
        return _see_other("/")

    async def _finish(self, visit: Visit, answer: Mapping[str, str]) -> None:
        state, visit.state = visit.state, ""
        if not hmac.compare_digest(state.encode(), answer.get("state", "").encode("utf-8", "replace")):
            raise Failed("The answer belongs to another login.")
        # RFC 9207 2.4: an answer of another provider is not for this request.
        if answer.get("iss", self._own.issuer) != self._own.issuer:
            raise Failed("The answer comes from another provider.")
        if "error" in answer:
            raise Failed(f"The provider answered {answer['error']}: {answer.get('error_description', '')}")
        form = {
            "grant_type": "authorization_code",
            "code": answer.get("code", ""),
            "redirect_uri": self._own.redirect_uri,
            "code_verifier": visit.verifier,
        }
        received = await self._ask_token(form)
        visit.claims = await self._verify(str(received.get("id_token")), visit.nonce)
        visit.tokens, visit.userinfo = received, None

    async def _refresh(self, request: web.Request) -> web.StreamResponse:
        visit = self._visit(request)
        if visit is not None and visit.tokens is not None:
            refresh_token = str(visit.tokens.get("refresh_token", ""))
            try:
                form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
                received = await self._ask_token(form)
                if "id_token" in received:
                    visit.claims = await self._verify(str(received["id_token"]), None)
                visit.tokens = {**visit.tokens, **received}
                visit.note = "New tokens."
            except Failed as failed:
                visit.note = str(failed)
        return _see_other("/")

    async def _userinfo(self, request: web.Request) -> web.StreamResponse:
        visit = self._visit(request)
        if visit is not None and visit.tokens is not None and visit.claims is not None:
            provider = await self._discover()
            headers = {"Authorization": f"Bearer {visit.tokens.get('access_token')}"}
            async with self._session().get(str(provider["userinfo_endpoint"]), headers=headers) as answer:
                body = await answer.read()
            found = orjson.loads(body) if answer.status == 200 else None
            # Core 5.3.4: the answer is about the same user, or about nobody.
            if isinstance(found, dict) and found.get("sub") == visit.claims["sub"]:
                visit.userinfo = found
            else:
                visit.note = f"UserInfo answered {answer.status}."
        return _see_other("/")

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        visit = self._visits.pop(request.cookies.get(COOKIE, ""), None)
        provider = await self._discover()
        end = provider.get("end_session_endpoint")
        hint = visit.tokens.get("id_token") if visit is not None and visit.tokens is not None else None
        if not end or not hint:
            return _see_other("/")
        query = {"id_token_hint": str(hint), "post_logout_redirect_uri": f"{self._own.origin}/"}
        return _see_other(f"{end}?{urlencode(query)}")

    async def _verify(self, id_token: str, nonce: str | None) -> Mapping[str, object]:
        """The claims of an ID Token that is for us, now, and for this login (Core 3.1.3.7)."""
        provider = await self._discover()
        try:
            keys = public_keys.import_set(await self._get(str(provider["jwks_uri"])), strict=False)
            verifiers = public_keys.verification_keys(keys, ALGORITHMS)
            verified = tokens.verify(id_token, verifiers, algs=ALGORITHMS, typ=frozenset({None, "JWT"}))
            claims.check_issuer(verified.claims, self._own.issuer)
            claims.check_audience(verified.claims, [self._own.client_id], sole=True)
            claims.check_times(verified.claims, time.time(), leeway=LEEWAY, required=("exp", "iat"))
        except (tokens.TokenProblem, KeyProblem) as problem:
            raise Failed(f"The ID Token cannot be believed: {problem}.") from None
        told = str(verified.claims.get("nonce", ""))
        if nonce is not None and not hmac.compare_digest(told.encode(), nonce.encode()):
            raise Failed("The ID Token is not for this login.")
        return verified.claims

    async def _ask_token(self, form: Mapping[str, str]) -> Mapping[str, object]:
        provider = await self._discover()
        # RFC 6749 2.3.1: id and secret are form-encoded before they are put together.
        proof = f"{quote(self._own.client_id, safe='')}:{quote(self._own.client_secret, safe='')}"
        headers = {"Authorization": f"Basic {base64.b64encode(proof.encode()).decode()}"}
        async with self._session().post(str(provider["token_endpoint"]), data=form, headers=headers) as answer:
            body = await answer.read()
        received = _read_object(body)
        if answer.status != 200:
            raise Failed(f"The token endpoint answered {received.get('error', answer.status)}.")
        return received

    async def _discover(self) -> Mapping[str, object]:
        # Asked anew each time, so that a reloaded provider is seen as it is now.
        found = await self._get(f"{self._own.issuer}/.well-known/openid-configuration")
        if found.get("issuer") != self._own.issuer:
            raise Failed("The discovery document is of another issuer.")
        return found

    async def _get(self, address: str) -> Mapping[str, object]:
        async with self._session().get(address, allow_redirects=False) as answer:
            return _read_object(await answer.read())

    def _session(self) -> ClientSession:
        if self._http is None:
            # Whom the library itself trusts was left out of the start (see `server.launch`).
            connector = TCPConnector(ssl=ssl.create_default_context())
            self._http = ClientSession(connector=connector, timeout=ClientTimeout(total=10))
        return self._http

    async def _close(self, _: web.Application) -> None:
        if self._http is not None:
            await self._http.close()

    def _visit(self, request: web.Request) -> Visit | None:
        return self._visits.get(request.cookies.get(COOKIE, ""))


@web.middleware
async def _told(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """A provider that cannot be reached or believed is told on a page."""
    try:
        return await handler(request)
    except Failed as failed:
        return _html(error_page(str(failed)), status=502)
    except (ClientError, TimeoutError):
        return _html(error_page("The provider does not answer."), status=502)


def _read_object(body: bytes) -> Mapping[str, object]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Failed("The provider did not answer with a JSON object.")
    return found


def _see_other(address: str) -> web.Response:
    return web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})


def _html(page: str, status: int = 200) -> web.Response:
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return web.Response(status=status, headers=headers, body=page.encode(), content_type="text/html", charset="utf-8")
