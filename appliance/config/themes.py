"""Theme folders: read whole, checked for what may be in them, not yet compiled."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.config import documents, tree
from appliance.config.declared.theme import ThemeFiles
from appliance.config.faults import find_faults
from appliance.config.problems import Mark, Problem, problem_at
from appliance.config.problems import Path as Place
from appliance.config.schemas import Schemas

REFERENCE: Final = "theme.json#/$defs/theme"
SETTINGS: Final = "theme.yaml"
#: File types a designer may bring. No scripts: a theme is for the looks.
ASSETS: Final = frozenset(
    {
        ".css",
        ".svg",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".webp",
        ".avif",
        ".ico",
        ".woff",
        ".woff2",
        ".ttf",
        ".otf",
    }
)
_BUILT_IN: Final = "built in"
_READ_ME: Final = (".md", ".txt")


@dataclass(frozen=True, slots=True)
class ReadTheme:
    """A theme as read, what is wrong with it, and its settings' document for places. None: unusable."""

    files: ThemeFiles | None
    document: documents.Document | None
    problems: tuple[Problem, ...]


def group(files: Mapping[str, tree.SourceFile]) -> dict[str, dict[str, tree.SourceFile]]:
    """Theme id to its files by path within the theme, from files by path within the configuration."""
    themes: dict[str, dict[str, tree.SourceFile]] = {}
    for file, found in files.items():
        parts = file.split("/", 2)
        if len(parts) == 3:
            themes.setdefault(parts[1], {})[parts[2]] = found
    return themes


def built_in(directory: Path) -> dict[str, dict[str, tree.SourceFile]]:
    """The themes that ship with the provider."""
    themes: dict[str, dict[str, tree.SourceFile]] = {}
    if not directory.is_dir():
        return themes
    for folder in sorted(entry for entry in directory.iterdir() if entry.is_dir()):
        found = {
            name: tree.source_file(f"{_BUILT_IN}/{folder.name}/{name}", content) for name, content in _walk(folder)
        }
        if SETTINGS in found:
            themes[folder.name] = found
    return themes


def _walk(folder: Path) -> Iterator[tuple[str, bytes]]:
    for parent, directories, names in os.walk(folder):
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and stat.S_ISREG(path.stat().st_mode):
                yield path.relative_to(folder).as_posix(), path.read_bytes()


def read(id: str, files: Mapping[str, tree.SourceFile], schemas: Schemas, *, ours: bool) -> ReadTheme:
    """A theme from its files. `ours`: it ships with the provider, and may have scripts."""
    return _Reader(id, files, schemas, ours).read()


class _Reader:
    """Reads one theme and collects what is wrong with it."""

    def __init__(self, id: str, files: Mapping[str, tree.SourceFile], schemas: Schemas, ours: bool) -> None:
        self._id = id
        self._files = files
        self._schemas = schemas
        self._ours = ours
        self._origin = _BUILT_IN if ours else f"{tree.THEMES}/{id}"
        self._problems: list[Problem] = []
        self._messages: dict[str, dict[str, str]] = {}
        self._templates: dict[str, str] = {}
        self._assets: dict[str, bytes] = {}

    def read(self) -> ReadTheme:
        """The theme, or problems."""
        document = self._settings()
        for name, found in sorted(self._files.items()):
            self._sort(name, found)
        if document is None or any(problem.severity == "error" for problem in self._problems):
            return ReadTheme(None, document, tuple(self._problems))
        settings = {name: value for name, value in document.value.items() if not name.startswith("$")}
        whole = ThemeFiles(self._id, self._origin, settings, self._messages, self._templates, self._assets)
        return ReadTheme(whole, document, tuple(self._problems))

    def _settings(self) -> documents.Document | None:
        found = self._files.get(SETTINGS)
        if found is None:
            self._note("OP701", f"{self._origin}/{SETTINGS}", f"the theme `{self._id}` has no {SETTINGS}")
            return None
        document = self._document(found)
        if document is not None:
            settings = {name: value for name, value in document.value.items() if not name.startswith("$")}
            for fault in find_faults(self._schemas, REFERENCE, settings):
                mark = document.where(fault.path, key=fault.key)
                self._problems.append(problem_at(fault.code, mark, fault.message, help=fault.help))
        return document

    def _sort(self, name: str, found: tree.SourceFile) -> None:
        folder, _, rest = name.partition("/")
        if name == SETTINGS or (not rest and name.endswith(_READ_ME)):
            return
        extension = os.path.splitext(name)[1].lower()
        if folder == "messages" and extension in (".yaml", ".yml"):
            self._read_messages(os.path.splitext(rest)[0], found)
        elif folder == "templates" and extension == ".html":
            self._read_template(rest, found)
        elif folder == "assets" and (extension in ASSETS or (self._ours and extension in (".js", ".txt"))):
            self._assets[rest] = found.content
        elif not name.endswith(_READ_ME):
            remedy = "theme.yaml, messages/<language>.yaml, templates/*.html, assets/*: " + " ".join(sorted(ASSETS))
            self._note("OP702", found.file, "a theme cannot have this file", remedy)

    def _read_messages(self, locale: str, found: tree.SourceFile) -> None:
        document = self._document(found)
        if document is None:
            return
        texts: dict[str, str] = {}
        for path, value in _leaves(document.value, ()):
            if isinstance(value, str):
                texts[".".join(map(str, path))] = value
            else:
                mark = document.where(path)
                self._problems.append(problem_at("OP703", mark, "a message must be a text", help="write it in quotes"))
        self._messages[locale] = texts

    def _read_template(self, name: str, found: tree.SourceFile) -> None:
        try:
            self._templates[name] = found.content.decode("utf-8")
        except UnicodeDecodeError:
            self._note("OP006", found.file, "the file is not UTF-8", "save it as UTF-8")

    def _document(self, found: tree.SourceFile) -> documents.Document | None:
        document, problems = documents.read(found.file, found.content)
        self._problems.extend(problems)
        return document

    def _note(self, code: str, file: str, message: str, help: str | None = None) -> None:
        self._problems.append(problem_at(code, Mark(file, 0, 0, 0), message, help=help))


def _leaves(value: object, path: Place) -> Iterator[tuple[Place, object]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _leaves(child, (*path, name))
    else:
        yield path, value
