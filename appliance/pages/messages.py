"""Words: message catalogues with fallback, negotiation of the locale, and safe substitution.

Fallback: theme locale, its parents' same locale, then English in the same order. Text in a fallback language
is marked with its own `lang`, so that a screen reader changes its voice (WCAG 3.1.2).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from babel import Locale, UnknownLocaleError, negotiate_locale
from markupsafe import Markup, escape

FALLBACK = "en"
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Text:
    """One message: literal pieces and placeholder names in turn, and its language."""

    pieces: tuple[str, ...]
    lang: str

    @property
    def placeholders(self) -> frozenset[str]:
        """Names the message wants values for."""
        return frozenset(self.pieces[1::2])


@dataclass(frozen=True, slots=True)
class LocaleFacts:
    """What a page must know about a locale: its tag, its direction, its own name for itself."""

    tag: str
    dir: str
    name: str


def read_text(words: str, lang: str) -> Text:
    """A message taken apart once, when the theme is compiled."""
    return Text(tuple(_PLACEHOLDER.split(words)), lang)


def compile_catalogues(
    chain: Sequence[Mapping[str, Mapping[str, str]]],
) -> Mapping[str, Mapping[str, Text]]:
    """Locale to key to text, from the messages of a theme and its parents, nearest first."""
    locales = sorted({locale for messages in chain for locale in messages} | {FALLBACK})
    compiled = {}
    for locale in locales:
        texts: dict[str, Text] = {}
        language = locale.split("-")[0]
        for tag in dict.fromkeys((FALLBACK, language, locale)):
            for messages in reversed(chain):
                texts |= {key: read_text(words, tag) for key, words in messages.get(tag, {}).items()}
        compiled[locale] = MappingProxyType(texts)
    return MappingProxyType(compiled)


@lru_cache(maxsize=256)
def locale_facts(tag: str) -> LocaleFacts:
    """Facts of a locale tag; unknown to Babel means left to right and named by its tag."""
    try:
        locale = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return LocaleFacts(tag, "ltr", tag)
    name = locale.get_display_name(locale) or tag
    return LocaleFacts(tag, str(locale.text_direction), name[:1].upper() + name[1:])


@lru_cache(maxsize=2048)
def negotiate(wanted: tuple[str, ...], available: tuple[str, ...]) -> str:
    """The best available locale for tags in order of preference; the first available one if none fits."""
    plain = [tag for tag in wanted[:20] if len(tag) <= 35 and tag.isascii()]
    # Babel answers in the spelling that was asked for; tags are compared without case (RFC 5646 2.1.1).
    spelt = {tag.lower(): tag for tag in available}
    found = negotiate_locale(plain, available, sep="-") or ""
    return spelt.get(found.lower(), available[0] if available else FALLBACK)


class Words:
    """The functions `t` and `say` of one theme in one locale."""

    __slots__ = ("_facts", "_missing", "_ready", "_texts")

    def __init__(self, texts: Mapping[str, Text], locale: str, missing: Callable[[str], None]) -> None:
        self._texts = texts
        self._facts = locale_facts(locale)
        self._missing = missing
        # Messages without placeholders are escaped once, not once a page.
        self._ready = {
            key: self._marked(escape(text.pieces[0]), text.lang) for key, text in texts.items() if len(text.pieces) == 1
        }

    def t(self, *key: str, **values: object) -> str:
        """A message as plain text, for attributes and titles; the parts of the key are joined by dots."""
        text = self._find(".".join(key))
        if text is None:
            return ".".join(key)
        return "".join(str(values.get(piece, "")) if odd else piece for odd, piece in _alternating(text.pieces))

    def say(self, *key: str, **values: object) -> Markup:
        """A message as content: values are escaped and set apart, a fallback language is marked."""
        name = ".".join(key)
        ready = self._ready.get(name)
        if ready is not None:
            return ready
        text = self._find(name)
        if text is None:
            return escape(name)
        pieces = [
            f"<bdi>{escape(values.get(piece, ''))}</bdi>" if odd else str(escape(piece))
            for odd, piece in _alternating(text.pieces)
        ]
        return self._marked(Markup("".join(pieces)), text.lang)  # noqa: S704 - every piece is escaped

    def has(self, *key: str, own: bool = False) -> bool:
        """Whether there is such a message; `own`: in this locale, not in a fallback."""
        text = self._texts.get(".".join(key))
        return text is not None and (not own or not self._is_foreign(text.lang))

    def scope_text(self, name: str, description: Mapping[str, str]) -> Markup:
        """A scope in words: as declared or as the theme says it, in this locale before any other."""
        return self._described(f"scope.{name}", name, description)

    def claim_text(self, name: str) -> Markup:
        """A claim in words, else its name."""
        return self._described(f"claim.{name}", name, {})

    def chosen(self, texts: Mapping[str, str]) -> Markup:
        """Declared text in this locale, else in English, else in any language, marked accordingly."""
        tag = self._facts.tag
        for wanted in (tag, tag.split("-")[0], FALLBACK, *texts):
            if words := texts.get(wanted):
                return self._marked(escape(words), wanted)
        return Markup()

    def _described(self, key: str, name: str, description: Mapping[str, str]) -> Markup:
        tag = self._facts.tag
        declared = any(description.get(wanted) for wanted in (tag, tag.split("-")[0]))
        if not declared and (self.has(key, own=True) or (not description and self.has(key))):
            return self.say(key)
        return self.chosen(description) or Markup("<code>{}</code>").format(name)

    def _find(self, key: str) -> Text | None:
        text = self._texts.get(key)
        if text is None:
            self._missing(key)
        return text

    def _is_foreign(self, lang: str) -> bool:
        return lang.split("-")[0] != self._facts.tag.split("-")[0]

    def _marked(self, words: Markup, lang: str) -> Markup:
        if not self._is_foreign(lang):
            return words
        facts = locale_facts(lang)
        return Markup('<span lang="{}" dir="{}">{}</span>').format(facts.tag, facts.dir, words)


def _alternating(pieces: tuple[str, ...]) -> list[tuple[int, str]]:
    return [(at % 2, piece) for at, piece in enumerate(pieces)]
