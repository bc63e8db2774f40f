"""The configuration directory as one state: every byte read at once, parsed from memory afterwards.

A deployment replaces files by swapping a symbolic link (ConfigMap, git-sync); if that happens while we read,
we read again. Links must stay inside the directory, and only plain files are opened.
"""

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appliance.config.problems import Mark, Problem, problem_at

ROOT_FILE: Final = "op.yaml"
FAMILIES: Final = ("profiles", "clients", "client_templates", "claims", "sources", "authenticators", "policies")
# Templates stand with the clients that are made from them.
DIRECTORIES: Final = (*(family for family in FAMILIES if family != "client_templates"), "environments")
THEMES: Final = "themes"
# Directories of other verbs: declared tests, and encrypted or plain files that secrets refer to.
_ELSEWHERE: Final = frozenset({"tests", "secrets", "keys"})
MAX_BYTES: Final = 8 * 1024 * 1024
_ATTEMPTS: Final = 3
# A file changed this recently may change again without its time stamp moving.
_RACY_NS: Final = 2_000_000_000

Identity = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file: its path relative to the configuration, its bytes and their SHA-256."""

    file: str
    content: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All files of one state. `ignored` names what lies there but is not configuration."""

    root: Path
    yaml: Mapping[str, SourceFile]
    themes: Mapping[str, SourceFile]
    problems: tuple[Problem, ...]
    ignored: tuple[str, ...]
    #: Directories whose changes matter.
    directories: tuple[Path, ...]


@dataclass(slots=True)
class TreeCache:
    """Files read before, by real path and the identity the file system gave them then."""

    files: dict[str, tuple[Identity, SourceFile]] = field(default_factory=dict)


def read(directory: Path, cache: TreeCache | None = None) -> Snapshot:
    """The files of a directory, consistently. Problems of single files are in the snapshot."""
    cache = cache if cache is not None else TreeCache()
    for _ in range(_ATTEMPTS):
        reader = _Reader(directory, cache)
        snapshot = reader.read()
        if reader.unchanged():
            return snapshot
    mark = Mark(str(directory), 0, 0, 0)
    problem = problem_at("OP009", mark, "the files kept changing while they were read", help="try again")
    return Snapshot(directory, {}, {}, (problem,), (), (directory,))


class _Reader:
    """Reads a directory once; `unchanged` tells whether what was read is one state."""

    def __init__(self, directory: Path, cache: TreeCache) -> None:
        self._directory = directory
        self._real = os.path.realpath(directory)
        self._cache = cache
        self._links: dict[str, str] = {str(directory): self._real}
        self._identities: dict[str, tuple[int, int]] = {}
        self._problems: list[Problem] = []
        self._ignored: list[str] = []
        self._directories: dict[Path, None] = {}
        self._yaml: dict[str, SourceFile] = {}
        self._themes: dict[str, SourceFile] = {}

    def read(self) -> Snapshot:
        self._directories[self._directory] = None
        self._directories[Path(self._real)] = None
        for entry in self._entries(self._real, ""):
            self._read_top(entry)
        if ROOT_FILE not in self._yaml and not self._problems:
            words = f"there is no {ROOT_FILE} in {self._directory}"
            self._note("OP002", "", words, "is this the configuration directory?")
        return Snapshot(
            Path(self._real), self._yaml, self._themes, tuple(self._problems),
            tuple(sorted(self._ignored)), tuple(self._directories),
        )  # fmt: skip

    def unchanged(self) -> bool:
        """Whether every link still leads where it led, and every directory has the entries it had."""
        if any(os.path.realpath(link) != target for link, target in self._links.items()):
            return False
        return all(_directory_identity(name) == seen for name, seen in self._identities.items())

    def _read_top(self, entry: os.DirEntry[str]) -> None:
        name = entry.name
        if name == ROOT_FILE:
            self._read_file(entry, name, self._yaml)
        elif name in DIRECTORIES or name == THEMES:
            if self._is_directory(entry, name):
                self._read_directory(self._target(entry, name), name, depth=0)
            else:
                self._note("OP003", name, f"`{name}` must be a directory")
        elif name not in _ELSEWHERE:
            self._ignored.append(name)
            if name.endswith((".yaml", ".yml")):
                words = f"`{name}` is not read"
                self._note("OP007", name, words, f"configuration is in {ROOT_FILE} and in {', '.join(DIRECTORIES)}")

    def _read_directory(self, real: str | None, relative: str, depth: int) -> None:
        if real is None:
            return
        if depth > 16:
            self._note("OP003", relative, "directories are nested deeper than 16 levels")
            return
        self._directories[Path(real)] = None
        in_themes = relative.split("/", 1)[0] == THEMES
        for entry in self._entries(real, relative):
            name = f"{relative}/{entry.name}"
            if self._is_directory(entry, name):
                self._read_directory(self._target(entry, name), name, depth + 1)
            elif in_themes:
                self._read_file(entry, name, self._themes)
            elif entry.name.endswith((".yaml", ".yml")):
                self._read_file(entry, name, self._yaml)
            else:
                self._ignored.append(name)

    def _entries(self, real: str, relative: str) -> Iterator[os.DirEntry[str]]:
        try:
            self._identities[real] = _directory_identity(real)
            with os.scandir(real) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            code = "OP003" if relative else "OP001"
            words = f"the directory cannot be read: {error.strerror}"
            self._note(code, relative or str(self._directory), words)
            return
        for entry in entries:
            if not entry.name.startswith("."):
                if _is_text(entry.name):
                    yield entry
                else:
                    self._note("OP003", relative, "a file name is not UTF-8")

    def _is_directory(self, entry: os.DirEntry[str], relative: str) -> bool:
        try:
            return entry.is_dir()
        except OSError as error:
            self._note("OP003", relative, f"cannot be read: {error.strerror}")
            return False

    def _target(self, entry: os.DirEntry[str], relative: str) -> str | None:
        """The real path of an entry; None, with a problem, when a link leads out of the configuration."""
        if not entry.is_symlink():
            return entry.path
        target = os.path.realpath(entry.path)
        self._links[entry.path] = target
        if target != self._real and not target.startswith(self._real.rstrip("/") + "/"):
            words = "this symbolic link leads out of the configuration directory"
            self._note("OP004", relative, words, "copy the file, or mount its directory here")
            return None
        # The directory a link points into can change without anything changing beside the link.
        self._directories[Path(target).parent] = None
        return target

    def _read_file(self, entry: os.DirEntry[str], relative: str, into: dict[str, SourceFile]) -> None:
        real = self._target(entry, relative)
        if real is None:
            return
        try:
            status = os.stat(real)
            if not stat.S_ISREG(status.st_mode):
                self._note("OP003", relative, "this is not a plain file")
                return
            if status.st_mode & stat.S_IWOTH:
                self._note("OP023", relative, "every user of this machine may change this file", "chmod o-w")
            into[relative] = self._content(real, relative, status)
        except _TooLarge:
            self._note("OP005", relative, "the file has more than 8 MB", "split it")
        except OSError as error:
            self._note("OP003", relative, f"the file cannot be read: {error.strerror}")

    def _content(self, real: str, relative: str, status: os.stat_result) -> SourceFile:
        identity = _identity(status)
        known = self._cache.files.get(real)
        if known is not None and known[0] == identity and known[1].file == relative:
            return known[1]
        if status.st_size > MAX_BYTES:
            raise _TooLarge
        # Not blocking: a pipe put here between the two looks must not stop the provider.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as opened:
            status = os.fstat(descriptor)
            content = opened.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _TooLarge
        found = source_file(relative, content)
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _RACY_NS:
            self._cache.files[real] = (_identity(status), found)
        else:
            self._cache.files.pop(real, None)
        return found

    def _note(self, code: str, file: str, message: str, help: str | None = None) -> None:
        mark = Mark(file or str(self._directory), 0, 0, 0)
        self._problems.append(problem_at(code, mark, message, help=help))


def source_file(file: str, content: bytes) -> SourceFile:
    """A file from its bytes."""
    return SourceFile(file, content, hashlib.sha256(content).digest())


class _TooLarge(Exception):
    """A file of more bytes than a configuration file has."""


def _identity(status: os.stat_result) -> Identity:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _directory_identity(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return (status.st_ino, status.st_mtime_ns)


def _is_text(name: str) -> bool:
    # A name that is not UTF-8 reaches us with surrogates, and those are not printable.
    return name.isprintable()
