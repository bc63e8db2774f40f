"""themes/README.md says what the code says."""

import os
from dataclasses import fields

from appliance.pages.context import PageContext
from appliance.pages.readme import field_comments, readme
from appliance.protocol.pages import PAGES, THEME_API
from appliance.resources import THEMES


def test_the_readme_is_current() -> None:
    path = THEMES / "README.md"
    if os.environ.get("THEMES_README") == "write":
        path.write_text(readme(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == readme()


def test_every_variable_of_every_page_is_explained() -> None:
    # Fields that the class docstring or their type explains need no line of their own.
    plain = {"scopes", "accounts", "login", "consents", "redirect_uri", "fields"}
    for kind in (PageContext, *PAGES):
        comments = field_comments(kind)
        unexplained = {field.name for field in fields(kind)} - set(comments) - plain
        assert unexplained == set(), kind.__name__


def test_the_contract_that_designers_rely_on_is_unchanged() -> None:
    """A golden list: taking a name away breaks themes out there, and needs another theme_api."""
    assert THEME_API == 1
    assert {page.template: tuple(field.name for field in fields(page)) for page in PAGES} == {
        "login.html": ("login", "login_fixed", "error", "sign_up"),
        "sign_up.html": (
            "login", "login_error", "password_error", "password_min_length", "fields", "faults", "error", "sign_in",
        ),
        "otp.html": ("login", "error"),
        "consent.html": ("login", "scopes", "claims", "details", "resources"),
        "device.html": ("user_code", "error"),
        "approval.html": ("login", "scopes", "claims", "details", "resources", "user_code", "binding_message"),
        "approvals.html": ("login", "requests"),
        "decided.html": ("allowed",),
        "accounts.html": ("accounts",),
        "logout.html": ("login",),
        "logged_out.html": ("post_logout_redirect_uri",),
        "consents.html": ("login", "consents"),
        "error.html": ("error", "message", "parameter", "description", "reference", "restart", "custom"),
        "form_post.html": ("redirect_uri", "fields"),
    }
    assert tuple(field.name for field in fields(PageContext)) == (
        "page", "theme", "profile", "client", "locale", "dir", "failed", "action", "csrf", "languages", "links",
        "t", "say", "has", "asset", "date", "scope_text", "claim_text", "chosen", "auto_submit",
        "logout_frames",
    )  # fmt: skip
