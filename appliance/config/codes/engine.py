"""Codes of the engine: files, YAML and variables OP0xx, shape OP1xx, secrets OP40x, theme files OP70x."""

from collections.abc import Mapping
from types import MappingProxyType

from appliance.config.codes.text import CodeText, Severity


def _code(severity: Severity, title: str, *explanation: str) -> CodeText:
    return CodeText(severity, title, " ".join(explanation))


CODES: Mapping[str, CodeText] = MappingProxyType(
    {
        "OP001": _code(
            "error",
            "the configuration directory cannot be read",
            "It does not exist, is not a directory, or its permissions keep the provider out.",
        ),
        "OP002": _code(
            "error",
            "op.yaml is missing",
            "A configuration directory has a file op.yaml with at least `version` and `name`.",
            "If it should be there, check that the directory is the right one and its volume is mounted.",
        ),
        "OP003": _code(
            "error",
            "a file cannot be read",
            "Permissions keep the provider out, or it is a pipe, socket or device where a file was expected.",
        ),
        "OP004": _code(
            "error",
            "a symbolic link leaves the configuration directory",
            "Links are followed inside the directory only, so that a configuration cannot pull in files",
            "of the machine from elsewhere. A directory that is itself a link (ConfigMap, git-sync) is fine.",
        ),
        "OP005": _code("error", "a file is too large", "Files of more than 8 MB are refused; split it."),
        "OP006": _code("error", "a file is not UTF-8", "Save the file with the encoding UTF-8."),
        "OP007": _code(
            "warning",
            "a file is not read",
            "YAML files are read from op.yaml and from the fixed directories: profiles, clients, claims,",
            "sources, authenticators, policies, environments and themes.",
        ),
        "OP008": _code(
            "warning",
            "the last line has no line end",
            "A file that is cut short while it is written looks exactly so. End it with a line break.",
        ),
        "OP009": _code(
            "error",
            "the configuration changed while it was read",
            "Files kept changing during several attempts to read them as one state. Try again.",
        ),
        "OP010": _code("error", "a file is empty", "A file that was emptied by mistake must not remove a client."),
        "OP011": _code("error", "a file is not YAML", "The place is where the parser gave up; look just before it."),
        "OP012": _code(
            "error",
            "a key appears twice",
            "YAML software silently keeps one of them, and not always the same one.",
        ),
        "OP013": _code(
            "error", "a key is not a text", "Keys are names; write a number or a date used as key in quotes."
        ),
        "OP014": _code(
            "error",
            "a YAML tag is not allowed",
            "Tags such as !!binary or !include mean something to one program only. Values are plain here.",
        ),
        "OP015": _code("error", "nested too deep", "More than 64 levels of lists and maps are refused."),
        "OP016": _code(
            "error",
            "aliases expand too far",
            "A few lines of aliases or merge keys can stand for millions of values; the sum is limited.",
        ),
        "OP017": _code("error", "more than one document in a file", "Write what follows `---` into a file of its own."),
        "OP018": _code("error", "a character is not allowed", "Control characters and halves of surrogate pairs."),
        "OP019": _code("error", "a merge key is misused", "`<<` takes an alias of a map, or a list of such."),
        "OP020": _code(
            "error",
            "a value is missing",
            "A key with nothing behind it is null in YAML, and is also what a file cut short looks like.",
        ),
        "OP021": _code(
            "error",
            "a word means different things to different YAML tools",
            "Words such as no, on, 010, 1:30, 1e3, ~ or a date are read differently by YAML 1.1 and 1.2",
            "software. Write the text in quotes, or the value in its plain form.",
        ),
        "OP022": _code("error", "a file is not a map", "Each file is a map of `key: value` lines at its top."),
        "OP023": _code(
            "warning",
            "a file can be changed by everybody",
            "Whoever may write the configuration decides who logs in where. Take the write permission away.",
        ),
        "OP024": _code("error", "an id is declared twice", "Both places are shown; rename or remove one."),
        "OP025": _code(
            "error",
            "objects in the wrong directory",
            "Each directory holds one kind of object; move the file or the key.",
        ),
        "OP030": _code(
            "error",
            "an unknown variable",
            "`${var.x}` stands for a variable that op.yaml declares under `vars`.",
        ),
        "OP031": _code(
            "error",
            "a variable has no value",
            "It has no default and the environment gives it no value. Choose one: --env or APPLIANCE_ENV.",
        ),
        "OP032": _code(
            "error", "a variable has a wrong value", "The value does not fit the type that op.yaml declares."
        ),
        "OP033": _code(
            "error",
            "a patch matches nothing",
            "The patch of an environment names an object or key that is not there.",
        ),
        "OP034": _code("error", "an unknown environment", "There is no file environments/<name>.yaml for it."),
        "OP101": _code(
            "error", "a required key is missing", "The schema wants this key; its text says what it is for."
        ),
        "OP102": _code("error", "an unknown key", "Unknown keys are never ignored: a misspelt setting would be lost."),
        "OP103": _code("error", "a value of the wrong type", "A text, number, list or map was expected instead."),
        "OP104": _code("error", "not one of the possible values", "The help lists what may stand here."),
        "OP105": _code("error", "a value of the wrong format", "Such as a URL, duration or language tag."),
        "OP106": _code("error", "a value out of range", "A number, length or count beyond its limit."),
        "OP107": _code("error", "a value of the wrong form", "The text does not have the form the schema asks for."),
        "OP108": _code("error", "settings that do not go together", "Some settings exclude or demand each other."),
        "OP109": _code("error", "an entry appears twice", "The entries of this list must differ."),
        "OP111": _code(
            "error", "an id does not match its key", "The id in the object differs from its key in the map."
        ),
        "OP112": _code("error", "a value has no meaning", "It has the right shape, but cannot be understood."),
        "OP401": _code(
            "error",
            "a secret cannot be read",
            "The file or environment variable that a secret refers to is missing, empty or too large.",
            "Nothing is ever used in its place.",
        ),
        "OP402": _code("error", "not a secret reference", "A secret is one of {hash: ...}, {file: ...}, {env: ...}."),
        "OP403": _code(
            "warning",
            "a secret file is open to other users",
            "Every user of the machine can read or change it. Restrict its permissions, for example to 0400.",
        ),
        "OP701": _code("error", "a theme is incomplete", "A theme folder has at least a file theme.yaml."),
        "OP702": _code(
            "error",
            "a file a theme cannot have",
            "Assets are style sheets, images and fonts. Scripts are refused: themes are for the looks.",
        ),
        "OP703": _code("error", "messages of a theme are not texts", "A messages file maps keys to texts."),
    }
)
