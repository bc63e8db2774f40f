"""The directory as one state: what is read, what is refused, and that a swap in the middle mixes nothing."""

import os
from pathlib import Path

import pytest

from appliance.config import tree
from tests.config.writing import CLIENT, ROOT, refused, told, whole, write


def codes(directory: Path) -> list[str]:
    """The codes of what is wrong with a directory."""
    return [problem.code for problem in tree.read(directory).problems]


def test_the_tree_reads_the_fixed_directories_and_leaves_hidden_and_other_files(tmp_path: Path) -> None:
    files = {
        "op.yaml": ROOT,
        "clients/a.yaml": CLIENT,
        "clients/deep/er/b.yml": CLIENT,
        "clients/.hidden.yaml": CLIENT,
        "clients/..data/c.yaml": CLIENT,
        "clients/README.md": "",
        "clients/a.yaml.swp": "",
        "tests/x.test.yaml": "",
        "secrets/s": "",
        "themes/sun/theme.yaml": "",
    }
    snapshot = tree.read(write(tmp_path, files))
    assert sorted(snapshot.yaml) == ["clients/a.yaml", "clients/deep/er/b.yml", "op.yaml"]
    assert sorted(snapshot.themes) == ["themes/sun/theme.yaml"]
    assert snapshot.ignored == ("clients/README.md", "clients/a.yaml.swp")
    assert snapshot.problems == ()
    assert tmp_path / "clients/deep/er" in snapshot.directories


def test_the_tree_warns_of_yaml_that_is_not_read(tmp_path: Path) -> None:
    snapshot = tree.read(write(tmp_path, {"op.yaml": ROOT, "clients.yaml": CLIENT}))
    assert [(problem.code, problem.severity) for problem in snapshot.problems] == [("OP007", "warning")]


def test_the_tree_refuses_what_is_no_configuration(tmp_path: Path) -> None:
    assert codes(tmp_path) == ["OP002"]
    assert codes(tmp_path / "nowhere") == ["OP001"]
    assert codes(write(tmp_path, {"file": ""}) / "file") == ["OP001"]


def test_the_tree_refuses_an_empty_directory_with_a_remedy(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path).problems
    assert (problem.code, problem.file) == ("OP002", str(tmp_path))
    assert problem.help is not None


@pytest.mark.attack("CF-14", "CF-09")
def test_the_tree_refuses_links_that_leave_it(tmp_path: Path) -> None:
    directory = write(tmp_path / "config", {"op.yaml": ROOT, "clients/a.yaml": CLIENT})
    outside = write(tmp_path / "outside", {"b.yaml": CLIENT, "config-too/c.yaml": CLIENT})
    (directory / "clients/b.yaml").symlink_to(outside / "b.yaml")
    (directory / "clients/more").symlink_to(outside)
    (directory / "clients/up").symlink_to("../..")
    (directory / "policies").symlink_to(tmp_path / "configure")
    snapshot = tree.read(directory)
    assert sorted(snapshot.yaml) == ["clients/a.yaml", "op.yaml"]
    assert [(problem.code, problem.file) for problem in snapshot.problems] == [
        ("OP004", "clients/b.yaml"),
        ("OP004", "clients/more"),
        ("OP004", "clients/up"),
        ("OP003", "policies"),
    ]


def test_the_tree_does_not_follow_links_in_circles(tmp_path: Path) -> None:
    directory = write(tmp_path, {"op.yaml": ROOT, "clients/a.yaml": CLIENT})
    (directory / "clients/again").symlink_to("../clients")
    assert "OP003" in codes(directory)
    (directory / "clients/again").unlink()
    (directory / "clients/self.yaml").symlink_to("self.yaml")
    assert "OP003" in codes(directory)


def test_the_tree_reads_a_config_map(tmp_path: Path) -> None:
    write(tmp_path, {"..2026_1/op.yaml": ROOT})
    (tmp_path / "..data").symlink_to("..2026_1")
    (tmp_path / "op.yaml").symlink_to("..data/op.yaml")
    snapshot = tree.read(tmp_path)
    assert snapshot.yaml["op.yaml"].content == ROOT.encode()
    assert tmp_path / "..2026_1" in snapshot.directories


def test_the_tree_follows_a_root_that_is_itself_a_link(tmp_path: Path) -> None:
    write(tmp_path / "one", {"op.yaml": "one"})
    (tmp_path / "current").symlink_to("one")
    snapshot = tree.read(tmp_path / "current")
    assert snapshot.root == tmp_path / "one"
    assert snapshot.problems == ()


@pytest.mark.attack("CF-12")
def test_the_tree_reads_again_when_it_is_swapped_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, {"op.yaml": name, "clients/a.yaml": name})
    current = tmp_path / "current"
    current.symlink_to("one")
    read_file = tree._Reader._read_file
    swaps = iter([True])

    def swapping(self: tree._Reader, *arguments: object) -> None:
        read_file(self, *arguments)  # type: ignore[arg-type]
        if next(swaps, False):
            (tmp_path / "new").symlink_to("two")
            os.replace(tmp_path / "new", current)

    monkeypatch.setattr(tree._Reader, "_read_file", swapping)
    snapshot = tree.read(current)
    assert {found.content for found in snapshot.yaml.values()} == {b"two"}
    assert snapshot.root == tmp_path / "two"


def test_the_tree_gives_up_on_files_that_never_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree._Reader, "unchanged", lambda self: False)
    assert codes(whole(tmp_path)) == ["OP009"]


def test_the_tree_opens_plain_files_only(tmp_path: Path) -> None:
    directory = write(tmp_path, {"op.yaml": ROOT, "clients/a.yaml": CLIENT})
    os.mkfifo(directory / "clients/pipe.yaml")
    (directory / "profiles").write_text("")
    assert [(problem.code, problem.file) for problem in tree.read(directory).problems] == [
        ("OP003", "clients/pipe.yaml"),
        ("OP003", "profiles"),
    ]


def test_the_tree_refuses_files_that_are_too_large(tmp_path: Path) -> None:
    directory = write(tmp_path, {"op.yaml": ROOT, "clients/a.yaml": b"#" * (tree.MAX_BYTES + 1)})
    assert codes(directory) == ["OP005"]


@pytest.mark.attack("CF-14")
def test_the_tree_warns_of_files_that_everybody_may_change(tmp_path: Path) -> None:
    directory = write(tmp_path, {"op.yaml": ROOT})
    (directory / "op.yaml").chmod(0o666)
    assert codes(directory) == ["OP023"]


def test_the_tree_names_a_file_it_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = write(tmp_path, {"op.yaml": ROOT, "clients/a.yaml": CLIENT})
    really_open = os.open

    def refusing(path: str, *arguments: int) -> int:
        if str(path).endswith("a.yaml"):
            raise PermissionError(13, "Permission denied")
        return really_open(path, *arguments)

    monkeypatch.setattr(os, "open", refusing)
    (problem,) = tree.read(directory).problems
    assert (problem.code, problem.file) == ("OP003", "clients/a.yaml")
    assert "Permission denied" in problem.message


def test_the_tree_refuses_names_that_are_not_text(tmp_path: Path) -> None:
    write(tmp_path, {"op.yaml": ROOT, "clients/a.yaml": CLIENT})
    with open(os.fsencode(tmp_path / "clients") + b"/b\xff.yaml", "w"):
        pass
    assert codes(tmp_path) == ["OP003"]


def test_the_tree_lets_one_bad_file_stop_only_itself(tmp_path: Path) -> None:
    rejected = refused(
        whole(tmp_path, {"clients/bad.yaml": "a: [\n", "clients/latin.yaml": b"a: \xe9\n", "policies/x.yaml": "p: 1\n"})
    )
    assert told(rejected.problems) == [
        ("OP011", "clients/bad.yaml", 2, 1),
        ("OP006", "clients/latin.yaml", 1, 4),
        ("OP102", "policies/x.yaml", 1, 1),
    ]
