"""Keys, each bound to exactly one algorithm (RFC 8725 3.1).

A key that serves two algorithms lets an attacker choose between them, so the algorithm is part of
the key here and jwcrypto never gets to read it from a token. No repr shows key material.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwcrypto.jwk import JWK

from appliance.jose import jwk as jwk_members
from appliance.jose.algorithms import (
    AGREEMENT_CURVES,
    SIGNATURE_ALGORITHMS,
    SignatureAlgorithm,
    content_encryption,
    key_management_algorithm,
    signature_algorithm,
)
from appliance.jose.primitives import signer, verifier
from appliance.jose.problems import KeyProblem
from appliance.protocol import base64url
from appliance.protocol.strict_json import StrictJsonProblem, loads_object

_MAX_KEY_FILE = 32768
# JW-12: our own key ids end up in file names and URLs of others.
_KID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._~-]{0,127}")


@dataclass(frozen=True, eq=False, slots=True)
class VerificationKey:
    """Verifies signatures of one algorithm; `kid` is None for a key its owner gave no name."""

    alg: str
    kid: str | None
    signature_length: int
    _jwk: JWK = field(repr=False)
    _verifiers: list[Callable[[bytes, bytes], None]] = field(init=False, repr=False, default_factory=list)

    def accepts(self, data: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over `data`."""
        # jwcrypto halves whatever it gets: leading zero octets in both halves still verify.
        if len(signature) != self.signature_length:
            return False
        try:
            if not self._verifiers:
                self._verifiers.append(verifier(self.alg, self._jwk))
            self._verifiers[0](data, signature)
        except Exception:  # noqa: BLE001 - the primitives raise many classes, each of them means no
            return False
        return True


@dataclass(frozen=True, eq=False, slots=True)
class SigningKey:
    """Signs with one algorithm."""

    alg: str
    kid: str | None
    _jwk: JWK = field(repr=False)
    _headers: dict[str | None, bytes] = field(init=False, repr=False, default_factory=dict)
    _signers: list[Callable[[bytes], bytes]] = field(init=False, repr=False, default_factory=list)

    def header(self, typ: str | None) -> bytes:
        """The encoded protected header of this key's tokens of one type."""
        header = self._headers.get(typ)
        if header is None:
            members = {"alg": self.alg, "typ": typ, "kid": self.kid}
            text = orjson.dumps({name: value for name, value in members.items() if value is not None})
            header = self._headers[typ] = base64url.encode(text).encode("ascii")
        return header

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`."""
        if not self._signers:
            self._signers.append(signer(self.alg, self._jwk))
        return self._signers[0](data)

    def verification(self) -> VerificationKey:
        """The key that verifies what this one signs."""
        public = self._jwk if SIGNATURE_ALGORITHMS[self.alg].symmetric else self._jwk.public()
        return bind_verification(public, self.alg, self.kid)


@dataclass(frozen=True, eq=False, slots=True)
class EncryptionKey:
    """Encrypts to its owner with one key management algorithm."""

    alg: str
    kid: str | None
    jwk: JWK = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class DecryptionKey:
    """Opens what was encrypted to us with one key management algorithm."""

    alg: str
    kid: str | None
    jwk: JWK = field(repr=False)

    def encryption(self) -> EncryptionKey:
        """The key that encrypts to this one."""
        symmetric = key_management_algorithm(self.alg).symmetric
        return EncryptionKey(self.alg, self.kid, self.jwk if symmetric else self.jwk.public())


AnyKey = SigningKey | VerificationKey | DecryptionKey | EncryptionKey


def bind_verification(jwk: JWK, alg: str, kid: str | None) -> VerificationKey:
    """A checked key as the verifier of one algorithm."""
    algorithm = _check_signature_key(jwk, alg)
    length = algorithm.signature_length
    if length is None:
        length = len(base64url.decode(jwk["n"]))
    return VerificationKey(alg, kid, length, jwk)


def bind_encryption(jwk: JWK, alg: str, kid: str | None) -> EncryptionKey:
    """A checked key as the recipient of one key management algorithm."""
    check_management_key(jwk, alg)
    return EncryptionKey(alg, kid, jwk)


def _check_signature_key(jwk: JWK, alg: str) -> SignatureAlgorithm:
    algorithm = signature_algorithm(alg)
    if jwk["kty"] != algorithm.kty or jwk.get("crv") != algorithm.crv:
        raise KeyProblem(f"key type or curve does not go with {alg}")
    return algorithm


def check_management_key(jwk: JWK, alg: str) -> None:
    """The key type, curve or length goes with the key management algorithm."""
    algorithm = key_management_algorithm(alg)
    if jwk["kty"] not in algorithm.key_types:
        raise KeyProblem(f"key type does not go with {alg}")
    if "crv" in jwk and jwk["crv"] not in AGREEMENT_CURVES:
        raise KeyProblem(f"curve does not go with {alg}")
    if algorithm.key_bits is not None and len(base64url.decode(jwk["k"])) * 8 != algorithm.key_bits:
        raise KeyProblem(f"key length does not go with {alg}")


def _check_kid(kid: str | None) -> str | None:
    if kid is not None and (not _KID.fullmatch(kid) or ".." in kid):
        raise KeyProblem("key ids have 1 to 128 letters, digits, dots, dashes, underscores or tildes")
    return kid


def generate(alg: str, *, size: int | None = None, kid: str | None = None) -> SigningKey:
    """A new key for a signature algorithm; without `kid` it is named by its RFC 7638 thumbprint."""
    algorithm = signature_algorithm(alg)
    _check_kid(kid)
    if algorithm.symmetric:
        octets = max(algorithm.hash_length, (size or 0) // 8)
        return symmetric(secrets.token_bytes(octets), alg, kid=kid)
    jwk = _generate(algorithm.kty, algorithm.crv, size)
    return SigningKey(alg, kid or jwk.thumbprint(), jwk)


def generate_decryption(
    alg: str, *, size: int | None = None, crv: str = "P-256", kid: str | None = None
) -> DecryptionKey:
    """A new key pair for what others encrypt to us."""
    algorithm = key_management_algorithm(alg)
    _check_kid(kid)
    if algorithm.symmetric:
        raise KeyProblem("symmetric encryption keys come from a client_secret")
    if "RSA" in algorithm.key_types:
        jwk = _generate("RSA", None, size)
    else:
        jwk = _generate("OKP" if crv == "X25519" else "EC", crv, size)
    check_management_key(jwk, alg)
    return DecryptionKey(alg, kid or jwk.thumbprint(), jwk)


def _generate(kty: str, crv: str | None, size: int | None) -> JWK:
    if kty != "RSA":
        if size is not None:
            raise KeyProblem("only RSA keys come in sizes")
        if crv not in AGREEMENT_CURVES | {"Ed25519"}:
            raise KeyProblem("curve is not supported")
        return JWK.generate(kty="OKP" if kty == "OKP" else "EC", crv=crv)
    size = 2048 if size is None else size
    if not jwk_members.MIN_RSA_BITS <= size <= jwk_members.MAX_RSA_BITS or size % 8:
        raise KeyProblem("RSA keys have 2048 to 8192 bits")
    return JWK.generate(kty="RSA", size=size)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A private key as read from a file, with what the file says about it."""

    jwk: JWK = field(repr=False)
    alg: str | None = None
    kid: str | None = None
    use: str | None = None


def load_private(content: bytes, alg: str | None = None, *, kid: str | None = None, own: bool = False) -> SigningKey:
    """A signing key from PEM or a JWK, bound to `alg` or to the `alg` the JWK names.

    `own` is what `export_private` wrote of a key made here: its numbers are not proved again to be what they were.
    """
    loaded = _load(content, own)
    alg = _agreed("alg", alg, loaded.alg)
    if alg is None:
        raise KeyProblem("no algorithm is named for this key")
    if loaded.use == "enc":
        raise KeyProblem("this key is for encryption")
    if loaded.jwk["kty"] == "oct":
        return symmetric(base64url.decode(loaded.jwk["k"]), alg, kid=_agreed("kid", kid, loaded.kid))
    _check_signature_key(loaded.jwk, alg)
    kid = _check_kid(_agreed("kid", kid, loaded.kid)) or loaded.jwk.thumbprint()
    return SigningKey(alg, kid, loaded.jwk)


def load_decryption(
    content: bytes, alg: str | None = None, *, kid: str | None = None, own: bool = False
) -> DecryptionKey:
    """The same for a key that opens what others encrypt to us."""
    loaded = _load(content, own)
    alg = _agreed("alg", alg, loaded.alg)
    if alg is None:
        raise KeyProblem("no algorithm is named for this key")
    if loaded.use == "sig":
        raise KeyProblem("this key is for signatures")
    check_management_key(loaded.jwk, alg)
    kid = _check_kid(_agreed("kid", kid, loaded.kid)) or loaded.jwk.thumbprint()
    return DecryptionKey(alg, kid, loaded.jwk)


def _agreed(name: str, asked: str | None, found: str | None) -> str | None:
    if asked is not None and found is not None and asked != found:
        raise KeyProblem(f"the {name} asked for and the {name} in the key file differ")
    return found if asked is None else asked


# The checks of an RSA private key cost 40 to 60 ms: a reload must not pay them again. Keyed by
# content; refused content is not remembered.
@lru_cache(maxsize=128)
def _load(content: bytes, own: bool) -> _Loaded:
    if len(content) > _MAX_KEY_FILE:
        raise KeyProblem("key file is too long")
    try:
        loaded = _load_jwk(content) if content.lstrip().startswith(b"{") else _Loaded(_load_pem(content))
        # Builds the cryptography key now: this is where numbers that do not match are found.
        loaded.jwk.unsafe_skip_rsa_key_validation = own
        if loaded.jwk["kty"] != "oct":
            loaded.jwk.get_op_key("unwrapKey")
    except KeyProblem:
        raise
    except Exception:  # noqa: BLE001 - key parsers raise many classes, some repeat what they read
        raise KeyProblem("the private key cannot be read or its numbers do not match") from None
    return loaded


def _load_pem(content: bytes) -> JWK:
    try:
        # jwcrypto checks the same numbers again, so they are checked once, there.
        key = load_pem_private_key(content, None, unsafe_skip_rsa_key_validation=True)
        read = JWK.from_pyca(key)  # type: ignore[arg-type]
    except TypeError:
        raise KeyProblem("private keys protected by a password are not supported") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyProblem("not a PEM or JWK private key") from None
    return jwk_members.build(jwk_members.private_members(read))


def _load_jwk(content: bytes) -> _Loaded:
    try:
        members = loads_object(content)
    except StrictJsonProblem:
        raise KeyProblem("not a PEM or JWK private key") from None
    if "x5c" in members or "x5u" in members:
        raise KeyProblem("certificates in a private JWK are not supported")
    alg, kid, use = (jwk_members.text_member(members, name) for name in ("alg", "kid", "use"))
    if members.get("kty") == "oct":
        secret = members.get("k")
        if not isinstance(secret, str):
            raise KeyProblem("member k is missing or not a text")
        return _Loaded(JWK(kty="oct", k=base64url.encode(base64url.decode(secret))), alg, kid, use)
    built = jwk_members.build(jwk_members.private_members(members))
    if built["kty"] == "OKP":
        # RFC 8037 2: jwcrypto signs with d and never looks whether x belongs to it.
        private = Ed25519PrivateKey if built["crv"] == "Ed25519" else X25519PrivateKey
        derived = private.from_private_bytes(base64url.decode(built["d"])).public_key().public_bytes_raw()
        if base64url.encode(derived) != built["x"]:
            raise KeyProblem("public and private members do not match")
    return _Loaded(built, alg, kid, use)


def symmetric(secret: bytes, alg: str, *, kid: str | None = None) -> SigningKey:
    """A MAC key, such as a client_secret (OIDC Core 10.1)."""
    algorithm = signature_algorithm(alg)
    if not algorithm.symmetric:
        raise KeyProblem(f"{alg} does not use a shared secret")
    # RFC 7518 3.2
    if len(secret) < algorithm.hash_length:
        raise KeyProblem(f"{alg} needs a secret of at least {algorithm.hash_length} bytes")
    # The one known way to forge MACs over public keys starts with their text as the secret.
    if b"-----BEGIN " in secret:
        raise KeyProblem("a PEM text is not a shared secret")
    # No thumbprint as kid: it would publish a hash of the secret (RFC 7638 7).
    return SigningKey(alg, _check_kid(kid), JWK(kty="oct", k=base64url.encode(secret)))


def symmetric_encryption(secret: bytes, alg: str, enc: str) -> DecryptionKey:
    """The encryption key of a client_secret (OIDC Core 10.2): its SHA-2 hash cut from the left."""
    algorithm = key_management_algorithm(alg)
    if not algorithm.symmetric:
        raise KeyProblem(f"{alg} does not use a shared secret")
    length = (algorithm.key_bits or content_encryption(enc).key_length * 8) // 8
    if len(secret) < length:
        raise KeyProblem(f"{alg} needs a secret of at least {length} bytes")
    name = "sha256" if length <= 32 else "sha384" if length <= 48 else "sha512"
    octets = hashlib.new(name, secret).digest()[:length]
    return DecryptionKey(alg, None, JWK(kty="oct", k=base64url.encode(octets)))


def export_private(key: SigningKey | DecryptionKey) -> str:
    """The whole key as JWK text, for a store that keeps secrets; `load_private` takes it back."""
    jwk, use = (key._jwk, "sig") if isinstance(key, SigningKey) else (key.jwk, "enc")
    members = {**jwk.export(as_dict=True), "use": use, "alg": key.alg}
    if key.kid is not None:
        members["kid"] = key.kid
    return json.dumps(members)


def public_jwk(key: AnyKey) -> dict[str, str]:
    """What a key set shows of a key (RFC 7517 4): never a private or symmetric member."""
    signature = isinstance(key, SigningKey | VerificationKey)
    jwk = key._jwk if isinstance(key, SigningKey | VerificationKey) else key.jwk
    if jwk["kty"] == "oct" or key.kid is None:
        raise KeyProblem("a key without public part or kid cannot be published")
    members = jwk_members.public_members(jwk)
    return {
        "kty": members.pop("kty"),
        "use": "sig" if signature else "enc",
        "alg": key.alg,
        "kid": key.kid,
        **members,
    }


def jwks_bytes(keys: Iterable[AnyKey]) -> bytes:
    """A key set as ready bytes; two keys of one `kid` are refused (RFC 7517 4.5)."""
    published = [public_jwk(key) for key in keys]
    if len({jwk["kid"] for jwk in published}) != len(published):
        raise KeyProblem("two keys have the same kid")
    return orjson.dumps({"keys": published})
