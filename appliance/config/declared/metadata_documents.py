"""`client_id_metadata_documents` of a profile: clients whose id is the address of what they say of themselves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientIdMetadataDocuments:
    """Which addresses are taken for clients, and what such clients may have. Times in seconds."""

    enabled: bool
    #: Hosts, or `*.` and a host for all below it; empty: any host.
    hosts: tuple[str, ...]
    #: Whether an address may have a query.
    allow_query: bool
    #: What such clients may ask for; None: as registered clients.
    scopes: tuple[str, ...] | None
    #: Bounds of what a document's server says of its freshness.
    fresh_at_least: int
    fresh_at_most: int
    #: Documents asked for the first time within a minute, of one host.
    new_per_minute: int
