"""`appliance demo`: something to click on in a minute; `--empty DIR` begins a configuration of one's own."""

import re
import shutil
import sys
from collections.abc import Coroutine
from pathlib import Path

import click

from appliance.cli.options import STATE
from appliance.demo.scaffold import NotEmpty, write
from appliance.resources import CONFIG_EXAMPLE
from appliance.server.child import Child
from appliance.server.launch import Serve, launch
from appliance.server.place import NotStarted, Place

#: | profile | `login` or another | `password` | remarks |
_ROW = re.compile(r"^\| *\w+ *\| *`(?P<login>[^`|]+)`[^|]*\| *`(?P<password>[^`|]+)` *\|", re.MULTILINE)
#: How many users are told of; the rest is read in the file.
SHOWN = 2


@click.command(help="Serve the example together with a sample relying party; or, with --empty, begin your own.")
@click.option("--empty", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write a minimal configuration into an empty folder instead.")  # fmt: skip
@STATE
def verb(empty: Path | None, state: Path) -> None:
    """Scaffold, or serve until interrupted."""
    try:
        if empty is not None:
            _begin(empty)
            return
        directory = _example(state)
        launch(Place(directory, None, (state / "demo").absolute()), _load)
    except (NotStarted, NotEmpty) as reason:
        # Not above: of all that this loads, a start needs nothing before its child runs.
        from appliance.server.codes import LISTENER

        lines = str(reason).strip().splitlines()
        # A port that is taken needs no more than its line.
        click.echo(lines[0] if LISTENER in lines[0] else "\n".join(lines), err=True)
        sys.exit(1)


def _load() -> Serve:
    # Not above: meanwhile the child, already started, loads its own half of the code on another core.
    from appliance.demo.run import Stage, run
    from appliance.server.builder import Builder

    def serve(place: Place, child: Child) -> Coroutine[None, None, None]:
        return run(Stage(place, logins(place.directory)), click.echo, Builder.of_asked(place, child))

    return serve


def _begin(directory: Path) -> None:
    # Not above: a start hashes nothing, and what hashes takes a while to load.
    from appliance.cli.hash_password import hash_password

    written, password = write(directory, hash_password)
    for path in written:
        click.echo(f"wrote {path}")
    click.echo(f"user: anna, password: {password} (shown once; its hash is in secrets/anna)")
    click.echo(f"next: appliance check {directory} && appliance serve --config {directory}")


def _example(state: Path) -> Path:
    """The example to serve: that of the checkout, else a copy that may be edited."""
    if (CONFIG_EXAMPLE.parent / "pyproject.toml").is_file():
        return CONFIG_EXAMPLE
    copy = state.absolute() / "config.example"
    if not copy.exists():
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copytree(CONFIG_EXAMPLE, copy)
    return copy


def logins(directory: Path) -> tuple[str, ...]:
    """Who can sign in, as the table in the example's README.md tells it: nothing knows the passwords but it."""
    readme = directory / "README.md"
    if not readme.is_file():
        return ()
    rows = _ROW.finditer(readme.read_text(encoding="utf-8"))
    return tuple(f"{row['login']} / {row['password']}" for row in rows)[:SHOWN]
