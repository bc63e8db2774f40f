"""Secrets of clients that registered themselves: who has one, and what is kept of it.

The store has the SHA-256 of a secret. Only where a MAC is computed with the secret itself (`client_secret_jwt`,
HS256 and its like) is the secret kept, for no digest verifies one.
"""

from hashlib import sha256
from typing import Final

from appliance.protocol.client import Client, ClientSecret
from appliance.protocol.records import RegisteredClient
from appliance.protocol.secret import Secret

METHODS: Final = frozenset({"client_secret_basic", "client_secret_post", "client_secret_jwt"})


def needs_value(client: Client) -> bool:
    """Whether a MAC is computed with the client's secret, for which a digest of it will not do."""
    algorithms = (
        client.id_token_signed_response_alg,
        client.userinfo_signed_response_alg,
        client.authorization_signed_response_alg,
        client.request_object_signing_alg,
    )
    return client.token_endpoint_auth_method == "client_secret_jwt" or any(
        alg is not None and alg.startswith("HS") for alg in algorithms
    )


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
