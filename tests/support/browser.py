"""A browser without a window: cookies, redirects and forms against an in-process provider."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

from appliance.protocol.messages import Request, Response
from tests.support.person import PASSWORDS
from tests.support.provider import Provider


@dataclass(frozen=True)
class Form:
    """A form of a page: where it posts to and its fields; every submit button by name and value."""

    action: str
    fields: dict[str, str]
    buttons: tuple[tuple[str, str, str], ...]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._buttons: list[tuple[str, str, str]] = []
        self._fields: dict[str, str] | None = None
        self._action = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action, self._fields, self._buttons = at.get("action", ""), {}, []
        elif tag == "input" and self._fields is not None and at.get("name"):
            if at.get("type") not in ("submit", "button"):
                self._fields[at["name"]] = at.get("value", "")
        elif tag == "button" and self._fields is not None:
            self._buttons.append((at.get("id", ""), at.get("name", ""), at.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._fields is not None:
            self.forms.append(Form(self._action, self._fields, tuple(self._buttons)))
            self._fields = None


def forms(response: Response) -> list[Form]:
    """All forms of a page."""
    parser = _Forms()
    parser.feed(response.body.decode())
    return parser.forms


def header(response: Response, name: str) -> str | None:
    """A response header by name, any case."""
    return next((value for key, value in response.headers if key.lower() == name.lower()), None)


class Browser:
    """One browser at one provider. `visit` and `submit` follow redirects while they stay at the provider."""

    def __init__(self, op: Provider, origin: str = "http://localhost:8080") -> None:
        self.op = op
        self.origin = origin
        self.cookies: dict[str, str] = {}
        #: Path of the page that is shown.
        self.path = ""

    async def request(
        self,
        method: str,
        path: str,
        *,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """One request, one answer; cookies are kept."""
        target, _, query = path.partition("?")
        sent = {name.lower(): (value,) for name, value in (headers or {}).items()}
        if self.cookies:
            sent["cookie"] = ("; ".join(f"{name}={value}" for name, value in self.cookies.items()),)
        sent.setdefault("host", (urlsplit(self.origin).netloc,))
        body = b""
        if form is not None:
            body = urlencode(form).encode()
            sent["content-type"] = ("application/x-www-form-urlencoded",)
            sent.setdefault("origin", (self.origin,))
            sent.setdefault("sec-fetch-site", ("same-origin",))
        request = Request(method, target, query, sent, body, "127.0.0.1", self.op.clock())
        response = await self.op.respond(request)
        for cookie in response.cookies:
            if cookie.max_age == 0:
                self.cookies.pop(cookie.name, None)
            else:
                self.cookies[cookie.name] = cookie.value
        return response

    async def visit(self, path: str) -> Response:
        """Go to an address of the provider and follow redirects until a page or a foreign address."""
        self.path = path
        return await self._follow(await self.request("GET", path))

    async def submit(self, response: Response, *, button: str = "", **fields: str) -> Response:
        """Fill the page's first form (or the form that has the button with this id) and send it."""
        for form in forms(response):
            names = {identifier: (name, value) for identifier, name, value in form.buttons}
            if button and button not in names:
                continue
            sent = {**form.fields, **fields}
            if button and names[button][0]:
                sent[names[button][0]] = names[button][1]
            path = form.action.removeprefix(self.origin)
            self.path = path
            return await self._follow(await self.request("POST", path, form=sent))
        raise AssertionError(f"no form with button {button!r} on the page")

    async def _follow(self, response: Response) -> Response:
        for _ in range(10):
            location = header(response, "Location")
            if response.status not in (302, 303) or location is None:
                return response
            path = location.removeprefix(self.origin)
            if not path.startswith("/"):
                return response
            self.path = path
            response = await self.request("GET", path)
        raise AssertionError("too many redirects")

    async def login(self, response: Response, username: str = "anna", password: str = "") -> Response:
        """Fill the login page."""
        return await self.submit(response, username=username, password=password or PASSWORDS[username])


def answer(response: Response) -> dict[str, str]:
    """The parameters of an authorization response, whatever carried it."""
    location = header(response, "Location")
    if location is not None:
        parts = urlsplit(location)
        return dict(parse_qsl(parts.fragment or parts.query, keep_blank_values=True))
    form = forms(response)
    return form[0].fields if form else {}


def title(response: Response) -> str:
    """The title of a page."""
    found = re.search(r"<title>(.*?)</title>", response.body.decode(), re.DOTALL)
    return found[1].strip() if found else ""
