"""Login names in their one form, so that every spelling of a name means the same account or none.

The rule is NFKC and full case folding, with spaces around the name dropped. It is wider than RFC 8265's
UsernameCaseMapped, because people have names with spaces and signs in them. Letters of another script that
merely look alike stay different letters: such a name denotes nobody unless it is somebody's declared login.
"""

import unicodedata
from typing import Final

MAX_LENGTH: Final = 256
# Control characters, lone surrogates, private use and unassigned code points. The last could come to be
# folded by a later version of Unicode, and two accounts would become one (RFC 8264 5.2).
_REFUSED: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
# Invisible, but part of written words and of composed emoji.
_JOINERS: Final = frozenset("\u200c\u200d")


def canonical_login(typed: str) -> str | None:
    """The one form of a login name; None when what was typed can be no name at all."""
    if len(typed) > MAX_LENGTH:
        return None
    for character in typed:
        category = unicodedata.category(character)
        if category in _REFUSED or (
            category == "Cf" and character not in _JOINERS and not _is_tag(character)
        ):
            return None
    # Folding can undo the normal form and normalising can undo the folding: go on until neither changes it.
    name, before = typed, ""
    while name != before:
        before = name
        name = unicodedata.normalize("NFKC", name).casefold().strip()
    return name or None


def _is_tag(character: str) -> bool:
    # Flags of regions are emoji made of tag characters (Unicode Technical Standard 51, ED-14a).
    return "\U000e0020" <= character <= "\U000e007f"
