"""From a parsed file to its declared objects: variables and patches applied, shape checked, values bound."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from appliance.config import security_profiles, variables
from appliance.config.binding import BINDINGS, Context, bind
from appliance.config.declared.access import Part
from appliance.config.documents import Document
from appliance.config.faults import Fault, find_faults, nearest, suggestion
from appliance.config.linking import Object
from appliance.config.problems import Mark, Path, Problem, problem_at
from appliance.config.schemas import Schemas
from appliance.config.secrets import SecretResolver, SecretSource
from appliance.config.tree import FAMILIES
from appliance.config.variables import Variables

#: Family to the schema of one of its objects.
REFERENCES: Final[Mapping[str, str]] = {
    "profiles": "profile.json#/$defs/profile",
    "clients": "client.json#/$defs/client",
    "client_templates": "client.json#/$defs/client",
    "claims": "claims.json#/$defs/claims_set",
    "sources": "sources.json#/$defs/source",
    "authenticators": "authenticators.json#/$defs/authenticator",
    "policies": "policies.json#/$defs/policy",
}
#: Family and id of the one object that op.yaml is itself.
ROOT: Final = "root"
ROOT_REFERENCE: Final = "root.json"
ROOT_OBJECT: Final = "root.json#/$defs/root"
#: The member that names an object which has a file of its own.
ID_MEMBERS: Final = {
    "profiles": "profile",
    "clients": "client_id",
    "client_templates": "client_id",
    "claims": "claims_set",
}
#: Families whose objects stand in files of another one, too.
BESIDE: Final[Mapping[str, tuple[str, ...]]] = {"clients": ("client_templates",)}
_DIGEST_KEY: Final = b"appliance configuration digest 1"

Parts = Mapping[str, Mapping[str, type | None]]


@dataclass(frozen=True, slots=True)
class Build:
    """What building objects needs: one for all files of a load."""

    schemas: Schemas
    variables: Variables
    #: The chosen environment: its document, and the patch in it by family and id.
    environment: Document | None
    patches: Mapping[str, Mapping[str, Any]]
    parts: Parts
    secrets: SecretResolver


@dataclass(frozen=True, slots=True)
class Built:
    """One object that passed, and a digest of all it says, secrets included."""

    object: Object[Any]
    digest: bytes


class Locator:
    """Finds places of an object in its file, or in the environment where a patch put the value."""

    def __init__(self, document: Document, prefix: Path) -> None:
        self._document = document
        self._prefix = prefix
        self._patched: dict[Path, tuple[Document, Path]] = {}

    def patch(self, path: Path, document: Document, at: Path) -> None:
        """Let a path of the object be found in another document."""
        self._patched[path] = (document, at)

    def __call__(self, path: Path, key: bool) -> Mark:
        for end in range(len(path), 0, -1) if self._patched else ():
            found = self._patched.get(path[:end])
            if found is not None:
                return found[0].where((*found[1], *path[end:]), key=key)
        return self._document.where((*self._prefix, *path), key=key)


@dataclass(frozen=True, slots=True)
class Declaration:
    """Where an id is declared, also of an object that did not pass."""

    family: str
    id: str
    locator: Locator
    path: Path
    key: bool

    def where(self) -> Mark:
        """The place of the id."""
        return self.locator(self.path, self.key)


@dataclass(slots=True)
class FileObjects:
    """What became of one file. `broken`: families of which something is missing here."""

    built: list[Built] = field(default_factory=list)
    ids: list[Declaration] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    secrets: tuple[tuple[tuple[str, str], SecretSource], ...] = ()


def build_file(family: str, document: Document, build: Build) -> FileObjects:
    """The objects of a file in a family's directory."""
    found = FileObjects()
    member = ID_MEMBERS.get(family)
    if member is not None and _is_single(family, document.value):
        named = document.value.get(member)
        if not isinstance(named, str):
            words = f"`{member}` is missing" if named is None else f"`{member}` must be a text"
            remedy = f"every file in {family}/ says which one it is, or has a map `{family}`"
            mark = document.where((member,)) if named is not None else document.where(())
            found.problems.append(problem_at("OP101" if named is None else "OP103", mark, words, help=remedy))
            found.broken.add(family)
            return found
        _build_one(family, named, document, (), build, found)
        return found
    _check_containers(family, document, found)
    for each in (family, *BESIDE.get(family, ())):
        build_container(each, document, build, found)
    return found


def build_container(family: str, document: Document, build: Build, found: FileObjects) -> None:
    """The objects of a map `<family>: {id: ...}` of a document."""
    container = document.value.get(family)
    if container is None:
        return
    if not isinstance(container, dict):
        mark = document.where((family,))
        found.problems.append(problem_at("OP103", mark, f"`{family}` must be a map of ids"))
        found.broken.add(family)
        return
    for name in container:
        _build_one(family, name, document, (family, name), build, found)


def build_root(document: Document, build: Build) -> FileObjects:
    """op.yaml: the root object, and any objects it holds itself."""
    found = FileObjects()
    apart = {*FAMILIES, "vars", "$schema"}
    own = {name: value for name, value in document.value.items() if name not in apart}
    _Single(ROOT, ROOT, own, Locator(document, ()), build, found).build()
    for family in FAMILIES:
        build_container(family, document, build, found)
    return found


def _is_single(family: str, value: Mapping[str, object]) -> bool:
    if family == "claims":
        # `claims` is both the map of sets and a member of one set; a set always has one of these.
        return any(name in value for name in ("claims_set", "subject", "sources"))
    return not {family, *BESIDE.get(family, ())} & value.keys()


def _check_containers(family: str, document: Document, found: FileObjects) -> None:
    for name in document.value:
        if name == family or name in BESIDE.get(family, ()) or name.startswith("$"):
            continue
        mark = document.where((name,), key=True)
        if name in FAMILIES:
            words = f"`{name}` does not belong into the directory {family}/"
            found.problems.append(problem_at("OP025", mark, words, help=f"move it to {name}/ or to op.yaml"))
            found.broken.add(name)
        else:
            close = nearest(name, [family])
            remedy = f"did you mean `{close}`?" if close else f"a file in {family}/ has a map `{family}`"
            found.problems.append(problem_at("OP102", mark, f"unknown key `{name[:80]}`", help=remedy))
            found.broken.add(family)
    if not {family, *BESIDE.get(family, ())} & document.value.keys() and not found.problems:
        words = f"`{family}` is missing"
        found.problems.append(problem_at("OP101", document.where(()), words))
        found.broken.add(family)


def _build_one(family: str, id: str, document: Document, prefix: Path, build: Build, found: FileObjects) -> None:
    locator = Locator(document, prefix)
    member = ID_MEMBERS.get(family)
    single = not prefix and member is not None
    found.ids.append(Declaration(family, id, locator, (member,) if single and member else (), key=not single))
    if id in build.patches.get(family, {}) and build.patches[family][id] is None:
        return  # the environment takes the whole object away
    value: Any = document.value
    for step in prefix:
        value = value[step]
    if not isinstance(value, dict):
        found.problems.append(problem_at("OP103", locator((), False), f"`{id[:80]}` must be a map"))
        found.broken.add(family)
        return
    written = {name: child for name, child in value.items() if not (name.startswith("$") and not prefix)}
    if member is not None and written.setdefault(member, id) != id:
        words = f"`{member}` differs from the key `{id[:80]}` it stands under"
        found.problems.append(
            problem_at("OP111", locator((member,), False), words, help="leave it out, or write the same")
        )
        found.broken.add(family)
        return
    _Single(family, id, written, locator, build, found).build()


class _Single:
    """One object on its way from written to bound."""

    def __init__(
        self,
        family: str,
        id: str,
        written: dict[str, Any],
        locator: Locator,
        build: Build,
        found: FileObjects,
    ) -> None:
        self._family = family
        self._id = id
        self._written = written
        self._locator = locator
        self._build = build
        self._found = found
        self._suppressed = False

    def build(self) -> None:
        """Take every step; the first that finds faults is the last, so that none is said twice."""
        faults = self._apply()
        if not faults and self._suppressed:
            self._found.broken.add(self._family)
            return
        faults = faults or list(self._check())
        value: object = None
        if not faults:
            value, faults = self._bind()
        if faults:
            self._found.broken.add(self._family)
            for fault in faults:
                mark = self._locator(fault.path, fault.key)
                self._found.problems.append(problem_at(fault.code, mark, fault.message, help=fault.help))
            return
        bound: Object[Any] = Object(self._family, self._id, value, self._written, self._locator)
        self._found.built.append(Built(bound, digest(self._family, self._id, value)))

    def _apply(self) -> list[Fault]:
        self._patch()
        self._written, faults = self._build.variables.substitute(self._written)
        # A variable has no proper value: that is said at its declaration, and not again wherever it is used.
        self._suppressed = not self._build.variables.complete(self._written)
        self._written = security_profiles.complete(self._family, self._written)
        return faults

    def _patch(self) -> None:
        change = self._build.patches.get(self._family, {}).get(self._id)
        environment = self._build.environment
        if not isinstance(change, dict) or environment is None:
            return
        top: Path = ("patch", "root") if self._family == ROOT else ("patch", self._family, self._id)
        self._written, replaced, faults = variables.patch(self._written, change)
        for path in replaced:
            self._locator.patch(path, environment, (*top, *path))
        for fault in faults:
            mark = environment.where((*top, *fault.path), key=fault.key)
            self._found.problems.append(problem_at(fault.code, mark, fault.message, help=fault.help))
            self._found.broken.add(self._family)

    def _check(self) -> Iterator[Fault]:
        reference = REFERENCES.get(self._family, ROOT_REFERENCE)
        kinds = self._build.parts.get(self._family)
        kind = self._written.get("kind")
        if kinds is not None and isinstance(kind, str) and kind not in kinds:
            yield Fault(
                "OP104",
                ("kind",),
                f"`{kind[:80]}` is not a valid value for `kind`",
                suggestion(kind, list(kinds)),
            )
            return
        yield from find_faults(self._build.schemas, reference, self._written)

    def _bind(self) -> tuple[object, list[Fault]]:
        context = Context(self._build.secrets)
        value: object
        if self._family in self._build.parts:
            kind = str(self._written["kind"])
            options = self._build.parts[self._family][kind]
            reference = f"parts/{self._family}/{kind}.json"
            rest = {name: child for name, child in self._written.items() if name != "kind"}
            bound = None if options is None else bind(rest, options, self._build.schemas, reference, context)
            value = Part(kind, bound)
        else:
            reference = REFERENCES.get(self._family, ROOT_OBJECT)
            value = bind(self._written, BINDINGS[reference], self._build.schemas, reference, context)
        faults = [Fault(error.code, path, error.message, error.help, error.key) for path, error in context.unreadable]
        return value, faults


def digest(family: str, id: str, value: object) -> bytes:
    """A digest of an object with everything it says. Keyed, and never shown by itself: secrets are in it."""
    told = msgspec.json.encode([family, id, value], order="deterministic")
    return hmac.digest(_DIGEST_KEY, told, hashlib.sha256)
