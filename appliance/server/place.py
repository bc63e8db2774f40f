"""Where a provider lives, and the word for not having begun."""

from dataclasses import dataclass
from pathlib import Path


class NotStarted(Exception):
    """The provider does not start; the text says why, for a terminal."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the configuration and the state of this process are."""

    directory: Path
    environment: str | None
    state: Path

    @property
    def generations(self) -> Path:
        """Where configurations that were live are kept."""
        return self.state / "generations"
