"""The fences: which room may touch which outside package."""

import sys
from collections.abc import Iterable

from tests.house.source import Module, product

FENCES: dict[str, tuple[str, ...]] = {
    "aiohttp": ("server", "outbound", "demo"),
    "babel": ("pages",),
    "cryptography": ("jose",),
    "jinja2": ("pages",),
    "jsonschema": ("config",),
    "jwcrypto": ("jose",),
    "msgspec": ("parts.stores", "config", "server"),
    "prometheus_client": ("server",),
    "watchfiles": ("server",),
    "yaml": ("config",),
}


def fence_complaints(modules: Iterable[Module]) -> list[str]:
    """Imports of a fenced package from outside its fence, and anything but the standard library below."""
    complaints = []
    for module in modules:
        for found in module.imports:
            allowed = FENCES.get(found.package)
            if allowed is not None and not any(within(module, room) for room in allowed):
                complaints.append(
                    module.complaint(found.line, f"only {', '.join(allowed)} may import {found.package}")
                )
            elif within(module, "protocol") and found.package not in {"appliance", *sys.stdlib_module_names}:
                complaints.append(module.complaint(found.line, f"protocol may not import {found.package}"))
    return complaints


def within(module: Module, room: str) -> bool:
    """Whether a module lives in a room."""
    return f"{module.name}.".startswith(f"appliance.{room}.")


def test_outside_packages_stay_in_their_rooms() -> None:
    assert fence_complaints(product()) == []
