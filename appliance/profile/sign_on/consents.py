"""Remembered consents: what a user allowed a client, for how long, and the end of it all at once."""

from collections.abc import Iterable, Mapping

from appliance.config.declared.profile import Scope
from appliance.protocol import claims_request, handles
from appliance.protocol.authorization import Subject
from appliance.protocol.authorization_details import digest
from appliance.protocol.authorization_request import AuthorizationRequest
from appliance.protocol.records import (
    AccessToken,
    AuthorizationCode,
    Consent,
    PendingAuthorization,
    RefreshToken,
    user_key,
)
from appliance.seams import Change, Store, Tools

# No scope token has a space in it (RFC 6749 3.3), so a claim can never be taken for a scope.
_CLAIM = "claim "
_RESOURCE = "resource "
#: What was allowed for one time: it is never remembered.
_DETAIL = "detail "


class Consents:
    """The consents of one profile. `ttl` in seconds; 0 remembers none."""

    def __init__(self, *, store: Store, tools: Tools, issuer: str, ttl: int, scopes: Mapping[str, Scope]) -> None:
        self._store = store
        self._tools = tools
        self._issuer = issuer
        self._ttl = ttl
        self._scopes = scopes

    def wanted(self, asked: AuthorizationRequest) -> frozenset[str]:
        """What consent to a request must cover: scopes whose grant is asked, and claims beyond scopes."""
        wanted = {name for name in asked.scope if name not in self._scopes or _is_asked(self._scopes[name])}
        wanted.update(_CLAIM + name for name in self.single_claims(asked))
        if asked.resource:
            wanted |= {_RESOURCE + each for each in asked.resource if each != self._issuer}
        if asked.authorization_details:
            wanted |= {_DETAIL + digest(each) for each in asked.authorization_details}
        return frozenset(wanted)

    def single_claims(self, asked: AuthorizationRequest) -> tuple[str, ...]:
        """Claims asked by the claims parameter that no asked scope releases anyway."""
        if asked.claims is claims_request.NO_CLAIMS:
            return ()
        released = {claim for name in asked.scope if name in self._scopes for claim in self._scopes[name].claims}
        released |= claims_request.AUTHENTICATION_CLAIMS
        return tuple(name for name in claims_request.names(asked.claims) if name not in released)

    async def remembered(self, subject: Subject, client_id: str) -> frozenset[str]:
        """What this user's remembered consent to this client covers."""
        found = await self._store.get(Consent, self._id(subject, client_id))
        return frozenset(found.granted) if found is not None else frozenset()

    async def remember(self, subject: Subject, client_id: str, granted: Iterable[str]) -> None:
        """Keep a yes; it adds to what was allowed before. Durable when this returns."""
        if self._ttl <= 0:
            return
        now = self._tools.clock()
        lasting = frozenset(each for each in granted if not each.startswith(_DETAIL))
        consent = Consent(
            id=self._id(subject, client_id),
            issuer=self._issuer,
            expires_at=now + self._ttl,
            user=user_key(subject),
            client_id=client_id,
            granted=tuple(sorted(await self.remembered(subject, client_id) | lasting)),
            granted_at=now,
        )
        await self._store.commit(Change(put=(consent,)))

    async def of_user(self, subject: Subject) -> tuple[Consent, ...]:
        """Every remembered consent of a user at this issuer, latest first."""
        found = await self._store.find(Consent, "user", user_key(subject))
        own = [consent for consent in found if consent.issuer == self._issuer]
        return tuple(sorted(own, key=lambda consent: (-consent.granted_at, consent.client_id)))

    async def revoke(self, subject: Subject, client_id: str) -> int:
        """End a consent and, in the same step, all codes and tokens of that user at that client."""
        kinds = (Consent, AuthorizationCode, AccessToken, RefreshToken, PendingAuthorization)
        key = "\x1f".join((self._issuer, user_key(subject), client_id))
        granted = [each for kind in kinds[2:4] for each in await self._store.find(kind, "user_client", key)]
        ended = await self._store.delete_by(kinds, "user_client", key)
        # What other clients got for these tokens by token exchange.
        for authorization_id in {each.authorization.id for each in granted}:
            ended += await self._store.delete_by((AccessToken,), "authorization_id", authorization_id)
        return ended

    def _id(self, subject: Subject, client_id: str) -> str:
        return handles.stored_id("\x1f".join((self._issuer, user_key(subject), client_id)))


def _is_asked(scope: Scope) -> bool:
    # A scope that selects a policy is about how the user logs in: nothing is given away by it.
    return scope.consent and scope.selects_policy is None


def shown(granted: Iterable[str]) -> tuple[str, ...]:
    """The names of scopes, claims and resources as the user reads them."""
    return tuple(name.removeprefix(_CLAIM).removeprefix(_RESOURCE) for name in granted)
