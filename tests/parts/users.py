"""A small source of users, cheap hashes and a clock, for the tests of logins."""

from typing import Any

import argon2

from appliance.config.declared.profile import Throttle as Limits
from appliance.config.declared.root import PasswordHashing
from appliance.parts.sources.static import Options, User
from appliance.parts.stores.memory import Memory
from appliance.protocol.form import Params
from appliance.protocol.secret import Secret
from appliance.seams import StepRequest, Store, Tools
from appliance.seams import User as Found
from appliance.throttle import Throttle

CHEAP = PasswordHashing(memory_kib=64, iterations=1, parallelism=1, workers=2, queue=64)
LIMITS = Limits(account_failures=5, address_failures=50, window=900, delay=30)
ISSUER = "https://op.example.com/retail"
NOW = 1_800_000_000.0
TOTP_KEY = b"12345678901234567890"
HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def user(*login: str, password: str | None = "right", active: bool = True, totp: bytes | None = None) -> User:
    """A declared user."""
    return User(
        login=login,
        password=None if password is None else Secret(HASHER.hash(password).encode(), "hash"),
        totp=None if totp is None else Secret(totp, "file:totp"),
        user_code=None,
        active=active,
        attributes={"email": "x@example.com"},
    )


def options(**users: User) -> Options:
    """Options of a static source."""
    return Options(users)


def throttle(store: Store | None = None, clock: Clock | None = None, limits: Limits = LIMITS) -> Throttle:
    """A throttle on a store of its own."""
    tools = Tools(clock=clock or Clock(), entropy=bytes)
    return Throttle(store or Memory(tools), tools, limits, ISSUER)


def step(
    at: float = NOW, known: Found | None = None, hint: str = "", peer: str = "192.0.2.1", **form: Any
) -> StepRequest:
    """One step of a login; further arguments are fields of its form."""
    return StepRequest(Params(form.items()), known, hint, {}, ISSUER, peer, at)
