"""Where the files that ship with the code lie: schemas, themes and the example configuration.

In a checkout they are directories beside this package; in an installed wheel they are bundled inside it.
Everything that reads such a file asks here, so that no other module knows about the two layouts.
"""

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent


def _resolve_root(package: Path) -> Path:
    """The directory that holds schemas/, themes/ and config.example/ for the given package directory."""
    checkout = package.parent
    # site-packages may well hold somebody else's "themes"; only a checkout has the project file too.
    if (checkout / "pyproject.toml").is_file():
        return checkout
    return package / "_bundled"


_ROOT: Final = _resolve_root(_PACKAGE)

SCHEMAS: Final[Path] = _ROOT / "schemas"
THEMES: Final[Path] = _ROOT / "themes"
CONFIG_EXAMPLE: Final[Path] = _ROOT / "config.example"
