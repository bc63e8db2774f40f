"""`op.yaml`: the process: listeners, storage, reload, log."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate chain and private key files, PEM (paths)."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening socket: `host:port`."""

    bind: str
    tls: Tls | None
    #: Networks whose X-Forwarded-For is believed.
    trusted_proxies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MtlsListener:
    """A socket that asks for client certificates (RFC 8705 5)."""

    bind: str
    tls: Tls


@dataclass(frozen=True, slots=True)
class CertificateHeader:
    """The header in which a trusted proxy tells the client certificate, and how it is written there."""

    header: str
    format: str


@dataclass(frozen=True, slots=True)
class Listeners:
    """The public listener serves the profiles, the admin listener health, metrics and configuration status."""

    public: Listener
    admin: Listener
    #: Serves the profiles as well, to clients that have certificates.
    mtls: MtlsListener | None
    client_certificate: CertificateHeader | None


@dataclass(frozen=True, slots=True)
class Storage:
    """Where state lives. `path` is relative to the state directory."""

    kind: str
    path: str
    synchronous: str


@dataclass(frozen=True, slots=True)
class Reload:
    """How changes of the files are taken up. Times in seconds."""

    watch: bool
    settle: float
    settle_at_most: float
    rescan: float
    keep_generations: int


@dataclass(frozen=True, slots=True)
class Log:
    """What is logged and how."""

    level: str
    format: str


@dataclass(frozen=True, slots=True)
class PasswordHashing:
    """Cost of Argon2id for new hashes, and how many verifications run at once (RFC 9106)."""

    memory_kib: int
    iterations: int
    parallelism: int
    workers: int
    queue: int


@dataclass(frozen=True, slots=True)
class Outbound:
    """Requests of the provider itself: what may be spoken to, whom to trust (PEM file), how long to wait (s)."""

    allow_loopback: bool
    ports: tuple[int, ...]
    ca_file: str | None
    timeout: float


@dataclass(frozen=True, slots=True)
class Root:
    """The whole of `op.yaml`."""

    version: int
    name: str
    listeners: Listeners
    storage: Storage
    reload: Reload
    log: Log
    password_hashing: PasswordHashing
    outbound: Outbound
