"""The suite in small: clients that register themselves, browsers that log foo in, and the flows between."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from appliance.protocol.messages import Request, Response
from tests.conformance.judging import (
    ANSWER,
    CLAIMS,
    ISSUER,
    check_entropy,
    check_id_token,
    check_token_response,
    hash_of,
    page_ids,
    verified,
)
from tests.support.browser import Browser, forms, header
from tests.support.provider import Provider

CALLBACK = "https://rp.example.net/test/a/appliance/callback"
POST_LOGOUT = "https://rp.example.net/test/a/appliance/post_logout_redirect"
BASIC, POST, MAC, PRIVATE = "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@dataclass(frozen=True)
class Variant:
    """One variant of a plan."""

    response_type: str
    response_mode: str = ""
    auth: str = BASIC

    def __str__(self) -> str:
        mode = f"-{self.response_mode}" if self.response_mode else ""
        return self.response_type.replace(" ", "+") + mode + ("" if self.auth == BASIC else f"-{self.auth}")

    @property
    def words(self) -> frozenset[str]:
        """The words of the response type."""
        return frozenset(self.response_type.split())

    @property
    def carrier(self) -> str:
        """Where an answer is to be."""
        return "form" if self.response_mode == "form_post" else "query" if self.words == {"code"} else "fragment"


_TYPES = {
    "B": ("code",),
    "I": ("id_token", "id_token token"),
    "H": ("code id_token", "code token", "code id_token token"),
    "D": ("code",),
}


def variants(plans: str, *, auth: str = BASIC) -> list[Variant]:
    """All variants of plans, each response type also with form_post."""
    types = dict.fromkeys(each for plan in plans for each in _TYPES.get(plan, ()))
    return [Variant(each, mode, auth) for each in types for mode in ("", "form_post")]


def signed_jwt(claims: Mapping[str, Any], key: JWK, alg: str, **more: str) -> str:
    """A JWT of a client's."""
    token = JWS(json.dumps(claims).encode())
    head = {"alg": alg, **({"kid": key["kid"]} if key.get("kid") else {}), **more}
    token.add_signature(key, alg, json.dumps(head))
    return str(token.serialize(compact=True))


def unsigned_jwt(claims: Mapping[str, Any]) -> str:
    """A JWT that nobody signed."""
    parts = (json.dumps({"alg": "none"}), json.dumps(claims))
    return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts) + "."


@dataclass(frozen=True)
class Rp:
    """A registered client."""

    client_id: str
    variant: Variant
    secret: str = ""
    key: JWK | None = None
    registered: Mapping[str, Any] = field(default_factory=dict)
    redirect_uri: str = CALLBACK


@dataclass(frozen=True)
class Outcome:
    """Where a browser ended: at the client with an answer, or at a page of the provider."""

    response: Response
    #: Steps on the way: "login", "consent".
    steps: tuple[str, ...]
    #: "query", "fragment", "form"; "" at a page.
    carrier: str
    #: The address that the answer was sent to, without the answer.
    target: str
    fields: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields[name]


@dataclass(frozen=True)
class Flow:
    """A whole flow: the answer, the tokens, and the claims of the last ID Token."""

    outcome: Outcome
    nonce: str | None
    claims: Mapping[str, Any]
    id_token: str
    access_token: str
    tokens: Mapping[str, Any]


class Suite:
    """Somebody with clients and browsers at one provider."""

    def __init__(self, op: Provider) -> None:
        self.op = op
        self._clients: dict[Any, Rp] = {}

    @property
    def now(self) -> float:
        """The moment."""
        return self.op.clock()

    def browser(self) -> Browser:
        """A browser that knows nobody."""
        return Browser(self.op, ISSUER)

    async def send(
        self, method: str, path: str, *, query: str = "", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """One request of a program."""
        sent = {name.lower(): (value,) for name, value in (headers or {}).items()}
        request = Request(method, path, query, sent, body, "192.0.2.7", self.op.clock())
        return await self.op.respond(request)

    async def metadata(self) -> dict[str, Any]:
        """The discovery document."""
        found: dict[str, Any] = json.loads((await self.send("GET", "/.well-known/openid-configuration")).body)
        return found

    async def jwks(self) -> bytes:
        """The key set."""
        return (await self.send("GET", "/jwks")).body

    async def register(self, *, token: str | None = None, **metadata: Any) -> Response:
        """A registration request, as the suite sends it: from anybody, unless a token is given."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return await self.send("POST", "/register", headers=headers, body=json.dumps(metadata).encode())

    async def client(self, variant: Variant, **metadata: Any) -> Rp:
        """A client registered for a variant; the same one for the same metadata."""
        known = json.dumps([str(variant), metadata], sort_keys=True, default=str)
        if known not in self._clients:
            self._clients[known] = await self._new_client(variant, metadata)
        return self._clients[known]

    async def _new_client(self, variant: Variant, more: Mapping[str, Any]) -> Rp:
        grants = ["authorization_code"] if "code" in variant.words else []
        grants += ["implicit"] if variant.words - {"code"} else []
        key = JWK.generate(kty="RSA", size=2048, kid=secrets.token_hex(4), use="sig", alg="RS256")
        own = {"jwks": {"keys": [key.export_public(as_dict=True)]}} if variant.auth == PRIVATE else {}
        wanted = {
            "client_name": "the suite",
            "redirect_uris": [CALLBACK],
            "contacts": ["certification@example.net"],
            "grant_types": grants,
            "response_types": [variant.response_type],
            "token_endpoint_auth_method": variant.auth,
            **own,
            **more,
        }
        response = await self.register(**{name: value for name, value in wanted.items() if value is not None})
        assert response.status == 201, response.body
        assert (header(response, "Content-Type") or "").startswith("application/json")
        told = json.loads(response.body)
        assert ("registration_client_uri" in told) == ("registration_access_token" in told)
        assert "client_secret" not in told or type(told["client_secret_expires_at"]) is int
        return Rp(
            told["client_id"], variant, told.get("client_secret", ""), key, told, told.get("redirect_uris", [""])[0]
        )

    def static_client(self, method: str, number: int = 1, variant: Variant | None = None) -> Rp:
        """One of the clients in the files."""
        client_id = f"{method.removeprefix('client_').replace('_', '-')}-{number}"
        uri = "https://www.certification.openid.net/test/a/appliance/callback"
        used = replace(variant or Variant("code"), auth=method)
        if method == PRIVATE:
            kept = json.loads((self.op.directory.parent / "generated.json").read_text())
            return Rp(client_id, used, "", JWK(**kept["keys"][client_id]), redirect_uri=uri)
        file = self.op.directory / "secrets" / client_id
        return Rp(client_id, used, file.read_text() if file.exists() else "", redirect_uri=uri)

    def request_of(self, rp: Rp, **more: str | None) -> dict[str, str]:
        """The parameters of a usual request; None takes one away."""
        variant = rp.variant
        asked: dict[str, str | None] = {
            "client_id": rp.client_id,
            "redirect_uri": rp.redirect_uri,
            "response_type": variant.response_type,
            "scope": "openid",
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
        }
        if variant.response_mode:
            asked["response_mode"] = variant.response_mode
        return {name: value for name, value in (asked | more).items() if value is not None}

    async def authorize(self, browser: Browser, asked: Mapping[str, str], *, method: str = "GET") -> Outcome:
        """A request through whatever pages come, by somebody who logs in as foo and allows everything."""
        if method == "GET":
            response = await browser.visit("/authorize?" + urlencode(asked))
        else:
            foreign = {"origin": "https://rp.example.net", "sec-fetch-site": "cross-site"}
            kept, browser.cookies = browser.cookies, {}
            first = await browser.request("POST", "/authorize", form=dict(asked), headers=foreign)
            browser.cookies = kept | browser.cookies
            location = header(first, "Location") or ""
            assert first.status == 303
            response = await browser.visit(location.removeprefix(ISSUER))
        steps: list[str] = []
        for _ in range(6):
            ids = page_ids(response) if header(response, "Location") is None else set()
            if "password" in ids:
                steps.append("login")
                response = await browser.submit(response, button="submit", username="foo", password="bar")
            elif "allow" in ids:
                steps.append("consent")
                response = await browser.submit(response, button="allow")
            else:
                break
        return read_outcome(response, tuple(steps))

    async def token(self, rp: Rp, form: Mapping[str, str], **assertion: Any) -> Response:
        """A token request that the client proves itself at by its method."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        sent = dict(form)
        auth = rp.variant.auth
        if auth == BASIC:
            pair = f"{rp.client_id}:{rp.secret}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        elif auth == POST:
            sent |= {"client_id": rp.client_id, "client_secret": rp.secret}
        else:
            sent |= {"client_assertion_type": JWT_BEARER, "client_assertion": self.assertion(rp, **assertion)}
        return await self.send("POST", "/token", headers=headers, body=urlencode(sent).encode())

    def assertion(self, rp: Rp, **changes: Any) -> str:
        """A client assertion as the suite makes it: aud is the token endpoint."""
        now = int(self.now)
        said = {"iss": rp.client_id, "sub": rp.client_id, "aud": f"{ISSUER}/token", "jti": secrets.token_hex(12)}
        claims = {**said, "iat": now, "exp": now + 60, **changes}
        if rp.variant.auth == MAC:
            encoded = base64.urlsafe_b64encode(rp.secret.encode()).rstrip(b"=").decode()
            return signed_jwt(claims, JWK(kty="oct", k=encoded), "HS256")
        assert rp.key is not None
        return signed_jwt(claims, rp.key, "RS256")

    async def redeem(self, rp: Rp, code: str, **more: str) -> Response:
        """Exchange a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": rp.redirect_uri}
        return await self.token(rp, form | more)

    async def userinfo(self, access_token: str) -> Response:
        """The plain request to UserInfo."""
        return await self.send("GET", "/userinfo", headers={"Authorization": f"Bearer {access_token}"})

    async def claims_at_userinfo(self, access_token: str) -> dict[str, Any]:
        """The JSON of UserInfo."""
        response = await self.userinfo(access_token)
        assert response.status == 200, response.body
        assert (header(response, "Content-Type") or "").startswith("application/json")
        found: dict[str, Any] = json.loads(response.body)
        return found

    async def flow(
        self,
        rp: Rp,
        *,
        browser: Browser | None = None,
        allowed: frozenset[str] = frozenset(),
        method: str = "GET",
        redeem: Mapping[str, str] | None = None,
        **more: str | None,
    ) -> Flow:
        """A whole flow with everything checked that every module checks."""
        asked = self.request_of(rp, **more)
        outcome = await self.authorize(browser or self.browser(), asked, method=method)
        return await self.conclude(rp, outcome, asked, allowed=allowed, redeem=redeem)

    async def conclude(
        self,
        rp: Rp,
        outcome: Outcome,
        asked: Mapping[str, str],
        *,
        allowed: frozenset[str] = frozenset(),
        redeem: Mapping[str, str] | None = None,
    ) -> Flow:
        """Check an answer, exchange its code, check the tokens."""
        words, nonce = rp.variant.words, asked.get("nonce")
        self.check_answer(rp, outcome, asked.get("state"))
        if words == {"id_token"}:
            allowed |= {name for scope in asked["scope"].split() for name in CLAIMS.get(scope, ())}
        front = await self._front(rp, outcome, nonce, allowed) if "id_token" in words else {}
        id_token, access_token = outcome.fields.get("id_token", ""), outcome.fields.get("access_token", "")
        claims, tokens = front, {}
        if "code" in words:
            tokens = check_token_response(await self.redeem(rp, outcome["code"], **(redeem or {})))
            id_token, access_token = tokens["id_token"], tokens["access_token"]
            claims = await self.read_id_token(rp, id_token, nonce, allowed)
            assert claims.get("at_hash", hash_of(access_token)) == hash_of(access_token)
            assert claims.get("c_hash", hash_of(outcome["code"])) == hash_of(outcome["code"])
            if front:
                assert (front["iss"], front["sub"], front["aud"]) == (claims["iss"], claims["sub"], claims["aud"])
        return Flow(outcome, nonce, claims, id_token, access_token, tokens)

    def check_answer(self, rp: Rp, outcome: Outcome, state: str | None) -> None:
        """An authorization response: in its place, with what belongs there and nothing else."""
        words = rp.variant.words
        assert outcome.carrier == rp.variant.carrier, outcome.response.body
        assert outcome.target == rp.redirect_uri
        assert "error" not in outcome.fields, outcome.fields
        assert outcome.fields.keys() <= ANSWER, outcome.fields
        assert outcome.fields.get("state") == state
        assert outcome.fields.get("iss", ISSUER) == ISSUER
        assert ("code" in words) == ("code" in outcome.fields)
        assert ("id_token" in words) == ("id_token" in outcome.fields)
        assert ("token" in words) == ("access_token" in outcome.fields)
        if "code" in words:
            check_entropy(outcome["code"])
        if "token" in words:
            check_entropy(outcome["access_token"])
            assert outcome["token_type"].lower() == "bearer"
            assert 0 < int(outcome["expires_in"]) <= 365 * 86400

    async def _front(
        self, rp: Rp, outcome: Outcome, nonce: str | None, allowed: frozenset[str]
    ) -> Mapping[str, Any]:
        claims = await self.read_id_token(rp, outcome["id_token"], nonce, allowed)
        if "access_token" in outcome.fields:
            assert claims["at_hash"] == hash_of(outcome["access_token"])
        if "code" in outcome.fields:
            assert claims["c_hash"] == hash_of(outcome["code"])
        return claims

    async def read_id_token(
        self, rp: Rp, token: str, nonce: str | None, allowed: frozenset[str] = frozenset()
    ) -> Mapping[str, Any]:
        """The claims of a good ID Token."""
        head, claims = verified(token, await self.jwks())
        assert head["alg"] == "RS256"
        check_id_token(claims, client_id=rp.client_id, now=self.now, nonce=nonce, allowed=allowed)
        return claims


def read_outcome(response: Response, steps: tuple[str, ...]) -> Outcome:
    """What a browser ended at."""
    location = header(response, "Location")
    if location is None:
        found = forms(response)
        if b"auto" not in response.body and len(found) != 1:
            return Outcome(response, steps, "", "", {})
        if found and found[0].action.startswith("https://") and not found[0].action.startswith(ISSUER):
            return Outcome(response, steps, "form", found[0].action, found[0].fields)
        return Outcome(response, steps, "", "", {})
    assert response.status in (302, 303)
    parts = urlsplit(location)
    if parts.fragment:
        fields = dict(parse_qsl(parts.fragment, keep_blank_values=True, strict_parsing=True))
        return Outcome(response, steps, "fragment", location.partition("#")[0], fields)
    fields = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    return Outcome(response, steps, "query", location.partition("?")[0], fields)
