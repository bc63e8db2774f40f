"""Themes: what they extend and show is there. How they look is judged where pages are compiled."""

from collections.abc import Iterator, Mapping

from appliance.config.declared.theme import ThemeFiles
from appliance.config.faults import suggestion
from appliance.config.linking import Object, problem
from appliance.config.problems import Problem
from appliance.config.rules.rule import Rule, Scene, unknown

_ROOT = "default"


def parent_exists(theme: Object[ThemeFiles], scene: Scene) -> Iterator[Problem]:
    """The theme that is extended is there, and the line ends at one that extends nothing."""
    parent = _parent(theme)
    if parent is None:
        return
    if parent not in scene.linked.themes:
        if scene.linked.complete("themes"):
            yield unknown("OP317", theme, ("extends",), parent, "theme", scene.linked.themes)
        return
    seen = [theme.id]
    while parent is not None and parent in scene.linked.themes:
        if parent in seen:
            message = "themes extend each other in a circle: " + " -> ".join([*seen, parent])
            yield problem("OP712", theme, ("extends",), message, help=f"extend `{_ROOT}`")
            return
        seen.append(parent)
        parent = _parent(scene.linked.themes[parent])


def _parent(theme: Object[ThemeFiles]) -> str | None:
    if theme.id == _ROOT:
        return None
    return str(theme.value.settings.get("extends") or _ROOT)


def logo_exists(theme: Object[ThemeFiles], scene: Scene) -> Iterator[Problem]:
    """The logo is one of the files that the theme, or one it extends, brought."""
    tokens = theme.value.settings.get("tokens")
    brand = tokens.get("brand") if isinstance(tokens, Mapping) else None
    logo = brand.get("logo") if isinstance(brand, Mapping) else None
    if not isinstance(logo, str):
        return
    there: set[str] = set()
    seen: set[str] = set()
    at: str | None = theme.id
    while at is not None and at in scene.linked.themes and at not in seen:
        seen.add(at)
        there.update(scene.linked.themes[at].value.assets)
        at = _parent(scene.linked.themes[at])
    if logo not in there:
        remedy = suggestion(logo, sorted(there)) if there else "put the picture there"
        path = ("tokens", "brand", "logo")
        yield problem("OP713", theme, path, f"there is no file `{logo}` in assets/", help=remedy)


RULES: tuple[Rule[ThemeFiles], ...] = (parent_exists, logo_exists)
