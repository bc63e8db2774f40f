"""The page contract: what every template is given, field by field. `theme_api` 1.

Designers read this through `themes/README.md`, which is generated from it. Renaming a field is a breaking
change and fails a golden test. Besides its own fields every page gets the base context of `pages.rendering`
(theme, profile, client, locale, `t`, and for pages with a form `action` and `csrf`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from appliance.protocol.client import Client

THEME_API = 1


@dataclass(frozen=True, slots=True)
class Page:
    """What every page's context inherits. `template` is the file in the theme, `status` the HTTP status."""

    template: ClassVar[str] = ""
    status: ClassVar[int] = 200


@dataclass(frozen=True, slots=True)
class LoginPage(Page):
    """Identifier and password. Ids: login, password, submit."""

    template: ClassVar[str] = "login.html"

    #: Name to show in the field: a hint, or what was typed before an error.
    login: str
    #: The name is already known (re-authentication) and shown read-only.
    login_fixed: bool
    #: Message key of an error, or "": wrong_credentials, missing_login, missing_password, throttled, unavailable.
    error: str
    #: Address of the sign-up page for who has no account yet, or "". The link has the id sign-up.
    sign_up: str = ""


@dataclass(frozen=True, slots=True)
class FaultView:
    """One fault of a form, for the summary above it."""

    #: Link to the field that can mend it (`#` and its id), or "".
    href: str
    #: Message key.
    error: str
    #: Claim that the field is about, or "", and its declared text: for messages with `{field}`.
    claim: str
    label: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SignUpFieldView:
    """One field of the sign-up page beside login name and password."""

    #: Id and name of its input.
    id: str
    #: Type of its input: text, email, tel, url or date.
    type: str
    #: The claim that it is about; the theme's message `claim.<name>` puts it in words.
    claim: str
    #: Declared text by locale that replaces it, or empty.
    label: Mapping[str, str]
    #: Value of the input's `autocomplete`.
    autocomplete: str
    required: bool
    #: What was typed before an error.
    value: str
    #: Message key of its error, or "": missing_field, wrong_email, wrong_phone, wrong_date, wrong_url, wrong_field.
    error: str


@dataclass(frozen=True, slots=True)
class SignUpPage(Page):
    """Make an account. Ids: login, password, submit, sign-in, and that of each field."""

    template: ClassVar[str] = "sign_up.html"

    #: Name to show in the field: a hint, or what was typed before an error.
    login: str
    #: Message key of the name's error, or "": missing_login, unusable_login, login_taken.
    login_error: str
    #: Message key of the password's error, or "": missing_password, short_password, long_password, common_password.
    password_error: str
    #: Characters that a password has at least.
    password_min_length: int
    fields: tuple[SignUpFieldView, ...]
    #: Every error in the order of the fields, for the summary.
    faults: tuple[FaultView, ...]
    #: Message key of the first error, or "": one of a field, too_many_accounts, sign_up_unavailable.
    error: str
    #: Address of the login page for who has an account already.
    sign_in: str


@dataclass(frozen=True, slots=True)
class OtpPage(Page):
    """One-time code of an authenticator app. Ids: code, submit."""

    template: ClassVar[str] = "otp.html"

    #: Who is logging in.
    login: str
    #: Message key of an error, or "": wrong_code, missing_code, throttled, unavailable, not_enrolled.
    error: str


@dataclass(frozen=True, slots=True)
class ScopeView:
    """One asked scope on the consent page."""

    name: str
    #: Locale to declared text; empty when the theme's own message `scope.<name>` is to be used.
    description: Mapping[str, str]
    #: Claims it releases, by name; the theme's messages `claim.<name>` put them in words.
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResourceView:
    """One place where the client may use what it gets, on the consent page."""

    uri: str
    #: Locale to declared name; empty when only the address is known.
    title: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DetailField:
    """One member of authorization details."""

    #: Its path in the object, such as `amount.value`.
    name: str
    #: Locale to declared label; empty when the name has to do.
    label: Mapping[str, str]
    #: Its value in words.
    value: str


@dataclass(frozen=True, slots=True)
class DetailView:
    """One of the authorization details that are asked for. Their values come from the client."""

    type: str
    #: Locale to declared heading; empty when the type has to do.
    title: Mapping[str, str]
    #: Locale to declared sentence, with the values in it; may be empty.
    text: Mapping[str, str]
    fields: tuple[DetailField, ...]


@dataclass(frozen=True, slots=True)
class ConsentPage(Page):
    """What a client asks for. Ids: allow, deny."""

    template: ClassVar[str] = "consent.html"

    #: Who is asked.
    login: str
    scopes: tuple[ScopeView, ...]
    #: Single claims asked for beyond the scopes.
    claims: tuple[str, ...]
    #: What is asked for this one time.
    details: tuple[DetailView, ...] = ()
    #: Where the client may use what it gets, if it is to be used in certain places only.
    resources: tuple[ResourceView, ...] = ()


@dataclass(frozen=True, slots=True)
class DevicePage(Page):
    """Where a person types the code that his device shows. Ids: code, submit."""

    template: ClassVar[str] = "device.html"

    #: Code to show in the field: of the address, or what was typed before an error.
    user_code: str
    #: Message key of an error, or "": wrong_user_code, missing_user_code, throttled.
    error: str


@dataclass(frozen=True, slots=True)
class ApprovalPage(ConsentPage):
    """The consent page of a request that came without this browser: first of all, is it his own? Ids: allow, deny."""

    template: ClassVar[str] = "approval.html"

    #: The code that the device shows as well, or "".
    user_code: str = ""
    #: The message that whoever asks shows as well, or "".
    binding_message: str = ""


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request that waits for the user."""

    #: Value of the form's `request` field.
    id: str
    client_name: str
    #: The message that whoever asks shows as well, or "".
    binding_message: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApprovalsPage(Page):
    """The requests that wait for the user. Ids of the buttons of each: review-<n>, deny-<n>."""

    template: ClassVar[str] = "approvals.html"

    login: str
    #: Oldest first.
    requests: tuple[RequestView, ...]


@dataclass(frozen=True, slots=True)
class DecidedPage(Page):
    """What became of such a request; it goes on elsewhere by itself. Id: decided."""

    template: ClassVar[str] = "decided.html"

    #: Whether the user allowed it.
    allowed: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """One live session of this browser in the account chooser."""

    #: Value of the form's `account` field.
    id: str
    login: str


@dataclass(frozen=True, slots=True)
class AccountsPage(Page):
    """Choose an account. One button per account (name `account`), and id other-account for another one."""

    template: ClassVar[str] = "accounts.html"

    accounts: tuple[AccountView, ...]


@dataclass(frozen=True, slots=True)
class LogoutPage(Page):
    """Ask before logging out. Ids: logout-yes, logout-no."""

    template: ClassVar[str] = "logout.html"

    #: Who is logged in.
    login: str


@dataclass(frozen=True, slots=True)
class LoggedOutPage(Page):
    """You are logged out. Ids: logged-out, and continue where there is somewhere to go. Shows `logout_frames`."""

    template: ClassVar[str] = "logged_out.html"

    #: Where the user goes on to by himself or by a link with the id continue, or "".
    post_logout_redirect_uri: str = ""


@dataclass(frozen=True, slots=True)
class ConsentView:
    """One remembered consent."""

    #: Value of the form's `client` field.
    client_id: str
    client_name: str
    granted: tuple[str, ...]
    #: Epoch seconds.
    granted_at: float


@dataclass(frozen=True, slots=True)
class ConsentsPage(Page):
    """The remembered consents of the user, each with a button to revoke it. Id per button: revoke-<n>."""

    template: ClassVar[str] = "consents.html"

    login: str
    consents: tuple[ConsentView, ...]


@dataclass(frozen=True, slots=True)
class ErrorPage(Page):
    """An error that cannot be sent to the client. Id: error-page."""

    template: ClassVar[str] = "error.html"
    status: ClassVar[int] = 400

    #: Registered error code.
    error: str
    #: Message key of what happened in the user's words: bad_request, expired, other_browser, unknown_client,
    #: redirect_mismatch, unavailable, server_error, denied.
    message: str
    #: Name of the parameter at fault, or "".
    parameter: str
    #: The provider's own one-line description for developers, or "".
    description: str
    #: What the user can quote to support.
    reference: str
    #: Where "start again" leads, or "".
    restart: str
    #: Declared text by locale that replaces the message (a policy's deny_message).
    custom: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FormPostPage(Page):
    """The form_post bridge: submits itself, and has a button (Form Post Response Mode 2). Id: submit."""

    template: ClassVar[str] = "form_post.html"

    redirect_uri: str
    fields: tuple[tuple[str, str], ...]


PAGES: tuple[type[Page], ...] = (
    LoginPage,
    SignUpPage,
    OtpPage,
    ConsentPage,
    DevicePage,
    ApprovalPage,
    ApprovalsPage,
    DecidedPage,
    AccountsPage,
    LogoutPage,
    LoggedOutPage,
    ConsentsPage,
    ErrorPage,
    FormPostPage,
)


@dataclass(frozen=True, slots=True)
class PageReply:
    """A page on its way out, rendered by the theme of the client, else of the profile."""

    page: Page
    #: Profile id, whose title, links, locales and theme apply.
    profile: str
    client: Client | None = None
    #: Where the page's form posts to, and its anti-forgery field.
    action: str = ""
    csrf: str = ""
    #: Locale tags in order of preference: language link, ui_locales, Accept-Language.
    locales: tuple[str, ...] = ()
    #: What a language link must keep of the current URL (path and query without `lang`), or "".
    here: str = ""
    #: Sources that a form post may be redirected to, for CSP form-action: origins, or `scheme:`.
    form_action: tuple[str, ...] = ()
    #: Addresses of clients that the page loads unseen (Front-Channel Logout 2).
    frames: tuple[str, ...] = ()
    #: Status other than the page's own.
    status: int | None = None
