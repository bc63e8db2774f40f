"""The option that writes the golden files of configuration cases anew."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--update-goldens`; read every difference before it is committed."""
    parser.addoption("--update-goldens", action="store_true", help="write problems.txt of the cases anew")
