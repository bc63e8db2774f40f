"""Grants beyond the login: `token_exchange` and `trusted_issuers`; and `grant_management`, the clients' view of all."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExchangeSubject:
    """Which subject tokens a policy takes (RFC 8693 2.1)."""

    #: The last word of each type's URN: "access_token", "id_token", "jwt".
    token_types: tuple[str, ...]
    #: Whose tokens, where they are ours: clients that they were issued to.
    clients: tuple[str, ...]
    #: For whom the tokens must be; empty asks for none.
    audience: tuple[str, ...]
    #: Who issued them, where they are not ours: names of `trusted_issuers`.
    issuers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExchangePolicy:
    """Who may exchange what for what; whatever no policy allows is refused."""

    clients: tuple[str, ...]
    subject: ExchangeSubject
    #: "none": impersonation; "client": the client itself acts; "token": whoever the actor token is of.
    actor: str
    #: Clients whose tokens may be actor tokens, besides the one that asks.
    actor_clients: tuple[str, ...]
    audience: tuple[str, ...]
    resource: tuple[str, ...]
    scope: tuple[str, ...]
    max_act_depth: int
    refresh_token: bool
    #: Whether tokens that are bound to a key are taken without a proof of it.
    sender_constrained: bool


@dataclass(frozen=True, slots=True)
class TokenExchange:
    """The policies, in their order: the first that fits decides."""

    policies: tuple[ExchangePolicy, ...]


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """Somebody else whose JWTs count as grants (RFC 7523 3) or as subject tokens (RFC 8693 2.1). Seconds."""

    jwks: Mapping[str, object] | None
    jwks_uri: str | None
    algorithms: tuple[str, ...]
    #: "issuer", or "issuer_or_token_endpoint": what of ours their `aud` names.
    audience: str
    source: str
    #: The claim that names the user, and what of him it names: "login" or "id".
    claim: str
    names: str
    scope: tuple[str, ...]
    #: Clients that may bring its JWTs as grants.
    clients: tuple[str, ...]
    max_lifetime: int


@dataclass(frozen=True, slots=True)
class GrantManagement:
    """What clients may do with what they were granted (Grant Management for OAuth 2.0 7.1)."""

    actions: tuple[str, ...]
    required: bool


@dataclass(frozen=True, slots=True)
class Userinfo:
    """What login UserInfo asks of a token (RFC 9470 3); `max_age` in seconds, None: none."""

    acr: str | None
    max_age: int | None
