"""The floors: a room looks down only. Parts do not know parts, and nothing goes round in a circle."""

import graphlib
from collections.abc import Iterable, Iterator

from tests.house.source import Module, product

# Rooms of one line share a floor and do not see each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("protocol",),
    ("resources",),
    ("seams",),
    ("jose", "config", "outbound"),
    # Tools that parts are given.
    ("artefacts", "client_assertions", "passwords", "polling", "throttle", "trusted_issuers"),
    ("parts",),
    ("options",),
    ("profile",),
    ("endpoints",),
    ("pages",),
    ("snapshot",),
    ("assembly",),
    ("server",),
    ("demo",),
    ("cli",),  # one of its verbs starts the demonstration
    ("__main__",),
)
HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}


def imported_modules(module: Module, names: frozenset[str]) -> Iterator[tuple[str, int]]:
    """The modules of the product that a module imports; `from package import module` is the module."""
    for found in module.imports:
        if found.package != "appliance":
            continue
        target = f"{found.module}.{found.name}" if found.name else found.module
        yield (target if target in names else found.module), found.line


def floor_complaints(modules: Iterable[Module]) -> list[str]:
    """Imports that look up or sideways, and rooms that are on no floor."""
    modules = tuple(modules)
    names = frozenset(module.name for module in modules)
    complaints = []
    for module in modules:
        room = module.name.split(".")[1] if "." in module.name else None
        if room is not None and room not in HEIGHT:
            complaints.append(module.complaint(1, f"the room {room} is on no floor"))
            continue
        for target, line in imported_modules(module, names):
            seen = target.split(".")[1] if "." in target else None
            if seen is None or seen == room:
                continue  # the package itself holds nothing but its version
            if room is None or HEIGHT.get(seen, len(FLOORS)) >= HEIGHT[room]:
                complaints.append(module.complaint(line, f"{room or 'appliance'} may not see {target}"))
    return complaints


def part_complaints(modules: Iterable[Module]) -> list[str]:
    """Parts that import another part, of their own family or of another."""
    modules = tuple(modules)
    names = frozenset(module.name for module in modules)
    complaints = []
    for module in modules:
        path = module.name.split(".")
        if path[:2] != ["appliance", "parts"] or len(path) < 3:
            continue
        # A family's list sees its members; a member sees its own files alone.
        own = ".".join(path[: 3 if len(path) == 3 else 4])
        for target, line in imported_modules(module, names):
            if target.startswith("appliance.parts") and not f"{target}.".startswith(f"{own}."):
                complaints.append(module.complaint(line, f"the part {own} may not know {target}"))
    return complaints


def cycle_complaints(modules: Iterable[Module]) -> list[str]:
    """Circles of imports, lazy ones too."""
    modules = tuple(modules)
    names = frozenset(module.name for module in modules)
    graph = {
        module.name: {target for target, _ in imported_modules(module, names) if target != module.name}
        for module in modules
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return ["a circle of imports: " + " -> ".join(error.args[1])]
    return []


def room_cycle_complaints(modules: Iterable[Module]) -> list[str]:
    """Circles between the rooms of one room: what is within a room counts as the room."""
    modules = tuple(modules)
    names = frozenset(module.name for module in modules)
    # A package's own list of parts sees them all, so it is left out.
    graphs: dict[str, dict[str, set[str]]] = {}
    for module in modules:
        if module.is_package:
            continue
        for target, _ in imported_modules(module, names):
            here, there = module.name.split("."), target.split(".")
            shared = next((at for at, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), None)
            if shared is not None:
                graph = graphs.setdefault(".".join(here[:shared]), {})
                graph.setdefault(here[shared], set()).add(there[shared])
    complaints = []
    for place, graph in sorted(graphs.items()):
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            complaints.append(f"a circle of rooms in {place}: " + " -> ".join(error.args[1]))
    return complaints


def test_every_room_looks_down_only() -> None:
    assert floor_complaints(product()) == []


def test_parts_do_not_know_parts() -> None:
    assert part_complaints(product()) == []


def test_no_import_goes_in_a_circle() -> None:
    assert cycle_complaints(product()) == []


def test_no_rooms_of_a_room_go_in_a_circle() -> None:
    assert room_cycle_complaints(product()) == []
