"""Authorization details of one profile (RFC 9396): which are good ones, whose they may be, and how users read them."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from appliance.config.declared.authorization_details import DetailsType
from appliance.config.details_schemas import compile_schema
from appliance.protocol.authorization_details import AUTHORIZATION_DETAILS, Detail, Details
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidAuthorizationDetails
from appliance.protocol.pages import DetailField, DetailView

_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\}")
#: Longest value that is shown whole: more is no detail but a document.
_LONGEST: Final = 2000


class DetailsTypes:
    """The types of a profile, compiled."""

    def __init__(self, declared: Mapping[str, DetailsType]) -> None:
        self._declared = declared
        self._accept: Mapping[str, Callable[[object], bool]] = {
            name: compile_schema(each.schema) for name, each in declared.items()
        }

    def check(self, details: Details, client: Client) -> None:
        """InvalidAuthorizationDetails: a type that is unknown or not the client's, or no good object of it (5)."""
        for each in details:
            name = str(each["type"])
            if name not in self._declared or name not in client.authorization_details_types:
                raise _problem("a type of authorization_details is not known here or not this client's")
            # An object says what type it is; the schema says the rest.
            if not self._accept[name]({member: value for member, value in each.items() if member != "type"}):
                raise _problem("authorization_details has an object that is not as its type asks for")

    def check_without_user(self, details: Details) -> None:
        """InvalidAuthorizationDetails: a type that is given to nobody but by a user (RFC 9396 6)."""
        if not all(self._declared[str(each["type"])].client_credentials for each in details):
            raise _problem("this type of authorization_details needs a user who allows it")

    def standing(self, details: Details, client: Client) -> Details:
        """Those whose types are still the client's: what a reload took away is not granted any more."""
        names = self._declared.keys() & set(client.authorization_details_types)
        return tuple(each for each in details if each["type"] in names)

    def metadata(self) -> dict[str, object]:
        """The member of provider metadata (RFC 9396 10)."""
        return {"authorization_details_types_supported": list(self._declared)} if self._declared else {}

    def view(self, detail: Detail) -> DetailView:
        """What the consent page says of an object: all that is in it, in declared words where there are some."""
        name = str(detail["type"])
        declared = self._declared[name]
        told = {path for words in declared.text.values() for path in _PLACEHOLDER.findall(words)}
        members = {path: value for path, value in _members(detail) if path != "type"}
        named = [(path, labels) for path, labels in declared.fields.items() if (_under(path, members))]
        covered = {*told, *declared.fields}
        # What no words were declared for is shown by its own name: nothing is allowed unseen.
        others = [path for path in members if not any(path == one or path.startswith(f"{one}.") for one in covered)]
        fields = [DetailField(path, labels, _shown(_under(path, members))) for path, labels in named]
        fields += [DetailField(path, {}, _shown([members[path]])) for path in others]
        text = {locale: _filled(words, members) for locale, words in declared.text.items()}
        return DetailView(type=name, title=declared.title, text=text, fields=tuple(fields))


def _members(value: object, path: str = "") -> list[tuple[str, object]]:
    """Every value in an object by its path; values of a list are one."""
    if isinstance(value, Mapping):
        return [
            found for name, child in value.items() for found in _members(child, f"{path}.{name}" if path else str(name))
        ]
    if isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        gathered: dict[str, list[object]] = {}
        for each in value:
            for below, child in _members(each, path):
                gathered.setdefault(below, []).append(child)
        return list(gathered.items())
    return [(path, value)]


def _under(path: str, members: Mapping[str, object]) -> list[object]:
    """The values at a path and below it."""
    return [value for name, value in members.items() if name == path or name.startswith(f"{path}.")]


def _filled(words: str, members: Mapping[str, object]) -> str:
    """A sentence with the values in it, each set apart from the direction of the text around it."""
    return _PLACEHOLDER.sub(lambda found: f"\u2068{_shown(_under(found[1], members))}\u2069", words)


def _shown(values: list[object]) -> str:
    """Values as plain text, without characters that change how the rest is read."""
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    text = ", ".join(each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in flat)
    whole = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return "".join("\ufffd" if unicodedata.category(each) in ("Cc", "Cf", "Co", "Cs") else each for each in whole)


def _problem(description: str) -> InvalidAuthorizationDetails:
    return InvalidAuthorizationDetails(description, parameter=AUTHORIZATION_DETAILS)
