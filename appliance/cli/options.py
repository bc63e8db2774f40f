"""Options that several verbs have."""

from pathlib import Path

import click

DEFAULT_ADMIN = "http://127.0.0.1:9090"

ENVIRONMENT = click.option(
    "--env", "environment", envvar="APPLIANCE_ENV", metavar="NAME", help="Which of environments/ applies."
)
STATE = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="APPLIANCE_STATE",
    default=Path("state"),
    show_default=True,
    help="Where sessions, keys and earlier configurations are kept.",
)
ADMIN = click.option(
    "--admin",
    envvar="APPLIANCE_ADMIN",
    default=DEFAULT_ADMIN,
    show_default=True,
    metavar="URL",
    help="The admin listener of the provider.",
)
