"""Themes compiled: folder and parents in, an immutable value out, with everything wrong in them."""

from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jinja2 import BaseLoader, Environment, FunctionLoader, Template, TemplateError, TemplateNotFound

from appliance.config.declared.theme import ThemeFiles
from appliance.pages.assets import check_assets, hashed_names
from appliance.pages.markup import Finding
from appliance.pages.messages import FALLBACK, Text, compile_catalogues, read_text
from appliance.pages.problems import ASSET, MESSAGE, PARENT, REHEARSAL, SETTING, TEMPLATE, ThemeProblem
from appliance.pages.sandbox import Sandbox
from appliance.pages.templates import lint_template, parse
from appliance.pages.tokens import Tokens, check_contrast, read_tokens, stylesheet
from appliance.protocol.pages import PAGES, THEME_API

ROOT_THEME = "default"
TOKENS_CSS = "tokens.css"
OWN_CSS = "theme.css"
_PARENT_PREFIX = "base:"
_MOST_REFERENCES = 100


@dataclass(frozen=True, slots=True)
class CompiledTheme:
    """A theme ready to render: nothing in it changes, nothing of it is read from disk again."""

    id: str
    tokens: Tokens
    #: Name of an asset to its hashed name.
    asset_names: Mapping[str, str]
    #: Hashed name to bytes.
    assets: Mapping[str, bytes]
    #: Hashed names of the style sheets in order.
    stylesheets: tuple[str, ...]
    #: Locale to key to message.
    catalogues: Mapping[str, Mapping[str, Text]]
    sandbox: Sandbox
    #: Page template to the loader's name of it.
    templates: Mapping[str, str]
    #: Links of the foot of the page, where the profile has none of that name.
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Lineage:
    """A theme and its parents, nearest first, with the names under which its templates are loaded."""

    chain: tuple[ThemeFiles, ...]

    @property
    def id(self) -> str:
        return self.chain[0].id

    def find(self, name: str, level: int) -> str:
        """Loader's name of the nearest template called `name` at this level or above."""
        for at in range(level, len(self.chain)):
            if name in self.chain[at].templates:
                return f"{at}/{name}"
        raise TemplateNotFound(name)

    def resolve(self, template: str, parent: str) -> str:
        """`base:x.html` is the parents' x.html, a plain name the nearest one of the whole theme."""
        name = template.removeprefix(_PARENT_PREFIX)
        if name == template:
            return self.find(name, 0)
        return self.find(name, int(parent.partition("/")[0]) + 1)

    def load(self, name: str) -> tuple[str, str, None] | None:
        """Jinja's loader: source, and the file name that errors will show."""
        level, _, file = name.partition("/")
        if not level.isdecimal() or int(level) >= len(self.chain):
            return None
        theme = self.chain[int(level)]
        source = theme.templates.get(file)
        return None if source is None else (source, f"{theme.id}/templates/{file}", None)


class _Loader(FunctionLoader):
    """Compiles templates of what the checks have parsed already."""

    def load(self, environment: Environment, name: str, globals: MutableMapping[str, Any] | None = None) -> Template:
        """One template."""
        source, filename, is_current = self.get_source(environment, name)
        code = environment.compile(parse(source).tree, name, filename)
        return environment.template_class.from_code(environment, code, {} if globals is None else globals, is_current)


def compile_themes(
    themes: Mapping[str, ThemeFiles], *, checked: bool = False, shipped: Collection[str] = ()
) -> tuple[Mapping[str, CompiledTheme], tuple[ThemeProblem, ...]]:
    """Every theme without an error, by id, and every problem of all of them, each told once.

    `checked`: they were found good before, by another process, and only have to be made ready. `shipped` are the ids
    of those whose templates come with the product: its tests look into them, no start does.
    """
    compiled: dict[str, CompiledTheme] = {}
    problems: dict[ThemeProblem, None] = {}
    folders = {theme.id: [] if checked or theme.id in shipped else _check_templates(theme) for theme in themes.values()}
    for theme in themes.values():
        try:
            lineage = _Lineage(_chain(theme, themes))
        except _Orphan as orphan:
            problems[orphan.problem] = None
            continue
        found = [] if checked else _check_theme(lineage, folders)
        problems |= dict.fromkeys(found)
        if all(problem.is_warning for problem in found):
            compiled[theme.id] = _compile(lineage, FunctionLoader(lineage.load) if checked else _Loader(lineage.load))
    return MappingProxyType(compiled), tuple(problems)


class _Orphan(Exception):
    """The parents of a theme cannot be found."""

    def __init__(self, theme: str, message: str) -> None:
        super().__init__(message)
        self.problem = ThemeProblem(PARENT, theme, "theme.yaml", None, message, setting="extends")


def _chain(theme: ThemeFiles, themes: Mapping[str, ThemeFiles]) -> tuple[ThemeFiles, ...]:
    chain = [theme]
    while chain[-1].id != ROOT_THEME:
        parent = str(chain[-1].settings.get("extends") or ROOT_THEME)
        if parent not in themes:
            raise _Orphan(theme.id, f"there is no theme {parent} to extend")
        if any(parent == seen.id for seen in chain):
            raise _Orphan(theme.id, "the theme extends itself")
        chain.append(themes[parent])
    return tuple(chain)


def _check_templates(theme: ThemeFiles) -> list[ThemeProblem]:
    return [
        ThemeProblem(TEMPLATE, theme.id, f"templates/{file}", finding.line, finding.message)
        for file, source in theme.templates.items()
        for finding in lint_template(source)
    ]


def _check_theme(lineage: _Lineage, folders: Mapping[str, list[ThemeProblem]]) -> list[ThemeProblem]:
    """What is wrong with a theme, its parents' faults included: they are its own to suffer."""
    problems: list[ThemeProblem] = []
    for level, theme in enumerate(lineage.chain):
        inherited = frozenset(name for parent in lineage.chain[level + 1 :] for name in parent.assets)
        problems += check_assets(theme.id, theme.assets, inherited | {TOKENS_CSS})
        problems += folders[theme.id]
    if api := [str(t.id) for t in lineage.chain if t.settings.get("theme_api", THEME_API) != THEME_API]:
        problems.append(
            ThemeProblem(SETTING, api[0], "theme.yaml", None, f"theme_api is {THEME_API}", setting="theme_api")
        )
    tokens, faults = read_tokens([(theme.id, theme.settings) for theme in reversed(lineage.chain)])
    problems += faults
    if not faults:
        allowed = lineage.chain[0].settings.get("allow_low_contrast") is True
        problems += check_contrast(lineage.id, tokens, allow_low_contrast=allowed)
    if not any(tokens.logo in theme.assets for theme in lineage.chain):
        message = f"there is no assets/{tokens.logo}"
        problems.append(ThemeProblem(ASSET, lineage.id, "theme.yaml", None, message, setting="tokens.brand.logo"))
    if not any(problem.code == TEMPLATE for problem in problems):
        problems += _check_references(lineage)
        problems += _check_messages(lineage)
    return problems


def _template(theme: str, file: str, finding: Finding) -> ThemeProblem:
    return ThemeProblem(TEMPLATE, theme, f"templates/{file}", finding.line, finding.message)


def _check_references(lineage: _Lineage) -> Iterator[ThemeProblem]:
    """References must lead somewhere, not in a circle, and not to more than a page can need."""
    weights: dict[str, int] = {}

    def weigh(name: str, path: tuple[str, ...]) -> int:
        if name in path:
            raise RecursionError
        if name not in weights:
            source = (lineage.load(name) or ("",))[0]
            targets = [lineage.resolve(target, name) for _, target in parse(source).references]
            weights[name] = 1 + sum(weigh(target, (*path, name)) for target in targets)
        return weights[name]

    for page in PAGES:
        try:
            name = lineage.find(page.template, 0)
        except TemplateNotFound:
            yield ThemeProblem(TEMPLATE, lineage.id, f"templates/{page.template}", None, "there is no such file")
            continue
        level, _, file = name.partition("/")
        place = (lineage.chain[int(level)].id, file)
        try:
            if weigh(name, ()) > _MOST_REFERENCES:
                yield _template(*place, Finding(1, f"it needs more than {_MOST_REFERENCES} templates"))
        except TemplateNotFound as missing:
            yield _template(*place, Finding(1, f"it needs {missing.name}, which is not there"))
        except RecursionError:
            yield _template(*place, Finding(1, "its templates extend or include each other in a circle"))


def _check_messages(lineage: _Lineage) -> Iterator[ThemeProblem]:
    """Messages must be known to a template or a parent, and ask for values that they are given."""
    catalogues = compile_catalogues([theme.messages for theme in lineage.chain])
    texts = catalogues[FALLBACK]
    given: dict[str, frozenset[str]] = {}
    for theme in lineage.chain:
        for file, source in theme.templates.items():
            for line, key, values in parse(source).message_keys:
                given[key] = given.get(key, frozenset()) | values
                if key not in texts:
                    message = f"there is no message {key} in {FALLBACK}"
                    yield ThemeProblem(MESSAGE, theme.id, f"templates/{file}", line, message)
    known = frozenset(_root_words(lineage)) | frozenset(given)
    for theme in lineage.chain[:-1]:
        for locale, messages in theme.messages.items():
            for key in sorted(set(messages) - known):
                if not key.startswith(("scope.", "claim.", "link.")):
                    message = f"no template asks for the message {key}"
                    yield ThemeProblem(
                        MESSAGE, theme.id, f"messages/{locale}.yaml", None, message, is_warning=True, setting=key
                    )
    # Keys that templates put together are known by what the root theme says of them.
    own = {key: read_text(words, "").placeholders for key, words in _root_words(lineage).items()}
    for locale, messages_of in catalogues.items():
        for key, text in messages_of.items():
            unknown = text.placeholders - given.get(key, own.get(key, text.placeholders))
            if unknown:
                message = f"{key} asks for {{{sorted(unknown)[0]}}}, which it is not given"
                yield ThemeProblem(MESSAGE, lineage.id, f"messages/{locale}.yaml", None, message, setting=key)


def _root_words(lineage: _Lineage) -> Mapping[str, str]:
    return lineage.chain[-1].messages.get(FALLBACK, {})


def _compile(lineage: _Lineage, loader: BaseLoader) -> CompiledTheme:
    """A theme in which nothing is wrong."""
    tokens, _ = read_tokens([(theme.id, theme.settings) for theme in reversed(lineage.chain)])
    files: dict[str, bytes] = {TOKENS_CSS: stylesheet(tokens)}
    sheets = [TOKENS_CSS, "base.css"]
    for theme in reversed(lineage.chain):
        for name, content in theme.assets.items():
            # Parents' and children's own rules add up; every other file replaces the parents'.
            target = f"{theme.id}.{OWN_CSS}" if name == OWN_CSS else name
            files[target] = content
            if name == OWN_CSS:
                sheets.append(target)
    names, served = hashed_names(files)
    sandbox = Sandbox(loader, lineage.resolve)
    templates = {page.template: lineage.find(page.template, 0) for page in PAGES}
    return CompiledTheme(
        lineage.id,
        tokens,
        names,
        served,
        tuple(names[sheet] for sheet in sheets),
        compile_catalogues([theme.messages for theme in lineage.chain]),
        sandbox,
        MappingProxyType(templates),
        MappingProxyType(_links(lineage)),
    )


def _links(lineage: _Lineage) -> dict[str, str]:
    links: dict[str, str] = {}
    for theme in reversed(lineage.chain):
        declared = theme.settings.get("links", {})
        if isinstance(declared, Mapping):
            links |= {str(name): str(href) for name, href in declared.items()}
    return links


def template_problem(theme: str, page: str, error: Exception) -> ThemeProblem:
    """What a failed rendering tells a designer: the innermost line of a template on the way."""
    owner, file, line = theme, page, None
    at = error.__traceback__
    while at is not None:
        filename = at.tb_frame.f_code.co_filename
        if "/templates/" in filename and filename.endswith(".html") and not filename.startswith("/"):
            owner, _, file = filename.partition("/templates/")
            line = at.tb_lineno
        at = at.tb_next
    kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
    return ThemeProblem(REHEARSAL, owner, f"templates/{file}", line, f"{kind}{error}"[:300])


def locales_of(theme: CompiledTheme, supported: Sequence[str]) -> tuple[str, ...]:
    """The profile's locales for which the theme has words; never empty."""
    return tuple(tag for tag in supported if tag in theme.catalogues) or (FALLBACK,)
