"""`appliance hash-password`: the hash of a password for a static source."""

import asyncio
import sys

import click

from appliance.config.declared.root import PasswordHashing
from appliance.passwords import Passwords

#: RFC 9106 4 in the smaller form that schemas/root.json has as its default.
COST = PasswordHashing(memory_kib=19456, iterations=2, parallelism=1, workers=1, queue=1)


@click.command(help="Ask for a password (or read a line of input) and print its Argon2id hash.")
def verb() -> None:
    """Hash; the password is never an argument, where every user of the machine could see it."""
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("the password is empty")
    click.echo(hash_password(password))


def hash_password(password: str) -> str:
    """The hash of one password at the default cost."""
    passwords = Passwords(COST)
    try:
        return asyncio.run(passwords.hash(password))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    finally:
        passwords.close()
