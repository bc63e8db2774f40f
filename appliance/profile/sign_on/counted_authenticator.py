"""An authenticator whose failures are counted for whoever alerts on them (ASVS 6.3.1).

Wherever it is asked, at its page or by a grant, a guess that was wrong is told by profile and authenticator: names
of users are nothing for a metric, and one try on each of a thousand accounts shows in the sum alone.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from appliance.seams import Ask, Authenticator, Proved, StepRequest

#: Errors of pages that are failed logins, and why; a field that was left empty or a source that is down is none.
REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {"wrong_credentials": "wrong", "wrong_code": "wrong", "throttled": "throttled"}
)


class FailedLogins(Protocol):
    """Where failed logins are counted."""

    def failed_login(self, profile: str, authenticator: str, reason: str) -> None:
        """One more; all three are from the files or from `REASONS`."""


class CountedAuthenticator:
    """The same authenticator, counted."""

    def __init__(self, authenticator: Authenticator, profile: str, counted: FailedLogins) -> None:
        self.name = authenticator.name
        self.step = authenticator.step
        self._authenticator = authenticator
        self._profile = profile
        self._counted = counted

    async def begin(self, asked: StepRequest) -> Ask | Proved:
        """Nobody fails before he answered."""
        return await self._authenticator.begin(asked)

    async def finish(self, asked: StepRequest) -> Ask | Proved:
        """Judge the answer, and count it when it is a failure."""
        answer = await self._authenticator.finish(asked)
        if isinstance(answer, Ask):
            reason = REASONS.get(str(getattr(answer.page, "error", "")))
            if reason is not None:
                self._counted.failed_login(self._profile, self.name, reason)
        return answer
