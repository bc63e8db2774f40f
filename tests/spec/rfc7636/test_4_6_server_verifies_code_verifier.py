"""RFC 7636 4.6: the verifier must give the challenge, and there is one try."""

import base64
import hashlib
from dataclasses import replace

import pytest

from tests.support.minting import BINDING, VERIFIER, mint

pytestmark = pytest.mark.spec("RFC 7636", "4.6")


@pytest.mark.attack("PK-03", "PK-10")
@pytest.mark.parametrize("wrong", ["", "x" * 43, VERIFIER[:-1] + "l", VERIFIER + "x"])
async def test_refuses_a_wrong_or_missing_verifier_and_burns_the_code(wrong: str) -> None:
    op = await mint()
    code = await op.code()
    assert (await op.redeem(code, code_verifier=wrong)).code == "invalid_grant"
    assert (await op.redeem(code)).code == "invalid_grant"


@pytest.mark.attack("PK-05")
@pytest.mark.parametrize("verifier", ["a" * 42, "a" * 129, "a" * 42 + " ", "a" * 42 + "é", "a" * 42 + "%"])
async def test_refuses_a_malformed_verifier_even_if_it_matched(verifier: str) -> None:
    op = await mint()
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    code = await op.code(binding=replace(BINDING, code_challenge=challenge))
    assert (await op.redeem(code, code_verifier=verifier)).code == "invalid_grant"


@pytest.mark.attack("PK-07")
async def test_compares_challenges_as_texts() -> None:
    op = await mint()
    # M and N differ in bits that the last character of 32 octets does not carry.
    code = await op.code(
        binding=replace(BINDING, code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN")
    )
    assert (await op.redeem(code)).code == "invalid_grant"


@pytest.mark.spec("RFC 9700", "4.8.2")
async def test_refuses_a_verifier_for_a_code_without_a_challenge() -> None:
    op = await mint()
    binding = replace(BINDING, code_challenge=None)
    code = await op.code(binding=binding)
    assert (await op.redeem(code)).code == "invalid_grant"
    assert (await op.redeem(code, code_verifier="")).code == "invalid_grant"
    assert (await op.redeem(await op.code(binding=binding), code_verifier="")).status == 200
