"""The admin listener: health, metrics, the state of the configuration, the rotation of keys, the end of tokens.

Nothing of it is on the public one.
"""

from collections.abc import Awaitable, Callable, Mapping

import orjson

from appliance.profile.profile import Profile
from appliance.protocol.form import read
from appliance.protocol.handles import Clock
from appliance.protocol.messages import Request, Response
from appliance.seams import StoreUnavailable
from appliance.server import messages
from appliance.server.dispatch import Current
from appliance.server.metrics import CONTENT_TYPE, Metrics
from appliance.server.reload import Reloader
from appliance.server.revoking import revoke
from appliance.server.status import REFUSED

_SAFE = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_TEXT = (("Content-Type", "text/plain; charset=utf-8"), *_SAFE)
_JSON = (("Content-Type", "application/json"), *_SAFE)

_NOT_FOR_BROWSERS = Response(403, _TEXT, b"Not for browsers.\n")

Answer = Callable[[Request], Awaitable[Response]]


class Admin:
    """The handler of the admin listener."""

    def __init__(self, reloader: Reloader, current: Current, metrics: Metrics, clock: Clock) -> None:
        self._reloader = reloader
        self._current = current
        self._metrics = metrics
        self._clock = clock
        #: Set while the process ends: readiness goes first, so that nobody sends more.
        self.ending = False
        self._answers: Mapping[str, tuple[str, Answer]] = {
            "/healthz": ("GET", self._healthz),
            "/readyz": ("GET", self._readyz),
            "/metrics": ("GET", self._metrics_page),
            "/config/status": ("GET", self._status),
            "/config/reload": ("POST", self._reload),
            "/keys/rotate": ("POST", self._rotate_keys),
            "/tokens/revoke": ("POST", self._revoke),
        }

    async def __call__(self, raw: messages.Incoming) -> Response:
        """Answer one request of an operator or his tools. Refused."""
        request = await messages.read(raw, (), self._clock())
        known = self._answers.get(request.path)
        if known is None:
            return Response(404, _TEXT, b"There is nothing here.\n")
        method, answer = known
        if request.method != method and not (method == "GET" and request.method == "HEAD"):
            return Response(405, (*_TEXT, ("Allow", method)), b"This address does not know that method.\n")
        return await answer(request)

    async def _healthz(self, _: Request) -> Response:
        return Response(200, _TEXT, b"alive\n")

    async def _readyz(self, request: Request) -> Response:
        snapshot = self._current.snapshot
        if snapshot is None or self.ending:
            return Response(503, _TEXT, b"ending\n" if self.ending else b"starting\n")
        try:
            await snapshot.shared.store.ping()
        except StoreUnavailable:
            return Response(503, _TEXT, b"the store does not answer\n")
        if request.query == "config=strict" and self._reloader.status.degraded:
            return Response(503, _TEXT, b"the files are refused; an earlier configuration serves\n")
        return Response(200, _TEXT, b"ready\n")

    async def _metrics_page(self, _: Request) -> Response:
        return Response(200, (("Content-Type", CONTENT_TYPE), *_SAFE), self._metrics.page())

    async def _status(self, _: Request) -> Response:
        return Response(200, _JSON, orjson.dumps(self._reloader.status.as_json()) + b"\n")

    async def _reload(self, request: Request) -> Response:
        if _from_browser(request):
            return _NOT_FOR_BROWSERS
        attempt = await self._reloader.request("request")
        status = 409 if attempt.result == REFUSED else 200
        document = {**attempt.as_json(), "text": attempt.diagnosis.text}
        return Response(status, _JSON, orjson.dumps(document) + b"\n")

    async def _revoke(self, request: Request) -> Response:
        """The end of what a user, a client or an authorization has."""
        return _NOT_FOR_BROWSERS if _from_browser(request) else await revoke(request, self._current.snapshot)

    async def _rotate_keys(self, request: Request) -> Response:
        """New keys in use at once, for one profile or all; what the old ones signed stays valid to its end.

        What was encrypted to the old ones can still be opened for a while (OpenID Connect Core 10.2.1).
        """
        if _from_browser(request):
            return _NOT_FOR_BROWSERS
        snapshot = self._current.snapshot
        if snapshot is None:
            return Response(503, _TEXT, b"starting\n")
        wanted = read(request.query).get("profile")
        # The store must not be closed by a reload in the middle.
        snapshot.enter()
        try:
            found = {name: each for name, each in snapshot.profiles.items() if wanted in (None, name)}
            if not found:
                return Response(404, _TEXT, b"There is no such profile.\n")
            for profile in found.values():
                await profile.keys.rotate_now()
            signing = {name: _signing(each) for name, each in found.items()}
            encryption = {name: _encryption(each) for name, each in found.items()}
        except StoreUnavailable:
            return Response(503, _TEXT, b"the store does not answer\n")
        finally:
            snapshot.leave()
        return Response(200, _JSON, orjson.dumps({"signing": signing, "encryption": encryption}) + b"\n")


def _from_browser(request: Request) -> bool:
    # A page in an operator's browser may be able to reach this address; programs send neither header.
    return "origin" in request.headers or "sec-fetch-site" in request.headers


def _signing(profile: Profile) -> list[dict[str, str | None]]:
    """What signs now with each algorithm whose keys are made here; keys from files are the operator's to replace."""
    algorithms = dict.fromkeys(entry.alg for entry in profile.declared.keys.signing if entry.file is None)
    return [{"alg": alg, "kid": profile.keys.signing(alg).kid} for alg in algorithms]


def _encryption(profile: Profile) -> list[dict[str, str | None]]:
    """What others encrypt to now, of the algorithms whose keys are made here."""
    algorithms = {entry.alg for entry in profile.declared.keys.encryption if entry.file is None}
    published = profile.keys.published_decryption()
    return [{"alg": key.alg, "kid": key.kid} for key in published if key.alg in algorithms]
