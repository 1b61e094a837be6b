"""Opening databases: fresh, old, new, foreign, damaged, locked; and what a kill leaves behind."""

import dataclasses
import hashlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from db.central import CENTRAL
from db.engine import Schema, migrate, open_reader, open_writer, transaction
from db.errors import (
    DatabaseError,
    DatabaseFull,
    DatabaseLocked,
    DatabaseMissing,
    DatabaseTooNew,
    DatabaseTooOld,
    DatabaseUnreadable,
    WrongDatabase,
)
from db.house import HOUSE

ROOT = Path(__file__).parents[3]
Opener = Callable[..., Connection]
both = pytest.mark.parametrize("schema", [CENTRAL, HOUSE], ids=["central", "house"])


def schema_of(path: Path) -> list[tuple[str, str]]:
    raw = sqlite3.connect(path)
    rows = raw.execute("SELECT name, coalesce(sql, '') FROM sqlite_master ORDER BY name").fetchall()
    raw.close()
    return [(name, "".join(sql.split())) for name, sql in rows]


def execute(path: Path, *statements: str) -> None:
    raw = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        raw.execute(statement)
    raw.close()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def with_migration(tmp_path: Path, schema: Schema, *statements: str) -> Schema:
    """The schema of a later program, with one more migration than there are."""
    folder, head = tmp_path / "migrations", f"{int(schema.head) + 1:04}"
    shutil.copytree(schema.migrations, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"{head}_more.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision = '{head}'\ndown_revision = '{schema.head}'\n"
        "def upgrade():\n" + "".join(f"    {statement}\n" for statement in statements)
    )
    return dataclasses.replace(schema, head=head, migrations=folder)


@both
def test_a_fresh_database_has_the_schema_the_migrations_lead_to(tmp_path: Path, schema: Schema) -> None:
    open_writer(tmp_path / "fresh.db", schema).close()
    open_writer(tmp_path / "migrated.db", schema).close()
    names = [name for name, sql in schema_of(tmp_path / "fresh.db") if sql.startswith("CREATETABLE")]
    execute(tmp_path / "migrated.db", "PRAGMA foreign_keys=OFF", *(f"DROP TABLE {name}" for name in names))
    # without tables it is opened as fresh, so the migrations are run by hand, from the first to the last
    bare = dataclasses.replace(schema, metadata=MetaData(), head="0000")
    execute(tmp_path / "migrated.db", "PRAGMA application_id=0")
    connection = open_writer(tmp_path / "migrated.db", bare)
    with connection.begin():
        connection.exec_driver_sql("DELETE FROM alembic_version")
    migrate(connection, schema)
    with connection.begin():
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.metadata) == []
    connection.close()
    assert schema_of(tmp_path / "migrated.db") == schema_of(tmp_path / "fresh.db")
    assert len(names) >= 2


@both
def test_head_is_the_last_migration(schema: Schema) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.migrations))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.head]


@both
def test_opening_an_up_to_date_database_does_not_import_alembic(tmp_path: Path, schema: Schema) -> None:
    open_writer(tmp_path / "a.db", schema).close()
    program = (
        "import sys; from pathlib import Path\n"
        "from db.central import CENTRAL; from db.house import HOUSE; from db.engine import open_writer\n"
        "schema = next(s for s in (CENTRAL, HOUSE) if s.program == sys.argv[2])\n"
        "open_writer(Path(sys.argv[1]), schema).close()\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    run = [sys.executable, "-c", program, str(tmp_path / "a.db"), schema.program]
    assert subprocess.run(run, cwd=ROOT, check=False).returncode == 0


@both
def test_an_older_database_is_migrated_by_the_writer_and_refused_by_a_reader(
    tmp_path: Path, schema: Schema
) -> None:
    path = tmp_path / "a.db"
    open_writer(path, schema).close()
    newer = with_migration(tmp_path, schema, "op.create_table('more', sa.Column('id', sa.Integer()))")
    with pytest.raises(DatabaseTooOld, match="start the"):
        open_reader(path, newer)
    open_writer(path, newer).close()
    assert "more" in dict(schema_of(path))
    open_reader(path, newer).close()
    with pytest.raises(DatabaseTooNew, match="newer version"):
        open_writer(path, schema)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    open_writer(path, HOUSE).close()
    before = schema_of(path)
    newer = with_migration(tmp_path, HOUSE, "op.drop_table('meter_minute')", "raise RuntimeError('half way')")
    with pytest.raises(RuntimeError, match="half way"):
        open_writer(path, newer)
    assert schema_of(path) == before
    open_writer(path, HOUSE).close()


@pytest.mark.parametrize("opener", [open_writer, open_reader])
def test_a_newer_database_is_refused_in_one_sentence(tmp_path: Path, opener: Opener) -> None:
    path = tmp_path / "a.db"
    open_writer(path, CENTRAL).close()
    execute(path, "UPDATE alembic_version SET version_num = '0099'")
    before = digest(path)
    with pytest.raises(DatabaseTooNew) as refusal:
        opener(path, CENTRAL)
    assert str(refusal.value) == (
        f"The database {path} was written by a newer version of the Central Power Monitor;"
        " install that version or a later one."
    )
    assert digest(path) == before


@pytest.mark.parametrize("opener", [open_writer, open_reader])
@pytest.mark.parametrize("content", [b"x", b"not a database at all\n" * 500])
def test_what_is_no_database_is_refused_and_left_as_it_is(
    tmp_path: Path, opener: Opener, content: bytes
) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"is not a database of .*; choose another file"):
        opener(path, CENTRAL)
    assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("opener", [open_writer, open_reader])
def test_the_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path, opener: Opener) -> None:
    house, foreign = tmp_path / "house.db", tmp_path / "foreign.db"
    open_writer(house, HOUSE).close()
    execute(foreign, "CREATE TABLE photo (name TEXT)")
    for path in (house, foreign):
        before = digest(path)
        with pytest.raises(WrongDatabase, match="is not a database of the Central Power Monitor"):
            opener(path, CENTRAL)
        assert digest(path) == before


def test_a_database_that_lost_its_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    open_writer(path, CENTRAL).close()
    execute(path, "DELETE FROM alembic_version")
    with pytest.raises(DatabaseUnreadable, match="does not say which version"):
        open_writer(path, CENTRAL)
    execute(path, "DROP TABLE alembic_version")
    with pytest.raises(DatabaseUnreadable, match="restore it from a backup"):
        open_writer(path, CENTRAL)


def test_a_damaged_page_is_said_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = open_writer(path, CENTRAL)
    with connection.begin():
        rows = [(f"name {n}", "x" * 500) for n in range(200)]
        connection.exec_driver_sql("INSERT INTO setting VALUES (?, ?)", rows)
    connection.close()
    content = bytearray(path.read_bytes())
    content[-40_000:] = b"\xa5" * 40_000
    path.write_bytes(content)
    reader = open_reader(path, CENTRAL)
    with pytest.raises(DatabaseUnreadable, match="is damaged; restore it from a backup"), transaction(reader):
        reader.exec_driver_sql("SELECT sum(length(value)) FROM setting").all()
    reader.close()
    assert path.read_bytes() == bytes(content)


@pytest.mark.parametrize("opener", [open_writer, open_reader])
def test_a_locked_database_says_so_within_the_time_out(tmp_path: Path, opener: Opener) -> None:
    path = tmp_path / "a.db"
    open_writer(path, CENTRAL).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    with pytest.raises(DatabaseLocked, match="is in use by another program; close that program"):
        opener(path, CENTRAL, timeout_s=0.3)
    assert 0.2 < time.monotonic() - began < 3
    other.close()


def test_a_second_writer_waits_then_says_so_and_can_go_on_later(tmp_path: Path) -> None:
    first = open_writer(tmp_path / "a.db", CENTRAL)
    second = open_writer(tmp_path / "a.db", CENTRAL, timeout_s=0.2)
    with first.begin(), pytest.raises(DatabaseLocked, match="in use"), transaction(second):
        pass
    with transaction(second):
        second.exec_driver_sql("INSERT INTO setting VALUES ('a', 'b')")
    first.close()
    second.close()


def test_a_full_disk_is_said_and_the_transaction_is_gone(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "a.db", CENTRAL)
    with connection.begin():
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 5}")
    with pytest.raises(DatabaseFull, match="free some space"), connection.begin():
        connection.exec_driver_sql("INSERT INTO setting VALUES ('a', ?)", ("x" * 100_000,))
    with connection.begin():
        assert connection.exec_driver_sql("SELECT count(*) FROM setting").scalar_one() == 0
    connection.close()


def test_a_reader_of_nothing_and_a_writer_in_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing, match="There is no database at"):
        open_reader(tmp_path / "none.db", CENTRAL)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(DatabaseMissing, match="check that its folder exists"):
        open_writer(tmp_path / "no" / "a.db", CENTRAL)
    with pytest.raises(DatabaseMissing, match="is not a file"):
        open_writer(tmp_path, CENTRAL)


def test_a_reader_sees_what_is_committed_and_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "a % ä?.db"
    writer = open_writer(path, CENTRAL)
    reader = open_reader(path, CENTRAL)
    with writer.begin():
        writer.exec_driver_sql("INSERT INTO setting VALUES ('a', 'b')")
        with transaction(reader):
            assert reader.exec_driver_sql("SELECT count(*) FROM setting").scalar_one() == 0
    with transaction(reader):
        assert reader.exec_driver_sql("SELECT count(*) FROM setting").scalar_one() == 1
    with pytest.raises(DatabaseError, match="may not be written"), transaction(reader):
        reader.exec_driver_sql("DELETE FROM setting")
    reader.close()
    writer.close()


def test_the_writer_is_durable_and_the_reader_never_checkpoints(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.db", CENTRAL)
    reader = open_reader(tmp_path / "a.db", CENTRAL)
    with transaction(writer), transaction(reader):
        assert writer.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert writer.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
        assert reader.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one() == 0
        assert reader.exec_driver_sql("PRAGMA query_only").scalar_one() == 1
    reader.close()
    writer.close()


def test_a_file_left_by_a_power_cut_before_its_tables_is_filled(tmp_path: Path) -> None:
    execute(tmp_path / "a.db", "PRAGMA journal_mode=WAL")
    (tmp_path / "b.db").touch()
    for name in ("a.db", "b.db"):
        open_writer(tmp_path / name, CENTRAL).close()
        open_reader(tmp_path / name, CENTRAL).close()


WRITER = """
import sys
from pathlib import Path
from db.central import CENTRAL, MinuteStore
from db.engine import open_writer
from tests.unit.db.rows import meter
store = MinuteStore(open_writer(Path(sys.argv[1]), CENTRAL))
minute = 0
while True:
    store.append([meter(house, minute) for house in "ABCDE"])
    print(minute, flush=True)
    minute += 1
"""


def test_a_killed_writer_loses_nothing_it_had_committed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(40):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")[:-1]  # what was said between the 40th line and the kill
    committed = int(rest[-1]) if rest else 39
    reader = open_reader(path, CENTRAL)
    with transaction(reader):
        query = "SELECT minute, count(*) FROM meter_minute GROUP BY minute ORDER BY minute"
        rows = [tuple(row) for row in reader.exec_driver_sql(query)]
        assert reader.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    reader.close()
    assert rows[: committed + 1] == [(minute, 5) for minute in range(committed + 1)]
    assert all(count == 5 for _, count in rows)
    open_writer(path, CENTRAL).close()
