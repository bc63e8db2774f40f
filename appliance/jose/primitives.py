"""jwcrypto's primitives, made once, with the types its own stubs leave out.

Its token classes copy a registry for each token and accept more than one text for one token; its
primitives keep the key checks (use, curve, MAC key length) and cost next to nothing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol, cast

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
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


_SIGNATURES: Final[Mapping[str, SignaturePrimitive]] = {
    name: cast(SignaturePrimitive, JWA.signing_alg(name)) for name in SIGNATURE_ALGORITHMS
}
_HASHES: Final[Mapping[str, Callable[[], HashAlgorithm]]] = {"sha256": SHA256, "sha384": SHA384, "sha512": SHA512}

KEY_MANAGEMENT: dict[str, KeyManagementPrimitive] = {
    name: cast(KeyManagementPrimitive, JWA.keymgmt_alg(name)) for name in KEY_MANAGEMENT_ALGORITHMS
}
CONTENT: dict[str, ContentPrimitive] = {
    name: cast(ContentPrimitive, JWA.encryption_alg(name)) for name in CONTENT_ENCRYPTIONS
}


def signer(alg: str, key: JWK) -> Callable[[bytes], bytes]:
    """What signs with one key and algorithm from now on; any exception when they do not go together.

    For ECDSA the primitive's checks of the key, made for each signature, cost half of the signature: they are
    made here once.
    """
    row = SIGNATURE_ALGORITHMS[alg]
    if row.kty != "EC" or row.signature_length is None:
        return partial(_SIGNATURES[alg].sign, key)
    private = key.get_op_key("sign", row.crv)
    if not isinstance(private, EllipticCurvePrivateKey):
        raise TypeError("not a private key of an elliptic curve")
    ecdsa = ECDSA(_HASHES[row.hash_name]())
    half = row.signature_length // 2

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(data, ecdsa))
        return r.to_bytes(half, "big") + s.to_bytes(half, "big")

    return sign


def verifier(alg: str, key: JWK) -> Callable[[bytes, bytes], None]:
    """What verifies a signature over data with one key and algorithm from now on: nothing, or any exception."""
    row = SIGNATURE_ALGORITHMS[alg]
    if row.kty != "EC" or row.signature_length is None:
        return partial(_SIGNATURES[alg].verify, key)
    public = key.get_op_key("verify", row.crv)
    if not isinstance(public, EllipticCurvePublicKey):
        raise TypeError("not a public key of an elliptic curve")
    ecdsa = ECDSA(_HASHES[row.hash_name]())
    half = row.signature_length // 2

    def verify(data: bytes, signature: bytes) -> None:
        r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        public.verify(encode_dss_signature(r, s), data, ecdsa)

    return verify
