"""The closed tables of JOSE algorithms (RFC 7518, RFC 8037) this provider speaks.

What is absent is refused: `none`, RSA1_5, PBES2, AES-GCM key wrap, ES256K, Ed448.
"""

import hashlib
from dataclasses import dataclass

from appliance.jose.problems import KeyProblem
from appliance.protocol import base64url


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """One `alg` of a JWS: the only key type, curve and signature length that go with it."""

    name: str
    kty: str
    crv: str | None
    hash_name: str
    # None for RSA, where the signature is as long as the modulus (RFC 8017 8.1.1, 8.2.1).
    signature_length: int | None

    @property
    def symmetric(self) -> bool:
        """Whether the key is a secret that both sides know."""
        return self.kty == "oct"

    @property
    def hash_length(self) -> int:
        """Octets of the hash, which is the least length of a MAC key (RFC 7518 3.2)."""
        return hashlib.new(self.hash_name).digest_size


@dataclass(frozen=True, slots=True)
class KeyManagementAlgorithm:
    """One `alg` of a JWE."""

    name: str
    key_types: frozenset[str]
    # Bits of the AES key that wraps; None where the key pair or the `enc` decides.
    key_bits: int | None = None

    @property
    def symmetric(self) -> bool:
        """Whether the key is a secret that both sides know."""
        return self.key_types == _OCT


@dataclass(frozen=True, slots=True)
class ContentEncryption:
    """One `enc` of a JWE: key, initialization vector and tag have one length each, in octets."""

    name: str
    key_length: int
    iv_length: int
    tag_length: int


_OCT = frozenset({"oct"})
_RSA = frozenset({"RSA"})
_AGREEMENT = frozenset({"EC", "OKP"})

SIGNATURE_ALGORITHMS: dict[str, SignatureAlgorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        SignatureAlgorithm("RS256", "RSA", None, "sha256", None),
        SignatureAlgorithm("RS384", "RSA", None, "sha384", None),
        SignatureAlgorithm("RS512", "RSA", None, "sha512", None),
        SignatureAlgorithm("PS256", "RSA", None, "sha256", None),
        SignatureAlgorithm("PS384", "RSA", None, "sha384", None),
        SignatureAlgorithm("PS512", "RSA", None, "sha512", None),
        SignatureAlgorithm("ES256", "EC", "P-256", "sha256", 64),
        SignatureAlgorithm("ES384", "EC", "P-384", "sha384", 96),
        SignatureAlgorithm("ES512", "EC", "P-521", "sha512", 132),
        SignatureAlgorithm("EdDSA", "OKP", "Ed25519", "sha512", 64),
        SignatureAlgorithm("HS256", "oct", None, "sha256", 32),
        SignatureAlgorithm("HS384", "oct", None, "sha384", 48),
        SignatureAlgorithm("HS512", "oct", None, "sha512", 64),
    )
}

KEY_MANAGEMENT_ALGORITHMS: dict[str, KeyManagementAlgorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        KeyManagementAlgorithm("RSA-OAEP", _RSA),
        KeyManagementAlgorithm("RSA-OAEP-256", _RSA),
        KeyManagementAlgorithm("ECDH-ES", _AGREEMENT),
        KeyManagementAlgorithm("ECDH-ES+A128KW", _AGREEMENT),
        KeyManagementAlgorithm("ECDH-ES+A192KW", _AGREEMENT),
        KeyManagementAlgorithm("ECDH-ES+A256KW", _AGREEMENT),
        KeyManagementAlgorithm("A128KW", _OCT, 128),
        KeyManagementAlgorithm("A192KW", _OCT, 192),
        KeyManagementAlgorithm("A256KW", _OCT, 256),
        KeyManagementAlgorithm("dir", _OCT),
    )
}

CONTENT_ENCRYPTIONS: dict[str, ContentEncryption] = {
    encryption.name: encryption
    for encryption in (
        ContentEncryption("A128CBC-HS256", 32, 16, 16),
        ContentEncryption("A192CBC-HS384", 48, 16, 24),
        ContentEncryption("A256CBC-HS512", 64, 16, 32),
        ContentEncryption("A128GCM", 16, 12, 16),
        ContentEncryption("A192GCM", 24, 12, 16),
        ContentEncryption("A256GCM", 32, 12, 16),
    )
}

ASYMMETRIC_SIGNATURE_ALGORITHMS = frozenset(
    name for name, algorithm in SIGNATURE_ALGORITHMS.items() if not algorithm.symmetric
)
#: Key management with a secret that both sides know (OpenID Connect Core 10.2).
SHARED_KEY_MANAGEMENT_ALGORITHMS = frozenset(
    name for name, algorithm in KEY_MANAGEMENT_ALGORITHMS.items() if algorithm.symmetric
)
AGREEMENT_CURVES = frozenset({"P-256", "P-384", "P-521", "X25519"})


def signature_algorithm(name: str) -> SignatureAlgorithm:
    """The row of a JWS `alg`, or KeyProblem."""
    algorithm = SIGNATURE_ALGORITHMS.get(name)
    if algorithm is None:
        raise KeyProblem("not a supported signature algorithm")
    return algorithm


def key_management_algorithm(name: str) -> KeyManagementAlgorithm:
    """The row of a JWE `alg`, or KeyProblem."""
    algorithm = KEY_MANAGEMENT_ALGORITHMS.get(name)
    if algorithm is None:
        raise KeyProblem("not a supported key management algorithm")
    return algorithm


def content_encryption(name: str) -> ContentEncryption:
    """The row of a JWE `enc`, or KeyProblem."""
    encryption = CONTENT_ENCRYPTIONS.get(name)
    if encryption is None:
        raise KeyProblem("not a supported content encryption")
    return encryption


def half_hash(alg: str, value: str) -> str:
    """The `at_hash`, `c_hash` or `s_hash` of a value (OIDC Core 3.3.2.11).

    The hash is that of the signature's `alg`; Ed25519 hashes with SHA-512 (RFC 8032 5.1).
    """
    digest = hashlib.new(signature_algorithm(alg).hash_name, value.encode()).digest()
    return base64url.encode(digest[: len(digest) // 2])
