"""The words behind every diagnostic code; a code never changes its meaning.

`engine` has the codes of files, YAML, shape and secrets, `rules` those of the cross-reference rules, `compat`
those of what bends a specification.
"""

from collections.abc import Mapping
from types import MappingProxyType

from appliance.config.codes import compat, engine, rules
from appliance.config.codes.text import CodeText

if _twice := (engine.CODES.keys() & rules.CODES.keys()) | (compat.CODES.keys() & {*engine.CODES, *rules.CODES}):
    raise ValueError(f"codes with two meanings: {sorted(_twice)}")

#: Code to severity, title and explanation; `appliance explain OP102` prints these.
CODES: Mapping[str, CodeText] = MappingProxyType({**engine.CODES, **rules.CODES, **compat.CODES})
