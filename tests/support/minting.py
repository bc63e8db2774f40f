"""A profile made by hand around the token, UserInfo and JWKS endpoints: no files, no assembly, no browser."""

import base64
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from appliance.client_assertions import ClientAssertions
from appliance.config import binding
from appliance.config.declared import claims as expressions
from appliance.config.declared import profile as declared
from appliance.config.schemas import load_schemas
from appliance.config.secrets import SecretResolver
from appliance.endpoints.jwks import JwksEndpoint
from appliance.endpoints.token import TokenEndpoint
from appliance.endpoints.userinfo import UserinfoEndpoint
from appliance.jose.certificates import Authorities
from appliance.jose.tokens import decode_strict, read_unverified_claims
from appliance.outbound.client import OutboundClient, Policy
from appliance.outbound.documents import JsonDocuments
from appliance.parts.access_token_formats import ACCESS_TOKEN_FORMATS
from appliance.parts.client_auth_methods import CLIENT_AUTH_METHODS
from appliance.parts.grant_types import GRANT_TYPES
from appliance.parts.stores.memory import Memory
from appliance.parts.stores.sqlite import Sqlite
from appliance.parts.subject_types import SUBJECT_TYPES
from appliance.profile.claims import ClaimsRelease
from appliance.profile.client_auth import ClientAuth
from appliance.profile.client_keys import ClientKeys, read_key_set
from appliance.profile.clients import Clients
from appliance.profile.details import DetailsTypes
from appliance.profile.keys import KeyRing
from appliance.profile.profile import Profile
from appliance.profile.resources import Resources
from appliance.profile.standing import Standing
from appliance.profile.tokens.access_tokens import AccessTokens
from appliance.profile.tokens.id_tokens import IdTokens
from appliance.profile.tokens.mint import CodeBinding, Tokens
from appliance.profile.tokens.response_protection import ResponseProtection
from appliance.profile.tokens.sender_constraint import SenderConstraint
from appliance.protocol import form, pkce
from appliance.protocol.authorization import Authorization, ClaimsRequest, Subject
from appliance.protocol.client import NOBODY, Client, ClientSecret
from appliance.protocol.errors import OAuthError
from appliance.protocol.messages import Request, Response
from appliance.protocol.secret import Secret
from appliance.resources import SCHEMAS
from appliance.seams import SourceUnavailable, Store, Tools, User
from appliance.throttle import ClientThrottle

ISSUER = "https://op.example/retail"
REDIRECT_URI = "https://rp.example/callback"
SECRET = "correct horse:battery%staple+é"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
NOW = 1795262400.0
SALT = Secret(b"0123456789abcdef0123456789abcdef", "test")

ALICE: Mapping[str, object] = {
    "id": "alice-1",
    "name": {"first": "Alice", "last": "Adams"},
    "emails": [{"value": "old@a.example"}, {"value": "alice@a.example", "primary": True, "verified": "true"}],
    "birth": "1990-04-02T00:00:00Z",
    "locale": "fi_FI",
    "seen": "2026-11-20T08:00:00+00:00",
    "nick": "  ",
    "tier": "gold",
}


class Users:
    """A source of users that a test can change while the provider runs."""

    name = "people"

    def __init__(self) -> None:
        self.users = {"alice": User(Subject("people", "alice"), "alice", ALICE, active=True)}
        self.down = False

    async def find(self, login: str) -> User | None:
        return await self.load(login)

    async def load(self, id: str) -> User | None:
        if self.down:
            raise SourceUnavailable
        return self.users.get(id)

    async def check_password(self, user: User | None, password: str) -> bool:
        return False

    async def credential(self, user: User, kind: str) -> bytes | None:
        return None


def path(*steps: Any) -> expressions.Path:
    return expressions.Path("person", steps)


CLAIMS = expressions.ClaimsSet(
    claims_set="person",
    sources={"person": "people"},
    subject=path("id"),
    claims={
        "name": expressions.Join((path("name", "first"), path("name", "last")), " "),
        "name#fi": expressions.Const("Liisa"),
        "nickname": path("nick"),
        "birthdate": path("birth"),
        "locale": path("locale"),
        "updated_at": path("seen"),
        "email": path("emails", ("primary",), "value"),
        "email_verified": path("emails", ("primary",), "verified"),
        "tier": path("tier"),
        "iss": expressions.Const("https://evil.example"),
        "aud": expressions.Const("evil"),
        "exp": expressions.Const(9e9),
    },
)


def scope(*claims: str) -> declared.Scope:
    return declared.Scope(claims, {}, consent=True, type=None, selects_policy=None)


def declare(**members: object) -> declared.Profile:
    """A profile as a file with these members declares it; what they leave out is as the schema has it."""
    context = binding.Context(SecretResolver(Path("/"), {}, enabled=False))
    written = {"profile": "retail", "issuer": ISSUER, "claims": "person", "acr": [], **members}
    bound: declared.Profile = binding.bind(
        written, declared.Profile, load_schemas(SCHEMAS), "profile.json#/$defs/profile", context
    )
    return bound


PROFILE = replace(
    declare(
        title="Retail",
        response_types_supported=["code", "code id_token", "id_token"],
        response_modes_supported=["query", "fragment"],
        grant_types_supported=["authorization_code", "refresh_token", "client_credentials"],
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post", "none"],
        dpop_signing_alg_values_supported=["ES256", "EdDSA", "PS256"],
        subject_types_supported=["public", "pairwise"],
        ui_locales_supported=["en"],
        claims_parameter_supported=True,
        claims_parameter_unmapped="ignore",
        request_object={"max_lifetime": "1h"},
        unknown_scopes="ignore",
        require_pkce=False,
        ttl={
            "authorization_code": "60s",
            "access_token": "600s",
            "id_token": "300s",
            "interaction": "600s",
            "consent": "1h",
            "refresh_token": {"idle": "1h", "absolute": "10h"},
            "session": {"idle": "1h", "absolute": "10h"},
        },
        keys={"signing": [{"alg": "ES256", "rotate_every": "1d", "publish_before": "1h"}]},
        logout={"rp_initiated": True},
        endpoints={"introspection": True, "revocation": True, "pushed_authorization_request": True},
    ),
    scopes={
        "openid": scope(),
        "profile": scope("name", "nickname", "birthdate", "locale", "updated_at", "iss"),
        "email": scope("email", "email_verified"),
        "loyalty": scope("tier"),
        "offline_access": scope(),
        "reports.read": scope(),
        "reports.write": scope(),
        "billing": scope(),
    },
    pairwise=declared.Pairwise(SALT),
    throttle=declared.Throttle(5, 50, 60, 1),
)

CLIENT = replace(
    NOBODY,
    client_id="web:shop",
    client_name="Web shop",
    redirect_uris=(REDIRECT_URI, "https://rp.example/other"),
    response_types=("code",),
    grant_types=("authorization_code", "refresh_token", "client_credentials"),
    scope=("openid", "profile", "email", "offline_access", "reports.read", "reports.write"),
    token_endpoint_auth_method="client_secret_basic",
    client_secrets=(ClientSecret("1", Secret(SECRET.encode(), "test"), None),),
    op=replace(
        NOBODY.op,
        profile="retail",
        status="active",
        consent="ask",
        access_token_format="opaque",
        refresh_token="offline_access",
    ),
)
SPA = replace(CLIENT, client_id="spa", token_endpoint_auth_method="none", client_secrets=())
OTHER_SPA = replace(SPA, client_id="other-spa")
POSTER = replace(CLIENT, client_id="poster", token_endpoint_auth_method="client_secret_post")
JWT_SHOP = replace(CLIENT, client_id="jwt-shop", op=replace(CLIENT.op, access_token_format="jwt"))
PAIRED = replace(CLIENT, client_id="paired", subject_type="pairwise")
CLIENTS = (CLIENT, SPA, OTHER_SPA, POSTER, JWT_SHOP, PAIRED)

AUTHORIZATION = Authorization(
    id="authorization-1",
    issuer=ISSUER,
    client_id=CLIENT.client_id,
    subject=Subject("people", "alice"),
    sub="alice-1",
    scope=("openid", "profile", "offline_access"),
    claims=ClaimsRequest({}, {}),
    acr="urn:level:1",
    amr=("pwd",),
    auth_time=int(NOW) - 100,
    nonce="n-0S6_WzA2Mj",
    sid="session-1",
    auth_time_required=False,
    claims_locales=(),
)
BINDING = CodeBinding(redirect_uri=REDIRECT_URI, code_challenge=CHALLENGE, offline=True)


@dataclass(frozen=True)
class Mint:
    """The endpoints with everything behind them."""

    profile: Profile
    users: Users
    store: Store
    now: list[float]
    token: TokenEndpoint
    userinfo: UserinfoEndpoint
    jwks: JwksEndpoint

    def forward(self, seconds: float) -> None:
        self.now[0] += seconds

    async def code(self, client: Client = CLIENT, *, binding: CodeBinding = BINDING, **changes: Any) -> str:
        """A code for alice, as the authorization endpoint would get one."""
        return (await self.front({"code"}, client, binding=binding, **changes))["code"]

    async def front(
        self,
        response_type: set[str],
        client: Client = CLIENT,
        *,
        binding: CodeBinding = BINDING,
        state: str | None = None,
        **changes: Any,
    ) -> dict[str, str]:
        authorization = replace(AUTHORIZATION, client_id=client.client_id, **changes)
        answer = await self.profile.tokens.front_channel(
            authorization, client, frozenset(response_type), binding, state
        )
        return dict(answer)

    async def ask(self, client: Client = CLIENT, **parameters: str) -> "Answer":
        """A token request in the client's registered way."""
        return await self.send(request(client, now=self.now[0], **parameters))

    async def send(self, asked: Request) -> "Answer":
        return await answer(self.token, asked)

    async def redeem(self, code: str, client: Client = CLIENT, **changes: str) -> "Answer":
        parameters = {"code": code, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER} | changes
        return await self.ask(client, grant_type="authorization_code", **parameters)

    async def refresh(self, refresh_token: str, client: Client = CLIENT, **changes: str) -> "Answer":
        return await self.ask(client, grant_type="refresh_token", refresh_token=refresh_token, **changes)

    async def look(self, access_token: str) -> "Answer":
        """A UserInfo request."""
        headers = {"authorization": (f"Bearer {access_token}",)}
        return await answer(self.userinfo, Request("GET", "/userinfo", headers=headers, at=self.now[0]))


@dataclass(frozen=True)
class Answer:
    """A response, or the error that the dispatch would answer as JSON."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    error: OAuthError | None = None

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def code(self) -> str | None:
        return self.body.get("error")


async def answer(endpoint: Any, asked: Request) -> "Answer":
    try:
        response: Response = await endpoint.handle(asked)
    except OAuthError as error:
        headers = {"WWW-Authenticate": error.challenge} if error.challenge else {}
        return Answer(error.status, {"error": error.error}, headers, error)
    return Answer(response.status, json.loads(response.body), dict(response.headers))


def basic(client_id: str, secret: str) -> str:
    """Basic credentials as RFC 6749 2.3.1 has them: form-encoded first."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def request(
    client: Client = CLIENT,
    *,
    now: float = NOW,
    headers: dict[str, tuple[str, ...]] | None = None,
    **parameters: str,
) -> Request:
    sent = {"content-type": ("application/x-www-form-urlencoded",)}
    if client.token_endpoint_auth_method == "client_secret_basic":
        sent["authorization"] = (basic(client.client_id, SECRET),)
    elif client.token_endpoint_auth_method == "client_secret_post":
        parameters = {"client_id": client.client_id, "client_secret": SECRET} | parameters
    else:
        parameters = {"client_id": client.client_id} | parameters
    body = form.encode(parameters.items()).encode()
    return Request("POST", "/retail/token", headers=sent | (headers or {}), body=body, at=now)


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a signed token, unverified."""
    return read_unverified_claims(decode_strict(token))


async def mint(
    *,
    profile: declared.Profile = PROFILE,
    clients: tuple[Client, ...] = CLIENTS,
    claims_set: expressions.ClaimsSet = CLAIMS,
    database: Path | None = None,
    seed: int = 1,
    outbound: OutboundClient | None = None,
) -> Mint:
    """A provider's issuing half over a memory store, or over a SQLite file."""
    now = [NOW]
    tools = Tools(clock=lambda: now[0], entropy=random.Random(seed).randbytes)
    store: Any = Memory(tools) if database is None else Sqlite(database, "normal", tools)
    users = Users()
    sources: Any = {"people": users}
    keys = KeyRing(issuer=ISSUER, entries=profile.keys.signing, longest_token=3600, store=store, tools=tools)
    await keys.refresh()
    lookup = Clients(clients)
    standing = Standing(issuer=ISSUER, clients=lookup, sources=sources)
    types: Any = SUBJECT_TYPES
    claims = ClaimsRelease(
        declared=profile,
        claims_set=claims_set,
        sources=sources,
        subject_types={"public": types["public"](), "pairwise": types["pairwise"](salt=SALT)},
    )
    forms: Any = ACCESS_TOKEN_FORMATS
    formats = {
        "opaque": forms["opaque"](tools=tools),
        "jwt": forms["jwt"](tools=tools, issuer=ISSUER, keys=keys),
    }
    client_keys = ClientKeys(JsonDocuments(outbound or OutboundClient(Policy()), read=read_key_set, clock=tools.clock))
    protection = ResponseProtection(
        keys=keys,
        clients=lookup,
        client_keys=client_keys,
        unsigned_id_tokens=profile.compat.unsigned_id_tokens,
        tools=tools,
    )
    access_tokens = AccessTokens(declared=profile, formats=formats, store=store, tools=tools)
    tokens = Tokens(
        declared=profile,
        access_tokens=access_tokens,
        id_tokens=IdTokens(declared=profile, claims=claims, protection=protection, tools=tools),
        claims=claims,
        standing=standing,
        store=store,
        tools=tools,
    )
    assertions = ClientAssertions(
        issuer=ISSUER,
        token_endpoint=ISSUER + TokenEndpoint.path,
        settings=profile.client_assertion,
        compat=profile.compat,
        store=store,
        tools=tools,
    )
    grants: Any = GRANT_TYPES
    methods: Any = CLIENT_AUTH_METHODS
    believed = profile.mtls.client_ca
    own = {"tls_client_auth": {"authorities": None if believed is None else Authorities(believed.value)}}
    auth_methods = {
        name: methods[name](assertions=assertions, keys=client_keys, **own.get(name, {}))
        for name in profile.token_endpoint_auth_methods_supported
    }
    nothing: Any = None
    # Rooms that tokens never enter stay empty.
    whole = replace(
        Profile(**dict.fromkeys((field.name for field in fields(Profile)), nothing)),
        declared=profile,
        issuer=ISSUER,
        path="/retail",
        tools=tools,
        store=store,
        clients=lookup,
        keys=keys,
        claims=claims,
        resources=Resources(declared=profile, allowed_scopes=claims.allowed_scopes),
        details=DetailsTypes(profile.authorization_details_types),
        standing=standing,
        tokens=tokens,
        withdrawals=nothing,
        sources=sources,
        authenticators={},
        response_modes={},
        grant_types={
            name: grants[name](store=store, tools=tools, issuer=ISSUER, profile=profile)
            for name in profile.grant_types_supported
        },
        client_keys=client_keys,
        client_auth_methods=auth_methods,
        client_auth=ClientAuth(
            issuer=ISSUER,
            clients=lookup,
            methods=auth_methods,
            throttle=ClientThrottle(store, profile.throttle, ISSUER),
        ),
        sender_constraint=SenderConstraint(declared=profile, store=store, tools=tools),
        response_protection=protection,
    )
    return Mint(whole, users, store, now, TokenEndpoint(whole), UserinfoEndpoint(whole), JwksEndpoint(whole))


if pkce.challenge_of(VERIFIER) != CHALLENGE:
    raise RuntimeError("RFC 7636 appendix B does not hold")
