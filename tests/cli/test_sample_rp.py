"""The first five minutes: an empty folder, a provider, the sample relying party, a login."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar, web

from appliance.cli.hash_password import COST
from appliance.demo import scaffold
from appliance.demo.run import find_registration
from appliance.demo.sample_rp import Registration, SampleRelyingParty
from appliance.passwords import Passwords
from appliance.server.app import running
from appliance.server.place import Place
from tests.support.live import free_ports


class Browser:
    """A browser without scripts."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def get(self, address: str) -> tuple[str, str]:
        """Address and text of the page in the end."""
        async with self._session.get(address) as answer:
            return await self._read(answer)

    async def submit(self, page: tuple[str, str], button: str = "", **typed: str) -> tuple[str, str]:
        """Send the form that has a button (the first one without), with its hidden fields."""
        address, text = page
        forms = re.findall(r"<form[^>]*>.*?</form>", text, re.DOTALL)
        form = next(form for form in forms if not button or f'id="{button}"' in form)
        head = form[: form.index(">")]
        action = re.search(r'action="([^"]*)"', head)
        fields = dict(typed)
        for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", form):
            attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
            fields.setdefault(attributes["name"], unescape(attributes.get("value", "")))
        for tag in re.findall(r"<button[^>]*>", form):
            attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
            if "name" in attributes and (not button or attributes.get("id") == button):
                fields[attributes["name"]] = unescape(attributes.get("value", ""))
        target = urljoin(address, unescape(action[1]) if action else address)
        async with self._session.post(target, data=fields) as answer:
            return await self._read(answer)

    async def _read(self, answer: ClientResponse) -> tuple[str, str]:
        return str(answer.url), await answer.text()


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[tuple[Browser, Registration, str]]:
    """A scaffold that is served, its relying party, and its user's password."""
    directory, (public, own) = tmp_path / "config", free_ports(2)
    passwords = Passwords(COST)
    hashed = await passwords.hash("correct horse battery")
    passwords.close()
    scaffold.write(directory, lambda _: hashed)
    op = directory / "op.yaml"
    listeners = f'{{public: {{bind: "127.0.0.1:{public}"}}, admin: {{bind: "localhost:0"}}}}'
    op.write_text(op.read_text() + f"listeners: {listeners}\n")
    profile, client = directory / "profiles" / "main.yaml", directory / "clients" / "sample.yaml"
    profile.write_text(profile.read_text().replace("127.0.0.1:8080", f"127.0.0.1:{public}"))
    async with running(Place(directory, None, tmp_path / "state")) as provider:
        declared = provider.reloader.settings
        assert declared is not None
        found = find_registration(declared, directory)
        origin = f"http://127.0.0.1:{own}"
        client.write_text(client.read_text().replace("http://127.0.0.1:8081", origin))
        await provider.reloader.request("request")
        registration = Registration(found.issuer, found.client_id, found.client_secret, origin, found.scope)
        runner = web.AppRunner(SampleRelyingParty(registration).application())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", own).start()
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
            yield Browser(session), registration, "correct horse battery"
        await runner.cleanup()


@pytest.mark.spec("OpenID Connect Core 1.0", "3.1")
async def test_a_user_signs_in_and_out(demo: tuple[Browser, Registration, str]) -> None:
    browser, rp, password = demo
    page = await browser.get(f"{rp.origin}/login")
    assert 'id="password"' in page[1], page
    page = await browser.submit(page, username="anna", password=password)
    if 'id="allow"' in page[1]:
        page = await browser.submit(page, "allow")
    assert page[0] == f"{rp.origin}/"
    assert 'id="who"' in page[1]
    assert "u1" in page[1]
    page = await browser.submit(page, "userinfo")
    assert "anna@example.com" in page[1]
    page = await browser.submit(page, "refresh")
    assert "New tokens." in page[1]
    page = await browser.submit(page, "logout")
    assert 'id="who"' not in (await browser.get(f"{rp.origin}/"))[1]


async def test_a_denied_consent_comes_back_as_an_error(demo: tuple[Browser, Registration, str]) -> None:
    browser, rp, password = demo
    page = await browser.get(f"{rp.origin}/login")
    page = await browser.submit(page, username="anna", password=password)
    page = await browser.submit(page, "deny")
    assert "access_denied" in page[1]


async def test_an_answer_that_belongs_to_no_login_here_is_refused(demo: tuple[Browser, Registration, str]) -> None:
    browser, rp, _ = demo
    assert "began no login" in (await browser.get(f"{rp.origin}/callback?code=x&state=y"))[1]
    await browser.get(f"{rp.origin}/login")
    assert "another login" in (await browser.get(f"{rp.origin}/callback?code=x&state=y"))[1]
