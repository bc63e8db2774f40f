"""`themes/<id>/`: what a designer dropped in, read but not yet compiled."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThemeFiles:
    """A theme folder read whole: relative path to bytes (`theme.yaml` included), and its parsed settings."""

    id: str
    #: Where it was read from, for diagnostics: a path relative to the configuration, or "built in".
    origin: str
    #: theme.yaml as plain JSON-like values, validated by `schemas/theme.json`.
    settings: Mapping[str, object]
    #: messages/<locale>.yaml: locale to flat key to text.
    messages: Mapping[str, Mapping[str, str]]
    #: templates/*.html: file name to source.
    templates: Mapping[str, str]
    #: assets/*: file name to bytes.
    assets: Mapping[str, bytes]
