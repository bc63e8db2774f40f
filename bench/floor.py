"""The floor: an HTTP server that parses, looks up, signs and answers, with none of a provider's checks.

It is a lower bound to hold the product against, not a rival: no client authentication, no PKCE, no expiry.
"""

import argparse
import asyncio
import secrets

import orjson
import uvloop
from aiohttp import web

from appliance.jose.keys import SigningKey, generate
from appliance.jose.tokens import sign
from appliance.protocol.form import Params, read

DISCOVERY = orjson.dumps({f"member_{number}": "https://op.example/path" for number in range(30)})
JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}


class Floor:
    """One handler, a few dictionaries, two keys."""

    def __init__(self) -> None:
        self.keys: dict[str, SigningKey] = {"ES256": generate("ES256"), "RS256": generate("RS256")}
        self.codes: dict[str, str] = {}
        self.refresh: dict[str, str] = {"first": "RS256"}
        self.tokens: dict[str, dict[str, str]] = {"token": {"sub": "anna", "name": "Anna", "email": "a@example.org"}}

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path, _, query = request.raw_path.partition("?")
        if path == "/discovery":
            return web.Response(body=DISCOVERY, headers=JSON)
        if path == "/authorize":
            asked = read(query)
            code = secrets.token_urlsafe(32)
            self.codes[code] = asked["alg"]
            return web.Response(status=303, headers={"Location": f"{asked['redirect_uri']}?code={code}"})
        if path == "/userinfo":
            token = request.headers["Authorization"].removeprefix("Bearer ")
            return web.Response(body=orjson.dumps(self.tokens[token]), headers=JSON)
        return self._token(read(await request.read()))

    def _token(self, form: Params) -> web.Response:
        answer: dict[str, object] = {"access_token": secrets.token_urlsafe(32), "expires_in": 600}
        if "token" in form:
            return web.Response(body=orjson.dumps({"active": True, **self.tokens[form["token"]]}), headers=JSON)
        if form["grant_type"] == "authorization_code":
            answer["id_token"] = self._id_token(self.codes.pop(form["code"]))
        elif "jwt" in form:
            answer["access_token"] = self._id_token(form["jwt"])
        elif form["grant_type"] == "refresh_token":
            alg = self.refresh["first"]
            answer["refresh_token"] = secrets.token_urlsafe(32)
            answer["id_token"] = self._id_token(alg)
        return web.Response(body=orjson.dumps(answer), headers=JSON)

    def _id_token(self, alg: str) -> str:
        claims = {"iss": "https://op.example", "sub": "anna", "aud": "client", "exp": 2000000000, "iat": 1}
        return sign(self.keys[alg], claims, "JWT")


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
