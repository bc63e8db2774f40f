"""RFC 6749 3.3: what a request without `scope` is for."""

from typing import Any

import pytest

from tests.support.pushing import Shop, pushing_provider

SCOPES: dict[str, Any] = {
    "openid": {},
    "email": {"claims": ["email"]},
    "reports.read": {"description": {"en": "Read reports"}},
    "reports.write": {"description": {"en": "Write reports"}},
}
PROFILE: dict[str, Any] = {
    "scopes": SCOPES,
    "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
}
CLIENT: dict[str, Any] = {
    "scope": "openid email reports.read reports.write",
    "grant_types": ["authorization_code", "client_credentials"],
}
OP = {"profile": "main", "consent": "skip_first_party"}


async def granted(profile: dict[str, Any], op: dict[str, Any], scope: str | None) -> str | None:
    """The scope of the tokens of a login."""
    async with pushing_provider(profile=PROFILE | profile, **CLIENT, op=OP | op) as made:
        found: str | None = (await Shop(made).tokens(scope=scope)).body.get("scope")
        return found


@pytest.mark.spec("RFC 6749", "3.3")
@pytest.mark.parametrize(
    ("profile", "client", "scope", "expected"),
    [
        (None, None, None, None),
        ("reports.read", None, None, "reports.read"),
        ("reports.read", ["reports.write"], None, "reports.write"),
        ("reports.read", [], None, None),
        (None, "openid email", None, "openid email"),
        ("reports.read", "openid", "reports.write", "reports.write"),
    ],
)
async def test_takes_the_clients_default_or_the_profiles(
    profile: Any, client: Any, scope: str | None, expected: str | None
) -> None:
    settings = {} if profile is None else {"default_scope": profile}
    own = {} if client is None else {"default_scope": client}
    assert await granted(settings, own, scope) == expected


@pytest.mark.spec("RFC 6749", "3.3")
async def test_gives_by_default_only_what_is_the_clients() -> None:
    profile = PROFILE | {"default_scope": "openid reports.read", "unknown_scopes": "reject"}
    async with pushing_provider(profile=profile, scope="openid", op=OP) as op:
        assert (await Shop(op).tokens(scope=None))["scope"] == "openid"


@pytest.mark.spec("RFC 6749", "4.4.2")
async def test_gives_a_client_for_itself_its_own_default() -> None:
    form = {"grant_type": "client_credentials"}
    async with pushing_provider(profile=PROFILE, **CLIENT, op=OP | {"default_scope": "reports.read"}) as op:
        assert (await Shop(op).post("/token", form))["scope"] == "reports.read"
        wider = await Shop(op).post("/token", form | {"scope": "reports.write"})
        assert wider["scope"] == "reports.write"
