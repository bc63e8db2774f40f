"""Words come in the best language there is, marked where it is another one, and never as markup."""

import pytest

from appliance.pages.messages import Words, compile_catalogues, locale_facts, negotiate

ROOT = {
    "en": {"hello": "Hello {name} <b>", "plain": "Plain", "only": "English only", "scope.s": "Theme s"},
    "fi": {"hello": "Hei {name}", "plain": "Selkeä", "scope.s": "Teeman s"},
}
CHILD = {"en": {"plain": "Own"}, "sv": {"plain": "Egen"}}


def words(locale: str, missing: list[str] | None = None) -> Words:
    """Words of the child theme in a locale."""
    gone = [] if missing is None else missing
    return Words(compile_catalogues([CHILD, ROOT])[locale], locale, gone.append)


def test_looks_in_the_theme_then_its_parents_then_in_english() -> None:
    assert words("sv").t("plain") == "Egen"
    assert words("fi").t("plain") == "Selkeä", "the parents' own locale before the child's English"
    assert words("en").t("plain") == "Own"
    assert words("fi").t("only") == "English only"


def test_marks_text_in_a_fallback_language() -> None:
    assert words("fi").say("only") == '<span lang="en" dir="ltr">English only</span>'
    assert words("fi").say("plain") == "Selkeä"
    assert words("sv").say("hello", name="A") == ('<span lang="en" dir="ltr">Hello <bdi>A</bdi> &lt;b&gt;</span>')


@pytest.mark.attack("XS-04")
def test_escapes_values_and_messages_and_replaces_once() -> None:
    assert words("fi").say("hello", name="<i>{name}") == "Hei <bdi>&lt;i&gt;{name}</bdi>"
    assert words("fi").t("hello", name="{other} {name.__class__}") == "Hei {other} {name.__class__}"


def test_counts_a_key_that_nobody_has_and_shows_it() -> None:
    missing: list[str] = []
    assert words("en", missing).t("no", "such") == "no.such"
    assert words("en", missing).say("<x>") == "&lt;x&gt;"
    assert missing == ["no.such", "<x>"]


def test_puts_scopes_in_words_in_the_language_of_the_page_first() -> None:
    finnish = words("fi")
    assert finnish.scope_text("s", {}) == "Teeman s"
    assert finnish.scope_text("s", {"fi": "Ilmoitettu"}) == "Ilmoitettu", "what the operator declared"
    assert finnish.scope_text("s", {"en": "Declared"}) == "Teeman s"
    assert finnish.scope_text("t", {"en": "Declared"}) == '<span lang="en" dir="ltr">Declared</span>'
    assert finnish.scope_text("<t>", {}) == "<code>&lt;t&gt;</code>"
    assert words("sv").scope_text("s", {"en": "Declared"}) == '<span lang="en" dir="ltr">Declared</span>'


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1", "SHOULD")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("fi",), "fi"),
        (("fi-FI", "en"), "fi"),
        (("sv", "de-AT", "fi"), "de"),
        (("xx", "zz"), "en"),
        ((), "en"),
        (("../../etc", "fi\n", "\ud800", "a" * 500), "en"),
        (("DE",), "de"),
        (("FI-fi",), "fi"),
    ],
)
def test_negotiates_the_locale(wanted: tuple[str, ...], expected: str) -> None:
    assert negotiate(wanted, ("en", "fi", "de")) == expected


def test_falls_back_to_the_first_supported_locale() -> None:
    assert negotiate(("sv",), ("fi", "en")) == "fi"


def test_knows_the_direction_and_own_name_of_a_language() -> None:
    assert (locale_facts("fi").name, locale_facts("fi").dir) == ("Suomi", "ltr")
    assert locale_facts("ar").dir == "rtl" and locale_facts("he").dir == "rtl"
    assert locale_facts("not a tag").dir == "ltr"
