"""Clients with keys and secrets of their own, for responses that are signed or encrypted to them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.jose.encryption import decrypt
from appliance.jose.keys import DecryptionKey, generate, generate_decryption, public_jwk, symmetric
from appliance.jose.tokens import verify
from appliance.protocol.client import Client, ClientSecret
from appliance.protocol.secret import Secret
from tests.support.minting import CLIENT, Mint

LONG_SECRET = b"an old secret of sixty-four bytes, enough for all of the hashes."
RSA = generate_decryption("RSA-OAEP-256", kid="rsa")
EC = generate_decryption("ECDH-ES", kid="ec")
SIGNATURE_KEY = generate("ES256", kid="sig")
ENCS = frozenset({"A128CBC-HS256", "A256GCM"})


def jwks(*keys: Mapping[str, object]) -> Mapping[str, object]:
    """A key set."""
    return {"keys": list(keys)}


def owner(client_id: str = "owner", **changes: Any) -> Client:
    """A confidential client with a long secret that signs, and its usual one that authenticates."""
    secrets = (ClientSecret("2", Secret(LONG_SECRET, "test"), None), *CLIENT.client_secrets)
    return replace(CLIENT, client_id=client_id, client_secrets=secrets, **changes)


def shared_claims(token: str, alg: str, typ: str | None = "JWT") -> dict[str, Any]:
    """The claims of a token that the client's secret verifies."""
    key = symmetric(LONG_SECRET, alg).verification()
    return verify(token, [key], algs=(alg,), typ=frozenset({typ})).claims


def own_claims(op: Mint, token: str, typ: str | None = "JWT") -> dict[str, Any]:
    """The claims of a token that the provider's published keys verify."""
    keys = op.profile.keys
    return verify(token, keys.verification(), algs=keys.algorithms, typ=frozenset({typ})).claims


def opened(token: str, key: DecryptionKey, alg: str) -> str:
    """What is inside an encrypted token."""
    return decrypt(token, [replace(key, alg=alg)], algs=(alg,), encs=ENCS).decode()


def published(key: DecryptionKey, **changes: object) -> dict[str, object]:
    """The public JWK of a key; None takes a member away."""
    members = {**public_jwk(key), **changes}
    del members["alg"]
    return {name: value for name, value in members.items() if value is not None}
