"""Everything that can be found wrong with a configuration directory without serving it.

`appliance check` and the reload's child process call the same function, so that they say the same.
"""

import resource
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.config.codes.text import Severity
from appliance.config.declared.theme import ThemeFiles
from appliance.config.declared.whole import Declared
from appliance.config.load import Cache, load
from appliance.config.problems import ConfigRejected, Excerpts, Problem
from appliance.options import PARTS
from appliance.pages.problems import REHEARSAL, ThemeProblem
from appliance.server.rehearsed import Rehearsed, digest_of

#: What all pages of all themes together may take before they are given up: seconds of time, octets of memory.
REHEARSAL_SECONDS = 20
REHEARSAL_MEMORY = 512 * 1024 * 1024
#: Origin of themes that ship with the product.
BUILT_IN = "built in"
#: More problems at once than anybody reads in a log.
MOST_TOLD = 200


class _OutOfTime(BaseException):
    """The themes took too long. Not an Exception: nobody on the way may take it for his own."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A good configuration, what may be doubted in it, and the files elsewhere that it names."""

    declared: Declared
    warnings: tuple[Problem, ...]
    excerpts: Excerpts
    files: tuple[Path, ...]


class Checker:
    """Checks directories again and again; remembers what it read of what stays as it is."""

    def __init__(self, environment: str | None, *, secrets: bool = True, rehearsed: Rehearsed | None = None) -> None:
        self._environment = environment
        self._secrets = secrets
        self._rehearsed = rehearsed
        self._cache = Cache()
        self._themes: tuple[Mapping[str, ThemeFiles], tuple[Problem, ...]] | None = None

    def check(self, directory: Path, tell: Callable[[Declared], None] = lambda _: None) -> Checked:
        """The configuration, or ConfigRejected with every problem, warnings too.

        `tell` hears what is declared when only the rehearsal of its themes is left, which takes a while.
        """
        loaded = load(directory, environment=self._environment, parts=PARTS, secrets=self._secrets, cache=self._cache)
        found = self._check_themes(loaded.declared, tell)
        problems = (*loaded.warnings, *found)
        if any(problem.severity == "error" for problem in found):
            raise ConfigRejected(problems, loaded.excerpts)
        return Checked(loaded.declared, problems, loaded.excerpts, loaded.files)

    def _check_themes(self, declared: Declared, tell: Callable[[Declared], None]) -> tuple[Problem, ...]:
        themes = declared.themes
        if self._themes is None or self._themes[0] != themes:
            self._themes = (themes, check_themes(themes, self._rehearsed, lambda: tell(declared)))
        return self._themes[1]


def check_themes(
    themes: Mapping[str, ThemeFiles], rehearsed: Rehearsed | None = None, begin: Callable[[], None] = lambda: None
) -> tuple[Problem, ...]:
    """Compile all themes and render every page of them: a theme that cannot be rendered is not taken.

    Those that ship with the product are not tried again at every start: our own tests do. Nor are those that
    `rehearsed` knows, to the octet. `begin` is called before any is.
    """
    own = frozenset(name for name, theme in themes.items() if theme.origin != BUILT_IN)
    if not own:
        return ()
    digest = "" if rehearsed is None else digest_of(themes)
    if rehearsed is not None and rehearsed.knows(digest):
        return ()
    begin()
    found = _rehearse(themes, own)
    if rehearsed is not None and not found:
        rehearsed.note(digest)
    return found


def _rehearse(themes: Mapping[str, ThemeFiles], own: frozenset[str]) -> tuple[Problem, ...]:
    # Not above: most starts know their themes already, and need not load what renders them.
    from appliance.pages.rehearsal import rehearse
    from appliance.pages.theme import compile_themes

    found: Sequence[ThemeProblem]
    try:
        with _bounded():
            compiled, refused = compile_themes(themes, shipped=themes.keys() - own)
            mine = {name: theme for name, theme in compiled.items() if name in own}
            found = [*refused, *rehearse(mine)]
    except _OutOfTime:
        words = f"the pages of all themes took more than {REHEARSAL_SECONDS} seconds"
        found = [ThemeProblem(REHEARSAL, "", "", None, words)]
    except MemoryError:
        words = f"the pages of all themes took more than {REHEARSAL_MEMORY >> 20} MiB of memory"
        found = [ThemeProblem(REHEARSAL, "", "", None, words)]
    return tuple(_located(problem, themes) for problem in found)


def _located(problem: ThemeProblem, themes: Mapping[str, ThemeFiles]) -> Problem:
    theme = themes.get(problem.theme)
    origin = theme.origin if theme is not None else "themes"
    file = f"{origin}/{problem.file}" if problem.file else origin
    severity: Severity = "warning" if problem.is_warning else "error"
    column = 1 if problem.line else 0
    return Problem(
        problem.code, severity, file, problem.line or 0, column, column, problem.message, problem.help or None
    )  # fmt: skip


@contextmanager
def _bounded() -> Iterator[None]:
    """Limits for what theme authors wrote: the sandbox counts steps, this catches what it cannot count."""

    def ring(_signal: int, _frame: Any) -> None:
        raise _OutOfTime

    try:
        before = signal.signal(signal.SIGALRM, ring)
    except ValueError:
        # Not the main thread (a test, an embedding program): there the sandbox's own count has to do.
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _address_space() + REHEARSAL_MEMORY
    signal.setitimer(signal.ITIMER_REAL, REHEARSAL_SECONDS)
    try:
        if hard == resource.RLIM_INFINITY or limit <= hard:
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()
