"""Configurations that were live, kept on disk: a start that meets a bad tree serves the last good one.

`<state>/generations/<digest>/` holds copies of the files; `current` names the one that was live last. Secrets
are never copied: whatever is not a text of the configuration is a link to where it was.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

#: What is copied: the language's files, and whole themes. Everything else is linked to.
COPIED = (".yaml", ".yml")
THEMES = "themes"
#: Names of directories that hold secrets, whatever their files are called.
SECRETS = frozenset({"secrets"})
CURRENT = "current"
_DIGEST = re.compile(r"[0-9a-f]{64}")
MAX_DEPTH = 32


def remember(directory: Path, generations: Path, digest: str, keep: int) -> None:
    """Keep the directory's files under their digest as the last good generation, and only `keep` of them."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError("not a digest")
    generations.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = generations / digest
    if not target.is_dir():
        unfinished = generations / f".{digest}"
        shutil.rmtree(unfinished, ignore_errors=True)
        _copy(directory, unfinished, copied=False, depth=MAX_DEPTH)
        unfinished.replace(target)
    os.utime(target)
    pointer = generations / f".{CURRENT}"
    pointer.write_text(digest, encoding="ascii")
    pointer.replace(generations / CURRENT)
    for old in _by_age(generations)[keep:]:
        shutil.rmtree(old, ignore_errors=True)


def last_good(generations: Path) -> Path | None:
    """The directory of the generation that was live last, None when there is none."""
    try:
        digest = (generations / CURRENT).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    found = generations / digest
    return found if _DIGEST.fullmatch(digest) and found.is_dir() else None


def _by_age(generations: Path) -> list[Path]:
    """Kept generations, the newest first."""
    kept = [path for path in generations.iterdir() if _DIGEST.fullmatch(path.name)]
    return sorted(kept, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _copy(source: Path, target: Path, *, copied: bool, depth: int) -> None:
    target.mkdir(mode=0o700)
    for entry in _visible(source):
        to = target / entry.name
        if entry.name in SECRETS and entry.is_dir():
            to.symlink_to(os.path.abspath(entry.path), target_is_directory=True)
        elif entry.is_dir():
            if depth > 0:
                _copy(Path(entry.path), to, copied=copied or entry.name == THEMES, depth=depth - 1)
        elif copied or entry.name.endswith(COPIED):
            shutil.copyfile(entry.path, to)
        else:
            to.symlink_to(os.path.abspath(entry.path))


def _visible(directory: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        yield from sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
