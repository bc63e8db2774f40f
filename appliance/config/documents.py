"""One YAML file to plain values, with the place of every key and value, or every reason why not.

PyYAML's C parser finds the structure; the meaning is ours: no duplicate keys, no tags, no ambiguous words,
limits on depth and on what aliases expand to. A file that passes means the same to every YAML reader.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from appliance.config import scalars, secrecy
from appliance.config.problems import LINE_BREAK, Mark, Path, Problem, Unreadable, problem_at

MAX_DEPTH: Final = 64
#: How many nodes aliases and merge keys may add to what is written.
MAX_EXPANSION: Final = 10_000
# The C composer recurses; below this bound of nesting it does so safely, above it events are counted first.
_SAFE_NESTING: Final = 2000

_CORE: Final = "tag:yaml.org,2002:"
_PLAIN: Final = "plain"
_CONTROL: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LONE: Final = re.compile("[\0\ud800-\udfff]")

try:
    from yaml._yaml import CParser
except ImportError as error:  # pragma: no cover - every published wheel has it
    raise ImportError("PyYAML is installed without libyaml; install a wheel that has it") from error

Places = dict[Path, tuple[Mark, Mark]]


class Document:
    """A parsed file: its value as plain dicts, lists and scalars, and where each part of it stands."""

    def __init__(self, file: str, text: str, value: dict[str, object]) -> None:
        self.file = file
        self.text = text
        self.value = value

    @cached_property
    def _places(self) -> Places:
        # Places are wanted only for problems: composing the text again then is cheaper than keeping them all.
        builder = _Builder(self.file, self.text, {})
        builder.read()
        return builder.places or {}

    def where(self, path: Path, *, key: bool = False) -> Mark:
        """The place of a value or its key; of its nearest written parent if the path is not written."""
        for end in range(len(path), 0, -1):
            found = self._places.get(path[:end])
            if found is not None:
                return found[0] if key or end < len(path) else found[1]
        return self._places.get((), (Mark(self.file, 1, 1, 1),) * 2)[1]


class _Stop(Exception):
    """Reading this file cannot go on; the problem is already noted."""


class _Composer(CParser):  # type: ignore[misc, unused-ignore]
    """libyaml's composer without PyYAML's resolver: plain scalars stay plain until we judge them."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)

    def descend_resolver(self, _parent: object, _index: object) -> None:
        """Nothing is resolved by path."""

    def ascend_resolver(self) -> None:
        """Nothing is resolved by path."""

    def resolve(self, kind: type[Node], _value: object, implicit: object) -> str:
        """A marker for plain scalars, the core tag for everything else."""
        if kind is ScalarNode:
            return _PLAIN if isinstance(implicit, tuple) and implicit[0] else _CORE + "str"
        return _CORE + ("seq" if kind is SequenceNode else "map")


def read(file: str, content: bytes) -> tuple[Document | None, list[Problem]]:
    """The document of a file's bytes. None with at least one error when it cannot be understood."""
    text, problem = _decode(file, content)
    if text is None or problem is not None:
        return None, [problem] if problem else []
    builder = _Builder(file, text, None)
    value = builder.read()
    errors = any(problem.severity == "error" for problem in builder.problems)
    if errors or not isinstance(value, dict):
        return None, builder.problems
    return Document(file, text, value), builder.problems


def _decode(file: str, content: bytes) -> tuple[str | None, Problem | None]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        words = "the file is UTF-16, not UTF-8"
        return None, problem_at("OP006", Mark(file, 1, 1, 1), words, help="save it as UTF-8")
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        mark = _mark_at(file, before)
        words = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        return None, problem_at("OP006", mark, words, help="save the file as UTF-8")
    found = _CONTROL.search(text)
    if found:
        words = f"character U+{ord(found[0]):04X} is not allowed in a file"
        mark = _mark_at(file, text[: found.start()])
        return None, problem_at("OP018", mark, words, help="remove it")
    return text, None


def decode_text(content: bytes) -> str:
    """The text of a file for an excerpt, whatever its bytes are."""
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def _mark_at(file: str, before: str) -> Mark:
    lines = LINE_BREAK.split(before)
    return Mark(file, len(lines), len(lines[-1]) + 1, 1)


class _Builder:
    """Turns composed nodes into plain values, noting problems and (if asked for) places."""

    def __init__(self, file: str, text: str, places: Places | None) -> None:
        self.file = file
        self.text = text
        self.places = places
        self.problems: list[Problem] = []
        self._lines: list[str] | None = None
        self._expanded = 0
        self._seen: set[int] = set()
        self._open: set[int] = set()
        self._members: dict[int, dict[str, tuple[Node, Node]]] = {}

    def read(self) -> object:
        """The value of the text; problems are in `problems`."""
        try:
            root = self._compose()
            if root is None or (isinstance(root, ScalarNode) and root.tag == _PLAIN and not root.value):
                self._note("OP010", Mark(self.file, 1, 1, 1), "the file is empty", "delete it, or write its content")
                return None
            if not isinstance(root, MappingNode):
                words = "the file must be a map of `key: value` lines"
                self._note("OP022", self._mark(root), words)
                return None
            if not self.text.endswith("\n"):
                self._note_cut_short()
            return self._value(root, (), 1)
        except _Stop:
            return None

    def _compose(self) -> Node | None:
        longest = max(map(len, self.text.split("\n")))
        # Each block level needs a further column, except a list in a map, which may share its parent's.
        bound = 2 * longest + self.text.count("[") + self.text.count("{")
        try:
            if bound > _SAFE_NESTING:
                self._check_depth()
            node: Node | None = _Composer(self.text).get_single_node()
        except yaml.YAMLError as error:
            self._note_syntax(error)
            raise _Stop from None
        return node

    def _check_depth(self) -> None:
        parser = _Composer(self.text)
        depth = 0
        while (event := parser.get_event()) is not None:
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    self._stop_too_deep(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1

    def _value(self, node: Node, path: Path, depth: int) -> object:
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        identity = id(node)
        if depth > MAX_DEPTH:
            self._stop_too_deep(node)
        if identity in self._open:
            self._note("OP016", self._mark(node), "this value contains itself through an alias")
            raise _Stop
        if identity in self._seen:
            self._spend(node, 1 + len(node.value))
        self._seen.add(identity)
        self._check_tag(node, "seq" if isinstance(node, SequenceNode) else "map")
        self._open.add(identity)
        if self.places is not None and not path:
            self.places[()] = (self._mark(node), self._mark(node))
        built: object
        if isinstance(node, SequenceNode):
            built = [self._member(child, child, (*path, index), depth) for index, child in enumerate(node.value)]
        else:
            members = self._read_members(node, depth).items()
            built = {name: self._member(key, child, (*path, name), depth) for name, (key, child) in members}
        self._open.discard(identity)
        return built

    def _member(self, key: Node, child: Node, path: Path, depth: int) -> object:
        if self.places is not None:
            self.places[path] = (self._mark(key), self._mark(child))
        return self._value(child, path, depth + 1)

    def _read_members(self, node: Any, depth: int) -> dict[str, tuple[Node, Node]]:
        """The members of a map with merge keys applied: explicit keys win, then earlier sources."""
        known = self._members.get(id(node))
        if known is not None:
            return known
        if depth > MAX_DEPTH:
            self._stop_too_deep(node)
        own: dict[str, tuple[Node, Node]] = {}
        self._members[id(node)] = own
        merge: tuple[Node, Node] | None = None
        for key, child in node.value:
            if isinstance(key, ScalarNode) and key.tag == _PLAIN and key.value == "<<":
                if merge is not None:
                    self._note_duplicate("<<", key, merge[0])
                merge = (key, child)
                continue
            name = self._key(key)
            if name is None:
                continue
            if name in own:
                self._note_duplicate(name, key, own[name][0])
                continue
            own[name] = (key, child)
        if merge is not None:
            self._merge(own, node, merge[1], depth)
        return own

    def _merge(self, own: dict[str, tuple[Node, Node]], node: Node, merged: Any, depth: int) -> None:
        sources = merged.value if isinstance(merged, SequenceNode) else [merged]
        for source in sources:
            if not isinstance(source, MappingNode):
                self._note("OP019", self._mark(source), "`<<` takes a map, or a list of maps")
                continue
            if source is node:
                self._note("OP016", self._mark(merged), "this map merges itself")
                raise _Stop
            members = self._read_members(source, depth + 1)
            self._spend(merged, len(members))
            for name, pair in members.items():
                own.setdefault(name, pair)

    def _key(self, node: Node) -> str | None:
        if not isinstance(node, ScalarNode):
            self._note("OP013", self._mark(node), "a key must be a text, not a list or map")
            return None
        value = self._scalar(node, ())
        if isinstance(value, str):
            return value
        if not self.problems or self.problems[-1].line != node.start_mark.line + 1:
            words = f"the key `{node.value[:60]}` is not a text"
            self._note("OP013", self._mark(node), words, f'write "{node.value[:60]}" in quotes')
        return None

    def _scalar(self, node: ScalarNode, path: Path) -> object:
        text = node.value
        if node.tag != _PLAIN:
            if node.style == '"' and _LONE.search(text):
                words = "this text has a NUL character or half of a surrogate pair"
                self._note("OP018", self._mark(node), words, "remove the escape")
            return text if node.tag == _CORE + "str" else self._tagged(node)
        try:
            return scalars.resolve(text)
        except Unreadable as error:
            message, remedy = error.message, error.help
            if node.value and secrecy.is_secret_path(path):
                # The words repeat the scalar, and here it may be somebody's password.
                message, remedy = (
                    "this word means different things to different YAML tools",
                    "write it in quotes",
                )
            self._note(error.code, self._mark(node), message, remedy)
            return None

    def _tagged(self, node: ScalarNode) -> object:
        wanted: Mapping[str, tuple[type, ...]] = {
            _CORE + "int": (int,),
            _CORE + "float": (int, float),
            _CORE + "bool": (bool,),
            _CORE + "null": (type(None),),
        }
        try:
            value = scalars.resolve(node.value) if node.tag in wanted else None
        except Unreadable:
            value = node.value
        if node.tag not in wanted or type(value) not in wanted[node.tag]:
            self._note_tag(node)
        return value

    def _check_tag(self, node: Node, kind: str) -> None:
        if node.tag != _CORE + kind:
            self._note_tag(node)

    def _spend(self, node: Node, amount: int) -> None:
        self._expanded += amount
        if self._expanded > MAX_EXPANSION:
            words = f"aliases and merge keys expand this file by more than {MAX_EXPANSION} nodes"
            self._note("OP016", self._mark(node), words, "write the values out, or use fewer aliases")
            raise _Stop

    def _mark(self, node: Any) -> Mark:
        start, end = node.start_mark, node.end_mark
        if end.line == start.line:
            length = end.column - start.column
        else:
            if self._lines is None:
                self._lines = LINE_BREAK.split(self.text)
            line = self._lines[start.line] if start.line < len(self._lines) else ""
            length = len(line.rstrip()) - start.column
        return Mark(self.file, start.line + 1, start.column + 1, max(1, length))

    def _note(self, code: str, mark: Mark, message: str, help: str | None = None) -> None:
        self.problems.append(problem_at(code, mark, message, help=help))

    def _note_duplicate(self, name: str, key: Node, first: Node) -> None:
        before, here = self._mark(first), self._mark(key)
        other = Mark(before.file, before.line, before.column, before.length, "first here")
        words = f"key `{name[:80]}` appears twice"
        self.problems.append(problem_at("OP012", here, words, help="remove one of them", secondary=(other,)))

    def _note_tag(self, node: Node) -> None:
        tag = node.tag.replace(_CORE, "!!")[:60]
        self._note("OP014", self._mark(node), f"the YAML tag `{tag}` is not allowed here", "remove the tag")

    def _note_syntax(self, error: yaml.YAMLError) -> None:
        place = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line, column = (place.line, place.column) if place else (0, 0)
        lines = LINE_BREAK.split(self.text)
        here = lines[line] if line < len(lines) else ""
        words = str(getattr(error, "problem", None) or "this cannot be read")
        if "expected a single document" in str(getattr(error, "context", "")):
            mark = Mark(self.file, line + 1, 1, 3)
            self._note("OP017", mark, "a second document starts here", "use one file each")
            return
        mark = Mark(self.file, line + 1, column + 1, 1)
        remedy = None
        if "\t" in here[: column + 1]:
            remedy = "indent with spaces: YAML does not allow tabs"
        elif "${" in here:
            remedy = "inside [...] and {...} write a text with ${...} in quotes"
        self._note("OP011", mark, f"not YAML: {_clean(words)}", remedy)

    def _note_cut_short(self) -> None:
        lines = LINE_BREAK.split(self.text)
        mark = Mark(self.file, len(lines), len(lines[-1]) or 1, 1)
        words = "the last line has no line end; the file may have been cut short"
        self._note("OP008", mark, words, "end the file with a line break")

    def _stop_too_deep(self, node: Any) -> None:
        self._note("OP015", self._mark(node), f"nested deeper than {MAX_DEPTH} levels")
        raise _Stop


def _clean(words: str) -> str:
    # libyaml names anchors in its messages, and nothing else from the file.
    return "".join(_printable(words))[:120]


def _printable(words: str) -> Iterator[str]:
    return (character if character.isprintable() else "?" for character in words)
