"""Sign-up: what somebody types who makes an account, judged, and the account made of it.

Nothing that is typed is verified, so it never says who somebody is: the login name is his because nobody had it,
and everything else is hearsay that he tells about himself.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.config.declared.sign_up import SignUp as DeclaredSignUp
from appliance.config.declared.sign_up import SignUpField
from appliance.profile.registration.registration_quota import RegistrationQuota
from appliance.profile.sign_on.acr import Levels
from appliance.protocol import login_name
from appliance.protocol.errors import TooManyRequests
from appliance.protocol.form import Params
from appliance.protocol.pages import FaultView, SignUpFieldView, SignUpPage
from appliance.seams import (
    AccountMaker,
    LoginTaken,
    NewAccount,
    Source,
    SourceUnavailable,
    Store,
    Tools,
    User,
)

LOGIN: Final = "login"
PASSWORD: Final = "password"
#: Where a fault belongs that no field can mend.
NOWHERE: Final = ""
#: Characters of one answer.
MAX_VALUE: Final = 200

_PREFIX: Final = "field-"
_PHONE_MARKS: Final = str.maketrans("", "", " \u00a0-()./")
_PHONE: Final = re.compile(r"\+?[0-9]{5,15}", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@,;<>\"]{1,64}@[^\s@.,;<>\"]+(?:\.[^\s@.,;<>\"]+)+")
_URL: Final = re.compile(r"https?://[^\s/?#@\"<>]+(?:[/?#][^\s\"<>]*)?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# HTML, "Autofill", and the type of the input; other claims are plain text that browsers know nothing of.
_INPUTS: Final[Mapping[str, tuple[str, str]]] = {
    "name": ("text", "name"),
    "given_name": ("text", "given-name"),
    "family_name": ("text", "family-name"),
    "middle_name": ("text", "additional-name"),
    "nickname": ("text", "nickname"),
    "gender": ("text", "sex"),
    "email": ("email", "email"),
    "phone_number": ("tel", "tel"),
    "birthdate": ("date", "bday"),
    "website": ("url", "url"),
    "profile": ("url", "off"),
    "picture": ("url", "off"),
}
_OTHER_INPUT: Final = ("text", "off")


@dataclass(frozen=True, slots=True)
class Entry:
    """A form as it was filled in, without the password. `values` and `faults` (message keys) by the field's id."""

    login: str
    values: Mapping[str, str]
    faults: Mapping[str, str]


class SignUp:
    """The sign-up of one profile."""

    def __init__(
        self, *, declared: DeclaredSignUp, maker: AccountMaker, authenticator: str, quota: RegistrationQuota
    ) -> None:
        #: The authenticator that asks for the password from now on, and that making the account passes.
        self.authenticator = authenticator
        self._fields = {f"{_PREFIX}{each.claim}": each for each in declared.fields}
        self._maker = maker
        self._quota = quota

    def read(self, form: Params) -> Entry:
        """What was typed, with everything that is wrong with it by itself."""
        login, password = form.get("username", ""), form.get("password", "")
        values = {at: form.get(at, "").strip()[: MAX_VALUE + 1] for at in self._fields}
        wrong = self._maker.account_faults(login, password)
        faults = {
            LOGIN: wrong.get(LOGIN, "") if login.strip() else "missing_login",
            PASSWORD: wrong.get(PASSWORD, "") if password else "missing_password",
            **{at: _fault(field, values[at]) for at, field in self._fields.items()},
        }
        shown = login[: login_name.MAX_LENGTH]
        return Entry(shown, values, {at: fault for at, fault in faults.items() if fault})

    async def make(self, entry: Entry, password: str, key: str, peer: str) -> User | Entry:
        """The new user of a form without faults, or the form with the fault that appeared meanwhile.

        `key` tells who asks: the same form, sent twice, makes one account.
        """
        try:
            await self._quota.count(peer)
            return await self._maker.make_account(NewAccount(entry.login, password, self._attributes(entry), key))
        except TooManyRequests:
            fault = {NOWHERE: "too_many_accounts"}
        except LoginTaken:
            fault = {LOGIN: "login_taken"}
        except SourceUnavailable:
            fault = {NOWHERE: "sign_up_unavailable"}
        return replace(entry, faults=fault)

    def page(self, entry: Entry, sign_in: str) -> SignUpPage:
        """The page that shows a form; `sign_in` is the address of the login page."""
        faults = entry.faults
        order = (LOGIN, *self._fields, PASSWORD, NOWHERE)
        found = tuple(self._fault_view(at, faults[at]) for at in order if at in faults)
        return SignUpPage(
            login=entry.login,
            login_error=faults.get(LOGIN, ""),
            password_error=faults.get(PASSWORD, ""),
            password_min_length=self._maker.password_min_length,
            fields=tuple(
                _field_view(at, field, entry.values.get(at, ""), faults.get(at, ""))
                for at, field in self._fields.items()
            ),
            faults=found,
            error=found[0].error if found else "",
            sign_in=sign_in,
        )

    def _fault_view(self, at: str, fault: str) -> FaultView:
        field = self._fields.get(at)
        claim, label = ("", {}) if field is None else (field.claim, field.label)
        return FaultView(href=f"#{at}" if at else "", error=fault, claim=claim, label=label)

    def _attributes(self, entry: Entry) -> Mapping[str, object]:
        document: dict[str, object] = {}
        for at, field in self._fields.items():
            value = entry.values[at]
            if not value:
                continue
            place = document
            for step in field.steps[:-1]:
                inner = place.setdefault(step, {})
                if not isinstance(inner, dict):
                    raise ValueError(f"two fields claim the attribute {step}")
                place = inner
            place[field.steps[-1]] = _normal(field, value)
        return document


def open_sign_up(
    declared: DeclaredProfile, levels: Levels, sources: Mapping[str, Source], store: Store, tools: Tools
) -> SignUp | None:
    """The sign-up of a profile; None where nobody can make an account. ValueError for a source without them."""
    settings = declared.sign_up
    if settings is None:
        return None
    maker = sources[settings.source]
    if not isinstance(maker, AccountMaker):
        raise ValueError(f"nobody can make an account in source {settings.source}")
    return SignUp(
        declared=settings,
        maker=maker,
        authenticator=levels.lowest.policy.steps[0].authenticate,
        quota=RegistrationQuota(issuer=declared.issuer, quota=settings.quota, store=store, tools=tools, what="sign_up"),
    )


def _input(field: SignUpField) -> tuple[str, str]:
    return _INPUTS.get(field.claim, _OTHER_INPUT)


def _field_view(at: str, field: SignUpField, value: str, error: str) -> SignUpFieldView:
    kind, autocomplete = _input(field)
    return SignUpFieldView(
        id=at,
        type=kind,
        claim=field.claim,
        label=field.label,
        autocomplete=autocomplete,
        required=field.required,
        value=value[:MAX_VALUE],
        error=error,
    )


def _normal(field: SignUpField, value: str) -> str:
    if _input(field)[0] == "tel":
        # E.164 as far as it can be told (Core 5.1).
        return value.translate(_PHONE_MARKS)
    return unicodedata.normalize("NFC", value)


def _fault(field: SignUpField, value: str) -> str:
    """The message key of what is wrong with an answer, "" when nothing is."""
    if not value:
        return "missing_field" if field.required else ""
    if len(value) > MAX_VALUE or any(map(_is_invisible, value)):
        return "wrong_field"
    match _input(field)[0]:
        case "email":
            return "" if _EMAIL.fullmatch(value) else "wrong_email"
        case "tel":
            return "" if _PHONE.fullmatch(value.translate(_PHONE_MARKS)) else "wrong_phone"
        case "url":
            return "" if _URL.fullmatch(value) else "wrong_url"
        case "date":
            return "" if _is_day(value) else "wrong_date"
        case _:
            return ""


def _is_invisible(character: str) -> bool:
    # Control characters and marks that turn the direction would let a name look like another on every page.
    category = unicodedata.category(character)
    return category in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") or (category == "Cf" and character not in "\u200c\u200d")


def _is_day(value: str) -> bool:
    if not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
