"""Stores: where the provider's state lives.

Every store here passes the one suite in `tests/parts/stores/`; what the suite does not demand, nobody may
rely on.
"""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.parts.stores.memory import Memory
from appliance.parts.stores.sqlite import Sqlite
from appliance.seams import Store, catalogue

STORES: Final[Mapping[str, Callable[..., Store]]] = catalogue(Memory, Sqlite)
