"""User codes: what a person reads on a device and types elsewhere (RFC 8628 6.1).

Twenty consonants: no vowels that would make words, nothing that looks or sounds like something else in the set.
"""

from typing import Final

from appliance.protocol.handles import Entropy

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"

#: The largest multiple of the alphabet's size in a byte: what is above would make some letters likelier.
_EVEN: Final = 256 - 256 % len(ALPHABET)
#: Letters between two hyphens.
_GROUP: Final = 4
#: Longest text that is looked at: what people put between the letters included.
_MAX_LENGTH: Final = 64


def draw(entropy: Entropy, length: int) -> str:
    """A new code of so many letters, every one of them equally likely."""
    letters: list[str] = []
    while len(letters) < length:
        letters += [ALPHABET[byte % len(ALPHABET)] for byte in entropy(length) if byte < _EVEN]
    return "".join(letters[:length])


def read(text: str, length: int) -> str:
    """The code that a person typed, whatever the case and whatever stands between the letters; "" when it is none."""
    if len(text) > _MAX_LENGTH:
        return ""
    # Letters of other scripts have upper cases among ours, so only ASCII counts.
    letters = "".join(each for each in text.upper() if each.isalnum()) if text.isascii() else ""
    return letters if len(letters) == length and not set(letters) - set(ALPHABET) else ""


def shown(code: str) -> str:
    """A code as it is shown: in groups of four."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))
