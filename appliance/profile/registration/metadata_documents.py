"""Clients whose id is an https address: what is there says who they are (OAuth Client ID Metadata Document).

Nobody registered them and nothing of them is stored. Everything that is asked of strangers who register is asked of
them too, and nothing secret can be shared with them: they are public, or sign with a key pair.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.config.declared.root import Root
from appliance.outbound.client import OutboundClient
from appliance.outbound.documents import JsonDocuments, Patience
from appliance.outbound.problems import OutboundProblem
from appliance.outbound.urls import read_url
from appliance.profile.clients import origins_of
from appliance.profile.registration import registration_rules
from appliance.profile.registration.client_metadata import ClientMetadata, Metadata, refusal
from appliance.profile.registration.metadata_choices import choose
from appliance.profile.security import fenced
from appliance.protocol.client import Client
from appliance.protocol.errors import OAuthError
from appliance.protocol.handles import Clock
from appliance.protocol.redirect_uri import host_fits, hosts, is_on_device

#: The longest document that is read, in bytes (section 6.6 of the draft names 5 kilobytes).
MAX_DOCUMENT: Final = 5120
#: How such clients may prove themselves: no secret can be shared with them (section 4.1).
METHODS: Final = ("none", "private_key_jwt")
#: What they may do of what the profile offers; more that a document names is left out, not refused.
GRANT_TYPES: Final = ("authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code")

_REMEMBERED: Final = 1024
_DOTS: Final = frozenset({".", "..", "%2e", "%2e%2e", ".%2e", "%2e."})
_MINUTE: Final = 60

#: Documents of clients by their address.
Documents = JsonDocuments[Metadata]


class MetadataDocuments:
    """The clients of one profile that documents describe."""

    def __init__(self, *, declared: DeclaredProfile, root: Root, documents: Documents, clock: Clock) -> None:
        self._declared = declared
        self._settings = declared.client_id_metadata_documents
        self._metadata = ClientMetadata(declared=declared, root=root)
        self.documents = documents
        self._clock = clock
        self._bound: OrderedDict[str, tuple[Metadata, Client | None]] = OrderedDict()
        self._problems: OrderedDict[str, str] = OrderedDict()
        self._origins: set[str] = set()
        #: When new documents of a host were asked for, epoch seconds.
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()

    def names(self, client_id: str) -> bool:
        """Whether an id is an address."""
        return client_id.startswith(("https://", "http://"))

    async def find(self, client_id: str) -> Client | None:
        """The client that the document at an address describes; `why` tells why there is none."""
        try:
            self._check_address(client_id)
            document = await self.documents.get(client_id)
        except OutboundProblem as problem:
            self._note(client_id, str(problem))
            return None
        known = self._bound.get(client_id)
        if known is not None and known[0] is document:
            self._bound.move_to_end(client_id)
            return known[1]
        client: Client | None = None
        try:
            client = self._client(client_id, document)
            self._origins.update(origins_of(client))
        except OAuthError as refused:
            self._note(client_id, refused.description)
        self._bound[client_id] = (document, client)
        _forget(self._bound)
        return client

    def known(self, client_id: str) -> Client | None:
        """The client that `find` gave lately."""
        found = self._bound.get(client_id)
        return None if found is None else found[1]

    def has_origin(self, asked: str) -> bool:
        """Whether scripts of this origin are a public client's that was found lately."""
        return asked in self._origins

    async def touch(self, client: Client) -> None:
        """Nothing: no such client ends, for none is kept."""

    def why(self, client_id: str) -> str:
        """Why `find` gave no client, in words without anything of the document; empty when that is not known."""
        return self._problems.get(client_id, "")

    def _note(self, client_id: str, why: str) -> None:
        self._problems[client_id] = why
        _forget(self._problems)

    def _check_address(self, client_id: str) -> None:
        """OutboundProblem: no address that a client may have (section 3 of the draft), or too many at once."""
        policy = self.documents.client.policy
        target = read_url(client_id, ports=policy.ports, allow_loopback=policy.allow_loopback)
        place, mark, _ = client_id.partition("?")
        path = place.partition("://")[2].partition("/")
        if not path[1]:
            raise OutboundProblem("the address of a client has a path")
        if _DOTS & set(path[2].lower().split("/")):
            raise OutboundProblem("the address of a client has no dot segments")
        if mark and not self._settings.allow_query:
            raise OutboundProblem("the address of a client has no query")
        allowed = self._settings.hosts
        if allowed and not any(host_fits(target.host, pattern) for pattern in allowed):
            raise OutboundProblem("clients of this host are not taken here")
        if not self.documents.knows(client_id):
            self._count(target.host)

    def _count(self, host: str) -> None:
        now = self._clock()
        asked = self._asked.setdefault(host, deque())
        self._asked.move_to_end(host)
        _forget(self._asked)
        while asked and asked[0] <= now - _MINUTE:
            asked.popleft()
        if len(asked) >= self._settings.new_per_minute:
            raise OutboundProblem("too many new clients of this host within a minute")
        asked.append(now)

    def _client(self, client_id: str, document: Metadata) -> Client:
        """The client of a document. InvalidClientMetadata, InvalidRedirectUri."""
        if document.get("client_id") != client_id:
            raise refusal("client_id", "is not the address of the document")
        if "client_secret" in document or "client_secret_expires_at" in document:
            raise refusal("client_secret", "must not be in a document that everybody can read")
        own = hosts((client_id,))
        said = choose(_offered(document, self._declared), self._declared)
        metadata = registration_rules.without_foreign_links(self._metadata.read(said), own=own)
        metadata = registration_rules.with_defaults(metadata, self._declared, scopes=self._scopes())
        self._metadata.check_shape(metadata)
        client = self._metadata.client_of(metadata, client_id, {"profile": self._declared.profile})
        if "scope" not in metadata:
            client = replace(client, scope=self._scopes())
        client = self._fenced(client, sector=next(iter(own)))
        self._metadata.check(client, self._clock())
        outbound: OutboundClient = self.documents.client
        registration_rules.check(client, self._declared, openly=True, template=False, outbound=outbound)
        return fenced(client, self._declared.security_profile)

    def _scopes(self) -> tuple[str, ...]:
        own = self._settings.scopes
        if own is None:
            return registration_rules.allowed_scopes(self._declared)
        return tuple(name for name in own if name in self._declared.scopes)

    def _fenced(self, client: Client, *, sector: str) -> Client:
        """The client as a stranger: it binds its codes and gets nothing silently."""
        on_device = client.is_public and any(is_on_device(uri) for uri in client.redirect_uris)
        by_name = any(uri.startswith("http://localhost") for uri in client.redirect_uris)
        settings = replace(
            client.op,
            require_pkce=True,
            # Agents seldom know `offline_access`, and their users have just been asked.
            refresh_token="always" if "refresh_token" in client.grant_types else "never",
            # RFC 8252 8.6: any program of the device can claim this very id, so each time is the first.
            consent="always" if on_device else "ask",
            compat=replace(client.op.compat, redirect_match="any_localhost_port" if on_device and by_name else "exact"),
            # Loopback addresses say nothing of whose client it is; the address of its document does (Core 8.1).
            sector_identifier=sector if client.subject_type == "pairwise" else None,
        )
        return replace(client, sector_identifier_uri=None, op=settings)


def read_document(document: object) -> Metadata:
    """What a fetched document is used for. OutboundProblem when it is no JSON object."""
    if not isinstance(document, dict):
        raise OutboundProblem("the document is not a JSON object")
    return document


def documents_of(declared: DeclaredProfile, outbound: OutboundClient, clock: Clock) -> Documents:
    """The documents of a profile's clients, none of them fetched yet."""
    settings = declared.client_id_metadata_documents
    patience = Patience(
        fresh=min(max(300, settings.fresh_at_least), settings.fresh_at_most),
        fresh_at_least=settings.fresh_at_least,
        fresh_at_most=settings.fresh_at_most,
    )
    return Documents(outbound, read=read_document, clock=clock, patience=patience, max_bytes=MAX_DOCUMENT)


def _offered(document: Metadata, declared: DeclaredProfile) -> dict[str, object]:
    """A document without what such clients cannot have: many list all that their makers ever implemented."""
    found = dict(document)
    several = found.get("token_endpoint_auth_methods_supported")
    if isinstance(several, list):
        found["token_endpoint_auth_methods_supported"] = [each for each in several if each in METHODS]
        if found.get("token_endpoint_auth_method") not in METHODS:
            found.pop("token_endpoint_auth_method", None)
    if found.setdefault("token_endpoint_auth_method", "none") not in METHODS:
        raise refusal("token_endpoint_auth_method", "needs a secret, and none can be shared in a document")
    offered: Mapping[str, tuple[str, ...]] = {
        "grant_types": tuple(name for name in GRANT_TYPES if name in declared.grant_types_supported),
        "response_types": ("code",),
    }
    for name, values in offered.items():
        said = found.get(name)
        if isinstance(said, list):
            found[name] = [each for each in said if each in values]
    uris = found.get("redirect_uris")
    on_device = isinstance(uris, list) and any(isinstance(each, str) and is_on_device(each) for each in uris)
    found.setdefault("application_type", "native" if on_device else "web")
    return found


def _forget(remembered: OrderedDict[str, Any]) -> None:
    if len(remembered) > _REMEMBERED:
        remembered.popitem(last=False)
