"""themes/README.md: the contract for designers, written from the classes that hold it.

The docstring of a page says what it is for, the `#:` comment above a field what the field holds; nothing is
told twice, so nothing can be told differently.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from appliance.pages.assets import CONTENT_TYPES
from appliance.pages.context import ClientView, LanguageLink, Link, PageContext, ProfileView, ThemeView
from appliance.pages.problems import CODES
from appliance.pages.sandbox import FILTERS, TESTS
from appliance.pages.tokens import COLORS, CONTRASTS
from appliance.protocol.pages import (
    PAGES,
    THEME_API,
    AccountView,
    ConsentView,
    DetailField,
    DetailView,
    FaultView,
    ResourceView,
    ScopeView,
    SignUpFieldView,
)

_INTRODUCTION = f"""# Themes

<!-- Generated from appliance/pages and appliance/protocol/pages.py: change those, then run
     `THEMES_README=write python -m pytest tests/pages/test_readme.py`. -->

A theme is a folder: `default/` and `contrast/` here, your own under `themes/<id>/` beside your configuration.
Most themes are a `theme.yaml` and a logo. This is version {THEME_API} of the contract (`theme_api: {THEME_API}`).

```
themes/acme/
  theme.yaml               name, extends, tokens
  assets/                  logo.svg logo-dark.svg favicon.svg theme.css *.woff2
  messages/<locale>.yaml   flat keys; only what you say differently
  templates/*.html         only the blocks you change
```

What a theme does not have comes from the theme it extends, in the end from `default`.

## theme.yaml

```yaml
theme_api: {THEME_API}
name: Acme
extends: default
tokens:
  color:
    accent: {{light: "#00695c", dark: "#6fdcc9"}}
  brand:
    logo: logo.svg
    name: Acme
```
"""

_TEMPLATES = """## Templates

Override by block, and everything else keeps coming from the parent, also after an upgrade:

```html
{% extends "base:login.html" %}
{% block aside %}<p class="fine">{{ say("acme.welcome") }}</p>{{ super() }}{% endblock %}
```

`base:login.html` is the parents' file, `layout.html` the nearest one. Blocks of every page: `head`, `brand`,
`intro`, `content`, `aside`, `footer`; of the pages with fields also `fields`, of the consent page `asked`, of
the login and the sign-up page `instead`.
Take fields and buttons from `macros.html`: they bring labels, `autocomplete` and the wiring of errors.

Templates run in a sandbox. Scripts and styles go into `assets/`; inline ones, event attributes, `style`,
`<base>`, `<iframe>`, HTML comments, `|safe` and `{% autoescape %}` are refused when the theme is loaded, and so
is whatever else is not listed here. An address is one expression: `action`, `asset("...")`, or a field whose
name is `href`, `logo`, `logo_dark`, `logo_uri`, `client_uri`, `policy_uri`, `tos_uri`, `restart`,
`sign_up`, `sign_in`, `redirect_uri` or `post_logout_redirect_uri`; a link may also lead to a fixed `https:` address.
"""

_WORDS = """## Messages

`messages/<locale>.yaml` maps flat keys to text with `{placeholders}`; `default/messages/en.yaml` has all keys.
A key is looked up in your locale, your parents' same locale, your English, your parents' English. A scope or
claim of your own gets its words from `scope.<name>` and `claim.<name>`, a link at the foot from `link.<name>`.
"""


def readme() -> str:
    """The whole text of themes/README.md."""
    return "\n".join((_INTRODUCTION, *_tokens(), _TEMPLATES, *_lists(), _WORDS, *_variables(), *_codes()))


def _tokens() -> Iterator[str]:
    yield "Tokens: `color." + "`, `color.".join(COLORS) + "`, each with `light` and `dark` as `#rrggbb`;"
    yield "`font.body`, `font.heading`, `font.size` (at least 16px); `shape.radius`, `shape.width`;"
    yield "`brand.logo` (a file in `assets/`; `<name>-dark.svg` beside it is for the dark scheme), `brand.name`."
    yield "In style sheets they are `var(--color-accent)`, `var(--font-body)`, `var(--shape-radius)` and so on.\n"
    yield "Contrast is checked in both schemes; `allow_low_contrast: true` makes a failure a warning:\n"
    yield "| in front | behind | at least |\n|---|---|---|"
    yield from (f"| {front} | {back} | {least} |" for front, back, least in CONTRASTS)
    yield ""


def _lists() -> Iterator[str]:
    yield f"Filters: `{'`, `'.join(sorted(FILTERS))}`.\n"
    yield f"Tests: `{'`, `'.join(sorted(TESTS))}`.\n"
    yield f"Assets: `.{'`, `.'.join(CONTENT_TYPES)}`; `theme.css` adds to the parents' rules, other files replace."
    yield 'Style sheets name other assets by `url("name.woff2")` and nothing remote.\n'


def _variables() -> Iterator[str]:
    yield "## Variables of every page\n"
    yield from _table(PageContext)
    for kind in (ThemeView, ProfileView, ClientView, LanguageLink, Link):
        yield f"### {kind.__name__}\n"
        yield _sentence(kind)
        yield from _table(kind)
    yield "## Pages\n"
    for page in PAGES:
        yield f"### {page.template}\n"
        yield _sentence(page)
        yield from _table(page)
    views = (SignUpFieldView, FaultView, ScopeView, ResourceView, DetailView, DetailField, AccountView, ConsentView)
    for view in views:
        yield f"### {view.__name__}\n"
        yield _sentence(view)
        yield from _table(view)


def _codes() -> Iterator[str]:
    yield "## What can be wrong\n"
    yield "| code | meaning |\n|---|---|"
    yield from (f"| {code} | {words} |" for code, words in CODES.items())
    yield ""


def _sentence(kind: type) -> str:
    return f"{inspect.cleandoc(kind.__doc__ or '')}\n"


def _table(kind: type) -> Iterator[str]:
    if not is_dataclass(kind) or not fields(kind):
        return
    comments = field_comments(kind)
    prefix = "page." if kind in PAGES else ""
    yield "| name | type | |\n|---|---|---|"
    for field in fields(kind):
        shown = getattr(field.type, "__name__", "") if isinstance(field.type, type) else str(field.type)
        shown = re.sub(r"\b(?:[a-z_]+\.)+", "", shown if "[" not in str(field.type) else str(field.type))
        shown = shown.replace("|", "or")
        yield f"| `{prefix}{field.name}` | `{shown}` | {comments.get(field.name, '')} |"
    yield ""


def field_comments(kind: type) -> dict[str, str]:
    """The `#:` comment above each field of a class, its own and what it inherits."""
    comments: dict[str, str] = {}
    pending: list[str] = []
    sources = [inspect.getsource(each) for each in reversed(kind.__mro__) if is_dataclass(each)]
    for line in "\n".join(sources).splitlines():
        text = line.strip()
        if text.startswith("#:"):
            pending.append(text.removeprefix("#:").strip())
        elif found := re.match(r"(\w+):", text):
            if pending:
                comments[found[1]] = " ".join(pending)
            pending = []
        else:
            pending = []
    return comments
