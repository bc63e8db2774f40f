"""Asking the admin listener of a running provider."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping

import click

#: Seconds: a reload is answered when it is over, a build may take a minute.
TIMEOUT = 75.0


class Unreachable(click.ClickException):
    """The provider does not answer."""

    exit_code = 2


def ask(admin: str, path: str, *, method: str = "GET", timeout: float = TIMEOUT) -> tuple[int, bytes]:
    """Status and body of an answer, whatever the status is."""
    if not admin.startswith(("http://", "https://")):
        raise click.UsageError(f"{admin} is not an http address")
    asked = urllib.request.Request(admin.rstrip("/") + path, method=method)  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as answer:  # noqa: S310 - the same
            return int(answer.status), answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Unreachable(f"nobody answers at {admin}: {reason}") from None


def read_document(body: bytes) -> Mapping[str, object]:
    """A JSON document of the admin listener."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Unreachable("whoever answers there is no provider")
    return document
