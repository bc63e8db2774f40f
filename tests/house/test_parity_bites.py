"""The parity of schema and dataclass bites as well."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.house import test_parity
from tests.house.test_parity import parity_complaints

COMMON = {"$defs": {"ttl": {"type": "integer", "description": "Seconds.", "default": 60}}}


@dataclass(frozen=True, slots=True)
class Code:
    """A declared dataclass."""

    code_ttl: int
    op_name: str | None


@dataclass(frozen=True)
class Loose:
    """One without slots and with a default."""

    code_ttl: int = 60


@pytest.fixture(autouse=True)
def _plain_field_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(test_parity, "field_name", lambda name: name.replace("-", "_"))
    yield


def object_with(**properties: Any) -> dict[str, dict[str, Any]]:
    """Schemas with one document of the given properties, and the shared definitions."""
    return {"code.json": {"properties": properties}, "shared/common.json": COMMON}


def test_the_same_on_both_sides_is_left_in_peace() -> None:
    schemas = object_with(
        code_ttl={"$ref": "shared/common.json#/$defs/ttl"},
        **{"op-name": {"type": ["string", "null"], "description": "A name."}, "$schema": {"type": "string"}},
    )
    assert parity_complaints("code.json", Code, schemas) == []


def test_a_definition_is_compared_by_its_pointer() -> None:
    node = object_with(
        code_ttl={"description": "Seconds.", "default": 1}, op_name={"description": "Name.", "default": ""}
    )
    schemas = {"code.json": {"$defs": {"code": node["code.json"]}}}
    assert parity_complaints("code.json#/$defs/code", Code, schemas) == []


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"code_ttl": {"description": "S", "default": 1}}, "no property for Code.op_name"),
        ({"code_ttl": {"default": 1}, "op_name": {"description": "N", "default": ""}}, "no description"),
        ({"code_ttl": {"description": "S"}, "op_name": {"description": "N", "default": ""}}, "no default"),
    ],
)
def test_a_difference_is_complained_about(properties: dict[str, Any], words: str) -> None:
    complaints = parity_complaints("code.json", Code, object_with(**properties))
    assert len(complaints) == 1
    assert words in complaints[0]


def test_a_default_in_python_and_a_loose_dataclass_are_complained_about() -> None:
    complaints = parity_complaints(
        "code.json", Loose, object_with(code_ttl={"description": "S", "default": 1})
    )
    assert len(complaints) == 2


def test_a_key_without_its_schema_is_complained_about() -> None:
    assert parity_complaints("missing.json", Code, object_with()) == ["missing.json: there is no such schema"]
