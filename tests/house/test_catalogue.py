"""The catalogue: each family names its files in one explicit list."""

import ast
import re
from collections.abc import Iterable

from tests.house.source import ROOT, Module, product


def listed_files(family: Module) -> list[set[str]]:
    """For each module-level assignment of a family: the files whose names it takes its members from."""
    origin: dict[str, str] = {}
    for node in ast.walk(family.tree):
        if isinstance(node, ast.ImportFrom):
            base = f"{family.name}." if not node.level else ""
            module = (node.module or "").removeprefix(family.name).lstrip(".") if base else node.module or ""
            for alias in node.names:
                origin[alias.asname or alias.name] = (module or alias.name).partition(".")[0]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(f"{family.name}.") and alias.asname:
                    origin[alias.asname] = alias.name.removeprefix(f"{family.name}.").partition(".")[0]
    lists = []
    for statement in family.tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            names = {node.id for node in ast.walk(statement.value) if isinstance(node, ast.Name)}
            if files := {origin[name] for name in names if name in origin}:
                lists.append(files)
    return lists


def catalogue_complaints(modules: Iterable[Module]) -> list[str]:
    """Families without their one list, and files that no list names."""
    modules = tuple(modules)
    families = [
        module
        for module in modules
        if module.is_package and re.fullmatch(r"appliance\.parts\.\w+", module.name)
    ]
    complaints = []
    for family in families:
        files = {
            leaf
            for module in modules
            if module.name.startswith(f"{family.name}.")
            and not (leaf := module.name.removeprefix(f"{family.name}.").partition(".")[0]).startswith("_")
        }
        lists = [named & files for named in listed_files(family) if named & files]
        if len(lists) > 1:
            complaints.append(family.complaint(1, f"{family.name} has {len(lists)} lists of its members"))
        missing = files - set().union(*lists)
        complaints += [family.complaint(1, f"{family.name} does not list {name}") for name in sorted(missing)]
    return complaints


def test_each_family_lists_each_of_its_files() -> None:
    assert catalogue_complaints(product()) == []


def test_each_schema_of_a_part_has_its_part() -> None:
    names = {module.name for module in product()}
    strays = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "schemas" / "parts").glob("*/*.json"))
        if f"appliance.parts.{path.parent.name}" in names
        and f"appliance.parts.{path.parent.name}.{path.stem}" not in names
    ]
    assert strays == []
