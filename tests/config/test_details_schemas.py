"""The part of JSON Schema for authorization details: it decides as the full validator does, where both decide."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from appliance.config.details_schemas import MAX_NODES, SchemaMistake, compile_schema, member_paths

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["a"],
    "properties": {
        "a": {"type": ["string", "null"], "minLength": 1, "maxLength": 3, "pattern": "^[a-c]*$"},
        "b": {"type": "integer", "minimum": 0, "exclusiveMaximum": 3},
        "c": {"type": "number", "exclusiveMinimum": 0, "maximum": 2.5},
        "d": {"type": "array", "items": {"enum": [1, True, "x", None, [1]]}, "minItems": 1, "maxItems": 3,
              "uniqueItems": True},
        "e": {"$ref": "#/$defs/pair"},
        "f": {"anyOf": [{"const": "x"}, {"type": "boolean"}]},
        "g": {"oneOf": [{"type": "integer"}, {"minimum": 2}]},
        "h": {"allOf": [{"type": "string"}, {"not": {"const": "x"}}]},
        "i": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1, "maxProperties": 2},
    },
    "additionalProperties": False,
    "$defs": {
        "pair": {"type": "object", "properties": {"l": {"type": "boolean"}}, "additionalProperties": False},
    },
}  # fmt: skip
ACCEPT = compile_schema(SCHEMA)
FULL = Draft202012Validator(SCHEMA)

leaves = st.none() | st.booleans() | st.integers(-1, 4) | st.sampled_from(["", "x", "a", "abc", "abcd", 1.0, 0.5, 2.5])
values = st.recursive(
    leaves, lambda below: st.lists(below, max_size=4) | st.dictionaries(st.sampled_from("alx"), below)
)


@given(st.dictionaries(st.sampled_from("abcdefghij"), values))
@settings(max_examples=400, deadline=None)
def test_it_agrees_with_the_full_validator(value: dict[str, Any]) -> None:
    assert ACCEPT(value) == FULL.is_valid(value)


def test_it_takes_objects_only_and_none_of_their_unnamed_members() -> None:
    accept = compile_schema({"properties": {"a": {"properties": {"b": {}}}}})
    assert accept({"a": {"b": 1}})
    assert not accept([]) and not accept("a") and not accept({"c": 1}) and not accept({"a": {"c": 1}})
    assert compile_schema({"properties": {}, "additionalProperties": True})({"c": 1})


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", ["2026-02-28"], ["2026-02-29", "2026-2-1", "20260201", ""]),
        ("date-time", ["2026-02-28T10:00:00Z", "2026-02-28t10:00:00.5+02:00"],
         ["2026-02-28", "2026-02-28T10:00:00", "2026-02-28T25:00:00Z", "2026-02-28T10:00Z"]),
        ("uri", ["https://a.example/b?c#d", "urn:x:y"], ["//a.example", "a b:c", "", "https://a.example/ "]),
        ("uuid", ["0D8F23A0-697f-4CAE-802E-48CDD30DD672"], ["0d8f23a0697f4cae802e48cdd30dd672", ""]),
    ],
)  # fmt: skip
def test_it_checks_formats(name: str, good: list[str], bad: list[str]) -> None:
    accept = compile_schema({"properties": {"v": {"format": name}}})
    assert [text for text in good if not accept({"v": text})] == []
    assert [text for text in bad if accept({"v": text})] == []


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$ref": "#"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "other.json#/$defs/a"},
        {"$dynamicRef": "#a"},
        {"$id": "https://other.example/"},
        {"properties": {"a": {"type": "file"}}},
        {"properties": {"a": {"type": []}}},
        {"properties": {"a": {"minimum": "1"}}},
        {"properties": {"a": {"minimum": True}}},
        {"properties": {"a": {"maxItems": -1}}},
        {"properties": {str(number): {} for number in range(MAX_NODES + 1)}},
    ],
)
def test_it_compiles_nothing_that_leads_elsewhere_or_nowhere(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaMistake):
        compile_schema(schema)


def test_it_compiles_nothing_that_is_nested_without_end() -> None:
    schema: dict[str, Any] = {}
    for _ in range(40):
        schema = {"properties": {"a": schema}}
    with pytest.raises(SchemaMistake):
        compile_schema(schema)


def test_it_knows_the_members_that_users_are_shown() -> None:
    schema = {
        "properties": {
            "type": {},
            "amount": {"$ref": "#/$defs/amount"},
            "lines": {"type": "array", "items": {"properties": {"text": {}}}},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "allOf": [{"properties": {"more": {}}}],
        "$defs": {"amount": {"properties": {"value": {}, "currency": {}}}},
    }
    assert set(member_paths(schema)) == {"amount.value", "amount.currency", "lines.text", "tags", "more"}
