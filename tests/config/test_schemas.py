"""Shape: the words for each kind of mistake, and that the quick acceptance agrees with the full validator."""

import copy
import itertools
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.config import documents
from appliance.config.acceptance import Compiler, Unsupported
from appliance.config.faults import Fault, find_faults
from appliance.config.formats import WORDS, conforms, read_duration, read_timestamp
from appliance.config.schemas import SchemaProblem, Schemas
from appliance.resources import CONFIG_EXAMPLE, SCHEMAS

TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "description": "Its name.", "minLength": 1, "maxLength": 9},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "ratio": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 2},
        "kind": {"enum": ["query", "fragment", None]},
        "fixed": {"const": "x"},
        "list": {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 2, "uniqueItems": True},
        "id": {"type": "string", "pattern": "^[a-z]+$", "x-op-message": "an id has small letters"},
        "code": {"type": "string", "pattern": "^[a-z]+$", "examples": ["abc"]},
        "url": {"type": "string", "format": "https-uri"},
        "either": {"anyOf": [{"$ref": "#/$defs/pair"}, {"type": "null"}]},
        "several": {"oneOf": [TEXT, {"type": "array", "items": TEXT}]},
        "salt": {"type": "string", "minLength": 40, "x-op-secret": True},
        "map": {"type": "object", "propertyNames": {"pattern": "[a-z]+"}, "minProperties": 1,
                "additionalProperties": TEXT},
        "never": False,
        "not": {"not": {"const": "*"}},
    },
    "if": {"required": ["kind"], "properties": {"kind": {"const": "query"}}},
    "then": {"required": ["code"]},
    "additionalProperties": False,
    "$defs": {
        "pair": {
            "type": "object",
            "required": ["left"],
            "properties": {"left": TEXT, "right": {"$ref": "#/$defs/pair"}},
            "additionalProperties": False,
        }
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Schemas:
    """A directory of one schema."""
    directory = tmp_path_factory.mktemp("schemas")
    (directory / "thing.json").write_text(json.dumps({"$schema": "https://json-schema.org/x", **SCHEMA}))
    return Schemas(directory)


def faults(schemas: Schemas, **members: object) -> list[tuple[str, str]]:
    """Code and message of what is wrong with a thing."""
    return [(fault.code, fault.message) for fault in found(schemas, **members)]


def found(schemas: Schemas, **members: object) -> list[Fault]:
    """The faults of a thing that has a name."""
    return find_faults(schemas, "thing.json", {"name": "n", **members})


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ("name", "", ("OP106", "`name` must not be empty")),
        ("name", "0123456789", ("OP106", "`name` is longer than 9 characters")),
        ("name", 5, ("OP103", "`name` must be a text, not a whole number")),
        ("name", None, ("OP103", "`name` must be a text, not null")),
        ("count", 0, ("OP106", "`0` is less than 1")),
        ("count", 10, ("OP106", "`10` is more than 9")),
        ("count", 1.0, ("OP103", "`count` must be a whole number, not a number")),
        ("count", True, ("OP103", "`count` must be a whole number, not true or false")),
        ("ratio", 0, ("OP106", "`0` must be greater than 0")),
        ("ratio", 3, ("OP106", "`3` must be a multiple of 2")),
        ("ratio", float("nan"), ("OP103", "`ratio` must be a number, not a number")),
        ("kind", "querry", ("OP104", "`querry` is not a valid value for `kind`")),
        ("kind", ["x"], ("OP104", "this value is not a valid value for `kind`")),
        ("fixed", "y", ("OP104", "`y` is not allowed for `fixed`")),
        ("list", "x", ("OP103", "`list` must be a list, not a text")),
        ("list", [], ("OP106", "`list` must not be empty")),
        ("list", ["a", 1], ("OP103", "an entry of `list` must be a text, not a whole number")),
        ("list", ["a", "a"], ("OP109", "an entry appears twice for `list`")),
        ("id", "A", ("OP107", "an id has small letters")),
        ("code", "abc\n", ("OP107", "this text does not have the expected form")),
        ("url", "http://x", ("OP105", "`http://x` is not an absolute https URL")),
        ("either", 1, ("OP103", "`either` must be a map or null, not a whole number")),
        ("either", {"left": 1}, ("OP103", "`left` must be a text, not a whole number")),
        ("either", {}, ("OP101", "`left` is missing")),
        ("either", {"left": "a", "rigt": {}}, ("OP102", "unknown key `rigt`")),
        ("several", 1, ("OP103", "`several` must be a text or a list, not a whole number")),
        ("salt", "short", ("OP106", "`salt` is shorter than 40 characters")),
        ("map", {"A": "x"}, ("OP107", "the key `A` does not have the expected form")),
        ("map", {}, ("OP106", "`map` needs at least 1 setting")),
        ("never", "x", ("OP108", "`never` may not be given here")),
        ("not", "*", ("OP108", "`*` is not allowed here")),
        ("nam", "x", ("OP102", "unknown key `nam`")),
    ],
)  # fmt: skip
def test_the_schemas_find_plain_words(schemas: Schemas, member: str, value: object, expected: tuple[str, str]) -> None:
    assert faults(schemas, **{member: value}) == [expected]


def test_the_schemas_help_where_something_is_missing(schemas: Schemas) -> None:
    (fault,) = find_faults(schemas, "thing.json", {})
    assert (fault.code, fault.message, fault.help) == ("OP101", "`name` is missing", "Its name.")
    assert faults(schemas, kind="query") == [("OP101", "`code` is missing")]


def test_the_schemas_suggest_the_nearest_word(schemas: Schemas) -> None:
    assert [fault.help for fault in found(schemas, kind="querry")] == [
        "did you mean `query`? (one of: query, fragment)"
    ]
    assert [fault.help for fault in found(schemas, Kind="query")] == ["did you mean `kind`?"]
    assert [fault.help for fault in found(schemas, name=5)] == ["write it in quotes"]
    assert [fault.help for fault in found(schemas, list="x")] == ["write it in square brackets"]


@pytest.mark.attack("CF-06")
def test_the_schemas_match_patterns_to_the_very_end(schemas: Schemas) -> None:
    assert faults(schemas, code="abc") == []
    assert [code for code, _ in faults(schemas, code="abc\n")] == ["OP107"]


@pytest.mark.attack("CF-16")
def test_the_schemas_never_repeat_a_secret(schemas: Schemas) -> None:
    for wrong in ("hunter2", ["hunter2"], {"hunter2": "hunter2"}, 42424242):
        for fault in found(schemas, salt=wrong):
            assert "hunter2" not in f"{fault.message} {fault.help}"
            assert "4242" not in f"{fault.message} {fault.help}"


@pytest.mark.attack("CF-09")
@pytest.mark.parametrize(
    "reference", ["https://example.com/x.json", "file:///etc/passwd", "../../x.json", "#/$defs/no"]
)
def test_the_schemas_refer_to_nothing_outside(tmp_path: Path, reference: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"properties": {"a": {"$ref": reference}}}))
    with pytest.raises(SchemaProblem):
        Schemas(tmp_path)


@pytest.mark.attack("CF-07")
@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("uri", "com.example.app:/cb", "no scheme"),
        ("https-uri", "https://example.com:8443/a?b=c#d", "https://exa mple.com"),
        ("http-uri", "http://[::1]:80/", "ftp://example.com"),
        ("origin", "https://example.com", "https://example.com/"),
        ("duration", "300ms", "5 m"),
        ("date-time", "2027-03-31T00:00:00Z", "2027-02-31T00:00:00Z"),
        ("bcp47", "pt-BR", "p"),
        ("client-id", "web shop", "web\nshop"),
        ("email", "a@example.com", "a@b@c"),
        ("host-port", "[::1]:8080", "localhost"),
        ("regex", "a+", "a("),
    ],
)
def test_the_formats_are_asserted(name: str, good: str, bad: str) -> None:
    assert name in WORDS
    assert conforms(good, name)
    assert not conforms(bad, name)
    assert not conforms(good + "\n", name) or name == "regex"


def test_the_formats_read_lengths_and_moments() -> None:
    texts = ("300ms", "60s", "15m", "8h", "30d", "2w", "0s")
    assert [read_duration(text) for text in texts] == [0.3, 60, 900, 28800, 2592000, 1209600, 0]
    assert read_timestamp("1970-01-02T01:00:00+01:00") == 86400


def examples() -> Iterator[tuple[str, Any]]:
    """Documents of the example configuration with the schema of their file."""
    names = {"profiles": "profile", "clients": "client", "claims": "claims"}
    for path in sorted(CONFIG_EXAMPLE.rglob("*.yaml")):
        family = path.relative_to(CONFIG_EXAMPLE).parts[0]
        reference = f"{names.get(family, family)}.json"
        document, _ = documents.read(path.name, path.read_bytes())
        if document is not None and (SCHEMAS / reference).exists():
            yield reference, document.value


def mutated(chance: random.Random, value: Any) -> Any:
    """A copy with one thing changed somewhere."""
    value = copy.deepcopy(value)
    holder = value
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            break
        key = chance.choice(keys)
        if isinstance(holder[key], dict | list) and chance.random() < 0.7:
            holder = holder[key]
            continue
        junk = [None, True, 0, 1, -1, 1.0, 10**9, "", "x", "5m", "https://a.example/", [], ["x", "x"], {}, {"a": "b"}]
        match chance.randrange(4):
            case 0:
                holder[key] = chance.choice(junk)
            case 1:
                del holder[key]
            case 2 if isinstance(holder, dict):
                holder[f"{key}x"] = holder[key]
            case _ if isinstance(holder, list):
                holder.append(holder[key])
            case _:
                holder[key] = [holder[key]]
        break
    return value


def test_the_quick_acceptance_agrees_with_the_full_validator() -> None:
    schemas = Schemas(SCHEMAS)
    chance = random.Random(11)
    compiled = 0
    for reference, value in examples():
        try:
            quick = Compiler(schemas).compile(*schemas.node(reference))
        except Unsupported:
            continue
        compiled += 1
        assert quick(value)
        for _ in range(20):
            other = mutated(chance, value)
            assert not quick(other) or schemas.full_errors(reference, other) == [], other
    assert compiled >= 5


def test_the_quick_acceptance_agrees_on_every_keyword(schemas: Schemas) -> None:
    plain = copy.deepcopy(SCHEMA)
    for name in ("ratio", "not"):  # keywords that are left to the full validator
        del plain["properties"][name]
    quick = Compiler(schemas).compile("thing.json", plain)
    chance = random.Random(3)
    right = {
        "name": "n", "count": 3, "kind": "query", "fixed": "x", "list": ["a", "b"], "id": "abc", "code": "abc",
        "url": "https://a.example/", "either": {"left": "a", "right": {"left": "b"}}, "several": ["x"],
        "salt": "s" * 40, "map": {"a": "b"},
    }  # fmt: skip
    assert quick(right)
    accepted = 0
    for _ in range(800):
        other = mutated(chance, right)
        sound = schemas.full_errors("thing.json", other) == []
        assert not quick(other) or sound, other
        accepted += quick(other)
        assert sound == quick(other) or "list" in other, other
    assert 20 < accepted < 780


CASES: dict[str, Any] = {
    "$ref": "#/$defs/named",
    "allOf": [{"properties": {"size": {"type": "integer"}}}],
    "properties": {"kind": {"enum": ["round", "square", None]}},
    "if": {"properties": {"kind": {"const": "round"}}, "required": ["kind"]},
    "then": {"$ref": "#/$defs/round"},
    "else": {
        "if": {"properties": {"kind": {"const": "square"}}, "required": ["kind"]},
        "then": {"$ref": "#/$defs/square"},
    },
    "unevaluatedProperties": False,
    "$defs": {
        "named": {"type": "object", "required": ["name"], "properties": {"name": TEXT}},
        "round": {"properties": {"radius": {"type": "integer"}}},
        "square": {"properties": {"side": {"type": "integer"}}, "required": ["side"]},
    },
}  # fmt: skip


def test_the_quick_acceptance_agrees_on_members_that_no_case_names(tmp_path: Path) -> None:
    (tmp_path / "case.json").write_text(json.dumps(CASES))
    schemas = Schemas(tmp_path)
    quick = Compiler(schemas).compile(*schemas.node("case.json"))
    values = {"name": "n", "size": 1, "kind": "round", "radius": 1, "side": 2, "colour": "red"}
    accepted = 0
    for kind in ("round", "square", None, "other"):
        for chosen in itertools.product((True, False), repeat=len(values)):
            value = {name: value for (name, value), taken in zip(values.items(), chosen, strict=True) if taken}
            if "kind" in value:
                value["kind"] = kind
            assert quick(value) == (schemas.full_errors("case.json", value) == []), value
            accepted += quick(value)
    assert accepted > 10


def test_the_engine_loads_the_full_validator_for_mistakes_only() -> None:
    looked = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys; from pathlib import Path; from appliance.config.load import load;"
            "from appliance.options import PARTS; load(Path(sys.argv[1]), environment=None, parts=PARTS);"
            "print({'jsonschema', 'referencing', 'attr'} & set(sys.modules))",
            str(CONFIG_EXAMPLE),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert looked.stdout == "set()\n"
