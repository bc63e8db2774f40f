"""Client metadata of strangers: read by the same schemas, bound by the same binder and judged by the same rules
as clients in the files.

Whatever the configuration language learns about clients, registration knows at once. What a stranger must not
say (his id, his secrets, our own settings) is dropped before anything else is looked at.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from appliance import resources
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.config.declared.root import Root
from appliance.config.linking import Linked, Object
from appliance.config.problems import Mark
from appliance.config.problems import Path as MemberPath
from appliance.config.secrets import SecretResolver
from appliance.config.tree import DIRECTORIES, FAMILIES
from appliance.protocol.client import Client, ClientSecret
from appliance.protocol.errors import InvalidClientMetadata, InvalidRedirectUri, OAuthError

Metadata = Mapping[str, object]

_CLIENT: Final = "client.json#/$defs/client"
#: Members of the schema that are not metadata, or not a client's to say.
_NOT_METADATA: Final = frozenset({"client_id", "client_secrets", "op"})
_LOCALIZED: Final = re.compile(r"(?:client_name|client_uri|logo_uri|policy_uri|tos_uri)#[A-Za-z0-9-]{2,35}")
#: What is wrong with redirect URIs themselves, and not with what else follows from them (RFC 7591 3.2.2).
_REDIRECT_CODES: Final = frozenset({"OP201", "OP202", "OP203", "OP204"})
_MAX_LOCALIZED: Final = 100
#: What an instance of a client template says itself, where its template leaves it open.
_OF_INSTANCES: Final = (
    *("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri", "contacts"),
    *("redirect_uris", "post_logout_redirect_uris", "jwks", "jwks_uri", "localized"),
)


class ClientMetadata:
    """Reads, binds and judges metadata for clients of one profile."""

    def __init__(self, *, declared: DeclaredProfile, root: Root) -> None:
        # Here and not above: what checks configuration takes a good part of a start, and is for those profiles
        # only at which somebody can register.
        from appliance.config import binding, rules, schemas

        self._bind = binding.bind
        self._context = binding.Context
        self._check_client = rules.check_client
        self._schemas = schemas.load_schemas(resources.SCHEMAS)
        self._schemas.prepare()
        known = {field.name for field in dataclasses.fields(Client)}
        self._members = tuple(name for name in self._schemas.known_keys(_CLIENT, ()) if name in known - _NOT_METADATA)
        profile = Object("profiles", declared.profile, declared, {}, _nowhere)
        # No other object takes part: whatever else a rule could look up counts as not read, not as missing.
        self._linked = Linked(
            root=Object("root", "root", root, {}, _nowhere),
            profiles={declared.profile: profile},
            clients={},
            client_templates={},
            claims={},
            sources={},
            authenticators={},
            policies={},
            themes={},
            broken=frozenset((*FAMILIES, *DIRECTORIES, "themes")),
        )

    def read(self, document: Metadata) -> dict[str, object]:
        """The members that we know. What is unknown or null is not registered (RFC 7591 2, 3.2.1)."""
        found = {name: document[name] for name in self._members if document.get(name) is not None}
        tagged = {name: value for name, value in document.items() if _LOCALIZED.fullmatch(name) and value is not None}
        if len(tagged) > _MAX_LOCALIZED:
            raise InvalidClientMetadata("there are too many language tags")
        return found | tagged

    def check_shape(self, metadata: Metadata) -> None:
        """InvalidClientMetadata, InvalidRedirectUri: a member is not of its form."""
        for error in self._schemas.errors(_CLIENT, {**metadata, "client_id": "new", "op": {"profile": "new"}}):
            raise refusal(error.absolute_path[0] if error.absolute_path else "", "is not of the form it must have")

    def client_of(self, metadata: Metadata, client_id: str, settings: Metadata) -> Client:
        """The client of checked metadata, without secrets; `settings` is its `op`. InvalidClientMetadata."""
        written = {**metadata, "client_id": client_id, "client_secrets": [], "op": settings}
        context = self._context(SecretResolver(Path("/"), {}, enabled=False))
        client: Client = self._bind(written, Client, self._schemas, _CLIENT, context)
        for path, _ in context.unreadable:
            raise refusal(path[0] if path else "", "cannot be read")
        return client

    def metadata_of(self, client: Client) -> dict[str, object]:
        """A client's metadata as it is told to the client: all that says something (RFC 7591 3.2.1)."""
        told: dict[str, object] = {}
        for name in self._members:
            value = getattr(client, name)
            if name == "scope":
                value = " ".join(value)
            elif isinstance(value, tuple):
                value = list(value)
            if value not in (None, "") and (value != [] or name in ("response_types", "grant_types")):
                told[name] = value
        return told | dict(client.localized)

    def check(self, client: Client, now: float) -> None:
        """What a client in the files would be refused for. InvalidClientMetadata, InvalidRedirectUri."""
        written: dict[str, object] = self.metadata_of(client)
        judged: Object[Client] = Object("clients", client.client_id, client, written, _member)
        for problem in self._check_client(self._linked, judged, now=now):
            if problem.severity == "error":
                detail = f"{problem.code}: {problem.message}"
                if problem.code in _REDIRECT_CODES:
                    raise InvalidRedirectUri("redirect_uris cannot be registered here", detail=detail)
                name = problem.file.partition("#")[0] or "the metadata"
                raise InvalidClientMetadata(f"{name} cannot be registered here", detail=detail)


def instance_of(template: Client, said: Client, client_id: str, default_subject_type: str) -> Client:
    """The client that registers from a template: the template's, with what the template leaves open.

    Instances have nobody's host to prove, so each pairwise one is a sector of its own: a shared sector would
    make the same `sub` for all instances.
    """
    own = {name: value for name in _OF_INSTANCES if not getattr(template, name) and (value := getattr(said, name))}
    if template.jwks is not None or template.jwks_uri is not None:
        own.pop("jwks", None)
        own.pop("jwks_uri", None)
    changes: dict[str, Any] = {**own, "client_id": client_id, "client_secrets": ()}
    pairwise = (template.subject_type or default_subject_type) == "pairwise"
    if pairwise and template.op.sector_identifier is None:
        changes["op"] = replace(template.op, sector_identifier=client_id)
        changes["sector_identifier_uri"] = None
    return replace(template, **changes)


def with_secret(client: Client, secret: ClientSecret | None) -> Client:
    """The client with its secret."""
    return client if secret is None else replace(client, client_secrets=(secret,))


def refusal(member: object, reason: str, detail: str = "") -> OAuthError:
    """The error for a member. It names the member, which is a name of ours, and repeats no value."""
    name = str(member).partition("#")[0]
    kind = InvalidRedirectUri if name == "redirect_uris" else InvalidClientMetadata
    return kind(f"{name or 'the metadata'} {reason}", detail=detail)


def _member(path: MemberPath, key: bool) -> Mark:
    """The place of a problem: which member it is about, in the place of a file's name."""
    return Mark(str(path[0]) if path else "", 0, 0, 0)


def _nowhere(path: MemberPath, key: bool) -> Mark:
    return Mark("", 0, 0, 0)
