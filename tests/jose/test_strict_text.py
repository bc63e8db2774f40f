"""Canonical base64url and strict JSON, on their own."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.protocol import base64url
from appliance.protocol.strict_json import StrictJsonProblem, loads, loads_object


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_reads_the_text_it_writes(value):
    assert base64url.decode(base64url.encode(value)) == value


@pytest.mark.parametrize(
    "text", ["A", "AB", "AA=", "AA==", "A A", "AA\n", "+AAA", "/AAA", "äAAA", "AA.A", "AAAAA", "\ud800"]
)
def test_refuses_texts_that_are_not_canonical(text):
    with pytest.raises(ValueError):
        base64url.decode(text)


@settings(deadline=None)
@given(st.text(alphabet="ABab01-_+/= \n.", max_size=12))
def test_has_one_text_for_each_value(text):
    try:
        value = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        (b'{"a":[1,-2.5,true,false,null,"\xc3\xa4"]}', {"a": [1, -2.5, True, False, None, "ä"]}),
        ('"\\ud83d\\ude00"', "😀"),
        ("9007199254740991", 2**53 - 1),
        ("-9007199254740991", 1 - 2**53),
        (" 1e3 ", 1000.0),
    ],
)
def test_reads_plain_json(text, value):
    assert loads(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "nul",
        "NaN",
        "-Infinity",
        "1e999",
        "01",
        "9007199254740992",
        "-9007199254740992",
        "1" * 20,
        '{"a":1,"a":2}',
        '{"a":1,"\\u0061":2}',
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\u0000"',
        '"\x00"',
        '"\ud800"',
        "\ufeff{}",
        "[" * 9 + "]" * 9,
        "[" * 60000,
        '{"a":' * 10000,
        "'a'",
        "[1,]",
        "// x\n1",
        b"\xff",
        b"\xff\xfe{\0}\0",
    ],
)
def test_refuses_json_of_two_readings(text):
    with pytest.raises(StrictJsonProblem) as caught:
        loads(text)
    assert len(str(caught.value)) < 60


def test_counts_depth_and_length():
    assert loads("[[1]]", max_depth=2) == [[1]]
    assert loads("1", max_depth=0) == 1
    for text, depth in (("[[1]]", 1), ("[[]]", 1), ("[]", 0), ('{"a":{}}', 1)):
        with pytest.raises(StrictJsonProblem):
            loads(text, max_depth=depth)
    with pytest.raises(StrictJsonProblem):
        loads("[11]", max_length=3)


@pytest.mark.parametrize("text", ["[]", "1", '"a"', "null"])
def test_reads_objects_only_where_asked(text):
    assert loads_object('{"a":1}') == {"a": 1}
    with pytest.raises(StrictJsonProblem):
        loads_object(text)


@settings(deadline=None)
@given(st.text(max_size=60) | st.binary(max_size=60))
def test_raises_one_problem_for_any_text(text):
    with suppress(StrictJsonProblem):
        loads(text)
