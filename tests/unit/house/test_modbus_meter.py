"""A Modbus meter against pymodbus's own server, over TCP and on a serial line, and against worse."""

import re
import socket
import struct
import threading
import time
from typing import Any

import pytest
from pymodbus.constants import ExcCodes

from house_client import modbus_meter, setup
from house_client.household import Refused
from house_client.meter_address import modbus_address
from house_client.meter_choice import line_of, meter_at
from house_client.meter_port import MeterPort
from house_client.modbus_meter import ModbusMeter
from house_client.snapshot import MeterState
from microgrid.commissioning import CheckKind, Expected, Finding, Flow, Verdict, check_wiring
from microgrid.wire.serial import Command, CommandKind
from tests.unit.house.sdm630_bench import NUMBER, Bench, Unit, Wires

COMMAND = Command(kind=CommandKind.RAISE, command_id=7, width_ms=900)


class Ear:
    """A meter that is listened to, and what it was heard to say."""

    def __init__(self, address):
        self.samples: list[Any] = []
        self.received: list[int] = []
        self.states: list[Any] = []
        self.meter = meter_at(address, self._heard, lambda *change: self.states.append(change))
        self.meter.start()

    def _heard(self, received_ms, samples):
        self.received.append(received_ms)
        self.samples += samples

    def until(self, condition):
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, self.states
            time.sleep(0.002)

    def until_heard(self, more=1):
        count = len(self.samples) + more
        self.until(lambda: len(self.samples) >= count)

    def until_state(self, state):
        self.until(lambda: self.states and self.states[-1][0] is state)
        return self.states[-1][1]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name, value in {"POLL_S": 0.02, "ANSWER_S": 0.5, "REOPEN_S": 0.02}.items():
        monkeypatch.setattr(modbus_meter, name, value)


@pytest.fixture
def bench():
    made = Bench(u1=Unit(), u2=Unit(7, r30053=-3000.0, r30075=10.0))
    yield made
    made.close()


@pytest.fixture
def listen():
    ears = []

    def begin(address):
        ears.append(Ear(address))
        return ears[-1]

    yield begin
    for ear in ears:
        ear.meter.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("meter ")]


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


# --- over TCP ---------------------------------------------------------------------------------------


def test_the_address_chooses_the_kind_of_meter():
    made = meter_at("/dev/ttyUSB0", lambda *_: None, lambda *_: None)
    assert isinstance(made, MeterPort)
    assert made.has_outputs
    other = meter_at("modbus-tcp://meter", lambda *_: None, lambda *_: None)
    assert isinstance(other, ModbusMeter)
    assert not other.has_outputs
    assert not other.send(COMMAND)


def test_a_meter_is_asked_again_and_again(bench, listen):
    before = time.time() * 1000 - 1
    ear = listen(f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}")
    assert ear.meter.wait_open(5)
    ear.until_heard(3)
    first, second, third = ear.samples[:3]
    assert first.boot_id == NUMBER
    assert first.exchange_p_w == -2500
    assert [s.sequence for s in (second, third)] == [first.sequence + 1, first.sequence + 2]
    assert first.uptime_ms < second.uptime_ms < third.uptime_ms
    assert all(before <= at_ms <= time.time() * 1000 for at_ms in ear.received)
    assert ear.states == [(MeterState.HEARD, "")]
    assert not ear.meter.send(COMMAND)


def test_one_request_a_second_and_the_serial_number_once(bench, listen):
    ear = listen(f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}")
    ear.until_heard(3)
    assert bench.units[1].asked[:4] == [(3, 0xFC00, 2), (4, 0, 76), (4, 0, 76), (4, 0, 76)]
    assert bench.units[2].asked == []


def test_the_generators_meter_is_another_unit(bench, listen):
    ear = listen(f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}?unit=1&generator=2")
    ear.until_heard()
    sample = ear.samples[0]
    assert (sample.generator_p_w, sample.generation_counter_ws) == (3000, 36_000_000)
    assert (sample.boot_id, sample.exchange_p_w) == (NUMBER, -2500)


def test_nobody_there_is_said_and_the_meter_is_found_when_it_comes(bench, listen):
    port = free_port()
    ear = listen(f"modbus-tcp://127.0.0.1:{port}")
    sentence = ear.until_state(MeterState.MISSING)
    assert sentence.startswith(f"Nobody answers at 127.0.0.1:{port}; check the meter's address")
    assert not ear.meter.wait_open(0)
    bench.serve_tcp(port)
    ear.until_heard()
    assert ear.until_state(MeterState.HEARD) == ""


def test_a_line_that_is_lost_is_opened_again_and_shows_as_packets_lost(bench, listen):
    port = bench.serve_tcp()
    ear = listen(f"modbus-tcp://127.0.0.1:{port}")
    ear.until_heard(2)
    bench.end()
    ear.until_state(MeterState.MISSING)
    last = ear.samples[-1]
    bench.serve_tcp(port)
    ear.until_heard()
    again = ear.samples[-1]
    assert again.boot_id == last.boot_id
    assert again.sequence > last.sequence + 1
    assert again.uptime_ms > last.uptime_ms


def test_another_meter_on_the_line_is_another_start(bench, listen):
    port = bench.serve_tcp()
    ear = listen(f"modbus-tcp://127.0.0.1:{port}")
    ear.until_heard()
    bench.end()
    bench.units[1] = Unit(555, r30073=3.0)
    bench.serve_tcp(port)
    ear.until(lambda: ear.samples[-1].boot_id == 555)
    assert ear.samples[-1].import_counter_ws == 3 * 3_600_000


def test_another_meter_behind_a_gateway_is_noticed_after_its_silence(bench, listen):
    unit = bench.units[1]
    ear = listen(f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}")
    ear.until_heard()
    unit.fault = ExcCodes.GATEWAY_NO_RESPONSE
    assert "Unit 1 at 127.0.0.1:" in ear.until_state(MeterState.SILENT)
    unit.number, unit.fault = 555, None
    ear.until(lambda: ear.samples[-1].boot_id == 555)


# --- what goes wrong on a line that stands ------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            ExcCodes.ILLEGAL_ADDRESS,
            "is not an SDM630 as it is delivered: unit 1 refuses to tell its registers",
        ),
        (
            ExcCodes.DEVICE_BUSY,
            "Unit 1 at .* does not answer; see that the meter has power and is set to this unit number",
        ),
        (ExcCodes.GATEWAY_NO_RESPONSE, "Unit 1 at .* does not answer"),
    ],
)
def test_an_exception_is_told_in_words_and_gets_over(bench, listen, fault, words):
    bench.units[1].fault = fault
    ear = listen(f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}")
    sentence = ear.until_state(MeterState.SILENT)
    assert re.search(words, sentence)
    bench.units[1].fault = None
    ear.until_heard()
    ear.until_state(MeterState.HEARD)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"r30001": float("nan")}, "one of its values is no number"),
        ({"r30071": 1e-40}, "its frequency would be"),
    ],
)
def test_what_is_no_sdm630_is_not_measured(bench, listen, changed, words):
    ear = listen(f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}")
    ear.until_heard()
    bench.units[1].show(**changed)
    assert words in ear.until_state(MeterState.SILENT)
    heard = len(ear.samples)
    time.sleep(0.1)
    assert len(ear.samples) == heard
    bench.units[1].show()
    ear.until_heard()


def test_a_meter_without_a_serial_number_is_not_taken(bench, listen):
    bench.units[1].number = 0
    ear = listen(f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}")
    assert "it has no serial number" in ear.until_state(MeterState.SILENT)
    assert ear.samples == []


def test_a_generators_meter_that_fails_is_named_and_nothing_is_made_up(bench, listen):
    bench.units[2].fault = ExcCodes.GATEWAY_NO_RESPONSE
    ear = listen(f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}?generator=2")
    assert "Unit 2 at" in ear.until_state(MeterState.SILENT)
    assert ear.samples == []


class Other:
    """Something else behind a network port: `answer` makes bytes of a request, or hangs up by None."""

    def __init__(self, answer):
        self.answer = answer
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with client:
                client.settimeout(5)
                while request := self._hear(client):
                    if (answer := self.answer(request)) is None:
                        break
                    client.sendall(answer)

    def _hear(self, client):
        try:
            return client.recv(4096)
        except OSError:
            return b""

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


def framed(request, pdu, unit=1):
    """A Modbus answer to this request."""
    return request[:2] + struct.pack(">HHB", 0, len(pdu) + 1, unit) + pdu


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (lambda request: b"", MeterState.SILENT),
        (lambda request: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", MeterState.SILENT),
        (lambda request: b"\xff" * 300, MeterState.SILENT),
        (lambda request: request, MeterState.SILENT),
        (lambda request: framed(request, bytes([3, 4, 0, 1])), MeterState.SILENT),
        (lambda request: framed(request, bytes([3, 2, 0, 1])), MeterState.SILENT),
        (lambda request: framed(request, bytes([3, 6, 0, 1, 0, 2, 0, 3])), MeterState.SILENT),
        (lambda request: framed(request, bytes([request[7], 4, 0, 1, 0, 2])), MeterState.SILENT),
        (lambda request: framed(request, bytes([3, 4, 0, 1, 0, 2]), unit=9), MeterState.SILENT),
        (lambda request: framed(b"\x77\x77", bytes([3, 4, 0, 1, 0, 2])), MeterState.SILENT),
        (lambda request: framed(request, bytes([0x83])), MeterState.SILENT),
        (lambda request: framed(request, bytes([0x7F, 1])), MeterState.SILENT),
        (lambda request: framed(request, b""), MeterState.SILENT),
        (lambda request: None, MeterState.MISSING),
    ],
)
def test_whatever_answers_the_thread_lives_and_says_so(listen, answer, state):
    other = Other(answer)
    try:
        ear = listen(f"modbus-tcp://127.0.0.1:{other.port}")
        sentence = ear.until_state(state)
        assert sentence.endswith(".")
        time.sleep(0.1)
        assert "meter 127" in " ".join(thread.name for thread in threading.enumerate())
        assert ear.samples == []
        ear.meter.stop()
    finally:
        other.close()


def test_a_line_on_which_nothing_is_heard_for_long_is_opened_again(listen, monkeypatch):
    monkeypatch.setattr(modbus_meter, "SILENT_POLLS", 2)
    monkeypatch.setattr(modbus_meter, "ANSWER_S", 0.05)
    other = Other(lambda request: b"")
    try:
        ear = listen(f"modbus-tcp://127.0.0.1:{other.port}")
        ear.until(lambda: other.connections >= 3)
        assert len(ear.states) == 1  # said once
        ear.meter.stop()
    finally:
        other.close()


def test_stop_waits_for_no_more_than_one_answer(listen, monkeypatch):
    monkeypatch.setattr(modbus_meter, "REOPEN_S", 60)
    ear = listen(f"modbus-tcp://127.0.0.1:{free_port()}")
    ear.until_state(MeterState.MISSING)
    begun, said = time.monotonic(), len(ear.states)
    ear.meter.stop()
    assert time.monotonic() - begun < 20
    assert len(ear.states) == said


# --- on a serial line ---------------------------------------------------------------------------------


@pytest.fixture
def wires():
    made = Wires()
    yield made
    made.close()


def test_a_meter_on_a_serial_line(bench, wires, listen):
    bench.serve_rtu(wires.there)
    ear = listen(f"modbus-rtu://{wires.here}?generator=2")
    ear.until_heard(3)
    sample = ear.samples[-1]
    assert (sample.boot_id, sample.exchange_p_w, sample.generator_p_w) == (NUMBER, -2500, 3000)
    assert ear.until_state(MeterState.HEARD) == ""


def test_a_serial_line_that_stays_silent(wires, listen):
    ear = listen(f"modbus-rtu://{wires.here}?unit=5&baud=19200")
    sentence = ear.until_state(MeterState.SILENT)
    assert sentence.startswith(f"Unit 5 at {wires.here} does not answer, 19200 baud, parity none; see that")


def test_baud_and_parity_are_as_the_address_says():
    """A pseudo-terminal has no parity to try."""
    address = modbus_address("modbus-rtu:///dev/ttyS9?baud=2400&parity=even")
    assert address is not None
    client = modbus_meter._client(address)
    assert (client.comm_params.baudrate, client.comm_params.parity) == (2400, "E")
    assert (client.comm_params.bytesize, client.comm_params.stopbits) == (8, 1)


def test_a_serial_port_that_is_none(listen, tmp_path):
    ear = listen(f"modbus-rtu://{tmp_path}/ttyNONE")
    assert ear.until_state(MeterState.MISSING).startswith(f"Serial port {tmp_path}/ttyNONE cannot be used")


def test_a_serial_port_is_used_by_one_program_alone(bench, wires, listen):
    bench.serve_rtu(wires.there)
    ear = listen(f"modbus-rtu://{wires.here}")
    ear.until_heard()
    other = listen(f"modbus-rtu://{wires.here}")
    other.until_state(MeterState.MISSING)
    ear.until_heard(2)


def test_noise_on_a_serial_line_is_got_over(bench, wires, listen):
    bench.serve_rtu(wires.there)
    ear = listen(f"modbus-rtu://{wires.here}")
    ear.until_heard()
    with open(wires.there, "wb", buffering=0) as noise:
        noise.write(bytes(range(256)))
    ear.until_heard(3)


# --- setting up ---------------------------------------------------------------------------------------


def test_the_set_up_page_hears_it(bench):
    address = f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}"
    assert setup.listen_once(address) == f"A meter answers at {address}: firmware SDM630, 230 V, 50.0 Hz."


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("modbus-tcp://127.0.0.1:1", "Nobody answers at 127.0.0.1:1"),
        ("modbus-rtu:///dev/ttyNONE", "Serial port /dev/ttyNONE cannot be used"),
        ("modbus-tcp://", "it names no computer"),
    ],
)
def test_the_set_up_page_is_told_why_not(address, words):
    with pytest.raises(Refused, match=words):
        setup.listen_once(address, 0.2)


def test_the_set_up_page_waits_for_a_meter_that_is_slow_to_begin(bench):
    bench.units[1].fault = ExcCodes.DEVICE_BUSY
    port = bench.serve_tcp()
    with pytest.raises(Refused, match=r"Unit 1 at .* does not answer"):
        setup.listen_once(f"modbus-tcp://127.0.0.1:{port}", 0.3)
    threading.Timer(0.2, setattr, (bench.units[1], "fault", None)).start()
    assert "SDM630" in setup.listen_once(f"modbus-tcp://127.0.0.1:{port}", 5)


def test_one_line_is_known_however_it_is_written(tmp_path):
    (tmp_path / "link").symlink_to("/dev/null")
    assert line_of(f"modbus-rtu://{tmp_path}/link?unit=4") == line_of("/dev/null")
    assert line_of("modbus-tcp://meter") == line_of("modbus-tcp://meter:502?unit=2")
    assert line_of("modbus-tcp://meter") != line_of("modbus-tcp://other")


def test_the_checks_of_the_wiring_work_with_it(bench, listen):
    unit = bench.units[1]
    phases = {"r30013": 1000.0, "r30015": 2000.0, "r30017": 500.0, "r30027": 516.2}
    unit.show(r30053=3500.0, **phases)
    ear = listen(f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}")
    ear.until_heard(6)
    checks = {check.kind: check for check in check_wiring(ear.samples, Expected(Flow.DRAWS))}
    telling = set(CheckKind) - {CheckKind.COUNTERS}  # which stand still here
    assert {kind for kind in telling if checks[kind].verdict is not Verdict.RIGHT} == set()
    unit.show(r30053=1500.0, **{**phases, "r30013": -1000.0, "r30025": -268.6})
    ear.until_heard(8)
    reversed_ = {check.kind: check for check in check_wiring(ear.samples[-6:], Expected(Flow.DRAWS))}
    assert reversed_[CheckKind.REVERSED].finding is Finding.TURNED
    assert reversed_[CheckKind.REVERSED].phases == (1,)
