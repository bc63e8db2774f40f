"""One running provider for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.support.live import Live, running


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A provider that serves config.example."""
    with running(tmp_path_factory.mktemp("live")) as provider:
        yield provider
