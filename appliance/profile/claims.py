"""What clients learn of a user: his `sub`, and the claims that scopes and the `claims` parameter release.

Two questions are kept apart: what a client may ever learn (the claims of its allowed scopes) and what was
granted this time. A claim is released only where both say yes, and a claim that is not there is left out
(OpenID Connect Core 5.3.2, 5.5.1).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from appliance.config.declared.claims import ClaimsSet
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.profile import claim_forms
from appliance.profile.expressions import Evaluate, compile_expression, sources_of
from appliance.protocol.authorization import Authorization
from appliance.protocol.claims_request import NO_CLAIMS
from appliance.protocol.client import Client
from appliance.protocol.errors import ServerError
from appliance.protocol.scope import OPENID
from appliance.protocol.sector import UnknownSector, sector
from appliance.seams import Source, SubjectType, User

#: Members that only the provider writes; no mapping and no request can touch them (RFC 8725 3.10).
RESERVED: Final = frozenset(
    {
        *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp"),
        *("at_hash", "c_hash", "s_hash", "sid", "cnf", "act", "may_act", "client_id", "scope", "events"),
        *("txn", "sub_jwk", "_claim_names", "_claim_sources"),
    }
)
#: Core 2: a sub has at most 255 ASCII characters.
_MAX_SUB: Final = 255
#: Plans that are remembered for one client.
_MAX_PLANS: Final = 32


class Placement(Enum):
    """Where claims are released to."""

    USERINFO = "userinfo"
    #: An ID Token beside an access token: the scopes' claims are at UserInfo (Core 5.4).
    ID_TOKEN = "id_token"
    #: response_type=id_token: there is no access token to fetch them with.
    ID_TOKEN_ALONE = "id_token_alone"
    #: A JWT that resource servers read: the granted claims that are declared for it (RFC 9068 2.2.2).
    ACCESS_TOKEN = "access_token"


@dataclass(frozen=True, slots=True)
class _Claim:
    """One mapped claim."""

    evaluate: Evaluate
    form: claim_forms.Form
    sources: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Claims that are released, and the sources that they need."""

    claims: Mapping[str, _Claim]
    sources: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Terms:
    """What never changes for a client within a generation."""

    client: Client
    scopes: frozenset[str]
    claims: frozenset[str]
    in_id_token: frozenset[str]
    in_access_token: frozenset[str]
    subject_type: SubjectType
    #: "" where the subject type needs none; None when it cannot be told.
    sector: str | None
    #: By granted scope and place; a client that asks for ever other scopes fills it, and no more.
    plans: dict[tuple[tuple[str, ...], Placement], _Plan] = field(default_factory=dict)


class ClaimsRelease:
    """Evaluates one claims set for the clients of one profile."""

    def __init__(
        self,
        *,
        declared: DeclaredProfile,
        claims_set: ClaimsSet,
        sources: Mapping[str, Source],
        subject_types: Mapping[str, SubjectType],
    ) -> None:
        self._declared = declared
        self._names = claims_set.sources
        self._sources = sources
        self._subject_types = subject_types
        subject = declared.subject or claims_set.subject
        self._subject = _Claim(compile_expression(subject), claim_forms.text, sources_of(subject))
        self._claims = {
            name: _Claim(
                compile_expression(expression),
                claim_forms.FORMS.get(_untagged(name), claim_forms.plain),
                sources_of(expression),
            )
            for name, expression in claims_set.claims.items()
            if _untagged(name) not in RESERVED
        }
        self._tagged = {(_untagged(name), _tag(name)): name for name in self._claims if "#" in name}
        self._terms: dict[str, _Terms] = {}

    async def sub(self, user: User, client: Client) -> str:
        """The `sub` by which a client knows a user (Core 8). ServerError without one, SourceUnavailable."""
        terms = self._terms_of(client)
        if terms.sector is None:
            raise ServerError(detail=f"the sector of client {client.client_id} cannot be told")
        documents = await self._documents(user, self._subject.sources)
        local = claim_forms.text(self._subject.evaluate(documents))
        if local is None:
            raise ServerError(detail="the user has no local subject value")
        sub = terms.subject_type.sub(local, terms.sector)
        if not sub.isascii() or len(sub) > _MAX_SUB:
            raise ServerError(detail="the subject value is not at most 255 ASCII characters")
        return sub

    def allowed_scopes(self, client: Client) -> frozenset[str]:
        """The scopes that are declared and registered for a client."""
        return self._terms_of(client).scopes

    def allowed_claims(self, client: Client) -> frozenset[str]:
        """The claims of the client's allowed scopes: what its `claims` parameter may ask for (Core 5.5)."""
        return self._terms_of(client).claims

    async def release(
        self,
        authorization: Authorization,
        client: Client,
        user: User,
        placement: Placement,
        at_resource: frozenset[str] | None = None,
    ) -> dict[str, object]:
        """The user's claims for one place, without `sub`. SourceUnavailable.

        `at_resource`: what the resource server of an access token reads, instead of what the client's others do.
        """
        terms = self._terms_of(client)
        if at_resource is not None:
            terms = replace(terms, in_access_token=at_resource, plans={})
        plan = self._plan(authorization, terms, placement)
        if not plan.claims:
            return {}
        documents = await self._documents(user, plan.sources)
        values = [(name, claim.form(claim.evaluate(documents))) for name, claim in plan.claims.items()]
        return {name: value for name, value in values if value is not None}

    def _plan(self, authorization: Authorization, terms: _Terms, placement: Placement) -> _Plan:
        """What is released, found once for a client, a scope and a place where nothing else was asked for."""
        asked = authorization.claims
        plain = (asked is NO_CLAIMS or asked == NO_CLAIMS) and not authorization.claims_locales
        key = (authorization.scope, placement)
        plan = terms.plans.get(key) if plain else None
        if plan is None:
            wanted = self._wanted(authorization, terms, placement)
            found = {name: claim for name in wanted if (claim := self._claims.get(name)) is not None}
            plan = _Plan(found, frozenset[str]().union(*(claim.sources for claim in found.values())))
            if plain and len(terms.plans) < _MAX_PLANS:
                terms.plans[key] = plan
        return plan

    def _wanted(self, authorization: Authorization, terms: _Terms, placement: Placement) -> Iterable[str]:
        scopes = [self._declared.scopes[name] for name in authorization.scope if name in terms.scopes]
        granted = dict.fromkeys(name for scope in scopes for name in scope.claims)
        requested: Iterable[str] = authorization.claims.id_token
        if placement is Placement.USERINFO:
            requested = authorization.claims.userinfo
        elif placement is Placement.ID_TOKEN:
            granted = {name: None for name in granted if name in terms.in_id_token}
        elif placement is Placement.ACCESS_TOKEN:
            granted = {name: None for name in granted if name in terms.in_access_token}
            requested = ()
        names = granted | dict.fromkeys(name for name in requested if name in terms.claims)
        for locale in authorization.claims_locales:
            tagged = [self._tagged.get((name, locale.lower())) for name in names]
            names |= dict.fromkeys(name for name in tagged if name is not None)
        return names

    async def _documents(self, user: User, names: Iterable[str]) -> dict[str, object]:
        """The user's documents under the names of the claims set; his own is there, others are asked for."""
        documents: dict[str, object] = {}
        for name in names:
            source = self._names.get(name)
            if source == user.subject.source:
                documents[name] = user.attributes
            elif source is not None and source in self._sources:
                other = await self._sources[source].find(user.login)
                documents[name] = other.attributes if other is not None and other.active else None
        return documents

    def _terms_of(self, client: Client) -> _Terms:
        terms = self._terms.get(client.client_id)
        if terms is None or terms.client is not client:
            terms = self._terms[client.client_id] = self._assemble_terms(client)
        return terms

    def _assemble_terms(self, client: Client) -> _Terms:
        declared = self._declared
        scopes = frozenset(name for name in client.scope if name in declared.scopes)
        if not declared.openid_connect:
            scopes -= {OPENID}
        bases = {name for scope in scopes for name in self._declared.scopes[scope].claims} - RESERVED
        subject_type = client.subject_type or self._declared.subject_types_supported[0]
        return _Terms(
            client=client,
            scopes=scopes,
            claims=frozenset(bases) | {name for name in self._claims if _untagged(name) in bases},
            in_id_token=frozenset((*self._declared.claims_in_id_token, *client.op.claims_in_id_token)),
            in_access_token=frozenset(client.op.claims_in_access_token),
            subject_type=self._subject_types[subject_type],
            sector=_sector(client) if subject_type == "pairwise" else "",
        )


def _sector(client: Client) -> str | None:
    try:
        return sector(client)
    except UnknownSector:
        return None


def _untagged(name: str) -> str:
    """A claim's name without its language tag (Core 5.2)."""
    return name.partition("#")[0]


def _tag(name: str) -> str:
    return name.partition("#")[2].lower()
