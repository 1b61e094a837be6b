"""The demonstration with one house on the emulated firmware."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from central_monitor import bootstrap
from microgrid.sample import CommandState
from microgrid.wire.serial import decode_packet
from simulation import command
from simulation import demo as demo_module
from simulation.demo import Demo
from simulation.emulated_board import calibrated_board
from simulation.emulator import Emulator, Mains
from simulation.scenario import load_scenario
from tests.e2e.neighbourhood import CHAPTER_9, MONTH
from tests.e2e.processes import CENTRAL, one_sentence, run
from tests.e2e.truth import recorded
from tests.firmware.building import built

HOURS = 2
WITHIN = 0.01


@pytest.mark.timeout(300)
def test_hours_of_a_seller_on_the_firmware_are_recorded_as_they_were(tmp_path: Path) -> None:
    built()
    scenario = load_scenario(CHAPTER_9, MONTH, days=1, step=5, seed=1)
    demo = Demo(scenario, tmp_path, emulated="B")
    obeyed: list[int] = []
    states: set[CommandState] = set()

    async def live() -> None:
        async with demo.assembled() as (_, houses, conductor):
            for minute in demo.ticks[: HOURS * 12 + 1]:
                await conductor.tick(minute)
                sample = houses["B"].service.sample
                assert sample is not None
                obeyed.append(sample.command_id)
                states.add(sample.command_state)

    asyncio.run(live())
    minutes = range(scenario.minutes.start, scenario.minutes.start + HOURS * 60)
    columns, orders = recorded(demo.database, minutes.start, minutes.stop)
    b = columns.houses.index("B")
    assert columns.present.all()
    assert (columns.suspect[:, b] == 0).all()
    assert orders.present[:, b].all()
    plant = demo.plants["B"]
    counted_ws = [
        int(getattr(columns, name)[-1, b] - getattr(columns.opening, name)[b])
        for name in ("import_ws", "export_ws", "generation_ws")
    ]
    assert counted_ws == pytest.approx(plant.flowed_ws, rel=WITHIN, abs=20_000)
    assert counted_ws[1] > 1_000_000
    # The source was moved through the board's pins, and the firmware said so.
    assert plant.source is not None
    assert plant.source.setpoint_w > 0
    assert len(set(obeyed)) > 3
    assert states <= {CommandState.NONE, CommandState.DONE}


def test_a_board_that_was_calibrated_reads_what_is_applied_and_keeps_doing_so() -> None:
    applied = Mains(
        voltage_v=(225.0, 231.0, 236.0), current_a=(0.8, 4.0, 11.0), angle_deg=(20.0, -35.0, 160.0),
        generator_a=(3.0, 2.0, 1.0), generator_angle_deg=(10.0, 10.0, 10.0),
    )  # fmt: skip
    readings = []
    for _ in range(2):  # made, and as it was kept
        with calibrated_board(7, built()) as board:
            board.connect(applied)
            board.run(4.1)
            readings.append(decode_packet(board.lines()[-1].text.rstrip()))
    sample, again = readings
    assert again == sample
    assert sample.voltage_v == pytest.approx(applied.voltage_v, rel=0.005)
    assert sample.current_a == pytest.approx(applied.current_a, rel=0.01, abs=0.03)
    assert sample.exporting == (True, True, False)
    assert sample.leading == (False, True, True)  # in the direction the power flows
    assert sample.generator_s_va == pytest.approx(3 * 225 + 2 * 231 + 236, rel=0.015)
    assert sample.flags == 0


def test_a_house_that_there_is_not_cannot_be_emulated(tmp_path: Path) -> None:
    ended = run((*CENTRAL, "demo"), "--headless", "--out", tmp_path, "--days", 1, "--emulated", "X")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert one_sentence(ended.stderr) == "main_central.py: There is no house X whose meter could be emulated."


def test_an_emulator_that_ends_in_the_middle_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build = built()

    def dying(*_: object, **__: object) -> Emulator:
        board = calibrated_board(1, build)
        monkeypatch.setattr(board, "send", lambda _: os.kill(board.pid, signal.SIGKILL))
        return board

    monkeypatch.setattr(demo_module, "calibrated_board", dying)
    arguments = ["demo", "--headless", "--month", MONTH, "--out", str(tmp_path), "--days", "1", "--emulated"]
    assert bootstrap.main(arguments, command.add_command) == 1
    assert capsys.readouterr().err.endswith("main_central.py: The emulator has ended.\n")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_day_from_the_command_line_tells_what_was_measured(tmp_path: Path) -> None:
    built()
    arguments = ("--headless", "--month", MONTH, "--out", tmp_path, "--days", 1, "--emulated")
    ended = run((*CENTRAL, "demo"), *arguments, timeout_s=800)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("The meter of house B is the firmware itself, on an emulated Arduino:")
    text = (tmp_path / "summary.txt").read_text(encoding="utf-8")
    assert ended.stdout.endswith(text)
    rows = [line.split() for line in text.partition("House B's meter was the firmware")[2].splitlines()]
    errors = {name: float(error) for name, _, _, error, *_ in rows[2:]}
    assert errors.keys() == {"export", "generation"}
    assert all(abs(error) < 1.0 for error in errors.values())
