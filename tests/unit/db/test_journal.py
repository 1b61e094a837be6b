"""The house's journal: on disk before it is offered, pending until acknowledged."""

import signal
import subprocess
import sys
from pathlib import Path

from db.house import MinuteJournal
from microgrid.minute import Origin
from tests.unit.db.rows import meter

ROOT = Path(__file__).parents[3]


def test_minutes_stay_pending_until_acknowledged_and_survive_reopening(tmp_path: Path) -> None:
    rows = [meter(minute=minute, import_ws=2**62 + minute, origin=Origin.ESTIMATED) for minute in (7, 5, 6)]
    with MinuteJournal(tmp_path / "j.db") as journal:
        assert (journal.last(), journal.pending_minutes()) == (None, [])
        journal.append([])
        journal.append(rows)
        assert [row.minute for row in journal.pending(2)] == [5, 6]
        journal.acknowledge([5, 99])
    with MinuteJournal(tmp_path / "j.db") as journal:
        assert journal.last() == rows[0]
        assert journal.pending(10) == [rows[2], rows[0]]
        assert journal.pending(10, first=7) == [rows[0]]
        assert journal.pending_minutes() == [6, 7]
        journal.acknowledge([6, 7])
        assert (journal.pending_minutes(), journal.pending(9)) == ([], [])
        assert journal.last() == rows[0]


def test_a_journalled_minute_stands(tmp_path: Path) -> None:
    with MinuteJournal(tmp_path / "j.db") as journal:
        journal.append([meter(minute=5)])
        journal.acknowledge([5])
        journal.append([meter(minute=5, import_ws=1), meter(minute=6)])
        assert [row.minute for row in journal.pending(9)] == [6]
        journal.acknowledge([6])
        journal.append([meter(minute=5, import_ws=1)])
        assert journal.pending_minutes() == []


def test_pruning_keeps_what_is_pending_and_what_is_recent(tmp_path: Path) -> None:
    minutes = [0, 1, 1440, 1441, 2880]
    with MinuteJournal(tmp_path / "j.db", kept_days=1) as journal:
        journal.append([meter(minute=minute) for minute in minutes])
        journal.acknowledge([0, 1440, 1441, 2880])
        assert [row.minute for row in journal.pending(9)] == [1]
        # 0 was dropped: journalled again it is new; 1440 is exactly a day old and was kept
        journal.append([meter(minute=0), meter(minute=1440)])
        assert [row.minute for row in journal.pending(9)] == [0, 1]


def test_pruning_never_takes_the_last_row(tmp_path: Path) -> None:
    with MinuteJournal(tmp_path / "j.db", kept_days=0) as journal:
        journal.append([meter(minute=5), meter(minute=6)])
        journal.acknowledge([5, 6])
        assert journal.last() == meter(minute=6)


def test_a_month_comes_with_the_nearest_minutes_around_it(tmp_path: Path) -> None:
    with MinuteJournal(tmp_path / "j.db") as journal:
        assert journal.month_rows(0, 99) == []
        journal.append([meter(minute=minute) for minute in (3, 8, 2, 11, 10, 19, 20, 27, 30)])
        journal.acknowledge([2, 10])

        def minutes(first: int, end: int) -> list[int]:
            return [row.minute for row in journal.month_rows(first, end)]

        assert minutes(10, 20) == [8, 10, 11, 19, 20]
        assert minutes(9, 21) == [8, 10, 11, 19, 20, 27]
        assert minutes(12, 19) == [11, 19]
        assert minutes(0, 3) == [2, 3]
        assert minutes(28, 99) == [27, 30]
        assert minutes(31, 99) == [30]
        assert minutes(0, 1) == [2]
        assert journal.month_rows(10, 11) == [meter(minute=minute) for minute in (8, 10, 11)]


WRITER = """
import sys
from pathlib import Path
from db.house import MinuteJournal
from tests.unit.db.rows import meter
journal = MinuteJournal(Path(sys.argv[1]))
minute = 0
while True:
    journal.append([meter(minute=minute)])
    print(minute, flush=True)
    minute += 1
"""


def test_a_killed_house_loses_no_minute_it_had_journalled(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "j.db")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(40):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read().split("\n")[:-1]
    committed = int(said[-1]) if said else 39
    with MinuteJournal(tmp_path / "j.db") as journal:
        minutes = [row.minute for row in journal.pending(100_000)]
    assert minutes == list(range(len(minutes)))
    assert len(minutes) > committed
