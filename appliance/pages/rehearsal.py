"""Every page of every theme rendered with sample values before it may go live.

The same samples are the gallery a designer looks at, and what the tests look at in a browser.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from appliance.pages.context import AUTO_SUBMIT_SCRIPT
from appliance.pages.markup import lint_markup
from appliance.pages.problems import MESSAGE, REHEARSAL, ThemeProblem
from appliance.pages.rendering import Face, Staging, logout_frames, stage
from appliance.pages.theme import CompiledTheme, locales_of, template_problem
from appliance.protocol.client import NOBODY, Client
from appliance.protocol.pages import (
    AccountsPage,
    AccountView,
    ApprovalPage,
    ApprovalsPage,
    ConsentPage,
    ConsentsPage,
    ConsentView,
    DecidedPage,
    DetailField,
    DetailView,
    DevicePage,
    ErrorPage,
    FaultView,
    FormPostPage,
    LoggedOutPage,
    LoginPage,
    LogoutPage,
    OtpPage,
    Page,
    PageReply,
    RequestView,
    ResourceView,
    ScopeView,
    SignUpFieldView,
    SignUpPage,
)

_HOSTILE = "<script>alert('&\"')</script>"
#: Largest page that is plausible; more is a theme out of hand.
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sample:
    """One page in one state."""

    #: Name of the state, for the gallery: `login`, `login-wrong`.
    name: str
    page: Page
    #: Whether a client is part of the picture.
    with_client: bool = True
    #: Addresses of clients that are loaded unseen.
    frames: tuple[str, ...] = ()
    #: Whether the client is a program on the user's device whose id is an address.
    by_address: bool = False


@lru_cache(maxsize=8)
def sample_client(*, name: str = "Webshop", logo_uri: str | None = None) -> Client:
    """A client to stand beside sample pages."""
    return replace(
        NOBODY,
        client_id="webshop",
        client_name=name,
        localized=MappingProxyType({"client_name#fi": "Verkkokauppa"}),
        client_uri="https://shop.example",
        logo_uri=logo_uri,
        policy_uri="https://shop.example/privacy",
        tos_uri="https://shop.example/terms",
        redirect_uris=("https://shop.example/callback",),
        scope=("openid", "profile", "email"),
    )


def _sample_agent() -> Client:
    """A client that nobody registered."""
    return replace(
        sample_client(name="Agent"),
        client_id="https://agent.example/client.json",
        token_endpoint_auth_method="none",
        redirect_uris=("http://127.0.0.1/callback",),
    )


def _consent_samples() -> Iterator[Sample]:
    scopes = (
        ScopeView("openid", _NOTHING, ("sub",)),
        ScopeView("profile", _NOTHING, ("name", "given_name", "family_name", "birthdate", "locale")),
        ScopeView("email", _NOTHING, ("email", "email_verified")),
        ScopeView(
            "loyalty",
            MappingProxyType({"en": "See your loyalty points", "fi": "Nähdä kanta-asiakaspisteesi"}),
            ("loyalty_level",),
        ),
        ScopeView("offline_access", _NOTHING, ()),
    )
    yield Sample("consent", ConsentPage("alice@example.com", scopes, ("phone_number",)))
    yield Sample("consent-one", ConsentPage("alice", scopes[:1], ()))
    yield Sample("consent-by-address", ConsentPage("alice", scopes[:1], ()), by_address=True)
    yield from _detailed_samples()
    yield Sample("consent-hostile", ConsentPage(_HOSTILE, (ScopeView(_HOSTILE, _NOTHING, (_HOSTILE,)),), ()))


def _detailed_samples() -> Iterator[Sample]:
    api = MappingProxyType({"en": "Payments of Example Bank", "fi": "Esimerkkipankin maksut"})
    resources = (ResourceView("https://api.example", api), ResourceView("https://other.example", _NOTHING))
    title = MappingProxyType({"en": "Make a payment", "fi": "Tehdä maksu", "de": "Eine Zahlung ausführen"})
    text = MappingProxyType({"en": "Pay \u2068120.00\u2069 \u2068EUR\u2069 once", "fi": "Maksa \u2068120.00\u2069"})
    label = MappingProxyType({"en": "To", "fi": "Saaja", "de": "An"})
    fields = (DetailField("creditor", label, "Merchant A"), DetailField("remittance", _NOTHING, "Ref Number Merchant"))
    details = (DetailView("payment", title, text, fields), DetailView("account", _NOTHING, _NOTHING, fields[1:]))
    yield Sample("consent-details", ConsentPage("alice", (), (), details, resources))
    hostile = MappingProxyType({"en": _HOSTILE})
    worst = DetailView(_HOSTILE, hostile, hostile, (DetailField(_HOSTILE, hostile, _HOSTILE),))
    unnamed = DetailView(_HOSTILE, _NOTHING, _NOTHING, (DetailField(_HOSTILE, _NOTHING, _HOSTILE),))
    places = (ResourceView(_HOSTILE, hostile), ResourceView(_HOSTILE, _NOTHING))
    yield Sample("consent-details-hostile", ConsentPage(_HOSTILE, (), (), (worst, unnamed), places))


def _device_samples() -> Iterator[Sample]:
    for error in ("", "wrong_user_code", "missing_user_code", "throttled"):
        code = "" if error == "missing_user_code" else "WDJB-MJHT"
        yield Sample(f"device-{error}".rstrip("-"), DevicePage(code, error), with_client=False)
    scopes = (ScopeView("openid", _NOTHING, ("sub",)), ScopeView("offline_access", _NOTHING, ()))
    yield Sample("approval-device", ApprovalPage("alice@example.com", scopes, (), user_code="WDJB-MJHT"))
    yield Sample("approval-message", ApprovalPage("alice", scopes[:1], (), binding_message="W4SCT 120,00 EUR"))
    yield Sample("approval-plain", ApprovalPage("alice", scopes[:1], ("email",)))
    hostile = (ScopeView(_HOSTILE, _NOTHING, (_HOSTILE,)),)
    yield Sample("approval-hostile", ApprovalPage(_HOSTILE, hostile, (), binding_message=_HOSTILE))
    waiting = (
        RequestView("r1", "Webshop", "W4SCT 120,00 EUR", ("openid", "email")),
        RequestView("r2", "Intranet wiki", "", ("openid",)),
    )
    yield Sample("approvals", ApprovalsPage("alice@example.com", waiting), with_client=False)
    strange = (RequestView(_HOSTILE, _HOSTILE, _HOSTILE, (_HOSTILE,)),)
    yield Sample("approvals-hostile", ApprovalsPage(_HOSTILE, strange), with_client=False)
    yield Sample("approvals-none", ApprovalsPage("alice@example.com", ()), with_client=False)
    yield Sample("decided", DecidedPage(allowed=True), with_client=False)
    yield Sample("decided-denied", DecidedPage(allowed=False), with_client=False)


def _error_samples() -> Iterator[Sample]:
    messages = "bad_request expired other_browser unknown_client redirect_mismatch unavailable server_error denied"
    for message in messages.split():
        page = ErrorPage("invalid_request", message, "", "", "7F3K-92QD", "", _NOTHING)
        yield Sample(f"error-{message}", page, with_client=False)
    described = "redirect_uri is not registered for this client"
    yield Sample(
        "error-described",
        ErrorPage("invalid_request", "bad_request", "redirect_uri", described, "7F3K-92QD", "", _NOTHING),
        with_client=False,
    )
    yield Sample("error-restart", ErrorPage("", "expired", "", "", "7F3K-92QD", "/authorize?x=1&y=2", _NOTHING))
    custom = MappingProxyType({"en": "Contractors sign in from the office only.", "fi": "Vain toimistolta."})
    yield Sample("error-custom", ErrorPage("access_denied", "denied", "", "", "7F3K-92QD", "", custom))


def _sign_up_samples() -> Iterator[Sample]:
    address = "/login?interaction=sample&x=1"
    card = MappingProxyType({"en": "Loyalty card", "fi": "Kanta-asiakaskortti", "de": "Treuekarte"})
    fields = (
        SignUpFieldView("field-email", "email", "email", _NOTHING, "email", True, "", ""),
        SignUpFieldView("field-name", "text", "name", _NOTHING, "name", False, "", ""),
        SignUpFieldView("field-phone_number", "tel", "phone_number", _NOTHING, "tel", False, "", ""),
        SignUpFieldView("field-birthdate", "date", "birthdate", _NOTHING, "bday", False, "", ""),
        SignUpFieldView("field-website", "url", "website", _NOTHING, "url", False, "", ""),
        SignUpFieldView("field-card", "text", "card", card, "off", False, "", ""),
    )
    yield Sample("sign-up", SignUpPage("", "", "", 8, fields, (), "", address))
    yield Sample("sign-up-plain", SignUpPage("alice", "", "", 15, (), (), "", address), with_client=False)
    errors = ("wrong_email", "missing_field", "wrong_phone", "wrong_date", "wrong_url", "wrong_field")
    wrong = tuple(replace(each, value="no", error=error) for each, error in zip(fields, errors, strict=True))
    said = tuple(FaultView(f"#{each.id}", each.error, each.claim, each.label) for each in wrong)
    pairs = (
        ("login_taken", "common_password"),
        ("unusable_login", "long_password"),
        ("missing_login", "missing_password"),
    )
    for login, password in pairs:
        ends = (FaultView("#login", login, "", _NOTHING), FaultView("#password", password, "", _NOTHING))
        faults = (ends[0], *said, ends[1])
        yield Sample(f"sign-up-{login}", SignUpPage("alice", login, password, 8, wrong, faults, login, address))
    for error in ("too_many_accounts", "sign_up_unavailable"):
        fault = FaultView("", error, "", _NOTHING)
        yield Sample(f"sign-up-{error}", SignUpPage("alice", "", "", 8, fields, (fault,), error, address))
    hostile = replace(fields[-1], label=MappingProxyType({"en": _HOSTILE}), value=_HOSTILE, error="missing_field")
    faults = (
        FaultView("#field-card", "missing_field", "card", hostile.label),
        FaultView("#password", "short_password", "", _NOTHING),
    )
    page = SignUpPage(_HOSTILE, "", "short_password", 8, (hostile,), faults, "missing_field", address)
    yield Sample("sign-up-hostile", page)


def samples() -> Iterator[Sample]:
    """Every page in every state worth a look."""
    yield Sample("login", LoginPage("", False, ""))
    yield Sample("login-plain", LoginPage("", False, ""), with_client=False)
    yield Sample("login-fixed", LoginPage("alice@example.com", True, ""))
    for error in ("wrong_credentials", "missing_login", "missing_password", "throttled", "unavailable"):
        yield Sample(f"login-{error}", LoginPage("" if error == "missing_login" else "alice", False, error))
    yield Sample("login-hostile", LoginPage(_HOSTILE, False, "wrong_credentials"))
    yield Sample("login-or-sign-up", LoginPage("", False, "", "/sign_up?interaction=sample&x=1"))
    yield from _sign_up_samples()
    for error in ("", "wrong_code", "missing_code", "throttled", "unavailable", "not_enrolled"):
        yield Sample(f"otp-{error}".rstrip("-"), OtpPage("alice@example.com", error))
    yield from _consent_samples()
    yield from _device_samples()
    accounts = (AccountView("0", "alice@example.com"), AccountView("1", "bob.the.very.long.name@corp.example.com"))
    yield Sample("accounts", AccountsPage(accounts))
    yield Sample("logout", LogoutPage("alice@example.com"))
    yield Sample("logged-out", LoggedOutPage(), with_client=False)
    frames = tuple(f"https://{name}.example/logout?iss=x&sid=1" for name in ("shop", "wiki"))
    yield Sample("logged-out-frames", LoggedOutPage("https://shop.example/bye?state=1&x=2"), frames=frames)
    granted = ("openid", "profile", "email")
    yield Sample(
        "consents",
        ConsentsPage(
            "alice@example.com",
            (
                ConsentView("webshop", "Webshop", granted, 1_780_000_000.0),
                ConsentView("wiki", "Intranet wiki", granted[:1], 1_770_000_000.0),
            ),
        ),
        with_client=False,
    )
    yield Sample("consents-none", ConsentsPage("alice@example.com", ()), with_client=False)
    yield from _error_samples()
    fields = (("code", "abc"), ("state", '"><script>alert(1)</script>'), ("submit", "x"))
    yield Sample("form-post", FormPostPage("https://shop.example/callback?a=1&b=2", fields))


def sample_reply(sample: Sample, locale: str, *, logo_uri: str | None = None, path: str = "") -> PageReply:
    """The reply that shows a sample."""
    form_post = isinstance(sample.page, FormPostPage)
    client = _sample_agent() if sample.by_address else sample_client(logo_uri=logo_uri)
    return PageReply(
        page=sample.page,
        profile="sample",
        client=client if sample.with_client else None,
        action=f"{path}/login?interaction=sample&x=1",
        csrf="c2FtcGxl",
        locales=(locale,),
        here="" if form_post else f"{path}/authorize/resume?interaction=sample",
        form_action=("https://shop.example",),
        frames=sample.frames,
    )


def sample_face(theme: CompiledTheme, *, path: str = "") -> Face:
    """A profile that supports every locale a theme has words in."""
    links = MappingProxyType({"help": "https://shop.example/help", "privacy": "https://shop.example/privacy"})
    return Face("sample", "Example Retail", path, tuple(theme.catalogues), links)


def rehearse(themes: Mapping[str, CompiledTheme]) -> list[ThemeProblem]:
    """Renders every sample in every theme and locale; returns what went wrong or must not be said."""
    problems: dict[ThemeProblem, None] = {}
    shown = tuple(samples())
    for theme in themes.values():
        face = sample_face(theme)
        for number, locale in enumerate(locales_of(theme, face.locales)):
            missing: list[str] = []
            staging = stage(theme, face, locale, missing.append)
            for sample in shown:
                # Words are escaped, so the markup is the same in every locale; what a template does of its own
                # accord in one of them, its own check finds.
                problems |= dict.fromkeys(_rehearse_page(staging, sample, with_markup=number == 0))
            for key in dict.fromkeys(missing):
                message = f"there is no message {key}"
                problems[ThemeProblem(MESSAGE, theme.id, f"messages/{locale}.yaml", None, message)] = None
    return list(problems)


def _rehearse_page(staging: Staging, sample: Sample, *, with_markup: bool) -> Iterator[ThemeProblem]:
    theme, template = staging.theme, sample.page.template
    reply = sample_reply(sample, staging.locale, logo_uri="https://shop.example/logo.png")
    try:
        text = staging.markup(reply)
        frames = str(logout_frames(reply.frames))
    except Exception as error:  # noqa: BLE001 - whatever a theme can raise is a finding about it
        yield template_problem(theme.id, template, error)
        return
    if frames not in text:
        message = f"in the state {sample.name}: logout_frames is not shown, so applications would stay signed in"
        yield ThemeProblem(REHEARSAL, theme.id, f"templates/{template}", None, message)
    # The frames are the provider's own words; of a theme's, none may be a frame.
    text = text.replace(frames, "", 1) if frames else text
    findings = lint_markup(text, scripts=frozenset({AUTO_SUBMIT_SCRIPT})) if with_markup else ()
    for finding in findings:
        yield ThemeProblem(
            REHEARSAL,
            theme.id,
            f"templates/{template}",
            None,
            f"in the state {sample.name}: {finding.message}",
        )
    for id_ in required_ids(sample.page):
        if f' id="{id_}"' not in text:
            message = f"in the state {sample.name}: nothing has the id {id_}"
            yield ThemeProblem(REHEARSAL, theme.id, f"templates/{template}", None, message)


def required_ids(page: Page) -> tuple[str, ...]:
    """The ids that tests, password managers and scripts rely on; a theme keeps them."""
    match page:
        case LoginPage():
            return ("login", "password", "submit")
        case SignUpPage():
            return ("login", *(field.id for field in page.fields), "password", "submit", "sign-in")
        case OtpPage():
            return ("code", "submit")
        case ConsentPage():
            return ("allow", "deny")
        case AccountsPage():
            return ("other-account",)
        case DevicePage():
            return ("code", "submit")
        case ApprovalsPage():
            numbers = range(1, len(page.requests) + 1)
            return tuple(f"{word}-{number}" for number in numbers for word in ("review", "deny"))
        case DecidedPage():
            return ("decided",)
        case LogoutPage():
            return ("logout-yes", "logout-no")
        case LoggedOutPage():
            return ("logged-out", "continue") if page.post_logout_redirect_uri else ("logged-out",)
        case ConsentsPage():
            return tuple(f"revoke-{number}" for number in range(1, len(page.consents) + 1))
        case ErrorPage():
            return ("error-page",)
        case _:
            return ("submit",)
