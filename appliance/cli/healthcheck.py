"""`appliance healthcheck`: for container engines."""

import sys

import click

from appliance.cli.admin import ask
from appliance.cli.options import ADMIN


@click.command(help="Exit with 0 when the provider is alive (--ready: and can serve), else with 1.")
@ADMIN
@click.option("--ready", is_flag=True, help="Ask for readiness instead of life.")
def verb(admin: str, ready: bool) -> None:
    """Ask, print, exit."""
    status, body = ask(admin, "/readyz" if ready else "/healthz", timeout=3.0)
    click.echo(body.decode("utf-8", "replace").strip())
    sys.exit(0 if status == 200 else 1)
