"""Keys that are slow to make are made once."""

from functools import lru_cache

import pytest

from appliance.jose.algorithms import SIGNATURE_ALGORITHMS
from appliance.jose.keys import SigningKey, generate


@lru_cache(maxsize=32)
def make_key(alg: str) -> SigningKey:
    """One key for each algorithm, for the whole run."""
    return generate(alg)


@pytest.fixture(params=sorted(SIGNATURE_ALGORITHMS))
def key(request: pytest.FixtureRequest) -> SigningKey:
    """A key of each signature algorithm in turn."""
    return make_key(request.param)


@pytest.fixture
def es256() -> SigningKey:
    """An ES256 key."""
    return make_key("ES256")


@pytest.fixture
def rs256() -> SigningKey:
    """An RS256 key."""
    return make_key("RS256")
