"""Declared configuration in, one Snapshot out: the only module that knows every name.

Everything is built beside what serves now; nothing of the running generation is touched, so a failure here
changes nothing. Parts that hold resources are carried over while their declaration stays the same.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from appliance.config.declared.access import Part
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.config.declared.root import Storage
from appliance.config.declared.whole import Declared
from appliance.endpoints import ENDPOINTS
from appliance.endpoints.discovery import Document
from appliance.endpoints.step_pages import step_pages
from appliance.pages.rendering import Renderer
from appliance.pages.theme import compile_themes
from appliance.parts.access_token_formats import ACCESS_TOKEN_FORMATS
from appliance.parts.authenticators import AUTHENTICATORS
from appliance.parts.client_auth_methods import CLIENT_AUTH_METHODS
from appliance.parts.grant_types import GRANT_TYPES
from appliance.parts.response_modes import RESPONSE_MODES
from appliance.parts.sources import SOURCES
from appliance.parts.stores.memory import Memory
from appliance.parts.stores.sqlite import Sqlite
from appliance.parts.subject_types.pairwise import Pairwise
from appliance.parts.subject_types.public import Public
from appliance.passwords import Passwords
from appliance.profile.access_tokens import AccessTokens
from appliance.profile.acr import Levels
from appliance.profile.claims import ClaimsRelease
from appliance.profile.clients import Clients
from appliance.profile.consents import Consents
from appliance.profile.discovery import document
from appliance.profile.id_tokens import IdTokens
from appliance.profile.keys import KeyRing
from appliance.profile.profile import Profile
from appliance.profile.sessions import Sessions
from appliance.profile.standing import Standing
from appliance.profile.tokens import Tokens
from appliance.protocol.client import Client
from appliance.protocol.messages import Request, Response
from appliance.protocol.redirect_uri import origin
from appliance.seams import Authenticator, Endpoint, Source, Store, SubjectType, Tools
from appliance.snapshot import Report, Route, Shared, Snapshot
from appliance.throttle import Throttle


def _options_type(part: Callable[..., object]) -> type:
    """The Options class beside a part's class: one file, one part."""
    options: type = vars(sys.modules[part.__module__])["Options"]
    return options


#: Options classes of the families that configuration names by `kind`, for `config.load`.
PARTS: Mapping[str, Mapping[str, type]] = MappingProxyType(
    {
        "sources": {name: _options_type(part) for name, part in SOURCES.items()},
        "authenticators": {name: _options_type(part) for name, part in AUTHENTICATORS.items()},
    }
)


async def assemble(
    declared: Declared, *, tools: Tools, state: Path, previous: Snapshot | None, report: Report
) -> Snapshot:
    """The generation that a checked configuration describes. StoreUnavailable; jose.KeyProblem.

    `state` is the directory that relative storage paths are below.
    """
    shared = _shared(declared, tools, state, previous)
    try:
        sources = {name: _source(name, part, shared) for name, part in declared.sources.items()}
        profiles = {
            name: await _profile(profile, declared, sources, shared.store, tools)
            for name, profile in declared.profiles.items()
        }
        renderer = await _renderer(declared, previous)
        routes = [route for profile in profiles.values() for route in _routes(profile, renderer)]
    except BaseException:
        if shared.users == 0:
            await shared.close()
        raise
    return Snapshot(
        declared=declared, profiles=profiles, routes=routes, renderer=renderer, shared=shared, report=report
    )


def _shared(declared: Declared, tools: Tools, state: Path, previous: Snapshot | None) -> Shared:
    root = declared.root
    if previous is not None:
        before = previous.declared.root
        if (before.storage, before.password_hashing) == (root.storage, root.password_hashing):
            return previous.shared
    return Shared(_store(root.storage, tools, state), Passwords(root.password_hashing))


def _store(storage: Storage, tools: Tools, state: Path) -> Store:
    if storage.kind == Sqlite.name:
        return Sqlite(state / storage.path, storage.synchronous, tools)
    return Memory(tools)


def _source(name: str, part: Part, shared: Shared) -> Source:
    return SOURCES[part.kind](name=name, options=part.options, passwords=shared.passwords)


async def _renderer(declared: Declared, previous: Snapshot | None) -> Renderer:
    if previous is not None and previous.declared.themes == declared.themes:
        return Renderer(previous.renderer.themes, declared.profiles)
    # Compiling templates is the one heavy thing left in the serving process, and only when a theme changed.
    themes, _ = await asyncio.to_thread(compile_themes, declared.themes)
    return Renderer(themes, declared.profiles)


async def _profile(
    declared: DeclaredProfile, whole: Declared, sources: Mapping[str, Source], store: Store, tools: Tools
) -> Profile:
    issuer = declared.issuer
    clients = Clients(client for client in whole.clients.values() if client.op.profile == declared.profile)
    keys = KeyRing(
        issuer=issuer,
        entries=declared.keys.signing,
        longest_token=_longest_token(declared, clients),
        store=store,
        tools=tools,
    )
    await keys.refresh()
    standing = Standing(issuer=issuer, clients=clients, sources=sources)
    claims = ClaimsRelease(
        declared=declared,
        claims_set=whole.claims[declared.claims],
        sources=sources,
        subject_types=_subject_types(declared),
    )
    tokens = _tokens(declared, keys, claims, standing, store, tools)
    return Profile(
        declared=declared,
        issuer=issuer,
        path=urlsplit(issuer).path.rstrip("/"),
        tools=tools,
        store=store,
        clients=clients,
        keys=keys,
        levels=Levels(levels=declared.acr, policies=whole.policies, default=declared.acr_default),
        sessions=Sessions(
            store=store, tools=tools, issuer=issuer, profile=declared.profile, ttl=declared.ttl.session
        ),
        consents=Consents(
            store=store, tools=tools, issuer=issuer, ttl=declared.ttl.consent, scopes=declared.scopes
        ),
        claims=claims,
        standing=standing,
        tokens=tokens,
        sources=sources,
        authenticators=_authenticators(declared, whole, sources, store, tools),
        response_modes={name: RESPONSE_MODES[name]() for name in declared.response_modes_supported},
        grant_types={
            name: GRANT_TYPES[name](store=store, tools=tools, issuer=issuer, profile=declared)
            for name in declared.grant_types_supported
            if name in GRANT_TYPES
        },
        client_auth_methods={
            name: CLIENT_AUTH_METHODS[name]() for name in declared.token_endpoint_auth_methods_supported
        },
    )


def _tokens(
    declared: DeclaredProfile,
    keys: KeyRing,
    claims: ClaimsRelease,
    standing: Standing,
    store: Store,
    tools: Tools,
) -> Tokens:
    formats = {
        "opaque": ACCESS_TOKEN_FORMATS["opaque"](tools=tools),
        "jwt": ACCESS_TOKEN_FORMATS["jwt"](tools=tools, issuer=declared.issuer, keys=keys),
    }
    return Tokens(
        declared=declared,
        access_tokens=AccessTokens(declared=declared, formats=formats, store=store, tools=tools),
        id_tokens=IdTokens(declared=declared, keys=keys, claims=claims, tools=tools),
        claims=claims,
        standing=standing,
        store=store,
        tools=tools,
    )


def _longest_token(declared: DeclaredProfile, clients: Iterable[Client]) -> int:
    ttls = [declared.ttl.id_token, declared.ttl.access_token]
    for client in clients:
        ttl = client.op.ttl
        ttls += [ttl.id_token or 0, ttl.access_token or 0]
    return max(ttls)


def _subject_types(declared: DeclaredProfile) -> Mapping[str, SubjectType]:
    made: dict[str, SubjectType] = {"public": Public()}
    if declared.pairwise is not None:
        made["pairwise"] = Pairwise(salt=declared.pairwise.salt)
    return made


def _authenticators(
    declared: DeclaredProfile, whole: Declared, sources: Mapping[str, Source], store: Store, tools: Tools
) -> Mapping[str, Authenticator]:
    throttle = Throttle(store=store, tools=tools, limits=declared.throttle, issuer=declared.issuer)
    return {
        name: AUTHENTICATORS[part.kind](
            name=name,
            options=part.options,
            source=sources[getattr(part.options, "source")],  # noqa: B009 - each kind has its own Options
            throttle=throttle,
            store=store,
            tools=tools,
        )
        for name, part in whole.authenticators.items()
    }


def _routes(profile: Profile, renderer: Renderer) -> Iterable[Route]:
    host = urlsplit(profile.issuer).netloc
    origins = frozenset(_origins(profile.clients))
    endpoints: list[Endpoint] = [*(endpoint(profile) for endpoint in ENDPOINTS), *step_pages(profile)]
    for endpoint in endpoints:
        yield Route(endpoint, host, profile.path + endpoint.path, origins)
    if profile.declared.discovery:
        body = document(profile, endpoints)
        openid = Document(name="discovery", path="/.well-known/openid-configuration", body=body)
        yield Route(openid, host, profile.path + openid.path, frozenset())
        # RFC 8414 3.1: the well-known part comes before the issuer's own path.
        oauth = Document(name="discovery", path="/.well-known/oauth-authorization-server", body=body)
        yield Route(oauth, host, oauth.path + profile.path, frozenset())
    for path, response in renderer.assets(profile.path).items():
        yield Route(_Asset(path, response), host, path, frozenset())


def _origins(clients: Clients) -> Iterable[str]:
    """Origins whose scripts may call the token and UserInfo endpoints: declared, or those of public web clients."""
    for client in clients:
        yield from client.op.cors_origins
        if client.is_public:
            yield from filter(None, map(origin, client.redirect_uris))


class _Asset:
    """One file of a theme."""

    name = "asset"
    methods = frozenset({"GET"})
    cors = "none"

    def __init__(self, path: str, response: Response) -> None:
        self.path = path
        self._response = response

    async def handle(self, request: Request) -> Response:
        """The file."""
        return self._response

    def metadata(self) -> Mapping[str, object]:
        """Nothing."""
        return {}
