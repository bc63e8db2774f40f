"""What a configuration directory looks like from outside, without reading it: names, sizes, times, links.

Used to see that files changed where no event came, and that they did not change while they were read.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from appliance.server.frames import Watched

#: Directories within each other, and links behind each other, beyond which nobody follows.
MAX_DEPTH = 32
MAX_LINKS = 40
#: While this file is there, git is in the middle of writing the tree.
GIT_LOCK = Path(".git", "index.lock")


def stamp(directory: Path, outside: Iterable[str] = ()) -> str:
    """A digest of the state of a directory, and of files elsewhere that it names."""
    state = hashlib.sha256()
    for path in _all_paths(directory, outside):
        state.update(_look(path).encode("utf-8", "surrogateescape"))
    return state.hexdigest()


def read_digest(directory: Path, outside: Iterable[str] = ()) -> str:
    """A digest of what the files hold: names one state of a directory whose configuration has no digest."""
    state = hashlib.sha256()
    for path in _all_paths(directory, outside):
        try:
            octets = Path(path).read_bytes() if os.path.isfile(path) else b""
        except OSError as error:
            octets = type(error).__name__.encode()
        state.update(hashlib.sha256(os.fsencode(path)).digest() + hashlib.sha256(octets).digest())
    return state.hexdigest()


def watched(directory: Path, outside: Iterable[str] = ()) -> Watched:
    """The directories whose entries matter, and single entries elsewhere: links on the way, files outside.

    A file is never watched itself: after it was replaced by renaming, its watch would look at the old one.
    """
    directories: list[str] = []
    links: list[str] = []
    for path in _all_paths(directory, ()):
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            continue
        if stat.S_ISLNK(mode):
            links.append(path)
        if stat.S_ISDIR(mode) or (stat.S_ISLNK(mode) and os.path.isdir(path)):
            directories.append(path)
    entries: dict[str, None] = {}
    for path in (str(directory), *links, *outside):
        entries.update(dict.fromkeys(_trace(path)))
    return Watched(tuple(directories), tuple(entries))


def locked_by_git(directory: Path) -> bool:
    """Whether git is writing the tree that holds the directory."""
    here = directory.resolve()
    return any((place / GIT_LOCK).exists() for place in (here, *here.parents))


def _all_paths(directory: Path, outside: Iterable[str]) -> Iterator[str]:
    yield str(directory)
    yield from _walk(str(directory), MAX_DEPTH, frozenset({os.path.realpath(directory)}))
    yield from sorted(outside)


def _walk(directory: str, depth: int, above: frozenset[str]) -> Iterator[str]:
    """Everything below a directory in a fixed order; links are followed, circles and hidden names are not."""
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        yield entry.path
        if depth > 0 and entry.is_dir():
            real = os.path.realpath(entry.path) if entry.is_symlink() else f"{directory}/{entry.name}"
            if real not in above:
                yield from _walk(entry.path, depth - 1, above | {real})


def _look(path: str) -> str:
    try:
        seen = os.stat(path)
    except OSError as error:
        return f"{path}\0{error.errno}\0"
    if stat.S_ISDIR(seen.st_mode):
        # The time of a directory changes with files that do not concern us; its listing is looked at anyway.
        return f"{path}\0{seen.st_ino} {seen.st_mode}\0"
    return f"{path}\0{seen.st_ino} {seen.st_mode} {seen.st_size} {seen.st_mtime_ns}\0"


def _trace(path: str) -> Iterator[str]:
    """Every directory entry that decides what a path means: the links on its way, and its end."""
    pending = list(PurePosixPath(os.path.abspath(path)).parts[1:])
    current = PurePosixPath("/")
    links = 0
    while pending:
        name = pending.pop(0)
        if name == "..":
            current = current.parent
            continue
        entry = current / name
        try:
            target = PurePosixPath(os.readlink(entry))
        except OSError:
            current = entry
            continue
        yield str(entry)
        links += 1
        if links > MAX_LINKS:
            return
        if target.is_absolute():
            current = PurePosixPath("/")
        pending = [*(part for part in target.parts if part != "/"), *pending]
    yield str(current)
