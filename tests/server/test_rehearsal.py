"""A generation whose keys do not work is refused before anybody meets it."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.jose.keys import generate_decryption
from appliance.jose.problems import TokenProblem
from tests.support.objects import ENCRYPTED, shop_provider

pytestmark = pytest.mark.spec("OpenID Connect Core 1.0", "10.2.1")


async def test_every_published_key_is_tried_before_a_generation_goes_live() -> None:
    async with shop_provider(profile=ENCRYPTED) as op:
        await op.snapshot.rehearse()
        keys: Any = op.snapshot.profiles["main"].keys
        whole = keys._keys
        for missing in whole.published:
            keys._keys = replace(whole, decryption=tuple(key for key in whole.decryption if key is not missing))
            with pytest.raises(TokenProblem):
                await op.snapshot.rehearse()


async def test_a_key_that_only_has_the_name_of_the_published_one_is_refused() -> None:
    async with shop_provider(profile=ENCRYPTED) as op:
        keys: Any = op.snapshot.profiles["main"].keys
        swapped = tuple(generate_decryption(key.alg, kid=key.kid) for key in keys.decryption())
        keys._keys = replace(keys._keys, decryption=swapped)
        with pytest.raises(TokenProblem):
            await op.snapshot.rehearse()


async def test_a_profile_without_keys_to_encrypt_to_has_nothing_to_try() -> None:
    async with shop_provider() as op:
        await op.snapshot.rehearse()
