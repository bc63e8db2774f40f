"""The sample relying party's one page: plain HTML, its own few lines of style, no script."""

from collections.abc import Iterable, Mapping
from html import escape

import orjson

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --accent: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --accent: #8ab4f8; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .35rem .6rem;
  border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { width: 12rem; font-weight: 600; } code { font-size: .9em; }
a.button, button { font: inherit; display: inline-block; padding: .5rem 1rem; border-radius: .4rem;
  border: 1px solid var(--accent); background: none; color: var(--accent); text-decoration: none;
  cursor: pointer; }
a.primary { background: var(--accent); color: Canvas; }
form { display: inline-block; margin-right: .5rem; }
.note { border-left: 3px solid var(--accent); padding: .3rem .8rem; }
"""


def start_page(issuer: str) -> str:
    """Nobody is signed in."""
    return _page(
        "Sample relying party",
        "<p>This page is another web site: it knows you only through the provider "
        f"<code>{escape(issuer)}</code>.</p>"
        '<p><a class="button primary" id="sign-in" href="/login">Sign in</a></p>',
    )


def signed_in_page(
    claims: Mapping[str, object],
    userinfo: Mapping[str, object] | None,
    tokens: Mapping[str, object],
    note: str,
) -> str:
    """What the provider told of the user."""
    name = claims.get("name") or (userinfo or {}).get("name") or claims.get("sub")
    remark = f'<p class="note" role="status">{escape(note)}</p>' if note else ""
    buttons = [_button("userinfo", "Ask UserInfo")]
    if "refresh_token" in tokens:
        buttons.append(_button("refresh", "Refresh the tokens"))
    buttons.append(_button("logout", "Sign out"))
    parts = [
        f'{remark}<p>You are <strong id="who">{escape(str(name))}</strong>.</p>{"".join(buttons)}',
        "<h2>ID Token</h2><p>Signature, issuer, audience, times and nonce were checked.</p>",
        _table("claims", claims.items()),
    ]
    if userinfo is not None:
        parts.append("<h2>UserInfo</h2>" + _table("userinfo-claims", userinfo.items()))
    shown = ((key, value) for key, value in tokens.items() if not key.endswith("_token"))
    parts.append("<h2>Token response</h2>" + _table("token-response", shown))
    return _page("Signed in", "".join(parts))


def error_page(message: str) -> str:
    """The login came to nothing."""
    return _page(
        "That did not work",
        f'<p id="error">{escape(message)}</p><p><a class="button" href="/">Back to the start</a></p>',
    )


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def _table(id_: str, rows: Iterable[tuple[str, object]]) -> str:
    cells = "".join(
        f'<tr><th scope="row"><code>{escape(key)}</code></th><td>{escape(_shown(value))}</td></tr>'
        for key, value in rows
    )
    return f'<table id="{id_}">{cells}</table>'


def _shown(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _button(action: str, words: str) -> str:
    return f'<form method="post" action="/{action}"><button id="{action}">{escape(words)}</button></form>'
