"""What a template may do, read from its syntax tree before anything of it runs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import FunctionLoader, TemplateSyntaxError, nodes

from appliance.pages.markup import CLOSE, OPEN, Finding, lint_markup
from appliance.pages.sandbox import FILTERS, TESTS, Sandbox

LARGEST_TEMPLATE = 32 * 1024
#: The one script a template may place inline, by the name the page context gives it.
AUTO_SUBMIT = "auto_submit"
_LARGEST_LITERAL = 50
_REFUSED: Mapping[type[nodes.Node], str] = {
    nodes.AssignBlock: "{% set %} with a body",
    nodes.Concat: "~: put the words side by side, or into one message",
    nodes.EvalContextModifier: "{% autoescape %}",
    nodes.FilterBlock: "{% filter %}",
    nodes.MarkSafe: "marking text as safe",
    nodes.MarkSafeIfAutoescape: "marking text as safe",
    nodes.Slice: "slices",
}
_REFERENCES = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
_FILE_NAME = re.compile(r"(?:base:)?[a-z0-9_]+\.html")


# Reads templates and never renders one.
_reader = Sandbox(FunctionLoader(lambda name: None), lambda template, parent: template)


@lru_cache(maxsize=128)
def lint_template(source: str) -> tuple[Finding, ...]:
    """Everything that is wrong with one template by itself; remembered, as a reload changes few of them."""
    return tuple(_lint(source))


def _lint(source: str) -> Iterator[Finding]:
    if len(source) > LARGEST_TEMPLATE:
        yield Finding(1, f"the template is longer than {LARGEST_TEMPLATE} characters")
        return
    if OPEN in source or CLOSE in source:
        yield Finding(1, "the characters U+E000 and U+E001 are refused")
        return
    try:
        tree = _reader.parse(source)
        # Compiling finds unknown filters and tests, and nesting too deep for Python.
        _reader.compile(source)
        text, expressions = _as_markup(source)
    except TemplateSyntaxError as error:
        yield Finding(error.lineno, error.message or "it cannot be understood")
        return
    except (RecursionError, MemoryError, SyntaxError, OverflowError):
        yield Finding(1, "the template is nested too deeply")
        return
    yield from _lint_tree(tree)
    yield from lint_markup(text, expressions, scripts=frozenset({AUTO_SUBMIT}))


@dataclass(frozen=True, slots=True)
class Parsed:
    """A template taken apart, and what it names."""

    #: To be compiled, as often as wanted, and nothing else: what compiles it also simplifies it.
    tree: nodes.Template
    #: The templates that it names, with the line.
    references: tuple[tuple[int, str], ...]
    #: Messages that it names in full: line, key, names of the values it gives.
    message_keys: tuple[tuple[int, str, frozenset[str]], ...]


@lru_cache(maxsize=128)
def parse(source: str) -> Parsed:
    """A template taken apart; once, as that takes half as long as all else that is done with it."""
    tree = _reader.parse(source)
    return Parsed(tree, tuple(_references(tree)), tuple(_message_keys(tree)))


def _references(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    for node in tree.find_all(_REFERENCES):
        template = getattr(node, "template", None)
        if isinstance(template, nodes.Const) and isinstance(template.value, str):
            yield node.lineno, template.value


def _message_keys(tree: nodes.Template) -> Iterator[tuple[int, str, frozenset[str]]]:
    for call in tree.find_all(nodes.Call):
        if not isinstance(call.node, nodes.Name) or call.node.name not in ("t", "say"):
            continue
        parts = [part.value for part in call.args if isinstance(part, nodes.Const)]
        if parts and len(parts) == len(call.args) and all(isinstance(part, str) for part in parts):
            values = frozenset(keyword.key for keyword in call.kwargs)
            yield call.lineno, ".".join(parts), values


def _lint_tree(tree: nodes.Template) -> Iterator[Finding]:
    for node in tree.find_all(nodes.Node):
        for kind, words in _REFUSED.items():
            if isinstance(node, kind):
                yield Finding(node.lineno, f"{words} is refused")
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            yield Finding(node.lineno, f"the filter {node.name} is refused")
        elif isinstance(node, nodes.Test) and node.name not in TESTS:
            yield Finding(node.lineno, f"the test {node.name} is refused")
        elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            yield Finding(node.lineno, f"the attribute {node.attr} is refused")
        elif isinstance(node, nodes.Getitem) and _starts_with_underscore(node.arg):
            yield Finding(node.lineno, "names that start with _ are refused")
        elif isinstance(node, nodes.Name) and (node.name.startswith("_") or node.name == "self"):
            yield Finding(node.lineno, f"the name {node.name} is refused")
        elif isinstance(node, nodes.List | nodes.Tuple) and len(node.items) > _LARGEST_LITERAL:
            yield Finding(node.lineno, f"a list written out has at most {_LARGEST_LITERAL} items")
        elif isinstance(node, nodes.For):
            yield from _lint_loop(node)
        elif isinstance(node, _REFERENCES):
            yield from _lint_reference(node)
        elif isinstance(node, nodes.Pow):
            yield Finding(node.lineno, "** is refused")


def _lint_loop(node: nodes.For) -> Iterator[Finding]:
    if node.recursive:
        yield Finding(node.lineno, "recursive loops are refused")
    if node.find(nodes.Include):
        yield Finding(node.lineno, "{% include %} in a loop is refused; call a macro")


def _lint_reference(node: nodes.Node) -> Iterator[Finding]:
    template = getattr(node, "template", None)
    if not (isinstance(template, nodes.Const) and _FILE_NAME.fullmatch(str(template.value))):
        yield Finding(node.lineno, "name a template by a constant such as base:login.html")


def _starts_with_underscore(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, str) and node.value.startswith("_")


def _as_markup(source: str) -> tuple[str, list[str]]:
    """The source with each expression as one private character and each tag as nothing, line for line."""
    expressions: list[str] = []
    text: list[str] = []
    inside: list[str] | None = None
    line = 1
    for number, kind, value in _reader.lex(source):
        if kind == "data":
            text.append("\n" * (number - line) + value)
            line = number + value.count("\n")
        elif kind == "variable_begin":
            inside = []
        elif kind == "variable_end":
            text.append("\n" * (number - line) + f"{OPEN}{len(expressions)}{CLOSE}")
            line = number
            expressions.append("".join(inside or ()).strip())
            inside = None
        elif inside is not None:
            inside.append(value)
    return "".join(text), expressions
