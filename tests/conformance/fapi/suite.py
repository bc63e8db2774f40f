"""The FAPI half of the suite in small: clients with keys and certificates, and the flows between."""

import hashlib
import itertools
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from jwcrypto.jwk import JWK

from appliance.jose.keys import SigningKey, generate
from appliance.protocol import base64url
from appliance.protocol.messages import Request, Response
from tests.conformance.judging import check_entropy, page_ids, verified
from tests.conformance.suite import CHALLENGE, JWT_BEARER, VERIFIER, Outcome, read_outcome, signed_jwt
from tests.support.browser import Browser, header
from tests.support.provider import Provider
from tests.support.proving import jkt_of, proof

BASE = "https://op.example.com"
MTLS = "https://op.example.com:8444"
RESOURCE = "https://op.example.com:8445"
SUITE_URL = "https://www.certification.openid.net/test/a/appliance"
CIBA = "urn:openid:params:grant-type:ciba"
PROFILES = {"plain": "fapi2", "signed": "fapi2", "signing": "signing", "ciba": "ciba"}
#: Every group of FAPI 2.0 clients: its kind, how it proves itself, what binds its tokens.
GROUPS = tuple(
    "-".join(each) for each in itertools.product(("plain", "signed", "signing"), ("key", "mtls"), ("dpop", "mtls"))
)
SECURITY = tuple(group for group in GROUPS if group.startswith("plain"))
SIGNING = tuple(group for group in GROUPS if not group.startswith("plain"))


@dataclass(frozen=True)
class Rp:
    """One client of a plan."""

    group: str
    number: int
    jwk: Mapping[str, Any]
    certificate: bytes
    dpop: SigningKey = field(default_factory=lambda: generate("ES256"))

    @property
    def client_id(self) -> str:
        """As it is registered."""
        return f"{self.group}-{self.number}"

    @property
    def path(self) -> str:
        """Path of the issuer."""
        return "/" + PROFILES[self.group.split("-")[0]]

    @property
    def issuer(self) -> str:
        """The issuer."""
        return BASE + self.path

    @property
    def by_key(self) -> bool:
        """Whether it proves itself by private_key_jwt."""
        return self.group.split("-")[1] == "key"

    @property
    def proves(self) -> bool:
        """Whether it sends DPoP proofs."""
        return self.group.endswith("dpop")

    @property
    def signs(self) -> bool:
        """Whether its requests are signed."""
        return not self.group.startswith("plain")

    @property
    def at(self) -> str:
        """Where it sends requests of its own: to the listener for certificates, if it needs one."""
        return (BASE if self.by_key and self.proves else MTLS) + self.path

    @property
    def redirect_uri(self) -> str:
        """The second client has one with a query."""
        return f"{SUITE_URL}/callback" + ("?dummy1=lorem&dummy2=ipsum" if self.number == 2 else "")

    @cached_property
    def key(self) -> JWK:
        """What it signs with."""
        return JWK(**self.jwk)


@dataclass(frozen=True)
class Flow:
    """A whole flow: the answer, the tokens."""

    asked: Mapping[str, str]
    code: str
    tokens: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.tokens[name]


@dataclass(frozen=True)
class Sent:
    """How one request departs from what the client would usually send."""

    #: Members of the client assertion; None takes one away.
    assertion: Mapping[str, Any] = field(default_factory=dict)
    alg: str = "PS256"
    #: Whether the client proves itself at all.
    proved: bool = True
    #: DPoP headers; None: one good proof.
    proofs: tuple[str, ...] | None = None
    #: DER; None: the client's own.
    certificate: bytes | None = None
    #: Whether a certificate is shown at all.
    shown: bool = True


USUAL = Sent()


class Suite:
    """Somebody with clients and browsers at one provider."""

    def __init__(self, op: Provider) -> None:
        self.op = op
        self.kept = json.loads((op.directory.parent / "generated.json").read_text())
        self._made: dict[tuple[str, int], Rp] = {}

    @property
    def now(self) -> int:
        """The moment."""
        return int(self.op.clock())

    def rp(self, group: str, number: int = 1) -> Rp:
        """A client of the files."""
        if (group, number) not in self._made:
            own = self.kept["clients"][str(number)]
            der = x509.load_pem_x509_certificate(own["cert"].encode()).public_bytes(Encoding.DER)
            self._made[group, number] = Rp(group, number, own["jwk"], der)
        return self._made[group, number]

    def browser(self) -> Browser:
        """A browser that knows nobody."""
        return Browser(self.op, BASE)

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, tuple[str, ...]] | None = None,
        body: bytes = b"",
        certificate: bytes | None = None,
    ) -> Response:
        """One request of a program."""
        asked = Request(method, path, query, dict(headers or {}), body, "192.0.2.7", self.op.clock())
        return await self.op.respond(replace(asked, certificate=certificate))

    async def metadata(self, issuer_path: str) -> dict[str, Any]:
        """The discovery document."""
        response = await self.send("GET", f"{issuer_path}/.well-known/openid-configuration")
        found: dict[str, Any] = json.loads(response.body)
        return found

    async def jwks(self, rp: Rp) -> bytes:
        """The key set."""
        return (await self.send("GET", f"{rp.path}/jwks")).body

    def assertion(self, rp: Rp, alg: str = "PS256", **changes: Any) -> str:
        """A client assertion; None takes a claim away."""
        said = {"iss": rp.client_id, "sub": rp.client_id, "aud": rp.issuer, "jti": secrets.token_hex(12)}
        claims = {**said, "iat": self.now, "exp": self.now + 60, **changes}
        return signed_jwt({name: value for name, value in claims.items() if value is not None}, rp.key, alg)

    def proof(self, rp: Rp, path: str, *, method: str = "POST", **changes: Any) -> str:
        """A DPoP proof for a request."""
        return proof(rp.dpop, self.now, **{"htu": rp.at + path, "htm": method, **changes})

    async def call(self, rp: Rp, path: str, form: Mapping[str, str], sent: Sent = USUAL) -> Response:
        """A form of the client's to one of the endpoints."""
        headers: dict[str, tuple[str, ...]] = {"content-type": ("application/x-www-form-urlencoded",)}
        proofs = (
            ((self.proof(rp, path),) if rp.proves and path != "/par" else ()) if sent.proofs is None else sent.proofs
        )
        if proofs:
            headers["dpop"] = proofs
        whole = dict(form)
        if rp.by_key and sent.proved:
            assertion = self.assertion(rp, sent.alg, **sent.assertion)
            whole |= {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
        if not rp.by_key:
            whole.setdefault("client_id", rp.client_id)
        certificate = sent.certificate or rp.certificate
        shown = sent.shown and rp.at.startswith(MTLS)
        return await self.send(
            "POST",
            rp.path + path,
            headers=headers,
            body=urlencode(whole).encode(),
            certificate=certificate if shown else None,
        )

    def asked(self, rp: Rp, **more: str | None) -> dict[str, str]:
        """The parameters of a usual request; None takes one away."""
        whole: dict[str, str | None] = {
            "client_id": rp.client_id,
            "redirect_uri": rp.redirect_uri,
            "response_type": "code",
            "scope": "openid",
            "state": secrets.token_urlsafe(96 if rp.number == 2 else 8),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **({"response_mode": "jwt"} if rp.group.startswith("signing") else {}),
            **more,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def request_object(
        self, rp: Rp, asked: Mapping[str, str], alg: str = "PS256", key: JWK | None = None, **changes: Any
    ) -> str:
        """A request object of the client; None takes a claim away."""
        said = {"iss": rp.client_id, "aud": rp.issuer, "nbf": self.now, "exp": self.now + 300}
        claims = {name: value for name, value in {**asked, **said, **changes}.items() if value is not None}
        return signed_jwt(claims, key or rp.key, alg, **({"typ": "oauth-authz-req+jwt"} if rp.number == 2 else {}))

    async def push(self, rp: Rp, asked: Mapping[str, str], sent: Sent = USUAL, **changes: Any) -> Response:
        """A pushed request, signed if the client signs; `changes` are claims of the object."""
        form = {"client_id": rp.client_id, "request": self.request_object(rp, asked, **changes)} if rp.signs else asked
        return await self.call(rp, "/par", form, sent)

    async def pushed(self, rp: Rp, asked: Mapping[str, str], sent: Sent = USUAL, **changes: Any) -> str:
        """The reference to a pushed request."""
        response = await self.push(rp, asked, sent, **changes)
        assert response.status == 201, response.body
        told = json.loads(response.body)
        assert type(told["expires_in"]) is int and 0 < told["expires_in"] < 600
        check_entropy(told["request_uri"].rpartition(":")[2])
        return str(told["request_uri"])

    async def visit(self, rp: Rp, request_uri: str, browser: Browser | None = None, **more: str) -> Response:
        """Where a browser gets with a reference, before anybody does anything."""
        query = urlencode({"client_id": rp.client_id, "request_uri": request_uri, **more})
        return await (browser or self.browser()).visit(f"{rp.path}/authorize?{query}")

    async def through(self, browser: Browser, response: Response, button: str = "allow") -> Outcome:
        """Whatever pages come, by foo."""
        steps: list[str] = []
        for _ in range(6):
            ids = page_ids(response) if header(response, "Location") is None else set()
            if "password" in ids:
                steps.append("login")
                response = await browser.submit(response, button="submit", username="foo", password="bar")
            elif "allow" in ids:
                steps.append("consent")
                response = await browser.submit(response, button=button)
            else:
                break
        return read_outcome(response, tuple(steps))

    async def answered(self, rp: Rp, request_uri: str, button: str = "allow", **more: str) -> dict[str, str]:
        """The parameters of the answer, out of their JWT where they come in one."""
        browser = self.browser()
        outcome = await self.through(browser, await self.visit(rp, request_uri, browser, **more), button)
        assert outcome.carrier == "query", outcome.response.body
        assert outcome.target == rp.redirect_uri.partition("?")[0]
        fields = dict(outcome.fields)
        if rp.number == 2:
            assert (fields.pop("dummy1"), fields.pop("dummy2")) == ("lorem", "ipsum")
        if not rp.group.startswith("signing"):
            assert fields.pop("iss") == rp.issuer
            return fields
        assert set(fields) == {"response"}
        head, claims = verified(fields["response"], await self.jwks(rp))
        assert head["alg"] == "PS256"
        assert (claims.pop("iss"), claims.pop("aud")) == (rp.issuer, rp.client_id)
        assert 0 < claims.pop("exp") - self.now <= 600
        claims.pop("iat", None)
        return claims

    async def code(self, rp: Rp, sent: Sent = USUAL, **more: str | None) -> str:
        """A code."""
        answer = await self.answered(rp, await self.pushed(rp, self.asked(rp, **more), sent))
        assert "code" in answer, answer
        check_entropy(answer["code"])
        return answer["code"]

    async def redeem(self, rp: Rp, code: str, sent: Sent = USUAL, **more: str | None) -> Response:
        """Exchange a code; None takes a parameter away."""
        whole: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": rp.redirect_uri,
            "code_verifier": VERIFIER,
            **more,
        }
        return await self.call(rp, "/token", {name: value for name, value in whole.items() if value is not None}, sent)

    async def flow(self, rp: Rp, changes: Mapping[str, Any] | None = None, **more: str | None) -> Flow:
        """A whole flow with everything checked that every module checks; `changes` are claims of the object."""
        asked = self.asked(rp, **more)
        answer = await self.answered(rp, await self.pushed(rp, asked, **(changes or {})))
        assert answer.keys() == {"code"} | ({"state"} & asked.keys()), answer
        assert answer.get("state") == asked.get("state")
        tokens = self.check_tokens(rp, await self.redeem(rp, answer["code"]))
        if "openid" in asked["scope"].split():
            head, claims = verified(tokens["id_token"], await self.jwks(rp))
            assert head["alg"] == "PS256"
            assert (claims["iss"], claims["aud"]) == (rp.issuer, rp.client_id)
            assert claims.get("nonce") == asked.get("nonce")
            assert (await self.resource(rp, tokens["access_token"])).status == 200
        else:
            assert "id_token" not in tokens
        return Flow(asked, answer["code"], tokens)

    @staticmethod
    def check_tokens(rp: Rp, response: Response) -> dict[str, Any]:
        """A good token response."""
        assert response.status == 200, response.body
        assert "no-store" in (header(response, "Cache-Control") or "")
        tokens: dict[str, Any] = json.loads(response.body)
        assert tokens["token_type"].lower() == ("dpop" if rp.proves else "bearer")
        check_entropy(tokens["access_token"])
        assert type(tokens["expires_in"]) is int
        return tokens

    async def resource(
        self,
        rp: Rp,
        access_token: str,
        *,
        scheme: str = "",
        proofs: tuple[str, ...] | None = None,
        certificate: bytes | None = None,
    ) -> Response:
        """The protected resource; the certificate is the client's own unless another is given."""
        usual = (self.use(rp, access_token),) if rp.proves else ()
        headers: dict[str, tuple[str, ...]] = {
            "authorization": (f"{scheme or ('DPoP' if rp.proves else 'Bearer')} {access_token}",)
        }
        if usual if proofs is None else proofs:
            headers["dpop"] = usual if proofs is None else proofs
        shown = certificate or (None if rp.proves else rp.certificate)
        return await self.send("GET", f"{rp.path}/userinfo", headers=headers, certificate=shown or None)

    def use(self, rp: Rp, access_token: str, head: dict[str, Any] | None = None, **changes: Any) -> str:
        """A proof to use an access token with."""
        ath = base64url.encode(hashlib.sha256(access_token.encode()).digest())
        whole = {"htu": f"{rp.at}/userinfo", "htm": "GET", "ath": ath, **changes}
        return proof(rp.dpop, self.now, head, **whole)

    async def introspect(self, rp: Rp, token: str, headers: Mapping[str, tuple[str, ...]]) -> Response:
        """An introspection request of the client about its own token."""
        form = {"token": token, "client_id": rp.client_id}
        if rp.by_key:
            form |= {"client_assertion_type": JWT_BEARER, "client_assertion": self.assertion(rp)}
        shown = rp.certificate if rp.at.startswith(MTLS) else None
        path, body = f"{rp.path}/introspect", urlencode(form).encode()
        return await self.send("POST", path, headers=headers, body=body, certificate=shown)

    @staticmethod
    def read_signed(response: Response, jwks: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and claims of an answer that is one JWT."""
        assert response.status == 200, response.body
        return verified(response.body.decode(), jwks)

    @staticmethod
    def jkt(rp: Rp) -> str:
        """The thumbprint of a client's DPoP key."""
        return jkt_of(rp.dpop)


def check_refused(response: Response, *errors: str) -> dict[str, Any]:
    """A refusal as JSON: one of these errors, and 401 for invalid_client alone."""
    body: dict[str, Any] = json.loads(response.body)
    assert body.get("error") in errors, body
    assert response.status in ((400, 401) if body["error"] == "invalid_client" else (400,))
    assert (header(response, "Content-Type") or "").startswith("application/json")
    assert body.keys() <= {"error", "error_description", "error_uri"}
    return body
