"""Opening a database: one writer, any number of readers, and the checks before either.

SQLite before 3.51.3 can damage a database when two connections write and checkpoint at once, so
exactly one connection writes; readers are read-only and never checkpoint. What is committed is on
the disk (`synchronous=FULL`), because what is committed is acknowledged.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, MetaData, NullPool, create_engine, event
from sqlalchemy.engine import Engine, ExceptionContext

from db.errors import (
    DatabaseError,
    DatabaseMissing,
    DatabaseTooNew,
    DatabaseTooOld,
    DatabaseUnreadable,
    WrongDatabase,
    translated,
)

LOCK_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Schema:
    """What one program's database is: its mark, its tables and the revision this program expects.

    Revisions are numbered "0001", "0002", …: a larger one is newer. `migrations` is the Alembic
    directory that leads to `head`.
    """

    program: str  # as a person knows it, for messages
    application_id: int  # SQLite's application_id, 31 bits
    head: str
    metadata: MetaData
    migrations: Path


def open_writer(
    path: Path, schema: Schema, timeout_s: float = LOCK_TIMEOUT_S, *, power_safe: bool = True
) -> Connection:
    """The one connection that writes, for one thread at a time; creates or migrates the database.

    `power_safe` False leaves the last commits to the operating system: a killed program still loses
    nothing, a power cut may. For virtual time, whose minutes are not worth a flush each.

    Closing the connection closes the file. Raises DatabaseError; the file is then unchanged.
    """
    stored = _inspect(path, schema, timeout_s)
    connection = _connect(path, "rwc", timeout_s, "FULL" if power_safe else "NORMAL")
    try:
        if stored is None:
            _create(connection, schema)
        elif stored != schema.head:
            migrate(connection, schema)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path, schema: Schema, timeout_s: float = LOCK_TIMEOUT_S) -> Connection:
    """A read-only connection to a database that is up to date; raises DatabaseError."""
    stored = _inspect(path, schema, timeout_s)
    if stored is None:
        raise DatabaseMissing(f"There is no database at {path} yet; start the {schema.program} once.")
    if stored != schema.head:
        raise DatabaseTooOld(
            f"The database {path} is from an older version; start the {schema.program} once to update it."
        )
    return _connect(path, "ro", timeout_s)


@contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """The caller's transaction if one is open, else one of its own, committed at the end."""
    if connection.in_transaction():
        yield connection
        return
    with connection.begin():
        yield connection


def data_version(connection: Connection) -> tuple[int, int]:
    """Another value than before if the database has changed since, by this connection or by others."""
    by_others = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
    return by_others, connection.exec_driver_sql("SELECT total_changes()").scalar_one()


def _inspect(path: Path, schema: Schema, timeout_s: float) -> str | None:
    """The revision stored in the file, or None if the file is absent or empty; never writes."""
    if not path.exists():
        return None
    if not path.is_file():
        raise DatabaseMissing(f"{path} is not a file; choose a file for the database.")
    if path.stat().st_size == 0:
        return None
    try:
        with closing(_raw_connection(path, "ro", timeout_s)) as raw:
            (application_id,) = raw.execute("PRAGMA application_id").fetchone()
            (tables,) = raw.execute("SELECT count(*) FROM sqlite_master").fetchone()
            (pages,) = raw.execute("PRAGMA page_count").fetchone()
            if application_id == 0 and tables == 0 and pages > 0:
                return None  # power failed between the file's first page and its tables
            # (pages = 0: SQLite takes a file shorter than a page for an empty database, whatever it holds)
            if application_id != schema.application_id:
                raise WrongDatabase(
                    f"The file {path} is not a database of the {schema.program}; choose another file"
                    " (this one was left as it is)."
                )
            stored = raw.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise _sentence(error, path) from error
    return _checked(stored, path, schema)


def _checked(stored: tuple[str] | None, path: Path, schema: Schema) -> str:
    if stored is None or not stored[0].isdecimal():
        raise DatabaseUnreadable(
            f"The database {path} does not say which version it is; restore it from a backup"
            " (the file was left as it is)."
        )
    if stored[0] > schema.head:
        raise DatabaseTooNew(
            f"The database {path} was written by a newer version of the {schema.program};"
            " install that version or a later one."
        )
    return stored[0]


def _sentence(error: sqlite3.Error, path: Path) -> DatabaseError:
    return translated(error, path) or DatabaseUnreadable(
        f"The database {path} cannot be read ({error}); restore it from a backup"
        " (the file was left as it is)."
    )


def _raw_connection(path: Path, mode: str, timeout_s: float) -> sqlite3.Connection:
    # isolation_level=None: transactions are ours (BEGIN IMMEDIATE below), not the driver's
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )


def _connect(path: Path, mode: str, timeout_s: float, synchronous: str = "FULL") -> Connection:
    writes = mode != "ro"

    def connect() -> sqlite3.Connection:
        raw = _raw_connection(path, mode, timeout_s)
        try:
            if writes:
                raw.execute("PRAGMA journal_mode=WAL")
                raw.execute(f"PRAGMA synchronous={synchronous}")
                raw.execute("PRAGMA foreign_keys=ON")
            else:
                raw.execute("PRAGMA query_only=ON")
                raw.execute("PRAGMA wal_autocheckpoint=0")
        except BaseException:
            raw.close()
            raise
        return raw

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    _listen(engine, path, "BEGIN IMMEDIATE" if writes else "BEGIN")
    return engine.connect()


def _listen(engine: Engine, path: Path, begin: str) -> None:
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Straight to the driver: through Core this costs as much as a transaction's insert.
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        try:
            raw.execute(begin)
        except sqlite3.Error as error:
            raise _sentence(error, path) from error

    @event.listens_for(engine, "handle_error")
    def _say(context: ExceptionContext) -> None:
        said = translated(context.original_exception, path)
        if said is not None:
            raise said from context.original_exception


def _create(connection: Connection, schema: Schema) -> None:
    """A fresh database in one transaction, without Alembic: the tables, the mark, the revision."""
    with connection.begin():
        schema.metadata.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA application_id={schema.application_id}")
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (schema.head,))


def migrate(connection: Connection, schema: Schema) -> None:
    """Brings an older database (or one without tables) to `head`, in one transaction."""
    from alembic import command  # slow to import, and hardly ever needed
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        with connection.begin():
            command.upgrade(config, schema.head)
    except CommandError as error:
        raise DatabaseUnreadable(
            f"The {schema.program} cannot update its database ({error}); restore it from a backup"
            " (the file was left as it is)."
        ) from error
