"""The mint: an Authorization in, tokens out. Nothing else of the provider issues a code or a token.

Whatever is issued in one answer is stored in one step, together with what consumes the proof it was issued
for: either all of it exists, or none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.profile.claims import ClaimsRelease, Placement
from appliance.profile.resources import Resources
from appliance.profile.standing import Standing
from appliance.profile.tokens.access_tokens import AccessTokens, IssuedAccessToken
from appliance.profile.tokens.id_tokens import IdTokens
from appliance.profile.tokens.response_protection import UNSECURED
from appliance.profile.tokens.sender_constraint import token_type
from appliance.protocol import authorization_details
from appliance.protocol.authorization import Authorization, Confirmation
from appliance.protocol.client import Client
from appliance.protocol.errors import AccessDenied, InvalidGrant, ServerError, TemporarilyUnavailable
from appliance.protocol.frozen import changed, quick
from appliance.protocol.handles import AUTHORIZATION_CODE, REFRESH_TOKEN, issue, stored_id
from appliance.protocol.records import AccessToken, AuthorizationCode, Record, RefreshToken
from appliance.protocol.scope import OFFLINE_ACCESS
from appliance.seams import Change, Redeemed, Store, Tools, User

#: How often a lost step is judged again before the answer is "later".
_TRIES: Final = 4


@quick
@dataclass(frozen=True, slots=True)
class CodeBinding:
    """What a code is bound to: redirect URI (None: not asked), S256 challenge, whether it may refresh."""

    redirect_uri: str | None
    code_challenge: str | None
    offline: bool


class Tokens:
    """Issues codes and tokens, and reads them back."""

    def __init__(
        self,
        *,
        declared: DeclaredProfile,
        access_tokens: AccessTokens,
        id_tokens: IdTokens,
        claims: ClaimsRelease,
        standing: Standing,
        store: Store,
        tools: Tools,
    ) -> None:
        self._ttl = declared.ttl
        self._grants_are_managed = bool(declared.grant_management.actions)
        self._issuer = declared.issuer
        self._access_tokens = access_tokens
        self._id_tokens = id_tokens
        self._claims = claims
        self._resources = Resources(declared=declared, allowed_scopes=claims.allowed_scopes)
        self._standing = standing
        self._store = store
        self._tools = tools

    async def front_channel(
        self,
        authorization: Authorization,
        client: Client,
        response_type: frozenset[str],
        binding: CodeBinding,
        state: str | None,
    ) -> tuple[tuple[str, str], ...]:
        """What an authorization response carries for a response type, without `state` (Core 3.1.2.5)."""
        answer: list[tuple[str, str]] = []
        records: list[Record] = []
        code = access_token = None
        if "code" in response_type:
            code = issue(AUTHORIZATION_CODE, self._tools.entropy)
            records.append(self._code_record(code, authorization, client, binding))
            answer.append(("code", code))
        if "token" in response_type:
            issued = await self._access_token(authorization, client, None)
            access_token = issued.token
            records.append(issued.record)
            answer += [
                ("access_token", access_token),
                ("token_type", token_type(authorization.confirmation)),
                ("expires_in", str(issued.expires_in)),
            ]
            if issued.record.authorization.scope:
                answer.append(("scope", " ".join(issued.record.authorization.scope)))
        if "id_token" in response_type:
            if client.id_token_signed_response_alg == UNSECURED:
                # Core 2: never from the authorization endpoint, where anybody could have written it.
                raise ServerError(detail="an unsigned ID Token was asked for in front")
            user = await self._user(authorization)
            token = await self._id_tokens.issue(
                authorization, client, user, access_token=access_token, code=code, state=state
            )
            answer.append(("id_token", token))
        if records and not await self._store.commit(Change(put=tuple(records))):
            raise ServerError(detail="a step without expectations was refused by the store")
        return tuple(answer)

    async def issue(
        self, redeemed: Redeemed, client: Client, user: User | None, confirmation: Confirmation | None = None
    ) -> Mapping[str, object]:
        """The token response (RFC 6749 5.1, Core 3.1.3.3), committed. InvalidGrant if somebody was first.

        The access token is bound to the key of `confirmation`; so is the refresh token of a public client, which
        has nothing else to prove itself by (RFC 9449 5, RFC 8705 4).
        """
        for _ in range(_TRIES):
            answer, records = await self._mint(redeemed, client, user, confirmation)
            proof = redeemed.change
            change = Change(proof.put + records, proof.delete, proof.expect, proof.absent)
            if await self._store.commit(change):
                return answer
            redeemed = await redeemed.lost()
        raise TemporarilyUnavailable("too many requests used this grant at once")

    async def read_access_token(self, token: str) -> AccessToken:
        """The record of a presented access token, whatever its form. InvalidToken; StoreUnavailable."""
        return await self._access_tokens.read(token)

    def read_id_token_hint(self, token: str) -> Mapping[str, object]:
        """The claims of an ID Token of this issuer, expired or not. InvalidRequest."""
        return self._id_tokens.read_hint(token)

    async def _mint(
        self, redeemed: Redeemed, client: Client, user: User | None, confirmation: Confirmation | None
    ) -> tuple[Mapping[str, object], tuple[Record, ...]]:
        # A scope that a reload took away is not granted any more, whenever it was consented to.
        allowed = self._claims.allowed_scopes(client)
        scope = tuple(name for name in redeemed.scope if name in allowed)
        authorization = redeemed.authorization
        if scope != authorization.scope or confirmation != authorization.confirmation:
            authorization = changed(authorization, scope=scope, confirmation=confirmation)
        if redeemed.resource is not None:
            authorization = changed(authorization, resource=redeemed.resource)
        if redeemed.authorization_details is not None:
            authorization = changed(authorization, authorization_details=redeemed.authorization_details)
        issued = await self._access_token(authorization, client, user, redeemed.ends_at)
        record = issued.record
        if redeemed.ends_with is not None:
            record = changed(record, authorization_id=redeemed.ends_with)
        records: tuple[Record, ...] = (record,)
        answer: dict[str, object] = {
            "access_token": issued.token,
            "token_type": token_type(confirmation),
            "expires_in": issued.expires_in,
        }
        refresh_token = redeemed.refresh_token
        if redeemed.begins_family:
            refresh_token = issue(REFRESH_TOKEN, self._tools.entropy)
            kept, binding = redeemed.authorization, confirmation if client.is_public else None
            if kept.confirmation != binding:
                kept = changed(kept, confirmation=binding)
            records += (self._first_of_family(refresh_token, kept, client),)
        if refresh_token is not None:
            answer["refresh_token"] = refresh_token
        if issued.record.authorization.scope:
            answer["scope"] = " ".join(issued.record.authorization.scope)
        if issued.record.authorization.authorization_details:
            # RFC 9396 7.
            answer["authorization_details"] = list(issued.record.authorization.authorization_details)
        if self._grants_are_managed and redeemed.with_id_token and authorization.subject is not None:
            # Grant Management for OAuth 2.0 5.5; an exchanged token is of somebody else's grant.
            answer |= {} if client.is_public else {"grant_id": authorization.id}
        if redeemed.issued_token_type is not None:
            answer["issued_token_type"] = redeemed.issued_token_type
        if redeemed.with_id_token and "openid" in scope and user is not None:
            answer["id_token"] = await self._id_tokens.issue(
                authorization, client, user, access_token=issued.token, code=None
            )
        return answer, records

    def _code_record(
        self, code: str, authorization: Authorization, client: Client, binding: CodeBinding
    ) -> AuthorizationCode:
        until = self._tools.clock() + (client.op.ttl.authorization_code or self._ttl.authorization_code)
        return AuthorizationCode(
            id=stored_id(code),
            issuer=self._issuer,
            expires_at=until,
            authorization_id=authorization.id,
            authorization=authorization,
            redirect_uri=binding.redirect_uri,
            code_challenge=binding.code_challenge,
            redeemable_until=until,
            redeemed=False,
            offline=binding.offline,
        )

    def _first_of_family(self, handle: str, authorization: Authorization, client: Client) -> RefreshToken:
        now = self._tools.clock()
        until = now + (client.op.ttl.refresh_token_absolute or self._ttl.refresh_token.absolute)
        return RefreshToken(
            id=stored_id(handle),
            issuer=self._issuer,
            expires_at=min(now + (client.op.ttl.refresh_token_idle or self._ttl.refresh_token.idle), until),
            authorization_id=authorization.id,
            # Core 12.2: the nonce answered the authorization request; a refreshed ID Token has none.
            authorization=authorization if authorization.nonce is None else changed(authorization, nonce=None),
            family_until=until,
            rotated_at=0,
            sealed_successor="",
        )

    async def _access_token(
        self, authorization: Authorization, client: Client, user: User | None, ends_at: float | None = None
    ) -> IssuedAccessToken:
        """The access token of an authorization, as all of its resources have it (RFC 8707 2)."""
        if authorization.resource:
            return await self._targeted(authorization, client, user, ends_at)
        claims: Mapping[str, object] = {}
        if client.op.claims_in_access_token and authorization.subject is not None:
            user = user or await self._user(authorization)
            claims = await self._claims.release(authorization, client, user, Placement.ACCESS_TOKEN)
        return self._access_tokens.issue(authorization, client, claims, ends_at)

    async def _targeted(
        self, authorization: Authorization, client: Client, user: User | None, ends_at: float | None
    ) -> IssuedAccessToken:
        """A token with what its resources need and nothing for others."""
        targets = self._resources.targets(authorization.resource)
        claims: Mapping[str, object] = {}
        if targets.claims and authorization.subject is not None:
            user = user or await self._user(authorization)
            claims = await self._claims.release(
                authorization, client, user, Placement.ACCESS_TOKEN, at_resource=targets.claims
            )
        places = (*authorization.resource, *targets.terms.audience)
        narrowed = changed(
            authorization,
            scope=self._resources.scope_of_token(authorization.scope, authorization.resource),
            authorization_details=authorization_details.at(authorization.authorization_details, places),
            # What goes on without the user does so though its scope, which says so, is of no use at a resource.
            sid=None if OFFLINE_ACCESS in authorization.scope else authorization.sid,
        )
        return self._access_tokens.issue(narrowed, client, claims, ends_at, targets)

    async def _user(self, authorization: Authorization) -> User:
        try:
            _, user = await self._standing.check(authorization)
        except InvalidGrant as ended:
            raise AccessDenied(detail=ended.detail) from None
        if user is None:
            raise ServerError(detail="an ID Token was asked for without a subject")
        return user
