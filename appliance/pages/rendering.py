"""From a `PageReply` to the response on the wire: theme, locale, words, headers.

Everything that does not depend on the request is made once per theme, profile and locale; a login page costs a
fraction of a millisecond.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from babel import Locale
from babel.dates import format_date
from markupsafe import Markup

from appliance.config.declared.profile import Profile
from appliance.pages.assets import asset_response
from appliance.pages.context import (
    AUTO_SUBMIT_SCRIPT,
    ClientView,
    LanguageLink,
    Link,
    PageContext,
    ProfileView,
    ThemeView,
)
from appliance.pages.messages import Words, locale_facts, negotiate
from appliance.pages.policy import check_redirect_uri, origin_of, page_headers, web_address
from appliance.pages.theme import ROOT_THEME, CompiledTheme, locales_of
from appliance.protocol.client import Client
from appliance.protocol.messages import Response
from appliance.protocol.pages import ErrorPage, FormPostPage, LoggedOutPage, PageReply
from appliance.protocol.redirect_uri import hosts, is_on_device

# The constant is our own text, so it needs no escaping (and a script element would not undo it).
_AUTO_SUBMIT = Markup(AUTO_SUBMIT_SCRIPT)  # noqa: S704
# Scripts and its own cookies are what a client needs to end its session; our window it must not move.
_FRAME = Markup(
    '<iframe src="{}" hidden aria-hidden="true" tabindex="-1"'
    ' sandbox="allow-forms allow-same-origin allow-scripts"></iframe>'
)
_FIELDS = tuple(field.name for field in fields(PageContext))


@dataclass(frozen=True, slots=True)
class Face:
    """What pages need to know of a profile."""

    id: str
    title: str
    #: Path of the issuer, "" at the root of its host.
    path: str
    locales: tuple[str, ...]
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Staging:
    """A theme made ready for one profile in one locale: everything that is the same for every request."""

    theme: CompiledTheme
    face: Face
    locale: str
    locales: tuple[str, ...]
    words: Words
    view: ThemeView
    profile: ProfileView
    links: tuple[Link, ...]
    asset: Callable[[str], str]
    date: Callable[[float], str]

    def context(self, reply: PageReply) -> PageContext:
        """The variables of one page."""
        words = self.words
        return PageContext(
            page=reply.page,
            theme=self.view,
            profile=self.profile,
            client=None if reply.client is None else _client_view(reply.client, self.locale),
            locale=self.locale,
            dir=locale_facts(self.locale).dir,
            failed=isinstance(reply.page, ErrorPage) or bool(getattr(reply.page, "error", "")),
            action=_local(reply.action),
            csrf=reply.csrf,
            languages=_languages(self.locales, self.locale, reply.here),
            links=self.links,
            t=words.t,
            say=words.say,
            has=words.has,
            asset=self.asset,
            date=self.date,
            scope_text=words.scope_text,
            claim_text=words.claim_text,
            chosen=words.chosen,
            auto_submit=_AUTO_SUBMIT,
            logout_frames=logout_frames(reply.frames),
        )

    def markup(self, reply: PageReply) -> str:
        """The page as text."""
        context = self.context(reply)
        variables: dict[str, Any] = {name: getattr(context, name) for name in _FIELDS}
        return self.theme.sandbox.render_page(self.theme.templates[reply.page.template], variables)


def stage(theme: CompiledTheme, face: Face, locale: str, missing: Callable[[str], None]) -> Staging:
    """Prepares a theme for a profile and a locale."""
    prefix = f"{face.path}/assets/{theme.id}/"
    addresses = {name: prefix + hashed for name, hashed in theme.asset_names.items()}
    logo = theme.tokens.logo
    stem, _, kind = logo.rpartition(".")
    return Staging(
        theme=theme,
        face=face,
        locale=locale,
        locales=locales_of(theme, face.locales),
        words=Words(theme.catalogues[locale], locale, missing),
        view=ThemeView(
            theme.id,
            theme.tokens.brand or face.title,
            addresses[logo],
            addresses.get(f"{stem}-dark.{kind}", ""),
            tuple(Link(name, prefix + name) for name in theme.stylesheets),
        ),
        profile=ProfileView(face.id, face.title),
        links=tuple(Link(name, href) for name, href in {**theme.links, **face.links}.items() if web_address(href)),
        asset=addresses.__getitem__,
        date=_day_in(locale),
    )


class Renderer:
    """The themes and faces of one generation, and the only way to render a page of it."""

    def __init__(self, themes: Mapping[str, CompiledTheme], profiles: Mapping[str, Profile]) -> None:
        self.themes = themes
        self._faces = {profile.profile: face_of(profile) for profile in profiles.values()}
        self._theme_of = {profile.profile: profile.theme for profile in profiles.values()}
        self._staged: dict[tuple[str, str, str], Staging] = {}
        #: Message keys that were asked for and not there, with how often.
        self.missing: Counter[str] = Counter()

    def render(self, reply: PageReply) -> Response:
        """The page with all its headers, in the client's theme or the profile's, in the best locale."""
        face = self._faces[reply.profile]
        theme = self._theme(reply)
        locale = negotiate(reply.locales, locales_of(theme, face.locales))
        staging = self._staging(theme, face, locale)
        image = origin_of(reply.client.logo_uri) if reply.client else ""
        auto_submit = isinstance(reply.page, FormPostPage)
        if isinstance(reply.page, FormPostPage):
            check_redirect_uri(reply.page.redirect_uri)
        if isinstance(reply.page, LoggedOutPage) and reply.page.post_logout_redirect_uri:
            check_redirect_uri(reply.page.post_logout_redirect_uri)
        frames = tuple(dict.fromkeys(map(origin_of, reply.frames)))
        headers = page_headers(
            locale, reply.form_action, image, auto_submit=auto_submit, frames=frames, of_client=reply.client is not None
        )
        status = reply.page.status if reply.status is None else reply.status
        return Response(status=status, headers=headers, body=staging.markup(reply).encode())

    def assets(self, path: str) -> Mapping[str, Response]:
        """Every asset of every theme by its full path, for an issuer whose path is `path` ("" for none)."""
        return MappingProxyType(
            {
                f"{path}/assets/{theme.id}/{name}": asset_response(name, content)
                for theme in self.themes.values()
                for name, content in theme.assets.items()
            }
        )

    def _theme(self, reply: PageReply) -> CompiledTheme:
        named = (reply.client.op.theme if reply.client else None, self._theme_of[reply.profile], ROOT_THEME)
        for name in named:
            if name is not None and (theme := self.themes.get(name)):
                return theme
        raise LookupError(f"there is no theme {ROOT_THEME}")

    def _staging(self, theme: CompiledTheme, face: Face, locale: str) -> Staging:
        # Themes, profiles and locales are declared, so this grows no further than their product.
        key = (theme.id, face.id, locale)
        staging = self._staged.get(key)
        if staging is None:
            staging = self._staged[key] = stage(theme, face, locale, self._count_missing)
        return staging

    def _count_missing(self, key: str) -> None:
        # A key comes from a template and a declared word, never from a request; still, keep it small.
        if key in self.missing or len(self.missing) < 1000:
            self.missing[key] += 1


def face_of(profile: Profile) -> Face:
    """What pages need to know of a declared profile."""
    path = urlsplit(profile.issuer).path.rstrip("/")
    return Face(profile.profile, profile.title, path, profile.ui_locales_supported, profile.links)


def _client_view(client: Client, locale: str) -> ClientView:
    return ClientView(
        client.name_in(locale) or client.client_id,
        web_address(client.logo_uri),
        web_address(client.client_uri),
        web_address(client.policy_uri),
        web_address(client.tos_uri),
        "".join(hosts((client.client_id,))),
        client.is_public and any(is_on_device(uri) for uri in client.redirect_uris),
    )


def logout_frames(addresses: tuple[str, ...]) -> Markup:
    """The unseen frames by which the clients of a session that ended end theirs."""
    return Markup("").join(_FRAME.format(address) for address in addresses if web_address(address))


def _local(path: str) -> str:
    """A path of this origin; anything else would let a form leave it."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else ""


def _languages(locales: tuple[str, ...], current: str, here: str) -> tuple[LanguageLink, ...]:
    if not _local(here) or len(locales) < 2:
        return ()
    joint = "&" if "?" in here else "?"
    return tuple(
        LanguageLink(tag, locale_facts(tag).name, f"{here}{joint}lang={tag}", tag == current) for tag in locales
    )


@lru_cache(maxsize=256)
def _day_in(locale: str) -> Callable[[float], str]:
    parsed = Locale.parse(locale, sep="-")

    def day(seconds: float) -> str:
        return format_date(datetime.fromtimestamp(seconds, UTC), "long", parsed)

    return day
