"""`appliance explain`: the long text of a diagnostic, or of a key of the configuration."""

import difflib
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from appliance import resources
from appliance.config.codes import CODES
from appliance.pages import problems as theme_problems
from appliance.server import codes as reload_codes

WIDTH = 96
#: What a key may begin with, and the schema that describes it.
FAMILIES = {
    "root": "root.json#/$defs/root",
    "profile": "profile.json#/$defs/profile",
    "client": "client.json#/$defs/client",
    "claims": "claims.json#/$defs/claims_set",
    "policy": "policies.json#/$defs/policy",
    "environment": "environment.json#/$defs/environment",
    "theme": "theme.json",
    "source.static": "parts/sources/static.json",
    "authenticator.password": "parts/authenticators/password.json",
    "authenticator.totp": "parts/authenticators/totp.json",
}

Node = Mapping[str, Any]


@click.command(help="Explain a diagnostic (OP102) or a key (client.redirect_uris, profile.ttl.id_token).")
@click.argument("word")
def verb(word: str) -> None:
    """Find, print, exit with 2 when there is nothing of that name."""
    lines = list(explain_code(word.upper())) or list(explain_key(word))
    if not lines:
        near = difflib.get_close_matches(word, [*all_codes(), *all_keys()], n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        click.echo(f"nothing is called {word}{hint}", err=True)
        sys.exit(2)
    for line in lines:
        click.echo(line)


def all_codes() -> Mapping[str, tuple[str, str, str]]:
    """Every diagnostic code with severity, title and explanation."""
    known = {**CODES, **reload_codes.CODES}
    found = {code: (text.severity, text.title, text.explanation) for code, text in known.items()}
    for code, title in theme_problems.CODES.items():
        found.setdefault(code, ("error", title, ""))
    return found


def explain_code(code: str) -> Iterator[str]:
    """The text of a diagnostic."""
    known = all_codes().get(code)
    if known is None:
        return
    severity, title, explanation = known
    yield f"{severity}[{code}]: {title}"
    if explanation:
        yield ""
        yield from textwrap.wrap(explanation, WIDTH)


def explain_key(path: str) -> Iterator[str]:
    """The text of a key: what its schema says."""
    family = next((name for name in FAMILIES if f"{path}.".startswith(f"{name}.")), None)
    if family is None:
        return
    document, nodes = _start(FAMILIES[family])
    for step in path.removeprefix(family).split(".")[1:]:
        children = [child for node in nodes for child in _children(document, node, step)]
        if not children:
            return
        # All children of one step stand in one document: a setting is described once.
        document = children[0][0]
        nodes = [node for place, node in children if place == document]
    yield from _describe(path, nodes)
    keys = sorted({key for node in nodes for key in node.get("properties", {})})
    if keys:
        yield ""
        yield from textwrap.wrap("keys: " + ", ".join(keys), WIDTH, subsequent_indent="      ")


def all_keys() -> Iterator[str]:
    """Every key of the first two levels, for suggestions."""
    for family, reference in FAMILIES.items():
        document, nodes = _start(reference)
        for name in sorted({key for node in nodes for key in node.get("properties", {})}):
            yield f"{family}.{name}"
            for node in nodes:
                for _, child in _children(document, node, name):
                    yield from (f"{family}.{name}.{key}" for key in child.get("properties", {}))


def _describe(path: str, nodes: Iterable[Node]) -> Iterator[str]:
    merged: dict[str, Any] = {}
    for node in nodes:
        for word, value in node.items():
            merged.setdefault(word, value)
    yield path
    if description := merged.get("description"):
        yield ""
        yield from textwrap.wrap(str(description), WIDTH)
    yield ""
    for word, label in (
        ("type", "type"),
        ("enum", "one of"),
        ("default", "default"),
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("examples", "examples"),
        ("x-op-spec", "see"),
        ("x-op-reload", "reload"),
    ):
        if word in merged:
            value = merged[word]
            yield f"  {label:<9} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def _load(name: str) -> Node:
    found = json.loads((resources.SCHEMAS / name).read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def _start(reference: str) -> tuple[str, list[Node]]:
    name, _, pointer = reference.partition("#")
    return name, [node for _, node in _expand(name, _at(_load(name), pointer))]


def _at(node: Node, pointer: str) -> Node:
    for step in pointer.split("/")[1:]:
        node = node[step]
    return node


def _expand(document: str, node: Node) -> Iterator[tuple[str, Node]]:
    """A node and everything it refers to, each with the document it stands in."""
    yield document, node
    reference = node.get("$ref")
    if isinstance(reference, str):
        name, _, pointer = reference.partition("#")
        target = _beside(document, name) if name else document
        yield from _expand(target, _at(_load(target), pointer))
    for choice in (*node.get("anyOf", ()), *node.get("allOf", ())):
        if choice.get("type") != "null":
            yield from _expand(document, choice)


def _beside(document: str, name: str) -> str:
    parts = document.split("/")[:-1]
    for step in name.split("/"):
        parts = parts[:-1] if step == ".." else [*parts, step]
    return "/".join(parts)


def _children(document: str, node: Node, step: str) -> Iterator[tuple[str, Node]]:
    """What describes a member: the property of that name, or what all members (items) are."""
    for place, whole in _expand(document, node):
        found = whole.get("properties", {}).get(step)
        if found is None and isinstance(whole.get("additionalProperties"), dict):
            found = whole["additionalProperties"]
        if found is None and isinstance(whole.get("items"), dict):
            yield from _children(place, whole["items"], step)
        elif isinstance(found, dict):
            yield from _expand(place, found)
