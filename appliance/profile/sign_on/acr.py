"""Authentication context classes: an ordered list of levels, each proved by a policy (Core 2, 5.5.1.1)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from appliance.config.declared.access import Policy
from appliance.config.declared.profile import AcrLevel
from appliance.protocol.records import Proof

#: Whether a proof still counts under a policy.
Counts = Callable[[Proof, Policy], bool]


@dataclass(frozen=True, slots=True)
class Level:
    """One level. `position` grows with strength; `value` is empty where the profile declares no levels."""

    value: str
    position: int
    policy: Policy

    def proofs(self, proofs: Iterable[Proof], counts: Counts) -> tuple[Proof, ...] | None:
        """A proof for each step of the policy, or None as soon as one is missing or does not count."""
        by_name = {proof.authenticator: proof for proof in proofs if counts(proof, self.policy)}
        found = tuple(by_name[step.authenticate] for step in self.policy.steps if step.authenticate in by_name)
        return found if len(found) == len(self.policy.steps) else None

    def missing(self, proofs: Iterable[Proof], counts: Counts) -> str:
        """The first authenticator of the policy that is still to be passed, "" when there is none."""
        have = {proof.authenticator for proof in proofs if counts(proof, self.policy)}
        return next((step.authenticate for step in self.policy.steps if step.authenticate not in have), "")


class Levels:
    """The levels of a profile, weakest first: a session at one level satisfies every level below it."""

    def __init__(self, *, levels: Sequence[AcrLevel], policies: Mapping[str, Policy], default: str | None) -> None:
        """A profile without levels logs in by its first policy and asserts no acr; ValueError without one."""
        if not levels and not policies:
            raise ValueError("there is no policy to log in by")
        self._levels = tuple(
            Level(level.value, position, policies[level.policy]) for position, level in enumerate(levels)
        ) or (Level("", 0, next(iter(policies.values()))),)
        self._by_value = {level.value: level for level in self._levels if level.value}
        self._policies = policies
        self.default = self._levels[0] if default is None else self._by_value[default]

    @property
    def lowest(self) -> Level:
        """The weakest level."""
        return self._levels[0]

    @property
    def values(self) -> tuple[str, ...]:
        """acr_values_supported."""
        return tuple(self._by_value)

    def policy(self, name: str) -> Policy:
        """A declared policy, whether a level asks for it or not; KeyError without one."""
        return self._policies[name]

    def find(self, value: str) -> Level | None:
        """The level with that acr value."""
        return self._by_value.get(value)

    def satisfies(self, value: str | None, least: str) -> bool:
        """Whether a login of that acr value is one of the level `least`, or of one above it."""
        reached, asked = self.find(value or ""), self.find(least)
        return reached is not None and asked is not None and reached.position >= asked.position

    def first_known(self, values: Iterable[str]) -> Level | None:
        """The level of the first value that is one of ours."""
        return next((level for value in values if (level := self.find(value)) is not None), None)

    def strongest_first(self, least: Level) -> tuple[Level, ...]:
        """The levels that satisfy `least`, strongest first."""
        return tuple(reversed(self._levels[least.position :]))
