"""Levels of authentication (ACR): known policies, an order that means something, a default that exists."""

from collections.abc import Iterator

from appliance.config.declared.profile import Profile
from appliance.config.faults import suggestion
from appliance.config.linking import Object, label, problem
from appliance.config.problems import Problem
from appliance.config.rules.rule import Rule, Scene, unknown

_REMEDY = "give each level a value of its own"


def policies_exist(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Each level's policy is there."""
    linked = scene.linked
    for position, level in enumerate(profile.value.acr):
        if level.policy not in linked.policies and linked.complete("policies"):
            path = ("acr", position, "policy")
            yield unknown("OP313", profile, path, level.policy, "policy", linked.policies)


def levels_differ(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """A value stands for one level."""
    seen: dict[str, int] = {}
    for position, level in enumerate(profile.value.acr):
        if level.value in seen:
            mark = label(profile.where(("acr", seen[level.value], "value")), "first here")
            message = f"`{level.value}` is a level already"
            yield problem("OP601", profile, ("acr", position, "value"), message, help=_REMEDY, secondary=(mark,))
        seen.setdefault(level.value, position)


def default_level_exists(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """`acr_default` is one of them."""
    values = [level.value for level in profile.value.acr]
    default = profile.value.acr_default
    if default is not None and default not in values:
        message = f"`{default}` is not an ACR level of this profile"
        yield problem("OP305", profile, ("acr_default",), message, help=suggestion(default, values))


def higher_levels_ask_more(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """A level satisfies all before it, so a weaker one must not come later."""
    policies = scene.linked.policies
    for position in range(1, len(profile.value.acr)):
        lower, higher = profile.value.acr[position - 1], profile.value.acr[position]
        if lower.policy not in policies or higher.policy not in policies:
            continue
        before, after = policies[lower.policy].value.steps, policies[higher.policy].value.steps
        if len(after) < len(before):
            message = f"policy `{higher.policy}` has fewer steps than `{lower.policy}` of the level below"
            remedy = "order the levels from the weakest to the strongest"
            yield problem("OP603", profile, ("acr", position, "policy"), message, help=remedy)


RULES: tuple[Rule[Profile], ...] = (
    policies_exist,
    levels_differ,
    default_level_exists,
    higher_levels_ask_more,
)
