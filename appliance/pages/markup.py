"""What markup may say, in a template's source and again in every rehearsed page.

CSP would stop most of what is refused here at run time; refusing it at load tells the designer, with a line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

#: An expression in linted source is written as one private character, its number, and another one.
OPEN, CLOSE = "\ue000", "\ue001"
_EXPRESSION = re.compile(f"{OPEN}(\\d+){CLOSE}")

_ELEMENT_NAMES = """
    html head meta title link body header main footer nav section article aside div span p h1 h2 h3 h4
    h5 h6 ul ol li dl dt dd form label input button fieldset legend select optgroup option textarea img
    picture source a strong em b i s small abbr bdi bdo br wbr hr noscript script details summary time
    code kbd pre output sub sup blockquote cite q table caption thead tbody tr th td figure figcaption
    svg g path circle ellipse rect line polyline polygon desc defs lineargradient radialgradient stop
"""
ELEMENTS = frozenset(_ELEMENT_NAMES.split())
_FORBIDDEN_ATTRIBUTES = frozenset(
    {"style", "srcdoc", "formaction", "background", "ping", "xlink:href", "nonce", "manifest", "is", "target"}
)
_URL_ATTRIBUTES = frozenset({"href", "src", "action", "srcset", "poster", "cite", "data", "longdesc", "usemap"})
#: The expressions that may stand for an address: everything else could be `javascript:` in disguise.
_URL_EXPRESSION = re.compile(
    r"""action|asset\((?:"[\w.-]+"|'[\w.-]+')\)"""
    r"|[a-z_]+\.(?:href|logo_uri|client_uri|policy_uri|tos_uri|restart|sign_up|sign_in|redirect_uri"
    r"|post_logout_redirect_uri|logo|logo_dark)"
)
_UNQUOTED = re.compile(rf"""=\s*[^\s"'>=]*{OPEN}""")
_SPLIT_TAG = re.compile(rf"<\s*/?[A-Za-z]*{OPEN}")
_STATIC_LINK = re.compile(r"#[\w-]*|https://[^\s\"'<>]+|mailto:[^\s\"'<>]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that markup must not say, and the line it is on."""

    line: int
    message: str


class MarkupLint(HTMLParser):
    """Reads markup and collects findings; `expressions` are those of a template, None for a rendered page."""

    def __init__(self, expressions: Sequence[str] | None, *, scripts: frozenset[str] = frozenset()) -> None:
        super().__init__(convert_charrefs=False)
        self.findings: list[Finding] = []
        self._is_source = expressions is not None
        self._expressions = expressions or ()
        self._scripts = scripts
        self._in_script = False

    def _refuse(self, message: str) -> None:
        self.findings.append(Finding(self.getpos()[0], message))

    def handle_comment(self, data: str) -> None:
        """Comments could hide half a tag from this reading; Jinja's own comments cannot."""
        self._refuse("write {# #} instead of an HTML comment")

    def handle_decl(self, decl: str) -> None:
        """Only the plain doctype."""
        if decl.lower() != "doctype html":
            self._refuse("the only declaration is <!doctype html>")

    def handle_pi(self, data: str) -> None:
        """Processing instructions have no place in a page."""
        self._refuse("processing instructions are refused")

    def unknown_decl(self, data: str) -> None:
        """CDATA and the like."""
        self._refuse("the only declaration is <!doctype html>")

    def handle_data(self, data: str) -> None:
        """Text; between script tags only the constant the page context provides."""
        if self._in_script and data.strip():
            text = self._text(data.strip())
            if text not in self._scripts:
                self._refuse("inline scripts are refused; put the script into assets/")
        if "<" in data:
            self._refuse("a tag is not closed, or its name is computed")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<br/>` and SVG."""
        self._check_tag(tag, attrs)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Element and attributes against the lists."""
        self._check_tag(tag, attrs)
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        """The end of an element."""
        self._in_script = False
        if tag not in ELEMENTS:
            self._refuse(f"the element <{_shown(tag)}> is refused")

    def _check_tag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ELEMENTS:
            self._refuse(f"the element <{_shown(tag)}> is refused")
        if _UNQUOTED.search(self.get_starttag_text() or ""):
            self._refuse("quote an attribute whose value is computed")
        for name, value in attrs:
            if OPEN in name:
                self._refuse("the name of an attribute cannot be computed")
            elif name.startswith("on"):
                self._refuse(f"the event attribute {name} is refused; put the script into assets/")
            elif name in _FORBIDDEN_ATTRIBUTES:
                self._refuse(f"the attribute {name} is refused")
            elif name == "http-equiv":
                self._refuse("meta http-equiv is refused; headers are the provider's")
            elif name in _URL_ATTRIBUTES:
                self._check_address(tag, name, value or "")

    def _check_address(self, tag: str, name: str, value: str) -> None:
        if found := _EXPRESSION.fullmatch(value):
            expression = self._expressions[int(found[1])]
            if not _URL_EXPRESSION.fullmatch(expression):
                self._refuse(f"{{{{ {expression} }}}} cannot be the value of {name}: it is no known address")
        elif self._is_source:
            if not (tag == "a" and _STATIC_LINK.fullmatch(value)):
                self._refuse(f"{name} of <{tag}> must be one expression such as {{{{ asset(...) }}}}")
        elif not _is_safe_address(tag, value):
            self._refuse(f"{name} of <{tag}> leads outside")

    def _text(self, data: str) -> str:
        found = _EXPRESSION.fullmatch(data)
        return self._expressions[int(found[1])] if found else data


def _is_safe_address(tag: str, value: str) -> bool:
    """Addresses of a rendered page: links and images may be remote, what runs or styles may not."""
    if value.startswith(("#", "/")) and not value.startswith(("//", "/\\")):
        return True
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    remote = parts.scheme in ("http", "https") and bool(parts.netloc)
    if tag == "form":
        return remote or bool(parts.scheme and parts.scheme not in ("javascript", "data", "vbscript"))
    if tag == "a":
        return remote or parts.scheme == "mailto"
    return remote and tag in ("img", "source")


def _shown(tag: str) -> str:
    return _EXPRESSION.sub("{{...}}", tag)[:40]


def lint_markup(
    text: str, expressions: Sequence[str] | None = None, *, scripts: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """Everything that markup says and must not say."""
    for number, line in enumerate(text.split("\n"), 1):
        if _SPLIT_TAG.search(line):
            yield Finding(number, "the name of an element cannot be computed")
    lint = MarkupLint(expressions, scripts=scripts)
    lint.feed(text)
    lint.close()
    yield from lint.findings


_SVG_REFUSED = re.compile(
    r"<\s*(?:script|foreignobject|iframe|embed|object|use|image|animate\w*|set|handler|a)\b"
    r"|<!(?!--)|<\?(?!xml\s)|\son\w+\s*=|(?:href|src)\s*=(?!\s*[\"']?#)|javascript:|@import"
    r"|url\((?!\s*[\"']?#)",
    re.IGNORECASE,
)
_CSS_ADDRESS = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"'\s]*))\s*\)""", re.IGNORECASE)
_CSS_REFUSED = re.compile(
    r"@import|@namespace|expression\s*\(|javascript:|-moz-binding|behavior\s*:|image-set\s*\(\s*[\"']|</|<!",
    re.IGNORECASE,
)
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")


def lint_svg(text: str) -> Iterator[Finding]:
    """Everything in a picture that could run, load or link."""
    for found in _SVG_REFUSED.finditer(text):
        yield Finding(_line_of(text, found.start()), f"{found[0].strip()!r} is refused in a picture")


def lint_css(text: str, names: frozenset[str]) -> Iterator[Finding]:
    """Everything in a style sheet that loads from elsewhere; `names` are the assets it may name."""
    bare = _CSS_COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    for found in _CSS_REFUSED.finditer(bare):
        yield Finding(_line_of(bare, found.start()), f"{found[0].strip()!r} is refused in a style sheet")
    for found in _CSS_ADDRESS.finditer(bare):
        name = found[1] or found[2] or found[3] or ""
        if name not in names:
            yield Finding(_line_of(bare, found.start()), "url() names an asset of the theme, nothing else")
    # An escape outside a string could spell url( without these letters.
    bare_of_strings = _CSS_STRING.sub("", bare)
    if "\\" in bare_of_strings:
        yield Finding(_line_of(bare, bare.find("\\")), "escapes are refused outside of strings")


def css_with_hashed_names(text: str, hashed: dict[str, str]) -> str:
    """The style sheet with the assets it names under their hashed names, which lie beside it."""
    return _CSS_ADDRESS.sub(lambda found: f'url("{hashed[found[1] or found[2] or found[3]]}")', text)


def _line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
