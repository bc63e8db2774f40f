"""`appliance demo`: the example and the sample relying party in one process."""

import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from appliance.config.declared.whole import Declared
from appliance.demo.sample_rp import Registration, SampleRelyingParty
from appliance.protocol.client import Client
from appliance.server import log
from appliance.server.app import Running, running
from appliance.server.builder import Builder
from appliance.server.place import NotStarted, Place

HOST, PORT = "127.0.0.1", 8081
ORIGIN = f"http://{HOST}:{PORT}"
WANTED_SCOPES = ("openid", "profile", "email", "phone", "address")


@dataclass(frozen=True, slots=True)
class Stage:
    """What the demonstration serves, and where the sample's client secret is kept in a file."""

    place: Place
    #: Names of users and their passwords to tell; empty when the directory is not ours.
    logins: tuple[str, ...]


def find_registration(declared: Declared, directory: Path) -> Registration:
    """The sample relying party's own entry among the clients: the one that comes back to its address."""
    redirect_uri = f"{ORIGIN}/callback"
    for client in declared.clients.values():
        if redirect_uri in client.redirect_uris and not client.is_public:
            issuer = declared.profiles[client.op.profile].issuer
            scope = " ".join(scope for scope in WANTED_SCOPES if scope in client.scope)
            return Registration(issuer, client.client_id, read_secret(client, directory), ORIGIN, scope)
    raise NotStarted(f"no confidential client of this configuration comes back to {redirect_uri}")


def read_secret(client: Client, directory: Path) -> str:
    """The client's secret: declared, or in secrets/<client_id> where the declaration has its hash only."""
    for entry in client.client_secrets:
        if not entry.secret.hashed:
            return entry.secret.value.decode()
    try:
        return (directory / "secrets" / client.client_id).read_text(encoding="utf-8").strip()
    except OSError:
        raise NotStarted(f"the secret of {client.client_id} is in no file below {directory}") from None


async def run(stage: Stage, say: Callable[[str], None], builder: Builder) -> None:
    """Serve both until interrupted. NotStarted with one line when that cannot be."""
    log.configure("warning", "text", sys.stderr)
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    async with running(stage.place, builder=builder) as provider:
        loop.add_signal_handler(signal.SIGHUP, lambda: provider.reloader.request("signal"))
        declared = provider.reloader.settings
        if declared is None:
            raise NotStarted("nothing is served")
        registration = find_registration(declared, stage.place.directory)
        sample = web.AppRunner(SampleRelyingParty(registration).application(), access_log=None)
        await sample.setup()
        try:
            try:
                await web.TCPSite(sample, HOST, PORT).start()
            except OSError as error:
                raise NotStarted(f"{HOST}:{PORT}: {error.strerror or error} (the sample relying party)") from None
            for line in welcome(provider, registration, stage):
                say(line)
            await end.wait()
        finally:
            await sample.cleanup()


def welcome(provider: Running, registration: Registration, stage: Stage) -> list[str]:
    """What to do first, in some ten lines."""
    place, declared = stage.place, provider.reloader.settings
    admin = f"http://127.0.0.1:{provider.listening.port('admin')}"
    edited = _client_file(place.directory, registration.client_id)
    profiles = ", ".join(sorted(declared.profiles)) if declared is not None else ""
    lines = [
        "",
        f"  Open         {registration.origin}   a sample site that signs you in",
    ]
    lines += [f"  {'Sign in as' if number == 0 else '':<12} {login}" for number, login in enumerate(stage.logins)]
    lines += [
        f"  Discovery    {registration.issuer}/.well-known/openid-configuration",
        f"  Profiles     {profiles}",
        f"  Edit         {_short(edited)}   it is live in a second, or refused with the reason",
        f"  Status       {admin}/config/status   or: appliance status",
        f"  State        {_short(place.state)}   delete it to begin anew",
        "  End          Ctrl-C",
        "",
    ]
    return lines


def _client_file(directory: Path, client_id: str) -> Path:
    """Where the sample is declared: its `client_name` is on the pages, so an edit shows at once."""
    for path in sorted((directory / "clients").rglob("*.yaml")):
        if f"client_id: {client_id}\n" in path.read_text(encoding="utf-8"):
            return path
    return directory / "op.yaml"


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
