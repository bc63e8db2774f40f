"""What can be told of a private key by its text alone, before `jose` reads it in earnest.

Enough to name the mistakes that people make, at the line of the reference: the wrong file, a password, an
RSA key too short. Whether its numbers are right is for `jose.keys`.
"""

import base64
import binascii
import re

from appliance.protocol import base64url
from appliance.protocol.strict_json import StrictJsonProblem, loads_object

MIN_RSA_BITS = 2048

_PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----\s([A-Za-z0-9+/=\s]+)-----END \1-----", re.DOTALL)
#: By the first letters of an algorithm: what type its keys have.
_FAMILIES = {"RS": ("RSA",), "PS": ("RSA",), "ES": ("EC",), "Ed": ("OKP",), "EC": ("EC", "X25519")}
# DER of the object identifiers that PKCS #8 begins with (RFC 3279 2.3.1, 2.3.5; RFC 8410 3).
_IDENTIFIERS = {
    bytes.fromhex("06092a864886f70d010101"): "RSA",
    bytes.fromhex("06072a8648ce3d0201"): "EC",
    bytes.fromhex("06032b6570"): "OKP",
    bytes.fromhex("06032b656e"): "X25519",
}


def fault(content: bytes, alg: str) -> str | None:
    """Why a key cannot be used with an algorithm, to be read after "this key"; None where nothing is seen."""
    text = content.strip()
    if text.startswith(b"{"):
        return _jwk_fault(text, alg)
    if b"ENCRYPTED" in text:
        return "is protected by a password, which nobody can type in here"
    found = _PEM.search(text)
    if found is None:
        return "is neither PEM nor a JWK"
    if b"PRIVATE KEY" not in found[1]:
        return f"is a {found[1].decode('ascii').lower()}, not a private key"
    try:
        der = base64.b64decode(b"".join(found[2].split()), validate=True)
    except binascii.Error:
        return "is broken: its PEM text is not base64"
    kind = _kind(found[1], der)
    if kind is not None and kind not in _FAMILIES[alg[:2]]:
        return f"is of type {kind}, which does not go with {alg}"
    return _too_short(_modulus_bits(der)) if kind == "RSA" else None


def _jwk_fault(text: bytes, alg: str) -> str | None:
    try:
        members = loads_object(text)
    except StrictJsonProblem:
        return "is neither PEM nor a JWK"
    if "d" not in members:
        return "is no private key: the JWK has no member `d`"
    kind, modulus = members.get("kty"), members.get("n")
    if members.get("crv") == "X25519":
        # For key agreement, while the other curve of its type is for signatures (RFC 8037 3).
        kind = "X25519"
    if kind not in _FAMILIES[alg[:2]]:
        return f"is of type {kind}, which does not go with {alg}"
    if members.get("alg", alg) != alg:
        return f"says it is for another algorithm than {alg}"
    if isinstance(modulus, str):
        try:
            return _too_short(int.from_bytes(base64url.decode(modulus), "big").bit_length())
        except ValueError:
            return "is broken: its member `n` is not base64url"
    return None


def _too_short(bits: int) -> str | None:
    return f"has {bits} bits; {MIN_RSA_BITS} are the least (RFC 7518 3.3)" if 0 < bits < MIN_RSA_BITS else None


def _kind(label: bytes, der: bytes) -> str | None:
    if label.startswith((b"RSA", b"EC")):
        return "RSA" if label.startswith(b"RSA") else "EC"
    head = der[:40]
    return next((kind for identifier, kind in _IDENTIFIERS.items() if identifier in head), None)


def _modulus_bits(der: bytes) -> int:
    """Bits of the first long INTEGER: the modulus, in PKCS #1 and in PKCS #8 around it; 0 if none."""
    for found in re.finditer(rb"\x02(?:\x81(.)|\x82(..))", der, re.DOTALL):
        length = int.from_bytes(found[1] or found[2], "big")
        if 32 <= length <= len(der) - found.end():
            return int.from_bytes(der[found.end() : found.end() + length], "big").bit_length()
    return 0
