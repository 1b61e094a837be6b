import json
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import serial

from microgrid.sample import CommandState
from microgrid.wire.serial import Command, CommandKind, PacketReader, encode_command
from simulation.meter import PtyMeter, Record, boot_id, main, make_meter
from simulation.plant.config import made_up_grid, read_grid
from simulation.wiring import RIGHT, Wiring, wiring_of

START = 29_700_000
ROOT = Path(__file__).parents[3]
RAISE = encode_command(Command(kind=CommandKind.RAISE, command_id=9, width_ms=1200))


def still_grid():
    """The made-up houses, with sources that do not tremble."""
    grid = made_up_grid()
    houses = [
        msgspec.structs.replace(table, plant=msgspec.structs.replace(table.plant, noise_w=0))
        for table in grid.house
    ]
    return msgspec.structs.replace(grid, house=tuple(houses))


@pytest.fixture
def pty():
    meter = PtyMeter(make_meter(still_grid(), "D", seed=1, start=START))
    yield meter
    meter.close()


def read_packets(port, count):
    reader = PacketReader()
    samples: list = []
    until = time.monotonic() + 5
    while len(samples) < count and time.monotonic() < until:
        samples += reader.feed(port.read(max(1, port.in_waiting)))
    assert len(samples) == count
    return samples


def test_packets_arrive_at_the_other_end_and_commands_come_back(pty):
    with serial.Serial(pty.port, 115200, timeout=2, exclusive=True) as port:
        assert pty.advance_to((START + 5) * 60) == (5, 300_000)
        samples = read_packets(port, 6)
        assert [sample.sequence for sample in samples] == list(range(6))
        port.write(RAISE)
        assert select.select([pty], [], [], 5)[0]
        pty.serve_commands()
        (echo,) = read_packets(port, 1)
        assert (echo.command_id, echo.command_state) == (9, CommandState.DONE)
        pty.advance_to((START + 6) * 60)
        assert read_packets(port, 1)[0].exchange_p_w == 1200


def test_it_never_waits_for_a_reader_and_says_what_was_lost(pty):
    sequence, _ = pty.advance_to((START + 1000) * 60)
    assert sequence == 1000
    assert 0 < pty.lost_packets < 1000
    pty.serve_commands()  # nothing has come: returns at once


def test_a_reader_may_close_and_open_the_port_again(pty):
    for minute in (1, 2):
        with serial.Serial(pty.port, 115200, timeout=2) as port:
            pty.advance_to((START + minute) * 60)
            assert read_packets(port, 3 - minute)[-1].sequence == minute


def test_the_clock_steps_in_whole_minutes(pty):
    with pytest.raises(ValueError, match="not a whole minute"):
        pty.advance_to(START * 60 + 30)


def test_the_record_holds_the_exact_registers_and_the_commands(tmp_path):
    with (tmp_path / "truth.jsonl").open("w") as file:
        near = 2**32 - 1000
        meter = make_meter(still_grid(), "D", seed=1, start=START, counter_start_ws=near, record=Record(file))
        meter.advance(START + 2)
        meter.receive(RAISE)
        meter.advance(START + 10)
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert [line["minute"] for line in lines] == list(range(START - 1, START + 10))
    assert lines[0]["import_ws"] == near
    assert lines[-1]["export_ws"] == near + 8 * 1200 * 60
    assert [line["commands"] for line in lines] == [[]] * 3 + [[["RAISE", 9, 1200]]] + [[]] * 7


def test_a_boot_has_an_id_of_its_own():
    assert boot_id(1, "A", START) == boot_id(1, "A", START)
    assert len({boot_id(1, "A", START), boot_id(1, "B", START), boot_id(1, "A", START + 1)}) == 3


def test_a_grid_file_gives_the_plants():
    grid = read_grid(
        b'zone = "Asia/Karachi"\n[site]\nlatitude = 24.9\n[[house]]\nid = "A"\nprice = 3\n'
        b'[house.plant]\nmonthly_kwh = 380\n[[house]]\nid = "B"\n[house.plant]\nmonthly_kwh = 0\n'
    )
    assert grid.plant("A").monthly_kwh == 380
    assert grid.site.latitude == 24.9
    with pytest.raises(ValueError, match="House B: monthly_kwh"):
        grid.plant("B")
    with pytest.raises(ValueError, match="no house C in the file; it has A, B"):
        grid.plant("C")
    with pytest.raises(ValueError, match="zone"):
        read_grid(b"house = []")


@pytest.mark.parametrize(
    ("text", "wiring"),
    [
        ("1,2,3", RIGHT),
        ("2, 1, 3", Wiring(current_of=(1, 0, 2))),
        ("1,3r,2", Wiring(current_of=(0, 2, 1), reversed=(False, True, False))),
    ],
)
def test_wiring_is_written_by_terminal(text, wiring):
    assert wiring_of(text) == wiring


@pytest.mark.parametrize("text", ["", "1,2", "1,2,4", "1,2,3rr", "r,2,3", "1,2,3,1"])
def test_what_is_no_wiring_is_said_in_words(text, capsys):
    with pytest.raises(SystemExit):
        main(["--house", "A", "--month-start", str(START), "--wiring", text])
    assert "is no wiring; write three phases, such as 1,2r,3" in capsys.readouterr().err


def test_a_process_measures_as_it_is_wired():
    with process("--house", "A", "--wiring", "1,2r,3") as child:
        with serial.Serial(json.loads(child.stdout.readline())["port"], timeout=5) as port:
            sample = read_packets(port, 2)[-1]
        assert sample.exporting == (False, True, False)


@pytest.mark.parametrize(
    ("text", "words"),
    [("lazy@5", "'lazy@5' is no fault; write KIND@FROM"), ("deaf@9-5", "ends before it begins")],
)
def test_what_is_no_fault_is_said_in_words(text, words, capsys):
    with pytest.raises(SystemExit):
        main(["--house", "A", "--month-start", str(START), "--fault", text])
    assert words in capsys.readouterr().err


def test_a_process_has_the_faults_it_is_given():
    with process("--house", "D", "--fault", "open@0", "--fault", "deaf@0-60") as child:
        with serial.Serial(json.loads(child.stdout.readline())["port"], timeout=5) as port:
            port.write(RAISE)
            samples = read_packets(port, 3)
        assert [sample.grid_breaker_closed for sample in samples[1:]] == [False, False]
        assert {sample.command_state for sample in samples} == {CommandState.NONE}


def test_what_cannot_run_is_said_in_one_line(tmp_path, capsys):
    assert main(["--house", "A", "--month-start", str(START), "--replay", str(tmp_path / "none.csv")]) == 1
    assert capsys.readouterr().err.startswith("meter A: ")


@contextmanager
def process(*arguments):
    command = [sys.executable, "-m", "simulation.meter", "--month-start", str(START), *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def test_a_stepped_process_from_start_to_stop(tmp_path):
    truth, config = tmp_path / "truth.jsonl", tmp_path / "grid.toml"
    config.write_text(
        'zone = "Asia/Karachi"\n[[house]]\nid = "D"\n[house.plant]\nprofile_w = [[0, 700]]\nnoise_w = 0\n'
        'source = "generator"\nrated_kva = 5.0\n'
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        options = ["--house", "D", "--config", str(config), "--record", str(truth)]
        options += ["--stepped-clock", address]
        with process(*options) as child:
            announced = json.loads(child.stdout.readline())
            clock, _ = server.accept()
            clock.settimeout(10)
            with clock, clock.makefile("rw") as talk, serial.Serial(announced["port"], timeout=5) as port:
                assert json.loads(talk.readline()) == {"role": "meter", "house": "D"}

                def step(minute):
                    talk.write(json.dumps({"tick": minute * 60}) + "\n")
                    talk.flush()
                    return json.loads(talk.readline())

                assert step(START + 5) == {
                    "done": (START + 5) * 60, "sequence": 5, "uptime_ms": 300_000, "lost_packets": 0
                }  # fmt: skip
                read_packets(port, 6)
                port.write(RAISE)
                assert read_packets(port, 1)[0].command_state is CommandState.DONE
                assert step(START + 10)["sequence"] == 11
                samples = read_packets(port, 5)
                talk.write('{"stop": true}\n')
                talk.flush()
                assert child.wait(10) == 0
    last = json.loads(truth.read_text().splitlines()[-1])
    assert last["minute"] == START + 9
    assert last["export_ws"] == samples[-1].export_counter_ws == 5 * 1200 * 60


def test_a_clock_that_goes_away_ends_the_meter_with_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with process("--house", "A", "--stepped-clock", address) as child:
            connection = server.accept()[0]
            connection.recv(4096)  # closing with its hello unread would reset the connection instead
            connection.close()
            assert child.wait(10) == 1
            assert "closed the connection" in child.stderr.read()


def test_a_live_process_sends_a_packet_a_second_and_ends_when_terminated():
    with process("--house", "A") as child:
        announced = json.loads(child.stdout.readline())
        with serial.Serial(announced["port"], timeout=5) as port:
            samples = read_packets(port, 3)
        first_ms = samples[0].uptime_ms  # opening the port throws away what had come before
        assert [sample.uptime_ms - first_ms for sample in samples] == [0, 1000, 2000]
        growth = samples[2].import_counter_ws - samples[1].import_counter_ws
        assert growth == -samples[1].exchange_p_w > 0
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
        assert child.stderr.read() == ""
