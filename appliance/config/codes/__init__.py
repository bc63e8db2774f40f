"""The words behind every diagnostic code; a code never changes its meaning.

`engine` has the codes of files, YAML, shape and secrets, `rules` those of the cross-reference rules, `compat`
those of what bends a specification, and each further module those of one capability.
"""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from appliance.config.codes import (
    authorization,
    compat,
    engine,
    grants,
    rules,
    security,
    sender_constraint,
    sign_up,
    waiting,
)
from appliance.config.codes.text import CodeText

_PLACES = (
    engine.CODES,
    rules.CODES,
    compat.CODES,
    authorization.CODES,
    security.CODES,
    sender_constraint.CODES,
    sign_up.CODES,
    grants.CODES,
    waiting.CODES,
)

if _twice := [code for code, number in Counter(code for place in _PLACES for code in place).items() if number > 1]:
    raise ValueError(f"codes with two meanings: {sorted(_twice)}")

#: Code to severity, title and explanation; `appliance explain OP102` prints these.
CODES: Mapping[str, CodeText] = MappingProxyType({code: text for place in _PLACES for code, text in place.items()})
