"""What is wrong with a theme, in a form that configuration diagnostics can be made from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThemeProblem:
    """One finding about one theme. Codes: OP720 to OP726, see `CODES`; lower ones are what reading the folder found."""

    code: str
    theme: str
    #: Path inside the theme folder, or "" for the folder itself.
    file: str
    line: int | None
    message: str
    help: str = ""
    #: A warning leaves the theme usable; an error keeps the whole generation from going live.
    is_warning: bool = False
    #: Dotted path inside theme.yaml, from which the reader of the file can tell the line.
    setting: str = ""

    def __str__(self) -> str:
        place = f"{self.theme}/{self.file}" if self.file else self.theme
        if self.line is not None:
            place = f"{place}:{self.line}"
        return f"{place}: {self.code}: {self.message}"


SETTING = "OP720"
CONTRAST = "OP721"
PARENT = "OP722"
TEMPLATE = "OP723"
ASSET = "OP724"
MESSAGE = "OP725"
REHEARSAL = "OP726"

CODES = {
    SETTING: "a setting or token of theme.yaml cannot be used",
    CONTRAST: "two colours are too close to each other to be read",
    PARENT: "the theme extends something that is not there, or itself",
    TEMPLATE: "a template does what a template must not do",
    ASSET: "an asset is of a refused kind or reaches outside the theme",
    MESSAGE: "a message is unknown, unusable or missing",
    REHEARSAL: "a page could not be rendered with sample values",
}
