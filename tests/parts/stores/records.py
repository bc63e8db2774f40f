"""Records to try stores with."""

from types import MappingProxyType

from appliance.protocol.authorization import Authorization, ClaimsRequest, Subject
from appliance.protocol.records import Attempts, AuthorizationCode, Interaction, RefreshToken, Session, Used

ISSUER = "https://op.example.com/retail"
LATER = 1_000_600.0


def used(id: str = "u1", expires_at: float = LATER, issuer: str = ISSUER) -> Used:
    """A record without indexes."""
    return Used(id=id, issuer=issuer, expires_at=expires_at)


def attempts(id: str = "a1", failures: int = 1, expires_at: float = LATER) -> Attempts:
    """A record with a value to change."""
    return Attempts(id=id, issuer=ISSUER, expires_at=expires_at, failures=failures, last_at=1_000_000.0)


def session(
    id: str = "s1",
    user: str = "accounts\x1falice",
    sid: str = "",
    expires_at: float = LATER,
    issuer: str = ISSUER,
) -> Session:
    """A record with two indexes."""
    return Session(
        id=id,
        issuer=issuer,
        expires_at=expires_at,
        sid=sid or f"sid-{id}",
        subject=Subject("accounts", "alice"),
        user=user,
        login="Alice",
        proofs=(),
        created_at=1_000_000.0,
        seen_at=1_000_000.0,
        clients=("webshop",),
    )


def interaction(id: str = "i1", parameters: dict[str, str] | None = None, expires_at: float = LATER) -> Interaction:
    """A record with a mapping in it."""
    return Interaction(
        id=id,
        issuer=ISSUER,
        expires_at=expires_at,
        client_id="webshop",
        parameters=MappingProxyType(parameters or {"scope": "openid"}),
        browser="b",
        created_at=1_000_000.0,
        session="",
        proved=(),
        selected=False,
        consented_user="",
        consented=(),
        step_state={},
    )


def authorization(id: str = "authorization-1") -> Authorization:
    """What was granted, with a claims request of every shape."""
    return Authorization(
        id=id,
        issuer=ISSUER,
        client_id="webshop",
        subject=Subject("accounts", "alice"),
        sub="alice",
        scope=("openid", "email"),
        claims=ClaimsRequest(
            id_token=MappingProxyType({"email": None}),
            userinfo=MappingProxyType({"acr": MappingProxyType({"values": ("1", "2"), "essential": True})}),
        ),
        acr=None,
        amr=("pwd",),
        auth_time=1_000_000,
        nonce=None,
        sid=None,
        auth_time_required=False,
        claims_locales=(),
    )


def code(id: str = "c1", authorization_id: str = "authorization-1", expires_at: float = LATER) -> AuthorizationCode:
    """A code."""
    return AuthorizationCode(
        id=id,
        issuer=ISSUER,
        expires_at=expires_at,
        authorization_id=authorization_id,
        authorization=authorization(authorization_id),
        redirect_uri="https://rp.example.com/cb",
        code_challenge=None,
        redeemable_until=expires_at,
        redeemed=False,
        offline=True,
    )


def refresh_token(id: str = "r1", authorization_id: str = "authorization-1") -> RefreshToken:
    """A refresh token."""
    return RefreshToken(
        id=id,
        issuer=ISSUER,
        expires_at=LATER,
        authorization_id=authorization_id,
        authorization=authorization(authorization_id),
        family_until=LATER,
        rotated_at=0.0,
        sealed_successor="",
    )
