"""The programs as they are used, in real time: a meter on a serial port, a house and a central."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from central_monitor.adapters.writer import DatabaseWriter
from central_monitor.program import CentralProgram, Listen
from central_monitor.snapshot import HouseView, LinkState
from microgrid.sample import Quality
from node.gridfile import read_gridfile
from tests.e2e.cable import Cable
from tests.e2e.live import HOST, live_central, until
from tests.e2e.neighbourhood import CHAPTER_9
from tests.e2e.processes import HOUSE, METER, Process, wait_until
from tests.e2e.truth import recorded

END_S = 5.0


@contextmanager
def live_meter(house: str) -> Iterator[str]:
    """A meter that sends a packet a second; its serial port."""
    with Process(METER, "--house", house, "--config", CHAPTER_9, "--month-start", this_minute()) as meter:
        yield json.loads(meter.first_line())["port"]


@contextmanager
def live_house(folder: Path, house: str, serial_port: str, central_port: int) -> Iterator[Process]:
    """A house client in a process of its own."""
    arguments = ("--meter", serial_port, "--central", f"{HOST}:{central_port}", "--data", folder / house)
    with Process(HOUSE, "--house", house, "--headless", *arguments) as process:
        yield process


def this_minute() -> int:
    return int(time.time()) // 60


def assert_ends(process: Process, number: signal.Signals = signal.SIGTERM) -> None:
    """A program that is asked to end does so soon, with exit code 0; a thread left over would keep it."""
    process.send(number)
    assert process.wait(END_S) == 0, process.errors
    assert process.errors == ""


def test_a_house_becomes_part_of_the_network_and_is_polled(tmp_path: Path) -> None:
    async def watch(meter: str) -> None:
        grid = read_gridfile(CHAPTER_9)
        writer = DatabaseWriter(tmp_path / "power.sqlite")
        terms = grid.terms(range(this_minute() - 1440, this_minute() + 1440))
        writer.save_terms(terms)
        central = CentralProgram(terms, writer, Listen(host=HOST, port=0))

        def house() -> HouseView:
            return central.snapshot().houses[0]

        await central.start()
        try:
            with live_house(tmp_path, "A", meter, central.port) as process:
                await until(lambda: house().link is LinkState.LINKED, "the link")
                assert [notice.text for notice in central.snapshot().notices] == [
                    "House A is now part of the network."
                ]
                await until(lambda: house().sample is not None, "a packet of the meter")
                first = house().sample.sequence
                await until(lambda: house().sample.sequence >= first + 3, "three packets more", timeout_s=8)
                assert house().quality is Quality.GOOD
                round_trip_ms = house().round_trip_ms
                assert round_trip_ms is not None
                assert 0 < round_trip_ms < 1000
                await asyncio.to_thread(assert_ends, process)
            await until(lambda: house().link is LinkState.LOST, "the end of the link")
            assert house().quality is Quality.STALE
            assert central.snapshot().notices[-1].text == "House A: link lost."
        finally:
            await central.stop()
            writer.close()

    with live_meter("A") as port:
        asyncio.run(watch(port))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_both_programs_end_in_good_order_when_asked(number: signal.Signals, tmp_path: Path) -> None:
    with (
        live_meter("A") as meter,
        live_central(tmp_path) as (central, port),
        Cable(port) as cable,
        live_house(tmp_path, "A", meter, cable.port) as house,
    ):
        wait_until(lambda: cable.answers >= 3, "a welcome and polls")
        assert_ends(central, number)
        assert_ends(house, number)
    for log in (tmp_path / "central.log", tmp_path / "A" / "house.log"):
        assert not [line for line in log.read_text(encoding="utf-8").splitlines() if " ERROR " in line]
    assert not list(tmp_path.rglob("*crash*"))


def test_a_house_finds_a_central_that_was_started_again(tmp_path: Path) -> None:
    with (
        live_meter("D") as meter,
        live_central(tmp_path) as (central, port),
        Cable(port) as cable,
        live_house(tmp_path, "D", meter, cable.port) as house,
    ):
        wait_until(lambda: cable.answers >= 2, "a welcome")
        central.kill()
        with live_central(tmp_path, port) as (again, _):
            answers = cable.answers
            wait_until(lambda: cable.answers >= answers + 3, "polls of the central started again")
            assert_ends(again)
        assert_ends(house)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_live_minutes_are_recorded(tmp_path: Path) -> None:
    with live_meter("A") as meter, live_central(tmp_path) as (central, port):
        with live_house(tmp_path, "A", meter, port) as house:
            first = this_minute()
            time.sleep(60 * (first + 3) + 10 - time.time())
            assert_ends(house)
        assert_ends(central)
    columns, orders = recorded(tmp_path / "power.sqlite", first + 1, first + 3)
    assert columns.present[:, 0].all()
    assert (columns.covered_s[:, 0] >= 58).all()
    assert (columns.import_ws[1, 0] - columns.import_ws[0, 0]) > 0
    assert orders.present[:, [1, 3]].all()
