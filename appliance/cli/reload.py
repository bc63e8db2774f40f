"""`appliance reload`: read the files now and wait for the outcome."""

import sys

import click

from appliance.cli.admin import ask, read_document
from appliance.cli.options import ADMIN


@click.command(help="Make a running provider read its files. Exit: 0 taken or unchanged, 1 refused, 2 no answer.")
@ADMIN
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verb(admin: str, form: str) -> None:
    """Ask, print the outcome, exit."""
    status, body = ask(admin, "/config/reload", method="POST")
    document = read_document(body)
    if form == "json":
        click.echo(body.decode().strip())
    else:
        text = str(document.get("text", "")).rstrip("\n")
        if text:
            click.echo(text + "\n")
        click.echo(f"{document.get('result')}: {str(document.get('digest', ''))[:12]}, {document.get('seconds')} s")
    sys.exit(0 if status == 200 else 1)
