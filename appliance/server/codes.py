"""The words behind the diagnostics of a good configuration that cannot go live (OP8xx)."""

from appliance.config.codes.text import CodeText

NO_ANSWER = "OP801"
NOT_ASSEMBLED = "OP802"
LISTENER = "OP803"

CODES = {
    NO_ANSWER: CodeText(
        "error",
        "the configuration could not be read in time",
        "The process that reads the files died or took too long. Look for a file of enormous size or a theme "
        "that never ends; the configuration that was live stays live.",
    ),
    NOT_ASSEMBLED: CodeText(
        "error",
        "the configuration is well formed but cannot be put to work",
        "Something it names failed when it was tried: a key that cannot sign, a store that cannot be opened. "
        "The configuration that was live stays live.",
    ),
    LISTENER: CodeText(
        "error",
        "an address cannot be listened on",
        "Another process has the port, or the address does not belong to this machine. The listeners that "
        "were open stay open.",
    ),
}
