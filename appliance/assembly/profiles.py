"""One profile: parts made of declared options, and everything compiled for one issuer."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from appliance.assembly.grants import grant_types
from appliance.assembly.materials import Materials
from appliance.assembly.waiting import open_pending
from appliance.client_assertions import ClientAssertions
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.endpoints.backchannel_authentication import BackchannelAuthenticationEndpoint
from appliance.endpoints.token import TokenEndpoint
from appliance.jose.certificates import Authorities
from appliance.parts.access_token_formats import ACCESS_TOKEN_FORMATS
from appliance.parts.authenticators import AUTHENTICATORS
from appliance.parts.client_auth_methods import CLIENT_AUTH_METHODS
from appliance.parts.client_auth_methods.tls_client_auth import TlsClientAuth
from appliance.parts.grant_types.password import PasswordLogin
from appliance.parts.response_modes import RESPONSE_MODES
from appliance.parts.subject_types.pairwise import Pairwise
from appliance.parts.subject_types.public import Public
from appliance.profile.claims import ClaimsRelease
from appliance.profile.client_auth import ClientAuth
from appliance.profile.client_keys import ClientKeys
from appliance.profile.clients import Clients
from appliance.profile.details import DetailsTypes
from appliance.profile.keys import KeyRing
from appliance.profile.logout import Logout
from appliance.profile.logout_deliveries import LogoutTokens
from appliance.profile.profile import Profile
from appliance.profile.registration.metadata_documents import MetadataDocuments, documents_of
from appliance.profile.registration.register import open_registration
from appliance.profile.requests.request_objects import RequestObjects
from appliance.profile.requests.request_uris import RequestUris
from appliance.profile.resources import Resources
from appliance.profile.security import fenced
from appliance.profile.sign_on.acr import Levels
from appliance.profile.sign_on.consents import Consents
from appliance.profile.sign_on.counted_authenticator import CountedAuthenticator
from appliance.profile.sign_on.sessions import Sessions
from appliance.profile.sign_on.sign_up import open_sign_up
from appliance.profile.standing import Standing
from appliance.profile.tokens.access_tokens import AccessTokens
from appliance.profile.tokens.id_tokens import IdTokens
from appliance.profile.tokens.mint import Tokens
from appliance.profile.tokens.response_protection import ResponseProtection
from appliance.profile.tokens.sender_constraint import SenderConstraint
from appliance.profile.withdrawals import Withdrawals
from appliance.protocol.client import Client
from appliance.seams import Authenticator, ClientAuthMethod, Store, SubjectType, Tools
from appliance.throttle import ClientThrottle, Throttle


async def assemble_profile(declared: DeclaredProfile, materials: Materials) -> Profile:
    """The compiled profile. StoreUnavailable; jose.KeyProblem."""
    whole, store, tools = materials.whole, materials.store, materials.tools
    outbound = materials.key_sets.client
    registration = await open_registration(declared, whole, outbound, store, tools)
    documents = _metadata_documents(declared, materials)
    places = [place for place in (registration, documents) if place is not None]
    own = (fenced(client, declared.security_profile) for client in materials.clients.get(declared.profile, ()))
    clients = Clients(own, *places)
    await asyncio.sleep(0)
    keys = _key_ring(declared, clients, store, tools)
    await keys.refresh()
    standing = Standing(issuer=declared.issuer, clients=clients, sources=materials.sources)
    client_keys = ClientKeys(materials.key_sets)
    claims = _claims(declared, materials)
    protection = _response_protection(declared, keys, clients, client_keys, tools)
    logout = _logout(declared, materials, clients, claims, protection)
    methods = _client_auth_methods(declared, client_keys, store, tools)
    authenticators = _authenticators(declared, materials)
    levels, login = _levels(declared, materials, authenticators, claims)
    tokens = _tokens(declared, keys, claims, protection, standing, store, tools)
    return Profile(
        declared=declared,
        issuer=declared.issuer,
        path=urlsplit(declared.issuer).path.rstrip("/"),
        tools=tools,
        store=store,
        clients=clients,
        keys=keys,
        levels=levels,
        sessions=Sessions(store=store, tools=tools, declared=declared, logout=logout),
        logout=logout,
        consents=Consents(
            store=store, tools=tools, issuer=declared.issuer, ttl=declared.ttl.consent, scopes=declared.scopes
        ),
        claims=claims,
        resources=Resources(declared=declared, allowed_scopes=claims.allowed_scopes),
        details=DetailsTypes(declared.authorization_details_types),
        standing=standing,
        tokens=tokens,
        withdrawals=Withdrawals(issuer=declared.issuer, store=store, logout=logout),
        sources=materials.sources,
        authenticators=authenticators,
        response_modes={name: RESPONSE_MODES[name]() for name in declared.response_modes_supported},
        grant_types=grant_types(declared, materials, login, tokens, claims, standing),
        client_keys=client_keys,
        client_auth_methods=methods,
        client_auth=_client_auth(declared, clients, methods, store),
        sender_constraint=SenderConstraint(declared=declared, store=store, tools=tools),
        response_protection=protection,
        registration=registration,
        pending=open_pending(declared, materials, clients, client_keys, claims, tokens),
        sign_up=open_sign_up(declared, levels, materials.sources, store, tools),
        metadata_documents=documents,
        request_objects=RequestObjects(
            declared=declared, keys=keys, client_keys=client_keys, request_uris=RequestUris(outbound), tools=tools
        ),
    )


def _metadata_documents(declared: DeclaredProfile, materials: Materials) -> MetadataDocuments | None:
    """Clients by documents; what was fetched is carried over while nothing changed of how."""
    settings = declared.client_id_metadata_documents
    if not settings.enabled:
        return None
    outbound, clock = materials.key_sets.client, materials.tools.clock
    before = materials.previous.get(declared.profile)
    known = None if before is None else before.metadata_documents
    unchanged = before is not None and before.declared.client_id_metadata_documents == settings
    if known is not None and unchanged and known.documents.client is outbound:
        documents = known.documents
    else:
        documents = documents_of(declared, outbound, clock)
    return MetadataDocuments(declared=declared, root=materials.whole.root, documents=documents, clock=clock)


def _claims(declared: DeclaredProfile, materials: Materials) -> ClaimsRelease:
    return ClaimsRelease(
        declared=declared,
        claims_set=materials.whole.claims[declared.claims],
        sources=materials.sources,
        subject_types=_subject_types(declared),
    )


def _logout(
    declared: DeclaredProfile,
    materials: Materials,
    clients: Clients,
    claims: ClaimsRelease,
    protection: ResponseProtection,
) -> Logout:
    tools = materials.tools
    return Logout(
        declared=declared,
        clients=clients,
        tokens=LogoutTokens(
            issuer=declared.issuer, claims=claims, sources=materials.sources, protection=protection, tools=tools
        ),
        outbound=materials.key_sets.client,
        store=materials.store,
        tools=tools,
        report=materials.report,
    )


def _key_ring(declared: DeclaredProfile, clients: Clients, store: Store, tools: Tools) -> KeyRing:
    return KeyRing(
        issuer=declared.issuer,
        entries=(*declared.keys.signing, *declared.keys.encryption),
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
    materials: Materials,
    authenticators: Mapping[str, Authenticator],
    claims: ClaimsRelease,
) -> tuple[Levels, PasswordLogin]:
    """The levels, and what the password grant can do of them: the first step of the lowest."""
    levels = Levels(levels=declared.acr, policies=materials.whole.policies, default=declared.acr_default)
    lowest, first = levels.lowest.value, levels.lowest.policy.steps[0].authenticate
    login = PasswordLogin(authenticators[first], lowest, levels.default.value, materials.sources, claims.sub)
    return levels, login


def _asked_as(declared: DeclaredProfile) -> Iterator[str]:
    """What the token endpoint is called besides: whoever accepts its URL as an audience accepts these as well."""
    # CIBA 7.1: the endpoint that the assertion is sent to. RFC 8705 5: an alias is where it is sent to, too.
    yield declared.issuer + BackchannelAuthenticationEndpoint.path
    if declared.mtls.aliases_at is not None:
        for path in (TokenEndpoint.path, BackchannelAuthenticationEndpoint.path):
            yield declared.mtls.aliases_at.rstrip("/") + path


def _client_auth_methods(
    declared: DeclaredProfile, keys: ClientKeys, store: Store, tools: Tools
) -> Mapping[str, ClientAuthMethod]:
    assertions = ClientAssertions(
        issuer=declared.issuer,
        token_endpoint=declared.issuer + TokenEndpoint.path,
        other_endpoints=tuple(_asked_as(declared)),
        settings=declared.client_assertion,
        compat=declared.compat,
        store=store,
        tools=tools,
    )
    authorities = declared.mtls.client_ca
    own = {TlsClientAuth.name: {"authorities": None if authorities is None else Authorities(authorities.value)}}
    return {
        name: CLIENT_AUTH_METHODS[name](assertions=assertions, keys=keys, **own.get(name, {}))
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
    ttls += [each.access_token_ttl or 0 for each in declared.resources.values()]
    if declared.keys.encryption:
        # Whoever encrypted to a key that goes has so long to send it.
        ttls.append(declared.request_object.max_lifetime)
    for client in clients:
        ttl = client.op.ttl
        ttls += [ttl.id_token or 0, ttl.access_token or 0]
    return max(ttls)


def _subject_types(declared: DeclaredProfile) -> Mapping[str, SubjectType]:
    made: dict[str, SubjectType] = {"public": Public()}
    if declared.pairwise is not None:
        made["pairwise"] = Pairwise(salt=declared.pairwise.salt)
    return made


def _authenticators(declared: DeclaredProfile, materials: Materials) -> Mapping[str, Authenticator]:
    store, tools = materials.store, materials.tools
    throttle = Throttle(store=store, tools=tools, limits=declared.throttle, issuer=declared.issuer)
    made: dict[str, Authenticator] = {
        name: AUTHENTICATORS[part.kind](
            name=name,
            options=part.options,
            # Each kind has Options of its own; all of them name the source they ask.
            source=materials.sources[getattr(part.options, "source")],  # noqa: B009
            throttle=throttle,
            store=store,
            tools=tools,
        )
        for name, part in materials.whole.authenticators.items()
    }
    return {name: CountedAuthenticator(each, declared.profile, materials.report) for name, each in made.items()}
