"""Binding: types from the class, defaults from the schema, each value in its place."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from appliance.config.binding import BINDINGS, Context, bind, field_name
from appliance.config.schemas import Schemas, load_schemas
from appliance.config.secrets import SecretResolver
from appliance.protocol.secret import Secret
from appliance.resources import SCHEMAS

DURATION = {"type": ["string", "integer"], "x-op-type": "duration"}
SCHEMA = {
    "$ref": "#/$defs/thing",
    "$defs": {
        "inner": {"properties": {"on-time": {**DURATION, "default": "90s"}, "exact": {**DURATION, "default": "300ms"}}},
        "user": {
            "properties": {
                "login": {"x-op-type": "one_or_more"},
                "scope": {"x-op-type": "space_separated", "default": ["openid"]},
                "password": {"x-op-type": "secret"},
                "until": {"anyOf": [{"x-op-type": "timestamp"}, {"type": "null"}], "default": None},
            }
        },
        "thing": {
            "properties": {
                "users": {"additionalProperties": {"$ref": "#/$defs/user"}},
                "inner": {"$ref": "#/$defs/inner", "default": {}},
                "class": {"default": "x"},
            }
        },
    },
}


@dataclasses.dataclass(frozen=True, slots=True)
class Inner:
    """Two lengths of time."""

    on_time: int
    exact: float


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """Options such as those of a part."""

    login: tuple[str, ...]
    scope: tuple[str, ...]
    password: Secret
    until: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Thing:
    """A document with everything."""

    users: Mapping[str, User]
    inner: Inner
    class_: str


@pytest.fixture
def schemas(tmp_path: Path) -> Schemas:
    """The schema above."""
    (tmp_path / "thing.json").write_text(json.dumps(SCHEMA))
    return Schemas(tmp_path)


def test_the_binding_makes_nested_values_with_the_defaults_of_the_schema(schemas: Schemas, tmp_path: Path) -> None:
    context = Context(SecretResolver(tmp_path, {"X": "s"}, enabled=True))
    document = {
        "users": {
            "a": {"login": "anna b", "scope": "x y", "password": {"env": "X"}, "until": "1970-01-01T00:01:00Z"},
            "b": {"login": ["ben", "bo"], "password": {"env": "X"}},
        }
    }
    thing = bind(document, Thing, schemas, "thing.json", context)
    secret = Secret(b"s", "env:X")
    assert thing == Thing(
        users={"a": User(("anna b",), ("x", "y"), secret, 60), "b": User(("ben", "bo"), ("openid",), secret, None)},
        inner=Inner(90, 0.3),
        class_="x",
    )
    assert context.unreadable == []


def test_the_binding_collects_what_it_cannot_read_with_its_path(schemas: Schemas, tmp_path: Path) -> None:
    context = Context(SecretResolver(tmp_path, {}, enabled=True))
    document = {
        "users": {"a": {"login": "a", "password": {"env": "X"}, "until": "1970-02-31T00:01:00Z"}},
        "inner": {"on-time": "300ms"},
    }
    bind(document, Thing, schemas, "thing.json", context)
    assert [(path, error.code) for path, error in context.unreadable] == [
        (("users", "a", "password", "env"), "OP401"),
        (("users", "a", "until"), "OP105"),
        (("inner", "on-time"), "OP105"),
    ]


def test_the_binding_refuses_a_class_that_its_schema_does_not_describe(schemas: Schemas, tmp_path: Path) -> None:
    strange = dataclasses.make_dataclass("Strange", [("missing", str)], frozen=True)
    with pytest.raises(TypeError, match="missing"):
        bind({}, strange, schemas, "thing.json", Context(SecretResolver(tmp_path, {}, enabled=True)))


def test_the_binding_names_fields_by_one_rule() -> None:
    assert [field_name(name) for name in ("a", "a-b", "class", "a.b")] == ["a", "a_b", "class_", "a_b"]


def test_every_binding_has_its_schema() -> None:
    schemas = load_schemas(SCHEMAS)
    for reference in BINDINGS:
        assert "properties" in schemas.node(reference)[1]
