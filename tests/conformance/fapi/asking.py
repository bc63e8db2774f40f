"""A FAPI-CIBA client in small: signed requests, polls, and the user at the page of waiting requests."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from jwcrypto.jwk import JWK

from appliance.protocol.messages import Response
from tests.conformance.fapi.suite import CIBA, USUAL, Rp, Sent, Suite
from tests.conformance.judging import check_entropy
from tests.conformance.suite import signed_jwt
from tests.support.browser import Browser

PATH = "/backchannel_authentication"


class Asking:
    """One client that asks about foo."""

    def __init__(self, suite: Suite, rp: Rp) -> None:
        self.suite = suite
        self.rp = rp
        self.token = secrets.token_urlsafe(24)

    def request(self, alg: str = "PS256", key: JWK | None = None, **changes: Any) -> str:
        """A signed authentication request; None takes a claim away."""
        now = self.suite.now
        claims: dict[str, Any] = {
            "iss": self.rp.client_id,
            "aud": self.rp.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": secrets.token_hex(12),
            "scope": "openid",
            "login_hint": "foo",
            "binding_message": "1234",
            **({"client_notification_token": self.token} if self.rp.group.endswith("ping") else {}),
            **changes,
        }
        return signed_jwt({name: value for name, value in claims.items() if value is not None}, key or self.rp.key, alg)

    async def ask(self, sent: Sent = USUAL, form: Mapping[str, str] | None = None, **changes: Any) -> Response:
        """The request; `form` is sent instead of the signed one."""
        whole = {"request": self.request(**changes)} if form is None else form
        return await self.suite.call(self.rp, PATH, whole, sent)

    async def begin(self, **changes: Any) -> dict[str, Any]:
        """The acknowledgement of a good request."""
        response = await self.ask(**changes)
        assert response.status == 200, response.body
        told: dict[str, Any] = json.loads(response.body)
        check_entropy(told["auth_req_id"])
        assert type(told["expires_in"]) is int and told["expires_in"] > 0
        assert type(told.get("interval", 5)) is int
        return told

    async def poll(self, told: Mapping[str, Any], sent: Sent = USUAL, **more: str) -> Response:
        """One poll."""
        form = {"grant_type": CIBA, "auth_req_id": str(told["auth_req_id"]), **more}
        return await self.suite.call(self.rp, "/token", form, sent)

    async def decide(self, button: str = "allow") -> Browser:
        """The user takes the newest request up and answers it."""
        browser = self.suite.browser()
        shown = await browser.visit(f"{self.rp.path}/approvals")
        shown = await browser.submit(shown, button="submit", username="foo", password="bar")
        shown = await browser.submit(shown, button="review-1")
        await self.suite.through(browser, shown, button)
        return browser

    async def tokens(self, **changes: Any) -> dict[str, Any]:
        """A whole flow: the tokens."""
        told = await self.begin(**changes)
        await self.decide()
        return self.suite.check_tokens(self.rp, await self.poll(told))
