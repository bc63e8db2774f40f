"""Theme folders read for the tests of this room: what `config` does with care, done plainly."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

from appliance.config.declared.theme import ThemeFiles
from appliance.pages.rehearsal import rehearse
from appliance.pages.theme import CompiledTheme, compile_themes
from appliance.resources import CONFIG_EXAMPLE, THEMES


def read_folder(folder: Path) -> ThemeFiles:
    """One theme folder."""

    def files(name: str, pattern: str) -> list[Path]:
        return sorted((folder / name).glob(pattern))

    return ThemeFiles(
        id=folder.name,
        origin="built in",
        settings=yaml.safe_load((folder / "theme.yaml").read_text(encoding="utf-8")),
        messages={path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in files("messages", "*.yaml")},
        templates={path.name: path.read_text(encoding="utf-8") for path in files("templates", "*.html")},
        assets={path.name: path.read_bytes() for path in files("assets", "*")},
    )


@cache
def shipped() -> Mapping[str, ThemeFiles]:
    """Every theme that ships, built in or as an example."""
    folders = [*THEMES.iterdir(), *(CONFIG_EXAMPLE / "themes").iterdir()]
    return MappingProxyType({f.name: read_folder(f) for f in sorted(folders) if f.is_dir()})


@cache
def shipped_compiled() -> Mapping[str, CompiledTheme]:
    """The same, compiled without a finding."""
    compiled, problems = compile_themes(shipped())
    assert problems == (), "\n".join(map(str, problems))
    return compiled


def child(
    *,
    templates: Mapping[str, str] | None = None,
    assets: Mapping[str, bytes] | None = None,
    messages: Mapping[str, Mapping[str, str]] | None = None,
    **settings: object,
) -> dict[str, ThemeFiles]:
    """The default theme and a child called `mine`, as a designer could have dropped it in."""
    mine = ThemeFiles("mine", "themes/mine", settings, messages or {}, templates or {}, assets or {})
    return {"default": shipped()["default"], "mine": mine}


def complaints(themes: Mapping[str, ThemeFiles]) -> list[str]:
    """Everything that is found wrong, rehearsal included; the default theme has its own test."""
    compiled, problems = compile_themes(themes)
    compiled = {name: theme for name, theme in compiled.items() if name != "default"}
    return [str(problem) for problem in (*problems, *rehearse(compiled))]
