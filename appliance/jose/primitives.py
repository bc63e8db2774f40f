"""jwcrypto's primitives, made once, with the types its own stubs leave out.

Its token classes copy a registry for each token and accept more than one text for one token; its
primitives keep the key checks (use, curve, MAC key length) and cost next to nothing.
"""

from collections.abc import Mapping
from typing import Protocol, cast

from jwcrypto.jwa import JWA
from jwcrypto.jwk import JWK

from appliance.jose.algorithms import CONTENT_ENCRYPTIONS, KEY_MANAGEMENT_ALGORITHMS, SIGNATURE_ALGORITHMS


class SignaturePrimitive(Protocol):
    """Signs and verifies octets."""

    def sign(self, key: JWK, payload: bytes) -> bytes:
        """The signature."""

    def verify(self, key: JWK, payload: bytes, signature: bytes) -> None:
        """Nothing, or any exception when the signature is not one."""


class KeyManagementPrimitive(Protocol):
    """Finds the content encryption key of a JWE."""

    def unwrap(self, key: JWK, bitsize: int, ek: bytes, headers: Mapping[str, object]) -> bytes:
        """The content encryption key, or any exception."""


class ContentPrimitive(Protocol):
    """Opens the content of a JWE."""

    def decrypt(self, k: bytes, aad: bytes, iv: bytes, e: bytes, t: bytes) -> bytes:
        """The plaintext, or any exception."""


SIGNATURES: dict[str, SignaturePrimitive] = {
    name: cast(SignaturePrimitive, JWA.signing_alg(name)) for name in SIGNATURE_ALGORITHMS
}
KEY_MANAGEMENT: dict[str, KeyManagementPrimitive] = {
    name: cast(KeyManagementPrimitive, JWA.keymgmt_alg(name)) for name in KEY_MANAGEMENT_ALGORITHMS
}
CONTENT: dict[str, ContentPrimitive] = {
    name: cast(ContentPrimitive, JWA.encryption_alg(name)) for name in CONTENT_ENCRYPTIONS
}
