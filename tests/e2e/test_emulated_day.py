"""The whole chain: a measured day as waveforms, firmware, serial line, house, network, central, bill.

Each measured minute lasts one second on the emulated board, so the day is 24 minutes of the meter, the house
and the central, in which the meter speaks every second, byte by byte as it always does. The programs are
processes that follow one clock, moved on a minute when the board has lived it; nothing waits for real time.
"""

import fcntl
import json
import os
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import pytest

from central_monitor.adapters.writer import DatabaseWriter
from db.central import CENTRAL as CENTRAL_DATABASE
from db.central import MinuteStore
from db.engine import open_reader
from microgrid.months import month_minutes, zone_of
from node.gridfile import read_gridfile
from simulation.emulated_board import calibrated_board
from simulation.emulator import Emulator, Truth
from tests.e2e.cable import Cable
from tests.e2e.conducting import Conductor
from tests.e2e.measured_day import measured_day
from tests.e2e.processes import CENTRAL, HOUSE, Process, wait_until
from tests.e2e.truth import billed, recorded
from tests.firmware.building import built

MONTH = "2026-06"
GRID = """
zone = "Europe/Paris"
[tariff]
national = 17.6
feed_in = 6.0
[[house]]
id = "M"
name = "Measured"
connection_kw = 10.0
contract = { role = "consumer", max_kw = 9.0 }
"""
# It takes little more than a minute, but many of that on a machine that has much else to do.
pytestmark = pytest.mark.timeout(600)
WARM_UP_S = 4
# A packet is made 23 ms after its second and sent for 32 ms; then the board stands, and the clock moves on.
SENT_S = 0.1
WITHIN = 0.015


class Day(NamedTuple):
    """What was recorded and billed; and what had truly flowed at the beginning and at each minute's end."""

    database: Path
    minutes: range
    truths: list[Truth]


def test_a_measured_day_is_billed_for_the_energy_that_flowed(tmp_path: Path) -> None:
    day = live(tmp_path, built())
    assert_heard(day)
    assert_registers_hold_what_flowed(day)
    assert_billed(day)
    assert_measured(day)


def live(folder: Path, build: Path) -> Day:
    """Live the day, once for all that is to be seen of it."""
    grid = folder / "grid.toml"
    grid.write_text(GRID)
    gridfile = read_gridfile(grid)
    month = month_minutes(MONTH, zone_of(gridfile.zone))
    database = folder / "power.sqlite"
    writer = DatabaseWriter(database)
    writer.save_terms(gridfile.terms(month))
    writer.close()
    with (
        calibrated_board(1, build, pty=True) as board,
        unread(board.port) as waiting,
        programs(folder, database, board.port) as conductor,
    ):
        truths = [*lived(board, conductor, month.start, waiting)]
    return Day(database, range(month.start, month.start + len(truths) - 1), truths)


@contextmanager
def unread(port: str) -> Iterator[Callable[[], int]]:
    """How many bytes wait at the port to be read by the house, which has to open it after this."""
    descriptor = os.open(port, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        yield lambda: int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)
    finally:
        os.close(descriptor)


@contextmanager
def programs(folder: Path, database: Path, port: str) -> Iterator[Conductor]:
    """Central and house as processes, linked; on leaving they have ended in good order."""
    with ExitStack() as stack:
        conductor = stack.enter_context(Conductor())
        clock = ("--stepped-clock", conductor.address)
        central = stack.enter_context(
            Process(
                (*CENTRAL, "run"), "--headless", "--database", database, "--listen", "127.0.0.1:0", *clock
            )
        )
        cable = stack.enter_context(Cable(conductor.await_follower("central")["port"]))
        house = stack.enter_context(
            Process(HOUSE, "--house", "M", "--headless", "--meter", port, "--data", folder / "house",
                    "--central", f"127.0.0.1:{cable.port}", *clock)
        )  # fmt: skip
        conductor.await_follower("house", "M")
        wait_until(lambda: cable.answers > 0, "a welcome")
        yield conductor
        for role, name, process in (("house", "M", house), ("central", "", central)):
            conductor.stop(role, name)
            assert process.wait() == 0, process.errors
            assert process.errors == ""


def lived(board: Emulator, conductor: Conductor, start: int, waiting: Callable[[], int]) -> Iterator[Truth]:
    """Live the day; what flowed until the end of every house minute, and until the first began.

    The board lives many seconds in one, and like any line loses what is not read in time.
    """
    day = list(measured_day())
    board.connect(day[0])
    board.run(WARM_UP_S + SENT_S)
    yield told(board, conductor, start)
    for minute in range(len(day) // 60):
        for mains in day[60 * minute : 60 * (minute + 1)]:
            board.connect(mains)
            board.run(1)
            wait_until(lambda: waiting() == 0, "the house to read its meter")
        yield told(board, conductor, start + minute + 1)


def told(board: Emulator, conductor: Conductor, minute: int) -> Truth:
    """It is this minute now, and the meter has sent a packet for each of its seconds."""
    seconds = board.now_us // 1_000_000
    conductor.tick(minute, written={"M": {"sequence": seconds - 1, "uptime_ms": board.now_us // 1000}})
    assert board.faults == []
    return board.truth()


def assert_heard(day: Day) -> None:
    """Every second of every minute was heard, and nothing was doubted."""
    columns, _ = recorded(day.database, day.minutes.start, day.minutes.stop)
    assert len(day.minutes) == 24
    assert columns.present.all()
    assert (columns.covered_s == 60).all()
    assert (columns.closed_s == 60).all()
    assert (columns.suspect == 0).all()


def assert_registers_hold_what_flowed(day: Day) -> None:
    """Import and export as they flowed, also where both came in one minute; and generation."""
    columns, _ = recorded(day.database, day.minutes.start, day.minutes.stop)
    flowed = day.truths[-1] - day.truths[0]
    for name, true_ws in (("import_ws", flowed.import_ws), ("export_ws", flowed.export_ws),
                          ("generation_ws", flowed.generation_ws)):  # fmt: skip
        counted_ws = getattr(columns, name)[-1, 0] - getattr(columns.opening, name)[0]
        assert true_ws > 900_000
        assert counted_ws == pytest.approx(true_ws, rel=WITHIN), name


def assert_billed(day: Day) -> None:
    """The statement is for what flowed, net of each minute, and at the tariff."""
    bill = json.loads(billed(day.database, MONTH))
    nets_ws = [(now - then).export_ws - (now - then).import_ws for then, now in pairwise(day.truths)]
    imported_ws, exported_ws = -sum(min(0, net) for net in nets_ws), sum(max(0, net) for net in nets_ws)
    assert bill["energy"]["imported"] == pytest.approx(imported_ws, rel=WITHIN)
    assert bill["energy"]["exported"] == pytest.approx(exported_ws, rel=WITHIN)
    account = bill["accounts"]["M"]
    assert account["estimated_minutes"] == 0
    assert bill["postings_total"] == 0
    amount = (6.0 * bill["energy"]["exported"] - 17.6 * bill["energy"]["imported"]) / 3_600_000 * 1_000_000
    assert account["total"] == pytest.approx(amount, abs=len(day.minutes))


def assert_measured(day: Day) -> None:
    """Each minute's means are those of the waveform.

    The currents jump every second, as they do every minute in a house, and a rectifier follows a fall slowly.
    """
    connection = open_reader(day.database, CENTRAL_DATABASE)
    try:
        store = MinuteStore(connection)
        rows = [store.around("M", minute).row for minute in day.minutes]
    finally:
        connection.close()
    waveform = list(measured_day())
    for hour, row in enumerate(rows):
        assert row is not None
        truth = waveform[60 * hour : 60 * (hour + 1)]
        assert row.voltage_mv / 1000 == pytest.approx(fmean(fmean(it.voltage_v) for it in truth), rel=0.005)
        assert row.current_ma / 1000 == pytest.approx(fmean(fmean(it.current_a) for it in truth), rel=0.015)
        assert row.frequency_mhz / 1000 == pytest.approx(fmean(it.frequency_hz for it in truth), abs=0.005)
