"""The emulator as its callers have it: the same each time, true to its word, ended when it should be."""

import math
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from microgrid.sample import CommandState, MeterFlag, Sample
from simulation.emulator import Emulator, EmulatorError, Mains
from tests.firmware.programs import SLEEP, compiled


@pytest.fixture
def board(firmware_build: Path) -> Iterator[Emulator]:
    """A board of nominal parts without noise, whose program sleeps."""
    with Emulator(compiled(SLEEP, firmware_build), seed=0, noise=False) as emulator:
        yield emulator


@pytest.fixture
def meter(firmware_build: Path) -> Path:
    return firmware_build / "meter.elf"


def life(meter: Path, seed: int) -> tuple[object, ...]:
    with Emulator(meter, seed=seed) as board:
        board.set(v1=231, v2=228, i1=4, ia1=30, g2=2)
        board.run(1.5)
        board.send(b"RAISE,12,400*7085\r\n")
        board.run(1)
        return board.sent, board.pins, board.truth(), board.stack(), board.eeprom()


def test_the_same_calls_give_the_same_bytes_at_the_same_times(meter: Path) -> None:
    assert life(meter, 3) == life(meter, 3)
    assert life(meter, 3)[0] != life(meter, 4)[0]


def test_truth_is_the_power_of_the_waveforms(board: Emulator) -> None:
    board.set(v1=230, v2=225, v3=235, i1=5, ia1=25, i2=3, ia2=-40, i3=2, ia3=60)
    board.set(g1=8, ga1=-10, g3=1, ga3=170)
    board.run(10)
    cosine = {degrees: math.cos(math.radians(degrees)) for degrees in (25, 40, 60, 10, 170)}
    exported_w = 230 * 5 * cosine[25] + 225 * 3 * cosine[40] + 235 * 2 * cosine[60]
    generated_w = 230 * 8 * cosine[10] + 235 * 1 * cosine[170]
    truth = board.truth()
    assert truth.import_ws == pytest.approx(0, abs=1)
    assert truth.export_ws == pytest.approx(exported_w * 10, rel=2e-4)
    assert truth.generation_ws == pytest.approx(generated_w * 10, rel=2e-4)


def test_harmonics_carry_power_only_with_their_like(board: Emulator) -> None:
    board.set(v1=200, i1=10, ia1=30, hv3=10, hi3=20, hi5=50)
    board.run(10)
    watts = 2000 * (math.cos(math.radians(30)) + 0.1 * 0.2 * math.cos(math.radians(3 * 30)))
    assert board.truth().export_ws == pytest.approx(watts * 10, rel=2e-4)


def test_import_and_export_are_told_apart_by_the_sum_of_the_phases(board: Emulator) -> None:
    board.set(v1=230, v2=230, i1=5, i2=3, ia2=180)  # the sum is exported, though one phase imports
    board.run(2)
    board.set(i1=1)
    board.run(2)
    assert board.truth().export_ws == pytest.approx(230 * 2 * 2, rel=0.01)
    assert board.truth().import_ws == pytest.approx(230 * 2 * 2, rel=0.01)
    before = board.truth()
    board.set(i1=0, i2=0, g1=4, ga1=180)
    board.run(2)
    assert (board.truth() - before).generation_ws == pytest.approx(0, abs=10)  # it takes power


def test_what_cannot_be_run_is_said_in_a_sentence(firmware_build: Path, tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match=r"^There is no file .*none.elf to read.$"):
        Emulator(tmp_path / "none.elf")
    (tmp_path / "text.elf").write_text("no program")
    with pytest.raises(EmulatorError, match=r"text.elf is not an ELF file for an AVR.$"):
        Emulator(tmp_path / "text.elf")
    with pytest.raises(EmulatorError, match=r"is not an ELF file for an AVR.$"):
        Emulator(firmware_build / "emulator")
    with pytest.raises(EmulatorError, match="cannot be started: No such file"):
        Emulator(program=tmp_path / "none")
    (tmp_path / "short").write_bytes(b"\xff" * 100)
    with pytest.raises(EmulatorError, match="does not have as many bytes"):
        Emulator(firmware_build / "meter.elf", eeprom=tmp_path / "short")


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("set v4 230", "nothing is called v4"),
        ("set hv2 5", "nothing is called hv2"),
        ("set v1", "v1 cannot be "),
        ("set v1 230 i1 2x", "i1 cannot be 2x"),
        ("set v1 -1", "v1 cannot be -1"),
        ("set f nan", "f cannot be nan"),
        ("set tie 0.5", "tie is 0 or 1, not 0.5"),
        ("run -1", "run takes microseconds, a day at most"),
        ("run 5 6", "run takes no 6"),
        ("rx 1", "rx takes pairs of hex digits"),
        ("reset", "reset takes power, brownout, external or watchdog"),
        ("poke-eeprom 1024 ff", "poke-eeprom takes an address, 0 to 1023, and pairs of hex digits"),
        ("save", "no --eeprom file was given"),
        ("dance", "there is no command dance"),
    ],
)
def test_a_wrong_command_changes_nothing_and_says_why(board: Emulator, line: str, wrong: str) -> None:
    with pytest.raises(EmulatorError) as error:
        board._ask(line)
    assert str(error.value) == wrong
    board.run(0.1)
    assert board.probe()[0] == 0


def started(firmware_build: Path, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [firmware_build / "emulator", *options, firmware_build / "meter.elf"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("options", [(), ("--realtime",)])
def test_it_ends_with_its_input(firmware_build: Path, options: tuple[str, ...]) -> None:
    with started(firmware_build, *options) as process:
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("options", [(), ("--realtime",)])
def test_it_ends_when_told_to_and_keeps_its_eeprom(
    firmware_build: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    with started(firmware_build, "--eeprom", str(tmp_path / "kept"), *options) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"poke-eeprom 3 2a\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"ok")
        if not options:
            process.stdin.write(b"run 86400000000\n")
            process.stdin.flush()
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert (tmp_path / "kept").read_bytes()[3] == 0x2A


def test_a_port_gives_what_is_sent_while_it_is_open(firmware_build: Path) -> None:
    source = r"""
    int main(void) {
      begin(16);
      for (uint32_t n = 0;; n++) {
        number(n, '\n');
        if (UCSR0A & 1 << RXC0) put(get());
      }
    }"""
    with Emulator(compiled(source, firmware_build), pty=True) as board:
        board.run(1)  # nobody listens: nothing blocks, nothing is kept
        with serial.Serial(board.port, 115200, timeout=0) as port:
            assert port.read(100) == b""
            board.run(0.1)
            heard = port.read(5000)
            assert len(heard) == pytest.approx(1150, abs=60)
            assert int(heard.split()[1]) > 1500
            port.write(b"!?")
            board.run(0.1)
            assert b"!" in port.read(5000)
            board.run(1)  # nobody reads: what is too much is lost
            assert len(port.read(20_000)) < 9000
        board.run(0.1)
        with serial.Serial(board.port, 115200, timeout=0) as port:
            board.run(0.1)
            assert len(port.read(5000)) == pytest.approx(1150, abs=60)
        assert not board.sent


def test_in_real_time_it_runs_by_itself(meter: Path) -> None:
    with Emulator(meter, pty=True, realtime=True) as board:
        begun = time.monotonic()
        with serial.Serial(board.port, 115200, timeout=20) as port:
            port.readline()
            board.set(v1=230)
            first_us = board.now_us
            port.readline()
            board.set(v1=231)
        took_s = time.monotonic() - begun
        assert 0 < board.now_us - first_us <= took_s * 1e6
        assert {event.pin for event in board.pins} == {"mux"}
        with pytest.raises(EmulatorError, match="it runs already"):
            board.run(1)
        os.kill(board.pid, signal.SIGTERM)


def sample(**changes: object) -> Sample:
    values: dict[str, object] = {
        "boot_id": 1, "uptime_ms": 1, "sequence": 1, "voltage_v": (230.0, 231.0, 0.0),
        "current_a": (5.0, 4.0, 0.0), "power_factor": (0.9, 0.8, 0.0), "leading": (False, True, False),
        "exporting": (True, False, False), "frequency_hz": 49.98, "generator_p_w": 900,
        "generator_q_var": -300, "generator_s_va": 1000, "exchange_p_w": 0, "exchange_q_var": 0,
        "import_counter_ws": 0, "export_counter_ws": 0, "generation_counter_ws": 0,
        "generator_breaker_closed": True, "grid_breaker_closed": False,
        "flags": MeterFlag(0), "command_id": 0, "command_state": CommandState.NONE, "firmware": "1",
    }  # fmt: skip
    return Sample(**{**values, **changes})  # type: ignore[arg-type]


def sine_cosine(degrees: float) -> tuple[float, float]:
    return math.sin(math.radians(degrees)), math.cos(math.radians(degrees))


@pytest.mark.parametrize("leading", [False, True])
@pytest.mark.parametrize("exporting", [False, True])
def test_mains_of_a_sample_have_its_angles(leading: bool, exporting: bool) -> None:
    mains = Mains.of(sample(leading=(leading,) * 3, exporting=(exporting,) * 3))
    sine, cosine = sine_cosine(mains.angle_deg[0])
    assert cosine == pytest.approx(0.9 if exporting else -0.9)
    # of the same sign as the active power where it lags
    assert (sine > 0) == (exporting != leading)


def test_mains_of_a_sample_give_its_powers(board: Emulator) -> None:
    mains = Mains.of(sample())
    assert mains.generator_a[2] == 0
    assert mains.generator_angle_deg[0] < 0
    board.connect(mains)
    board.run(10)
    exported_w = 230 * 5 * 0.9 - 231 * 4 * 0.8
    truth = board.truth()
    assert truth.import_ws == pytest.approx(0, abs=1)
    assert truth.export_ws == pytest.approx(exported_w * 10, rel=1e-3)
    assert truth.generation_ws == pytest.approx(9000, rel=1e-3)
    assert mains.settings() | {"f": 49.98, "tie": False, "gen": True, "v2": 231.0} == mains.settings()


def test_mains_of_a_dead_house_are_dead() -> None:
    mains = Mains.of(sample(voltage_v=(0.0, 0.0, 0.0), frequency_hz=0.0, generator_s_va=0))
    assert mains.frequency_hz == 50
    assert mains.generator_a == (0, 0, 0)
