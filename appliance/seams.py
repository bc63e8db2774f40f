"""Every contract a part can fulfil, on one page.

A part is a file in `parts/<family>/` named by its wire value. It has a `name`, possibly an `Options`
dataclass bound to a schema fragment, and receives the tools it needs by name from `assembly`.
Parts never import each other.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, TypeVar, runtime_checkable

from appliance.protocol.authorization import Authorization, Subject
from appliance.protocol.authorization_details import Details
from appliance.protocol.client import Client
from appliance.protocol.form import Params
from appliance.protocol.frozen import quick
from appliance.protocol.handles import Clock, Entropy
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import Page
from appliance.protocol.records import Record
from appliance.protocol.redirect_uri import ReplyTo

R = TypeVar("R", bound=Record)
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Tools:
    """The outside world, injected: time in epoch seconds and random bytes."""

    clock: Clock
    entropy: Entropy


# --- state ---------------------------------------------------------------------------------------------


@quick
@dataclass(frozen=True, slots=True)
class Change:
    """One atomic step of a store: it happens whole, or not at all.

    `expect`: records that must still be stored exactly as they were read (compare-and-swap).
    `absent`: records whose kind and id must not be stored yet (replay caches, key generation).
    `put` writes, `delete` removes by kind and id.
    """

    put: tuple[Record, ...] = ()
    delete: tuple[Record, ...] = ()
    expect: tuple[Record, ...] = ()
    absent: tuple[Record, ...] = ()


class StoreUnavailable(Exception):
    """The store did not answer in time or could not write; nothing may be assumed done."""


class Store(Protocol):
    """Where records live. Every method raises StoreUnavailable when the store cannot be asked."""

    #: Whether what was acknowledged survives a restart of the provider.
    durable: bool

    async def get(self, kind: type[R], id: str) -> R | None:
        """The record, or None when there is none or it has expired."""

    async def find(self, kind: type[R], index: str, value: str) -> tuple[R, ...]:
        """All live records of a kind with that index value."""

    async def take(self, kind: type[R], id: str) -> R | None:
        """Get and delete in one atomic step: of many callers exactly one gets the record."""

    async def commit(self, change: Change) -> bool:
        """Apply a change. False, and nothing done, when an expectation does not hold."""

    async def delete_by(self, kinds: Iterable[type[Record]], index: str, value: str) -> int:
        """Delete all records of those kinds with that index value, atomically; how many."""

    async def page(self, kind: type[R], after: str = "", limit: int = 1000) -> tuple[R, ...]:
        """Up to `limit` live records of a kind, in the order of their ids, from the first id after that one.

        For the rare question that no index answers: it looks at all of a kind.
        """

    async def sweep(self, now: float, limit: int = 1000) -> int:
        """Remove up to `limit` expired records; how many were removed."""

    async def ping(self) -> None:
        """Raise StoreUnavailable unless reads and writes work."""

    async def close(self) -> None:
        """Finish what was acknowledged and let go of all resources."""


# --- users ---------------------------------------------------------------------------------------------


@quick
@dataclass(frozen=True, slots=True)
class User:
    """A user as his source knows him now. `attributes` is a JSON-like document."""

    subject: Subject
    login: str
    attributes: Mapping[str, object]
    active: bool


class SourceUnavailable(Exception):
    """The authority did not answer in time or not understandably; the login fails closed."""


class Source(Protocol):
    """Where users and their attributes live. Methods raise SourceUnavailable."""

    name: str

    async def find(self, login: str) -> User | None:
        """The user whom a typed login name denotes, after canonicalisation (NFKC, case folding)."""

    async def load(self, id: str) -> User | None:
        """The user with that id as he is now; None when there is none any more."""

    async def check_password(self, user: User | None, password: str) -> bool:
        """Whether the password is right; as slow for no user as for a real one."""

    async def credential(self, user: User, kind: str) -> bytes | None:
        """A second-factor secret of the user, such as kind "totp"; None when he has none."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What somebody chose who makes an account. `attributes` is a JSON-like document; nobody has verified it."""

    login: str
    password: str = field(repr=False)
    attributes: Mapping[str, object]
    #: Who asks, such as one form in one browser: sent twice, it makes one account.
    key: str = field(repr=False)


class LoginTaken(Exception):
    """Somebody has that login name, in whatever spelling."""


@runtime_checkable
class AccountMaker(Protocol):
    """What a source can do besides, if people may make accounts in it."""

    #: Characters that a new password has at least.
    password_min_length: int

    def account_faults(self, login: str, password: str) -> Mapping[str, str]:
        """What is wrong with a new account by itself: "login" or "password" to a message key."""

    async def make_account(self, asked: NewAccount) -> User:
        """Make it in one atomic step. LoginTaken; SourceUnavailable; ValueError for what has faults."""


@dataclass(frozen=True, slots=True)
class Proved:
    """An authenticator's success: who was proved."""

    user: User
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """An authenticator shows its page (again). `state` is kept in the interaction until the answer comes."""

    page: Page
    state: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StepRequest:
    """What one step of a login is given: the form, who is being authenticated, what the page must carry."""

    form: Params
    #: The user proved by an earlier step of this login or by the session; None in a first step.
    user: User | None
    login_hint: str
    state: Mapping[str, str]
    issuer: str
    peer: str
    at: float


class Authenticator(Protocol):
    """One way to prove who one is."""

    name: str
    #: Path segment of its page below the issuer, also its page's template: "login", "otp".
    step: str

    async def begin(self, asked: StepRequest) -> Ask | Proved:
        """Show the first page (or prove at once, where nothing is to be asked)."""

    async def finish(self, asked: StepRequest) -> Ask | Proved:
        """Judge the answer: proved, or the page again with its error."""


# --- protocol ------------------------------------------------------------------------------------------


class ClientAuthMethod(Protocol):
    """One value of token_endpoint_auth_methods_supported."""

    name: str
    #: Signature algorithms of its assertions; empty for methods without.
    algorithms: tuple[str, ...]

    def claims(self, request: Request, form: Params) -> str | None:
        """The client_id when the request uses this method, else None. InvalidRequest/InvalidClient if broken."""

    async def verify(self, request: Request, form: Params, client: Client) -> None:
        """Return when the client proved itself by this method, else InvalidClient."""


@quick
@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a grant type makes of a request: the authorization, and the store step that consumes its proof.

    Token issuance adds what it mints to `change` and commits both as one step, so that a proof is consumed
    exactly when tokens exist.
    """

    authorization: Authorization
    #: Scope of this access token: what was granted, or less (RFC 6749 6).
    scope: tuple[str, ...]
    change: Change
    #: Called when the step did not happen because somebody else was first: what holds now, or an OAuthError.
    lost: Callable[[], Awaitable["Redeemed"]]
    #: Whether a new refresh token family begins here.
    begins_family: bool
    #: The refresh token to answer with when the grant type continues a family.
    refresh_token: str | None
    #: What is issued now ends by then, epoch seconds; None: no such bound.
    ends_at: float | None = None
    #: Whether the user was there, so that the scope `openid` gives an ID Token.
    with_id_token: bool = True
    #: Id of the authorization with which this one's access token ends; None: its own.
    ends_with: str | None = None
    #: What the answer of a token exchange says of the token (RFC 8693 2.2.1); None elsewhere.
    issued_token_type: str | None = None
    #: Whether nothing was asked before: then what this request asks is what is granted (RFC 8707 2.2).
    direct: bool = False
    #: Resources and authorization details of this access token; None: all that was granted.
    resource: tuple[str, ...] | None = None
    authorization_details: Details | None = None


class GrantType(Protocol):
    """One value of grant_types_supported. It sees only the parameters it names in `parameters`."""

    name: str
    parameters: frozenset[str]

    async def authorize(self, form: Params, client: Client) -> Redeemed:
        """Prove the right. InvalidGrant, InvalidScope, UnauthorizedClient ... otherwise."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A minted access token and the id of the record by which it can be revoked."""

    token: str
    id: str


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """What the resource servers that a token is for ask of it (RFC 9068 2.2, 3)."""

    audience: tuple[str, ...]
    #: The algorithm that it is signed with; None: that of the issuer's first key.
    signing_alg: str | None


class AccessTokenFormat(Protocol):
    """One form of access tokens. Whatever the form, a token lives only as long as its record."""

    name: str

    def issue(
        self,
        authorization: Authorization,
        issued_at: int,
        expires_at: int,
        claims: Mapping[str, object],
        terms: TokenTerms | None = None,
    ) -> NewToken:
        """Mint a token for what was granted; `claims` of the user are for forms that can be read.

        Without `terms` it is for the issuer.
        """

    def read(self, token: str) -> str | None:
        """The id of the record a token of this form claims to stand for, None when it is not one of ours."""


class ResponseMode(Protocol):
    """One value of response_modes_supported."""

    name: str
    #: Whether all parameters travel in one signed JWT, `response` (JARM 2).
    secured: bool

    def render(self, reply_to: ReplyTo, parameters: Iterable[tuple[str, str]]) -> Response:
        """The response that carries the parameters to a verified redirect URI."""


class SubjectType(Protocol):
    """One value of subject_types_supported."""

    name: str

    def sub(self, local: str, sector: str) -> str:
        """The `sub` by which clients of a sector know the user whose local subject value is `local`."""


class Endpoint(Protocol):
    """One endpoint of one profile."""

    #: Its name in provider metadata, or what stands for it in metrics.
    name: str
    #: Path below the issuer. One that ends in a slash stands for every segment below it.
    path: str
    methods: frozenset[str]
    #: Whose browsers may call it across origins: "none", "public" (any, no credentials), "clients".
    cors: str

    async def handle(self, request: Request) -> Response:
        """Answer; an OAuthError that escapes is answered as JSON."""

    def metadata(self) -> Mapping[str, object]:
        """Members it adds to provider metadata."""


def catalogue(*parts: Callable[..., P]) -> Mapping[str, Callable[..., P]]:
    """A read-only mapping of part name to what makes the part. ValueError when a name occurs twice.

    The makers are the parts' classes; what each is given differs by family and is `assembly`'s matter.
    """
    names = [str(getattr(part, "name")) for part in parts]  # noqa: B009 - part types share no base
    if len(set(names)) != len(names):
        raise ValueError(f"a part name occurs twice: {sorted(names)}")
    return MappingProxyType(dict(zip(names, parts, strict=True)))
