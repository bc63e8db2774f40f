"""One YAML file: a single meaning with exact places, or a refusal that names the place."""

import random
import time

import pytest

from appliance.config import documents
from appliance.config.problems import Problem


def problems(text: str | bytes) -> list[Problem]:
    """What is wrong with a file."""
    content = text if isinstance(text, bytes) else text.encode()
    return documents.read("a.yaml", content)[1]


def codes(text: str | bytes) -> list[str]:
    """The codes of what is wrong with a file."""
    return [problem.code for problem in problems(text)]


def value(text: str) -> dict[str, object]:
    """The value of a file that is right."""
    document, found = documents.read("a.yaml", text.encode())
    assert found == []
    assert document is not None
    return document.value


def test_the_document_reads_the_plain_values_of_yaml_1_2() -> None:
    text = 'a: x\nb: "010"\nc: 12\nd: -3\ne: 1.5\nf: true\ng: null\nh: [a, {b: c}]\ni: {}\nj: ""\nk: 0\n'
    assert value(text) == {
        "a": "x", "b": "010", "c": 12, "d": -3, "e": 1.5, "f": True, "g": None,
        "h": ["a", {"b": "c"}], "i": {}, "j": "", "k": 0,
    }  # fmt: skip


@pytest.mark.attack("CF-04")
@pytest.mark.parametrize(
    "word",
    [
        "no", "No", "yes", "on", "OFF", "010", "0o17", "0x1F", "0b11", "1_000", "1:30", "1e3", "1.5e3",
        "2026-12-15", "2026-12-15T00:00:00Z", ".nan", ".inf", "-.inf", "~", "=", "12345678901234567890",
    ],
)  # fmt: skip
def test_the_document_refuses_a_word_with_two_meanings(word: str) -> None:
    (problem,) = problems(f"key: {word}\n")
    assert (problem.code, problem.line, problem.column, problem.length) == ("OP021", 1, 6, len(word))
    assert problem.help is not None
    assert value(f'key: "{word}"\n') == {"key": word}


@pytest.mark.parametrize("word", ["127.0.0.1:8443", "nothing", "1.2.3", "-", "a:b", "10m", "ons", "No.1", "+x", "."])
def test_the_document_leaves_ordinary_words_alone(word: str) -> None:
    written = f'key: "{word}"\n' if word == "-" else f"key: {word}\n"
    assert value(written) == {"key": word}


@pytest.mark.attack("CF-02")
def test_the_document_refuses_a_key_that_appears_twice_and_names_both_places() -> None:
    (problem,) = problems("a:\n  client_id: x\n  b: 1\n  client_id: y\n")
    assert (problem.code, problem.line, problem.column) == ("OP012", 4, 3)
    assert [(mark.line, mark.column) for mark in problem.secondary] == [(2, 3)]


@pytest.mark.attack("CF-02")
@pytest.mark.parametrize(
    "text",
    [
        "a: {<<: {x: 1, x: 2}}\n",
        "a: &a {x: 1, x: 2}\nb: {<<: *a}\n",
        "a: &a {x: 1}\nb: {<<: *a, <<: *a}\n",
        "a: {b: 1, 'b': 2}\n",
        'a: {b: 1, "\\x62": 2}\n',
    ],
)
def test_the_document_finds_duplicates_in_merges_and_behind_quotes(text: str) -> None:
    assert codes(text) == ["OP012"]


def test_the_document_lets_explicit_keys_and_earlier_sources_win_in_merges() -> None:
    text = "a: &a {u: 1, v: 1}\nb: &b {v: 2, w: 2}\nc: {<<: [*a, *b], u: 9}\n"
    assert value(text)["c"] == {"u": 9, "v": 1, "w": 2}


def test_the_document_takes_a_quoted_merge_key_for_a_key() -> None:
    assert value('a: {"<<": x}\n') == {"a": {"<<": "x"}}


@pytest.mark.parametrize("merged", ["x", "[x]", "[{a: b}, 1]", "null"])
def test_the_document_refuses_a_merge_of_what_is_no_map(merged: str) -> None:
    assert codes(f"a: {{<<: {merged}}}\n") == ["OP019"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "OP010"),
        ("# only a comment\n", "OP010"),
        ("---\n", "OP010"),
        ("- a\n", "OP022"),
        ("word\n", "OP022"),
        ("a:\n", "OP020"),
        ("a: [b, ]\nc: [,]\n", "OP011"),
        ("- a: b\n  - c\n", "OP011"),
        ("a: {b: c\n", "OP011"),
        ('a: "b\n', "OP011"),
        ("a: b\n\tc: d\n", "OP011"),
        ("a: *nowhere\n", "OP011"),
        ("a: 1\n---\nb: 2\n", "OP017"),
        ("1: a\n", "OP013"),
        ("null: a\n", "OP013"),
        ("? [a, b]\n: c\n", "OP013"),
        ("a: !!binary aGk=\n", "OP014"),
        ("a: !!set {b}\n", "OP014"),
        ("a: !include other.yaml\n", "OP014"),
        ("a: !!python/object/apply:os.system [id]\n", "OP014"),
        ("a: !!int x\n", "OP014"),
        ('a: "\\0"\n', "OP018"),
        ('a: "\\ud800"\n', "OP011"),
        ('"\\ud800": a\n', "OP011"),
        ('"\\0": a\n', "OP018"),
        (b"a: \x00b\n", "OP018"),
        (b"a: \x1b[31m\n", "OP018"),
        (b"a: caf\xe9\n", "OP006"),
        ("a: b\n".encode("utf-16"), "OP006"),
        (b"\xed\xa0\x80: a\n", "OP006"),
    ],
)
def test_the_document_refuses(text: str | bytes, code: str) -> None:
    assert code in codes(text)
    assert documents.read("a.yaml", text if isinstance(text, bytes) else text.encode())[0] is None


def test_the_document_accepts_core_tags_a_mark_of_byte_order_and_other_line_ends() -> None:
    text = b"\xef\xbb\xbfa: !!str x\r\nb: !!map {c: !!int 1}\r\nd: !!str 010\r\n"
    document, found = documents.read("a.yaml", text)
    assert found == []
    assert document is not None
    assert document.value == {"a": "x", "b": {"c": 1}, "d": "010"}
    assert document.where(("b", "c")).line == 2


def test_the_document_warns_of_a_file_without_a_last_line_end() -> None:
    document, (problem,) = documents.read("a.yaml", b"client_id: websho")
    assert document is not None
    assert (problem.code, problem.severity, problem.line) == ("OP008", "warning", 1)


def test_the_document_reports_all_of_its_mistakes_at_once() -> None:
    assert codes("a: no\nb: 010\na: x\nc: !x y\n1: z\n") == ["OP012", "OP013", "OP021", "OP021", "OP014"]


@pytest.mark.parametrize(
    ("text", "path", "key", "place"),
    [
        ("a: b\n", ("a",), False, (1, 4, 1)),
        ("a: b\n", ("a",), True, (1, 1, 1)),
        ("日本: {é: ü, x: yy}\n", ("日本", "x"), False, (1, 15, 2)),
        ("a:\n  - b\n  - cc\n", ("a", 1), False, (3, 5, 2)),
        ("a: [b, 'c d']\n", ("a", 1), False, (1, 8, 5)),
        ("a: &x {b: cc}\nd: {<<: *x}\n", ("d", "b"), False, (1, 11, 2)),
        ("a:\r\n  b: c\r\n", ("a", "b"), False, (2, 6, 1)),
        ("a: {b: c}\n", ("a", "missing", "deeper"), False, (1, 1, 1)),
        ("a: |\n  text\nb: c\n", ("a",), False, (1, 4, 1)),
    ],
)
def test_the_document_knows_every_place(
    text: str, path: tuple[str | int, ...], key: bool, place: tuple[int, int, int]
) -> None:
    document = documents.read("a.yaml", text.encode())[0]
    assert document is not None
    mark = document.where(path, key=key)
    assert (mark.line, mark.column, mark.length) == place


def alias_bomb(levels: int) -> str:
    """Each level holds the one before ten times."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def merge_bomb(levels: int) -> str:
    """Each level merges the one before twice."""
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        alias_bomb(9),
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        "a: &a {<<: *a}\n",
        "a: " + "[" * 20_000 + "]" * 20_000 + "\n",
        "a: " + "{b: " * 10_000 + "c" + "}" * 10_000 + "\n",
        "".join(" " * n + "a:\n" for n in range(1500)),
        "a:\n" + "- " * 3000 + "b\n",
        "a: " + "[" * 100_000,
        "a: " + "[" * 70 + "]" * 70 + "\n",
        "a: {" + ", ".join(f"k{n}: &k{n} {{<<: *k{n - 1}}}" for n in range(1, 70)) + "}\n",
    ],
    ids=lambda text: text[:12].strip(),
)
def test_the_document_refuses_bombs_quickly(text: str) -> None:
    started = time.process_time()
    assert set(codes(text)) <= {"OP011", "OP015", "OP016"} != set()
    assert codes(text)
    assert time.process_time() - started < 1


def test_the_document_reads_a_merge_bomb_without_its_cost() -> None:
    started = time.process_time()
    assert value(merge_bomb(24))["a23"] == {"x": 1}
    assert time.process_time() - started < 1


def test_the_document_allows_the_deepest_nesting_that_is_allowed() -> None:
    depth = documents.MAX_DEPTH - 1
    assert codes("a: " + "[" * depth + "]" * depth + "\n") == []
    assert codes("a: " + "[" * (depth + 1) + "]" * (depth + 1) + "\n") == ["OP015"]


def test_the_document_never_fails_otherwise() -> None:
    chance = random.Random(7)
    pieces = [
        "a",
        ": ",
        "\n",
        "  ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "<<",
        '"',
        "'",
        "|",
        "#",
        "!",
        "\t",
        "é",
        ",",
    ]
    for _ in range(3000):
        text = "".join(chance.choice(pieces) for _ in range(chance.randrange(1, 40)))
        document, found = documents.read("a.yaml", text.encode())
        assert (document is not None) or found
        if document is not None:
            for name in document.value:
                assert document.where((name,)).line >= 1


@pytest.mark.spec("RFC 7517", "6.3.1.1")
def test_the_members_of_a_key_need_no_quotes() -> None:
    document, found = documents.read("x.yaml", b"jwks: {n: abc, y: n, x: y}\n")
    assert found == []
    assert document is not None
    assert document.value == {"jwks": {"n": "abc", "y": "n", "x": "y"}}
