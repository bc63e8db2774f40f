"""Problems as an operator reads them: the line, the mark under the exact characters, the remedy."""

import json
from pathlib import Path

from appliance.config.problems import Line, Mark, Problem, sort_problems
from appliance.config.rendering import render_json, render_text, wants_colour
from tests.config.writing import refused, whole


def test_the_rendering_marks_the_exact_characters(tmp_path: Path) -> None:
    rejected = refused(whole(tmp_path, {"clients/a.yaml": "client_id: a\nop: {profile: retail, consentt: ask}\n"}))
    assert render_text(rejected.problems[:1], rejected.excerpts, colour=False) == (
        "error[OP102]: unknown key `consentt`\n"
        " --> clients/a.yaml:2:23\n"
        "  |\n"
        "2 | op: {profile: retail, consentt: ask}\n"
        "  |                       ^^^^^^^^\n"
        "  = help: did you mean `consent`?\n"
        "\n"
        "1 error\n"
    )


def underline(text: str, column: int, length: int) -> str:
    """The line of marks below a text."""
    problem = Problem("OP102", "error", "a", 1, column, length, "m")
    return render_text([problem], {"a": {1: Line(0, text)}}, colour=False).splitlines()[4][4:]


def test_the_rendering_counts_the_columns_that_a_terminal_shows() -> None:
    assert underline("日本: x", 1, 2) == "^^^^"
    assert underline("日本: x", 5, 1) == " " * 6 + "^"
    assert underline("e\u0301: x", 5, 1) == " " * 3 + "^"
    assert underline("\ta: x", 2, 1) == " " * 4 + "^"
    assert underline("é: x", 4, 1) == " " * 3 + "^"
    assert underline("a:", 3, 1) == "  ^"


def test_the_rendering_lets_no_character_act_on_the_terminal() -> None:
    problem = Problem("OP102", "error", "a", 1, 1, 1, "m")
    text = render_text([problem], {"a": {1: Line(0, "a\x1b[31m\u202eb")}}, colour=False)
    assert "a\ufffd[31m\ufffdb" in text


def test_the_rendering_shows_second_places_with_their_words() -> None:
    marks = (Mark("a", 1, 1, 3, "first here"), Mark("b", 7, 2, 1, "and here"))
    problem = Problem("OP012", "error", "a", 3, 1, 3, "twice", "remove it", ("a note",), marks)
    sources = {"a": {1: Line(0, "abc: 1"), 3: Line(0, "abc: 2")}, "b": {7: Line(0, " x")}}
    assert render_text([problem], sources, colour=False) == (
        "error[OP012]: twice\n --> a:3:1\n  |\n1 | abc: 1\n  | --- first here\n3 | abc: 2\n  | ^^^\n"
        " ::: b:7:2\n  |\n7 |  x\n  |  - and here\n  = note: a note\n  = help: remove it\n\n1 error\n"
    )


def test_the_rendering_names_a_file_alone_where_there_is_no_line() -> None:
    problem = Problem("OP002", "warning", "config", 0, 0, 0, "nothing here")
    assert render_text([problem], {}, colour=False) == "warning[OP002]: nothing here\n --> config\n\n1 warning\n"
    assert render_text([], {}, colour=False) == ""


def test_the_rendering_colours_only_a_terminal_that_wants_it() -> None:
    problem = Problem("OP102", "error", "a", 1, 1, 1, "m")
    assert "\x1b[" in render_text([problem], {}, colour=True)
    assert "\x1b[" not in render_text([problem], {}, colour=False)
    assert wants_colour({}, terminal=True)
    assert not wants_colour({"NO_COLOR": ""}, terminal=True)
    assert not wants_colour({}, terminal=False)


def test_the_rendering_gives_programs_every_member() -> None:
    problem = Problem("OP102", "error", "a.yaml", 2, 5, 3, "unknown", "did you mean?")
    (member,) = json.loads(render_json([problem]))
    assert member["code"] == "OP102"
    assert (member["line"], member["column"], member["end_column"]) == (2, 5, 8)
    assert (member["severity"], member["file"], member["help"]) == ("error", "a.yaml", "did you mean?")


def test_the_problems_are_sorted_and_each_is_said_once() -> None:
    one = Problem("OP102", "error", "b", 1, 1, 1, "m")
    two = Problem("OP102", "error", "a", 9, 1, 1, "m")
    assert sort_problems([one, two, one]) == (two, one)
