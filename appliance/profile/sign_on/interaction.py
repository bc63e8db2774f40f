"""What comes next for an authorization request: one pure decision over everything that is known.

Every page ends by coming back here. Nothing is remembered but facts (who proved what and when, who chose,
who consented), so a step can be left out, repeated or taken in another tab and the answer stays right.
"""

from dataclasses import dataclass
from typing import Final

from appliance.config.declared.access import Policy
from appliance.profile.sign_on.acr import Counts, Level, Levels
from appliance.protocol import claims_request
from appliance.protocol.authorization_request import AuthorizationRequest
from appliance.protocol.client import Client
from appliance.protocol.errors import (
    ConsentRequired,
    InteractionRequired,
    LoginRequired,
    OAuthError,
    UnmetAuthenticationRequirements,
)
from appliance.protocol.frozen import quick
from appliance.protocol.prompt import CONSENT, CREATE, LOGIN, NONE, SELECT_ACCOUNT
from appliance.protocol.records import Proof, Session

#: The values of `op.consent` that ask; the third, `skip_first_party`, asks only on prompt=consent.
CONSENT_ASK: Final = "ask"
CONSENT_ALWAYS: Final = "always"


@quick
@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the decision depends on."""

    asked: AuthorizationRequest
    client: Client
    #: The session that would answer: the one proved or chosen in this interaction, else the current one.
    session: Session | None
    #: Whether the session's user is the one whom id_token_hint and the claims parameter name.
    right_user: bool
    #: Whether this browser has any session that could be chosen.
    has_accounts: bool
    #: Authenticators that this session's user passed within this interaction.
    proved: tuple[str, ...]
    selected: bool
    #: Policies that scopes of the request demand besides the level.
    policies: tuple[Policy, ...]
    #: When the request came, epoch seconds: ages are measured there, so a slow user is not asked twice.
    began_at: float
    #: What consent must cover, what is remembered, and what this user consented to in this interaction.
    wanted: frozenset[str]
    remembered: frozenset[str]
    consented: frozenset[str] | None
    #: The authenticator that somebody passes by making an account; "" where nobody can make one.
    sign_up: str = ""


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Pass this authenticator next. `known`: as the session's user, else whoever logs in."""

    authenticator: str
    policy: Policy
    known: bool
    #: Whether an account that is made now would do as well.
    or_sign_up: bool = False


@dataclass(frozen=True, slots=True)
class SignUp:
    """Show the sign-up page. `instead`: the step of who finds that he has an account already."""

    instead: Authenticate


@dataclass(frozen=True, slots=True)
class SelectAccount:
    """Show the account chooser."""


@dataclass(frozen=True, slots=True)
class AskConsent:
    """Show the consent page."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer the client with this error."""

    error: OAuthError


@quick
@dataclass(frozen=True, slots=True)
class Done:
    """Answer the client: what the proofs amount to (Core 2)."""

    acr: str | None
    amr: tuple[str, ...]
    auth_time: int


Decision = Authenticate | SignUp | SelectAccount | AskConsent | Refuse | Done


@quick
@dataclass(frozen=True, slots=True)
class _Required:
    """The level that must be reached; `exact`: its very value must be in the answer (Core 5.5.1.1)."""

    level: Level
    exact: bool


def next_step(levels: Levels, seen: Situation) -> Decision:
    """The one next step of a request."""
    silent = NONE in seen.asked.prompt
    required = _required(levels, seen)
    if isinstance(required, Refuse):
        return required
    session = seen.session
    if CREATE in seen.asked.prompt and not seen.proved:
        return _sign_up(required.level, seen)
    if SELECT_ACCOUNT in seen.asked.prompt and not seen.selected and seen.has_accounts:
        return SelectAccount()
    if session is None:
        return Refuse(LoginRequired("no user is logged in")) if silent else _first(required.level, seen)
    if not seen.right_user:
        # Core 3.1.2.1, 5.5.1: never an answer about somebody else than the one asked for.
        if silent or seen.proved:
            return Refuse(LoginRequired("another user is logged in"))
        return _first(required.level, seen)
    if (demanded := _demanded(session, seen)) is not None:
        return Refuse(InteractionRequired("a further authentication step is needed")) if silent else demanded
    met = _met(levels, required, session, seen)
    if isinstance(met, Done):
        return _consent(seen, silent) or met
    if silent:
        return Refuse(met)
    return Authenticate(
        required.level.missing(session.proofs, _counts(seen)),
        required.level.policy,
        known=_known(seen),
    )


def _known(seen: Situation) -> bool:
    # prompt=login may be answered by another user; only what follows is about the same one.
    return LOGIN not in seen.asked.prompt or bool(seen.proved)


def _first(level: Level, seen: Situation) -> Authenticate:
    policy = seen.policies[0] if seen.policies else level.policy
    return Authenticate(policy.steps[0].authenticate, policy, known=False, or_sign_up=_new_user_can_pass(level, seen))


def _sign_up(level: Level, seen: Situation) -> SignUp | Refuse:
    """Initiating User Registration 4.1: the sign-up page, whoever is logged in."""
    if not _new_user_can_pass(level, seen):
        # Told before an account is made that would be of no use for this request.
        return Refuse(UnmetAuthenticationRequirements("a new account cannot pass what this request asks for"))
    return SignUp(_first(level, seen))


def _new_user_can_pass(level: Level, seen: Situation) -> bool:
    """Whether an account made now meets the request: by its password alone, and for whoever it will be."""
    steps = {step.authenticate for policy in (level.policy, *seen.policies) for step in policy.steps}
    named = seen.asked.hinted_sub is not None or claims_request.wanted_values(seen.asked.claims, "sub")
    return steps == {seen.sign_up} and not named


def _demanded(session: Session, seen: Situation) -> Authenticate | None:
    """What a scope's policy still asks for; the level is asked for all the same, afterwards."""
    for policy in seen.policies:
        missing = Level("", 0, policy).missing(session.proofs, _counts(seen))
        if missing:
            return Authenticate(missing, policy, known=_known(seen))
    return None


def _required(levels: Levels, seen: Situation) -> _Required | Refuse:
    asked = seen.asked
    values = claims_request.wanted_values(asked.claims, "acr")
    if values and claims_request.is_essential(asked.claims, "acr"):
        level = levels.first_known(values)
        if level is None:
            return Refuse(UnmetAuthenticationRequirements("no requested acr can be reached here"))
        return _Required(level, exact=True)
    wishes = (*values, *asked.acr_values, *seen.client.default_acr_values)
    return _Required(levels.first_known(wishes) or levels.default, exact=False)


def _counts(seen: Situation) -> Counts:
    """Whether a proof counts for this request: by `max_age`, prompt=login and the policy's own age."""
    max_age = seen.client.default_max_age if seen.asked.max_age is None else seen.asked.max_age

    def counts(proof: Proof, policy: Policy) -> bool:
        # A proof made in this very interaction always counts, so nobody is asked in a circle.
        if proof.authenticator in seen.proved:
            return True
        if LOGIN in seen.asked.prompt:
            return False
        age = seen.began_at - proof.at
        # Strictly younger: max_age=0 means prompt=login even within the same second (Core 3.1.2.1).
        if max_age is not None and age >= max_age:
            return False
        return policy.max_age is None or age <= policy.max_age

    return counts


def _met(levels: Levels, required: _Required, session: Session, seen: Situation) -> Done | OAuthError:
    counts = _counts(seen)
    for level in levels.strongest_first(required.level):
        proofs = level.proofs(session.proofs, counts)
        if proofs:
            # A level that was asked as essential is answered by its own value, though more was proved.
            value = required.level.value if required.exact else level.value
            return Done(value or None, _amr(level.policy, proofs), int(min(proof.at for proof in proofs)))
    if any(counts(proof, required.level.policy) for proof in session.proofs):
        return InteractionRequired("a further authentication step is needed")
    return LoginRequired("the user must log in again")


def _amr(policy: Policy, proofs: tuple[Proof, ...]) -> tuple[str, ...]:
    return policy.amr or tuple(dict.fromkeys(method for proof in proofs for method in proof.amr))


def _consent(seen: Situation, silent: bool) -> AskConsent | Refuse | None:
    if seen.consented is not None and seen.wanted <= seen.consented:
        return None
    # RFC 9396 12: what is asked for this one time is allowed this one time.
    always = CONSENT in seen.asked.prompt or bool(seen.asked.authorization_details)
    mode = CONSENT_ALWAYS if always else seen.client.op.consent
    if mode != CONSENT_ALWAYS and (mode != CONSENT_ASK or seen.wanted <= seen.remembered):
        return None
    return Refuse(ConsentRequired("the user must consent first")) if silent else AskConsent()
