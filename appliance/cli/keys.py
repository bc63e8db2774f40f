"""`appliance keys`: the keys of a running provider."""

import sys
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import click

from appliance.cli.admin import ask, read_document
from appliance.cli.options import ADMIN


@click.group(help="Look after the keys of a running provider.")
def verb() -> None:
    """Verbs of keys."""


@verb.command("rotate", help="Take new keys into use. Exit: 0 done, 1 refused, 2 no answer.")
@ADMIN
@click.option("--profile", metavar="ID", help="The profile whose keys rotate; without it those of all.")
def rotate(admin: str, profile: str | None) -> None:
    """Ask, print what is in use now, exit. Keys that come from files are the operator's to replace."""
    query = "" if profile is None else f"?profile={quote(profile, safe='')}"
    status, body = ask(admin, f"/keys/rotate{query}", method="POST")
    if status != 200:
        click.echo(body.decode("utf-8", "replace").strip(), err=True)
        sys.exit(1)
    answer = read_document(body)
    for name, key in _listed(answer, "signing"):
        click.echo(f"{name}: {key['alg']} is signed with {key['kid']} now; the key before it stays published")
    for name, key in _listed(answer, "encryption"):
        click.echo(f"{name}: {key['alg']} is encrypted to {key['kid']} now; the key before it still opens")


def _listed(answer: Mapping[str, object], use: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The keys of one use with their profile; a provider before this version answers none to encrypt to."""
    profiles = answer.get(use)
    for name, keys in (profiles if isinstance(profiles, Mapping) else {}).items():
        for key in keys:
            yield name, key
