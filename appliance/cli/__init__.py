"""The command line: one verb per file, loaded when it is called.

Loading every verb would import the server, the parsers and the crypto library before `--help` is printed.
"""

import importlib
from typing import Final

import click

from appliance import __version__

#: Verb to the line that `--help` shows; the code is `verb` in `appliance.cli.<verb with underscores>`.
VERBS: Final = {
    "check": "Check a configuration directory and tell every mistake in it.",
    "serve": "Serve a configuration directory.",
    "demo": "Serve the example together with a small relying party to log in to.",
    "explain": "Explain a diagnostic (OP102) or a key (client.redirect_uris).",
    "status": "Tell what a running provider serves.",
    "reload": "Make a running provider read its files, and wait for the outcome.",
    "keys": "Rotate the signing keys of a running provider.",
    "revoke": "End the sessions and tokens of a user or client at a running provider.",
    "healthcheck": "Exit with 0 when a running provider is alive.",
    "secret": "Make secrets.",
    "hash-password": "Hash a password for a static source.",
}


class _Verbs(click.Group):
    """The verbs, imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of a day's work."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb that is called."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"appliance.cli.{cmd_name.replace('-', '_')}")
        command = module.verb
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of verbs without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="An OpenID Provider run from a directory of configuration.",
)
@click.version_option(__version__, prog_name="appliance")
def main() -> None:
    """Parse the command line; click calls the verb."""
