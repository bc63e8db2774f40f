"""Members of a JWK: read from text, checked as numbers, written back in their one form.

A thumbprint over the text as received differs with a leading zero octet or a padding sign, so two
texts of one key would be two keys (RFC 7638 3.1). Everything here gives members in canonical form.
"""

from collections.abc import Mapping
from math import gcd, prod

from cryptography.hazmat.primitives.asymmetric import ec
from jwcrypto.jwk import JWK

from appliance.jose.problems import KeyProblem, UnsupportedKey
from appliance.protocol import base64url

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
_MAX_MEMBERS = 32
_MAX_MEMBER_TEXT = 1400
_MAX_KID = 256
# A large exponent makes each verification as slow as a signature.
_MAX_EXPONENT = 2**32
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})

_CURVES: dict[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}

_P25519 = 2**255 - 19
_D25519 = -121665 * pow(121666, -1, _P25519) % _P25519
_ED25519_Y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# y of the eight points whose order divides 8: for such a key anybody can make a signature.
_ED25519_SMALL_ORDER = frozenset({0, 1, _P25519 - 1, _ED25519_Y8, _P25519 - _ED25519_Y8})
# RFC 7748 6.1: these u give the same shared secret, zero, with every private key.
_X25519_LOW_ORDER = frozenset(
    {
        0,
        1,
        _P25519 - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)
_SMALL_PRIMES = prod(p for p in range(3, 752, 2) if all(p % q for q in range(3, p, 2)))


def text_member(jwk: Mapping[str, object], name: str) -> str | None:
    """An optional text such as `alg`, `use` or `kid`."""
    value = jwk.get(name)
    if value is None and name not in jwk:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_KID or not value.isprintable():
        raise KeyProblem(f"member {name} is not a short text")
    return value


def _octets(jwk: Mapping[str, object], name: str, length: int | None = None) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_MEMBER_TEXT:
        raise KeyProblem(f"member {name} is missing, not a text, or too long")
    try:
        octets = base64url.decode(value)
    except ValueError:
        raise KeyProblem(f"member {name} is not canonical base64url") from None
    # RFC 7518 6.2.1.2 and RFC 8037 2: coordinates are as long as the curve says, never shorter.
    if length is not None and len(octets) != length:
        raise KeyProblem(f"member {name} has the wrong length")
    return octets


def _integer(jwk: Mapping[str, object], name: str) -> int:
    return int.from_bytes(_octets(jwk, name), "big")


def _write_integer(value: int) -> str:
    return base64url.encode(value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def check_rsa_numbers(n: int, e: int) -> None:
    """RFC 7518 3.3 and what a public key shows of its strength (SP 800-89 5.3.3)."""
    if not MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS:
        raise KeyProblem(f"RSA keys have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
    if n % 2 == 0 or gcd(n, _SMALL_PRIMES) != 1:
        raise KeyProblem("RSA modulus is not a product of two large primes")
    if e % 2 == 0 or not 65537 <= e < _MAX_EXPONENT:
        raise KeyProblem("RSA exponent is even, smaller than 65537 or too large")


def _check_ed25519_point(octets: bytes) -> None:
    y = int.from_bytes(octets, "little") & (2**255 - 1)
    # RFC 8032 5.1.3: an encoding with y >= p is not an encoding.
    if y >= _P25519:
        raise KeyProblem("Ed25519 key is not canonical")
    if y in _ED25519_SMALL_ORDER:
        raise KeyProblem("Ed25519 key has small order")
    ratio = (y * y - 1) * pow(_D25519 * y * y + 1, -1, _P25519) % _P25519
    if pow(ratio, (_P25519 - 1) // 2, _P25519) != 1:
        raise KeyProblem("Ed25519 key is not on the curve")


def _check_x25519_point(octets: bytes) -> None:
    u = int.from_bytes(octets, "little")
    if u >= _P25519:
        raise KeyProblem("X25519 key is not canonical")
    if u in _X25519_LOW_ORDER:
        raise KeyProblem("X25519 key has low order")


def _read_ec(jwk: Mapping[str, object], crv: str) -> dict[str, str]:
    curve, length = _CURVES[crv]
    x, y = _octets(jwk, "x", length), _octets(jwk, "y", length)
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve)
    try:
        numbers.public_key()
    except ValueError:
        raise KeyProblem("EC key is not on its curve") from None
    return {"kty": "EC", "crv": crv, "x": base64url.encode(x), "y": base64url.encode(y)}


def _read_okp(jwk: Mapping[str, object], crv: str) -> dict[str, str]:
    octets = _octets(jwk, "x", 32)
    if crv == "Ed25519":
        _check_ed25519_point(octets)
    else:
        _check_x25519_point(octets)
    return {"kty": "OKP", "crv": crv, "x": base64url.encode(octets)}


def public_members(jwk: Mapping[str, object]) -> dict[str, str]:
    """The members of a public key that make its thumbprint, checked and rebuilt from numbers."""
    kty, crv = jwk.get("kty"), jwk.get("crv")
    if kty == "RSA":
        n, e = _integer(jwk, "n"), _integer(jwk, "e")
        check_rsa_numbers(n, e)
        return {"kty": "RSA", "n": _write_integer(n), "e": _write_integer(e)}
    if kty == "EC" and isinstance(crv, str) and crv in _CURVES:
        return _read_ec(jwk, crv)
    if kty == "OKP" and isinstance(crv, str) and crv in ("Ed25519", "X25519"):
        return _read_okp(jwk, crv)
    if kty == "oct":
        raise KeyProblem("a symmetric key has no place among public keys")
    raise UnsupportedKey("key type or curve is not supported")


def check_no_private_members(jwk: Mapping[str, object]) -> None:
    """A public JWK holds no private member, and not more members than a key has."""
    if len(jwk) > _MAX_MEMBERS:
        raise KeyProblem("too many members")
    if not _PRIVATE_MEMBERS.isdisjoint(jwk):
        raise KeyProblem("private key material where a public key was expected")


def private_members(jwk: Mapping[str, object]) -> dict[str, str]:
    """Public and private members of one of our keys, rebuilt; JWK refuses what does not match."""
    members = public_members(jwk)
    if members["kty"] == "RSA":
        if "oth" in jwk:
            raise KeyProblem("RSA keys of more than two primes are not supported")
        for name in ("d", "p", "q", "dp", "dq", "qi"):
            members[name] = _write_integer(_integer(jwk, name))
        return members
    length = _CURVES[members["crv"]][1] if members["kty"] == "EC" else 32
    members["d"] = base64url.encode(_octets(jwk, "d", length))
    return members


def build(members: Mapping[str, str]) -> JWK:
    """The jwcrypto key of checked members."""
    return JWK(**members)
