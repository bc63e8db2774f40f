"""A theme is compiled whole or refused with every reason, and inherits what it does not say."""

import pytest

from appliance.config.declared.theme import ThemeFiles
from appliance.pages.rehearsal import rehearse, sample_face, sample_reply, samples
from appliance.pages.rendering import stage
from appliance.pages.theme import compile_themes
from appliance.pages.tokens import COLORS, CONTRASTS, contrast_ratio
from tests.pages.theme_folders import child, complaints, shipped, shipped_compiled


def test_the_themes_that_ship_render_every_page_in_every_locale() -> None:
    assert set(shipped_compiled()) >= {"default", "contrast", "sunrise"}
    assert rehearse(shipped_compiled()) == []


def test_the_three_languages_have_the_same_messages_with_the_same_placeholders() -> None:
    for theme in shipped().values():
        if not theme.messages:
            continue
        assert set(theme.messages) == {"de", "en", "fi"}, theme.id
        for locale in ("de", "fi"):
            assert list(theme.messages[locale]) == list(theme.messages["en"])
    catalogues = shipped_compiled()["default"].catalogues
    for key, text in catalogues["en"].items():
        for locale in ("de", "fi"):
            assert catalogues[locale][key].placeholders == text.placeholders, key
            assert catalogues[locale][key].lang == locale


def test_contrast_is_as_the_guidelines_reckon_it() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_contrast_theme_reaches_seven_to_one() -> None:
    colors = shipped_compiled()["contrast"].tokens.colors
    for front, back, _ in CONTRASTS:
        for scheme in ("light", "dark"):
            assert contrast_ratio(colors[front][scheme], colors[back][scheme]) >= 7, (front, back, scheme)


def test_refuses_low_contrast_in_either_scheme_unless_it_is_allowed() -> None:
    tokens = {"color": {"text": {"light": "#999", "dark": "#eeeeee"}}}
    _, problems = compile_themes(child(tokens=tokens))
    assert {(p.code, p.setting, p.is_warning) for p in problems} == {("OP721", "tokens.color.text.light", False)}
    assert "2.8" in problems[0].message
    compiled, problems = compile_themes(child(tokens=tokens, allow_low_contrast=True))
    assert "mine" in compiled and all(p.is_warning for p in problems)


@pytest.mark.parametrize(
    ("tokens", "setting"),
    [
        ({"color": {"text": {"light": "red"}}}, "tokens.color.text.light"),
        ({"color": {"text": {"light": "#fff;}body{x:y"}}}, "tokens.color.text.light"),
        ({"color": {"shadow": {"light": "#ffffff"}}}, "tokens.color.shadow.light"),
        ({"color": {"text": "#000000"}}, "tokens.color.text"),
        ({"font": {"body": "x;}"}}, "tokens.font.body"),
        ({"font": {"size": "12px"}}, "tokens.font.size"),
        ({"font": {"size": "0.9rem"}}, "tokens.font.size"),
        ({"shape": {"radius": "calc(1px)"}}, "tokens.shape.radius"),
        ({"shape": {"depth": "1px"}}, "tokens.shape.depth"),
        ({"brand": {"logo": "../../op.yaml"}}, "tokens.brand.logo"),
        ({"brand": {"logo": "missing.svg"}}, "tokens.brand.logo"),
    ],
)
def test_refuses_a_token_that_is_none(tokens: dict[str, object], setting: str) -> None:
    compiled, problems = compile_themes(child(tokens=tokens))
    assert "mine" not in compiled and "default" in compiled
    assert setting in {problem.setting for problem in problems}


def test_refuses_a_theme_without_all_colours() -> None:
    lone = ThemeFiles("default", "x", {"tokens": {}}, {}, {}, {})
    _, problems = compile_themes({"default": lone})
    assert sum("is not set" in p.message for p in problems) == 2 * len(COLORS)


def test_refuses_parents_that_are_missing_or_circular() -> None:
    assert any("no theme nobody" in c for c in complaints(child(extends="nobody")))
    assert any("extends itself" in c for c in complaints(child(extends="mine")))


def test_refuses_another_version_of_the_contract() -> None:
    assert any("theme_api" in c for c in complaints(child(theme_api=2)))


@pytest.mark.parametrize(
    ("templates", "words"),
    [
        ({"layout.html": '{% extends "layout.html" %}'}, "circle"),
        ({"login.html": '{% extends "base:missing.html" %}'}, "missing.html"),
        ({"login.html": "{% block x %}"}, "login.html:1"),
        ({"login.html": "<p>no fields</p>"}, "nothing has the id login"),
        ({"login.html": '{% extends "base:login.html" %}\n{% block aside %}\n{{ page.nope }}{% endblock %}'}, ":3"),
        ({"login.html": '{% extends "base:login.html" %}{% block aside %}{{ t("x.y") }}{% endblock %}'}, "x.y"),
    ],
)
def test_names_the_file_and_the_fault_of_a_template(templates: dict[str, str], words: str) -> None:
    found = complaints(child(templates=templates))
    assert any(words in complaint for complaint in found), found


def test_a_parent_with_a_fault_takes_its_children_with_it() -> None:
    themes = child(tokens={"color": {"text": {"light": "red"}}})
    themes["grandchild"] = ThemeFiles("grandchild", "x", {"extends": "mine"}, {}, {}, {})
    compiled, problems = compile_themes(themes)
    assert set(compiled) == {"default"}
    assert len(problems) == 1, "told once, where it is"


def test_a_block_override_keeps_everything_else_of_the_page() -> None:
    page = '{% extends "base:login.html" %}{% block aside %}<p>own</p>{{ super() }}{% endblock %}'
    compiled, _ = compile_themes(child(templates={"login.html": page}))
    staging = stage(compiled["mine"], sample_face(compiled["mine"]), "en", pytest.fail)
    text = staging.markup(sample_reply(next(samples()), "en"))
    assert "<p>own</p>" in text and 'id="password"' in text and "Terms of service" in text


def test_an_overridden_layout_reaches_every_page_of_the_theme() -> None:
    layout = '{% extends "base:layout.html" %}{% block footer %}<footer>ours</footer>{% endblock %}'
    compiled, problems = compile_themes(child(templates={"layout.html": layout}))
    assert problems == ()
    staging = stage(compiled["mine"], sample_face(compiled["mine"]), "en", pytest.fail)
    for sample in samples():
        if sample.name != "form-post":
            assert "<footer>ours</footer>" in staging.markup(sample_reply(sample, "en")), sample.name


def test_warns_of_a_message_that_nothing_asks_for() -> None:
    _, problems = compile_themes(child(messages={"en": {"login.titel": "x", "scope.mine": "y"}}))
    assert [(p.code, p.setting, p.is_warning) for p in problems] == [("OP725", "login.titel", True)]


def test_refuses_a_message_that_asks_for_what_it_is_not_given() -> None:
    assert any("{user}" in c for c in complaints(child(messages={"fi": {"login.client": "{user}"}})))
