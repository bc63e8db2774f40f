"""What each policy of a profile proves: the `acr` values that a user who passes it has reached.

A level satisfies those below it, and whoever passes every step of a level has it, by whichever policy he came. An
operator reads here whether some way around a second factor reaches more than he thought.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.config.declared.access import Policy
from appliance.config.declared.profile import Profile
from appliance.config.declared.whole import Declared


@dataclass(frozen=True, slots=True)
class Reach:
    """One policy of one profile: its steps in order, and the `acr` values it reaches, strongest first."""

    profile: str
    policy: str
    steps: tuple[str, ...]
    acr: tuple[str, ...]


def reaches(declared: Declared) -> tuple[Reach, ...]:
    """Every policy that logins of every profile can be led through, in the order of the files."""
    return tuple(
        Reach(
            name, policy, _steps(declared.policies[policy]), _acr(profile, declared.policies[policy], declared.policies)
        )
        for name, profile in declared.profiles.items()
        for policy in _policies(profile, declared.policies)
    )


def _policies(profile: Profile, policies: Mapping[str, Policy]) -> tuple[str, ...]:
    named = [level.policy for level in profile.acr] or list(policies)[:1]
    named += [scope.selects_policy for scope in profile.scopes.values() if scope.selects_policy is not None]
    return tuple(dict.fromkeys(named))


def _steps(policy: Policy) -> tuple[str, ...]:
    return tuple(step.authenticate for step in policy.steps)


def _acr(profile: Profile, policy: Policy, policies: Mapping[str, Policy]) -> tuple[str, ...]:
    passed = set(_steps(policy))
    proved = [number for number, level in enumerate(profile.acr) if set(_steps(policies[level.policy])) <= passed]
    return tuple(level.value for level in reversed(profile.acr[: max(proved, default=-1) + 1]))
