"""The sandbox holds against a theme author who wants code, time, memory or somebody else's page."""

import time

import pytest
from jinja2 import DictLoader, TemplateError

from appliance.pages.rehearsal import rehearse, sample_face, sample_reply, samples
from appliance.pages.rendering import stage
from appliance.pages.sandbox import Sandbox
from appliance.pages.templates import parse
from appliance.pages.theme import compile_themes
from tests.pages.theme_folders import child, complaints

PAGE = '{% extends "base:logged_out.html" %}{% block content %}\n'


def mine(body: str) -> dict[str, str]:
    """A template of a theme whose second line is the one to find."""
    return {"logged_out.html": f"{PAGE}{body}{{% endblock %}}"}


def render(source: str, **variables: object) -> str:
    """A template straight in the sandbox, past the lint: the second wall alone."""
    sandbox = Sandbox(DictLoader({"page": source}), lambda name, parent: name)
    return sandbox.render_page("page", variables)


ESCAPES = (
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ ('%s'|attr('format'))(1) }}",
    "{{ '{0.__class__}'.format(page) }}",
    "{{ '{0.__class__}'.format_map({'0': page}) }}",
    "{{ t.__func__.__globals__ }}",
    "{{ asset.__self__ }}",
    "{{ page.__class__.__subclasses__() }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.intro() }}",
    "{{ config.items() }}",
    "{{ request.app }}",
    "{{ range(3) }}",
    "{{ namespace(x=1) }}",
    "{{ joiner() }}",
    "{{ dict(x=1) }}",
    "{{ page.__init__() }}",
    "{% set _x = 1 %}{{ _x }}",
    "{{ ['a']|map('upper')|list }}",
    "{{ theme|tojson }}",
    "{{ links|pprint }}",
    "{% include asset('x') %}",
    '{% include "/etc/passwd" %}',
    '{% include "../secrets.html" %}',
    '{% import "default:login.html" as x %}',
)


@pytest.mark.attack("XS-07")
@pytest.mark.parametrize("source", ESCAPES)
def test_refuses_a_template_that_reaches_for_code(source: str) -> None:
    found = complaints(child(templates=mine(source)))
    assert any("mine/templates/logged_out.html" in complaint for complaint in found), found


@pytest.mark.attack("XS-07")
@pytest.mark.parametrize(
    "source",
    [
        "{{ cycler.__init__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ 'x'.format(1) }}",
        "{{ 'x'['format'](1) }}",
        "{{ ('x'|e).format(1) }}",
        "{{ f.__globals__ }}",
        "{{ f.__func__ }}",
        "{{ x.append(1) }}",
        "{{ d.clear() }}",
        "{{ d.pop('a') }}",
        "{{ d.update(d) }}",
        "{{ kind() }}",
    ],
)
def test_holds_without_the_lint(source: str) -> None:
    with pytest.raises(TemplateError):
        render(source, f=test_holds_without_the_lint, x=[1], d={"a": 1}, kind=dict)


BOMBS = (
    "{% for a in 'aaaaaaaaaa' %}" * 9 + "x" + "{% endfor %}" * 9,
    "{{ 'a' * 10**8 }}",
    "{{ 'a'|center(100000000) }}",
    "{{ '%100000000d' % 1 }}",
    "{{ 'a' * 100000000 }}",
    "{{ [0] * 100000000 }}",
    "{{ 2 ** 1000000 }}",
    "{{ '{:>100000000}'.format(1) }}",
    "{{ '{:>100000000}'['format'](1) }}",
    "{% set a = 'aaaaaaaaaaaaaaaa' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "{% set a = 'aaaaaaaaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "{% set a = 'aaaaaaaaaaaaaaaa' %}" + "{% set a = [a, a]|join %}" * 40 + "{{ a }}",
    "{% set a = 'aaaaaaaaaaaaaaaa' %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40 + "{{ a }}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(x) %}{{ x }}{{ x }}{% endmacro %}{{ " + "m(" * 40 + "'aaaa'" + ")" * 40 + " }}",
    "{% for a in [1] recursive %}{{ loop([1, 1]) }}{% endfor %}",
    '{% include "logged_out.html" %}',
    "x" * 50_000,
    "{% if 1 %}" * 500 + "{% endif %}" * 500,
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{{ " + "-" * 3000 + "1 }}",
)


@pytest.mark.attack("XS-09")
@pytest.mark.parametrize("number", range(len(BOMBS)))
def test_refuses_a_template_that_would_take_all_time_or_memory(number: int) -> None:
    before = time.process_time()
    found = complaints(child(templates=mine(BOMBS[number])))
    assert any("logged_out.html" in complaint for complaint in found), found
    # A bound against runaway templates, with room for a slow machine: unbounded they take minutes.
    assert time.process_time() - before < 10


@pytest.mark.attack("XS-10")
def test_lets_no_page_change_what_the_next_one_sees() -> None:
    body = '{% set locale = "xx" %}{% set links = () %}{{ locale }}'
    compiled, problems = compile_themes(child(templates=mine(body)))
    assert problems == () and rehearse(compiled) == []
    staging = stage(compiled["mine"], sample_face(compiled["mine"]), "en", pytest.fail)
    sample = next(sample for sample in samples() if sample.name == "logged-out")
    pages = {staging.markup(sample_reply(sample, "en")) for _ in range(3)}
    login = staging.markup(sample_reply(next(samples()), "en"))
    assert len(pages) == 1
    assert '<html lang="en"' in login and "example/help" in login


def test_counts_turns_and_calls_of_one_page_only() -> None:
    assert render("{% for a in x %}{{ a }}{% endfor %}", x=["a"] * 4000) == "a" * 4000
    with pytest.raises(TemplateError, match="5000"):
        render("{% for a in x %}{{ a }}{% endfor %}", x=["a"] * 5001)


def test_escapes_every_value_and_refuses_undefined_ones() -> None:
    assert render('<b title="{{ x }}">{{ x }}</b>', x="<'\">") == (
        '<b title="&lt;&#39;&#34;&gt;">&lt;&#39;&#34;&gt;</b>'
    )
    with pytest.raises(TemplateError):
        render("{{ nobody }}")


def test_compiles_what_is_parsed_once_as_often_as_wanted_to_the_same_code() -> None:
    source = '{% for x in "ab" %}{% for y in (1, 2) if y > 1 %}{{ x }}{{ "c" | upper }}{% endfor %}{% endfor %}'
    sandbox = Sandbox(DictLoader({}), lambda template, parent: template)
    fresh = sandbox.compile(source, "0/x.html", "mine/templates/x.html", raw=True)
    tree = parse(source).tree
    for _ in range(3):
        assert sandbox.compile(tree, "0/x.html", "mine/templates/x.html", raw=True) == fresh
