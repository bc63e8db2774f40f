"""Login names: one form for every spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.protocol.login_name import canonical_login


@pytest.mark.attack("AU-04", "AU-05")
@pytest.mark.spec("RFC 8265", "3.3")
@pytest.mark.parametrize(
    "typed",
    ["alice", "ALICE", "Alice ", "\u3000alice", "\uff41\uff4c\uff49\uff43\uff45", "al\u2170ce", "\u24d0lice"],
)
def test_every_spelling_of_a_name_has_one_form(typed: str) -> None:
    assert canonical_login(typed) == "alice"


@pytest.mark.attack("AU-05")
def test_sharp_s_is_double_s_and_composed_letters_are_their_parts() -> None:
    assert canonical_login("Strauß") == canonical_login("STRAUSS")
    assert canonical_login("Zoe\u0308") == canonical_login("ZO\u00cb")


@pytest.mark.attack("AU-05")
@pytest.mark.parametrize("typed", ["alic\u0435", "a\u0131ice", "alice\u0300"])
def test_letters_that_merely_look_alike_make_another_name(typed: str) -> None:
    assert canonical_login(typed) not in (None, "alice")


@pytest.mark.attack("AU-05")
@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "alice\0",
        "ali\nce",
        "\u202ealice",
        "ali\u200bce",
        "ali\u00adce",
        "\ufeffalice",
        "\ud800",
        "\ue000",
        "\u0378",
        "a" * 257,
    ],
)
def test_what_can_be_no_name_is_refused(typed: str) -> None:
    assert canonical_login(typed) is None


@pytest.mark.attack("MA-11")
@pytest.mark.parametrize("typed", ["O'Brien", "Jörg Müller", "a+b@example.com", "👩‍🚀", "李小龍", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "x y z"])
def test_names_that_people_have_are_accepted(typed: str) -> None:
    assert canonical_login(typed) is not None


@given(st.text(max_size=40))
def test_the_form_of_a_form_is_itself(typed: str) -> None:
    once = canonical_login(typed)
    assert once is None or canonical_login(once) == once


@given(st.text(max_size=40))
def test_case_and_spaces_around_never_make_another_name(typed: str) -> None:
    once = canonical_login(typed)
    if once is not None and len(typed) < 200:
        assert canonical_login(f" {typed} ") == once
        assert canonical_login(typed.casefold()) == once
