"""Client secrets: of the right kind for the method, unguessable, and not about to end."""

from collections.abc import Iterator

from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.rule import DAY, Rule, Scene
from appliance.config.rules.weak_secrets import is_placeholder
from appliance.protocol.client import Client

_SECRET_METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
_MIN_SECRET = 32
_SOON = 30 * DAY


def method_is_offered(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """The authentication method is one of the profile's."""
    profile = scene.profile_of(client.value.op.profile)
    method = client.value.token_endpoint_auth_method
    if profile is None or method in profile.value.token_endpoint_auth_methods_supported:
        return
    offered = ", ".join(profile.value.token_endpoint_auth_methods_supported)
    message = f"profile `{profile.id}` does not offer `{method}`"
    yield problem("OP214", client, ("token_endpoint_auth_method",), message, help=f"it offers: {offered}")


def secrets_fit_the_method(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 6749 2.3.1: a method with a secret has one, another has none; a MAC needs the value (Core 9)."""
    method = client.value.token_endpoint_auth_method
    live = client.value.client_secrets
    if method in _SECRET_METHODS and not live:
        remedy = "add one, or make it a public client with `token_endpoint_auth_method: none`"
        path: Path = ("token_endpoint_auth_method",) if "token_endpoint_auth_method" in client.written else ()
        yield problem("OP213", client, path, f"`{method}` needs `client_secrets`", help=remedy)
    if method not in _SECRET_METHODS and live:
        message = f"`{method}` uses no secret"
        remedy = "remove the secrets, or set `token_endpoint_auth_method: client_secret_basic`"
        yield problem("OP212", client, ("client_secrets",), message, help=remedy, key=True)
    for position, each in enumerate(live):
        if method == "client_secret_jwt" and each.secret.hashed:
            message = "`client_secret_jwt` needs the secret itself; a hash cannot verify an HMAC"
            remedy = "use `file:` or `env:` here, or switch to `client_secret_basic`"
            path = ("client_secrets", position, "hash")
            yield problem("OP211", client, path, message, help=remedy, key=True)


def secret_ids_differ(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """An id tells which of two secrets was used; two of the same tell nothing."""
    seen: set[str] = set()
    for position, each in enumerate(client.value.client_secrets):
        if each.id in seen:
            path: Path = ("client_secrets", position, "id")
            message = f"two secrets of this client have the id `{each.id}`"
            yield problem("OP227", client, path, message, help="name each by the month in which it was made")
        seen.add(each.id)


def secrets_are_strong(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Core 16.19, RFC 6819 5.1.4.2.2: nobody guesses them. Only a value tells; a hash is taken on trust."""
    remedy = "`appliance secret new` makes one that nobody can guess"
    for position, each in enumerate(client.value.client_secrets):
        path: Path = ("client_secrets", position)
        guesses = (client.id, "changeme", "secret", "password", "")
        guessed = any(each.secret.matches(guess.encode()) for guess in guesses)
        if not each.secret.value:
            continue  # checked without secrets
        if guessed or (not each.secret.hashed and is_placeholder(each.secret.value)):
            yield problem("OP447", client, path, "this secret is one that anyone would try", help=remedy)
        elif each.secret.hashed:
            continue
        elif len(each.secret.value) < _MIN_SECRET:
            message = f"this secret has {len(each.secret.value)} bytes; {_MIN_SECRET} are the least"
            yield problem("OP446", client, path, message, help=remedy)


def secrets_are_not_shared(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 6749 2.3.1: who knows the secret of one client must not be able to be another."""
    for position, each in enumerate(client.value.client_secrets):
        holder = scene.secret_holders.get(each.secret.digest, client.id)
        if each.secret.value and holder != client.id:
            message = f"client `{holder}` has the same secret"
            remedy = "give each client a secret of its own"
            yield problem("OP448", client, ("client_secrets", position), message, help=remedy)


def secrets_last(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """An end that nobody noticed is an outage on a day that was known beforehand."""
    live = client.value.client_secrets
    ends = [each.not_after for each in live]
    for position, end in enumerate(ends):
        if end is not None and end <= scene.now:
            message = "this secret has ended and is not accepted any more"
            path: Path = ("client_secrets", position, "not_after")
            yield problem("OP911", client, path, message, help="remove it")
    last = max((end for end in ends if end is not None), default=None)
    if last is not None and None not in ends and scene.now < last < scene.now + _SOON:
        days = int((last - scene.now) // DAY)
        message = f"the last secret of this client ends in {days} days"
        path = ("client_secrets", ends.index(last), "not_after")
        yield problem("OP912", client, path, message, help="add its successor now; both are accepted till then")


RULES: tuple[Rule[Client], ...] = (
    method_is_offered,
    secrets_fit_the_method,
    secret_ids_differ,
    secrets_are_strong,
    secrets_are_not_shared,
    secrets_last,
)
