"""Declared configuration in, one Snapshot out: the only module that knows every name.

Everything is built beside what serves now; nothing of the running generation is touched, so a failure here
changes nothing. Parts that hold resources are carried over while their declaration stays the same.
"""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from appliance.client_assertions import ClientAssertions
from appliance.config.declared.access import Part
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.config.declared.root import Storage
from appliance.config.declared.whole import Declared
from appliance.endpoints import ENDPOINTS, OPTIONAL_ENDPOINTS, REGISTRATION_ENDPOINTS, logout_endpoints
from appliance.endpoints.asset import Asset
from appliance.endpoints.discovery import Document
from appliance.endpoints.step_pages import step_pages
from appliance.endpoints.token import TokenEndpoint
from appliance.endpoints.userinfo import UserinfoEndpoint
from appliance.outbound.client import OutboundClient, Policy
from appliance.pages.rendering import Renderer
from appliance.pages.theme import compile_themes
from appliance.parts.access_token_formats import ACCESS_TOKEN_FORMATS
from appliance.parts.authenticators import AUTHENTICATORS
from appliance.parts.client_auth_methods import CLIENT_AUTH_METHODS
from appliance.parts.grant_types import GRANT_TYPES
from appliance.parts.grant_types.password import PasswordGrant, PasswordLogin
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
from appliance.profile.client_auth import ClientAuth
from appliance.profile.client_keys import ClientKeys, KeySets, read_key_set
from appliance.profile.clients import Clients, Origins
from appliance.profile.consents import Consents
from appliance.profile.discovery import document
from appliance.profile.id_tokens import IdTokens
from appliance.profile.keys import KeyRing
from appliance.profile.logout import Logout
from appliance.profile.logout_deliveries import LogoutTokens
from appliance.profile.profile import Profile
from appliance.profile.registration import open_registration
from appliance.profile.request_objects import RequestObjects
from appliance.profile.request_uris import RequestUris
from appliance.profile.response_protection import ResponseProtection
from appliance.profile.sessions import Sessions
from appliance.profile.standing import Standing
from appliance.profile.tokens import Tokens
from appliance.protocol.client import Client
from appliance.seams import Authenticator, ClientAuthMethod, Endpoint, GrantType, Source, Store, SubjectType, Tools
from appliance.snapshot import Report, Route, Shared, Snapshot
from appliance.throttle import ClientThrottle, Throttle


async def assemble(
    declared: Declared, *, tools: Tools, state: Path, previous: Snapshot | None, report: Report
) -> Snapshot:
    """The generation that a checked configuration describes. StoreUnavailable; jose.KeyProblem.

    `state` is the directory that relative storage paths are below.
    """
    shared = _shared(declared, tools, state, previous)
    try:
        sources = {name: _source(name, part, shared) for name, part in declared.sources.items()}
        key_sets = _key_sets(declared, tools, previous)
        profiles = {
            name: await _profile(profile, declared, sources, key_sets, shared.store, tools, report)
            for name, profile in declared.profiles.items()
        }
        renderer = await _renderer(declared, previous)
        routes = [route for profile in profiles.values() for route in _routes(profile, renderer)]
    except BaseException:
        if shared.users == 0:
            await shared.close()
        raise
    return Snapshot(
        declared=declared,
        profiles=profiles,
        routes=routes,
        renderer=renderer,
        key_sets=key_sets,
        shared=shared,
        report=report,
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


def _key_sets(declared: Declared, tools: Tools, previous: Snapshot | None) -> KeySets:
    """The key sets of clients; what was fetched is carried over, so that no reload asks all clients at once."""
    outbound = declared.root.outbound
    policy = Policy(
        allow_loopback=outbound.allow_loopback,
        ports=frozenset(outbound.ports),
        authorities=Path(outbound.ca_file).read_text(encoding="ascii") if outbound.ca_file else "",
    )
    unchanged = previous is not None and previous.declared.root.outbound == outbound
    if previous is not None and unchanged and previous.key_sets.client.policy == policy:
        return previous.key_sets
    client = OutboundClient(policy, timeout=outbound.timeout)
    return KeySets(client, read=read_key_set, clock=tools.clock)


def _source(name: str, part: Part, shared: Shared) -> Source:
    return SOURCES[part.kind](name=name, options=part.options, passwords=shared.passwords)


async def _renderer(declared: Declared, previous: Snapshot | None) -> Renderer:
    if previous is not None and previous.declared.themes == declared.themes:
        return Renderer(previous.renderer.themes, declared.profiles)
    # Compiling templates is the one heavy thing left in the serving process, and only when a theme changed.
    themes, _ = await asyncio.to_thread(compile_themes, declared.themes)
    return Renderer(themes, declared.profiles)


async def _profile(
    declared: DeclaredProfile,
    whole: Declared,
    sources: Mapping[str, Source],
    key_sets: KeySets,
    store: Store,
    tools: Tools,
    report: Report,
) -> Profile:
    issuer = declared.issuer
    registration = await open_registration(declared, whole, key_sets.client, store, tools)
    own = (client for client in whole.clients.values() if client.op.profile == declared.profile)
    clients = Clients(own, registration)
    keys = _key_ring(declared, clients, store, tools)
    await keys.refresh()
    standing = Standing(issuer=issuer, clients=clients, sources=sources)
    client_keys = ClientKeys(key_sets)
    claims = _claims(declared, whole, sources)
    protection = _response_protection(declared, keys, clients, client_keys, tools)
    logout = Logout(
        declared=declared,
        clients=clients,
        tokens=LogoutTokens(issuer=issuer, claims=claims, sources=sources, protection=protection, tools=tools),
        outbound=key_sets.client,
        store=store,
        tools=tools,
        report=report,
    )
    tokens = _tokens(declared, keys, claims, protection, standing, store, tools)
    methods = _client_auth_methods(declared, client_keys, store, tools)
    authenticators = _authenticators(declared, whole, sources, store, tools)
    levels, login = _levels(declared, whole, authenticators, sources, claims)
    return Profile(
        declared=declared,
        issuer=issuer,
        path=urlsplit(issuer).path.rstrip("/"),
        tools=tools,
        store=store,
        clients=clients,
        keys=keys,
        levels=levels,
        sessions=Sessions(store=store, tools=tools, declared=declared, logout=logout),
        logout=logout,
        consents=Consents(store=store, tools=tools, issuer=issuer, ttl=declared.ttl.consent, scopes=declared.scopes),
        claims=claims,
        standing=standing,
        tokens=tokens,
        sources=sources,
        authenticators=authenticators,
        response_modes={name: RESPONSE_MODES[name]() for name in declared.response_modes_supported},
        grant_types=_grant_types(declared, store, tools, login),
        client_keys=client_keys,
        client_auth_methods=methods,
        client_auth=_client_auth(declared, clients, methods, store),
        response_protection=protection,
        registration=registration,
        request_objects=RequestObjects(
            declared=declared, client_keys=client_keys, request_uris=RequestUris(key_sets.client), tools=tools
        ),
    )


def _claims(declared: DeclaredProfile, whole: Declared, sources: Mapping[str, Source]) -> ClaimsRelease:
    return ClaimsRelease(
        declared=declared,
        claims_set=whole.claims[declared.claims],
        sources=sources,
        subject_types=_subject_types(declared),
    )


def _key_ring(declared: DeclaredProfile, clients: Clients, store: Store, tools: Tools) -> KeyRing:
    return KeyRing(
        issuer=declared.issuer,
        entries=declared.keys.signing,
        longest_token=_longest_token(declared, clients),
        store=store,
        tools=tools,
    )


def _response_protection(
    declared: DeclaredProfile, keys: KeyRing, clients: Clients, client_keys: ClientKeys, tools: Tools
) -> ResponseProtection:
    return ResponseProtection(
        keys=keys,
        clients=clients,
        client_keys=client_keys,
        unsigned_id_tokens=declared.compat.unsigned_id_tokens,
        tools=tools,
    )


def _client_auth(
    declared: DeclaredProfile, clients: Clients, methods: Mapping[str, ClientAuthMethod], store: Store
) -> ClientAuth:
    throttle = ClientThrottle(store, declared.throttle, declared.issuer)
    return ClientAuth(issuer=declared.issuer, clients=clients, methods=methods, throttle=throttle)


def _levels(
    declared: DeclaredProfile,
    whole: Declared,
    authenticators: Mapping[str, Authenticator],
    sources: Mapping[str, Source],
    claims: ClaimsRelease,
) -> tuple[Levels, PasswordLogin]:
    """The levels, and what the password grant can do of them: the first step of the lowest."""
    levels = Levels(levels=declared.acr, policies=whole.policies, default=declared.acr_default)
    lowest, first = levels.lowest.value, levels.lowest.policy.steps[0].authenticate
    return levels, PasswordLogin(authenticators[first], lowest, levels.default.value, sources, claims.sub)


def _grant_types(
    declared: DeclaredProfile, store: Store, tools: Tools, login: PasswordLogin
) -> Mapping[str, GrantType]:
    own = {PasswordGrant.name: {"login": login}}
    return {
        name: GRANT_TYPES[name](
            store=store, tools=tools, issuer=declared.issuer, profile=declared, **own.get(name, {})
        )
        for name in declared.grant_types_supported
        if name in GRANT_TYPES
    }


def _client_auth_methods(
    declared: DeclaredProfile, keys: ClientKeys, store: Store, tools: Tools
) -> Mapping[str, ClientAuthMethod]:
    assertions = ClientAssertions(
        issuer=declared.issuer,
        token_endpoint=declared.issuer + TokenEndpoint.path,
        settings=declared.client_assertion,
        compat=declared.compat,
        store=store,
        tools=tools,
    )
    return {
        name: CLIENT_AUTH_METHODS[name](assertions=assertions, keys=keys)
        for name in declared.token_endpoint_auth_methods_supported
    }


def _tokens(
    declared: DeclaredProfile,
    keys: KeyRing,
    claims: ClaimsRelease,
    protection: ResponseProtection,
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
        id_tokens=IdTokens(declared=declared, claims=claims, protection=protection, tools=tools),
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
    origins = Origins(profile.clients)
    asked = [made for name, made in OPTIONAL_ENDPOINTS.items() if getattr(profile.declared.endpoints, name)]
    openid = profile.declared.openid_connect
    usual = (each for each in ENDPOINTS if openid or each is not UserinfoEndpoint)
    endpoints: list[Endpoint] = [*(endpoint(profile) for endpoint in usual), *step_pages(profile)]
    endpoints += [endpoint(profile) for endpoint in asked]
    if profile.registration is not None:
        endpoints += [endpoint(profile) for endpoint in REGISTRATION_ENDPOINTS]
    endpoints.extend(logout_endpoints(profile))
    for endpoint in endpoints:
        yield Route(endpoint, host, profile.path + endpoint.path, origins)
    aliases = profile.declared.compat.path_aliases
    for path, endpoint in ((path, each) for path, name in aliases.items() for each in endpoints if each.name == name):
        yield Route(endpoint, host, profile.path + path, origins)
    if profile.declared.discovery:
        body = document(profile, endpoints)
        if openid:
            provider = Document(name="discovery", path="/.well-known/openid-configuration", body=body)
            yield Route(provider, host, profile.path + provider.path, frozenset())
        # RFC 8414 3.1: the well-known part comes before the issuer's own path.
        oauth = Document(name="discovery", path="/.well-known/oauth-authorization-server", body=body)
        yield Route(oauth, host, oauth.path + profile.path, frozenset())
    for path, response in renderer.assets(profile.path).items():
        yield Route(Asset(path, response), host, path, frozenset())
