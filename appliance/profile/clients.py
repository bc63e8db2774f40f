"""The clients of one profile behind one look-up: those of the files, and those that registered themselves."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from appliance.protocol.client import Client
from appliance.protocol.redirect_uri import origin


class RegisteredClients(Protocol):
    """Where clients are that registered themselves (RFC 7591)."""

    async def find(self, client_id: str) -> Client | None:
        """The registered client with that id. StoreUnavailable."""

    def known(self, client_id: str) -> Client | None:
        """The registered client that `find` gave lately."""

    def has_origin(self, asked: str) -> bool:
        """Whether scripts of this origin are a registered public client's."""

    async def touch(self, client: Client) -> None:
        """Note that a client is in use, so that it does not end as one that nobody needs."""


class Clients:
    """Clients by client_id. A disabled client is not found: nobody can tell it from an unknown one.

    The files always win: a declared client hides a registered one of the same id, disabled or not, and takes
    nothing from it, so that it is there again when the declaration goes.
    """

    def __init__(self, clients: Iterable[Client], registered: RegisteredClients | None = None) -> None:
        everyone = tuple(clients)
        self._declared = frozenset(client.client_id for client in everyone)
        self._active = {client.client_id: client for client in everyone if client.op.status == "active"}
        self._registered = registered

    async def find(self, client_id: str) -> Client | None:
        """The active client with that id. StoreUnavailable, where it would be a registered one."""
        found = self._active.get(client_id)
        if found is not None or self._registered is None or client_id in self._declared:
            return found
        return await self._registered.find(client_id)

    def known(self, client_id: str) -> Client | None:
        """The active client with that id, if it is declared or was found lately."""
        found = self._active.get(client_id)
        if found is not None or self._registered is None or client_id in self._declared:
            return found
        return self._registered.known(client_id)

    async def touch(self, client: Client) -> None:
        """Note that a client proved itself. StoreUnavailable."""
        if self._registered is not None and client.client_id not in self._declared:
            await self._registered.touch(client)

    def has_registered_origin(self, asked: str) -> bool:
        """Whether scripts of this origin are those of a client that registered itself."""
        return self._registered is not None and self._registered.has_origin(asked)

    def is_declared(self, client_id: str) -> bool:
        """Whether the files have a client of that id, active or not."""
        return client_id in self._declared

    def __iter__(self) -> Iterator[Client]:
        """The declared clients."""
        return iter(self._active.values())

    def __len__(self) -> int:
        return len(self._active)


class Origins:
    """Origins whose scripts may call the token and UserInfo endpoints: declared, or those of public web clients."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._declared = frozenset(each for client in clients for each in origins_of(client))

    def __contains__(self, asked: object) -> bool:
        return asked in self._declared or (isinstance(asked, str) and self._clients.has_registered_origin(asked))


def origins_of(client: Client) -> Iterator[str]:
    """The origins of one client's scripts."""
    yield from client.op.cors_origins
    if client.is_public:
        yield from filter(None, map(origin, client.redirect_uris))
