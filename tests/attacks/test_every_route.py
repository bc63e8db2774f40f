"""Random and mutated requests at every address of a provider: nothing breaks, is repeated, or stays."""

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from appliance.parts.stores.memory import Memory
from appliance.parts.stores.sqlite.encoding import encode
from appliance.protocol.messages import Request, Response
from appliance.protocol.records import Interaction
from appliance.seams import Endpoint, StoreUnavailable
from appliance.snapshot import Route
from tests.support.browser import Browser, header
from tests.support.provider import Provider, provider
from tests.support.relying import CHALLENGE, VERIFIER
from tests.support.two_issuers import ORIGIN, SECRETS, configuration, party

#: Nothing like it is in any page of ours.
MARK = "<q\u00e9z mark='\">"
INTERACTION_BYTES = 2048
INTERACTION_TTL = 600
#: What no stranger may cause: records that only who logged in, or a client that proved itself, leaves.
LEFT_BY_STRANGERS = {"interaction", "attempts"}


class Scene:
    """A provider, its routes, and good values to start from."""

    def __init__(self, op: Provider, runner: asyncio.Runner, good: dict[str, str], headers: dict[str, str]) -> None:
        self.op = op
        self.runner = runner
        self.routes = tuple(op.snapshot._routes._by_host.values())
        self.good = good
        self.headers = headers
        #: How many records strangers left.
        self.left = 0

    def respond(self, request: Request) -> Response:
        """The answer."""
        return self.runner.run(self.op.respond(request))

    @property
    def store(self) -> Memory:
        """What is kept."""
        store = self.op.snapshot.shared.store
        assert isinstance(store, Memory)
        return store


async def begin(stack: AsyncExitStack) -> tuple[Provider, dict[str, str], dict[str, str]]:
    """A provider with everything on, and one live value of each kind."""
    extra = {"op.yaml": json.dumps({"version": 1, "name": "two", "storage": {"kind": "memory"}})}
    changes = {"throttle": {"account_failures": 5, "address_failures": 1000, "window": "60s", "delay": "1s"}}
    op = await stack.enter_async_context(provider("minimal", edit=configuration(a=changes) | extra))
    rp = party(op, "web", "a")
    landed = await rp.login("anna", scope="openid profile")
    tokens = await rp.redeem(landed["code"])
    fresh = await rp.login("anna")
    await rp.ask(prompt="consent", scope="openid email")
    interaction = rp.browser.path.partition("interaction=")[2]
    basic = base64.b64encode(f"web-a:{quote_plus(SECRETS['web-a'])}".encode()).decode()
    good = {
        "client_id": "web-a",
        "client_secret": SECRETS["web-a"],
        "redirect_uri": rp.redirect_uri,
        "response_type": "code",
        "response_mode": "form_post",
        "scope": "openid profile offline_access",
        "state": "xyz",
        "nonce": "n",
        "prompt": "login",
        "max_age": "10",
        "display": "page",
        "ui_locales": "en fi",
        "acr_values": "urn:example:acr:2",
        "claims": '{"id_token":{"name":{"essential":true}}}',
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "code_verifier": VERIFIER,
        "request": tokens["id_token"],
        "request_uri": "https://web-a.example/request",
        "id_token_hint": tokens["id_token"],
        "login_hint": "anna",
        "grant_type": "authorization_code",
        "code": fresh["code"],
        "refresh_token": tokens["refresh_token"],
        "token": tokens["access_token"],
        "token_type_hint": "refresh_token",
        "client_assertion": tokens["id_token"],
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "interaction": interaction,
        "lang": "de",
        "csrf": "x",
        "username": "ben",
        "decision": "allow",
        "account": "x",
        "post_logout_redirect_uri": "https://web-a.example/bye",
        "logout_hint": "anna",
        "software_statement": tokens["id_token"],
    }
    headers = {
        "cookie": "; ".join(f"{name}={value}" for name, value in rp.browser.cookies.items()),
        "authorization": f"Basic {basic}",
        "origin": ORIGIN,
        "accept-language": "fi, en;q=0.5",
        "if-none-match": '"x"',
        "sec-fetch-site": "same-origin",
        "x-forwarded-for": "6.6.6.6",
        "host": "localhost:8080",
    }
    return op, good, headers


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """One provider for all requests: what one leaves behind is there for the next."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        op, good, headers = runner.run(begin(stack))
        yield Scene(op, runner, good, headers)
        runner.run(stack.aclose())


FIELDS = (
    "client_id redirect_uri response_type response_mode scope state nonce prompt max_age claims code_challenge "
    "code_challenge_method request request_uri id_token_hint login_hint ui_locales acr_values display grant_type code "
    "code_verifier refresh_token token token_type_hint client_secret client_assertion client_assertion_type username "
    "password csrf decision account interaction lang post_logout_redirect_uri logout_hint software_statement"
).split()
ASK = frozenset("client_id redirect_uri response_type scope state nonce code_challenge code_challenge_method".split())
#: Requests that are whole but for what is changed about them.
WHOLE = (
    ASK,
    ASK,
    ASK | {"prompt", "max_age", "claims", "ui_locales", "login_hint", "acr_values", "response_mode"},
    frozenset({"interaction", "username", "password", "csrf", "decision"}),
    frozenset({"client_id", "client_secret", "grant_type", "code", "redirect_uri", "code_verifier"}),
    frozenset({"client_id", "client_secret", "token", "token_type_hint", "refresh_token"}),
    frozenset({"client_id", "id_token_hint", "post_logout_redirect_uri", "state", "logout_hint"}),
)
NASTY = st.sampled_from(
    [
        *(
            MARK,
            MARK * 50,
            "",
            "\0",
            "\r\nX: 1",
            "%",
            "%zz",
            "\ud800",
            "\u2028",
            "\u0661\u0660",
            "1e999",
            "-1",
            "9" * 400,
        ),
        *(
            "{}",
            "[]",
            "[" * 2000,
            '{"a":' * 300,
            '{"id_token":[]}',
            '{"userinfo":{"' + MARK[:3] + '":5}}',
            "null",
            "NaN",
        ),
        *(
            "a.b.c",
            "..",
            "." * 3000,
            "eyJhbGciOiJub25lIn0.e30.",
            "none",
            "code token id_token",
            "none login",
            "login none",
        ),
        *("openid " * 300, "https://evil.example/", "javascript:alert(1)", "//evil", "op_at_x", "op_rt_", "A" * 70000),
    ]
)
VALUES = st.one_of(NASTY, st.text(max_size=40), st.text(alphabet="abc.=&%+/ \\\"'<>{}[]:,0123456789-_", max_size=60))
METHODS = st.sampled_from(["GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "<q>"])
TYPES = st.sampled_from(
    [
        *("application/x-www-form-urlencoded",) * 6,
        *("application/json", "application/json; charset=utf-7", "multipart/form-data; boundary=x", "text/plain", ""),
        *("application/x-www-form-urlencoded; charset=utf-16", "APPLICATION/X-WWW-FORM-URLENCODED", "\xff" * 300),
    ]
)


@st.composite
def mutations(draw: st.DrawFn) -> dict[str, object]:
    """What is changed about a good request: some good fields, some bad ones, headers, a body."""
    return {
        "method": draw(METHODS),
        "keep": draw(st.sampled_from(WHOLE) | st.frozensets(st.sampled_from(FIELDS), max_size=12)),
        "change": draw(st.dictionaries(st.sampled_from(FIELDS) | VALUES, VALUES, max_size=4)),
        "twice": draw(st.booleans()) and draw(st.booleans()),
        "type": draw(TYPES),
        "raw": draw(
            st.one_of(st.none(), st.none(), st.binary(max_size=80), st.sampled_from([b"[" * 9000, b"\xff", b"{"]))
        ),
        "sent": draw(st.sets(st.sampled_from(("cookie", "authorization", "origin", "accept-language", "host")))),
        "headers": draw(
            st.dictionaries(
                st.sampled_from(("cookie", "authorization", "origin", "accept-language", "host", "if-none-match")),
                st.one_of(VALUES, VALUES.map("Bearer {}".format), VALUES.map("Basic {}".format)),
                max_size=2,
            )
        ),
    }


def written(pairs: list[tuple[str, str]]) -> str:
    """Fields as a browser or an attacker writes them."""
    return "&".join(f"{quote(n, errors='surrogatepass')}={quote(v, errors='surrogatepass')}" for n, v in pairs)


def as_sent(value: str) -> str:
    """A header's value as the wire has it."""
    return value.encode("utf-8", "surrogatepass").decode("latin-1")


def made(scene: Scene, route: Route, how: dict[str, object]) -> Request:
    """A request to a route."""
    keep, change = how["keep"], how["change"]
    assert isinstance(keep, frozenset) and isinstance(change, dict)
    pairs = [(name, scene.good.get(name, "x")) for name in sorted(keep)]
    pairs = [(name, value) for name, value in pairs if name not in change] + list(change.items())
    text = written(pairs * 2 if how["twice"] else pairs)
    sent = {name: (scene.headers[name],) for name in how["sent"]}  # type: ignore[attr-defined]
    sent |= {name: (as_sent(value),) for name, value in how["headers"].items()}  # type: ignore[attr-defined]
    method = str(how["method"])
    body = b""
    if method in ("POST", "PUT", "PATCH"):
        raw = how["raw"]
        body = raw if isinstance(raw, bytes) else text.encode("latin-1")
        if raw is None and "json" in str(how["type"]):
            body = json.dumps(dict(pairs)).encode()
        sent["content-type"] = (as_sent(str(how["type"])),)
        text = text if how["twice"] else ""
        interaction = scene.good["interaction"]
        text = text or (f"interaction={interaction}" if "interaction" in keep else "")
    # A front refuses what is longer (413) before anybody sees it.
    return Request(method, route.path, text[:60000], sent, body[:65536], "192.0.2.9", scene.op.clock())


def size(request: Request) -> int:
    """Bytes that were sent."""
    return len(request.query) + len(request.body)


def is_fixed(endpoint: Endpoint, response: Response) -> bool:
    """Whether an answer is a document that is the same for everybody."""
    return endpoint.name in {"asset", "discovery", "jwks_uri", "check_session_iframe"} and response.status in (200, 304)


def check(scene: Scene, route: Route, request: Request, response: Response) -> None:
    """What every answer must be, whatever was asked."""
    op = scene.op
    assert op.report.failures == [], (request, op.report.failures)
    assert response.status < 500, (request, response)
    preflight = request.method == "OPTIONS" and response.status == 204
    if not is_fixed(route.endpoint, response) and not preflight:
        assert (header(response, "Cache-Control") or "").startswith("no-store"), (request, response)
    for name, value in response.headers:
        assert "\r" not in value and "\n" not in value, (request, name, value)
    kind = header(response, "Content-Type") or ""
    if kind.startswith("text/html") and not is_fixed(route.endpoint, response):
        text = response.body.decode()
        assert MARK not in text and "<q" not in text, request
        policy = header(response, "Content-Security-Policy") or ""
        assert "'unsafe-inline'" not in policy and policy, request
    elif response.body:
        assert header(response, "X-Content-Type-Options") == "nosniff" or is_fixed(route.endpoint, response), request
    location = header(response, "Location")
    if location is not None:
        assert re.match(r"/|https://(web|spa|pair)-[ab]\.example/cb(?=[?#])|http://127\.0\.0\.1|com\.example", location)
    assert b"Traceback" not in response.body


PROPERTY = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)


@pytest.mark.attack("AZ-16", "AZ-17", "CD-06", "HT-16", "HD-01", "SC-07", "SE-04", "XS-02", "XS-15", "XS-16")
@PROPERTY
@given(hows=st.lists(mutations(), min_size=8, max_size=16))
def test_whatever_comes_to_any_address_is_answered_in_order(scene: Scene, hows: list[dict[str, object]]) -> None:
    for number, how in enumerate(hows):
        for position, route in enumerate(scene.routes):
            # Assets are many and alike.
            if route.endpoint.name != "asset" or (position + number) % 10 == 0:
                request = made(scene, route, how)
                check(scene, route, request, scene.respond(request))


@pytest.mark.attack("SE-13", "AZ-16")
@PROPERTY
@given(hows=st.lists(mutations(), min_size=8, max_size=16))
def test_strangers_leave_nothing_but_small_interactions_that_end(scene: Scene, hows: list[dict[str, object]]) -> None:
    before = set(scene.store._records)
    for how in hows:
        for route in scene.routes:
            if route.endpoint.name == "asset":
                continue
            request = made(scene, route, {**how, "sent": set(), "keep": how["keep"] - STRANGE})  # type: ignore[operator]
            known = set(scene.store._records)
            check(scene, route, request, scene.respond(request))
            new = [record for key, record in scene.store._records.items() if key not in known]
            assert len(new) <= 2, request
            # More than that only of what was sent, and only of parameters that may be that long.
            assert sum(len(encode(record)) for record in new) <= max(INTERACTION_BYTES, 600 + size(request)), request
    left = [record for key, record in scene.store._records.items() if key not in before]
    scene.left += len(left)
    assert {record.kind for record in left} <= LEFT_BY_STRANGERS
    for record in left:
        if isinstance(record, Interaction):
            assert record.expires_at <= scene.op.clock() + INTERACTION_TTL
    scene.op.clock.forward(3 * 86400)
    scene.runner.run(scene.store.sweep(scene.op.clock(), 100000))
    assert [key for key in scene.store._records if key not in before] == []
    scene.op.clock.forward(-3 * 86400)


#: What a stranger does not have.
STRANGE = frozenset(("client_secret", "code", "refresh_token", "token", "client_assertion"))


@pytest.mark.attack("SE-13")
def test_many_requests_of_nobody_are_bounded(scene: Scene) -> None:
    query = urlencode({name: scene.good[name] for name in ("client_id", "redirect_uri", "response_type", "scope")})
    assert scene.left, "the random requests above were no more than refused"
    before = set(scene.store._records)
    long = quote("s" * 30000)
    pkce = f"code_challenge={CHALLENGE}&code_challenge_method=S256"
    for number in range(300):
        state = long if number % 3 == 0 else str(number)
        asked = Request("GET", "/a/authorize", f"{query}&state={state}&{pkce}", {}, b"", "192.0.2.9", scene.op.clock())
        assert scene.respond(asked).status in (303, 400)
    left = [record for key, record in scene.store._records.items() if key not in before]
    assert 100 <= len(left) <= 300
    assert max(len(encode(record)) for record in left) <= INTERACTION_BYTES
    assert max(record.expires_at for record in left) <= scene.op.clock() + INTERACTION_TTL


@pytest.mark.attack("AU-20")
async def test_an_outage_of_the_store_is_told_as_one_at_every_address() -> None:
    async with AsyncExitStack() as stack:
        op, _, headers = await begin(stack)
        store = op.snapshot.shared.store
        browser = Browser(op)

        async def down(*_: object, **__: object) -> None:
            raise StoreUnavailable

        for name in ("get", "find", "take", "commit", "delete_by"):
            setattr(store, name, down)
        for route in op.snapshot._routes._by_host.values():
            for method in sorted(route.endpoint.methods):
                sent = {name: headers[name] for name in ("cookie", "authorization")}
                form = {"token": "op_at_x"} if method == "POST" else None
                response = await browser.request(method, route.path, form=form, headers=sent)
                assert response.status < 500 or response.status == 503, (route.path, response)
                if response.status == 503:
                    assert header(response, "Retry-After")
                    assert header(response, "Cache-Control") == "no-store"
