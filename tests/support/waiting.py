"""config.example with clients whose users decide elsewhere: devices (RFC 8628) and CIBA clients."""

import itertools
import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from appliance.jose.keys import SigningKey
from appliance.jose.tokens import sign
from appliance.protocol.messages import Response
from tests.support.browser import Browser
from tests.support.provider import ROOT, Provider
from tests.support.relying import Answer, RelyingParty

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
CIBA = "urn:openid:params:grant-type:ciba"
ISSUER = "http://localhost:8080/retail"
LEVEL = "urn:onegini.com:oidc:authentication_level:"
SECRETS = {
    name: f"{name}-9f31c7be2d84506b1a7c3d9e5f204a81" for name in ("box", "bank", "shop", "one", "two", "three", "four")
}

_COUNT = itertools.count()
_GRANTS = "grant_types_supported: [authorization_code, implicit, refresh_token"


def client(client_id: str, **members: Any) -> dict[str, str]:
    """The files of a client: confidential where it has a secret here."""
    own = members.pop("op", {})
    known = {"client_secrets": [{"id": "1", "file": f"secrets/{client_id}"}]} if client_id in SECRETS else {}
    whole = {
        "client_id": client_id,
        "client_name": client_id.capitalize(),
        "response_types": [],
        "scope": "openid profile email offline_access",
        "token_endpoint_auth_method": "client_secret_basic" if known else "none",
        "subject_type": "public",
        **known,
        **members,
        "op": {"profile": "retail"} | own,
    }
    files = {f"clients/retail/{client_id}.yaml": json.dumps(whole)}
    return files | ({f"secrets/{client_id}": SECRETS[client_id]} if known else {})


def retail(*grants: str, **settings: Any) -> dict[str, str]:
    """The file of the profile `retail` that offers these grant types as well."""
    text = (ROOT / "config.example" / "profiles" / "retail.yaml").read_text()
    assert _GRANTS in text
    text = text.replace(_GRANTS, ", ".join((_GRANTS, *(f'"{grant}"' for grant in grants))))
    more = "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())
    return {"profiles/retail.yaml": f"{text}\n{more}"}


def devices(**settings: Any) -> dict[str, str]:
    """A provider with a television without a secret, a box with one, and a client without the grant's use."""
    grants = [DEVICE, "refresh_token"]
    return {
        **retail(DEVICE, **settings),
        **client("tv", grant_types=grants),
        **client("box", grant_types=grants, op={"refresh_token": "always"}),
    }


class Device(RelyingParty):
    """A device, its user's browser somewhere else, and the polls."""

    def __init__(self, op: Provider, client_id: str = "tv", browser: Browser | None = None) -> None:
        super().__init__(op, client_id, path="/retail", browser=browser)
        self.begun = Answer(0, {})

    async def begin(self, **form: str | None) -> Answer:
        """The device authorization request."""
        self.begun = await self.token(at="/device_authorization", **({"scope": "openid profile"} | form))
        return self.begun

    async def poll(self, **form: str | None) -> Answer:
        """One poll."""
        whole = {"grant_type": DEVICE, "device_code": self.begun.body.get("device_code")}
        return await self.token(**(whole | form))

    async def wait_and_poll(self) -> Answer:
        """A poll that comes late enough."""
        self.op.clock.forward(6)
        return await self.poll()

    async def type_code(self, code: str | None = None) -> Response:
        """Go to the verification address and type the code."""
        shown = await self.browser.visit("/retail/device")
        return await self.browser.submit(shown, user_code=self.begun["user_code"] if code is None else code)

    async def decide(self, user: str = "anna", *, allow: bool = True) -> Response:
        """Type the code, log in, and answer."""
        return await self.through(await self.type_code(), user, allow=allow)

    async def complete(self) -> Response:
        """Follow verification_uri_complete."""
        parts = urlsplit(self.begun["verification_uri_complete"])
        return await self.browser.visit(f"{parts.path}?{parts.query}")


def text_of(response: Response) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.body.decode()))


def query(**members: str) -> str:
    """A query string."""
    return urlencode(members)


def backchannels(**settings: Any) -> dict[str, str]:
    """A provider with clients that ask about users: a bank that polls, a shop that is pinged, a stranger."""
    grants = [CIBA, "refresh_token"]
    return {
        **retail(CIBA, **settings),
        **client("bank", grant_types=grants),
        **client(
            "shop",
            grant_types=grants,
            backchannel_token_delivery_mode="ping",
            backchannel_client_notification_endpoint="https://shop.example/ciba",
        ),
    }


class Caller(RelyingParty):
    """A client that asks for its user without a browser, and the user's browser somewhere else."""

    def __init__(self, op: Provider, client_id: str = "bank", browser: Browser | None = None) -> None:
        super().__init__(op, client_id, path="/retail", browser=browser)
        self.begun = Answer(0, {})

    async def begin(self, **form: str | None) -> Answer:
        """The backchannel authentication request."""
        whole = {"scope": "openid profile", "login_hint": "anna", "binding_message": "W4SCT"}
        self.begun = await self.token(at="/backchannel_authentication", **(whole | form))
        return self.begun

    async def poll(self, **form: str | None) -> Answer:
        """One poll."""
        whole = {"grant_type": CIBA, "auth_req_id": self.begun.body.get("auth_req_id")}
        return await self.token(**(whole | form))

    async def wait_and_poll(self) -> Answer:
        """A poll that comes late enough."""
        self.op.clock.forward(6)
        return await self.poll()

    async def list(self, user: str = "anna") -> Response:
        """The page of waiting requests, behind a login where one is needed."""
        return await self.through(await self.browser.visit("/retail/approvals"), user)

    async def decide(self, user: str = "anna", *, allow: bool = True) -> Response:
        """Take the first request up and answer."""
        shown = await self.list(user)
        return await self.through(await self.browser.submit(shown, button="review-1"), user, allow=allow)


def loopback() -> dict[str, str]:
    """op.yaml of a provider that may ask this very machine."""
    text = (ROOT / "config.example" / "op.yaml").read_text()
    return {"op.yaml": f"{text}\noutbound: {{allow_loopback: true}}\n"}


def signed(caller: Caller, key: SigningKey, **changes: Any) -> str:
    """A signed authentication request; None takes a member away."""
    now = int(caller.op.clock())
    members: dict[str, Any] = {
        "iss": caller.client_id,
        "aud": ISSUER,
        "exp": now + 300,
        "iat": now,
        "nbf": now,
        "jti": f"jti-{next(_COUNT)}",
        "scope": "openid profile",
        "login_hint": "anna",
        "binding_message": "W4SCT",
    } | changes
    return sign(key, {name: value for name, value in members.items() if value is not None}, "JWT")
