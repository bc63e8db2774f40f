"""A person with a browser that speaks HTTP over a socket: logs in and consents at a running provider."""

import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urljoin, urlsplit

import requests

from tests.support.live import PATIENCE

#: The users of config.example, as its README says.
PASSWORDS = {name: f"{name}-demo-password" for name in ("anna", "ben", "carol", "dora", "emil")}


@dataclass(frozen=True)
class Arrival:
    """What the browser brings to a relying party: an address it is sent to, or a form that is posted there."""

    url: str
    form: dict[str, str] = field(default_factory=dict)


class Person:
    """One browser profile of one user, who answers the consent page with `decision`."""

    def __init__(self, username: str = "anna", decision: str = "allow") -> None:
        self.session = requests.Session()
        self._username = username
        self._password = PASSWORDS[username]
        self._decision = decision

    def authorize(self, url: str, redirect_uri: str) -> str:
        """Follow an authorization URL through its pages; the URL at the relying party that it ends at."""
        return self.arrive(url, redirect_uri).url

    def arrive(self, url: str, redirect_uri: str) -> Arrival:
        """Follow an authorization URL through its pages to the relying party, by redirect or by form."""
        answer = self.session.get(url, allow_redirects=False, timeout=PATIENCE)
        for _ in range(20):
            if answer.is_redirect:
                target = urljoin(answer.url, answer.headers["Location"])
                if target.startswith(redirect_uri):
                    return Arrival(target)
                answer = self.session.get(target, allow_redirects=False, timeout=PATIENCE)
                continue
            action, fields = self._form(answer)
            if action.startswith(redirect_uri):
                return Arrival(action, fields)
            answer = self._fill(answer, action, fields)
        raise AssertionError(f"no way through the pages: {answer.url}")

    def through(self, url: str, end: str, **answers: str) -> requests.Response:
        """Follow an address of the provider through its pages to the one that has `end`; fields by their names."""
        answer = self.session.get(url, allow_redirects=False, timeout=PATIENCE)
        for _ in range(20):
            if answer.is_redirect:
                target = urljoin(answer.url, answer.headers["Location"])
                answer = self.session.get(target, allow_redirects=False, timeout=PATIENCE)
            elif end in answer.text:
                return answer
            else:
                action, fields = self._form(answer)
                named = {name: value for name, value in answers.items() if f'name="{name}"' in answer.text}
                if named.get("decision", "") not in answer.text:
                    del named["decision"]  # no button of this page
                answer = self._fill(answer, action, fields | named)
        raise AssertionError(f"no way through the pages: {answer.url}")

    def confirm(self, page: requests.Response) -> requests.Response:
        """Answer the one question of a page."""
        return self._fill(page, *self._form(page))

    @staticmethod
    def _form(page: requests.Response) -> tuple[str, dict[str, str]]:
        assert page.status_code == 200, page.text
        action = unescape(re.findall(r'<form[^>]*action="([^"]+)"', page.text)[0])
        hidden = r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"'
        fields = {unescape(name): unescape(value) for name, value in re.findall(hidden, page.text)}
        return urljoin(page.url, action), fields

    def _fill(self, page: requests.Response, action: str, fields: dict[str, str]) -> requests.Response:
        if 'id="password"' in page.text:
            fields |= {"username": self._username, "password": self._password}
        else:
            fields.setdefault("decision", self._decision)
        parts = urlsplit(page.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        return self.session.post(action, fields, headers={"Origin": origin}, allow_redirects=False, timeout=PATIENCE)
