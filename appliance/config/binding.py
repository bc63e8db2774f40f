"""A validated document to nested frozen dataclasses: types from the class, defaults from the schema.

`x-op-type` in the schema says what a value becomes; README.md of the schemas lists the words. A binder is
compiled once for a class and its schema node, so that a client costs some microseconds.
"""

import dataclasses
import keyword
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, Literal, Protocol, Union, get_args, get_origin, get_type_hints

from appliance.config import expressions, formats
from appliance.config.declared import (
    access,
    authorization_details,
    backchannel_authentication,
    claims,
    device_authorization,
    grants,
    metadata_documents,
    profile,
    pushed,
    registration,
    resources,
    root,
    sender_constraint,
    sign_up,
)
from appliance.config.problems import Path, Unreadable
from appliance.config.schemas import Node, Schemas
from appliance.config.secrets import SecretResolver
from appliance.protocol import client
from appliance.protocol.secret import Secret

#: Schema object to the class bound from it; the house's parity test holds both to each other.
BINDINGS: Final[Mapping[str, type]] = MappingProxyType(
    {
        "root.json#/$defs/root": root.Root,
        "root.json#/$defs/listeners": root.Listeners,
        "root.json#/$defs/public_listener": root.Listener,
        "root.json#/$defs/admin_listener": root.Listener,
        "root.json#/$defs/mtls_listener": root.MtlsListener,
        "root.json#/$defs/client_certificate": root.CertificateHeader,
        "root.json#/$defs/tls": root.Tls,
        "root.json#/$defs/storage": root.Storage,
        "root.json#/$defs/reload": root.Reload,
        "root.json#/$defs/log": root.Log,
        "root.json#/$defs/password_hashing": root.PasswordHashing,
        "root.json#/$defs/outbound": root.Outbound,
        "profile.json#/$defs/profile": profile.Profile,
        "profile.json#/$defs/scope": profile.Scope,
        "profile.json#/$defs/acr_level": profile.AcrLevel,
        "profile.json#/$defs/pairwise": profile.Pairwise,
        "profile.json#/$defs/ttl": profile.Ttl,
        "profile.json#/$defs/refresh_token_ttl": profile.RefreshTokenTtl,
        "profile.json#/$defs/session_ttl": profile.SessionTtl,
        "profile.json#/$defs/keys": profile.Keys,
        "profile.json#/$defs/signing_key_entry": profile.SigningKeyEntry,
        "profile.json#/$defs/encryption_key_entry": profile.EncryptionKeyEntry,
        "profile.json#/$defs/logout": profile.Logout,
        "profile.json#/$defs/legacy_logout": profile.LegacyLogout,
        "profile.json#/$defs/throttle": profile.Throttle,
        "profile.json#/$defs/endpoints": profile.Endpoints,
        "profile.json#/$defs/client_assertion": profile.ClientAssertion,
        "profile.json#/$defs/request_object": profile.RequestObject,
        "profile.json#/$defs/dpop": sender_constraint.Dpop,
        "profile.json#/$defs/mtls": sender_constraint.MutualTls,
        "profile.json#/$defs/pushed_authorization_request": pushed.PushedAuthorizationRequest,
        "profile.json#/$defs/resource": resources.Resource,
        "profile.json#/$defs/details_type": authorization_details.DetailsType,
        "profile.json#/$defs/compat": profile.Compat,
        "profile.json#/$defs/token_exchange": grants.TokenExchange,
        "profile.json#/$defs/exchange_policy": grants.ExchangePolicy,
        "profile.json#/$defs/exchange_subject": grants.ExchangeSubject,
        "profile.json#/$defs/trusted_issuer": grants.TrustedIssuer,
        "profile.json#/$defs/grant_management": grants.GrantManagement,
        "profile.json#/$defs/userinfo": grants.Userinfo,
        "profile.json#/$defs/sign_up": sign_up.SignUp,
        "profile.json#/$defs/sign_up_field": sign_up.SignUpField,
        "profile.json#/$defs/device_authorization": device_authorization.DeviceAuthorization,
        "profile.json#/$defs/user_codes": device_authorization.UserCodes,
        "profile.json#/$defs/backchannel_authentication": backchannel_authentication.BackchannelAuthentication,
        "profile.json#/$defs/registration": registration.Registration,
        "profile.json#/$defs/client_id_metadata_documents": metadata_documents.ClientIdMetadataDocuments,
        "profile.json#/$defs/software_statements": registration.SoftwareStatements,
        "profile.json#/$defs/required_metadata": registration.RequiredMetadata,
        "client.json#/$defs/client": client.Client,
        "client.json#/$defs/client_secret": client.ClientSecret,
        "client.json#/$defs/op": client.ClientSettings,
        "client.json#/$defs/ttl": client.ClientTtl,
        "client.json#/$defs/client_compat": client.ClientCompat,
        "claims.json#/$defs/claims_set": claims.ClaimsSet,
        "policies.json#/$defs/policy": access.Policy,
        "policies.json#/$defs/step": access.Step,
    }
)

_REFERENCE_MEMBERS: Final = ("hash", "file", "env")
_MISSING: Final = object()


class Context:
    """What binding one object needs and gives: the secrets' resolver, and what could not be read."""

    def __init__(self, secrets: SecretResolver) -> None:
        self.secrets = secrets
        self.unreadable: list[tuple[Path, Unreadable]] = []

    def read(self, path: Path, reader: Callable[[Any], object], value: object) -> object:
        """What a reader makes of a value; None, noted, when it can make nothing of it."""
        try:
            return reader(value)
        except Unreadable as error:
            self.unreadable.append(((*path, *error.path), error))
            return None


class Convert(Protocol):
    """Makes the bound value of a written one."""

    def __call__(self, value: Any, path: Path, context: Context) -> object:
        """The bound value; problems go to the context."""


def field_name(json_name: str) -> str:
    """The field that a member of a document is bound to."""
    name = json_name.replace("-", "_").replace(".", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def bind(value: object, cls: type, schemas: Schemas, reference: str, context: Context) -> Any:
    """An instance of `cls` from a document that the schema at `reference` accepts."""
    return binder(cls, schemas, reference)(value, (), context)


@cache
def binder(cls: type, schemas: Schemas, reference: str) -> Convert:
    """The compiled binder of a class and a schema node."""
    return _Compiler(schemas).object(cls, [*schemas.same(*schemas.node(reference))])


Nodes = list[tuple[str, Node]]


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    """One field: the member it is bound from, what it is when left out, and its converter."""

    name: str
    member: str
    default: object
    convert: Convert


class _Compiler:
    """Compiles binders; asked once for each class and schema node."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def object(self, cls: type, nodes: Nodes) -> Convert:
        hints = get_type_hints(cls)
        described = {field_name(name): (name, *found) for name, found in self._schemas.properties(nodes).items()}
        fields: list[_Field] = []
        gathers = ""
        flat_secret = ""
        for field in dataclasses.fields(cls):
            if field.name in described:
                member, document, node = described[field.name]
                fields.append(self._field(cls, field.name, member, hints[field.name], (document, node)))
            elif hints[field.name] is Secret:
                flat_secret = field.name
            elif self._is_localized(nodes):
                gathers = field.name
            else:
                raise TypeError(f"{cls.__qualname__}.{field.name} is not in its schema")
        return _bind_object(cls, tuple(fields), gathers, flat_secret)

    def _field(self, cls: type, name: str, member: str, hint: Any, place: tuple[str, Node]) -> _Field:
        nodes = list(self._schemas.same(*place))
        default = next((node["default"] for _, node in nodes if "default" in node), _MISSING)
        if default is _MISSING and NoneType in get_args(hint):
            default = None
        try:
            return _Field(name, member, default, self.convert(hint, nodes))
        except TypeError as error:
            raise TypeError(f"{cls.__qualname__}.{name}: {error}") from None

    def convert(self, hint: Any, nodes: Nodes) -> Convert:
        """What makes a value of that type; the schema's `x-op-type` decides where the type does not."""
        kind = next((node["x-op-type"] for _, node in nodes if "x-op-type" in node), "")
        origin, arguments = get_origin(hint), get_args(hint)
        if hint == claims.Expression or hint == claims.Expression | None or kind == "expression":
            return _read_expression
        if origin in (Union, UnionType) and NoneType in arguments:
            rest = [argument for argument in arguments if argument is not NoneType]
            return _optional(self.convert(rest[0] if len(rest) == 1 else Union[tuple(rest)], nodes))  # noqa: UP007
        if hint is Secret:
            return _read_public_file if kind == "public_file" else _read_secret
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            return self.object(hint, nodes)
        if origin is tuple:
            return _each(self.convert(arguments[0], self._items(nodes)), split=kind == "space_separated")
        if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
            return _members(self.convert(arguments[1], self._values(nodes)))
        if hint is int or hint is float:
            return _number(hint, timestamp=kind == "timestamp" or _has_format(nodes, "date-time"))
        if hint in (str, bool, object) or hint is Any or origin in (Union, UnionType, Literal):
            return _as_written
        raise TypeError(f"nothing binds {hint}")

    def _items(self, nodes: Nodes) -> Nodes:
        return self._schemas.below(nodes, 0)

    def _values(self, nodes: Nodes) -> Nodes:
        found: Nodes = []
        for document, node in nodes:
            children = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
            for child in children:
                if isinstance(child, Mapping):
                    found.extend(self._schemas.same(document, child))
        return found

    @staticmethod
    def _is_localized(nodes: Nodes) -> bool:
        patterns = [child for _, node in nodes for child in node.get("patternProperties", {}).values()]
        return any(child.get("x-op-type") == "localized" for child in patterns)


def _bind_object(cls: type, fields: tuple[_Field, ...], gathers: str, flat_secret: str) -> Convert:
    members = frozenset(field.member for field in fields)

    def convert(value: Any, path: Path, context: Context) -> object:
        found: dict[str, object] = {}
        for field in fields:
            written = value.get(field.member, field.default)
            if written is _MISSING:
                raise TypeError(f"{cls.__qualname__}.{field.name} is neither written nor has a default")
            found[field.name] = field.convert(written, (*path, field.member), context)
        if gathers:
            found[gathers] = {name: text for name, text in value.items() if name not in members}
        if flat_secret:
            reference = {name: value[name] for name in _REFERENCE_MEMBERS if value.get(name) is not None}
            found[flat_secret] = context.read(path, context.secrets.resolve, reference)
        return cls(**found)

    return convert


def _optional(convert: Convert) -> Convert:
    return lambda value, path, context: None if value is None else convert(value, path, context)


def _each(convert: Convert, *, split: bool) -> Convert:
    if convert is _as_written:

        def plain(value: Any, path: Path, context: Context) -> object:
            if isinstance(value, str):
                return tuple(value.split()) if split else (value,)
            return tuple(value)

        return plain

    def convert_each(value: Any, path: Path, context: Context) -> object:
        items = [value] if isinstance(value, str) else value
        return tuple(convert(item, (*path, index), context) for index, item in enumerate(items))

    return convert_each


def _members(convert: Convert) -> Convert:
    # A plain dict: read-only by agreement, and unlike a mapping proxy it can be sent to another process.
    return lambda value, path, context: {name: convert(item, (*path, name), context) for name, item in value.items()}


def _number(kind: type, *, timestamp: bool) -> Convert:
    def convert(value: Any, path: Path, context: Context) -> object:
        if isinstance(value, str):
            value = context.read(path, _read_timestamp if timestamp else _read_duration, value)
        if value is None or (kind is int and isinstance(value, int)):
            return value
        if kind is int and value != int(value):
            context.read(path, _refuse_fraction, value)
            return None
        return kind(value)

    return convert


def _read_duration(text: str) -> float:
    try:
        return formats.read_duration(text)
    except ValueError:
        raise Unreadable((), f"`{text[:40]}` is not {formats.WORDS['duration']}", None, "OP105") from None


def _read_timestamp(text: str) -> int:
    try:
        return formats.read_timestamp(text)
    except (ValueError, OverflowError):
        raise Unreadable((), f"`{text[:40]}` is not {formats.WORDS['date-time']}", None, "OP105") from None


def _refuse_fraction(_value: object) -> None:
    raise Unreadable((), "this setting takes whole seconds", None, "OP105")


def _read_secret(value: Any, path: Path, context: Context) -> object:
    return context.read(path, context.secrets.resolve, value)


def _read_public_file(value: Any, path: Path, context: Context) -> object:
    return context.read(path, context.secrets.resolve_public, value)


def _read_expression(value: Any, path: Path, context: Context) -> object:
    if value is None:
        return None
    reading = expressions.read_all(value)
    context.unreadable.extend(((*path, *mistake.path), mistake) for mistake in reading.mistakes)
    return reading.expression


def _as_written(value: Any, path: Path, context: Context) -> object:
    return value


def _has_format(nodes: Nodes, name: str) -> bool:
    return any(node.get("format") == name for _, node in nodes)
