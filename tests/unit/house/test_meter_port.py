"""The meter's serial port on a real pseudo-terminal."""

import os
import threading
import time
import tty
from typing import Any

import pytest

from house_client import meter_port as meter_port_module
from house_client.meter_port import MeterPort
from house_client.snapshot import MeterState
from microgrid.wire.serial import Command, CommandKind, encode_command, encode_packet
from tests.unit.central.parts import sample

COMMAND = Command(kind=CommandKind.RAISE, command_id=7, width_ms=900)


class Wire:
    """A pty; `link` is where the program finds it, and may be plugged into another one."""

    def __init__(self, folder):
        self.link = folder / "ttyMETER"
        self.master = -1
        self.slave = -1
        self.plug_in()

    def plug_in(self):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self.slave))

    def unplug(self):
        self.link.unlink()
        self.close()

    def close(self):
        if self.master >= 0:
            os.close(self.master)
            os.close(self.slave)
        self.master = -1

    def say(self, data):
        os.write(self.master, data)


class Ear:
    """A port that listens, and what it was heard to say."""

    def __init__(self, device):
        self.samples = []
        self.received = []
        self.states: list[Any] = []
        self.port = MeterPort(str(device), self._heard, lambda *change: self.states.append(change))

    def _heard(self, received_ms, samples):
        self.received.append(received_ms)
        self.samples += samples

    def until(self, condition):
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.002)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(meter_port_module, "REOPEN_S", 0.02)


@pytest.fixture
def wire(tmp_path):
    made = Wire(tmp_path)
    yield made
    made.close()


@pytest.fixture
def ear(wire):
    made = Ear(wire.link)
    made.port.start()
    assert made.port.wait_open(5)
    yield made
    made.port.stop()


def packet(sequence):
    return encode_packet(sample(600, sequence=sequence))


def test_packets_are_heard_with_the_time_they_came(wire, ear):
    before = time.time() * 1000 - 1
    wire.say(packet(1) + packet(2)[:20])
    ear.until(lambda: ear.samples)
    wire.say(packet(2)[20:])
    ear.until(lambda: len(ear.samples) == 2)
    assert [s.sequence for s in ear.samples] == [1, 2]
    assert ear.samples[0] == sample(600, sequence=1)
    assert all(before <= at_ms <= time.time() * 1000 for at_ms in ear.received)
    ear.until(lambda: ear.states[-1] == (MeterState.HEARD, ""))


def test_an_open_port_without_a_meter_says_so(wire, ear):
    state, sentence = ear.states[0]
    assert state is MeterState.SILENT
    assert sentence == f"Port {wire.link} is open, but the meter is not heard."


def test_a_meter_that_falls_silent_is_noticed(wire, ear, monkeypatch):
    wire.say(packet(1))
    ear.until(lambda: ear.states[-1][0] is MeterState.HEARD)
    ear.until(lambda: ear.states[-1][0] is MeterState.SILENT)  # after the read's second


def test_garbage_is_survived(wire, ear):
    bad_checksum = packet(1)[:-4] + b"00\r\n"
    wire.say(b"\xff\x00garbage\n" + b"x" * 2000 + b"\n" + bad_checksum + packet(2))
    ear.until(lambda: ear.samples)
    assert [s.sequence for s in ear.samples] == [2]


def test_commands_reach_the_meter(wire, ear):
    assert ear.port.send(COMMAND)
    assert os.read(wire.master, 100) == encode_command(COMMAND)


def test_a_missing_port_is_said_in_a_sentence_and_found_when_it_comes(wire):
    wire.unplug()
    ear = Ear(wire.link)
    ear.port.start()
    try:
        ear.until(lambda: ear.states)
        assert ear.states[0] == (
            MeterState.MISSING,
            f"Serial port {wire.link} cannot be used; plug the meter in or choose another port.",
        )
        assert not ear.port.send(COMMAND)
        assert not ear.port.wait_open(0)
        wire.plug_in()
        assert ear.port.wait_open(5)
        wire.say(packet(3))
        ear.until(lambda: ear.samples)
    finally:
        ear.port.stop()


def test_a_port_that_goes_away_is_opened_again(wire, ear):
    wire.say(packet(1))
    ear.until(lambda: ear.samples)
    wire.unplug()
    ear.until(lambda: ear.states[-1][0] is MeterState.MISSING)
    assert not ear.port.send(COMMAND)
    wire.plug_in()
    ear.until(lambda: ear.states[-1][0] is MeterState.SILENT)
    wire.say(packet(2))
    ear.until(lambda: len(ear.samples) == 2)
    assert ear.port.send(COMMAND)


def test_what_is_no_serial_port_is_missing(tmp_path):
    (tmp_path / "file").write_text("")
    ear = Ear(tmp_path / "file")
    ear.port.start()
    ear.until(lambda: ear.states)
    assert ear.states[0][0] is MeterState.MISSING
    ear.port.stop()


def test_a_port_is_used_by_one_program_alone(wire, ear):
    other = Ear(wire.link)
    other.port.start()
    other.until(lambda: other.states)
    assert other.states[0][0] is MeterState.MISSING
    other.port.stop()


def test_stop_ends_the_thread_quickly_and_quietly(wire, ear):
    time.sleep(0.05)  # in the middle of a read
    begun, said = time.monotonic(), len(ear.states)
    ear.port.stop()
    assert time.monotonic() - begun < 0.5
    assert f"meter {wire.link}" not in {thread.name for thread in threading.enumerate()}
    assert len(ear.states) == said
    assert not ear.port.send(COMMAND)


def test_stop_does_not_wait_for_a_port_to_come(tmp_path, monkeypatch):
    monkeypatch.setattr(meter_port_module, "REOPEN_S", 60)
    ear = Ear(tmp_path / "none")
    ear.port.start()
    ear.until(lambda: ear.states)
    begun = time.monotonic()
    ear.port.stop()
    assert time.monotonic() - begun < 0.5
