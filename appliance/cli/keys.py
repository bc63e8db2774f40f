"""`appliance keys`: the signing keys of a running provider."""

import sys
from collections.abc import Mapping
from urllib.parse import quote

import click

from appliance.cli.admin import ask, read_document
from appliance.cli.options import ADMIN


@click.group(help="Look after signing keys.")
def verb() -> None:
    """Verbs of keys."""


@verb.command("rotate", help="Sign with new keys from now on. Exit: 0 done, 1 refused, 2 no answer.")
@ADMIN
@click.option("--profile", metavar="ID", help="The profile whose keys rotate; without it those of all.")
def rotate(admin: str, profile: str | None) -> None:
    """Ask, print what signs now, exit. Keys that come from files are the operator's to replace."""
    query = "" if profile is None else f"?profile={quote(profile, safe='')}"
    status, body = ask(admin, f"/keys/rotate{query}", method="POST")
    if status != 200:
        click.echo(body.decode("utf-8", "replace").strip(), err=True)
        sys.exit(1)
    signing = read_document(body).get("signing")
    for name, keys in (signing if isinstance(signing, Mapping) else {}).items():
        for key in keys:
            click.echo(f"{name}: {key['alg']} is signed with {key['kid']} now; the key before it stays published")
