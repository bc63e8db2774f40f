"""`appliance serve`: the provider in the foreground."""

import sys
from pathlib import Path

import click

from appliance.cli.options import ENVIRONMENT, STATE
from appliance.server.launch import Serve, launch
from appliance.server.place import NotStarted, Place


@click.command(help="Serve the configuration in DIR until SIGTERM; SIGHUP reads it again.")
@click.option(
    "--config", "directory", required=True, envvar="APPLIANCE_CONFIG", metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False), help="The configuration directory.",
)  # fmt: skip
@STATE
@ENVIRONMENT
def verb(directory: Path, state: Path, environment: str | None) -> None:
    """Serve, or say why not."""
    try:
        launch(Place(directory.absolute(), environment, state.absolute()), _load)
    except NotStarted as reason:
        click.echo(str(reason).rstrip("\n"), err=True)
        sys.exit(1)


def _load() -> Serve:
    # Not above: meanwhile the child, already started, loads its own half of the code on another core.
    from appliance.server.app import run
    from appliance.server.builder import Builder

    return lambda place, child: run(place, Builder.of_asked(place, child))
