"""What the installer is told: of ports, of a meter on a real pseudo-terminal, of a central over real TCP."""

import asyncio
import os
import socket
import threading
import tty
from types import SimpleNamespace
from typing import Any

import pytest
import serial

from house_client import meter_port, setup
from house_client.household import Refused as NotPossible
from house_client.meter_port import MeterPort
from microgrid.wire.errors import WireCode
from microgrid.wire.lan import CentralConnection
from microgrid.wire.messages import Refused, Welcome
from microgrid.wire.serial import encode_packet
from tests.unit.central.parts import sample

WELCOME = Welcome(protocol=1, name="Family 2", zone="UTC", central_time_ms=0, connection_w=5000)


@pytest.fixture
def terminal():
    """Both ends of a pseudo-terminal: where the meter writes, and the port's name."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(master)
    os.close(slave)


def port_of(device, product=None, description="n/a", maker=None, usb=True):
    return SimpleNamespace(
        device=device, product=product, description=description, manufacturer=maker, vid=1 if usb else None
    )


def test_ports_have_names_that_people_know_and_a_stable_order(monkeypatch, tmp_path):
    monkeypatch.setattr(meter_port, "BY_ID", tmp_path / "none")
    found = [
        port_of("/dev/ttyS0", usb=False),
        port_of("/dev/ttyUSB10", description="USB Serial"),
        port_of("/dev/ttyUSB2", product="Uno", maker="Arduino"),
        port_of("/dev/ttyAMA0", description="uart", usb=False),
        port_of("/dev/ttyUSB1", product="Arduino Uno", maker="Arduino"),
    ]
    expected = (
        ("/dev/ttyUSB1", "Arduino Uno (ttyUSB1)"),
        ("/dev/ttyUSB2", "Arduino Uno (ttyUSB2)"),
        ("/dev/ttyUSB10", "USB Serial (ttyUSB10)"),
        ("/dev/ttyS0", "ttyS0"),
        ("/dev/ttyAMA0", "uart (ttyAMA0)"),
    )
    for order in (found, found[::-1]):
        monkeypatch.setattr(meter_port, "comports", lambda order=order: order)
        assert setup.serial_ports() == expected


def test_a_port_is_named_by_what_is_plugged_in_where_the_system_does(monkeypatch, tmp_path):
    (tmp_path / "ttyUSB0").touch()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-Arduino_Uno_1234").symlink_to("../ttyUSB0")
    monkeypatch.setattr(meter_port, "BY_ID", by_id)
    monkeypatch.setattr(meter_port, "comports", lambda: [port_of(str(tmp_path / "ttyUSB0"), "Arduino Uno")])
    assert setup.serial_ports() == ((str(by_id / "usb-Arduino_Uno_1234"), "Arduino Uno (ttyUSB0)"),)


def test_a_meter_is_heard_behind_noise(terminal):
    master, port = terminal
    packet = encode_packet(sample(600, voltage_v=(231.0, 0.0, 232.0)))
    talking = threading.Timer(0.2, os.write, (master, b"\xffnoise\n" + packet[40:] + packet))
    talking.start()
    said = setup.listen_once(port, 5)
    talking.join()
    assert said == f"A meter answers at {port}: firmware test-1, 232 V, 50.0 Hz."


@pytest.mark.parametrize("noise", [b"", b"hello\n" * 10])
def test_a_port_without_a_meter_says_so_in_time(terminal, noise):
    master, port = terminal
    talking = threading.Timer(0.05, os.write, (master, noise))
    talking.start()
    with pytest.raises(NotPossible, match="is open, but no meter is heard on it"):
        setup.listen_once(port, 0.3)
    talking.join()


def test_a_dead_supply_is_no_fault_of_the_meter():
    assert setup.meter_words("X", sample(0, voltage_v=(0.0, 0.0, 0.0))).endswith(
        "firmware test-1, no voltage."
    )


def test_a_port_in_use_is_told_from_one_that_is_not_there(terminal, tmp_path):
    _, port = terminal
    opened = threading.Event()
    own = MeterPort(port, lambda *_: None, lambda *_: opened.set())
    own.start()
    assert opened.wait(5)
    try:
        with pytest.raises(NotPossible, match="in use by another program"):
            setup.listen_once(port, 1)
    finally:
        own.stop()
    with pytest.raises(NotPossible, match=r"There is no port .*; plug the meter in"):
        setup.listen_once(str(tmp_path / "ttyNONE"), 1)
    (tmp_path / "file").touch()
    with pytest.raises(NotPossible, match="cannot be used as a serial port"):
        setup.listen_once(str(tmp_path / "file"), 1)


def test_a_port_that_may_not_be_used(monkeypatch):
    def denied(_device):
        raise serial.SerialException(13, "Permission denied")

    monkeypatch.setattr(meter_port, "open_port", denied)
    with pytest.raises(NotPossible, match="may not use port X"):
        setup.listen_once("X", 1)


def test_the_programs_own_port_is_answered_from_what_it_hears():
    assert setup.own_port("X", sample(0)) == setup.meter_words("X", sample(0))
    with pytest.raises(NotPossible, match="listens at X already, and no meter is heard"):
        setup.own_port("X", None)


class Centre:
    """What answers a hello as it is told to: with a message, with bytes, or by hanging up."""

    def __init__(self, answer):
        self.answer = answer
        self.hellos: list[Any] = []
        self._left = asyncio.Event()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()

    async def __aexit__(self, *_):
        self._server.close()
        async with asyncio.timeout(5):
            await self._left.wait()

    async def _serve(self, reader, writer):
        wire = CentralConnection()
        self.hellos += wire.receive_data(await reader.read(4096))
        if self.answer is not None:
            writer.write(self.answer if isinstance(self.answer, bytes) else wire.send(self.answer))
        while self.answer is not None and await reader.read(4096):
            pass
        writer.close()
        await writer.wait_closed()
        self._left.set()


def knocked(answer, house="B", timeout_s=5.0):
    async def story():
        centre = Centre(answer)
        async with centre as address:
            said = await setup.knock(house, address, timeout_s)
        assert [hello.house for hello in centre.hellos] == [house]
        return said

    return asyncio.run(story())


def test_a_central_that_knows_the_house():
    assert "answers and knows this house: B, Family 2." in knocked(WELCOME)


def test_a_link_that_stands_is_a_good_answer():
    already = Refused(code=WireCode.DUPLICATE_HOUSE, text="House B is linked already.")
    assert "knows house B, which is linked already" in knocked(already)


def test_a_house_the_central_does_not_know():
    with pytest.raises(NotPossible, match="does not know house B; check the house ID, or ask the operator"):
        knocked(Refused(code=WireCode.UNKNOWN_HOUSE, text="House B is not known here."))


def test_another_refusal_is_passed_on():
    with pytest.raises(NotPossible, match="but refuses: Update the house client"):
        knocked(Refused(code=WireCode.VERSION, text="Update the house client."))


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", None])
def test_what_answers_and_is_no_central(answer):
    with pytest.raises(NotPossible, match="but it is not a central"):
        knocked(answer)


def test_nobody_says_anything():
    async def silence():
        async with Centre(b"") as address:
            await setup.knock("B", address, 0.2)

    with pytest.raises(NotPossible, match="Nobody answers at 127"):
        asyncio.run(silence())


def test_no_central_on_that_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(NotPossible, match="A computer is there, but no central answers"):
            asyncio.run(setup.knock("B", unused.getsockname(), 5))


@pytest.mark.parametrize(
    ("host", "words"),
    [("no-such-name.invalid", "Nothing is known by the name"), ("a" * 70, "(be the name of|by the name)")],
)
def test_a_name_that_means_nothing(host, words):
    with pytest.raises(NotPossible, match=words):
        asyncio.run(setup.knock("B", (host, 47474), 5))
