"""A meter that is asked over Modbus, by TCP or on a serial line (RTU): an Eastron SDM630.

A thread owns the line and asks once a second. Registers become samples in `sdm630.py`.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from house_client import sdm630
from house_client.meter import Heard, MeterFault, StateChanged
from house_client.meter_address import ModbusAddress, TcpPlace
from house_client.sdm630 import NotSdm630, Sdm630
from house_client.snapshot import MeterState
from microgrid.sample import Sample
from microgrid.wire.serial import Command

POLL_S = 1.0
ANSWER_S = 1.0  # for a connection, and for each answer
REOPEN_S = 2.0  # after the first failure; twice as long after each further one
LONGEST_REOPEN_S = 60.0
SILENT_POLLS = 10  # after so many the line is closed and opened again: a gateway may have forgotten it
# Exceptions of a device that has no such registers; others are passing, or a gateway's.
_UNKNOWN_THERE = (1, 2, 3)

log = logging.getLogger(__name__)
# It logs every failure of every poll; what a person needs to know is said here, once.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


class _LineLost(MeterFault):
    """There is no line to the meter."""


class _Silent(MeterFault):
    """There is a line, but no SDM630 answers on it."""


class _Line:
    """The line to the meter's units and what is read through it; for one thread."""

    def __init__(self, address: ModbusAddress) -> None:
        self._address = address
        self._client = _client(address)
        self._meter: Sdm630 | None = None
        self._is_known = False  # by its serial number, since it last fell silent
        self._started = time.monotonic()
        self._sequence = 0

    def open(self) -> None:
        """Open it; _LineLost."""
        if self._client.connect():
            return
        place = self._address.place
        if isinstance(place, TcpPlace):
            raise _LineLost(
                f"Nobody answers at {place}; check the meter's address, and that it or its gateway has power"
                " and its network cable is in."
            )
        raise _LineLost(
            f"Serial port {place} cannot be used; plug the meter's adapter in, choose another port, or end"
            " the program that uses it."
        )

    def close(self) -> None:
        """Close it; another meter may be behind it when it is opened again."""
        self._client.close()
        self._is_known = False

    def read(self) -> Sample:
        """Ask the meter, and the generator's if there is one; _LineLost or _Silent.

        A sequence number is used up by each attempt, so that one that failed shows as a packet lost.
        """
        self._sequence += 1
        try:
            return self._read()
        except NotSdm630 as fault:
            self._is_known = False
            raise _Silent(
                f"What answers at {self._address.place} is not an SDM630 as it is delivered: {fault}."
                " Check the unit number and the address."
            ) from fault
        except MeterFault:
            self._is_known = False
            raise

    def _read(self) -> Sample:
        unit, generator_unit = self._address.unit, self._address.generator
        meter = self._meter
        if meter is None or not self._is_known:
            number = sdm630.serial_number(self._ask_number(unit))
            if meter is None or meter.number != number:
                meter = self._meter = Sdm630(number)
            self._is_known = True
        tie = sdm630.decode(self._ask_values(unit))
        uptime_ms = int((time.monotonic() - self._started) * 1000)
        generator = None if generator_unit is None else sdm630.decode(self._ask_values(generator_unit))
        return meter.sample(uptime_ms, self._sequence, tie, generator)

    def _ask_number(self, unit: int) -> list[int]:
        with self._answering(unit):
            answer = self._client.read_holding_registers(
                sdm630.SERIAL_NUMBER, count=sdm630.SERIAL_NUMBER_COUNT, device_id=unit
            )
        return self._registers(unit, answer)

    def _ask_values(self, unit: int) -> list[int]:
        with self._answering(unit):
            answer = self._client.read_input_registers(
                sdm630.FIRST_REGISTER, count=sdm630.REGISTER_COUNT, device_id=unit
            )
        return self._registers(unit, answer)

    @contextmanager
    def _answering(self, unit: int) -> Iterator[None]:
        try:
            yield
        except (ConnectionException, OSError) as fault:
            raise _LineLost(
                f"The line to the meter at {self._address.place} was lost; see its cable."
            ) from fault
        except ModbusException as fault:
            raise self._unanswered(unit) from fault

    def _registers(self, unit: int, answer: ModbusPDU) -> list[int]:
        if not answer.isError():
            return list(answer.registers)
        if answer.exception_code not in _UNKNOWN_THERE:
            raise self._unanswered(unit)
        raise NotSdm630(
            f"unit {unit} refuses to tell its registers (Modbus exception {answer.exception_code})"
        )

    def _unanswered(self, unit: int) -> _Silent:
        place = self._address.place
        if isinstance(place, TcpPlace):
            return _Silent(
                f"Unit {unit} at {place} does not answer; see that the meter has power and is set to this"
                " unit number, and, behind a gateway, that its two wires are not swapped."
            )
        return _Silent(
            f"Unit {unit} at {place} does not answer, {place.baud} baud, parity {place.parity}; see that the"
            " meter has power, that its two wires are not swapped, and that it is set to this."
        )


def _client(address: ModbusAddress) -> ModbusTcpClient | ModbusSerialClient:
    place = address.place
    if isinstance(place, TcpPlace):
        return ModbusTcpClient(place.host, port=place.port, timeout=ANSWER_S, retries=0)
    return ModbusSerialClient(
        place.device,
        baudrate=place.baud,
        parity=place.parity[0].upper(),
        timeout=ANSWER_S,
        retries=0,
    )


class ModbusMeter:
    """Asks the meter until `stop`, opening the line again whenever it is lost (a `Meter`)."""

    has_outputs = False

    def __init__(self, address: ModbusAddress, heard: Heard, changed: StateChanged) -> None:
        self._address = address
        self._heard = heard
        self._changed = changed
        self._said: tuple[MeterState, str] | None = None
        self._reopen_s = REOPEN_S
        self._stopping = threading.Event()
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"meter {address.place}")

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def wait_open(self, timeout_s: float) -> bool:
        """Whether the line was opened within this time."""
        return self._opened.wait(timeout_s)

    def send(self, command: Command) -> bool:
        """False: the meter has no outputs to pulse."""
        return False

    def stop(self) -> None:
        """End the thread, within the time of an answer, and close the line."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        line = _Line(self._address)
        self._reopen_s = REOPEN_S
        while not self._stopping.is_set():
            try:
                line.open()
                self._opened.set()
                self._ask_on(line)
            except _LineLost as fault:
                self._say(MeterState.MISSING, str(fault))
            finally:
                line.close()
            self._stopping.wait(self._reopen_s)
            self._reopen_s = min(2 * self._reopen_s, LONGEST_REOPEN_S)

    def _ask_on(self, line: _Line) -> None:
        """Ask once a second until the line is lost, or nothing was heard on it for long."""
        silent, due = 0, time.monotonic()
        while not self._stopping.is_set() and silent < SILENT_POLLS:
            try:
                sample = line.read()
            except _Silent as fault:
                silent += 1
                self._say(MeterState.SILENT, str(fault))
            else:
                silent, self._reopen_s = 0, REOPEN_S
                self._heard(time.time_ns() // 1_000_000, [sample])
                self._say(MeterState.HEARD, "")
            due = max(due + POLL_S, time.monotonic())  # a slow line is asked again at once, and no faster
            self._stopping.wait(due - time.monotonic())

    def _say(self, state: MeterState, sentence: str) -> None:
        if (state, sentence) == self._said or self._stopping.is_set():
            return
        self._said = (state, sentence)
        if sentence:
            log.info("%s", sentence)
        self._changed(state, sentence)


def ask_once(address: ModbusAddress, seconds: float) -> Sample:
    """Open the line and ask for so long; MeterFault says why no sample came of it."""
    line, deadline = _Line(address), time.monotonic() + seconds
    try:
        line.open()
        while True:
            try:
                return line.read()
            except _Silent:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(0.1)
    finally:
        line.close()
