"""`appliance secret`: secrets of clients."""

import hashlib
import secrets

import click

#: Random octets of a secret: 256 bits need no slow hash (OpenID Connect Core 16.19 asks for entropy only).
OCTETS = 32


@click.group(help="Make secrets.")
def verb() -> None:
    """Verbs of secrets."""


@verb.command("new", help="Print a new client secret once, and the line of configuration that knows it.")
def new() -> None:
    """Make a secret; only its hash has to be kept."""
    secret = secrets.token_urlsafe(OCTETS)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    click.echo(f"secret (give it to the client, it is not shown again): {secret}")
    click.echo(f'for its file, under client_secrets: - {{id: "1", hash: "sha256:{digest}"}}')
