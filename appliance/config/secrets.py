"""Secret references to values: `{hash: ...}`, `{file: ...}`, `{env: ...}`.

A reference that cannot be resolved is a problem at its place; nothing is ever used instead. Messages name the
file or the variable, never what is in it.
"""

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.config.problems import Unreadable
from appliance.protocol.secret import Secret

MAX_BYTES: Final = 64 * 1024
_SHA256: Final = re.compile(r"sha256:([0-9a-f]{64})")
#: Other digests that stand in full in a `hash`, by how they begin.
_SCHEMES: Final = {"$argon2id$": "argon2id", "$2a$": "bcrypt", "$2b$": "bcrypt", "$2y$": "bcrypt"}


@dataclass(frozen=True, slots=True)
class SecretSource:
    """A file or variable that a secret was read from, with the SHA-256 of what was in it."""

    file: Path | None
    env: str | None
    digest: bytes


Used = dict[tuple[str, str], SecretSource]


class SecretResolver:
    """Resolves references for one load; remembers what it read, so that a reload can see a change.

    With `enabled` False no secret is read (for checks where there are none): values are empty and say so.
    """

    def __init__(self, directory: Path, environ: Mapping[str, str], *, enabled: bool) -> None:
        self._directory = directory
        self._environ = environ
        self.enabled = enabled
        self._read: dict[Path, bytes] = {}
        self._used: Used = {}
        self._all: Used = {}
        #: Files that are no secret.
        self._public: set[Path] = set()
        #: Files that other users of the machine can read or change.
        self.exposed: dict[str, str] = {}

    def resolve(self, reference: object) -> Secret:
        """The secret a reference stands for; Unreadable when there is none."""
        if isinstance(reference, str):
            reference = {"file": reference}
        if not isinstance(reference, Mapping) or len(reference) != 1:
            raise Unreadable(
                (), "this is not a secret reference", "write {file: ...}, {env: ...} or {hash: ...}", "OP402"
            )
        ((kind, value),) = reference.items()
        if not isinstance(value, str) or kind not in ("hash", "file", "env"):
            raise Unreadable(
                (), "this is not a secret reference", "write {file: ...}, {env: ...} or {hash: ...}", "OP402"
            )
        if kind == "hash":
            return self._hashed(value)
        if not self.enabled:
            return Secret(b"", f"{kind}:{value} (not read)")
        return self._from_file(value) if kind == "file" else self._from_environment(value)

    def resolve_public(self, reference: object) -> Secret:
        """The content a reference stands for that is no secret, such as certificates: others may read the file."""
        if isinstance(reference, Mapping) and isinstance(name := reference.get("file"), str):
            self._public.add(self._directory / name)
        return self.resolve(reference)

    def begin(self) -> None:
        """Begin to note what one file uses."""
        self._used = {}

    def end(self) -> tuple[tuple[tuple[str, str], SecretSource], ...]:
        """What was used since `begin`."""
        self._all.update(self._used)
        return tuple(self._used.items())

    def files(self) -> tuple[Path, ...]:
        """Every file that a secret of this load was read from."""
        return tuple(source.file for source in self._all.values() if source.file)

    def current(self, used: tuple[tuple[tuple[str, str], SecretSource], ...]) -> bool:
        """Whether sources that were read in an earlier load still hold the same; they count as used."""
        for key, source in used:
            try:
                content = self._content(source.file) if source.file else self._variable(source.env or "")
            except Unreadable:
                return False
            if hashlib.sha256(content).digest() != source.digest:
                return False
            self._all[key] = source
        return True

    @staticmethod
    def _hashed(value: str) -> Secret:
        found = _SHA256.fullmatch(value)
        if found is not None:
            return Secret(bytes.fromhex(found[1]), "hash", "sha256")
        for prefix, scheme in _SCHEMES.items():
            if value.startswith(prefix):
                return Secret(value.encode(), "hash", scheme)
        raise Unreadable(
            ("hash",), "this hash has no form that is known", "write sha256:<64 hexadecimal digits>", "OP402"
        )

    def _from_file(self, name: str) -> Secret:
        if "\0" in name:
            raise Unreadable(("file",), "a file name has no NUL character", None, "OP401")
        path = self._directory / name
        content = self._content(path)
        self._used[("file", name)] = SecretSource(path, None, hashlib.sha256(content).digest())
        value = content.removesuffix(b"\n").removesuffix(b"\r")
        if not value:
            raise Unreadable(("file",), f"the secret file {name} is empty", None, "OP401")
        return Secret(value, f"file:{name}")

    def _from_environment(self, name: str) -> Secret:
        value = self._variable(name)
        self._used[("env", name)] = SecretSource(None, name, hashlib.sha256(value).digest())
        return Secret(value, f"env:{name}")

    def _variable(self, name: str) -> bytes:
        value = self._environ.get(name, "")
        if not value:
            words = f"the environment variable {name} is not set, or empty"
            raise Unreadable(("env",), words, "set it, or check with --no-secrets", "OP401")
        return value.encode("utf-8", "surrogateescape")

    def _content(self, path: Path) -> bytes:
        known = self._read.get(path)
        if known is None:
            known = self._read[path] = self._open(path)
        return known

    def _open(self, path: Path) -> bytes:
        try:
            # Not blocking: a pipe in this place must not stop the provider.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as opened:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise Unreadable(("file",), f"{path} is not a plain file", None, "OP401")
                content = opened.read(MAX_BYTES + 1)
        except OSError as error:
            words = f"the secret file {path} cannot be read: {error.strerror}"
            raise Unreadable(
                ("file",), words, "a relative name starts at the configuration directory", "OP401"
            ) from None
        if len(content) > MAX_BYTES:
            raise Unreadable(("file",), f"the secret file {path} has more than 64 KiB", None, "OP401")
        self._note_exposure(path, status.st_mode)
        return content

    def _note_exposure(self, path: Path, mode: int) -> None:
        # What lies in the configuration itself is in version control already, whatever its mode says.
        outside = not path.resolve().is_relative_to(self._directory.resolve())
        if mode & stat.S_IWOTH:
            self.exposed[str(path)] = f"every user of this machine may change the secret file {path}"
        elif outside and mode & stat.S_IROTH and path not in self._public:
            self.exposed[str(path)] = f"every user of this machine may read the secret file {path}"
