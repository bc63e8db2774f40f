"""The source text as the rules see it: modules, what they import, and the files of the checkout."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: the module it names, the name taken from it if any, and where."""

    module: str
    name: str | None
    line: int

    @property
    def package(self) -> str:
        """The top-level package, which is what a fence is about."""
        return self.module.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: its dotted name, its text and its tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        """Whether this is the __init__ of a package."""
        return self.path.name == "__init__.py"

    @property
    def imports(self) -> tuple[Import, ...]:
        """Everything imported anywhere in the file, at the top or lazily, with absolute names."""
        return tuple(self._imports())

    def _imports(self) -> Iterator[Import]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, None, node.lineno)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield Import(self._absolute(node), alias.name, node.lineno)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        kept = parts[: len(parts) - node.level + self.is_package]
        return ".".join([*kept, *([node.module] if node.module else [])])

    def complaint(self, line: int, words: str) -> str:
        """A complaint that an editor can jump to."""
        return f"{self.path}:{line}: {words}"


def read_modules(root: Path, package: str = "appliance") -> tuple[Module, ...]:
    """Every module of a package below a root directory."""
    modules = []
    for path in sorted((root / package).rglob("*.py")):
        parts = list(path.relative_to(root).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        text = path.read_text(encoding="utf-8")
        modules.append(Module(".".join(parts), path.relative_to(root), text, ast.parse(text, str(path))))
    return tuple(modules)


@cache
def product() -> tuple[Module, ...]:
    """The modules of the product."""
    return read_modules(ROOT)


@cache
def committed_files() -> tuple[Path, ...]:
    """The files that are committed or could be: everything git does not ignore."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )
    return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())


def committed_texts() -> Iterator[tuple[Path, str]]:
    """Their texts, without binaries and without locks: a hash may spell anything."""
    for path in committed_files():
        if path.name.endswith((".lock", "package-lock.json")):
            continue
        try:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method below a node."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def parameters(function: Function) -> list[ast.arg]:
    """All parameters of a function but the receiver of a method."""
    arguments = function.args
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    listed += [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
    if listed and listed[0].arg in {"self", "cls", "mcs"}:
        listed = listed[1:]
    return listed
