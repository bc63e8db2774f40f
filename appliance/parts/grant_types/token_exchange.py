"""grant_type=urn:ietf:params:oauth:grant-type:token-exchange (RFC 8693): one token for another, with less in it.

Whatever no policy of the profile allows is refused. What comes of an exchange has no scope that the subject token
had not, and ends no later: by the clock, and when what the subject token came of is revoked.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from appliance.config.declared.grants import ExchangePolicy
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.protocol import base64url, token_exchange
from appliance.protocol import resource as resources
from appliance.protocol import scope as scopes
from appliance.protocol.authorization import Authorization, ClaimsRequest
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequest, InvalidScope, InvalidTarget, UnauthorizedClient
from appliance.protocol.form import Params
from appliance.protocol.records import AccessToken
from appliance.seams import Change, Redeemed, Store, Tools, User

_TYPES: Final = (token_exchange.ACCESS_TOKEN, token_exchange.JWT)
_ENDED = "the subject token is not valid any more"


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A subject or actor token that was proved to be good at this moment."""

    #: The last word of its type's URN: "access_token", "id_token" or "jwt".
    token_type: str
    #: Who issued it: us, or the trusted issuer.
    issuer: str
    #: To whom, where that was us; "" otherwise.
    client_id: str
    #: Of whom it is; None where a client has it for itself.
    user: User | None
    audience: tuple[str, ...]
    #: What it allows; None where it says nothing of that.
    scope: tuple[str, ...] | None
    ends_at: float
    #: What its user proved, and whatever else was granted; of a token of others only the empty frame of it.
    authorization: Authorization
    #: Whether it counts only with a proof of a key.
    bound: bool
    may_act: object
    #: The record that it lives as long as, where it has one.
    record: AccessToken | None


class PresentedTokens(Protocol):
    """Reads the tokens that are presented for exchange."""

    async def read(self, token: str, token_type: str, parameter: str) -> PresentedToken:
        """The token in a parameter. InvalidRequest: not good; SourceUnavailable, StoreUnavailable."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parameters of one request (RFC 8693 2.1)."""

    subject_token: str
    subject_type: str
    actor_token: str | None
    actor_type: str
    issued_type: str
    audience: tuple[str, ...]
    resource: tuple[str, ...]
    scope: tuple[str, ...] | None


class TokenExchange:
    """Exchanges tokens by the policies of a profile."""

    name = "urn:ietf:params:oauth:grant-type:token-exchange"
    parameters = frozenset(
        {
            *("subject_token", "subject_token_type", "actor_token", "actor_token_type"),
            *("requested_token_type", "audience", "resource", "scope"),
        }
    )

    def __init__(
        self,
        *,
        store: Store,
        tools: Tools,
        issuer: str,
        profile: DeclaredProfile,
        presented: PresentedTokens,
        sub: Callable[[User, Client], Awaitable[str]],
    ) -> None:
        self._entropy = tools.entropy
        self._issuer = issuer
        self._policies = profile.token_exchange.policies
        self._scopes = frozenset(profile.scopes)
        self._resources = profile.resources
        self._presented = presented
        self._sub = sub

    async def authorize(self, form: Params, client: Client) -> Redeemed:
        """What a policy makes of the tokens. UnauthorizedClient, InvalidRequest, InvalidTarget, InvalidScope."""
        policies = [each for each in self._policies if client.client_id in each.clients]
        if client.is_public or not policies:
            raise UnauthorizedClient("the client may not exchange tokens")
        asked = _read(form)
        policies = _of_actor(policies, asked)
        subject = await self._presented.read(asked.subject_token, asked.subject_type, "subject_token")
        policy = _of_target(_of_subject(policies, subject), asked)
        targets = _targets(policy, asked)
        if asked.issued_type == token_exchange.JWT and self._formats(targets, client) != {"jwt"}:
            raise InvalidRequest("no JWT is issued to this client", parameter="requested_token_type")
        act = await self._act(policy, asked, subject, client)
        scope = self._scope(policy, asked, subject, client)
        refreshable = policy.refresh_token and "refresh_token" in client.grant_types
        return Redeemed(
            authorization=await self._authorization(policy, subject, targets, scope, act, client),
            scope=scope,
            # The subject token must still be there when there is something to show for it.
            change=Change(expect=() if subject.record is None else (subject.record,)),
            lost=_ended,
            begins_family=refreshable,
            refresh_token=None,
            ends_at=subject.ends_at,
            with_id_token=False,
            # One way only: who exchanges a token cannot end what it came of. What can be refreshed goes on alone.
            ends_with=None if refreshable or subject.record is None else subject.record.authorization_id,
            issued_token_type=asked.issued_type,
        )

    def _formats(self, targets: tuple[str, ...], client: Client) -> set[str]:
        """The forms that tokens for these targets have."""
        declared = [self._resources[name].access_token_format for name in targets if name in self._resources]
        found = {each or client.op.access_token_format for each in declared}
        return found if targets and len(declared) == len(targets) else {*found, client.op.access_token_format}

    async def _act(
        self, policy: ExchangePolicy, asked: _Asked, subject: PresentedToken, client: Client
    ) -> Mapping[str, object] | None:
        """The `act` claim of the new token. InvalidRequest."""
        own = {"sub": client.client_id, "client_id": client.client_id}
        actor = own
        if asked.actor_token is not None:
            presented = await self._presented.read(asked.actor_token, asked.actor_type, "actor_token")
            actor = await self._actor(policy, presented, client)
        # Members that say more of the actor than `act` does, to compare with.
        named = {"iss": self._issuer, **actor}
        if subject.may_act is not None and not token_exchange.may_act(subject.may_act, named):
            raise _unacceptable("subject_token", "its may_act is of somebody else")
        before = subject.authorization.act
        # Who passes for the user does not make those forgotten who acted before.
        act = before if policy.actor == "none" else token_exchange.chain(actor, before)
        if token_exchange.depth(act) > policy.max_act_depth:
            raise _unacceptable("subject_token", "too many would have acted one for another")
        return act

    async def _actor(self, policy: ExchangePolicy, actor: PresentedToken, client: Client) -> dict[str, str]:
        if actor.bound and not policy.sender_constrained:
            raise _unacceptable("actor_token", "it counts only with a proof of its key")
        if actor.authorization.act is not None:
            raise _unacceptable("actor_token", "somebody acts for the actor himself")
        if actor.may_act is not None:
            raise _unacceptable("actor_token", "it says who else may act for the actor")
        if actor.token_type == "jwt":
            if actor.issuer not in policy.subject.issuers or actor.user is None:
                raise _unacceptable("actor_token", "its issuer is not that of a policy")
        elif actor.client_id not in {client.client_id, *policy.actor_clients}:
            raise _unacceptable("actor_token", "it is of another client")
        if actor.user is None:
            return {"sub": actor.client_id, "client_id": actor.client_id}
        # As the new token's client knows him, and nobody else's client does (Core 8).
        return {"sub": await self._sub(actor.user, client)}

    def _scope(self, policy: ExchangePolicy, asked: _Asked, subject: PresentedToken, client: Client) -> tuple[str, ...]:
        """What was asked of what all allow: the policy, the subject token and the client. InvalidScope."""
        usable = set(client.scope) & self._scopes
        # With a refresh token there would be ID Tokens, and the user did not log in at this client.
        usable.discard(scopes.OPENID if policy.refresh_token else scopes.OFFLINE_ACCESS)
        allowed = tuple(
            name for name in policy.scope if name in usable and (subject.scope is None or name in subject.scope)
        )
        if asked.scope is None:
            return allowed
        if not set(asked.scope) <= set(allowed):
            raise InvalidScope("a scope is not to be had for this token", parameter="scope")
        return asked.scope

    async def _authorization(
        self,
        policy: ExchangePolicy,
        subject: PresentedToken,
        targets: tuple[str, ...],
        scope: tuple[str, ...],
        act: Mapping[str, object] | None,
        client: Client,
    ) -> Authorization:
        before = subject.authorization
        user = subject.user
        return Authorization(
            id=base64url.encode(self._entropy(24)),
            issuer=self._issuer,
            client_id=client.client_id,
            subject=None if user is None else user.subject,
            # A client that has its token for itself goes on as itself.
            sub=subject.client_id if user is None else await self._sub(user, client),
            scope=scope,
            # Nothing of what a user was asked for another client's own use is this one's.
            claims=ClaimsRequest({}, {}),
            acr=before.acr,
            amr=before.amr,
            auth_time=before.auth_time,
            nonce=None,
            sid=before.sid,
            auth_time_required=False,
            claims_locales=before.claims_locales,
            resource=targets,
            # The token endpoint asks for a proof of this key.
            confirmation=None if policy.sender_constrained else before.confirmation,
            act=act,
        )


def _read(form: Params) -> _Asked:
    """The request, as far as it says by itself whether it can be one. InvalidRequest."""
    issued_type = form.get("requested_token_type", token_exchange.ACCESS_TOKEN)
    if issued_type not in _TYPES:
        raise InvalidRequest("no token of this type is issued", parameter="requested_token_type")
    actor_token = form.get("actor_token")
    if actor_token is None and "actor_token_type" in form:
        raise InvalidRequest("actor_token_type without actor_token", parameter="actor_token_type")
    scope = form.get("scope")
    return _Asked(
        subject_token=form.require("subject_token"),
        subject_type=form.require("subject_token_type"),
        actor_token=actor_token,
        actor_type="" if actor_token is None else form.require("actor_token_type"),
        issued_type=issued_type,
        audience=_audience(form.all(token_exchange.AUDIENCE)),
        resource=resources.read(form.all(resources.RESOURCE)),
        scope=None if scope is None else scopes.read(scope),
    )


def _audience(names: Sequence[str]) -> tuple[str, ...]:
    if len(names) > resources.MAX_COUNT:
        raise InvalidTarget("too many audiences are named", parameter=token_exchange.AUDIENCE)
    return tuple(dict.fromkeys(names))


def _of_actor(policies: Sequence[ExchangePolicy], asked: _Asked) -> list[ExchangePolicy]:
    """The policies that take, or do not need, an actor token. InvalidRequest."""
    found = [each for each in policies if (each.actor == "token") == (asked.actor_token is not None)]
    if not found:
        words = "actor_token is needed" if asked.actor_token is None else "no actor_token is taken"
        raise InvalidRequest(words, parameter="actor_token")
    return found


def _of_subject(policies: Sequence[ExchangePolicy], subject: PresentedToken) -> list[ExchangePolicy]:
    """The policies that take this subject token. InvalidRequest (RFC 8693 2.2.2)."""
    found = [each for each in policies if _takes(each, subject)]
    if not found:
        raise _unacceptable("subject_token", "no policy takes it from this client")
    if subject.bound and subject.authorization.confirmation is None:
        # No request can prove the key of a token that is not ours.
        found = [each for each in found if each.sender_constrained]
        if not found:
            raise _unacceptable("subject_token", "it counts only with a proof of its key")
    return found


def _takes(policy: ExchangePolicy, subject: PresentedToken) -> bool:
    wanted = policy.subject
    if subject.token_type not in wanted.token_types:
        return False
    if wanted.audience and not set(wanted.audience) & set(subject.audience):
        return False
    if subject.token_type == "jwt":
        return subject.issuer in wanted.issuers
    return subject.client_id in wanted.clients


def _of_target(policies: Sequence[ExchangePolicy], asked: _Asked) -> ExchangePolicy:
    """The first policy that lets the request have its targets. InvalidTarget."""
    for each in policies:
        if set(asked.audience) <= set(each.audience) and set(asked.resource) <= set(each.resource):
            return each
    raise InvalidTarget("no token is issued for this target", parameter="audience" if asked.audience else "resource")


def _targets(policy: ExchangePolicy, asked: _Asked) -> tuple[str, ...]:
    named = (*asked.audience, *asked.resource)
    return named or (*policy.audience, *policy.resource)


def _unacceptable(parameter: str, detail: str) -> InvalidRequest:
    return InvalidRequest(f"{parameter} is not acceptable", detail=detail, parameter=parameter)


async def _ended() -> Redeemed:
    raise InvalidRequest(_ENDED, detail="the subject token ended meanwhile", parameter="subject_token")
