"""Resource servers of one profile (RFC 8707): who may name which, and what the tokens for them are like.

The issuer itself is always one: its tokens are for UserInfo. Of a target that is not declared, because a policy of
token exchange lets a client name it, nothing is known but its name.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.config.declared.resources import Resource
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidTarget
from appliance.protocol.resource import RESOURCE
from appliance.protocol.scope import OPENID
from appliance.seams import TokenTerms

# One text for all: a client learns nothing of the resources of others.
_UNKNOWN: Final = "no token is issued for this resource to this client"

_UNDECLARED: Final = Resource(
    scopes=(),
    title={},
    audience=None,
    access_token_format=None,
    access_token_signing_alg=None,
    access_token_ttl=None,
    claims=(),
    introspection_clients=(),
)


@dataclass(frozen=True, slots=True)
class Targets:
    """What the resource servers of one token ask of it. None: as for tokens without a resource; seconds."""

    terms: TokenTerms
    access_token_format: str | None
    access_token_ttl: int | None
    #: Claims of granted scopes that it carries.
    claims: frozenset[str]


class Resources:
    """The resource servers of a profile."""

    def __init__(self, *, declared: DeclaredProfile, allowed_scopes: Callable[[Client], frozenset[str]]) -> None:
        self._issuer = declared.issuer
        self._declared = declared.resources
        self._allowed_scopes = allowed_scopes
        #: Scopes that mean something at some resource: they are granted where it is named, or none is.
        self._owned = frozenset(name for each in declared.resources.values() for name in each.scopes)
        served: dict[str, set[str]] = {}
        for identifier, each in declared.resources.items():
            for client_id in each.introspection_clients:
                served.setdefault(client_id, set()).add(identifier)
        #: Targets that policies of token exchange let clients name, declared or not.
        self._exchanged: dict[str, set[str]] = {}
        for policy in declared.token_exchange.policies:
            for client_id in policy.clients:
                self._exchanged.setdefault(client_id, set()).update(policy.audience, policy.resource)
        self._served = {client_id: frozenset(names) for client_id, names in served.items()}

    def check(self, asked: Iterable[str], client: Client) -> None:
        """InvalidTarget unless the client may have tokens for all of them (RFC 8707 2)."""
        if not all(self.allows(each, client) for each in asked):
            raise InvalidTarget(_UNKNOWN, parameter=RESOURCE)

    def allows(self, identifier: str, client: Client) -> bool:
        """Whether a client may have tokens for a resource."""
        if identifier == self._issuer:
            return True
        declared = self._declared.get(identifier)
        if declared is None:
            return False
        if client.op.resources is not None:
            return identifier in client.op.resources
        return not self._allowed_scopes(client).isdisjoint(declared.scopes)

    def stands(self, identifier: str, client: Client) -> bool:
        """Whether a client may still have tokens for a resource that was granted, by whatever grant."""
        return self.allows(identifier, client) or identifier in self._exchanged.get(client.client_id, ())

    def scope_at(self, scope: Iterable[str], resources: tuple[str, ...]) -> tuple[str, ...]:
        """The scopes of a request that are to be granted when it names these resources.

        What belongs to other resources only is left out; what belongs to none is about the user or the grant.
        """
        named = self._named(resources)
        return tuple(name for name in scope if name in named or name not in self._owned)

    def scope_of_token(self, scope: tuple[str, ...], resources: tuple[str, ...]) -> tuple[str, ...]:
        """The part of a granted scope that a token for these resources has."""
        if any(each not in self._declared and each != self._issuer for each in resources):
            return scope
        named = self._named(resources)
        # To the issuer everything means something that is no other's.
        at_issuer = self._issuer in resources
        return tuple(name for name in scope if name in named or (at_issuer and name not in self._owned))

    def narrow(self, asked: tuple[str, ...], granted: tuple[str, ...], scope: tuple[str, ...]) -> tuple[str, ...]:
        """The resources of one token. InvalidTarget when they are more than what was granted (RFC 8707 2.2)."""
        for each in asked:
            # Whoever was granted `openid` may go to UserInfo, which is the issuer's own.
            if each not in granted and not (each == self._issuer and (OPENID in scope or not granted)):
                raise InvalidTarget("resource exceeds what was granted", parameter=RESOURCE)
        return asked or granted

    def targets(self, identifiers: tuple[str, ...]) -> Targets:
        """What a token for these resources is like. InvalidTarget when no token can be right for all of them."""
        declared = [self._declared.get(each, _UNDECLARED) for each in identifiers]
        forms = {each.access_token_format for each in declared}
        algorithms = {each.access_token_signing_alg for each in declared}
        if len(forms) > 1 or len(algorithms) > 1:
            raise InvalidTarget("these resources need a token each", parameter=RESOURCE)
        ttls = [each.access_token_ttl for each in declared if each.access_token_ttl is not None]
        # A claim is for all who read the token, or it is not in it.
        claims = frozenset.intersection(*(frozenset(each.claims) for each in declared))
        audience = (each.audience or name for name, each in zip(identifiers, declared, strict=True))
        return Targets(
            terms=TokenTerms(tuple(dict.fromkeys(audience)), algorithms.pop()),
            access_token_format=forms.pop(),
            access_token_ttl=min(ttls, default=None),
            claims=claims,
        )

    def audience(self, identifiers: tuple[str, ...]) -> tuple[str, ...]:
        """What `aud` says for these resources; the issuer where there is none (RFC 9068 3)."""
        found = [self._declared.get(each, _UNDECLARED).audience or each for each in identifiers]
        return tuple(dict.fromkeys(found)) or (self._issuer,)

    def served_by(self, client_id: str) -> frozenset[str]:
        """The resources that a client introspects for."""
        return self._served.get(client_id, frozenset())

    def is_for_issuer(self, resources: tuple[str, ...]) -> bool:
        """Whether a token is good for the endpoints of the issuer itself, such as UserInfo."""
        return not resources or self._issuer in resources

    def _named(self, identifiers: tuple[str, ...]) -> frozenset[str]:
        """The scopes that mean something at these resources."""
        return frozenset(name for each in identifiers if each in self._declared for name in self._declared[each].scopes)
