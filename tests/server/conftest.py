"""Directories to serve."""

from pathlib import Path

import pytest

from tests.server.serving import write_config


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A small good configuration."""
    return write_config(tmp_path / "config")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where its provider keeps its state."""
    return tmp_path / "state"
