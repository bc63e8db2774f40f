"""Themes that were rehearsed before without a finding: no start renders every page of them again.

What is kept is one digest of all that the outcome depends on, which is the files of all themes and this program.
Whatever changes in either, everything is rehearsed; so it is after any finding, be it only a warning.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from appliance import __version__
from appliance.config.declared.theme import ThemeFiles

NAME = "rehearsed-themes"
#: The code that judges pages: our own, and the library that renders them.
_PACKAGES = ("appliance", "jinja2", "babel")


class Rehearsed:
    """The digest in the state directory. Whoever can write there has the signing keys, too."""

    def __init__(self, state: Path) -> None:
        self._file = state / NAME

    def knows(self, digest: str) -> bool:
        """Whether these very themes passed before."""
        try:
            return self._file.read_text(encoding="ascii") == digest
        except (OSError, UnicodeDecodeError):
            return False

    def note(self, digest: str) -> None:
        """Remember that these themes passed, instead of those before. Without room for it they are tried again."""
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = self._file.with_name(f".{NAME}")
            unfinished.write_text(digest, encoding="ascii")
            unfinished.replace(self._file)


def digest_of(themes: Mapping[str, ThemeFiles]) -> str:
    """One digest of all themes and of the program that judges them."""
    whole = hashlib.sha256(repr((__version__, sys.version, list(_program()))).encode())
    for theme in themes.values():
        assets = {name: hashlib.sha256(octets).digest() for name, octets in theme.assets.items()}
        written = repr((theme.id, theme.origin, theme.settings, theme.messages, theme.templates, assets))
        whole.update(hashlib.sha256(written.encode()).digest())
    return whole.hexdigest()


def _program() -> Iterator[tuple[str, int, int]]:
    """Name, size and time of every module: what Python itself takes for the sign of an unchanged file."""
    for package in _PACKAGES:
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec is not None else ():
            yield from _modules(place)


def _modules(directory: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(directory) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir():
            yield from _modules(entry.path)
        elif entry.name.endswith(".py"):
            state = entry.stat()
            yield entry.path, state.st_size, state.st_mtime_ns
