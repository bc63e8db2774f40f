"""Values the store keeps but cannot read: sealed with a secret that only a caller brings along.

The successor of a refresh token is kept this way, under the token it replaces, so a retry of the
rotation gets the same answer and a copy of the store gives nothing away.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.jose.problems import SealProblem
from appliance.protocol import base64url

_LABEL = b"appliance sealed value 1\0"
_NONCE_LENGTH = 12
_TAG_LENGTH = 16
_MIN_SECRET = 32
_MAX_SEALED = 1_048_576


def _cipher(secret: bytes, context: bytes) -> AESGCM:
    # A key from a guessable secret could be found from the sealed value alone.
    if len(secret) < _MIN_SECRET:
        raise SealProblem("the secret is too short to seal with")
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=_LABEL + context).derive(secret))


def seal(secret: bytes, plaintext: bytes, context: bytes) -> str:
    """`plaintext` readable only with `secret` and in the same `context` (AES-256-GCM, RFC 5869)."""
    nonce = secrets.token_bytes(_NONCE_LENGTH)
    return base64url.encode(nonce + _cipher(secret, context).encrypt(nonce, plaintext, _LABEL + context))


def unseal(secret: bytes, sealed: str, context: bytes) -> bytes:
    """The plaintext, or SealProblem for another secret, another context or an altered text."""
    cipher = _cipher(secret, context)
    try:
        octets = base64url.decode(sealed) if len(sealed) <= _MAX_SEALED else b""
    except ValueError:
        octets = b""
    if len(octets) < _NONCE_LENGTH + _TAG_LENGTH:
        raise SealProblem("not a sealed value")
    nonce, ciphertext = octets[:_NONCE_LENGTH], octets[_NONCE_LENGTH:]
    try:
        return cipher.decrypt(nonce, ciphertext, _LABEL + context)
    except InvalidTag:
        raise SealProblem("the sealed value does not open") from None
