"""Assets: read once, hashed into their names, kept as finished responses.

A request never reaches a file system: what is served is a dictionary (XS-12).
"""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from appliance.pages.markup import css_with_hashed_names, lint_css, lint_svg
from appliance.pages.problems import ASSET, ThemeProblem
from appliance.protocol.messages import Response

CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "avif": "image/avif",
        "css": "text/css; charset=utf-8",
        "gif": "image/gif",
        "ico": "image/x-icon",
        "jpeg": "image/jpeg",
        "jpg": "image/jpeg",
        "js": "text/javascript; charset=utf-8",
        "otf": "font/otf",
        "png": "image/png",
        "svg": "image/svg+xml",
        "ttf": "font/ttf",
        "txt": "text/plain; charset=utf-8",
        "webp": "image/webp",
        "woff": "font/woff",
        "woff2": "font/woff2",
    }
)
LARGEST_ASSET = 2 * 1024 * 1024
_LARGEST_SCRIPT = 4 * 1024
_PLAIN_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_POLICY = "default-src 'none'; sandbox"


def check_assets(theme: str, assets: Mapping[str, bytes], inherited: frozenset[str]) -> list[ThemeProblem]:
    """What is wrong with the assets of one theme folder; `inherited` are names its parents bring."""
    problems: list[ThemeProblem] = []
    names = frozenset(assets) | inherited

    def refuse(name: str, line: int | None, message: str) -> None:
        problems.append(ThemeProblem(ASSET, theme, f"assets/{name}", line, message))

    for name, content in assets.items():
        kind = _kind(name)
        if not name or name.startswith(".") or len(name) > 100 or not set(name) <= _PLAIN_NAME:
            refuse(name, None, "a file name has letters, digits, dots, - and _ only")
        elif kind not in CONTENT_TYPES:
            refuse(name, None, f"files of this kind are not served; known are {', '.join(CONTENT_TYPES)}")
        elif len(content) > (_LARGEST_SCRIPT if kind == "js" else LARGEST_ASSET):
            refuse(name, None, "the file is too large")
        elif kind in ("css", "svg", "js"):
            try:
                text = content.decode()
            except UnicodeDecodeError:
                refuse(name, None, "the file is not UTF-8")
                continue
            findings = {"css": lint_css(text, names), "svg": lint_svg(text)}.get(kind, iter(()))
            for finding in findings:
                refuse(name, finding.line, finding.message)
    return problems


def hashed_names(assets: Mapping[str, bytes]) -> tuple[Mapping[str, str], Mapping[str, bytes]]:
    """Asset name to hashed name, and hashed name to what is served.

    Style sheets come last: they carry the hashed names of the others.
    """
    names: dict[str, str] = {}
    served: dict[str, bytes] = {}
    for name in sorted(assets, key=lambda name: (_kind(name) == "css", name)):
        content = assets[name]
        if _kind(name) == "css":
            content = css_with_hashed_names(content.decode(), names).encode()
        stem, _, kind = name.rpartition(".")
        hashed = f"{stem}.{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
        names[name] = hashed
        served[hashed] = content
    return MappingProxyType(names), MappingProxyType(served)


def asset_response(name: str, content: bytes) -> Response:
    """The finished response of one asset. Its name changes with its content, so it never grows stale."""
    kind = _kind(name)
    return Response(
        headers=(
            ("Content-Type", CONTENT_TYPES[kind]),
            ("Cache-Control", "public, max-age=31536000, immutable"),
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", _SVG_POLICY if kind == "svg" else _POLICY),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ),
        body=content,
    )


def _kind(name: str) -> str:
    return name.rpartition(".")[2].lower()
