"""A generation: what its profiles share, the profiles, and their routes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.assembly.materials import Materials
from appliance.assembly.profiles import assemble_profile
from appliance.assembly.routes import routes_of
from appliance.config.declared.access import Part
from appliance.config.declared.root import Storage
from appliance.config.declared.whole import Declared
from appliance.outbound.client import OutboundClient, Policy
from appliance.pages.rendering import Renderer
from appliance.pages.theme import compile_themes
from appliance.parts.sources import SOURCES
from appliance.parts.sources.store import Accounts
from appliance.parts.stores.memory import Memory
from appliance.parts.stores.sqlite import Sqlite
from appliance.passwords import Passwords
from appliance.profile.client_keys import KeySets, read_key_set
from appliance.profile.profile import Profile
from appliance.protocol.client import Client
from appliance.seams import Source, Store, Tools
from appliance.snapshot import Report, Route, Shared, Snapshot

#: Clients after which other tasks get their turn.
SLICE = 1000


@dataclass(frozen=True, slots=True)
class Begun:
    """A generation but for its pages: of the themes of what is declared, nothing was looked at."""

    declared: Declared
    shared: Shared
    key_sets: KeySets
    profiles: Mapping[str, Profile]
    report: Report

    async def drop(self) -> None:
        """Let go of what no generation uses."""
        if self.shared.users == 0:
            await self.shared.close()


async def assemble(
    declared: Declared, *, tools: Tools, state: Path, previous: Snapshot | None, report: Report
) -> Snapshot:
    """The generation that a checked configuration describes. StoreUnavailable; jose.KeyProblem.

    `state` is the directory that relative storage paths are below.
    """
    begun = await begin(declared, tools=tools, state=state, previous=previous, report=report)
    return await finish(begun, previous=previous)


async def begin(declared: Declared, *, tools: Tools, state: Path, previous: Snapshot | None, report: Report) -> Begun:
    """All of a generation that needs none of its themes. StoreUnavailable; jose.KeyProblem."""
    shared = _shared(declared, tools, state, previous)
    try:
        key_sets = _key_sets(declared, tools, previous)
        materials = Materials(
            whole=declared,
            clients=await _by_profile(declared.clients),
            sources={name: _source(name, part, shared, tools) for name, part in declared.sources.items()},
            key_sets=key_sets,
            store=shared.store,
            tools=tools,
            report=report,
            previous={} if previous is None else previous.profiles,
        )
        profiles = {name: await assemble_profile(each, materials) for name, each in declared.profiles.items()}
    except BaseException:
        if shared.users == 0:
            await shared.close()
        raise
    return Begun(declared, shared, key_sets, profiles, report)


async def finish(begun: Begun, *, previous: Snapshot | None) -> Snapshot:
    """The generation whole, with themes that were found good."""
    try:
        renderer = await _renderer(begun.declared, previous)
        routes: list[Route] = []
        for profile in begun.profiles.values():
            routes += routes_of(profile, renderer)
            await asyncio.sleep(0)
    except BaseException:
        await begun.drop()
        raise
    return Snapshot(
        declared=begun.declared,
        profiles=begun.profiles,
        routes=routes,
        renderer=renderer,
        key_sets=begun.key_sets,
        shared=begun.shared,
        report=begun.report,
    )


async def _by_profile(clients: Mapping[str, Client]) -> Mapping[str, list[Client]]:
    found: dict[str, list[Client]] = {}
    for number, client in enumerate(clients.values()):
        found.setdefault(client.op.profile, []).append(client)
        if number % SLICE == SLICE - 1:
            await asyncio.sleep(0)
    return found


def _shared(declared: Declared, tools: Tools, state: Path, previous: Snapshot | None) -> Shared:
    root = declared.root
    if previous is not None:
        before = previous.declared.root
        if (before.storage, before.password_hashing) == (root.storage, root.password_hashing):
            return previous.shared
    return Shared(_store(root.storage, tools, state), Passwords(root.password_hashing))


def _store(storage: Storage, tools: Tools, state: Path) -> Store:
    if storage.kind == Sqlite.name:
        return Sqlite(state / storage.path, storage.synchronous, tools)
    return Memory(tools)


def _key_sets(declared: Declared, tools: Tools, previous: Snapshot | None) -> KeySets:
    """The key sets of clients; what was fetched is carried over, so that no reload asks all clients at once."""
    outbound = declared.root.outbound
    policy = Policy(
        allow_loopback=outbound.allow_loopback,
        ports=frozenset(outbound.ports),
        authorities=Path(outbound.ca_file).read_text(encoding="ascii") if outbound.ca_file else "",
    )
    unchanged = previous is not None and previous.declared.root.outbound == outbound
    if previous is not None and unchanged and previous.key_sets.client.policy == policy:
        return previous.key_sets
    client = OutboundClient(policy, timeout=outbound.timeout)
    return KeySets(client, read=read_key_set, clock=tools.clock)


def _source(name: str, part: Part, shared: Shared, tools: Tools) -> Source:
    own = {Accounts.name: {"store": shared.store, "tools": tools}}
    return SOURCES[part.kind](name=name, options=part.options, passwords=shared.passwords, **own.get(part.kind, {}))


async def _renderer(declared: Declared, previous: Snapshot | None) -> Renderer:
    if previous is not None and previous.declared.themes == declared.themes:
        return Renderer(previous.renderer.themes, declared.profiles)
    # Compiling templates is the one heavy thing left in the serving process, and only when a theme changed.
    themes, _ = await asyncio.to_thread(compile_themes, declared.themes, checked=True)
    return Renderer(themes, declared.profiles)
