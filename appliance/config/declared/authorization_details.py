"""`authorization_details_types`: what clients may ask for beyond scopes, and how users read it (RFC 9396)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DetailsType:
    """One type of authorization details (RFC 9396 2)."""

    #: JSON Schema of its objects, `type` left out.
    schema: Mapping[str, object]
    #: What the consent page says, by language: a heading, and a sentence with `{members}` of the object in it.
    title: Mapping[str, str]
    text: Mapping[str, str]
    #: Members of the object that the consent page lists, a path each, and what it calls them by language.
    fields: Mapping[str, Mapping[str, str]]
    #: Whether clients may have it for themselves, without a user.
    client_credentials: bool
