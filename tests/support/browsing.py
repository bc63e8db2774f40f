"""Browsers in front of a hand-made profile: cookies, redirects and forms as values, two authenticators."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from appliance.config.declared import profile as declared
from appliance.config.declared.access import Policy, Step
from appliance.endpoints import ENDPOINTS
from appliance.endpoints.step_pages import step_pages
from appliance.parts.response_modes import RESPONSE_MODES
from appliance.profile.logout import Logout
from appliance.profile.logout_deliveries import LogoutTokens
from appliance.profile.profile import Profile
from appliance.profile.sign_on.acr import Levels
from appliance.profile.sign_on.consents import Consents
from appliance.profile.sign_on.sessions import Sessions
from appliance.protocol import form
from appliance.protocol.authorization import Subject
from appliance.protocol.client import Client
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import LoginPage, OtpPage, Page, PageReply
from appliance.seams import Ask, Proved, StepRequest, StoreUnavailable, User
from tests.support import minting
from tests.support.minting import CHALLENGE, CLIENT, ISSUER, REDIRECT_URI, Mint, mint

ORIGIN = "https://op.example"
LEVEL_1, LEVEL_2, LEVEL_3 = "urn:example:1", "urn:example:2", "urn:example:3"
LOGGED_OUT_URI = "https://rp.example/bye"


def policy(*steps: str, max_age: int | None = None) -> Policy:
    """A policy of these authenticators."""
    return Policy(tuple(Step(step) for step in steps), (), max_age, MappingProxyType({}))


POLICIES = {"password": policy("pass"), "two": policy("pass", "code"), "card": policy("card")}
ACR = (
    declared.AcrLevel(LEVEL_1, "password"),
    declared.AcrLevel(LEVEL_2, "two"),
    declared.AcrLevel(LEVEL_3, "card"),
)
PROFILE = replace(
    minting.PROFILE,
    response_types_supported=(
        "code",
        "id_token",
        "id_token token",
        "code id_token",
        "code token",
        "code id_token token",
        "none",
    ),
    response_modes_supported=("query", "fragment", "form_post"),
    acr=ACR,
)
SHOP = replace(
    CLIENT,
    client_id="shop",
    post_logout_redirect_uris=(LOGGED_OUT_URI,),
    client_uri="https://rp.example/",
    require_auth_time=True,
)
SPA = replace(SHOP, client_id="spa", token_endpoint_auth_method="none", redirect_uris=(REDIRECT_URI,))
HYBRID = replace(
    SHOP,
    client_id="hybrid",
    response_types=PROFILE.response_types_supported,
    redirect_uris=(REDIRECT_URI, "https://rp.example/q?a=%2F&b=%20+"),
)
OWN = replace(SHOP, client_id="own", op=replace(SHOP.op, consent="skip_first_party"))
ALWAYS = replace(SHOP, client_id="always", op=replace(SHOP.op, consent="always"))
NATIVE = replace(
    SPA, client_id="native", redirect_uris=("http://127.0.0.1/cb", "com.example.app:/cb"), application_type="native"
)
OFF = replace(SHOP, client_id="off", op=replace(SHOP.op, status="disabled"))
CLIENTS = (SHOP, SPA, HYBRID, OWN, ALWAYS, NATIVE, OFF)


class Password:
    """Takes a login name whose password is the same word."""

    step = "login"

    def __init__(self, name: str, users: Any) -> None:
        self.name = name
        self.users = users

    async def begin(self, asked: StepRequest) -> Ask | Proved:
        return self._ask(asked, "")

    async def finish(self, asked: StepRequest) -> Ask | Proved:
        login = asked.user.login if asked.user is not None else asked.form.get("username", "")
        user = await self.users.find(login)
        if user is None or asked.form.get("password") != login:
            return self._ask(asked, "wrong_credentials")
        return Proved(user, ("pwd",))

    def _ask(self, asked: StepRequest, error: str) -> Ask:
        login = asked.user.login if asked.user is not None else asked.login_hint
        return Ask(LoginPage(login, asked.user is not None, error), {})


class Code:
    """Takes the code 123456 of a user who is known already."""

    step = "otp"

    def __init__(self, name: str) -> None:
        self.name = name

    async def begin(self, asked: StepRequest) -> Ask | Proved:
        login = "" if asked.user is None else asked.user.login
        return Ask(OtpPage(login, "not_enrolled" if login == "frank" else ""), {"tries": "0"})

    async def finish(self, asked: StepRequest) -> Ask | Proved:
        if asked.user is None or asked.form.get("code") != "123456":
            tries = str(int(asked.state["tries"]) + 1)
            return Ask(OtpPage("" if asked.user is None else asked.user.login, "wrong_code"), {"tries": tries})
        return Proved(asked.user, ("otp",))


class Outage:
    """A store that can be unplugged."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.down = False

    def __getattr__(self, name: str) -> Any:
        if self.down:
            raise StoreUnavailable
        return getattr(self._store, name)


@dataclass(frozen=True)
class House:
    """A profile with all its endpoints by path."""

    mint: Mint
    profile: Profile
    store: Outage
    endpoints: Mapping[str, Any]

    def browser(self) -> "Browser":
        return Browser(self)

    def forward(self, seconds: float) -> None:
        self.mint.forward(seconds)

    async def redeem(self, code: str, client: Client = SHOP) -> Any:
        return await self.mint.redeem(code, client)

    async def claims(self, landed: "Landed", client: Client = SHOP) -> dict[str, Any]:
        """The ID Token's claims of a code that a browser landed with."""
        return minting.claims_of((await self.redeem(landed["code"], client))["id_token"])


async def house(
    *, profile: declared.Profile = PROFILE, clients: tuple[Client, ...] = CLIENTS, policies: Any = POLICIES
) -> House:
    """The whole browser side over a memory store."""
    made = await mint(profile=profile, clients=clients)
    for name in ("bob", "carol", "dave", "erin", "frank"):
        attributes = {**minting.ALICE, "id": f"{name}-1"}
        made.users.users[name] = User(Subject("people", name), name, attributes, active=True)
    store: Any = Outage(made.store)
    tools = made.profile.tools
    authenticators: Any = {
        "pass": Password("pass", made.users),
        "card": Password("card", made.users),
        "code": Code("code"),
    }
    tokens = LogoutTokens(
        issuer=ISSUER,
        claims=made.profile.claims,
        sources=made.profile.sources,
        protection=made.profile.response_protection,
        tools=tools,
    )
    nothing: Any = None
    logout = Logout(
        declared=profile,
        clients=made.profile.clients,
        tokens=tokens,
        outbound=nothing,
        store=store,
        tools=tools,
        report=nothing,
    )
    whole = replace(
        made.profile,
        store=store,
        levels=Levels(levels=profile.acr, policies=policies, default=profile.acr_default),
        sessions=Sessions(store=store, tools=tools, declared=profile, logout=logout),
        logout=logout,
        consents=Consents(store=store, tools=tools, issuer=ISSUER, ttl=profile.ttl.consent, scopes=profile.scopes),
        authenticators=authenticators,
        response_modes={name: RESPONSE_MODES[name]() for name in profile.response_modes_supported},
    )
    endpoints = [*(kind(whole) for kind in ENDPOINTS), *step_pages(whole)]
    return House(made, whole, store, {whole.path + endpoint.path: endpoint for endpoint in endpoints})


@dataclass(frozen=True)
class Landed:
    """Where a browser ended: at the client with parameters, or on a page."""

    response: Response
    location: str
    parameters: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.parameters[name]

    def __contains__(self, name: str) -> bool:
        return name in self.parameters

    @property
    def reply(self) -> PageReply:
        assert self.response.page is not None, (self.location, self.parameters)
        return self.response.page

    @property
    def page(self) -> Any:
        return self.reply.page

    @property
    def error(self) -> str | None:
        return self.parameters.get("error")

    @property
    def path(self) -> str:
        return urlsplit(self.location).path


@dataclass
class Browser:
    """Keeps cookies, follows redirects within the provider, and fills forms in."""

    house: House
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    async def send(self, method: str, url: str, body: str | None = None, **headers: str) -> Response:
        """One request, no redirect followed."""
        parts = urlsplit(url)
        sent = dict(self.headers)
        if self.cookies:
            sent["cookie"] = ("; ".join(f"{name}={value}" for name, value in self.cookies.items()),)
        if body is not None:
            sent["content-type"] = ("application/x-www-form-urlencoded",)
        sent |= {name.replace("_", "-"): (value,) for name, value in headers.items()}
        request = Request(
            method, parts.path, parts.query, sent, (body or "").encode(), "192.0.2.1", self.house.mint.now[0]
        )
        response: Response = await self.house.endpoints[parts.path].handle(request)
        for cookie in response.cookies:
            self.cookies.pop(cookie.name, None)
            if cookie.max_age != 0:
                self.cookies[cookie.name] = cookie.value
        return response

    async def follow(self, response: Response, url: str = "") -> Landed:
        """Go where redirects lead until a page or the client's own address."""
        for _ in range(10):
            location = dict(response.headers).get("Location")
            if location is None:
                return landed(response, url)
            assert response.status == 303, response.status
            if not location.startswith("/"):
                return landed(response, location)
            url = location
            response = await self.send("GET", location)
        raise AssertionError("redirects go in a circle")

    async def get(self, url: str) -> Landed:
        return await self.follow(await self.send("GET", url), url)

    async def authorize(self, client: Client = SHOP, **parameters: str | None) -> Landed:
        """An authorization request by GET; None leaves a default parameter out."""
        return await self.get(address(client, **parameters))

    async def submit(self, at: Landed, *, csrf: str | None = None, headers: Any = None, **fields: str) -> Landed:
        """Post the form of the page that the browser shows."""
        reply = at.reply
        body = form.encode(({"csrf": reply.csrf if csrf is None else csrf} | fields).items())
        sent = {"origin": ORIGIN, "sec_fetch_site": "same-origin"} if headers is None else headers
        return await self.follow(await self.send("POST", reply.action, body, **sent), reply.action)

    async def login(self, at: Landed, user: str = "alice") -> Landed:
        return await self.submit(at, username=user, password=user)

    async def through(self, at: Landed, user: str = "alice") -> Landed:
        """Fill in whatever page comes until the client is reached."""
        for _ in range(8):
            if at.response.page is None:
                return at
            page: Page = at.page
            if page.template == "login.html":
                at = await self.login(at, user)
            elif page.template == "otp.html":
                at = await self.submit(at, code="123456")
            elif page.template == "consent.html":
                at = await self.submit(at, decision="allow")
            else:
                return at
        raise AssertionError("pages go in a circle")


def landed(response: Response, location: str) -> Landed:
    """What is at the end of a walk; parameters of query, fragment or form."""
    parts = urlsplit(location)
    pairs = parse_qsl(parts.fragment or parts.query, keep_blank_values=True)
    if response.page is not None and response.page.page.template == "form_post.html":
        pairs = list(response.page.page.fields)  # type: ignore[attr-defined]
    return Landed(response, location, dict(pairs))


def address(client: Client = SHOP, **parameters: str | None) -> str:
    """The URL of an authorization request with sound defaults."""
    defaults = {
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        "response_type": "code",
        "scope": "openid profile",
        "state": "xyz",
        "nonce": "n-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    sent = {name: value for name, value in (defaults | parameters).items() if value is not None}
    return "/retail/authorize?" + form.encode(sent.items())
