"""What a new password must be: long enough and not one of the first that are tried (NIST SP 800-63B 3.1.1.2).

No rules of composition: they make passwords harder to remember and no harder to guess. What is refused is short,
known to everybody, a walk over the keyboard, or made of what an attacker knows of the account.
"""

import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

#: Message keys of what is wrong with a password.
SHORT: Final = "short_password"
LONG: Final = "long_password"
COMMON: Final = "common_password"

#: Bytes of UTF-8 that a password may have: what is hashed must be bounded.
MAX_BYTES: Final = 1024

_STEMS: Final = frozenset(
    """password passwort passord salasana kennwort motdepasse contrasena wachtwoord losenord senha parola
    letmein welcome willkommen tervetuloa bienvenue changeme default secret administrator admin master access
    login guest user test testtest demo sample example qwerty qwertz azerty asdfgh asdfghjkl zxcvbnm iloveyou
    ichliebedich rakastan sunshine princess football baseball basketball jalkapallo fussball hockey superman
    batman spiderman starwars pokemon pikachu dragon monkey shadow michael jennifer michelle jordan hunter
    buster soccer tigger charlie andrew thomas robert daniel ashley nicole jessica matthew amanda samantha
    anthony william computer internet whatever trustno mustang corvette ferrari mercedes porsche harley
    freedom forever family flower chocolate butterfly angel lovely babygirl sweetheart summer winter spring
    autumn kesa talvi sommer nothing liverpool chelsea arsenal barcelona juventus perkele hejhej schatz
    google facebook windows apple samsung linkedin adobe minecraft blink cheese cookie pepper ginger""".split()
)
_ROWS: Final = ("1234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm")
_LOOKALIKE: Final = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"})
# Longest unit whose repetition is no more than the unit.
_UNIT: Final = 4
# Characters that must remain once everything is taken away that is known of the account.
_OWN: Final = 4


def fault(password: str, *, least: int, known: Iterable[str] = (), blocked: Iterable[str] = ()) -> str:
    """The message key of what is wrong with a new password, "" when nothing is.

    `least` counts characters (code points). `known` is what an attacker knows of the account, such as its login
    name; `blocked` are further passwords that are refused.
    """
    normal = unicodedata.normalize("NFC", password)
    if len(normal) < least:
        return SHORT
    if max(len(normal.encode("utf-8", "replace")), len(password.encode("utf-8", "replace"))) > MAX_BYTES:
        return LONG
    folded = _fold(normal)
    if _is_common(folded) or _is_walk(folded) or folded in {_fold(each) for each in blocked}:
        return COMMON
    return COMMON if any(_is_made_of(folded, _fold(each)) for each in known) else ""


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _is_common(folded: str) -> bool:
    # Whoever must change "password" makes it "Password1!"; who guesses knows that.
    start, end = 0, len(folded)
    while start < end and not folded[start].isalpha():
        start += 1
    while end > start and not folded[end - 1].isalpha():
        end -= 1
    stem = folded[start:end].translate(_LOOKALIKE)
    half = stem[: len(stem) // 2]
    return stem in _STEMS or (half in _STEMS and half * 2 == stem)


def _is_walk(folded: str) -> bool:
    """One character or a short unit again and again, or neighbours of the alphabet or the keyboard."""
    if any(folded == (folded[:unit] * len(folded))[: len(folded)] for unit in range(1, _UNIT + 1)):
        return True
    steps = {ord(right) - ord(left) for left, right in pairwise(folded)}
    if steps <= {1} or steps <= {-1}:
        return True
    rows = (*_ROWS, "".join(_ROWS[:2]), "qwertyuiopasdfghjklzxcvbnm")
    return any(folded in row * 2 or folded[::-1] in row * 2 for row in rows)


def _is_made_of(folded: str, word: str) -> bool:
    if len(word) < _OWN:
        return folded == word
    return len(folded.replace(word, "").replace(word[::-1], "")) < _OWN and word in folded + "\0" + folded[::-1]
