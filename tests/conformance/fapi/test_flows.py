"""Modules with a client that does everything right, or something that must do no harm."""

import pytest

from tests.conformance.fapi.suite import GROUPS, Suite

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2")]


@pytest.mark.conformance("fapi2-security-profile-final-happy-flow")
@pytest.mark.parametrize("group", GROUPS)
async def test_happy_flow(suite: Suite, group: str) -> None:
    for number in (1, 2):
        flow = await suite.flow(suite.rp(group, number))
        assert flow["refresh_token"]
