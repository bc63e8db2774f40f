"""`appliance status`: what a running provider serves."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import click

from appliance.cli.admin import ask, read_document
from appliance.cli.options import ADMIN


@click.command(help="Tell which configuration a running provider serves. Exit: 0 as in the files, 1 not, 2 no answer.")
@ADMIN
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verb(admin: str, form: str) -> None:
    """Ask, print, exit."""
    _, body = ask(admin, "/config/status", timeout=10.0)
    document = read_document(body)
    if form == "json":
        click.echo(body.decode().strip())
    else:
        for line in _lines(document):
            click.echo(line)
    sys.exit(1 if document.get("degraded") else 0)


def _lines(document: Mapping[str, object]) -> list[str]:
    lines = [
        f"serving     {document.get('serving')}, generation {document.get('generation')}, "
        f"digest {str(document.get('digest'))[:12]}",
        f"from        {document.get('directory')}",
        f"since       {_moment(document.get('loaded_at'))}",
    ]
    if commit := document.get("commit"):
        lines.insert(1, f"commit      {commit}")
    last = document.get("last_attempt")
    if isinstance(last, Mapping):
        lines.append(f"last try    {last.get('result')} at {_moment(last.get('at'))} ({last.get('trigger')})")
        problems = last.get("problems")
        for problem in problems if isinstance(problems, list) else ():
            place = f"{problem.get('file')}:{problem.get('line')}"
            lines.append(f"{'':<12}{problem.get('severity')}[{problem.get('code')}] {place}: {problem.get('message')}")
    return lines


def _moment(value: object) -> str:
    if not isinstance(value, int | float):
        return "never"
    return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
