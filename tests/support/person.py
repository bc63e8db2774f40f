"""A person with a browser that speaks HTTP over a socket: logs in and consents at a running provider."""

import re
from html import unescape
from urllib.parse import urlsplit

import requests

#: The users of config.example, as its README says.
PASSWORDS = {name: f"{name}-demo-password" for name in ("anna", "ben", "carol", "dora", "emil")}


class Person:
    """One browser profile of one user."""

    def __init__(self, username: str = "anna") -> None:
        self._session = requests.Session()
        self._username = username
        self._password = PASSWORDS[username]

    def authorize(self, url: str, redirect_uri: str) -> str:
        """Follow an authorization URL through its pages; the URL at the relying party that it ends at."""
        answer = self._session.get(url, allow_redirects=False, timeout=10)
        for _ in range(20):
            if answer.is_redirect:
                target = answer.headers["Location"]
                if target.startswith("/"):
                    parts = urlsplit(answer.url)
                    target = f"{parts.scheme}://{parts.netloc}{target}"
                if target.startswith(redirect_uri):
                    return target
                answer = self._session.get(target, allow_redirects=False, timeout=10)
                continue
            answer = self._fill(answer)
        raise AssertionError(f"no way through the pages: {answer.url}")

    def _fill(self, page: requests.Response) -> requests.Response:
        assert page.status_code == 200, page.text
        parts = urlsplit(page.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        action = unescape(re.findall(r'<form[^>]*action="([^"]+)"', page.text)[0])
        fields = {
            unescape(name): unescape(value)
            for name, value in re.findall(
                r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text
            )
        }
        if 'id="password"' in page.text:
            fields |= {"username": self._username, "password": self._password}
        else:
            fields["decision"] = "allow"
        return self._session.post(
            origin + action, fields, headers={"Origin": origin}, allow_redirects=False, timeout=20
        )
