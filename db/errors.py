"""What can go wrong with a database file, each in one sentence a person can act on.

Nothing here is ever answered by moving a file aside or starting empty: the file is left as it is.
"""

import sqlite3
from pathlib import Path


class DatabaseError(Exception):
    """The database cannot be used; the text says what is wrong and what to do."""


class DatabaseMissing(DatabaseError):
    """There is no such file, or the program may not open it."""


class DatabaseLocked(DatabaseError):
    """Another program held the database for longer than the time-out."""


class DatabaseUnreadable(DatabaseError):
    """The file is damaged or is no SQLite database."""


class WrongDatabase(DatabaseError):
    """A sound SQLite database, but of another program."""


class DatabaseTooNew(DatabaseError):
    """The database was written by a newer version of this program."""


class DatabaseTooOld(DatabaseError):
    """A reader met a database that only a writer may bring up to date."""


class DatabaseFull(DatabaseError):
    """There is no room left on the disk."""


_SENTENCES: dict[int, tuple[type[DatabaseError], str]] = {
    sqlite3.SQLITE_BUSY: (
        DatabaseLocked,
        "The database {path} is in use by another program; close that program and try again.",
    ),
    sqlite3.SQLITE_NOTADB: (
        DatabaseUnreadable,
        "The file {path} is not a database of this program; choose another file"
        " (this one was left as it is).",
    ),
    sqlite3.SQLITE_CORRUPT: (
        DatabaseUnreadable,
        "The database {path} is damaged; restore it from a backup (the file was left as it is).",
    ),
    sqlite3.SQLITE_IOERR: (
        DatabaseUnreadable,
        "The disk failed while the database {path} was in use; check the disk, then start again.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        DatabaseMissing,
        "The database {path} cannot be opened; check that its folder exists and may be written.",
    ),
    sqlite3.SQLITE_PERM: (
        DatabaseMissing,
        "The database {path} may not be opened; give this user the right to read and write it.",
    ),
    sqlite3.SQLITE_READONLY: (
        DatabaseMissing,
        "The database {path} may not be written; give this user the right to write it and its folder.",
    ),
    sqlite3.SQLITE_FULL: (
        DatabaseFull,
        "There is no room left on the disk for the database {path}; free some space, then start again.",
    ),
}
_SENTENCES[sqlite3.SQLITE_LOCKED] = _SENTENCES[sqlite3.SQLITE_BUSY]
_SENTENCES[sqlite3.SQLITE_PROTOCOL] = _SENTENCES[sqlite3.SQLITE_BUSY]


def translated(error: BaseException, path: Path) -> DatabaseError | None:
    """SQLite's error in words for a person, or None if it is a fault of this program."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None or (code & 0xFF) not in _SENTENCES:  # the low byte is the primary result code
        return None
    kind, sentence = _SENTENCES[code & 0xFF]
    return kind(sentence.format(path=path))
