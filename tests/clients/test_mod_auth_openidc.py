"""Debian's Apache httpd with mod_auth_openidc, as a relying party that protects a folder."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

import pytest
import requests

from tests.clients.conftest import HTTPD_SECRET, Stage
from tests.support.live import PATIENCE, answers, eventually
from tests.support.person import Person

HTTPD = Path("/usr/sbin/apache2")
MODULES = Path("/usr/lib/apache2/modules")
PAGE = '<p id="user"><!--#echo var="REMOTE_USER" --></p><p id="name"><!--#echo var="OIDC_CLAIM_name" --></p>'


@contextmanager
def running(stage: Stage, response_mode: str) -> Iterator[str]:
    """The httpd with the test's own configuration; its origin."""
    missing = [str(path) for path in (HTTPD, MODULES / "mod_auth_openidc.so") if not path.exists()]
    if missing:
        pytest.fail(f"{' and '.join(missing)} not there: run tests/install-system-packages.sh")
    origin = f"http://localhost:{stage.httpd_port}"
    with TemporaryDirectory() as scratch:
        directory = Path(scratch)
        (directory / "htdocs/protected").mkdir(parents=True)
        (directory / "htdocs/protected/index.html").write_text(PAGE)
        (directory / "htdocs/bye.html").write_text("<p>Good bye.</p>")
        # A httpd that root starts reads as another user.
        directory.chmod(0o755)
        template = Template(Path(__file__).with_name("httpd.conf.template").read_text())
        (directory / "httpd.conf").write_text(
            template.substitute(
                directory=directory,
                modules=MODULES,
                user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
                port=stage.httpd_port,
                origin=origin,
                issuer=stage.issuer,
                secret=HTTPD_SECRET,
                response_mode=response_mode,
            )
        )
        log = directory / "stderr.log"
        with log.open("wb") as out:
            command = [str(HTTPD), "-f", str(directory / "httpd.conf"), "-DFOREGROUND"]
            process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            _wait(process, f"{origin}/bye.html", [log, directory / "error.log"])
            yield origin
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, logs: list[Path]) -> None:
    if not eventually(lambda: process.poll() is not None or answers(url)) or process.poll() is not None:
        said = "\n".join(log.read_text() for log in logs if log.exists())
        pytest.fail(f"the httpd did not start: {said}")


def visit(person: Person, origin: str) -> requests.Response:
    """Open the protected page, through the provider where the httpd asks for it."""
    answer = person.session.get(f"{origin}/protected/", allow_redirects=False, timeout=PATIENCE)
    if not answer.is_redirect:
        return answer
    callback = f"{origin}/protected/callback"
    arrival = person.arrive(answer.headers["Location"], callback)
    if arrival.form:
        return person.session.post(arrival.url, arrival.form, timeout=PATIENCE)
    return person.session.get(arrival.url, timeout=PATIENCE)


@pytest.mark.clients
@pytest.mark.spec("OpenID Connect Core", "3.1")
@pytest.mark.spec("RP-Initiated Logout", "2")
def test_mod_auth_openidc_lets_in_who_logged_in_and_out_again(stage: Stage) -> None:
    with running(stage, "query") as origin:
        anna = Person()
        shown = visit(anna, origin)
        assert '<p id="user">anna@example.com</p>' in shown.text
        assert '<p id="name">Anna Virtanen</p>' in shown.text
        # Its own session: the provider is not asked again.
        assert not anna.session.get(f"{origin}/protected/", allow_redirects=False, timeout=PATIENCE).is_redirect
        bye = f"{origin}/bye.html"
        answer = anna.session.get(f"{origin}/protected/callback", params={"logout": bye}, timeout=PATIENCE)
        assert answer.url == bye
        assert [each.status_code for each in answer.history] == [302, 303]
        assert anna.session.get(f"{origin}/protected/", allow_redirects=False, timeout=PATIENCE).is_redirect
        # The provider's session ended as well: it asks for the password again.
        again = anna.session.get(f"{origin}/protected/", timeout=PATIENCE)
        assert 'id="password"' in again.text


@pytest.mark.clients
@pytest.mark.spec("OAuth 2.0 Form Post Response Mode", "2")
@pytest.mark.spec("Back-Channel Logout", "2.5")
def test_mod_auth_openidc_takes_a_posted_response_and_a_logout_token(stage: Stage) -> None:
    with running(stage, "form_post") as origin:
        ben = Person("ben")
        assert '<p id="user">ben@example.com</p>' in visit(ben, origin).text
        # Ben logs out at the provider: the httpd is told by the provider itself.
        logout = ben.session.get(f"{stage.issuer}/logout", timeout=PATIENCE)
        ben.confirm(logout)
        protected = f"{origin}/protected/"
        out = eventually(lambda: ben.session.get(protected, allow_redirects=False, timeout=PATIENCE).is_redirect)
        assert out, "the httpd still lets him in"
