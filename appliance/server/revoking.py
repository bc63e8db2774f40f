"""What an operator ends by the admin listener: all that a user, a client or one authorization has."""

from collections.abc import Mapping
from typing import Final

import orjson

from appliance.profile.profile import Profile
from appliance.profile.withdrawals import Ended
from appliance.protocol.authorization import Subject
from appliance.protocol.form import read
from appliance.protocol.messages import Request, Response
from appliance.seams import SourceUnavailable, StoreUnavailable
from appliance.snapshot import Snapshot

_SAFE: Final = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_TEXT: Final = (("Content-Type", "text/plain; charset=utf-8"), *_SAFE)
_JSON: Final = (("Content-Type", "application/json"), *_SAFE)
_WHAT: Final = ("user", "client", "grant")


async def revoke(request: Request, snapshot: Snapshot | None) -> Response:
    """End what the query names, at one profile or at all: how many sessions and tokens there were."""
    if snapshot is None:
        return Response(503, _TEXT, b"starting\n")
    asked = read(request.query)
    named = [name for name in _WHAT if name in asked]
    if len(named) != 1 or asked.repeated:
        return Response(400, _TEXT, b"Name one of user, client and grant.\n")
    # The store must not be closed by a reload in the middle.
    snapshot.enter()
    try:
        wanted = asked.get("profile")
        found = {name: each for name, each in snapshot.profiles.items() if wanted in (None, name)}
        if not found:
            return Response(404, _TEXT, b"There is no such profile.\n")
        ended = {name: await _end(each, named[0], asked[named[0]]) for name, each in found.items()}
        for name, each in ended.items():
            # Not whose: a log names nobody.
            snapshot.notice("revoked", profile=name, of=named[0], sessions=str(each.sessions), tokens=str(each.tokens))
    except StoreUnavailable:
        return Response(503, _TEXT, b"the store does not answer: not everything may have ended\n")
    except SourceUnavailable:
        return Response(503, _TEXT, b"a source of users does not answer: nothing ended there\n")
    finally:
        snapshot.leave()
    told: Mapping[str, object] = {
        name: {"sessions": each.sessions, "tokens": each.tokens} for name, each in ended.items()
    }
    return Response(200, _JSON, orjson.dumps({"ended": told}) + b"\n")


async def _end(profile: Profile, what: str, name: str) -> Ended:
    if what == "client":
        return await profile.withdrawals.of_client(name)
    if what == "grant":
        return await profile.withdrawals.of_grant(name)
    ended = [await profile.withdrawals.of_user(each) for each in await _subjects(profile, name)]
    return Ended(sum(each.sessions for each in ended), sum(each.tokens for each in ended))


async def _subjects(profile: Profile, name: str) -> list[Subject]:
    """Whom a name means in each source: the user of that login, else of that id, whether he is still there or not."""
    found: list[Subject] = []
    for source_name, source in profile.sources.items():
        user = await source.find(name)
        found.append(user.subject if user is not None else Subject(source_name, name))
    return found
