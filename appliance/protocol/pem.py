"""Certificates in text form (RFC 7468 5.1), without what people write around them."""

import re
from typing import Final

_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def certificates(content: bytes) -> str:
    """The certificates of a PEM file one after the other; "" when there is none. Comments, in any script, go."""
    return "".join(block.decode("ascii") + "\n" for block in _BLOCK.findall(content))
