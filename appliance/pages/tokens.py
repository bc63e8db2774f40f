"""Design tokens: the first and mostly the only thing a designer sets.

Colours in two schemes, fonts, shape and brand; checked for contrast and written as CSS custom properties.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from appliance.pages.problems import CONTRAST, SETTING, ThemeProblem

COLORS = ("page", "surface", "text", "muted", "border", "accent", "on-accent", "error", "success")
SCHEMES = ("light", "dark")

#: WCAG 2.2: 1.4.3 asks 4.5 of text, 1.4.11 asks 3 of the outline of a field; the accent is also the focus ring
#: and the colour of links, so it is held to the stricter one.
CONTRASTS: tuple[tuple[str, str, float], ...] = (
    ("text", "surface", 4.5),
    ("text", "page", 4.5),
    ("muted", "surface", 4.5),
    ("muted", "page", 4.5),
    ("accent", "surface", 4.5),
    ("accent", "page", 4.5),
    ("on-accent", "accent", 4.5),
    ("error", "surface", 4.5),
    ("success", "surface", 4.5),
    ("border", "surface", 3.0),
)

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_LENGTH = re.compile(r"0|\d{1,4}(?:\.\d{1,3})?(?:px|rem)")
_FAMILY = re.compile(r"[A-Za-z0-9 ,_\"'-]{1,300}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{0,80}")

#: Group and token to what its value must look like, and that in words.
_SHAPES: Mapping[tuple[str, str], tuple[re.Pattern[str], str]] = {
    ("font", "body"): (_FAMILY, "a list of font families"),
    ("font", "heading"): (_FAMILY, "a list of font families"),
    ("font", "size"): (_LENGTH, "a length such as 1rem, at least 16px"),
    ("shape", "radius"): (_LENGTH, "a length such as 12px"),
    ("shape", "width"): (_LENGTH, "a length such as 26rem"),
    ("brand", "logo"): (_FILE, "the name of a file in assets/"),
    ("brand", "name"): (_NAME, "a short line of text"),
}
_SMALLEST_FONT_PX = 16


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a theme after its parents': colour name to scheme to `#rrggbb`, `group.token` to text."""

    colors: Mapping[str, Mapping[str, str]]
    texts: Mapping[str, str]

    @property
    def logo(self) -> str:
        """File name of the brand's logo."""
        return self.texts.get("brand.logo", "logo.svg")

    @property
    def brand(self) -> str:
        """Name of the brand, or "" where the profile's title is to stand for it."""
        return self.texts.get("brand.name", "")


def read_tokens(
    chain: Sequence[tuple[str, Mapping[str, object]]],
) -> tuple[Tokens, list[ThemeProblem]]:
    """Tokens of a chain of (theme id, settings), parents first; problems name the theme that brought them."""
    colors: dict[str, dict[str, str]] = {}
    texts: dict[str, str] = {}
    problems: list[ThemeProblem] = []
    for theme, settings in chain:
        for path, value in _leaves(settings.get("tokens", {}), ()):
            if fault := _fault(path, value):
                setting = ".".join(("tokens", *path))
                problems.append(
                    ThemeProblem(SETTING, theme, "theme.yaml", None, f"{setting}: {fault}", setting=setting)
                )
            elif path[0] == "color":
                colors.setdefault(path[1], {})[path[2]] = _long(str(value))
            else:
                texts[".".join(path)] = str(value)
    frozen = MappingProxyType({name: MappingProxyType(schemes) for name, schemes in colors.items()})
    return Tokens(frozen, MappingProxyType(texts)), problems


def _leaves(node: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(node, Mapping) and len(path) < 3:
        for key, value in node.items():
            yield from _leaves(value, (*path, str(key)))
    elif path:
        yield path, node


def _fault(path: tuple[str, ...], value: object) -> str:
    """Why a token cannot be used, or ""."""
    if path[0] == "color":
        if len(path) != 3 or path[1] not in COLORS or path[2] not in SCHEMES:
            return f"colours are {', '.join(COLORS)}, each with light and dark"
        return "" if isinstance(value, str) and _HEX.fullmatch(value) else "a colour is written #rrggbb"
    shape = _SHAPES.get(path[:2]) if len(path) == 2 else None
    if shape is None:
        return "there is no such token"
    pattern, words = shape
    text = str(value)
    if not pattern.fullmatch(text) or (path == ("font", "size") and _pixels(text) < _SMALLEST_FONT_PX):
        return f"must be {words}"
    return ""


def _pixels(length: str) -> float:
    number = float(length.rstrip("pxrem"))
    return number * 16 if length.endswith("rem") else number


def _long(color: str) -> str:
    color = color.lower()
    return "#" + "".join(digit * 2 for digit in color[1:]) if len(color) == 4 else color


def contrast_ratio(one: str, other: str) -> float:
    """Contrast of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def check_contrast(theme: str, tokens: Tokens, *, allow_low_contrast: bool) -> list[ThemeProblem]:
    """Every pair of colours that cannot be told apart well enough, in both schemes."""
    problems: list[ThemeProblem] = []
    for name in COLORS:
        problems.extend(
            ThemeProblem(SETTING, theme, "theme.yaml", None, f"tokens.color.{name}.{scheme} is not set")
            for scheme in SCHEMES
            if scheme not in tokens.colors.get(name, {})
        )
    if problems:
        return problems
    for front, back, least in CONTRASTS:
        for scheme in SCHEMES:
            ratio = contrast_ratio(tokens.colors[front][scheme], tokens.colors[back][scheme])
            if ratio < least:
                words = f"{front} on {back} has a contrast of {ratio:.2f} in the {scheme} scheme, not {least}"
                problems.append(
                    ThemeProblem(
                        CONTRAST,
                        theme,
                        "theme.yaml",
                        None,
                        words,
                        "Darken one of the two and lighten the other; allow_low_contrast makes it a warning.",
                        is_warning=allow_low_contrast,
                        setting=f"tokens.color.{front}.{scheme}",
                    )
                )
    return problems


def stylesheet(tokens: Tokens) -> bytes:
    """The tokens as CSS custom properties, for browsers with light-dark() and for those without."""
    both = {name: (schemes["light"], schemes["dark"]) for name, schemes in tokens.colors.items()}
    lines = [":root{color-scheme:light dark;"]
    lines += [f"--color-{name}:light-dark({light},{dark});" for name, (light, dark) in both.items()]
    lines += [
        f"--{key.replace('.', '-')}:{value};" for key, value in tokens.texts.items() if not key.startswith("brand.")
    ]
    lines.append("}\n@supports not (color:light-dark(#000,#fff)){:root{")
    lines += [f"--color-{name}:{light};" for name, (light, _) in both.items()]
    lines.append("}@media (prefers-color-scheme:dark){:root{")
    lines += [f"--color-{name}:{dark};" for name, (_, dark) in both.items()]
    lines.append("}}}\n")
    return "".join(lines).encode()
