"""What the process knows of its configuration: which one serves, and what came of the last attempt."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.server.frames import Diagnosis

LIVE = "live"
UNCHANGED = "unchanged"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt to take up the files."""

    result: str
    trigger: str
    at: float
    seconds: float
    digest: str
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    #: Whether the files were read; if not, they may be good.
    known: bool = True

    def as_json(self) -> Mapping[str, object]:
        """For /config/status and the answer to a reload that was asked for."""
        return {
            "result": self.result,
            "trigger": self.trigger,
            "at": round(self.at, 3),
            "seconds": round(self.seconds, 3),
            "digest": self.digest,
            "problems": list(self.diagnosis.problems),
        }


@dataclass(frozen=True, slots=True)
class Live:
    """The configuration that serves. `last_good` when it is a remembered one, because the files are bad."""

    generation: int
    digest: str
    commit: str
    loaded_at: float
    warnings: Diagnosis
    last_good: bool = False


@dataclass(slots=True)
class Status:
    """The two together; written by `reload`, read by `admin`."""

    directory: str
    environment: str | None
    live: Live | None = None
    last: Attempt | None = None

    @property
    def degraded(self) -> bool:
        """Whether what serves is not what the files say."""
        refused = self.last is not None and self.last.result == REFUSED
        return refused or self.live is None or self.live.last_good

    def as_json(self) -> Mapping[str, object]:
        """The document of /config/status."""
        live = self.live
        return {
            "serving": "nothing" if live is None else "last-good" if live.last_good else "current",
            "degraded": self.degraded,
            "generation": live and live.generation,
            "digest": live and live.digest,
            "commit": live and live.commit,
            "loaded_at": live and round(live.loaded_at, 3),
            "warnings": list(live.warnings.problems) if live else [],
            "directory": self.directory,
            "environment": self.environment,
            "last_attempt": self.last and self.last.as_json(),
        }
