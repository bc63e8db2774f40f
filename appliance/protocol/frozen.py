"""Frozen values that are made as fast as others.

A frozen dataclass fills every field by a call of `object.__setattr__`, which together is a tenth of a token
request. A class marked `quick` is filled as a mutable draft of itself and frozen at the end, which nobody else
ever sees; all else about it is as the dataclass has it.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, Final, TypeVar

T = TypeVar("T")


def quick(cls: type[T]) -> type[T]:
    """A frozen dataclass with slots, with an `__init__` of the same signature that takes a third of the time.

    TypeError for a class that it would change: one with `__post_init__`, or with fields that are not arguments.
    """
    declared: tuple[Field[Any], ...] = fields(cls)  # type: ignore[arg-type]
    if hasattr(cls, "__post_init__") or not all(each.init and not each.kw_only for each in declared):
        raise TypeError(f"{cls.__name__} does more in its making than to fill its fields")
    free = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    draft = type(cls.__name__, (cls,), {**free, "__module__": cls.__module__, "__qualname__": cls.__qualname__})
    names: dict[str, object] = {"begin": object.__setattr__, "draft": draft, "cls": cls, "MISSING": MISSING}
    arguments, lines = ["self"], ["begin(self, '__class__', draft)"]
    for each in declared:
        value = each.name
        if each.default is not MISSING:
            names[f"default_{each.name}"] = each.default
            arguments.append(f"{each.name}=default_{each.name}")
        elif each.default_factory is not MISSING:
            names[f"make_{each.name}"] = each.default_factory
            arguments.append(f"{each.name}=MISSING")
            value = f"make_{each.name}() if {each.name} is MISSING else {each.name}"
        else:
            arguments.append(each.name)
        lines.append(f"self.{each.name} = {value}")
    lines.append("self.__class__ = cls")
    # As the dataclass itself does it: of names in our own source, at import.
    text = "\n ".join([f"def __init__({', '.join(arguments)}):", *lines])
    exec(compile(text, f"<quick {cls.__qualname__}>", "exec"), names)  # noqa: S102
    made: Callable[..., None] = names["__init__"]  # type: ignore[assignment]
    made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    made.__annotations__ = {**cls.__init__.__annotations__}
    type.__setattr__(cls, "__init__", made)
    _COPIERS[cls] = _copier(cls, draft, [each.name for each in declared])
    return cls


def _copier(cls: type, draft: type, names: list[str]) -> Callable[[Any, Mapping[str, object]], Any]:
    """What makes the same value with some fields changed."""
    lines = ["made = new(draft)", *(f"made.{name} = value.{name}" for name in names)]
    lines += ["for name, new_one in changes.items():", " setattr(made, name, new_one)"]
    lines += ["made.__class__ = cls", "return made"]
    scope: dict[str, object] = {"new": object.__new__, "draft": draft, "cls": cls}
    text = "\n ".join(["def copy(value, changes):", *lines])
    exec(compile(text, f"<changed {cls.__qualname__}>", "exec"), scope)  # noqa: S102
    made: Callable[[Any, Mapping[str, object]], Any] = scope["copy"]  # type: ignore[assignment]
    return made


_COPIERS: Final[dict[type, Callable[[Any, Mapping[str, object]], Any]]] = {}


def changed(value: T, **changes: object) -> T:
    """What `dataclasses.replace` gives for a `quick` value, in a fraction of the time.

    AttributeError for names that are no fields; KeyError for values of other classes.
    """
    made: T = _COPIERS[type(value)](value, changes)
    return made
