"""The installer's tool at a pseudo-terminal: what it asks, says, sets and keeps."""

import json
import os
import select
import subprocess
import sys
import threading
import tty
from contextlib import suppress
from pathlib import Path

import pytest

from house_client import calibrate
from microgrid.sample import MeterFlag
from microgrid.wire.calibration import ITEMS
from tests.unit.house.fake_meter import ANGLES, CURRENTS, VOLTAGES, FakeMeter

ROOT = Path(__file__).parents[3]
PACE_S = 0.02  # between two packets


class Bench:
    """A fake meter on a pty, in quick motion, and who stands before it."""

    def __init__(self):
        self.meter = FakeMeter()
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.port = os.ttyname(self.slave)
        self.asked: list[str] = []
        self.to_do: list[tuple] = []  # what is applied and typed at each question
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.stopping.is_set():
            if select.select([self.master], [], [], PACE_S)[0]:
                self.meter.write(os.read(self.master, 4096))
            with suppress(BlockingIOError):  # nobody has the port open
                os.write(self.master, self.meter.read(1))

    def answer(self, question):
        self.asked.append(question)
        typed, *applied = self.to_do.pop(0)
        if applied:
            self.meter.apply(*applied)
        return typed

    def tool(self, *arguments):
        return calibrate.main(["--meter", self.port, *arguments], self.answer)

    def close(self):
        self.stopping.set()
        self.thread.join()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.close()


def test_show(bench, capsys):
    bench.meter.values["V2G"] = 1_003_500
    bench.meter.flags = MeterFlag.CALIBRATION_BAD | MeterFlag.SUPPLY_LOW
    assert bench.tool("show") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Firmware 1.0.3, started ")
    assert lines[0].endswith("It reports: calibration bad, supply low.")
    assert "  V2G  1003500 ppm gain, voltage, phase 2 (nominal 1000000)" in lines
    assert len(lines) == 1 + len(ITEMS)


def test_measure(bench, capsys):
    bench.meter.flags = MeterFlag(0)
    bench.meter.apply(VOLTAGES, 230.0, 231.0, 229.5)
    bench.meter.apply(CURRENTS[:3], 5.0, 0.0, 2.0)
    bench.meter.apply(ANGLES[:3], 60.0, 0.0, -120.0)
    bench.meter.apply(CURRENTS[3:4], 10.0)
    assert bench.tool("measure", "--packets", "3") == 0
    out = capsys.readouterr().out
    assert "1   230.00 V         5.000 A     60.00 °" in out
    assert "2   231.00 V         0.000 A         –" in out
    assert "3   229.50 V         2.000 A   -120.00 °" in out
    assert "generator   2300.0 W      0.0 var   2300.0 VA" in out
    assert out.endswith("It reports nothing amiss.\n")


def test_set_and_what_is_asked_before_it_is_saved(bench, capsys):
    bench.to_do = [("n",), ("Y",)]
    assert bench.tool("set", "v1g", "1003500", "V1O", "-12") == 0
    assert (bench.meter.values["V1G"], bench.meter.values["V1O"]) == (1_003_500, -12)
    assert bench.meter.saved["V1G"] == 1_000_000
    assert "holds until the meter starts again" in capsys.readouterr().out
    assert bench.tool("set", "SNR", "17") == 0
    assert bench.meter.saved["SNR"] == 17
    assert bench.asked == ["Save in the meter? [y/n] "] * 2
    assert bench.tool("set", "DIO", "1400", "--no-save") == 0
    assert bench.meter.saved["DIO"] == 0
    assert bench.tool("save") == 0
    assert bench.meter.saved["DIO"] == 1400


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["V1G"], "give a name and a value"),
        (["V1G", "1.5"], "whole numbers"),
        (["V1G", "1"], "V1G: 1 is not between 500000 and 2000000 ppm"),
        (["V8G", "1"], "has no value 'V8G'"),
    ],
)
def test_what_cannot_be_set(bench, capsys, arguments, why):
    assert bench.tool("set", *arguments) == 1
    assert why in capsys.readouterr().err
    assert bench.meter.values == bench.meter.saved


def test_a_conversation_about_three_voltages(bench, capsys):
    bench.meter.gains |= dict.fromkeys(VOLTAGES, 0.98)
    bench.meter.offsets |= dict.fromkeys(VOLTAGES, 1.5)
    bench.to_do = [
        ("a hundred",),
        ("100",),  # typed before the knob was turned
        ("100.0, 100.4, 99.8", VOLTAGES, 100.0, 100.4, 99.8),
        ("250", VOLTAGES, 250.0, 250.0, 250.0),
        ("y",),
    ]
    assert bench.tool("voltage", "--phase", "all", "--packets", "4") == 0
    out = capsys.readouterr().out
    assert "'a hundred' is not a number." in out
    assert "voltage of phase 1 reads zero" in out
    assert "  voltage of phase 3: reads 246.500 V, true 250 V" in out
    now = out.partition("With the new values:")[2]
    assert "voltage of phase 1: reads 250.0" in now or "voltage of phase 1: reads 249.9" in now
    assert bench.meter.saved["V1G"] == pytest.approx(1 / 0.98 * 1e6, abs=150)
    assert bench.meter.saved["V1O"] == pytest.approx(-1500 / 0.98, abs=20)
    assert bench.asked[0].startswith("Apply a low voltage to phases 1, 2, 3. What is true, in V? One number,")
    assert bench.asked[3].startswith("Apply a high voltage to phases 1, 2, 3. What is true, in V?")


def test_what_was_found_is_kept_though_it_was_taken_off_before_it_was_looked_at(bench, capsys):
    bench.meter.gains[VOLTAGES[0]] = 0.98
    bench.to_do = [("100", VOLTAGES[:1], 100.0), ("250", VOLTAGES[:1], 250.0)]
    set_values = bench.meter.answer

    def taken_off(name, value=None):
        if value is not None:
            bench.meter.apply(VOLTAGES[:1], 0.0)
        return set_values(name, value)

    bench.meter.answer = taken_off
    assert bench.tool("voltage", "--phase", "1", "--packets", "2", "--save") == 0
    out = capsys.readouterr().out
    assert "voltage of phase 1 reads zero" in out.partition("With the new values:")[2]
    assert "Saved in the meter." in out
    assert bench.meter.saved["V1G"] == pytest.approx(1 / 0.98 * 1e6, abs=150)


def test_a_current_and_an_angle_of_the_generator_with_the_truths_given(bench):
    bench.meter.apply(VOLTAGES, 230.0, 230.0, 230.0)
    bench.meter.apply(ANGLES[3:4], 60.0)
    bench.meter.gains[CURRENTS[3]] = 1.05
    bench.meter.offsets[ANGLES[3]] = -2.0
    bench.to_do = [("", CURRENTS[3:4], 1.0), ("", CURRENTS[3:4], 15.0)]
    one_phase = ["--side", "generator", "--phase", "1", "--save"]
    assert bench.tool("current", *one_phase, "--true", "1", "15") == 0
    assert bench.meter.saved["G1G"] == pytest.approx(1 / 1.05 * 1e6, rel=1e-3)
    assert bench.asked[0] == "Apply 1 A to phase 1 of the generator, and press Enter. "
    assert bench.tool("angle", *one_phase, "--true", "0.500le", "--settle", "2") == 0
    assert bench.meter.saved["G1A"] == pytest.approx(-2000, abs=30)
    assert len(bench.asked) == 2


def test_with_truths_given_a_bad_point_ends_it(bench, capsys):
    assert bench.tool("voltage", "--phase", "2", "--true", "100", "250", "--settle", "1", "--save") == 1
    assert "voltage of phase 2 reads zero" in capsys.readouterr().err
    assert bench.tool("voltage", "--phase", "2", "--true", "1,2", "250", "--settle", "1", "--save") == 1
    assert "not one number" in capsys.readouterr().err
    assert bench.meter.values == bench.meter.saved


def test_the_generator_is_done_one_phase_at_a_time(bench, capsys):
    assert bench.tool("current", "--side", "generator", "--phase", "all") == 1
    assert "one phase at a time" in capsys.readouterr().err


def test_a_record_and_back(bench, capsys, tmp_path):
    file = tmp_path / "meter.json"
    bench.meter.values |= {"SNR": 17, "V1G": 1_003_500, "I2A": -730}
    kept = dict(bench.meter.values)
    assert bench.tool("record", str(file)) == 0
    assert json.loads(file.read_text())["values"]["I2A"] == -730
    bench.meter.values = dict(bench.meter.saved)  # all was lost
    assert bench.tool("restore", str(file), "--save") == 0
    assert bench.meter.saved == kept
    bench.meter.values["SNR"] = 18
    assert bench.tool("restore", str(file), "--save") == 1
    assert "serial number 18, the record is of meter 17" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda record: record["values"].pop("V1G"), "lacks V1G"),
        (lambda record: record["values"].update(V1G=1), "V1G: 1 is not between"),
        (lambda record: record["values"].update(V1G="1"), "holds no calibration"),
        (lambda record: record["values"].update(V9G=1), "no value 'V9G'"),
        (lambda record: record.pop("taken"), "holds no calibration"),
        (dict.clear, "holds no calibration"),
    ],
)
def test_a_file_that_is_no_record_sets_nothing(bench, capsys, tmp_path, change, why):
    file = tmp_path / "meter.json"
    assert bench.tool("record", str(file)) == 0
    record = json.loads(file.read_text())
    change(record)
    file.write_text(json.dumps(record))
    assert bench.tool("restore", str(file), "--save") == 1
    assert why in capsys.readouterr().err
    assert bench.meter.values == bench.meter.saved


def test_files_and_ports_there_are_not(bench, capsys, tmp_path):
    assert bench.tool("restore", str(tmp_path / "none.json")) == 1
    assert "none.json cannot be used" in capsys.readouterr().err
    assert calibrate.main(["--meter", str(tmp_path / "none"), "show"]) == 1
    assert "end the house client" in capsys.readouterr().err


def test_as_a_program_with_nobody_to_answer(bench):
    done = subprocess.run(
        [sys.executable, "-m", "house_client.calibrate", "--meter", bench.port, "set", "SNR", "5"],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "SNR = 5" in done.stdout
    assert "Nobody answers" in done.stderr
    assert bench.meter.values["SNR"] == 5
