"""What every template is given beside its own page: the rest of the published contract, `theme_api` 1.

Plain values and a few functions; nothing of the provider can be reached from here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from appliance.protocol.pages import Page

#: Form Post Response Mode 2: submits the form, even if one of its fields is called `submit`.
AUTO_SUBMIT_SCRIPT = "HTMLFormElement.prototype.submit.call(document.forms[0])"


@dataclass(frozen=True, slots=True)
class Link:
    """An address and what it is for."""

    #: For links of the foot of the page: help, privacy or another declared name.
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """The same page in another language."""

    #: Language tag, for `lang` and `hreflang`.
    tag: str
    #: The language's own name for itself.
    name: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ThemeView:
    """The theme as its templates see it."""

    id: str
    #: Name of the brand, or the profile's title.
    name: str
    #: Address of the logo.
    logo: str
    #: Address of the logo for the dark scheme, or "".
    logo_dark: str
    #: The style sheets in order: tokens, base.css, then theme.css of each theme from parent to child.
    stylesheets: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class ProfileView:
    """The issuer."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class ClientView:
    """The client that the user is on the way to. Addresses are http or https, or ""."""

    #: Its name in the locale of the page.
    name: str
    logo_uri: str
    client_uri: str
    policy_uri: str
    tos_uri: str
    #: The host that vouches for a client whose id is an address, or "".
    host: str
    #: Whether such a client is a program on the user's own device, which any other can pretend to be.
    on_device: bool


@dataclass(frozen=True, slots=True)
class PageContext:
    """The variables of every template."""

    #: The page itself; its fields are listed below, page by page.
    page: Page
    #: The theme.
    theme: ThemeView
    #: The issuer.
    profile: ProfileView
    #: The client, or none on pages that belong to no client.
    client: ClientView | None
    #: Language tag of the page.
    locale: str
    #: Direction of the language: ltr or rtl.
    dir: str
    #: Whether the page reports an error; the title then says so first.
    failed: bool
    #: Where the page's form posts to.
    action: str
    #: Value of the form's hidden field `csrf`.
    csrf: str
    #: The page in its other languages; empty where it cannot be asked for again.
    languages: tuple[LanguageLink, ...]
    #: Links of the foot of the page.
    links: tuple[Link, ...]
    #: `t("key", name=value)`: a message as plain text, for titles and attributes.
    t: Callable[..., str]
    #: `say("key", name=value)`: a message as content; `say("error", page.error)` joins the parts by a dot.
    say: Callable[..., Markup]
    #: `has("key")`: whether there is such a message.
    has: Callable[..., bool]
    #: `asset("logo.svg")`: address of a file in assets/ of the theme or its parents.
    asset: Callable[[str], str]
    #: `date(seconds)`: a day in words of the locale.
    date: Callable[[float], str]
    #: `scope_text(scope.name, scope.description)`: a scope in words.
    scope_text: Callable[[str, Mapping[str, str]], Markup]
    #: `claim_text(name)`: a claim in words.
    claim_text: Callable[[str], Markup]
    #: `chosen(texts)`: declared text by locale, in the best one.
    chosen: Callable[[Mapping[str, str]], Markup]
    #: The constant script of the form_post page; the only inline script there is.
    auto_submit: Markup
    #: The unseen frames of the logged_out page by which other applications end their sessions too.
    logout_frames: Markup
