"""`appliance revoke`: the end of what a user, a client or one authorization has at a running provider."""

import sys
from collections.abc import Mapping
from urllib.parse import urlencode

import click

from appliance.cli.admin import ask, read_document
from appliance.cli.options import ADMIN


@click.command(
    help="End all sessions and tokens of a user, all tokens of a client, or all that came of one authorization. "
    "Exit: 0 done, 1 refused, 2 no answer."
)
@ADMIN
@click.option("--profile", metavar="ID", help="The profile at which it ends; without it at all.")
@click.option("--user", metavar="LOGIN", help="The user, by login name or by id in the source.")
@click.option("--client", metavar="CLIENT_ID", help="The client.")
@click.option("--grant", metavar="GRANT_ID", help="The authorization, by its `grant_id`.")
def verb(admin: str, profile: str | None, user: str | None, client: str | None, grant: str | None) -> None:
    """Ask, print what ended, exit."""
    named = {name: value for name, value in (("user", user), ("client", client), ("grant", grant)) if value}
    if len(named) != 1:
        raise click.UsageError("name one of --user, --client and --grant")
    query = urlencode(named if profile is None else {"profile": profile, **named})
    status, body = ask(admin, f"/tokens/revoke?{query}", method="POST")
    if status != 200:
        click.echo(body.decode("utf-8", "replace").strip(), err=True)
        sys.exit(1)
    ended = read_document(body).get("ended")
    for name, each in (ended if isinstance(ended, Mapping) else {}).items():
        click.echo(f"{name}: {each['sessions']} sessions and {each['tokens']} tokens ended")
