"""`appliance check`: everything wrong with a directory, as the server would say it."""

import os
import sys
from dataclasses import asdict
from pathlib import Path

import click
import orjson

from appliance.cli.options import ENVIRONMENT
from appliance.config.problems import ConfigRejected
from appliance.config.reach import Reach, reaches
from appliance.config.rendering import as_members, render_text, wants_colour
from appliance.server.checking import Checker

OK, INVALID, UNREADABLE, WARNINGS = 0, 1, 2, 3


@click.command(help=f"Check the configuration in PATH (default: here). Exit: {OK} good, {INVALID} invalid, "
               f"{UNREADABLE} cannot be read, {WARNINGS} warnings under --strict.")  # fmt: skip
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@ENVIRONMENT
@click.option("--strict", is_flag=True, help=f"Exit with {WARNINGS} when there are warnings.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--no-secrets", is_flag=True, help="Do not read secret files and variables: for CI.")
def verb(path: Path, environment: str | None, strict: bool, form: str, no_secrets: bool) -> None:
    """Check, print, exit."""
    if not path.is_dir():
        click.echo(f"{path}: there is no such directory", err=True)
        sys.exit(UNREADABLE)
    good = ""
    levels: tuple[Reach, ...] = ()
    try:
        checked = Checker(environment, secrets=not no_secrets).check(path)
        problems, excerpts = checked.warnings, checked.excerpts
        code = WARNINGS if strict and problems else OK
        declared = checked.declared
        good = f"good: {_count(len(declared.profiles), 'profile')}, {_count(len(declared.clients), 'client')}"
        levels = reaches(declared)
    except ConfigRejected as rejected:
        problems, excerpts, code = rejected.problems, rejected.excerpts, INVALID
    if form == "json":
        document: dict[str, object] = {"ok": code == OK, "problems": [as_members(problem) for problem in problems]}
        document["reaches"] = [asdict(each) for each in levels]
        click.echo(orjson.dumps(document).decode())
        sys.exit(code)
    colour = wants_colour(os.environ, terminal=sys.stdout.isatty())
    if problems:
        click.echo(render_text(problems, excerpts, colour), nl=False)
    if good:
        click.echo(good)
    for each in levels:
        acr = ", ".join(each.acr) or "no acr"
        click.echo(f"{each.profile}: policy {each.policy} ({', then '.join(each.steps)}) reaches {acr}")
    sys.exit(code)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
