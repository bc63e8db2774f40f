"""The cross-reference rules: what the schemas cannot say because it takes more than one value to see.

One module for each kind of object, each with the table of its rules; a rule is a generator of problems.
Called once for each load, by `config.load`; rules see the bound configuration and never a file.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from appliance.config.linking import Linked, Object, problem
from appliance.config.problems import CODES, Path, Problem
from appliance.config.rules import (
    access_rules,
    claims_rules,
    client_rules,
    grant_rules,
    process_rules,
    profile_rules,
    registration_rules,
    security_profile_rules,
    sender_constraint_rules,
    sign_up_rules,
    theme_rules,
    waiting_rules,
)
from appliance.config.rules.rule import Rule, Scene
from appliance.protocol.client import Client

__all__ = ["Verdicts", "check", "check_client"]

HOUR: Final = 3600

T = TypeVar("T")

_PROFILE_RULES = (
    *profile_rules.RULES,
    *claims_rules.PROFILE_RULES,
    *registration_rules.PROFILE_RULES,
    *sender_constraint_rules.PROFILE_RULES,
    *grant_rules.PROFILE_RULES,
    *sign_up_rules.RULES,
    *security_profile_rules.PROFILE_RULES,
    *waiting_rules.PROFILE_RULES,
)


@dataclass(slots=True)
class Verdicts:
    """What was found of each client the last time, for as long as all that it was judged by stays the same."""

    #: Everything but the clients, and the hour: what any client may be judged by.
    surroundings: tuple[object, ...] = ()
    #: Client id to the object judged, who holds its secrets, and what was found.
    clients: dict[str, tuple[Object[Client], tuple[str | None, ...], tuple[Problem, ...]]] = field(default_factory=dict)


def check(linked: Linked, *, now: float | None = None, verdicts: Verdicts | None = None) -> tuple[Problem, ...]:
    """Every problem of the whole configuration; `now` (epoch seconds) tells what has ended.

    With the `verdicts` of an earlier check, clients that did not change are not judged again.
    """
    scene = Scene(linked, time.time() if now is None else now, _secret_holders(linked))
    return tuple(_problems(linked, scene, Verdicts() if verdicts is None else verdicts))


def check_client(linked: Linked, client: Object[Client], *, now: float) -> tuple[Problem, ...]:
    """Every problem of one client beside a configuration, as of one that registers itself."""
    return tuple(_run(client_rules.RULES, (client,), Scene(linked, now, _secret_holders(linked))))


def _secret_holders(linked: Linked) -> Mapping[bytes, str]:
    # One pass for all: comparing each client with each other takes minutes where there are thousands.
    return {
        each.secret.digest: client.id
        for client in sorted(linked.clients.values(), key=lambda client: client.id, reverse=True)
        for each in client.value.client_secrets
        if each.secret.value
    }


def _surroundings(linked: Linked, scene: Scene) -> tuple[object, ...]:
    families = (
        linked.profiles,
        linked.client_templates,
        linked.claims,
        linked.sources,
        linked.authenticators,
        linked.policies,
        linked.themes,
    )
    values = (each.value for family in families for each in family.values())
    return (int(scene.now // HOUR), linked.broken, linked.root.value, *values)


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    # By identity: what was not read anew is the same object, and comparing themes byte by byte is not free.
    if len(one) != len(other):
        return False
    return all(a is b or (isinstance(a, int | frozenset) and a == b) for a, b in zip(one, other, strict=True))


def _of_clients(linked: Linked, scene: Scene, verdicts: Verdicts) -> Iterator[Problem]:
    surroundings = _surroundings(linked, scene)
    known = verdicts.clients if _same(surroundings, verdicts.surroundings) else {}
    judged: dict[str, tuple[Object[Client], tuple[str | None, ...], tuple[Problem, ...]]] = {}
    for client in linked.clients.values():
        holders = tuple(scene.secret_holders.get(each.secret.digest) for each in client.value.client_secrets)
        verdict = known.get(client.id)
        if verdict is None or verdict[0] is not client or verdict[1] != holders:
            found = list(_run(client_rules.RULES, (client,), scene))
            verdict = (client, holders, tuple(_heard(client, ("op", "ignore"), client.value.op.ignore, found)))
        judged[client.id] = verdict
        yield from verdict[2]
    verdicts.surroundings, verdicts.clients = surroundings, judged


def _problems(linked: Linked, scene: Scene, verdicts: Verdicts) -> Iterator[Problem]:
    yield from _run((*process_rules.RULES, *sender_constraint_rules.ROOT_RULES), (linked.root,), scene)
    for profile in linked.profiles.values():
        found = list(_run(_PROFILE_RULES, (profile,), scene))
        yield from _heard(profile, ("ignore",), profile.value.ignore, found)
    yield from _of_clients(linked, scene, verdicts)
    for template in linked.client_templates.values():
        found = list(_run(registration_rules.TEMPLATE_RULES, (template,), scene))
        yield from _heard(template, ("op", "ignore"), template.value.op.ignore, found)
    yield from _run(claims_rules.CLAIMS_RULES, linked.claims.values(), scene)
    yield from _run((*access_rules.SOURCE_RULES, *sign_up_rules.SOURCE_RULES), linked.sources.values(), scene)
    yield from _run(access_rules.AUTHENTICATOR_RULES, linked.authenticators.values(), scene)
    yield from _run(access_rules.POLICY_RULES, linked.policies.values(), scene)
    yield from _run(theme_rules.RULES, linked.themes.values(), scene)


def _run(rules: Sequence[Rule[T]], objects: Iterable[Object[T]], scene: Scene) -> Iterator[Problem]:
    for each in objects:
        for rule in rules:
            yield from rule(each, scene)


def _heard(
    at: Object[object], path: tuple[str, ...], ignored: Sequence[Mapping[str, str]], found: Sequence[Problem]
) -> Iterator[Problem]:
    """The problems without the warnings accepted here, and a word on acceptances that do nothing."""
    accepted = {each["code"] for each in ignored}
    yield from (each for each in found if each.severity == "error" or each.code not in accepted)
    codes = {each.code for each in found}
    for position, each in enumerate(ignored):
        here: Path = (*path, position, "code")
        code = each["code"]
        if code not in CODES:
            yield problem("OP901", at, here, f"there is no diagnostic `{code}`", help="see `appliance explain`")
        elif CODES[code].severity == "error":
            yield problem("OP901", at, here, f"`{code}` is an error and cannot be accepted", help="mend its cause")
        elif code not in codes:
            yield problem("OP902", at, here, f"`{code}` is not reported here any more", help="remove the entry")
