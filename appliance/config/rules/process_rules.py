"""The process: its sockets, its storage, and whether everything that is declared is of use."""

from collections.abc import Iterator

from appliance.config.declared.root import Listener, Root
from appliance.config.linking import Linked, Object, problem
from appliance.config.problems import Problem
from appliance.config.rules.rule import Rule, Scene, is_loopback


def listeners_are_apart(root: Object[Root], scene: Scene) -> Iterator[Problem]:
    """Two listeners, two sockets."""
    listeners = root.value.listeners
    if listeners.public.bind == listeners.admin.bind:
        message = "the public and the admin listener have the same address"
        yield problem("OP261", root, ("listeners", "admin", "bind"), message, help="give it another port")


def admin_is_private(root: Object[Root], scene: Scene) -> Iterator[Problem]:
    """Who reaches the admin listener sees metrics and configuration, and may reload."""
    listener = root.value.listeners.admin
    if not is_loopback(_host(listener)):
        message = "the admin listener can be reached from other machines"
        remedy = "bind it to 127.0.0.1, or see to it that only your own network gets there"
        yield problem("OP262", root, ("listeners", "admin", "bind"), message, help=remedy)


def public_is_encrypted(root: Object[Root], scene: Scene) -> Iterator[Problem]:
    """Passwords travel here."""
    listener = root.value.listeners.public
    if not is_loopback(_host(listener)) and listener.tls is None and not listener.trusted_proxies:
        message = "the public listener is reached from other machines without TLS"
        remedy = "add `tls`, or name the proxy that has it in `trusted_proxies`"
        yield problem("OP263", root, ("listeners", "public", "bind"), message, help=remedy)


def storage_survives(root: Object[Root], scene: Scene) -> Iterator[Problem]:
    """A restart would log everybody out and change every generated key."""
    if root.value.storage.kind == "memory" and not is_loopback(_host(root.value.listeners.public)):
        message = "`memory` forgets sessions, consents and signing keys when the process ends"
        yield problem("OP266", root, ("storage", "kind"), message, help="use `kind: sqlite`")


def reload_settles(root: Object[Root], scene: Scene) -> Iterator[Problem]:
    """The patience has an end after its beginning."""
    reload = root.value.reload
    if reload.settle > reload.settle_at_most:
        message = "`settle` is longer than `settle_at_most`"
        yield problem("OP265", root, ("reload", "settle"), message, help="make it the shorter one")


def requests_stay_outside(root: Object[Root], scene: Scene) -> Iterator[Problem]:
    """Who can name an address that we fetch could reach what listens on this machine only."""
    if root.value.outbound.allow_loopback and not is_loopback(_host(root.value.listeners.public)):
        message = "the provider sends requests to this very machine when a client names it"
        yield problem(
            "OP267", root, ("outbound", "allow_loopback"), message, help="keep it for development and tests"
        )
    if root.value.outbound.timeout == 0:
        message = "requests would end before they begin"
        yield problem("OP254", root, ("outbound", "timeout"), message, help="write 5s")


def something_is_served(root: Object[Root], scene: Scene) -> Iterator[Problem]:
    """A provider without profile answers nobody."""
    if not scene.linked.profiles and scene.linked.complete("profiles"):
        message = "no profile is declared, so there is no issuer and nothing is served"
        yield problem("OP264", root, (), message, help="add profiles/<id>.yaml")


def nothing_is_left_over(root: Object[Root], scene: Scene) -> Iterator[Problem]:
    """What nobody refers to is either forgotten or misspelt elsewhere."""
    linked = scene.linked
    if linked.broken:
        return
    for kind, declared, used in _uses(linked):
        # A name that leads nowhere may well have meant what seems left over; it is reported already.
        for name, at in declared.items() if used <= declared.keys() else ():
            if name not in used:
                message = f"nothing refers to this {kind} `{name}`"
                yield problem("OP319", at, (), message, help="remove it, or refer to it", key=True)


def _uses(linked: Linked) -> Iterator[tuple[str, dict[str, Object[object]], set[str]]]:
    profiles = [each.value for each in linked.profiles.values()]
    named_sources = {name for each in linked.claims.values() for name in each.value.sources.values()}
    named_sources |= {str(each.written.get("source")) for each in linked.authenticators.values()}
    steps = {step.authenticate for each in linked.policies.values() for step in each.value.steps}
    policies = {level.policy for each in profiles for level in each.acr}
    policies |= {scope.selects_policy or "" for each in profiles for scope in each.scopes.values()}
    yield "policy", dict(linked.policies), policies
    yield "authenticator", dict(linked.authenticators), steps
    yield "source", dict(linked.sources), named_sources
    yield "claims set", dict(linked.claims), {each.claims for each in profiles}
    templates = {name for each in profiles for name in each.registration.templates}
    yield "client template", dict(linked.client_templates), templates


def _host(listener: Listener) -> str:
    return listener.bind.rpartition(":")[0]


RULES: tuple[Rule[Root], ...] = (
    listeners_are_apart,
    admin_is_private,
    public_is_encrypted,
    storage_survives,
    reload_settles,
    requests_stay_outside,
    something_is_served,
    nothing_is_left_over,
)
