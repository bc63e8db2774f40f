"""Which commit a configuration directory is at, when something near it tells without running git."""

import os
import re
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}")


def read_commit(directory: Path) -> str:
    """The commit: of GIT_COMMIT, of a git-sync worktree's name, or of .git; empty when nothing tells."""
    told = os.environ.get("GIT_COMMIT", "")
    if _COMMIT.fullmatch(told):
        return told
    here = directory.resolve()
    for place in (here, *here.parents):
        # git-sync names each worktree by its commit.
        if _COMMIT.fullmatch(place.name):
            return place.name
        git = place / ".git"
        if git.exists():
            return _of(git)
    return ""


def _of(git: Path) -> str:
    try:
        if git.is_file():
            git = (git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()).resolve()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref:"):
            return head if _COMMIT.fullmatch(head) else ""
        return _resolve(git, head.removeprefix("ref:").strip())
    except (OSError, UnicodeDecodeError):
        return ""


def _resolve(git: Path, ref: str) -> str:
    shared = git / "commondir"
    top = (git / shared.read_text(encoding="utf-8").strip()).resolve() if shared.is_file() else git
    for place in (git, top):
        loose = place / ref
        if loose.is_file():
            found = loose.read_text(encoding="utf-8").strip()
            return found if _COMMIT.fullmatch(found) else ""
    packed = top / "packed-refs"
    for line in packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else ():
        commit, _, name = line.partition(" ")
        if name == ref and _COMMIT.fullmatch(commit):
            return commit
    return ""
