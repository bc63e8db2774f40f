"""Keys of others: read from JWKs nobody vouches for, then bound to one algorithm."""

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from jwcrypto.jwk import JWK

from appliance.jose import jwk as jwk_members
from appliance.jose.algorithms import KEY_MANAGEMENT_ALGORITHMS, SIGNATURE_ALGORITHMS
from appliance.jose.keys import EncryptionKey, VerificationKey, bind_encryption, bind_verification
from appliance.jose.problems import KeyProblem, UnsupportedKey
from appliance.protocol import base64url

_MAX_KEYS = 32
_MAX_CERTIFICATE_TEXT = 22000
_SIGNATURE_USES = frozenset({"verify"})
_ENCRYPTION_USES = frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"})


@dataclass(frozen=True, eq=False, slots=True)
class PublicKey:
    """A checked public key with what its owner says about it; `thumbprint` is RFC 7638, SHA-256."""

    kty: str
    kid: str | None
    alg: str | None
    use: str | None
    thumbprint: str
    #: SHA-256 of the certificate that its owner says it is in (`x5c`), base64url.
    certificate: str | None
    _uses: frozenset[str] = field(repr=False)
    _jwk: JWK = field(repr=False)
    _verification: dict[str, VerificationKey] = field(init=False, repr=False, default_factory=dict)

    def verification(self, alg: str) -> VerificationKey:
        """This key as the verifier of one algorithm, or KeyProblem."""
        bound = self._verification.get(alg)
        if bound is None:
            bound = self._verification[alg] = self._bind_verification(alg)
        return bound

    def _bind_verification(self, alg: str) -> VerificationKey:
        if self.use not in (None, "sig") or (self._uses and not self._uses & _SIGNATURE_USES):
            raise KeyProblem("key is not for signatures")
        self._check_alg(alg)
        return bind_verification(self._jwk, alg, self.kid)

    def encryption(self, alg: str) -> EncryptionKey:
        """This key as the recipient of one algorithm, or KeyProblem."""
        if self.use not in (None, "enc") or (self._uses and not self._uses & _ENCRYPTION_USES):
            raise KeyProblem("key is not for encryption")
        self._check_alg(alg)
        return bind_encryption(self._jwk, alg, self.kid)

    def _check_alg(self, alg: str) -> None:
        if self.alg not in (None, alg):
            raise KeyProblem("key is for another algorithm")


def import_public(jwk: Mapping[str, object]) -> PublicKey:
    """A public key from a JWK of a client, a proof or an upstream; KeyProblem says what is wrong."""
    jwk_members.check_no_private_members(jwk)
    members = jwk_members.public_members(jwk)
    kid, alg, use = (jwk_members.text_member(jwk, name) for name in ("kid", "alg", "use"))
    if alg is not None and alg not in SIGNATURE_ALGORITHMS and alg not in KEY_MANAGEMENT_ALGORITHMS:
        raise UnsupportedKey("algorithm of the key is not supported")
    built = jwk_members.build(members)
    certificate = _read_certificate(jwk)
    return PublicKey(members["kty"], kid, alg, use, built.thumbprint(), certificate, _read_key_ops(jwk), built)


class RememberedKeys:
    """The keys that were imported last, `limit` at most: to check a key costs more than a signature with it.

    Found again by all their members, each as it was spelt: what differs in anything is checked as if it were new.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._keys: OrderedDict[tuple[tuple[str, str], ...], PublicKey] = OrderedDict()

    def __len__(self) -> int:
        return len(self._keys)

    def import_public(self, jwk: Mapping[str, object]) -> PublicKey:
        """As `import_public`, whose KeyProblem it raises each time: no refusal is remembered."""
        texts = tuple(sorted((name, value) for name, value in jwk.items() if isinstance(value, str)))
        if len(texts) != len(jwk):
            # 1, 1.0 and true are one key of a dict; lists (x5c, key_ops) are rare here, and long.
            return import_public(jwk)
        known = self._keys.get(texts)
        if known is None:
            known = self._keys[texts] = import_public(jwk)
            if len(self._keys) > self._limit:
                self._keys.popitem(last=False)
        else:
            self._keys.move_to_end(texts)
        return known


def _read_certificate(jwk: Mapping[str, object]) -> str | None:
    """RFC 7517 4.7: the first of the chain, base64 of DER. Whether it is good is for whom it is shown to."""
    if "x5c" not in jwk:
        return None
    chain = jwk["x5c"]
    first = chain[0] if isinstance(chain, list | tuple) and chain else None
    if not isinstance(first, str) or len(first) > _MAX_CERTIFICATE_TEXT:
        raise KeyProblem("x5c is not a list of certificates")
    try:
        der = base64.b64decode(first, validate=True)
    except ValueError:
        raise KeyProblem("x5c is not base64") from None
    return base64url.encode(hashlib.sha256(der).digest())


def _read_key_ops(jwk: Mapping[str, object]) -> frozenset[str]:
    key_ops = jwk.get("key_ops", [])
    if not isinstance(key_ops, list) or len(key_ops) > 8:
        raise KeyProblem("key_ops is not a short list")
    names = frozenset(name for name in key_ops if isinstance(name, str))
    if len(names) != len(key_ops) or ("key_ops" in jwk and not names):
        raise KeyProblem("key_ops is empty, repeats itself or holds something else than texts")
    return names


def import_set(jwks: object, *, strict: bool = True) -> tuple[PublicKey, ...]:
    """The keys of a JWK Set; kinds of key we do not know are left out (RFC 7517 5).

    `strict` refuses the whole set for one bad key: right where a person can be told, at
    registration. A set fetched later loses its bad keys only.
    """
    listed = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(listed, list) or len(listed) > _MAX_KEYS:
        raise KeyProblem(f"not a key set of at most {_MAX_KEYS} keys")
    keys = []
    for jwk in listed:
        try:
            if not isinstance(jwk, Mapping):
                raise KeyProblem("a key of the set is not an object")
            keys.append(import_public(jwk))
        except UnsupportedKey:
            continue
        except KeyProblem:
            if strict:
                raise
    return tuple(keys)


def verification_keys(keys: Iterable[PublicKey], algs: Collection[str]) -> tuple[VerificationKey, ...]:
    """The verifiers a set gives for the allowed algorithms, each bound to one of them."""
    bound = []
    for key in keys:
        for alg in sorted(algs):
            if alg in SIGNATURE_ALGORITHMS:
                try:
                    bound.append(key.verification(alg))
                except KeyProblem:
                    continue
    return tuple(bound)


def choose_encryption_key(keys: Iterable[PublicKey], alg: str) -> EncryptionKey:
    """The key of a client to encrypt to (OIDC Core 10.2.1): one that says `use=enc` before others."""
    for key in sorted(keys, key=lambda key: key.use != "enc"):
        try:
            return key.encryption(alg)
        except KeyProblem:
            continue
    raise KeyProblem(f"no key for {alg}")
