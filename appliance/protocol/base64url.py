"""Base64url without padding (RFC 7515 appendix C), one text for one value.

The stock decoder drops characters it does not know and accepts padding, the other alphabet and stray
trailing bits: one value then has many texts, and whatever is remembered by its text can be replayed.
"""

import binascii

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def encode(value: bytes) -> str:
    """The one unpadded base64url text of `value`."""
    # Called several times a request: the layers of the base64 module cost more than the encoding.
    return binascii.b2a_base64(value, newline=False).translate(_TO_URL, b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of a canonical text; ValueError for every other text."""
    try:
        value = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("not base64url") from None
    # Only the canonical text survives the way back: this refuses padding, "+" and "/", dropped
    # characters and altered trailing bits in one comparison.
    if encode(value) != text:
        raise ValueError("not canonical base64url")
    return value
