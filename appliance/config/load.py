"""The whole path from a directory to a checked configuration, or to every mistake in it.

`appliance check` and the reload both come in here. A file that is broken stops nothing but itself: all other
files are still checked, and only what would follow from the broken one is left unsaid.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from appliance import resources
from appliance.config import documents, objects, rules, secrecy, themes, tree, variables
from appliance.config.declared.theme import ThemeFiles
from appliance.config.declared.whole import Declared
from appliance.config.documents import Document
from appliance.config.faults import Fault, find_faults, suggestion
from appliance.config.linking import Linked, Object, label
from appliance.config.objects import Build, Built, Declaration, FileObjects, Locator, Parts
from appliance.config.problems import ConfigRejected, Excerpts, Mark, Problem, problem_at, sort_problems
from appliance.config.schemas import Schemas, load_schemas
from appliance.config.secrets import SecretResolver
from appliance.config.tree import FAMILIES, ROOT_FILE, SourceFile

_ENVIRONMENT = "environment.json#/$defs/environment"
_VARIABLES = "root.json#/properties/vars"


@dataclass(slots=True)
class Cache:
    """What an earlier load knew of each file by its content. Give the same one to each load."""

    files_read: tree.TreeCache = field(default_factory=tree.TreeCache)
    parsed: dict[str, tuple[bytes, Document | None, tuple[Problem, ...]]] = field(default_factory=dict)
    files: dict[str, tuple[bytes, FileObjects]] = field(default_factory=dict)
    themes_read: dict[str, tuple[bytes, themes.ReadTheme]] = field(default_factory=dict)
    #: What the rules found of each client.
    verdicts: rules.Verdicts = field(default_factory=rules.Verdicts)
    #: What the objects of `files` depend on beside their file: variables, patch, parts.
    surroundings: bytes = b""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that may go live, with the warnings about it and the directories to watch."""

    declared: Declared
    warnings: tuple[Problem, ...]
    watched: tuple[Path, ...]
    #: Secrets, certificates and keys that the configuration names, wherever they are.
    files: tuple[Path, ...]
    excerpts: Excerpts


def load(
    directory: Path,
    *,
    environment: str | None,
    parts: Parts,
    secrets: bool = True,
    cache: Cache | None = None,
) -> Loaded:
    """The configuration of a directory. ConfigRejected carries all problems of all files.

    `parts` is family to kind to Options class. Without `secrets` their values are not read, so that a
    machine that has none of them can check.
    """
    return _Load(directory, environment, parts, secrets, cache if cache is not None else Cache()).run()


class _Load:
    """One load of a directory, from its files to the result."""

    def __init__(self, directory: Path, environment: str | None, parts: Parts, secrets: bool, cache: Cache) -> None:
        self._environment = environment
        self._parts = parts
        self._cache = cache
        self._schemas: Schemas = load_schemas(resources.SCHEMAS)
        self._snapshot = tree.read(directory, cache.files_read)
        self._secrets = SecretResolver(self._snapshot.root, os.environ, enabled=secrets)
        self._problems: list[Problem] = list(self._snapshot.problems)
        self._broken: set[str] = set()
        self._built: dict[str, dict[str, Built]] = {family: {} for family in (objects.ROOT, *FAMILIES)}
        self._ids: dict[tuple[str, str], Declaration] = {}
        self._watched: dict[Path, None] = dict.fromkeys(self._snapshot.directories)
        self._files: dict[Path, None] = {}

    def run(self) -> Loaded:
        """Read, build, link, judge."""
        parsed = {file: self._parse(found) for file, found in self._snapshot.yaml.items()}
        self._mark_unreadable()
        root = parsed.get(ROOT_FILE)
        build = self._prepare(root, parsed)
        self._build_all(parsed, build)
        self._check_patches(build)
        found_themes = self._read_themes()
        self._note_exposed()
        linked = self._link(found_themes)
        if linked is not None:
            self._problems.extend(rules.check(linked, verdicts=self._cache.verdicts))
        self._forget_removed()
        problems = sort_problems(self._problems)
        excerpts = self._excerpts(problems)
        if linked is None or any(problem.severity == "error" for problem in problems):
            raise ConfigRejected(problems, excerpts)
        declared = self._declare(linked)
        return Loaded(declared, problems, tuple(self._watched), tuple(self._files), excerpts)

    def _parse(self, found: SourceFile) -> Document | None:
        known = self._cache.parsed.get(found.file)
        if known is None or known[0] != found.digest:
            document, problems = documents.read(found.file, found.content)
            known = self._cache.parsed[found.file] = (found.digest, document, tuple(problems))
        self._problems.extend(known[2])
        if known[1] is None:
            self._break(found.file)
        return known[1]

    def _break(self, file: str) -> None:
        """Note that a file is missing from its family; op.yaml may have held objects of any."""
        top = file.partition("/")[0]
        self._broken.update((*FAMILIES, objects.ROOT) if top == ROOT_FILE else (top, *objects.BESIDE.get(top, ())))

    def _mark_unreadable(self) -> None:
        for problem in self._snapshot.problems:
            if problem.severity == "error":
                self._break(problem.file)

    def _prepare(self, root: Document | None, parsed: Mapping[str, Document | None]) -> Build:
        """The variables and patch that every file is built with."""
        chosen, usable = self._choose_environment(parsed)
        declared: Any = root.value.get("vars", {}) if root is not None else {}
        usable = usable and root is not None
        if root is not None:
            faults = find_faults(self._schemas, _VARIABLES, declared)
            self._note(faults, root, ("vars",))
            usable = usable and not faults
        given: Any = chosen.value if chosen is not None and usable else {}
        known = frozenset(declared) if root is not None and isinstance(declared, dict) else None
        values = variables.Variables({}, known)
        if usable:
            found = variables.resolve(declared, given.get("vars", {}), self._environment)
            if root is not None:
                self._note(found.declared, root, ("vars",))
            if chosen is not None:
                self._note(found.given, chosen, ("vars",))
            values = found.variables
        patches = dict(given.get("patch", {}))
        if objects.ROOT in patches:
            patches[objects.ROOT] = {objects.ROOT: patches[objects.ROOT]}
        return Build(self._schemas, values, chosen, patches, self._parts, self._secrets)

    def _choose_environment(self, parsed: Mapping[str, Document | None]) -> tuple[Document | None, bool]:
        """The document of the chosen environment, and whether what it says can be known. All are checked."""
        files = {file.partition("/")[2].rpartition(".")[0]: file for file in parsed if file.startswith("environments/")}
        sound = dict.fromkeys(files, True)
        for name, file in files.items():
            document = parsed[file]
            if document is None:
                sound[name] = False
                continue
            value = {key: child for key, child in document.value.items() if key != "$schema"}
            faults = find_faults(self._schemas, _ENVIRONMENT, value)
            self._note(faults, document, ())
            sound[name] = not faults
        if self._environment is None:
            return None, True
        if self._environment not in files:
            words = f"there is no environment `{self._environment}`"
            mark = Mark("environments", 0, 0, 0)
            remedy = suggestion(self._environment, list(files))
            self._problems.append(problem_at("OP034", mark, words, help=remedy))
            return None, False
        return parsed[files[self._environment]], sound[self._environment]

    def _build_all(self, parsed: Mapping[str, Document | None], build: Build) -> None:
        chosen = self._snapshot.yaml.get(build.environment.file) if build.environment else None
        told = [
            dict(build.variables.values),
            sorted(build.variables.declared or ()),
            build.variables.declared is None,
            chosen.digest if chosen else None,
            self._secrets.enabled,
            str(self._snapshot.root),
            {family: {kind: str(cls) for kind, cls in kinds.items()} for family, kinds in self._parts.items()},
        ]
        surroundings = hashlib.sha256(msgspec.json.encode(told, order="deterministic")).digest()
        if surroundings != self._cache.surroundings:
            self._cache.files.clear()
            self._cache.surroundings = surroundings
        for file, document in parsed.items():
            family = file.partition("/")[0]
            if document is not None and family != "environments":
                self._collect(self._build(file, family, document, build))

    def _build(self, file: str, family: str, document: Document, build: Build) -> FileObjects:
        digest = self._snapshot.yaml[file].digest
        known = self._cache.files.get(file)
        if known is not None and known[0] == digest and self._secrets.current(known[1].secrets):
            return known[1]
        self._secrets.begin()
        if file == ROOT_FILE:
            found = objects.build_root(document, build)
        else:
            found = objects.build_file(family, document, build)
        found.secrets = self._secrets.end()
        if found.broken:
            # Its faults may lie outside of the file, as a secret that is missing: look again next time.
            self._cache.files.pop(file, None)
        else:
            self._cache.files[file] = (digest, found)
        return found

    def _collect(self, found: FileObjects) -> None:
        self._problems.extend(found.problems)
        self._broken.update(found.broken)
        for declared in found.ids:
            first = self._ids.setdefault((declared.family, declared.id), declared)
            if first is not declared:
                mark, other = declared.where(), label(first.where(), "first here")
                words = f"`{declared.id[:80]}` is declared twice in {declared.family}"
                remedy = "rename or remove one of them"
                self._problems.append(problem_at("OP024", mark, words, help=remedy, secondary=(other,)))
        for built in found.built:
            self._built[built.object.family].setdefault(built.object.id, built)

    def _check_patches(self, build: Build) -> None:
        environment = build.environment
        for family in FAMILIES:
            known = [name for of, name in self._ids if of == family]
            for name in build.patches.get(family, {}):
                if name not in known and environment is not None and family not in self._broken:
                    words = f"there is no `{name[:80]}` in {family} to patch"
                    mark = environment.where(("patch", family, name), key=True)
                    self._problems.append(problem_at("OP033", mark, words, help=suggestion(name, known)))

    def _read_themes(self) -> dict[str, Object[ThemeFiles]]:
        ours = themes.built_in(resources.THEMES)
        found: dict[str, Object[ThemeFiles]] = {}
        own = themes.group(self._snapshot.themes)
        for name, files in {**ours, **own}.items():
            read = self._read_theme(name, files, ours=name not in own)
            self._problems.extend(read.problems)
            if read.files is None or read.document is None:
                self._broken.add(tree.THEMES)
                continue
            locator = Locator(read.document, ())
            found[name] = Object(tree.THEMES, name, read.files, read.files.settings, locator)
        return found

    def _read_theme(self, name: str, files: Mapping[str, SourceFile], *, ours: bool) -> themes.ReadTheme:
        digest = _theme_digest(files)
        known = self._cache.themes_read.get(name)
        if known is None or known[0] != digest:
            known = self._cache.themes_read[name] = (
                digest,
                themes.read(name, files, self._schemas, ours=ours),
            )
        return known[1]

    def _note_exposed(self) -> None:
        for path, words in sorted(self._secrets.exposed.items()):
            self._problems.append(problem_at("OP403", Mark(path, 0, 0, 0), words, help="chmod 0400"))

    def _link(self, found_themes: dict[str, Object[ThemeFiles]]) -> Linked | None:
        root = self._built[objects.ROOT].get(objects.ROOT)
        if root is None:
            return None
        linked: dict[str, Any] = {
            family: {name: built.object for name, built in self._built[family].items()} for family in FAMILIES
        }
        return Linked(root=root.object, themes=found_themes, broken=frozenset(self._broken), **linked)

    def _declare(self, linked: Linked) -> Declared:
        families: dict[str, Any] = {
            family: {name: each.value for name, each in getattr(linked, family).items()} for family in FAMILIES
        }
        files = {name: each.value for name, each in linked.themes.items()}
        self._watch(self._secrets.files())
        listeners = linked.root.value.listeners
        mtls = None if listeners.mtls is None else listeners.mtls.tls
        for tls in (listeners.public.tls, listeners.admin.tls, mtls):
            if tls is not None:
                self._watch(self._snapshot.root / name for name in (tls.certificate, tls.key))
        return Declared(digest=self._digest(), root=linked.root.value, themes=files, **families)

    def _watch(self, files: Iterable[Path]) -> None:
        for path in files:
            self._files[path] = None
            # A file is watched by the directory of its name and by that of what the name leads to.
            self._watched[path.parent] = None
            self._watched[Path(os.path.realpath(path)).parent] = None

    def _digest(self) -> str:
        whole = hashlib.sha256()
        for family in sorted(self._built):
            for name in sorted(self._built[family]):
                whole.update(self._built[family][name].digest)
        for name, (digest, _) in sorted(self._cache.themes_read.items()):
            whole.update(hashlib.sha256(name.encode()).digest() + digest)
        return whole.hexdigest()

    def _forget_removed(self) -> None:
        for kept in (self._cache.parsed, self._cache.files):
            for file in [file for file in kept if file not in self._snapshot.yaml]:
                del kept[file]
        present = {*themes.group(self._snapshot.themes), *themes.built_in(resources.THEMES)}
        for name in [name for name in self._cache.themes_read if name not in present]:
            del self._cache.themes_read[name]

    def _excerpts(self, problems: Iterable[Problem]) -> Excerpts:
        named = {problem.file for problem in problems}
        named.update(mark.file for problem in problems for mark in problem.secondary)
        texts = {
            file: documents.decode_text(found.content)
            for files in (self._snapshot.yaml, self._snapshot.themes)
            for file, found in files.items()
            if file in named
        }
        return secrecy.excerpts(problems, texts, self._schemas.secret_names)

    def _note(self, faults: Iterable[Fault], document: Document, prefix: tuple[str, ...]) -> None:
        for fault in faults:
            mark = document.where((*prefix, *fault.path), key=fault.key)
            self._problems.append(problem_at(fault.code, mark, fault.message, help=fault.help))


def _theme_digest(files: Mapping[str, SourceFile]) -> bytes:
    whole = hashlib.sha256()
    for name, found in sorted(files.items()):
        whole.update(hashlib.sha256(f"{found.file}\0{name}".encode()).digest() + found.digest)
    return whole.digest()
