"""Everything a store keeps: typed, frozen records with an id, an owner and an end.

Ids are digests of handles (`protocol.handles.stored_id`) or composed of non-secret parts; no record holds
a handle that could be used. `indexes` names the values a record can also be found or deleted by.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from appliance.protocol.authorization import Authorization, Subject
from appliance.protocol.frozen import quick
from appliance.protocol.handles import CLIENT_ID
from appliance.protocol.scope import OFFLINE_ACCESS


@dataclass(frozen=True, slots=True)
class Record:
    """What all records share. `expires_at` in epoch seconds: a store never returns a record after it."""

    kind: ClassVar[str] = ""
    indexed: ClassVar[tuple[str, ...]] = ()

    id: str
    #: The issuer the record belongs to: nothing is ever read under another one.
    issuer: str
    expires_at: float

    def indexes(self) -> Mapping[str, str]:
        """Index name to value, for `Store.find` and `Store.delete_by`; empty values are not indexed."""
        return {name: value for name in self.indexed if (value := getattr(self, name))}

    def is_found_as(self, before: "Record") -> bool:
        """Whether the record that it replaces is found by the same values."""
        return self.indexes() == before.indexes()


@dataclass(frozen=True, slots=True)
class Proof:
    """One completed authentication step: which authenticator proved it, with which amr, and when (epoch s)."""

    authenticator: str
    amr: tuple[str, ...]
    at: float


@quick
@dataclass(frozen=True, slots=True)
class Session(Record):
    """A browser session of one user at one issuer; `sid` is what clients see of it."""

    kind: ClassVar[str] = "session"
    indexed: ClassVar[tuple[str, ...]] = ("user", "sid")

    sid: str
    subject: Subject
    #: Index form of the subject, `source NUL id` hashed by nobody: internal only.
    user: str
    #: What the account chooser shows: the name typed at login.
    login: str
    proofs: tuple[Proof, ...]
    created_at: float
    seen_at: float
    #: Clients that got tokens in this session, for logout.
    clients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Interaction(Record):
    """An authorization request that waits for its user, between pages. Bound to one browser."""

    kind: ClassVar[str] = "interaction"

    client_id: str
    #: The request as it was checked: parameter name to value.
    parameters: Mapping[str, str]
    #: Digest of the browser cookie that began it (another browser cannot continue it).
    browser: str
    created_at: float
    #: `sid` of the session that was proved or chosen here, if any: it outlives a renewed handle.
    session: str
    #: Authenticators completed within this interaction (satisfies prompt=login and max_age).
    proved: tuple[str, ...]
    #: The account was chosen or entered in this interaction (satisfies prompt=select_account).
    selected: bool
    #: User for whom consent was given in this interaction, and the scopes and claims it covers.
    consented_user: str
    consented: tuple[str, ...]
    #: What the current authenticator keeps between its page and its answer.
    step_state: Mapping[str, str]
    #: Id of the pushed request that this is of, which its answer uses up; "" where the browser brought it.
    pushed: str = ""
    #: Id of the pending authorization that is decided on here; empty: the request came through this browser.
    decides: str = ""


@dataclass(frozen=True, slots=True)
class PushedAuthorizationRequest(Record):
    """A request that its client pushed (RFC 9126 2.2). It ends with its answer, so that there is only one."""

    kind: ClassVar[str] = "pushed_authorization_request"

    client_id: str
    #: The request as it was checked: parameter name to value.
    parameters: Mapping[str, str]
    #: End of the time in which a login can begin with it; the record outlives it for the logins that have.
    usable_until: float


@dataclass(frozen=True, slots=True)
class Issued(Record):
    """What was issued for an authorization, and ends with it, with its user's word, its session or its client."""

    indexed: ClassVar[tuple[str, ...]] = ("authorization_id", "user_client", "registered_client", "session")

    authorization_id: str
    authorization: Authorization

    def indexes(self) -> Mapping[str, str]:
        """As all records have them, without asking for each by its name: these are written most."""
        found = {"authorization_id": self.authorization_id} if self.authorization_id else {}
        authorization = self.authorization
        if authorization.subject is not None:
            found["user_client"] = user_client_key(authorization)
            if authorization.sid is not None and (session := session_key(authorization)):
                found["session"] = session
        if authorization.client_id.startswith(CLIENT_ID):
            found["registered_client"] = authorization.client_id
        return found

    def is_found_as(self, before: Record) -> bool:
        """Mostly without looking: what replaces it is mostly of the very same authorization."""
        if isinstance(before, Issued) and self.authorization is before.authorization:
            return self.authorization_id == before.authorization_id
        return self.indexes() == before.indexes()

    @property
    def user_client(self) -> str:
        """Index form of who granted what this came of to which client; empty without a user."""
        return user_client_key(self.authorization)

    @property
    def registered_client(self) -> str:
        """Index form of a client that registered itself, so that its end is theirs; empty for declared ones."""
        return registered_client_key(self.authorization)

    @property
    def session(self) -> str:
        """Index form of the session with which this ends; empty for what outlives it."""
        return session_key(self.authorization)


@quick
@dataclass(frozen=True, slots=True)
class AuthorizationCode(Issued):
    """A code. After redemption the record stays as a tombstone, so that a replay is known for what it is."""

    kind: ClassVar[str] = "authorization_code"

    #: As the authorization request had it; None when it was omitted (RFC 6749 4.1.3).
    redirect_uri: str | None
    code_challenge: str | None
    #: End of the code's own life; the tombstone outlives it.
    redeemable_until: float
    redeemed: bool
    offline: bool


@dataclass(frozen=True, slots=True)
class PendingAuthorization(Record):
    """A request of a device (RFC 8628 3.2) or of a client alone (CIBA 7.3) that its user decides on elsewhere.

    The client polls for the decision. The record outlives the request for a while, so that who polls too late
    learns that.
    """

    kind: ClassVar[str] = "pending_authorization"
    indexed: ClassVar[tuple[str, ...]] = ("user", "user_client", "registered_client")

    client_id: str
    #: The grant type that redeems it, and no other does.
    grant_type: str
    #: The request as it was checked: parameter name to value.
    parameters: Mapping[str, str]
    #: What the user types and sees again; empty where nothing is typed. Too short for a digest to hide it.
    user_code: str
    #: Index form of the user who is asked, and his `sub` at the client; empty where whoever has the code decides.
    user: str
    sub: str
    #: What both sides show, so that the user sees that they belong together (CIBA 7.1); or empty.
    binding_message: str
    created_at: float
    #: End of the request itself, epoch seconds.
    valid_until: float
    #: Seconds between two polls, and when the last one came, epoch seconds.
    interval: int
    polled_at: float
    #: "" while it waits, else "approved" or the error code that the client gets.
    outcome: str
    #: What was granted; None until then.
    authorization: Authorization | None
    #: Whether a refresh token goes with it.
    offline: bool
    #: What the client is told its decision by (CIBA 10.2): the handle, of use only beside the client's
    #: credentials, and the client's own token; empty where it is not told.
    ping_handle: str = field(default="", repr=False)
    ping_token: str = field(default="", repr=False)

    @property
    def user_client(self) -> str:
        """Index form of who granted it to which client; empty until then."""
        return "" if self.authorization is None else user_client_key(self.authorization)

    @property
    def registered_client(self) -> str:
        """Index form of a client that registered itself; empty for declared ones."""
        return self.client_id if self.client_id.startswith(CLIENT_ID) else ""


@dataclass(frozen=True, slots=True)
class UserCode(Record):
    """A code that a user may type (RFC 8628 6.1); its id is made of issuer and code, so none is there twice."""

    kind: ClassVar[str] = "user_code"

    #: Id of the pending authorization that it stands for.
    pending: str


@quick
@dataclass(frozen=True, slots=True)
class AccessToken(Issued):
    """An access token: opaque by its digest, JWT by its jti, so that both can be revoked."""

    kind: ClassVar[str] = "access_token"

    issued_at: float


@quick
@dataclass(frozen=True, slots=True)
class RefreshToken(Issued):
    """One token of a refresh family (all of one authorization); at most one of a family is live."""

    kind: ClassVar[str] = "refresh_token"

    #: When the family ends whatever happens (absolute lifetime).
    family_until: float
    #: 0 while live; when it was rotated, epoch seconds.
    rotated_at: float
    #: The successor, sealed with this very token: only who holds the old one can read it.
    sealed_successor: str


@dataclass(frozen=True, slots=True)
class Consent(Record):
    """The remembered yes of a user to a client: which scopes and claims it covers."""

    kind: ClassVar[str] = "consent"
    indexed: ClassVar[tuple[str, ...]] = ("user", "client_id", "user_client")

    user: str
    client_id: str
    granted: tuple[str, ...]
    granted_at: float

    @property
    def user_client(self) -> str:
        """The same index form as on what was authorized by this consent, so that both end together."""
        return "\x1f".join((self.issuer, self.user, self.client_id))


@dataclass(frozen=True, slots=True)
class LogoutDelivery(Record):
    """The end of a session that a client has still to be told of (Back-Channel Logout 2.5)."""

    kind: ClassVar[str] = "logout_delivery"
    indexed: ClassVar[tuple[str, ...]] = ("issuer",)

    client_id: str
    subject: Subject
    sid: str
    #: How often it was begun to be told, and when it is due (again), epoch seconds.
    attempts: int
    due_at: float


@dataclass(frozen=True, slots=True)
class PingDelivery(Record):
    """A decision that a client has still to be told of (CIBA 10.2)."""

    kind: ClassVar[str] = "ping_delivery"
    indexed: ClassVar[tuple[str, ...]] = ("issuer",)

    client_id: str
    #: What the client is told, and by what it knows who tells it: of use only to who has its credentials.
    auth_req_id: str = field(repr=False)
    token: str = field(repr=False)
    #: How often it was begun to be told, and when it is due (again), epoch seconds.
    attempts: int
    due_at: float


@dataclass(frozen=True, slots=True)
class Attempts(Record):
    """Failed attempts of one kind for one key (account, address): the throttle's memory."""

    kind: ClassVar[str] = "attempts"

    failures: int
    last_at: float


@quick
@dataclass(frozen=True, slots=True)
class Used(Record):
    """Something that may be used once: a one-time code's step, an assertion's jti. Kept until it is void."""

    kind: ClassVar[str] = "used"


@dataclass(frozen=True, slots=True)
class SharedSecret(Record):
    """Random octets that all nodes of one store share: whichever needs them first puts them there."""

    kind: ClassVar[str] = "shared_secret"

    #: base64url.
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredKey(Record):
    """A generated key with its life: published, used from, retired at (epoch seconds); its `alg` tells its use."""

    kind: ClassVar[str] = "signing_key"
    indexed: ClassVar[tuple[str, ...]] = ("issuer",)

    #: `issuer algorithm`: the declared entry that it serves.
    slot: str
    #: Position in the slot's line of keys; the id is made of slot and number, so two nodes cannot both win.
    number: int
    alg: str
    #: Private JWK, as JSON text.
    jwk: str = field(repr=False)
    published_at: float
    active_at: float


@dataclass(frozen=True, slots=True)
class RegisteredClient(Record):
    """A client that registered itself; its id is the client_id. It ends when nobody uses it for long enough."""

    kind: ClassVar[str] = "registered_client"
    indexed: ClassVar[tuple[str, ...]] = ("issuer",)

    #: What was registered, as JSON text.
    metadata: str = field(repr=False)
    #: The client template that it was made from, or "".
    template: str
    #: The SHA-256 of the secret in hexadecimal, or the secret itself where a MAC is computed with it, or "".
    secret: str = field(repr=False)
    secret_hashed: bool
    #: Digest of the registration access token.
    token_digest: str
    created_at: float
    #: Whether anybody could have registered it, so that it is trusted with less.
    open_registration: bool


def user_key(subject: Subject) -> str:
    """The index form of a subject: unambiguous, internal, never sent anywhere."""
    return f"{subject.source}\x1f{subject.id}"


def user_client_key(authorization: Authorization) -> str:
    """The index form of issuer, user and client of an authorization; empty when no user granted it."""
    if authorization.subject is None:
        return ""
    return "\x1f".join((authorization.issuer, user_key(authorization.subject), authorization.client_id))


def session_key(authorization: Authorization) -> str:
    """The index form of issuer and session of an authorization; empty when it does not end with the session.

    OpenID Connect Core 11: `offline_access` is the user's word that access goes on while he is not there.
    """
    if authorization.sid is None or OFFLINE_ACCESS in authorization.scope:
        return ""
    return "\x1f".join((authorization.issuer, authorization.sid))


def registered_client_key(authorization: Authorization) -> str:
    """The client of an authorization if it registered itself, else empty: most are declared and need no index."""
    client_id = authorization.client_id
    return client_id if client_id.startswith(CLIENT_ID) else ""
