"""The floor: an HTTP server that parses, looks up, signs and answers, with none of a provider's checks.

It gets the very requests that the product gets, and answers with nearly the same members (fewer in introspection,
UserInfo and signed access tokens): who asks and what for is parsed and looked up in dictionaries. It is a lower bound
to hold the product against, not a rival: no secret is compared, no redirect URI, no code challenge, no expiry, no
scope, no session's age; codes and tokens are stored as they are.
"""

import argparse
import asyncio
import base64
import hashlib
import secrets
import time

import orjson
import uvloop
from aiohttp import web

from appliance.jose.keys import SigningKey, generate
from appliance.jose.tokens import sign
from appliance.protocol.form import Params, read

ISSUER = "http://localhost:18080"
DOCUMENT = orjson.dumps({f"member_{number}": "https://op.example/path" for number in range(30)})
JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}
#: What a browser sends that is logged in here.
COOKIE = f"op_browser_bench={'b' * 43}; op_session_bench={'s' * 49}"
#: A token that UserInfo and introspection know.
ACCESS_TOKEN = "token"


class Floor:
    """One handler, a few dictionaries, two keys."""

    def __init__(self) -> None:
        self.keys: dict[str, SigningKey] = {"ES256": generate("ES256"), "RS256": generate("RS256")}
        algs = {"es256": "ES256", "rs256": "RS256", "refreshing": "RS256", "machine": "", "machine-jwt": "ES256"}
        self.clients: dict[str, str] = algs
        self.sessions: dict[str, dict[str, object]] = {"s" * 49: {"sub": "anna", "sid": "sid" * 11}}
        self.codes: dict[str, dict[str, object]] = {}
        self.tokens: dict[str, dict[str, object]] = {
            ACCESS_TOKEN: {"client_id": "es256", "sub": "anna", "scope": "openid profile email", "exp": 2000000000}
        }
        self.refresh_tokens: dict[str, dict[str, object]] = {}
        self.people: dict[object, dict[str, str]] = {"anna": {"name": "Anna", "email": "anna@example.org"}}

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path, _, query = request.raw_path.partition("?")
        if path == "/authorize":
            return self._authorize(read(query), request.headers["Cookie"])
        if path == "/userinfo":
            token = self.tokens[request.headers["Authorization"].removeprefix("Bearer ")]
            return _json({"sub": token["sub"], **self.people[token["sub"]]})
        if path in ("/token", "/introspect"):
            credentials = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
            client_id, _, _ = credentials.partition(":")
            form = read(await request.read())
            if path == "/introspect":
                return _json({"active": True, "token_type": "Bearer", "iss": ISSUER, **self.tokens[form["token"]]})
            return self._token(client_id, form)
        return web.Response(body=DOCUMENT, headers=JSON)

    def _authorize(self, asked: Params, cookie: str) -> web.Response:
        cookies = dict(one.split("=", 1) for one in cookie.split("; "))
        session = self.sessions[cookies["op_session_bench"]]
        alg = self.clients[asked["client_id"]]
        code = secrets.token_urlsafe(32)
        self.codes[code] = {
            "client_id": asked["client_id"],
            "alg": alg,
            "redirect_uri": asked["redirect_uri"],
            "code_challenge": asked["code_challenge"],
            "scope": asked["scope"],
            **session,
        }
        location = f"{asked['redirect_uri']}?code={code}&state={asked['state']}&iss={ISSUER}"
        return web.Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})

    def _token(self, client_id: str, form: Params) -> web.Response:
        alg = self.clients[client_id]
        if form["grant_type"] == "client_credentials":
            if alg:
                alg = "RS256" if "resource" in form else alg
                token = self._signed(alg, client_id, {"client_id": client_id, "jti": secrets.token_urlsafe(32)})
                return _json({"access_token": token, "token_type": "Bearer", "expires_in": 600, "scope": "api"})
            return _json(self._granted({"client_id": client_id, "sub": client_id, "scope": "api"}))
        code = form["grant_type"] == "authorization_code"
        granted = self.codes.pop(form["code"]) if code else self.refresh_tokens.pop(form["refresh_token"])
        answer = self._granted(granted)
        answer["id_token"] = self._signed(alg, client_id, self._login(granted, str(answer["access_token"])))
        if client_id == "refreshing":
            refresh_token = secrets.token_urlsafe(32)
            self.refresh_tokens[refresh_token] = granted
            answer["refresh_token"] = refresh_token
        return _json(answer)

    def _granted(self, granted: dict[str, object]) -> dict[str, object]:
        token = secrets.token_urlsafe(32)
        self.tokens[token] = {**granted, "exp": int(time.time()) + 600}
        return {"access_token": token, "token_type": "Bearer", "expires_in": 600, "scope": granted["scope"]}

    def _login(self, granted: dict[str, object], token: str) -> dict[str, object]:
        half = hashlib.sha256(token.encode()).digest()[:16]
        at_hash = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        return {"sub": granted["sub"], "acr": "1", "amr": ["pwd"], "sid": granted["sid"], "at_hash": at_hash}

    def _signed(self, alg: str, aud: str, more: dict[str, object]) -> str:
        now = int(time.time())
        return sign(self.keys[alg], {"iss": ISSUER, "aud": aud, "exp": now + 600, "iat": now, **more}, "JWT")


def _json(answer: dict[str, object]) -> web.Response:
    return web.Response(body=orjson.dumps(answer), headers=JSON)


async def serve(port: int) -> None:
    """Serve until killed."""
    runner = web.ServerRunner(web.Server(Floor(), access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))
