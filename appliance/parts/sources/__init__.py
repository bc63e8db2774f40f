"""Sources: where users and their attributes live, and who can say whether a password is right."""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.parts.sources.static import Static
from appliance.parts.sources.store import Accounts
from appliance.seams import Source, catalogue

SOURCES: Final[Mapping[str, Callable[..., Source]]] = catalogue(Static, Accounts)
