"""A provider where people make accounts, and somebody who makes one."""

import json
from contextlib import AbstractAsyncContextManager
from typing import Any

from appliance.protocol.form import encode
from appliance.protocol.messages import Response
from tests.support.browser import Browser
from tests.support.provider import Provider, provider

REDIRECT_URI = "https://shop.example.com/callback"
PASSWORD = "correct horse battery"
ASKED = {
    "client_id": "shop",
    "redirect_uri": REDIRECT_URI,
    "response_type": "code",
    "scope": "openid",
    "state": "s",
    "ui_locales": "en",
}
LOWEST = "urn:example:acr:password"
#: The profile of the case, with what tests change.
PROFILE: dict[str, Any] = {
    "profile": "main",
    "issuer": "http://localhost:8080",
    "claims": "person",
    "acr": [{"value": LOWEST, "policy": "password"}],
    "scopes": {
        "openid": {},
        "profile": {"claims": ["name", "preferred_username"]},
        "email": {"claims": ["email"]},
        "phone": {"claims": ["phone_number"]},
    },
    "sign_up": {
        "source": "people",
        "fields": [
            {"claim": "email"},
            {"claim": "name", "attribute": "profile.name", "required": False},
            {"claim": "phone_number", "required": False},
            {"claim": "birthdate", "required": False},
        ],
    },
}
SHOP = {
    "client_id": "shop",
    "client_name": "Shop",
    "redirect_uris": [REDIRECT_URI],
    "scope": "openid profile email phone",
    "client_secrets": [{"id": "1", "file": "secrets/shop"}],
    "op": {"profile": "main"},
}
SECRET = "0123456789abcdef0123456789abcdef-of-shop"


def files(profile: dict[str, Any] | None = None, **more: Any) -> dict[str, str]:
    """The files that differ from the accepted case `sign-up`; JSON is YAML."""
    return {
        "op.yaml": json.dumps(
            {
                "version": 1,
                "name": "sign-up",
                "storage": {"kind": "sqlite", "path": "op.sqlite"},
                "password_hashing": {"memory_kib": 8192, "iterations": 1},
            }
        ),
        "profiles/main.yaml": json.dumps(PROFILE | (profile or {})),
        "clients/shop.yaml": json.dumps(SHOP),
        "secrets/shop": SECRET,
        **{name: json.dumps(value) for name, value in more.items()},
    }


def open_provider(profile: dict[str, Any] | None = None, **more: Any) -> AbstractAsyncContextManager[Provider]:
    """The provider. `profile` replaces members of the profile, `more` whole files."""
    return provider("sign-up", edit=files(profile, **more))


def address(**changes: str) -> str:
    """An authorization request; an empty value leaves a parameter out."""
    return "/authorize?" + encode((name, value) for name, value in (ASKED | changes).items() if value)


async def fill_in(
    browser: Browser, page: Response, login: str = "Anna", password: str = PASSWORD, **fields: str
) -> Response:
    """Send the sign-up page's form; further fields by their claims."""
    typed = {"email": "anna@example.com"} | fields
    return await browser.submit(
        page, username=login, password=password, **{f"field-{name}": value for name, value in typed.items()}
    )


async def sign_up(op: Provider, login: str = "Anna", password: str = PASSWORD, **fields: str) -> Browser:
    """A browser whose user has just made an account; it shows the consent page."""
    browser = Browser(op)
    shown = await fill_in(browser, await browser.visit(address(prompt="create")), login, password, **fields)
    assert b'id="allow"' in shown.body, shown.body
    return browser
