"""The sandbox templates run in: theme authors are trusted with markup, not with code or with our time.

Three walls: no attribute, callable, filter or test that is not listed; nothing in reach that can be changed;
and a budget of steps and characters, because a sandbox alone lets nested loops and doubling strings run for as
long as they like.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from functools import cache
from types import FunctionType, MethodType
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.loaders import BaseLoader
from jinja2.runtime import BlockReference, Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

#: Calls and loop turns of one page. The largest sample page needs some 300.
STEPS = 5000
#: Characters of one value, and of one page.
CHARACTERS = 256 * 1024
_LARGEST_NUMBER = 1 << 53

FILTERS = frozenset({"capitalize", "count", "d", "default", "e", "escape", "first", "join", "last", "length"}) | {
    "lower",
    "trim",
    "upper",
}
TESTS = frozenset({"defined", "undefined", "none", "true", "false", "string", "number", "mapping"}) | {
    "sequence",
    "in",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "odd",
    "even",
}
_MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
_LOOP_FIELDS = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})


class Budget:
    """What one rendering may still spend."""

    __slots__ = ("steps",)

    def __init__(self, steps: int = STEPS) -> None:
        self.steps = steps

    def spend(self) -> None:
        """Takes one step."""
        self.steps -= 1
        if self.steps < 0:
            raise SecurityError(f"the page takes more than {STEPS} calls and loop turns")


_budget: ContextVar[Budget] = ContextVar("page_budget")


_SIZED = (str, list, tuple)


def _bounded_length(value: Any) -> Any:
    if isinstance(value, _SIZED) and len(value) > CHARACTERS:
        raise SecurityError(f"a value grew beyond {CHARACTERS} characters")
    return value


def _bounded_turns(items: Iterable[Any]) -> Iterator[Any]:
    budget = _budget.get()
    for item in items:
        budget.spend()
        yield item


@cache
def _allowed(kind: type) -> frozenset[str]:
    """The attributes of a type that templates may read. Types are few: the page contract's and built-in ones."""
    if is_dataclass(kind):
        return frozenset(field.name for field in fields(kind) if not field.name.startswith("_"))
    if issubclass(kind, Mapping):
        return _MAPPING_METHODS
    return _LOOP_FIELDS if issubclass(kind, LoopContext) else frozenset()


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox, narrowed to what a page needs, with autoescape that cannot be left."""

    intercepted_binops = frozenset({"+", "*", "**", "%", "//", "/", "-"})

    def __init__(self, loader: BaseLoader, resolve: Callable[[str, str], str]) -> None:
        super().__init__(
            loader=loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,
            auto_reload=False,
        )
        self._resolve = resolve
        self.globals.clear()
        plain_join = self.filters["join"]
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.filters["join"] = _joining(plain_join)
        self.filters[_LOOP_FILTER] = _bounded_turns
        self.tests = {name: self.tests[name] for name in TESTS}

    def join_path(self, template: str, parent: str) -> str:
        """The loader's name of a template named by another one."""
        return self._resolve(template, parent)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        # Every loop is made to count its turns, before it becomes Python.
        for loop in source.find_all(nodes.For):
            if isinstance(loop.iter, nodes.Filter) and loop.iter.name == _LOOP_FILTER:
                # A tree that was compiled before.
                continue
            loop.iter = nodes.Filter(loop.iter, _LOOP_FILTER, [], [], None, None, lineno=loop.lineno, environment=self)
        return super()._generate(source, name, filename, defer_init)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Only fields of dataclasses, four methods of mappings, a loop's counters and imported macros."""
        if isinstance(obj, TemplateModule):
            return not attr.startswith("_") and isinstance(value, Macro)
        return attr in _allowed(obj.__class__)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The attribute of a value; what is listed for its type needs no second look."""
        if attribute in _allowed(obj.__class__):
            return getattr(obj, attribute)
        if isinstance(obj, str):
            # str.format is a way to attributes, and to a hundred million spaces.
            return self.unsafe_undefined(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """The item of a value, or its attribute under the same rule."""
        if isinstance(obj, str) and isinstance(argument, str):
            return self.unsafe_undefined(obj, argument)
        return super().getitem(obj, argument)

    def is_safe_callable(self, obj: Any) -> bool:
        """Macros, blocks and the functions of the page context; never a class."""
        if isinstance(obj, Macro | BlockReference):
            return True
        return not isinstance(obj, type) and bool(super().is_safe_callable(obj))

    def call(self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """One call of a template: safe, counted, and its result no larger than allowed."""
        _budget.get().spend()
        kind = type(__obj)
        if kind is MethodType or kind is FunctionType or kind is Macro:
            # Jinja's own bookkeeping, of use to functions that want a context; none here does.
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
        if kind is MethodType or kind is FunctionType:
            # Functions in Python can only be those of the page context: no attribute leads to another.
            result = __obj(*args, **kwargs)
        elif kind is Macro:
            result = __obj(__context.eval_ctx, *args, **kwargs)
        else:
            result = super().call(__context, __obj, *args, **kwargs)
        return _bounded_length(result)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers that stay small, and `+` on strings that stay short."""
        numbers = all(isinstance(value, int | float) for value in (left, right))
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _bounded_length(left + right)
        if not numbers or operator == "**":
            raise SecurityError(f"{operator} is for small numbers only")
        result = super().call_binop(context, operator, left, right)
        if abs(result) > _LARGEST_NUMBER:
            raise SecurityError("a number grew too large")
        return result

    def render_page(self, name: str, variables: Mapping[str, Any]) -> str:
        """One template rendered within a fresh budget."""
        template = self.get_template(name)
        token = _budget.set(Budget())
        try:
            chunks = []
            left = CHARACTERS
            for chunk in template.root_render_func(template.new_context(dict(variables))):
                left -= len(chunk)
                if left < 0:
                    raise SecurityError(f"the page is longer than {CHARACTERS} characters")
                chunks.append(chunk)
            return "".join(chunks)
        except Exception:  # noqa: BLE001 - raised again, with the lines of the template in its traceback
            self.handle_exception()
        finally:
            _budget.reset(token)


_LOOP_FILTER = "counted"


def _joining(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Jinja's join, told how long the result may be before it is made."""

    def join(eval_ctx: Any, value: Iterable[Any], d: str = "") -> Any:
        items = [item if isinstance(item, str) else Markup.escape(item) for item in value]
        if sum(map(len, items)) + len(d) * len(items) > CHARACTERS:
            raise SecurityError(f"a value grew beyond {CHARACTERS} characters")
        return plain(eval_ctx, items, d)

    join.jinja_pass_arg = plain.jinja_pass_arg  # type: ignore[attr-defined]
    return join
