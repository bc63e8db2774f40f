"""Sign-up without its pages: when it is the next step, and what is made of what was typed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.declared.sign_up import SignUp as DeclaredSignUp
from appliance.config.declared.sign_up import SignUpField
from appliance.parts.stores.memory import Memory
from appliance.profile.registration.registration_quota import RegistrationQuota
from appliance.profile.sign_on.interaction import Authenticate, Refuse, SelectAccount, SignUp, next_step
from appliance.profile.sign_on.sign_up import Entry
from appliance.profile.sign_on.sign_up import SignUp as Form
from appliance.protocol.authorization import Subject
from appliance.protocol.form import Params
from appliance.seams import LoginTaken, NewAccount, SourceUnavailable, Tools, User
from tests.profile.test_interaction import LEVELS, asked, policy, session, situation

SPEC = "Initiating User Registration via OpenID Connect"
PASSWORD = "correct horse battery"


@pytest.mark.spec(SPEC, "4.1")
def test_create_comes_before_everything_and_once() -> None:
    for of in (None, session(**{"pass": 1_000_000.0})):
        for facts in ({}, {"has_accounts": True}, {"right_user": False}, {"selected": True}):
            decision = next_step(LEVELS, situation(asked(prompt="create"), of, sign_up="pass", **facts))
            assert isinstance(decision, SignUp) and decision.instead.authenticator == "pass"
            assert not decision.instead.known
    proved = situation(asked(prompt="create"), session(**{"pass": 1_000_000.0}), sign_up="pass", proved=("pass",))
    assert not isinstance(next_step(LEVELS, proved), SignUp | Refuse)


@pytest.mark.spec(SPEC, "4.1")
def test_no_account_is_made_for_what_it_cannot_pass() -> None:
    higher = next_step(LEVELS, situation(asked(prompt="create", acr_values="2"), sign_up="pass"))
    assert isinstance(higher, Refuse) and higher.error.error == "unmet_authentication_requirements"
    demanded = situation(asked(prompt="create"), sign_up="pass", policies=(policy("pass", "code"),))
    assert isinstance(next_step(LEVELS, demanded), Refuse)
    same = situation(asked(prompt="create"), sign_up="pass", policies=(policy("pass"),))
    assert isinstance(next_step(LEVELS, same), SignUp)


@pytest.mark.spec(SPEC, "1")
def test_the_login_offers_sign_up_to_whom_it_would_serve() -> None:
    def offered(**facts: Any) -> bool:
        parameters = facts.pop("parameters", {})
        decision = next_step(LEVELS, situation(asked(**parameters), **{"sign_up": "pass"} | facts))
        assert isinstance(decision, Authenticate), decision
        return decision.or_sign_up

    assert offered()
    assert not offered(sign_up="")
    assert not offered(parameters={"acr_values": "2"})
    assert not offered(parameters={"claims": '{"id_token":{"sub":{"value":"x"}}}'})
    hinted = replace(asked(), hinted_sub="x")
    decision = next_step(LEVELS, replace(situation(sign_up="pass"), asked=hinted))
    assert isinstance(decision, Authenticate) and not decision.or_sign_up
    chooser = next_step(LEVELS, situation(asked(prompt="select_account"), session(**{"pass": 1.0}), sign_up="pass"))
    assert isinstance(chooser, SelectAccount)


class Maker:
    """Remembers what it was asked to make."""

    password_min_length = 8

    def __init__(self, failure: Exception | None = None) -> None:
        self.made: list[NewAccount] = []
        self.failure = failure

    def account_faults(self, login: str, password: str) -> Mapping[str, str]:
        return {"password": "short_password"} if len(password) < 8 else {}

    async def make_account(self, asked: NewAccount) -> User:
        if self.failure is not None:
            raise self.failure
        self.made.append(asked)
        return User(Subject("people", "1"), asked.login, asked.attributes, active=True)


def form(maker: Maker, *fields: SignUpField, quota: int = 100) -> Form:
    """A sign-up form of these fields."""
    tools = Tools(clock=lambda: 1_000_000.0, entropy=bytes)
    counter = RegistrationQuota(issuer="i", quota=quota, store=Memory(tools), tools=tools, what="sign_up")
    declared = DeclaredSignUp(source="people", fields=fields, quota=quota)
    return Form(declared=declared, maker=maker, authenticator="pass", quota=counter)


def field(claim: str, attribute: str | None = None, *, required: bool = False) -> SignUpField:
    return SignUpField(claim, attribute, {}, required)


def typed(**fields: str) -> Params:
    return Params(({"username": "anna", "password": PASSWORD} | fields).items())


async def test_answers_become_attributes_where_they_are_declared() -> None:
    maker = Maker()
    made = form(maker, field("email"), field("name", "person.name"), field("phone_number", "person.phone"), field("x"))
    entry = made.read(
        Params({"username": "anna", "field-email": " a@b.example ", "field-name": "A\u0308nna", "password": PASSWORD,
                "field-phone_number": "+358 40-123 4567", "csrf": "z"}.items())
    )  # fmt: skip
    assert entry.faults == {}
    await made.make(entry, PASSWORD, "form", "192.0.2.1")
    assert maker.made[0].attributes == {
        "email": "a@b.example",
        "person": {"name": "Änna", "phone": "+358401234567"},
    }


@pytest.mark.parametrize(
    ("claim", "good", "bad", "fault"),
    [
        ("email", ["a@b.example", "ä+x@sub.b.example", "o'hara@b.example"],
         ["a", "a@b", "@b.example", "a b@c.example", "a@b..c", "a@b.example,c@d.example", "<a@b.example>"],
         "wrong_email"),
        ("phone_number", ["+358401234567", "(040) 123-4567", "12345"], ["1", "+", "abc", "++1234567", "１２３４５６"],
         "wrong_phone"),
        ("birthdate", ["1990-12-31", "2000-02-29"], ["31.12.1990", "1990-13-01", "2001-02-29", "1990-1-1"],
         "wrong_date"),
        ("website", ["https://a.example", "http://a.example/x?y#z"],
         ["javascript:alert(1)", "//a.example", "a.example", "https://u@a.example", "data:text/html,x"], "wrong_url"),
        ("nickname", ["x", "Seán O'Brien 🎻", "l" * 200], ["a\u202eb", "a\0b", "x" * 201, "a\u2028b", "\ue000"],
         "wrong_field"),
    ],
)  # fmt: skip
def test_answers_have_the_form_of_their_claims(claim: str, good: list[str], bad: list[str], fault: str) -> None:
    made = form(Maker(), field(claim))
    for answer in good:
        assert made.read(typed(**{f"field-{claim}": answer})).faults == {}, answer
    for answer in bad:
        assert made.read(typed(**{f"field-{claim}": answer})).faults.get(f"field-{claim}") == fault, answer


async def test_every_fault_is_told_at_once_and_in_the_order_of_the_fields() -> None:
    made = form(Maker(), field("email", required=True), field("name", required=True))
    page = made.page(made.read(Params([("field-name", "a\0")])), "/login")
    assert [(fault.href, fault.error) for fault in page.faults] == [
        ("#login", "missing_login"),
        ("#field-email", "missing_field"),
        ("#field-name", "wrong_field"),
        ("#password", "missing_password"),
    ]
    assert (page.error, page.login_error, page.password_error) == ("missing_login", "missing_login", "missing_password")


@pytest.mark.parametrize(
    ("failure", "fault"),
    [(LoginTaken(), {"login": "login_taken"}), (SourceUnavailable(), {"": "sign_up_unavailable"})],
)
async def test_what_fails_meanwhile_is_told_and_keeps_what_was_typed(failure: Exception, fault: dict[str, str]) -> None:
    made = form(Maker(failure), field("email"))
    entry = made.read(typed(**{"field-email": "a@b.example"}))
    after = await made.make(entry, PASSWORD, "form", "192.0.2.1")
    assert after == Entry("anna", {"field-email": "a@b.example"}, fault)


@given(st.dictionaries(st.sampled_from(["username", "password", "field-email", "field-name", "x"]), st.text()))
def test_no_form_breaks_it_and_no_password_is_kept(fields: dict[str, str]) -> None:
    made = form(Maker(), field("email", required=True), field("name"))
    secret = fields.get("password", "")
    entry = made.read(Params(fields.items()))
    page = made.page(entry, "/login")
    assert bool(entry.faults) == bool(page.faults) == bool(page.error)
    if len(secret) > 7 and secret not in "".join(fields[name] for name in fields if name != "password"):
        assert secret not in repr((entry, page))
