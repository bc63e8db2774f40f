"""Secrets of clients that registered themselves: who has one, and what is kept of it.

The store has the SHA-256 of a secret. Only where a MAC is computed with the secret itself (`client_secret_jwt`,
HS256 and its like) or an encryption key derived from it (`dir`, A128KW and its like) is the secret kept, for no
digest will do.
"""

from dataclasses import fields
from hashlib import sha256
from typing import Final

from appliance.jose.algorithms import SHARED_KEY_MANAGEMENT_ALGORITHMS
from appliance.protocol.client import Client, ClientSecret
from appliance.protocol.records import RegisteredClient
from appliance.protocol.secret import Secret

#: Members that name a key management algorithm; all that there are, now and later.
_ENCRYPTIONS: Final = tuple(
    field.name
    for field in fields(Client)
    if field.name.endswith("_encrypted_response_alg") or field.name == "request_object_encryption_alg"
)
METHODS: Final = frozenset({"client_secret_basic", "client_secret_post", "client_secret_jwt"})


def needs_value(client: Client) -> bool:
    """Whether the client's secret itself is computed with, for which a digest of it will not do."""
    algorithms = (
        client.id_token_signed_response_alg,
        client.userinfo_signed_response_alg,
        client.authorization_signed_response_alg,
        client.request_object_signing_alg,
    )
    if client.token_endpoint_auth_method == "client_secret_jwt" or any(
        alg is not None and alg.startswith("HS") for alg in algorithms
    ):
        return True
    return any(getattr(client, name) in SHARED_KEY_MANAGEMENT_ALGORITHMS for name in _ENCRYPTIONS)


def uses_secret(client: Client) -> bool:
    """Whether the client has a secret at all."""
    return client.token_endpoint_auth_method in METHODS or needs_value(client)


def kept(secret: str | None, client: Client) -> str:
    """What the store keeps of a secret: its SHA-256 in hexadecimal, or the secret where that will not do."""
    if secret is None:
        return ""
    return secret if needs_value(client) else sha256(secret.encode()).hexdigest()


def secret_of(record: RegisteredClient) -> ClientSecret | None:
    """The secret of a stored client as clients in the files have theirs."""
    if not record.secret:
        return None
    value = bytes.fromhex(record.secret) if record.secret_hashed else record.secret.encode()
    return ClientSecret("1", Secret(value, "registered", "sha256" if record.secret_hashed else ""), None)
