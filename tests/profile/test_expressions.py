"""The mapping language: what an expression makes of the documents of a user, broken ones too."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.declared.claims import Const, Convert, FirstOf, Join, Match, Members, Path, Table
from appliance.profile import claim_forms
from appliance.profile.expressions import compile_expression, sources_of

DOCUMENT: dict[str, Any] = {
    "a": {"b": "deep"},
    "list": ["x", "y"],
    "mails": [{"v": "1"}, {"v": "2", "verified": True}, {"v": "3", "primary": True}],
    "verified": [{"v": "1"}, {"v": "2", "verified": "true"}],
    "plain": [{"v": "1"}, {"v": "2"}],
    "groups": ["CN=app-wiki,OU=x", "CN=other", "CN=app-mail,OU=x"],
    "blank": "  ",
    "zero": 0,
    "no": False,
    "empty": {},
}


def path(*steps: Any, source: str = "d") -> Path:
    return Path(source, steps)


@pytest.mark.parametrize(("expression", "value"), [
    (path("a", "b"), "deep"),
    (path("a", "missing", "c"), None),
    (path("list", 1), "y"),
    (path("list", 9), None),
    (path("list", -3), None),
    (path("a", 0), None),
    (path("list", "b"), None),
    (path("mails", ("primary",), "v"), "3"),
    (path("verified", ("primary",), "v"), "2"),
    (path("plain", ("primary",), "v"), "1"),
    (path("a", ("primary",), "b"), "deep"),
    (path("mails", ("all",), "v"), ["1", "2", "3"]),
    (path("mails", ("all",), "missing"), None),
    (path("a", source="other"), None),
    (path("zero"), 0),
    (path("no"), False),
    (Const("fixed"), "fixed"),
    (Join((path("a", "b"), path("missing"), path("blank"), path("zero")), " "), "deep 0"),
    (Join((path("missing"),), " "), None),
    (FirstOf((path("missing"), path("blank"), path("empty"), path("no"), Const("last"))), False),
    (FirstOf((path("missing"),)), None),
    (Convert("lower", Const("ÄB")), "äb"),
    (Convert("upper", path("list")), ["X", "Y"]),
    (Convert("list", Const("x")), ["x"]),
    (Convert("list", path("missing")), None),
    (Convert("string", Const(7)), "7"),
    (Members({"x": path("a", "b"), "y": path("missing")}), {"x": "deep"}),
    (Members({"y": path("missing")}), None),
    (Match(path("groups"), "^CN=app-([^,]+),", 1), ["wiki", "mail"]),
    (Match(path("a", "b"), "^d(.)", 1), "e"),
    (Match(path("a", "b"), "^x", 0), None),
    (Match(path("zero"), ".", 0), None),
    (Table(path("list"), {"x": "one"}, None), ["one"]),
    (Table(path("a", "b"), {"x": 1}, "other"), "other"),
    (Table(path("missing"), {"x": 1}, "other"), None),
])  # fmt: skip
def test_an_expression_gives(expression: Any, value: Any) -> None:
    assert compile_expression(expression)({"d": DOCUMENT}) == value


def test_tells_the_sources_an_expression_reads() -> None:
    nested = Join((path("a", source="x"), FirstOf((Const(1), Convert("lower", path(source="y"))))), "")
    assert sources_of(nested) == {"x", "y"}
    assert sources_of(Members({"m": Match(path(source="z"), "a", 0)})) == {"z"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "primary"]), inner)
    ),
    max_leaves=8,
)
EXPRESSIONS = [
    Convert(to, path("a", ("primary",), "b"))
    for to in ("lower", "upper", "boolean", "number", "string", "date", "locale", "list")
] + [
    Match(path("a"), "(.)", 1),
    Table(path("a"), {"1": "x"}, None),
    path(("all",), "a", 0),
    Join((path("a"),), ""),
]


@given(JSON)
def test_no_document_makes_an_expression_fail(document: Any) -> None:
    for expression in EXPRESSIONS:
        compile_expression(expression)({"d": document})
    for form in (*claim_forms.FORMS.values(), claim_forms.plain):
        form(document)


@pytest.mark.spec("OpenID Connect Core 1.0", "5.1")
@pytest.mark.parametrize(("value", "expected"), [
    ("1990-04-02", "1990-04-02"),
    ("1990-04-02T10:00:00Z", "1990-04-02"),
    ("19900402", "1990-04-02"),
    ("19900402000000Z", "1990-04-02"),
    ("2.4.1990", "1990-04-02"),
    ("1990", "1990"),
    ("0000-02-29", "0000-02-29"),
    (date(1990, 4, 2), "1990-04-02"),
    ("1990-02-29", None),
    ("1990-13-01", None),
    ("04/02/1990", None),
    ("", None),
    (None, None),
    (True, None),
])  # fmt: skip
def test_a_birthdate_is(value: object, expected: object) -> None:
    assert claim_forms.FORMS["birthdate"](value) == expected


@pytest.mark.parametrize(("value", "expected"), [
    ("fi_FI", "fi-FI"), ("fi_fi.UTF-8", "fi-FI"), ("EN", "en"), ("zh-hant-tw", "zh-Hant-TW"),
    ("", None), ("??", None),
])  # fmt: skip
def test_a_locale_is(value: object, expected: object) -> None:
    assert claim_forms.FORMS["locale"](value) == expected


@pytest.mark.parametrize(("claim", "value", "expected"), [
    ("email_verified", "true", True), ("email_verified", "False", False), ("email_verified", 1, True),
    ("email_verified", "maybe", None), ("email_verified", None, None), ("email_verified", 7, None),
    ("updated_at", 1700000000, 1700000000), ("updated_at", "1700000000", 1700000000),
    ("updated_at", "2023-11-14T22:13:20Z", 1700000000), ("updated_at", "soon", None),
    ("updated_at", True, None),
    ("name", "  Ann ", "Ann"), ("name", " ", None), ("name", ["", "Ann"], "Ann"), ("name", {}, None),
    ("address", "Main St 1", {"formatted": "Main St 1"}),
    ("address", {"locality": "Turku", "country": "", "planet": "Earth"}, {"locality": "Turku"}),
    ("address", {"planet": "Earth"}, None),
])  # fmt: skip
def test_a_standard_claim_is(claim: str, value: object, expected: object) -> None:
    made = claim_forms.FORMS[claim](value)
    assert (made, type(made)) == (expected, type(expected))
