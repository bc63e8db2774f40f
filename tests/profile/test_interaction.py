"""The decision about what comes next, alone."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.config.declared.access import Policy, Step
from appliance.config.declared.profile import AcrLevel
from appliance.profile.sign_on.acr import Levels
from appliance.profile.sign_on.interaction import (
    AskConsent,
    Authenticate,
    Done,
    Refuse,
    SelectAccount,
    Situation,
    next_step,
)
from appliance.protocol.authorization import Subject
from appliance.protocol.authorization_request import AuthorizationRequest, read
from appliance.protocol.form import Params
from appliance.protocol.records import Proof, Session
from tests.support.minting import CLIENT

NOW = 1_000_000.0


def policy(*steps: str, max_age: int | None = None) -> Policy:
    return Policy(tuple(Step(step) for step in steps), (), max_age, MappingProxyType({}))


POLICIES = {"a": policy("pass"), "b": policy("pass", "code", max_age=1000), "c": policy("card")}
LEVELS = Levels(levels=(AcrLevel("1", "a"), AcrLevel("2", "b"), AcrLevel("3", "c")), policies=POLICIES, default=None)
STEPS = {"1": {"pass"}, "2": {"pass", "code"}, "3": {"card"}}


def asked(**parameters: str) -> AuthorizationRequest:
    defaults = {"client_id": "c", "response_type": "code", "scope": "openid"}
    return read(Params((defaults | parameters).items()))


def session(**proofs: float) -> Session:
    made = tuple(Proof(name, (name,), at) for name, at in proofs.items())
    return Session("id", "i", NOW + 1000, "sid", Subject("s", "u"), "s\x1fu", "u", made, NOW, NOW, ())


def situation(request: AuthorizationRequest | None = None, of: Session | None = None, **facts: object) -> Situation:
    plain = Situation(
        asked=request or asked(),
        client=CLIENT,
        session=of,
        right_user=True,
        has_accounts=of is not None,
        proved=(),
        selected=False,
        policies=(),
        began_at=NOW,
        wanted=frozenset(),
        remembered=frozenset(),
        consented=None,
    )
    return replace(plain, **facts)  # type: ignore[arg-type]


def refusal(decision: object) -> str:
    assert isinstance(decision, Refuse), decision
    return decision.error.error


def test_begins_with_the_first_authenticator_of_the_default_level() -> None:
    step = next_step(LEVELS, situation())
    assert isinstance(step, Authenticate) and (step.authenticator, step.known) == ("pass", False)


@pytest.mark.parametrize(
    ("acr", "proofs", "missing"),
    [
        ("1", {"pass": 1}, None),
        ("2", {"pass": 1}, "code"),
        ("2", {"code": 1}, "pass"),
        ("2", {"pass": 1, "code": 1}, None),
        ("3", {"pass": 1, "code": 1}, "card"),
        ("1", {"card": 1}, None),
        ("2", {"card": 1}, None),
        ("3", {"card": 1}, None),
        ("1", {"code": 1}, "pass"),
        ("1", {}, "pass"),
        ("2", {"pass": 1001, "code": 1}, "pass"),
        ("2", {"pass": 1000, "code": 1000}, None),
    ],
)
def test_asks_for_what_is_missing_and_no_more(acr: str, proofs: dict[str, int], missing: str | None) -> None:
    of = session(**{name: NOW - age for name, age in proofs.items()})
    step = next_step(LEVELS, situation(asked(acr_values=acr), of))
    if missing is None:
        assert isinstance(step, Done)
    else:
        assert isinstance(step, Authenticate) and (step.authenticator, step.known) == (missing, True)


def test_measures_ages_when_the_request_came() -> None:
    of = session(**{"pass": NOW - 99})
    assert isinstance(next_step(LEVELS, situation(asked(max_age="100"), of)), Done)
    of = session(**{"pass": NOW - 100})
    assert isinstance(next_step(LEVELS, situation(asked(max_age="100"), of)), Authenticate)
    assert isinstance(next_step(LEVELS, situation(asked(max_age="100"), of, proved=("pass",))), Done)
    client = replace(CLIENT, default_max_age=100)
    assert isinstance(next_step(LEVELS, situation(asked(), of, client=client)), Authenticate)
    assert isinstance(next_step(LEVELS, situation(asked(max_age="500"), of, client=client)), Done)


def test_uses_the_client_s_default_acr_values_where_none_is_asked() -> None:
    client = replace(CLIENT, default_acr_values=("x", "2"))
    step = next_step(LEVELS, situation(of=session(**{"pass": NOW}), client=client))
    assert isinstance(step, Authenticate) and step.authenticator == "code"
    assert isinstance(
        next_step(LEVELS, situation(asked(acr_values="1"), session(**{"pass": NOW}), client=client)), Done
    )


def test_chooses_an_account_before_anything_else_and_once() -> None:
    request, of = asked(prompt="select_account"), session(**{"pass": NOW})
    assert isinstance(next_step(LEVELS, situation(request, of)), SelectAccount)
    assert isinstance(next_step(LEVELS, situation(request, of, selected=True)), Done)
    assert isinstance(next_step(LEVELS, situation(request)), Authenticate)


def test_refuses_when_somebody_else_logged_in_than_was_asked_for() -> None:
    of = session(**{"pass": NOW})
    step = next_step(LEVELS, situation(of=of, right_user=False))
    assert isinstance(step, Authenticate) and not step.known
    assert refusal(next_step(LEVELS, situation(of=of, right_user=False, proved=("pass",)))) == "login_required"
    assert refusal(next_step(LEVELS, situation(asked(prompt="none"), of, right_user=False))) == "login_required"


@pytest.mark.parametrize(
    ("consent", "prompt", "remembered", "consented", "asks"),
    [
        ("ask", "", set(), None, True),
        ("ask", "", {"a"}, None, False),
        ("ask", "", {"b"}, None, True),
        ("ask", "", set(), {"a"}, False),
        ("ask", "", set(), {"b"}, True),
        ("ask", "consent", {"a"}, None, True),
        ("ask", "consent", set(), {"a"}, False),
        ("always", "", {"a"}, None, True),
        ("always", "", {"a"}, {"a", "b"}, False),
        ("skip_first_party", "", set(), None, False),
        ("skip_first_party", "consent", {"a"}, None, True),
    ],
)
def test_asks_for_consent(
    consent: str, prompt: str, remembered: set[str], consented: set[str] | None, asks: bool
) -> None:
    seen = situation(
        asked(**({"prompt": prompt} if prompt else {})),
        session(**{"pass": NOW}),
        client=replace(CLIENT, op=replace(CLIENT.op, consent=consent)),
        wanted=frozenset({"a"}),
        remembered=frozenset(remembered),
        consented=None if consented is None else frozenset(consented),
    )
    assert isinstance(next_step(LEVELS, seen), AskConsent if asks else Done)
    if not prompt and asks:
        assert refusal(next_step(LEVELS, replace(seen, asked=asked(prompt="none")))) == "consent_required"


NAMES = ("pass", "code", "card")
requests = st.fixed_dictionaries(
    {},
    optional={
        "acr_values": st.sampled_from(["1", "2", "3", "x", "3 1", "x 2"]),
        "prompt": st.sampled_from(
            ["none", "login", "consent", "select_account", "login consent", "select_account login"]
        ),
        "max_age": st.sampled_from(["0", "10", "5000"]),
        "claims": st.sampled_from(
            [
                '{"id_token":{"acr":{"essential":true,"values":["2"]}}}',
                '{"id_token":{"acr":{"essential":true,"value":"9"}}}',
                '{"userinfo":{"acr":{"value":"3"}}}',
            ]
        ),
    },
).map(lambda parameters: asked(**parameters))
situations = st.builds(
    situation,
    requests,
    st.none() | st.dictionaries(st.sampled_from(NAMES), st.floats(NOW - 6000, NOW + 5)).map(lambda p: session(**p)),
    right_user=st.booleans(),
    has_accounts=st.booleans(),
    proved=st.sets(st.sampled_from(NAMES)).map(tuple),
    selected=st.booleans(),
    wanted=st.frozensets(st.sampled_from("ab")),
    remembered=st.frozensets(st.sampled_from("ab")),
    consented=st.none() | st.frozensets(st.sampled_from("ab")),
)


def least(request: AuthorizationRequest) -> str:
    """The weakest level that may answer a request, told independently of the decision."""
    values = [request.claims.id_token.get("acr"), request.claims.userinfo.get("acr")]
    for one in values:
        if one is not None:
            wanted = one.get("values") or [one.get("value")]
            return str(wanted[0])  # type: ignore[index]
    return next((value for value in request.acr_values if value in STEPS), "1")


@settings(deadline=None, max_examples=300)
@given(situations)
def test_never_answers_below_the_required_level_or_about_another_user(seen: Situation) -> None:
    step = next_step(LEVELS, seen)
    if not isinstance(step, Done):
        return
    assert seen.session is not None and seen.right_user
    proofs = {proof.authenticator: proof.at for proof in seen.session.proofs}
    fresh = {name for name in proofs if name in seen.proved}
    if "login" not in seen.asked.prompt:
        limit = 10**9 if seen.asked.max_age is None else seen.asked.max_age
        fresh |= {name for name, at in proofs.items() if NOW - at < limit}
    need = least(seen.asked)
    assert any(STEPS[level] <= fresh for level in STEPS if level >= need)
    assert step.acr is not None and step.acr >= need
    assert step.auth_time <= max(proofs.values())
    assert not ("select_account" in seen.asked.prompt and seen.has_accounts and not seen.selected)


@settings(deadline=None, max_examples=300)
@given(situations)
def test_never_shows_a_page_with_prompt_none(seen: Situation) -> None:
    if "none" in seen.asked.prompt:
        assert isinstance(next_step(LEVELS, seen), Done | Refuse)


@settings(deadline=None, max_examples=300)
@given(situations)
def test_never_asks_for_the_same_authenticator_twice(seen: Situation) -> None:
    """Pass whatever is asked for at a clock that stands still, and the end comes."""
    asked_for: list[str] = []
    for _ in range(10):
        step = next_step(LEVELS, seen)
        if isinstance(step, Done | Refuse):
            break
        if isinstance(step, SelectAccount):
            seen = replace(seen, selected=True)
        elif isinstance(step, AskConsent):
            seen = replace(seen, consented=seen.wanted)
        else:
            assert step.authenticator not in asked_for
            asked_for.append(step.authenticator)
            old = () if seen.session is None else seen.session.proofs
            kept = tuple(proof for proof in old if proof.authenticator != step.authenticator)
            made = replace(session(), proofs=(*kept, Proof(step.authenticator, (), NOW)))
            held = seen.proved if seen.session is not None and seen.right_user else ()
            seen = replace(seen, session=made, right_user=True, selected=True, proved=(*held, step.authenticator))
    else:
        raise AssertionError("goes in a circle")


def test_needs_a_level_or_a_policy() -> None:
    with pytest.raises(ValueError, match="policy"):
        Levels(levels=(), policies={}, default=None)
    assert Levels(levels=(), policies=POLICIES, default=None).default.value == ""
    assert isinstance(
        next_step(Levels(levels=(), policies=POLICIES, default=None), situation(of=session(**{"pass": NOW}))), Done
    )
