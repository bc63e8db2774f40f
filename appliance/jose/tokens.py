"""Signed tokens in compact form (RFC 7515 7.1): our own framing around jwcrypto's primitives.

One token has one text here: the strict reader refuses every other spelling before a key is looked
at, so what is remembered about a token cannot be walked around by writing it differently.
"""

import binascii
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

import orjson

from appliance.jose.algorithms import SIGNATURE_ALGORITHMS
from appliance.jose.keys import SigningKey, VerificationKey
from appliance.jose.problems import TokenProblem
from appliance.protocol import base64url
from appliance.protocol.frozen import quick
from appliance.protocol.strict_json import StrictJsonProblem, loads_object

__all__ = [
    "MAX_REQUEST_OBJECT",
    "MAX_TOKEN",
    "TokenProblem",
    "Unverified",
    "Verified",
    "check_header",
    "decode_strict",
    "hash_of",
    "read_unverified_claims",
    "sign",
    "unsecured",
    "verify",
]

# Proofs, assertions and hints; what carries a whole request may be longer.
MAX_TOKEN = 8192
MAX_REQUEST_OBJECT = 65536
_MAX_KID = 256
_MAX_TYP = 64
_MAX_KNOWN_HEADER = 1024
# A header without kid must not make us try a whole key set.
_MAX_CANDIDATES = 8
_COMPACT = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}")
_TO_URL = bytes.maketrans(b"+/", b"-_")
_DUMP = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


@quick
@dataclass(frozen=True, slots=True)
class Unverified:
    """A well-formed token nobody has verified."""

    header: Mapping[str, object]
    payload: bytes = field(repr=False)
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    #: Its claims, once somebody has read them.
    _claims: list[dict[str, object]] = field(repr=False, compare=False, default_factory=list)

    @property
    def alg(self) -> str:
        """The algorithm the header claims."""
        return str(self.header["alg"])


@quick
@dataclass(frozen=True, slots=True)
class Verified:
    """A token whose signature verified with `key`; its claims still have to be checked."""

    header: Mapping[str, object]
    claims: dict[str, object] = field(repr=False)
    key: VerificationKey


def _encode(octets: bytes) -> bytes:
    return binascii.b2a_base64(octets, newline=False).translate(_TO_URL, b"=")


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError


def sign(key: SigningKey, claims: Mapping[str, object], typ: str | None = None) -> str:
    """The compact token of `claims`; `typ` is what keeps one kind of token from passing for another."""
    signing_input = key.header(typ) + b"." + _encode(_write(claims))
    return (signing_input + b"." + _encode(key.sign(signing_input))).decode("ascii")


def unsecured(claims: Mapping[str, object], typ: str | None = None) -> str:
    """A token that nobody signed (RFC 7519 6). Nothing here reads one."""
    header = {"alg": "none"} if typ is None else {"alg": "none", "typ": typ}
    return (_encode(orjson.dumps(header)) + b"." + _encode(_write(claims)) + b".").decode("ascii")


def _write(claims: Mapping[str, object]) -> bytes:
    try:
        return orjson.dumps(claims, default=_plain, option=_DUMP)
    except orjson.JSONEncodeError:
        raise TokenProblem("claims cannot be written as JSON") from None


def check_header(header: Mapping[str, object]) -> None:
    """The rules all headers share, signed or encrypted."""
    alg, kid, typ = header.get("alg"), header.get("kid", ""), header.get("typ", "")
    if not isinstance(alg, str) or not 0 < len(alg) <= _MAX_TYP:
        raise TokenProblem("alg is missing or not a short text")
    # RFC 7515 4.1.11: we understand no extension, an empty list is an error, and b64 (RFC 7797)
    # changes what is signed.
    if "crit" in header or "b64" in header:
        raise TokenProblem("critical header extensions are not supported")
    if not isinstance(kid, str) or len(kid) > _MAX_KID:
        raise TokenProblem("kid is not a short text")
    if not isinstance(typ, str) or len(typ) > _MAX_TYP:
        raise TokenProblem("typ is not a short text")


def decode_strict(token: object, *, max_length: int = MAX_TOKEN) -> Unverified:
    """The parts of a token in its one canonical text, or TokenProblem."""
    # The length first: everything after it costs time in proportion.
    if not isinstance(token, str) or len(token) > max_length:
        raise TokenProblem("token is not a text or too long")
    if not _COMPACT.fullmatch(token):
        raise TokenProblem("not a signed token in compact form")
    signing_input, _, signature_text = token.rpartition(".")
    header_text, _, payload_text = signing_input.partition(".")
    read_header = _known_header if len(header_text) <= _MAX_KNOWN_HEADER else _read_header
    try:
        payload, signature = base64url.decode(payload_text), base64url.decode(signature_text)
        header = read_header(header_text)
    except ValueError:
        raise TokenProblem("token is not canonical base64url") from None
    return Unverified(header, payload, signing_input.encode("ascii"), signature)


def _read_header(text: str) -> Mapping[str, object]:
    """A checked header. ValueError when it is not base64url; TokenProblem."""
    header = _read_object(base64url.decode(text), "header", MAX_REQUEST_OBJECT)
    check_header(header)
    return MappingProxyType(header)


# Whoever signs many tokens with one key writes one header.
_known_header = lru_cache(maxsize=256)(_read_header)


def _read_object(octets: bytes, part: str, max_length: int) -> dict[str, object]:
    try:
        return loads_object(octets, max_length=max_length)
    except StrictJsonProblem as problem:
        raise TokenProblem(f"{part}: {problem}") from None


def read_unverified_claims(token: Unverified) -> dict[str, object]:
    """The claims before verification: only to find whose keys to verify with."""
    if not token._claims:
        token._claims.append(_read_object(token.payload, "payload", MAX_REQUEST_OBJECT))
    return token._claims[0]


def verify(
    token: str | Unverified,
    keys: Iterable[VerificationKey],
    *,
    algs: Collection[str],
    typ: frozenset[str | None],
    max_length: int = MAX_TOKEN,
) -> Verified:
    """The header and claims of a token signed with one of `keys`.

    `algs` and `typ` are what the reader expects, never what the token says (RFC 8725 3.1, 3.11);
    None in `typ` allows a token without one. Keys in the header (jwk, jku, x5u, x5c) are not read.
    """
    unverified = token if isinstance(token, Unverified) else decode_strict(token, max_length=max_length)
    alg, kid = unverified.alg, unverified.header.get("kid")
    # The table has no `none`, whatever the caller allows.
    if alg not in algs or alg not in SIGNATURE_ALGORITHMS:
        raise TokenProblem("signature algorithm is not allowed")
    if unverified.header.get("typ") not in typ:
        raise TokenProblem("token is of another type")
    candidates = [key for key in keys if key.alg == alg and (kid is None or key.kid in (None, kid))]
    if not candidates:
        raise TokenProblem("no key for this token")
    if len(candidates) > _MAX_CANDIDATES:
        raise TokenProblem("token names no kid and too many keys could have signed it")
    for key in candidates:
        if key.accepts(unverified.signing_input, unverified.signature):
            return Verified(unverified.header, read_unverified_claims(unverified), key)
    raise TokenProblem("signature does not verify")


def hash_of(token: str | Unverified) -> str:
    """What a token is remembered by where it has no `jti`.

    Over the signed part only: anybody can turn an ECDSA signature (r, s) into (r, n - s), which
    verifies as well, so a hash that includes the signature does not recognise the token again.
    """
    if not isinstance(token, Unverified):
        token = decode_strict(token, max_length=MAX_REQUEST_OBJECT)
    return base64url.encode(hashlib.sha256(token.signing_input).digest())
