"""The forms claims have on the wire (OpenID Connect Core 5.1): what a source holds, made to them or left out.

Sources spell dates, languages and booleans in many ways; relying parties may count on one. A value that
cannot be made to its form is nothing, and nothing is never sent: no null, no empty text.
"""

import math
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

Form = Callable[[object], object]

_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?")
_COMPACT_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{6}(?:\.\d+)?Z)?")
_DOTTED_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_YEAR = re.compile(r"\d{4}")
_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?")
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_ADDRESS: Final = ("formatted", "street_address", "locality", "region", "postal_code", "country")


def text(value: object) -> str | None:
    """A text that is not blank; the first one of a list."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return next((found for entry in value if (found := text(entry)) is not None), None)
    return None


def boolean(value: object) -> bool | None:
    """True or false, also from the words and digits that sources use for them."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int):
        return _WORDS.get(str(value).strip().lower())
    return None


def number(value: object) -> int | float | None:
    """A number, also from its digits or, as epoch seconds, from an ISO 8601 time."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if not isinstance(value, str):
        return None
    if _NUMBER.fullmatch(value.strip()):
        return float(value) if "." in value else int(value)
    try:
        return number(datetime.fromisoformat(value.strip()))
    except ValueError:
        return None


def day(value: object) -> str | None:
    """`YYYY-MM-DD` or `YYYY`, year 0000 meaning that it is not told (Core 5.1, birthdate)."""
    if isinstance(value, date):
        return f"{value.year:04}-{value.month:02}-{value.day:02}"
    written = text(value)
    if written is None:
        return None
    if _YEAR.fullmatch(written):
        return written
    if found := _DAY.fullmatch(written) or _COMPACT_DAY.fullmatch(written):
        year, month, number_of_day = found.groups()
    elif found := _DOTTED_DAY.fullmatch(written):
        number_of_day, month, year = found.groups()
    else:
        return None
    if not 1 <= int(month) <= 12:
        return None
    # Year 0000 is a leap year, so that every birthday can be told without its year.
    longest = monthrange(int(year) or 2000, int(month))[1]
    return f"{year}-{int(month):02}-{int(number_of_day):02}" if 1 <= int(number_of_day) <= longest else None


def locale(value: object) -> str | None:
    """A BCP 47 tag in its usual case: `fi_fi.UTF-8` becomes `fi-FI` (Core 5.1, locale)."""
    written = (text(value) or "").partition(".")[0]
    if not _LOCALE.fullmatch(written):
        return None
    language, *rest = written.replace("_", "-").split("-")
    cased = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest]
    return "-".join([language.lower(), *cased])


def address(value: object) -> dict[str, str] | None:
    """The members of an address (Core 5.1.1); a plain text is its formatted form."""
    members = value if isinstance(value, Mapping) else {"formatted": value}
    found = {name: told for name in _ADDRESS if (told := text(members.get(name))) is not None}
    return found or None


def plain(value: object) -> object:
    """Any JSON value without the nothings in it."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): kept for name, each in value.items() if (kept := plain(each)) is not None} or None
    if isinstance(value, list | tuple):
        return [kept for each in value if (kept := plain(each)) is not None] or None
    return value if isinstance(value, bool | int | float) else None


_TEXTS: Final = (
    "name given_name family_name middle_name nickname preferred_username profile picture website email gender"
    " zoneinfo phone_number"
)

#: The form of each standard claim; every other claim is `plain`.
FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        **dict.fromkeys(_TEXTS.split(), text),
        "email_verified": boolean,
        "phone_number_verified": boolean,
        "birthdate": day,
        "locale": locale,
        "updated_at": number,
        "address": address,
    }
)
