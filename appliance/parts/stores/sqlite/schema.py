"""The tables of the database file, as numbered steps from an empty file to today's.

`user_version` in the file's own header counts the steps that were taken. A step once released never
changes; a new form of the tables is a new step at the end.
"""

import sqlite3
from typing import Final

from appliance.seams import StoreUnavailable

STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        # A plain rowid table: bodies are appended to few pages, not scattered by their random ids.
        """CREATE TABLE records (
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            issuer TEXT NOT NULL,
            expires_at REAL NOT NULL,
            body BLOB NOT NULL,
            index_1 TEXT,
            index_2 TEXT,
            index_3 TEXT,
            index_4 TEXT,
            PRIMARY KEY (kind, id)
        )""",
        "CREATE INDEX records_by_end ON records (expires_at)",
        # Four columns cost half of what a table of index entries does (measured), and a column without a
        # value costs nothing. Each holds `name=value`, so that it does not matter which index is in which.
        "CREATE INDEX records_by_index_1 ON records (index_1) WHERE index_1 IS NOT NULL",
        "CREATE INDEX records_by_index_2 ON records (index_2) WHERE index_2 IS NOT NULL",
        "CREATE INDEX records_by_index_3 ON records (index_3) WHERE index_3 IS NOT NULL",
        "CREATE INDEX records_by_index_4 ON records (index_4) WHERE index_4 IS NOT NULL",
        "CREATE TABLE pings (id INTEGER PRIMARY KEY, at REAL NOT NULL)",
    ),
)
VERSION: Final = len(STEPS)
#: How many indexes a kind of record may have.
INDEXES: Final = 4


def migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that the file has not seen. Processes that start together take turns by the lock."""
    if _read_version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in STEPS[_read_version(connection) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _read_version(connection: sqlite3.Connection) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchall()[0][0])
    if version > VERSION:
        raise StoreUnavailable(
            "the database was written by a newer version of the provider: "
            f"its tables have version {version}, this one knows up to {VERSION}"
        )
    return version
