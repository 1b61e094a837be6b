"""What people get wrong at a command line: one sentence says what and what to do, and nothing is lost."""

import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from central_monitor.adapters.writer import DatabaseWriter
from db.central import CENTRAL
from microgrid.months import month_minutes, zone_of
from node.gridfile import read_gridfile
from tests.e2e.neighbourhood import CHAPTER_9, MONTH
from tests.e2e.processes import CENTRAL as CENTRAL_PROGRAM
from tests.e2e.processes import HOUSE, one_sentence, run

RUN = (*CENTRAL_PROGRAM, "run", "--headless", "--listen", "127.0.0.1:0")
SETTLE = (*CENTRAL_PROGRAM, "settle")
DEMO = (*CENTRAL_PROGRAM, "demo", "--headless", "--days", "1")


def refused(program: tuple[str, ...], *arguments: object) -> str:
    """The one sentence with which a program ends that cannot do what it was asked."""
    ended = run(program, *arguments)
    assert ended.returncode == 1
    assert ended.stdout == ""
    return one_sentence(ended.stderr)


def misused(program: tuple[str, ...], *arguments: object) -> str:
    """The last line, after the usage, of a program that was called wrongly."""
    ended = run(program, *arguments)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    return ended.stderr.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound database with the terms of a month, and no minutes. Not to be changed."""
    path = tmp_path_factory.mktemp("sound") / "power.sqlite"
    grid = read_gridfile(CHAPTER_9)
    with closing(DatabaseWriter(path)) as writer:
        writer.save_terms(grid.terms(month_minutes(MONTH, zone_of(grid.zone))))
    return path


# --- the grid file ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "instead", "sentence"),
    [
        (
            "max_kw = 2.5, price = 8",
            "max_kw = 0.1, price = 8",
            "House B: the minimum of 0.25 kW is above the",
        ),
        ("price = 8", "price = 18", "House B: the solar price of 18 coins/kWh is above the national tariff"),
        ('id = "C"', 'id = "A"', "House A: this ID is listed twice; every house needs its own."),
        ('id = "C"', 'id = "C"\ncolour = "red"', "unknown field `colour`"),
        (
            'zone = "Asia/Karachi"',
            'zone = "Asia/Nowhere"',
            "There is no time zone 'Asia/Nowhere'; use an IANA",
        ),
        ('zone = "Asia/Karachi"', "zone is here", "is not as expected"),
    ],
    ids=["minimum above maximum", "solar price", "duplicate ID", "unknown key", "zone", "not TOML"],
)
def test_a_grid_file_with_a_fault_is_refused(given: str, instead: str, sentence: str, tmp_path: Path) -> None:
    grid = tmp_path / "grid.toml"
    text = CHAPTER_9.read_text(encoding="utf-8")
    assert given in text
    grid.write_text(text.replace(given, instead), encoding="utf-8")
    database = tmp_path / "power.sqlite"
    assert sentence in refused(RUN, "--grid", grid, "--database", database)
    assert sentence in refused(DEMO, "--grid", grid, "--out", tmp_path / "out")
    # A corrected file is taken up: the refused one left no terms behind.
    with closing(DatabaseWriter(database)) as writer, pytest.raises(LookupError):
        writer.load_terms()


def test_a_grid_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    said = refused(RUN, "--grid", tmp_path / "none.toml", "--database", tmp_path / "power.sqlite")
    assert (
        said
        == f"main_central.py: The grid file {tmp_path}/none.toml cannot be read: No such file or directory."
    )


def test_a_new_database_without_a_grid_file_is_refused(tmp_path: Path) -> None:
    assert "name the micro-grid's description with --grid" in refused(
        RUN, "--database", tmp_path / "new.sqlite"
    )


# --- the database -----------------------------------------------------------------------------------


@pytest.fixture
def copy(database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(database, tmp_path / "power.sqlite"))


def test_a_locked_database_is_left_to_who_has_it(copy: Path) -> None:
    with closing(sqlite3.connect(copy, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        sentence = (
            f"main_central.py: The database {copy} is in use by another program; close that program and"
        )
        assert refused(RUN, "--database", copy).startswith(sentence)
    with closing(DatabaseWriter(copy)) as writer:
        assert len(writer.load_terms().houses) == 4


def test_a_newer_database_is_left_as_it_is(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (f"{int(CENTRAL.head) + 1:04d}",))
        connection.commit()
    before = copy.read_bytes()
    assert "was written by a newer version" in refused(RUN, "--database", copy)
    assert copy.read_bytes() == before


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear neighbours, " * 100, encoding="ascii")
    before = file.read_bytes()
    for said in (
        refused(RUN, "--database", file, "--grid", CHAPTER_9),
        refused(SETTLE, "--month", MONTH, "--database", file, "--out", tmp_path / "out"),
    ):
        assert "is not a database" in said
        assert "choose another file" in said
    assert file.read_bytes() == before


def test_the_journal_of_a_house_is_not_taken_for_the_centrals_database(tmp_path: Path, copy: Path) -> None:
    journal = tmp_path / "house-A.sqlite"
    shutil.copy(copy, journal)
    before = journal.read_bytes()
    said = refused(HOUSE, "--house", "A", "--headless", "--data", tmp_path)
    assert said.startswith(f"House A: The file {journal} is not a database of the house client; choose")
    assert journal.read_bytes() == before


# --- ports ------------------------------------------------------------------------------------------


def test_an_occupied_port_is_said(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        program = (*CENTRAL_PROGRAM, "run", "--headless", "--listen", f"127.0.0.1:{port}")
        said = refused(program, "--database", database)
    assert said.startswith(f"main_central.py: Port {port} on 127.0.0.1 cannot be listened on")
    assert said.endswith("stop the program that uses it, or choose another with --listen.")


# --- settle and the demonstration -------------------------------------------------------------------


@pytest.mark.parametrize("month", ["2026-13", "2026-6", "June", ""])
def test_a_wrong_month_is_refused(month: str, tmp_path: Path) -> None:
    sentence = f"main_central.py: {month!r} is not a month; write it as YYYY-MM, for example 2026-06."
    assert refused(DEMO, "--month", month, "--out", tmp_path / "out") == sentence


def test_a_database_that_is_missing_or_empty_is_not_settled(database: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    missing, empty = tmp_path / "none.sqlite", tmp_path / "empty.sqlite"
    empty.touch()
    for path in (missing, empty):
        said = refused(SETTLE, "--month", MONTH, "--database", path, "--out", out)
        assert (
            said
            == f"main_central.py: There is no database at {path} yet; start the Central Power Monitor once."
        )
    said = refused(SETTLE, "--month", MONTH, "--database", database, "--out", out)
    assert said.endswith("holds no minutes yet; there is nothing to settle.")
    assert not missing.exists()
    assert not out.exists()


def test_only_months_that_were_recorded_are_settled(tmp_path: Path) -> None:
    lived = tmp_path / "lived"
    assert run(DEMO, "--step", 30, "--month", MONTH, "--out", lived).returncode == 0
    database = lived / "power.sqlite"
    for month, sentence in (
        ("2026-07", f"The database {database} holds no minutes of 2026-07; choose another month."),
        ("2026-05", "At 2026-05-01 00:00 Asia/Karachi no tariff is in force; add one to the terms."),
        ("May", "'May' is not a month; write it as YYYY-MM, for example 2026-06."),
    ):
        said = refused(SETTLE, "--month", month, "--database", database, "--out", tmp_path / "out")
        assert said == f"main_central.py: {sentence}"
    file = tmp_path / "file"
    file.touch()
    said = refused(SETTLE, "--month", MONTH, "--database", database, "--out", file)
    assert said.startswith(f"main_central.py: {file} cannot be used (File exists); choose another")
    assert file.read_bytes() == b""


def test_a_results_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine", encoding="ascii")
    assert refused(DEMO, "--out", file).startswith(f"main_central.py: {file} cannot be used (File exists);")
    assert file.read_text(encoding="ascii") == "mine"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("time,power\n", "measured.csv, line 1: the header is not local_time;"),
        (None, "measured.csv cannot be used (No such file or directory); choose another"),
        ("local_time;active_power_kw;reactive_power_kvar;voltage_v;current_a\n", "has no measured minute"),
        (
            "local_time;active_power_kw;reactive_power_kvar;voltage_v;current_a\n2007-01-01 00:00:00;-1;;;\n",
            "measured.csv, line 2: active_power_kw '-1' is not a number of 0 or more.",
        ),
    ],
    ids=["header", "missing", "empty", "negative"],
)
def test_a_measured_file_with_a_fault_is_refused(text: str | None, sentence: str, tmp_path: Path) -> None:
    csv = tmp_path / "measured.csv"
    if text is not None:
        csv.write_text(text, encoding="ascii")
    assert sentence in refused(DEMO, "--replay", csv, "--out", tmp_path / "out")


@pytest.mark.parametrize(
    ("program", "arguments", "sentence"),
    [
        (DEMO, ("--step", "0"), "argument --step: '0' is not a whole number above 0"),
        (DEMO, ("--step", "31"), "argument --step: '31' is more than 30, the most minutes"),
        (DEMO, ("--days", "0"), "argument --days: '0' is not a whole number above 0"),
        (RUN, ("--step", "0"), "argument --step: '0' is not a whole number above 0"),
        (
            RUN,
            ("--listen", "nowhere"),
            "argument --listen: 'nowhere' is not an address; write it as HOST:PORT",
        ),
        (HOUSE, ("--house", "../A"), "argument --house: '../A' is not an ID; it has 1 to 32 letters"),
        (HOUSE, ("--house", "A", "--central", "x:99999"), "argument --central: 'x:99999' is not an address;"),
    ],
)
def test_an_argument_of_a_wrong_form_is_refused(
    program: tuple[str, ...], arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in misused(program, *arguments)
