"""Encrypted tokens in compact form (RFC 7516).

Encryption says nothing about who wrote the plaintext: what comes out of `decrypt` is octets of a
stranger until a signature in them verifies (RFC 8725 2.3).
"""

import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping

from jwcrypto.jwe import JWE

from appliance.jose import jwk as jwk_members
from appliance.jose.algorithms import (
    CONTENT_ENCRYPTIONS,
    KEY_MANAGEMENT_ALGORITHMS,
    SHARED_KEY_MANAGEMENT_ALGORITHMS,
    ContentEncryption,
    content_encryption,
)
from appliance.jose.keys import DecryptionKey, EncryptionKey, symmetric_encryption
from appliance.jose.primitives import CONTENT, KEY_MANAGEMENT
from appliance.jose.problems import KeyProblem, TokenProblem
from appliance.jose.tokens import check_header
from appliance.protocol import base64url
from appliance.protocol.strict_json import loads_object

MAX_ENCRYPTED = 131072
_MAX_HEADER = 8192
_MAX_PARTY = 512
_MAX_CANDIDATES = 4
# The encrypted key is empty for direct encryption and direct key agreement, the content for no text.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+")


def encrypt(key: EncryptionKey, plaintext: bytes | str, *, enc: str, cty: str | None = None) -> str:
    """A compact token only the owner of `key` opens; `cty` is "JWT" around a signed token."""
    content_encryption(enc)
    header = {"alg": key.alg, "enc": enc, "kid": key.kid, "cty": cty}
    protected = {name: value for name, value in header.items() if value is not None}
    octets = plaintext.encode() if isinstance(plaintext, str) else plaintext
    try:
        token = JWE(octets, protected=json.dumps(protected), algs=[key.alg, enc])
        token.add_recipient(key.jwk)
        return str(token.serialize(compact=True))
    except Exception:  # noqa: BLE001 - a wrong key length for `dir` has many classes in jwcrypto
        raise KeyProblem("the key cannot be used with this encryption") from None


def decrypt(
    token: object,
    keys: Iterable[DecryptionKey],
    *,
    algs: Collection[str],
    encs: Collection[str],
    max_length: int = MAX_ENCRYPTED,
) -> bytes:
    """The plaintext, or one TokenProblem for whatever is wrong (RFC 7516 11.5)."""
    try:
        return _decrypt(token, list(keys), algs, encs, max_length)
    except Exception:  # noqa: BLE001 - one answer for all reasons, so that none is an oracle
        raise TokenProblem("encrypted token is refused") from None


def decrypt_shared(
    token: object,
    secrets_: Iterable[bytes],
    *,
    algs: Collection[str],
    encs: Collection[str],
    max_length: int = MAX_ENCRYPTED,
) -> bytes:
    """The same for keys that come from secrets of the writer (OpenID Connect Core 10.2). TokenProblem.

    What is derived depends on `alg` and `enc`, so the header is read before there is a key.
    """
    try:
        protected, *_ = _parts(token, max_length)
        header = _read_header(protected, frozenset(algs) & SHARED_KEY_MANAGEMENT_ALGORITHMS, encs)
        keys = list(_derived(secrets_, str(header["alg"]), str(header["enc"])))
        return _decrypt(token, keys, algs, encs, max_length)
    except Exception:  # noqa: BLE001 - the same
        raise TokenProblem("encrypted token is refused") from None


def _derived(secrets_: Iterable[bytes], alg: str, enc: str) -> Iterator[DecryptionKey]:
    for secret in secrets_:
        try:
            yield symmetric_encryption(secret, alg, enc)
        except KeyProblem:
            continue


def _parts(token: object, max_length: int) -> list[bytes]:
    if not isinstance(token, str) or len(token) > max_length or not _COMPACT.fullmatch(token):
        raise TokenProblem("not an encrypted token in compact form")
    return [base64url.decode(part) for part in token.split(".")]


def _decrypt(
    token: object, keys: list[DecryptionKey], algs: Collection[str], encs: Collection[str], max_length: int
) -> bytes:
    header_octets, encrypted_key, iv, ciphertext, tag = _parts(token, max_length)
    protected = str(token).partition(".")[0]
    header = _read_header(header_octets, algs, encs)
    encryption = CONTENT_ENCRYPTIONS[str(header["enc"])]
    if len(iv) != encryption.iv_length or len(tag) != encryption.tag_length:
        raise TokenProblem("initialization vector or tag has the wrong length")
    alg, kid = header["alg"], header.get("kid")
    candidates = [key for key in keys if key.alg == alg and (kid is None or key.kid in (None, kid))]
    for key in candidates[:_MAX_CANDIDATES]:
        content_key = _content_key(key, encryption, encrypted_key, header)
        try:
            return CONTENT[encryption.name].decrypt(
                content_key, protected.encode("ascii"), iv, ciphertext, tag
            )
        except Exception:  # noqa: BLE001, S112 - the next key may be the one
            continue
    raise TokenProblem("no key opens this token")


def _read_header(octets: bytes, algs: Collection[str], encs: Collection[str]) -> dict[str, object]:
    header = loads_object(octets, max_length=_MAX_HEADER)
    check_header(header)
    # A short token can inflate to hundreds of megabytes (RFC 8725 2.4 and measured): no compression.
    if "zip" in header:
        raise TokenProblem("compression is not supported")
    alg, enc = header["alg"], header.get("enc")
    if alg not in algs or alg not in KEY_MANAGEMENT_ALGORITHMS:
        raise TokenProblem("key management algorithm is not allowed")
    if not isinstance(enc, str) or enc not in encs or enc not in CONTENT_ENCRYPTIONS:
        raise TokenProblem("content encryption is not allowed")
    for name in ("apu", "apv"):
        value = header.get(name, "")
        if not isinstance(value, str) or len(value) > _MAX_PARTY:
            raise TokenProblem("party member is not a short text")
        base64url.decode(value)
    if "epk" in header:
        header["epk"] = _read_ephemeral(header["epk"])
    return header


def _read_ephemeral(epk: object) -> dict[str, str]:
    if not isinstance(epk, Mapping):
        raise TokenProblem("epk is not an object")
    jwk_members.check_no_private_members(epk)
    return jwk_members.public_members(epk)


def _content_key(
    key: DecryptionKey, encryption: ContentEncryption, encrypted_key: bytes, header: Mapping[str, object]
) -> bytes:
    """The content encryption key, or a random one when the encrypted key is bad.

    RFC 7516 11.5: going on with a random key makes a bad encrypted key fail where a bad tag fails.
    """
    random_key = secrets.token_bytes(encryption.key_length)
    epk = header.get("epk")
    if isinstance(epk, Mapping) and epk.get("crv") != key.jwk.get("crv"):
        return random_key
    try:
        return KEY_MANAGEMENT[key.alg].unwrap(key.jwk, encryption.key_length * 8, encrypted_key, header)
    except Exception:  # noqa: BLE001 - whatever is wrong must not show here
        return random_key
