"""Clients that register themselves (RFC 7591, RFC 7592, OpenID Connect Registration): kept, found, changed, ended.

Secrets and registration access tokens are kept as digests where that will do, so neither is told a second time.
"""

import hmac
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.config.declared.root import Root
from appliance.config.declared.whole import Declared
from appliance.outbound.client import OutboundClient
from appliance.profile.clients import origins_of
from appliance.profile.registration import registration_rules
from appliance.profile.registration.client_metadata import ClientMetadata, Metadata, instance_of, refusal, with_secret
from appliance.profile.registration.metadata_choices import choose
from appliance.profile.registration.registered_secrets import kept, needs_value, secret_of, uses_secret
from appliance.profile.registration.registration_quota import RegistrationQuota
from appliance.profile.registration.software_statements import SoftwareStatements, read_verified
from appliance.profile.security import fenced
from appliance.protocol.client import Client, ClientSecret
from appliance.protocol.errors import (
    InvalidClientMetadata,
    InvalidRequest,
    InvalidSoftwareStatement,
    InvalidToken,
    TemporarilyUnavailable,
)
from appliance.protocol.handles import (
    CLIENT_ID,
    CLIENT_SECRET,
    REGISTRATION_ACCESS_TOKEN,
    issue,
    stored_id,
    well_formed,
)
from appliance.protocol.records import (
    AccessToken,
    AuthorizationCode,
    Consent,
    PendingAuthorization,
    RefreshToken,
    RegisteredClient,
)
from appliance.protocol.scope import OFFLINE_ACCESS
from appliance.protocol.secret import Secret
from appliance.seams import Change, Store, Tools

#: The end of what has none: 9999-12-31.
_FOR_EVER: Final = 253402300799.0
#: How many clients are kept bound; the store is asked each time whether they still are what they were.
_REMEMBERED: Final = 4096
#: Members that are kept and told though no rule of ours needs them.
_EXTRAS: Final = ("software_id", "software_version", "software_statement")
_MAX_TEXT: Final = 255


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered client with what is told only now: its secret, if it is new, and the token for itself."""

    record: RegisteredClient
    client: Client
    token: str = field(repr=False)
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a request asks for, after statement and template: what is stored of it, and the client it makes."""

    metadata: Metadata
    template: str
    client: Client


class Registration:
    """The registered clients of one profile."""

    def __init__(
        self,
        *,
        declared: DeclaredProfile,
        root: Root,
        templates: Mapping[str, Client],
        outbound: OutboundClient,
        store: Store,
        tools: Tools,
    ) -> None:
        self._declared = declared
        self._settings = declared.registration
        self._templates = {name: templates[name] for name in self._settings.templates if name in templates}
        self._metadata = ClientMetadata(declared=declared, root=root)
        self._statements = SoftwareStatements(
            settings=self._settings.software_statements, issuer=declared.issuer, tools=tools
        )
        self._quota = RegistrationQuota(issuer=declared.issuer, quota=self._settings.quota, store=store, tools=tools)
        self._outbound = outbound
        self._store = store
        self._tools = tools
        self._bound: OrderedDict[str, tuple[RegisteredClient, Client]] = OrderedDict()
        # It may keep what a client had before it changed; the next generation does not.
        self._origins: set[str] = set()

    def names(self, client_id: str) -> bool:
        """Whether it is an id such as registration gives."""
        return well_formed(CLIENT_ID, client_id)

    async def find(self, client_id: str) -> Client | None:
        """The registered client with that id. StoreUnavailable."""
        record = await self._record(client_id)
        if record is None:
            self._bound.pop(client_id, None)
            return None
        return self._client(record)

    def known(self, client_id: str) -> Client | None:
        """The registered client that `find` gave lately."""
        found = self._bound.get(client_id)
        return None if found is None else found[1]

    def has_origin(self, asked: str) -> bool:
        """Whether scripts of this origin are a registered public client's."""
        return asked in self._origins

    def why(self, client_id: str) -> str:
        """Nothing: who asks must not learn which clients there are."""
        return ""

    async def prepare(self) -> None:
        """Learn the origins of those who are registered: a preflight names no client. StoreUnavailable."""
        for record in await self._store.find(RegisteredClient, "issuer", self._declared.issuer):
            self._client(record)

    async def touch(self, client: Client) -> None:
        """Put the end of a client off because it is in use. StoreUnavailable."""
        found = self._bound.get(client.client_id)
        keep = self._settings.expires_after
        if found is None or keep is None:
            return
        record = found[0]
        until = self._tools.clock() + keep
        # Not a write for every request: a tenth of the time is near enough.
        if until - record.expires_at > keep / 10:
            later = replace(record, expires_at=until)
            if await self._store.commit(Change(put=(later,), expect=(record,))):
                self._bound[client.client_id] = (later, found[1])

    def admits(self, token: str) -> bool:
        """Whether this is a live initial access token of the profile, in constant time."""
        now = self._tools.clock()
        live = [each for each in self._settings.initial_access_tokens if each.not_after is None or now < each.not_after]
        presented = token.encode("utf-8", "surrogatepass")
        # All of them, so that the time does not tell which one it was.
        matched = [each.secret.matches(presented) for each in live]
        return any(matched)

    async def register(self, document: Metadata, *, peer: str, openly: bool) -> Registered:
        """A new client. InvalidClientMetadata and its like, TooManyRequests, TemporarilyUnavailable.

        `openly` says that nobody vouches for the sender but perhaps a software statement.
        """
        await self._quota.count(peer)
        openly = openly and "software_statement" not in document
        if openly and self._settings.software_statements.required:
            raise InvalidSoftwareStatement("a software_statement is needed to register here")
        stored = await self._store.find(RegisteredClient, "issuer", self._declared.issuer)
        if len(stored) >= self._settings.max_clients:
            raise TemporarilyUnavailable("no more clients can be registered at the moment")
        client_id = issue(CLIENT_ID, self._tools.entropy)
        wanted = await self._judge(document, client_id, openly, "", "")
        token = issue(REGISTRATION_ACCESS_TOKEN, self._tools.entropy)
        secret = issue(CLIENT_SECRET, self._tools.entropy) if uses_secret(wanted.client) else None
        now = self._tools.clock()
        record = RegisteredClient(
            id=client_id,
            issuer=self._declared.issuer,
            expires_at=_FOR_EVER if self._settings.expires_after is None else now + self._settings.expires_after,
            metadata=json.dumps(wanted.metadata, separators=(",", ":")),
            template=wanted.template,
            secret=kept(secret, wanted.client),
            secret_hashed=not needs_value(wanted.client),
            token_digest=stored_id(token),
            created_at=now,
            open_registration=openly,
        )
        if not await self._store.commit(Change(put=(record,), absent=(record,))):
            raise TemporarilyUnavailable("try again")
        return self._registered(record, token, secret)

    async def read(self, client_id: str, token: str) -> Registered:
        """A client for who holds its registration access token. InvalidToken, for whatever reason."""
        record = await self._record(client_id)
        digest = stored_id(token).encode()
        if record is None or not hmac.compare_digest(digest, record.token_digest.encode()):
            raise InvalidToken("the registration access token is not valid")
        return self._registered(record, token, None)

    async def update(self, before: Registered, document: Metadata) -> Registered:
        """The client with other metadata, which replace all it had (RFC 7592 2.2)."""
        record = before.record
        if document.get("client_id") != record.id:
            raise InvalidRequest("client_id must be that of the client")
        said = document.get("client_secret")
        if said is not None and not (isinstance(said, str) and self._is_secret(before.client, said)):
            raise InvalidRequest("client_secret is not that of the client, and cannot be chosen")
        stored = json.loads(record.metadata)
        wanted = await self._judge(
            document, record.id, record.open_registration, record.template, stored.get("software_statement", "")
        )
        secret, stored_secret = self._next_secret(record, wanted.client)
        rotate = self._settings.rotate_registration_access_token
        token = issue(REGISTRATION_ACCESS_TOKEN, self._tools.entropy) if rotate else before.token
        after = replace(
            record,
            metadata=json.dumps(wanted.metadata, separators=(",", ":")),
            secret=stored_secret,
            secret_hashed=not needs_value(wanted.client),
            token_digest=stored_id(token),
        )
        if not await self._store.commit(Change(put=(after,), expect=(record,))):
            raise TemporarilyUnavailable("the client was changed at the same time")
        return self._registered(after, token, secret)

    async def remove(self, registered: Registered) -> None:
        """End a client with all that was issued to it (RFC 7592 2.3)."""
        client_id = registered.record.id
        # Without its client nothing holds any more; what is deleted after it is only tidied up.
        await self._store.commit(Change(delete=(registered.record,)))
        self._bound.pop(client_id, None)
        issued = (AuthorizationCode, AccessToken, RefreshToken, PendingAuthorization)
        await self._store.delete_by(issued, "registered_client", client_id)
        await self._store.delete_by((Consent,), "client_id", client_id)

    def told(self, registered: Registered) -> dict[str, object]:
        """The client information response (RFC 7591 3.2.1, RFC 7592 3), but for its own address."""
        record, stored = registered.record, json.loads(registered.record.metadata)
        answer: dict[str, object] = {"client_id": record.id, "client_id_issued_at": int(record.created_at)}
        if registered.secret is not None:
            answer |= {"client_secret": registered.secret, "client_secret_expires_at": 0}
        answer["registration_access_token"] = registered.token
        answer |= self._metadata.metadata_of(registered.client)
        if "scope" not in stored and not record.template:
            del answer["scope"]
        answer |= {name: stored[name] for name in _EXTRAS if name in stored}
        return answer | ({"template": record.template} if record.template else {})

    async def _record(self, client_id: str) -> RegisteredClient | None:
        if not well_formed(CLIENT_ID, client_id):
            return None
        record = await self._store.get(RegisteredClient, client_id)
        return record if record is not None and record.issuer == self._declared.issuer else None

    def _registered(self, record: RegisteredClient, token: str, secret: str | None) -> Registered:
        client = self._client(record)
        if client is None:
            raise InvalidToken("the client is not valid any more")
        return Registered(record, client, token, secret)

    def _client(self, record: RegisteredClient) -> Client | None:
        """The client of a record: the same object while the record is the same. None when it may not be one now."""
        known = self._bound.get(record.id)
        if known is not None and known[0] == record:
            self._bound.move_to_end(record.id)
            return known[1]
        client = self._bind(json.loads(record.metadata), record.id, record.template, record.open_registration)
        if client is None or client.subject_type not in (None, *self._declared.subject_types_supported):
            return None
        client = with_secret(client, secret_of(record))
        self._origins.update(origins_of(client))
        self._bound[record.id] = (record, client)
        if len(self._bound) > _REMEMBERED:
            self._bound.popitem(last=False)
        return client

    def _bind(self, metadata: Metadata, client_id: str, template: str, openly: bool) -> Client | None:
        own = self._metadata.read(metadata)
        settings: dict[str, object] = {"profile": self._declared.profile}
        client = self._metadata.client_of(own, client_id, settings)
        if "scope" not in own:
            client = replace(client, scope=registration_rules.allowed_scopes(self._declared))
        if template:
            declared = self._templates.get(template)
            if declared is None or declared.op.status != "active":
                return None
            client = instance_of(declared, client, client_id, self._declared.subject_types_supported[0])
        elif "refresh_token" in client.grant_types and OFFLINE_ACCESS not in client.scope:
            # Where nobody can ask by the scope, the grant type is how to ask (RFC 6749 1.5).
            client = replace(client, op=replace(client.op, refresh_token="always"))
        if openly:
            # RFC 7591 5: a stranger's client binds its codes and never gets anything silently.
            consent = "always" if client.op.consent == "always" else "ask"
            require_pkce = self._settings.require_pkce or client.op.require_pkce
            client = replace(client, op=replace(client.op, require_pkce=require_pkce, consent=consent))
        return fenced(client, self._declared.security_profile)

    async def _judge(self, document: Metadata, client_id: str, openly: bool, template: str, statement: str) -> _Wanted:
        """Everything that is asked of metadata, for new and for changed clients."""
        said = dict(document)
        if "software_statement" in said:
            said |= self._statements.verify(said["software_statement"])
        elif statement:
            # What was vouched for stays so: an update without the statement does not get rid of it.
            said |= read_verified(statement) | {"software_statement": statement}
        name = self._template(said, template)
        metadata = self._metadata.read(choose(said, self._declared))
        if self._settings.link_hosts != "any":
            metadata = registration_rules.without_foreign_links(metadata)
        if not name:
            required = self._settings.require.subject_type
            if required is not None and metadata.get("subject_type") != required:
                raise refusal("subject_type", f"must be {required}")
            metadata = registration_rules.with_defaults(metadata, self._declared)
        self._metadata.check_shape(metadata)
        client = self._bind(metadata, client_id, name, openly)
        if client is None:
            raise InvalidClientMetadata("the template cannot be used any more")
        # Judged with a secret as long as it will get; digits, for no octet may make it look like a placeholder.
        digits = self._tools.entropy(32).hex()[: len(issue(CLIENT_SECRET, bytes))]
        trial = ClientSecret("1", Secret(digits.encode(), "generated"), None)
        judged = with_secret(client, trial if uses_secret(client) else None)
        self._metadata.check(judged, self._tools.clock())
        registration_rules.check(client, self._declared, openly=openly, template=bool(name), outbound=self._outbound)
        await registration_rules.check_sector(client, self._outbound)
        return _Wanted(metadata | _extras(said), name, client)

    def _template(self, said: Metadata, before: str) -> str:
        """The template that a request names; an instance stays one (RFC 7592 2.2 replaces metadata, not kind)."""
        named = said.get("template")
        software = said.get("software_id")
        if named is None and isinstance(software, str) and software in self._templates:
            named = software
        if before:
            if named not in (None, before):
                raise InvalidClientMetadata("a client stays with its template")
            return before
        if named is None:
            return ""
        if not isinstance(named, str) or named not in self._templates:
            raise InvalidClientMetadata("there is no such template")
        return named

    def _next_secret(self, record: RegisteredClient, client: Client) -> tuple[str | None, str]:
        """A new secret to be told, if there must be one, and what is kept of the one that counts."""
        if not uses_secret(client):
            return None, ""
        if record.secret and record.secret_hashed and not needs_value(client):
            return None, record.secret
        if record.secret and not record.secret_hashed:
            return None, kept(record.secret, client)
        secret = issue(CLIENT_SECRET, self._tools.entropy)
        return secret, kept(secret, client)

    def _is_secret(self, client: Client, said: str) -> bool:
        return client.has_secret(said.encode("utf-8", "surrogatepass"), self._tools.clock())


def _extras(said: Metadata) -> dict[str, object]:
    found: dict[str, object] = {name: said[name] for name in _EXTRAS if said.get(name) is not None}
    for name, value in found.items():
        if not isinstance(value, str) or (name != "software_statement" and len(value) > _MAX_TEXT):
            raise refusal(name, "is not a short text")
    return found


async def open_registration(
    declared: DeclaredProfile, whole: Declared, outbound: OutboundClient, store: Store, tools: Tools
) -> Registration | None:
    """The registered clients of a profile; None while its registration is closed."""
    if declared.registration.mode == "closed":
        return None
    registration = Registration(
        declared=declared,
        root=whole.root,
        templates=whole.client_templates,
        outbound=outbound,
        store=store,
        tools=tools,
    )
    await registration.prepare()
    return registration
