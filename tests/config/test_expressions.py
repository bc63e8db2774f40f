"""The mapping language: what is read, and every mistake at its place."""

import time

import pytest

from appliance.config import expressions, regex
from appliance.config.declared.claims import Const, Convert, FirstOf, Join, Match, Members, Path, Table
from appliance.config.problems import Unreadable

NAME = Path("person", ("name",))


@pytest.mark.parametrize(
    ("written", "expression"),
    [
        ("person.name", NAME),
        ("person.a.b-c.d_e", Path("person", ("a", "b-c", "d_e"))),
        ("person.emails[primary].value", Path("person", ("emails", ("primary",), "value"))),
        ("person.groups[all].name", Path("person", ("groups", ("all",), "name"))),
        ("person.phones[0]", Path("person", ("phones", 0))),
        ('person["odd name"].x', Path("person", ("odd name", "x"))),
        ({"const": False}, Const(False)),
        ({"join": ["person.name", {"const": "B"}]}, Join((NAME, Const("B")), " ")),
        ({"join": ["person.name"], "separator": ""}, Join((NAME,), "")),
        ({"first_of": ["person.name", {"const": "none"}]}, FirstOf((NAME, Const("none")))),
        ({"lower": "person.name"}, Convert("lower", NAME)),
        ({"object": {"locality": "person.name"}}, Members({"locality": NAME})),
        ({"match": "person.name", "pattern": "^a(.)"}, Match(NAME, "^a(.)", 1)),
        ({"match": "person.name", "pattern": "^a."}, Match(NAME, "^a.", 0)),
        ({"table": {"f": "female"}, "value": "person.name"}, Table(NAME, {"f": "female"}, None)),
    ],
)
def test_it_reads(written: object, expression: object) -> None:
    assert expressions.read(written) == expression


@pytest.mark.parametrize(
    ("written", "place", "code"),
    [
        ("person", (), "OP501"),
        ("person.", (), "OP501"),
        ("person name", (), "OP501"),
        ("person.a[first]", (), "OP501"),
        ("person.a[-1]", (), "OP501"),
        ("", (), "OP501"),
        ("person.a\n", (), "OP501"),
        (7, (), "OP501"),
        (["person.name"], (), "OP501"),
        ({}, (), "OP502"),
        ({"jion": ["person.name"]}, ("jion",), "OP502"),
        ({"join": ["person.name"], "seperator": "-"}, ("seperator",), "OP502"),
        ({"lower": "person.name", "upper": "person.name"}, (), "OP502"),
        ({"join": []}, ("join",), "OP501"),
        ({"join": ["person.name", {"lower": "person"}]}, ("join", 1, "lower"), "OP501"),
        ({"object": {"a": {"b": 1}}}, ("object", "a", "b"), "OP502"),
        ({"const": None}, ("const",), "OP501"),
        ({"match": "person.name"}, ("pattern",), "OP501"),
        ({"match": "person.name", "pattern": "("}, ("pattern",), "OP503"),
        ({"match": "person.name", "pattern": "a", "take": 1}, ("take",), "OP503"),
        ({"match": "person.name", "pattern": "a", "take": True}, ("take",), "OP503"),
        ({"table": {"a": 1}}, ("table",), "OP501"),
    ],
)
def test_it_refuses_at_the_place(written: object, place: tuple[str | int, ...], code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        expressions.read(written)
    assert (refused.value.path, refused.value.code) == (place, code)


def test_it_finds_all_mistakes_at_once() -> None:
    reading = expressions.read_all({"join": ["person", {"lowr": "person.name"}, "person.name", 3]})
    assert reading.expression is None
    assert [mistake.path for mistake in reading.mistakes] == [("join", 0), ("join", 1, "lowr"), ("join", 3)]
    assert reading.paths == ((("join", 2), NAME),)


def test_it_suggests_the_operator() -> None:
    (mistake,) = expressions.read_all({"frist_of": []}).mistakes
    assert mistake.help == "did you mean `first_of`?"


def test_it_bounds_the_depth() -> None:
    written: object = "person.name"
    for _ in range(200):
        written = {"lower": written}
    assert "nested" in expressions.read_all(written).mistakes[0].message


@pytest.mark.attack("CF-08")
@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$", "(a*)*b", "(a|a)+$", "((ab)*c?)+", "(a{1,9}){1,9}", "(?:a?)+b", r"(a)\1", "(?P<x>a)(?P=x)",
        "a*a*a*a*b", "(.*)(.*)(.*)(.*)x", "(", "[", "a" * 501, "(?=(a+)+)", "([a-z]+[0-9]*)+x", "(x+x+)+y",
    ],
)  # fmt: skip
def test_it_refuses_a_pattern_that_could_run_away(pattern: str) -> None:
    assert regex.fault(pattern)


@pytest.mark.parametrize(
    "pattern", ["^CN=app-([^,]+),", "^[a-z]+@[a-z.]+$", "(?i)^(ab|cd)$", r"\(\d+\)", "(ab)+", "[(+]+", "^(a+)?$"]
)
def test_it_takes_a_pattern_that_cannot(pattern: str) -> None:
    assert regex.fault(pattern) is None


@pytest.mark.attack("CF-08")
def test_it_judges_a_long_pattern_quickly() -> None:
    began = time.process_time()
    for pattern in ("(" * 250, "[" * 500, "(?:" * 160, "a{1,2}" * 80, "\\" * 499):
        regex.fault(pattern)
    assert time.process_time() - began < 1
