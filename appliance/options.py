"""What configuration names by `kind`, with the class of its options: how `config` learns of parts it may not know.

Apart from `assembly`, so that the process that only reads files does not load everything that serves.
"""

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

from appliance.parts.authenticators import AUTHENTICATORS
from appliance.parts.sources import SOURCES


def _options_type(part: Callable[..., object]) -> type:
    """The Options class beside a part's class: one file, one part."""
    options: type = vars(sys.modules[part.__module__])["Options"]
    return options


#: Family to kind to Options class.
PARTS: Mapping[str, Mapping[str, type]] = MappingProxyType(
    {
        "sources": {name: _options_type(part) for name, part in SOURCES.items()},
        "authenticators": {name: _options_type(part) for name, part in AUTHENTICATORS.items()},
    }
)
