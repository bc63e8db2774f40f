"""The clients of one profile behind one look-up: those of the files, and those that registered themselves."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from appliance.protocol.client import Client
from appliance.protocol.redirect_uri import origin


class RegisteredClients(Protocol):
    """Where clients are that no file has: that registered themselves, or that their own document describes."""

    def names(self, client_id: str) -> bool:
        """Whether an id is of the form that clients of this place have."""

    async def find(self, client_id: str) -> Client | None:
        """The registered client with that id. StoreUnavailable."""

    def known(self, client_id: str) -> Client | None:
        """The registered client that `find` gave lately."""

    def has_origin(self, asked: str) -> bool:
        """Whether scripts of this origin are a registered public client's."""

    async def touch(self, client: Client) -> None:
        """Note that a client is in use, so that it does not end as one that nobody needs."""

    def why(self, client_id: str) -> str:
        """Why there is no client of that id, in fixed words; empty where that is nobody's business."""


class Clients:
    """Clients by client_id. A disabled client is not found: nobody can tell it from an unknown one.

    The files always win: a declared client hides a registered one of the same id, disabled or not, and takes
    nothing from it, so that it is there again when the declaration goes.
    """

    def __init__(self, clients: Iterable[Client], *registered: RegisteredClients) -> None:
        everyone = tuple(clients)
        self._declared = frozenset(client.client_id for client in everyone)
        self._active = {client.client_id: client for client in everyone if client.op.status == "active"}
        self._registered = registered

    async def find(self, client_id: str) -> Client | None:
        """The active client with that id. StoreUnavailable, where it would be a registered one."""
        found = self._active.get(client_id)
        if found is not None:
            return found
        place = self._place(client_id)
        return None if place is None else await place.find(client_id)

    def known(self, client_id: str) -> Client | None:
        """The active client with that id, if it is declared or was found lately."""
        found = self._active.get(client_id)
        if found is not None:
            return found
        place = self._place(client_id)
        return None if place is None else place.known(client_id)

    async def touch(self, client: Client) -> None:
        """Note that a client proved itself. StoreUnavailable."""
        if self._registered and (place := self._place(client.client_id)) is not None:
            await place.touch(client)

    def has_registered_origin(self, asked: str) -> bool:
        """Whether scripts of this origin are those of a client that registered itself."""
        return any(place.has_origin(asked) for place in self._registered)

    def _place(self, client_id: str) -> RegisteredClients | None:
        """Where a client that is not declared would be."""
        if client_id in self._declared:
            return None
        return next((place for place in self._registered if place.names(client_id)), None)

    def why(self, client_id: str) -> str:
        """Why an id stands for no client, where that can be told: of ids that are addresses of documents."""
        place = self._place(client_id)
        return "" if place is None else place.why(client_id)

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
