"""The clients of one profile behind one look-up."""

from collections.abc import Iterable, Iterator

from appliance.protocol.client import Client


class Clients:
    """Declared clients by client_id. A disabled client is not found: nobody can tell it from an unknown one."""

    def __init__(self, clients: Iterable[Client]) -> None:
        self._active = {client.client_id: client for client in clients if client.op.status == "active"}

    def find(self, client_id: str) -> Client | None:
        """The active client with that id."""
        return self._active.get(client_id)

    def __iter__(self) -> Iterator[Client]:
        return iter(self._active.values())

    def __len__(self) -> int:
        return len(self._active)
