"""Subjects of users who are written down: each has one, and it is nobody else's."""

from collections.abc import Iterator, Mapping

from appliance.config.declared.access import Part
from appliance.config.declared.claims import Path
from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, label, problem
from appliance.config.problems import Problem
from appliance.config.rules.rule import Rule, Scene


def users_have_a_subject(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Core 2, 8: `sub` is there, and never given to another user. Told only of plain paths into static sources."""
    claims = scene.linked.claims.get(profile.value.claims)
    subject = profile.value.subject or (claims.value.subject if claims else None)
    if claims is None or not isinstance(subject, Path) or not all(isinstance(s, str) for s in subject.steps):
        return
    source = scene.linked.sources.get(claims.value.sources.get(subject.source, ""))
    if source is None or source.value.kind != "static":
        return
    steps = [str(step) for step in subject.steps]
    seen: dict[str, str] = {}
    for user, found in _subjects(source, steps):
        if found is None:
            message = f"user `{user}` has no `{'.'.join(steps)}`, from which his `sub` is made"
            remedy = f"add `{steps[-1]}` to the user's `attributes`"
            if len(steps) > 1:
                remedy = f"add `{'.'.join(steps)}` (maps within maps) to the user's `attributes`"
            yield problem("OP515", source, ("users", user), message, help=remedy, key=True)
        elif seen.setdefault(found, user) != user:
            message = f"user `{seen[found]}` has the same subject value: to clients the two are one user"
            at = ("users", user, "attributes", *steps)
            first = source.where(("users", seen[found], "attributes", *steps))
            remedy = "give each user a value of his own"
            yield problem("OP516", source, at, message, help=remedy, secondary=(label(first, "first here"),))


def _subjects(source: Object[Part], steps: list[str]) -> Iterator[tuple[str, str | None]]:
    users = source.written.get("users")
    for user, settings in users.items() if isinstance(users, Mapping) else ():
        value: object = settings.get("attributes", {}) if isinstance(settings, Mapping) else {}
        for step in steps:
            value = value.get(step) if isinstance(value, Mapping) else None
        yield user, None if value is None or isinstance(value, Mapping | list) else str(value)


RULES: tuple[Rule[Profile], ...] = (users_have_a_subject,)
