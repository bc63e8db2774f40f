"""`appliance serve`: the provider in the foreground."""

import sys
from pathlib import Path

import click

from appliance.cli.options import ENVIRONMENT, STATE
from appliance.server.app import NotStarted, serve
from appliance.server.reload import Place


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
        serve(Place(directory.absolute(), environment, state.absolute()))
    except NotStarted as reason:
        click.echo(str(reason).rstrip("\n"), err=True)
        sys.exit(1)
