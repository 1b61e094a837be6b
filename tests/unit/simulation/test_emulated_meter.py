"""A meter that passes on what a board says: here a small made-up board in place of the emulator."""

import math
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from microgrid.sample import CommandState, Sample
from microgrid.units import SECONDS_PER_MINUTE
from microgrid.wire.serial import (
    Command,
    CommandKind,
    CommandReader,
    PacketReader,
    encode_command,
    encode_packet,
)
from simulation.emulated_meter import EmulatedMeter, MeterSilent
from simulation.emulator import Mains, PinEvent, TimedLine
from simulation.plant.faults import Fault, FaultKind
from simulation.plant.house_plant import HousePlant
from tests.unit.central.parts import sample
from tests.unit.simulation.test_virtual_meter import START, meter

MS = 1000
SECOND_US = 1_000_000
SENDING_US = 22_000
ON_DELAY_US = 2_000


class Board:
    """A chip that measures without error, and obeys."""

    def __init__(self) -> None:
        self.now_us = 0
        self.pins: list[PinEvent] = []
        self.sent: list[tuple[int, int]] = []
        self.mains = Mains()
        self.seen: list[Mains] = []  # what it was connected to
        self.deaf = self.dumb = False
        self.refuses = False
        self._said: list[TimedLine] = []
        self._todo: list[tuple[int, Callable[[], None]]] = [(SECOND_US, self._second)]
        self._reader = CommandReader()
        self._sequence = 0
        self._command = (0, CommandState.NONE)
        self._flowed_ws = [0.0, 0.0, 0.0]

    def connect(self, mains: Mains) -> None:
        self.mains = mains
        self.seen.append(mains)

    def run(self, seconds: float) -> None:
        until_us = self.now_us + round(seconds * SECOND_US)
        while self._todo and min(due_us for due_us, _ in self._todo) <= until_us:
            self._todo.sort(key=lambda due: due[0])
            due_us, do = self._todo.pop(0)
            self._flow(due_us)
            do()
        self._flow(until_us)

    def send(self, data: bytes) -> None:
        for command in self._reader.feed(data):
            if isinstance(command, Command) and not self.deaf:
                self._obey(command)

    def lines(self) -> list[TimedLine]:
        said = [line for line in self._said if line.at_us <= self.now_us]
        self._said = self._said[len(said) :]
        return said

    def _flow(self, to_us: int) -> None:
        reading = self._reading()
        seconds, self.now_us = (to_us - self.now_us) / SECOND_US, to_us
        for index, power_w in enumerate(
            (max(0, -reading.exchange_p_w), max(0, reading.exchange_p_w), reading.generator_p_w)
        ):
            self._flowed_ws[index] += power_w * seconds

    def _reading(self) -> Sample:
        def powers(current_a: Any, angle_deg: Any) -> float:
            phases = zip(self.mains.voltage_v, current_a, angle_deg, strict=True)
            return sum(v * i * math.cos(math.radians(angle)) for v, i, angle in phases)

        return sample(
            round(powers(self.mains.current_a, self.mains.angle_deg)),
            generator_p_w=round(powers(self.mains.generator_a, self.mains.generator_angle_deg)),
        )

    def _second(self) -> None:
        self._say()
        self._todo.append((self.now_us + SECOND_US, self._second))

    def _say(self) -> None:
        if self.dumb:
            return
        imported, exported, generated = (round(ws) for ws in self._flowed_ws)
        said = msgspec.structs.replace(
            self._reading(), boot_id=77, uptime_ms=self.now_us // MS + 3, sequence=self._sequence,
            import_counter_ws=imported, export_counter_ws=exported, generation_counter_ws=generated,
            command_id=self._command[0], command_state=self._command[1],
        )  # fmt: skip
        self._sequence += 1
        self._said.append(TimedLine(self.now_us + SENDING_US, encode_packet(said)))

    def _obey(self, command: Command) -> None:
        pin = command.kind.lower()

        def turn(high: bool) -> None:
            self.pins.append(PinEvent(self.now_us, pin, high))
            self._command = (command.command_id, CommandState.PULSING if high else CommandState.DONE)
            self._say()

        if self.refuses:
            self._command = (command.command_id, CommandState.REFUSED)
            self._todo.append((self.now_us + ON_DELAY_US, self._say))
            return
        on_us = self.now_us + ON_DELAY_US
        self._todo += [(on_us, lambda: turn(True)), (on_us + command.width_ms * MS, lambda: turn(False))]


def made(house: str = "D", factor: int = SECONDS_PER_MINUTE, **given: Any) -> tuple[EmulatedMeter, Board]:
    """An emulated meter of a house, and its board; the plant's counters begin near their turn."""
    silent = {"silent": given.pop("silent")} if "silent" in given else {}
    plant: HousePlant = meter(house, counter_start_ws=2**32 - 1000, **given).plant
    board = Board()
    return EmulatedMeter(plant, cast(Any, board), factor=factor, **silent), board


def decoded(packets: list[bytes]) -> list[Sample]:
    samples = PacketReader().feed(b"".join(packets))
    assert all(isinstance(it, Sample) for it in samples)
    return cast(list[Sample], samples)


def pulse(width_ms: int, command_id: int = 5, kind: CommandKind = CommandKind.RAISE) -> bytes:
    return encode_command(Command(kind=kind, command_id=command_id, width_ms=width_ms))


def test_the_first_packet_is_the_opening_register() -> None:
    house, _ = made()
    (opening,) = decoded(house.advance(START))
    assert opening.export_counter_ws == opening.import_counter_ws == 2**32 - 1000
    assert (opening.boot_id, opening.sequence) == (77, house.last_sequence)
    assert opening.uptime_ms == house.uptime_ms
    assert house.advance(START) == []


def test_every_minute_is_a_second_of_the_chip() -> None:
    house, board = made()
    house.advance(START)
    before_us, before_ms = board.now_us, house.uptime_ms
    packets = decoded(house.advance(START + 10))
    assert (board.now_us - before_us) / SECOND_US == pytest.approx(10, abs=0.01)
    assert [p.uptime_ms - before_ms for p in packets] == [60_000 * n for n in range(1, 11)]
    assert house.second == (START + 10) * 60
    assert house.last_sequence == packets[-1].sequence


def test_what_the_meter_counts_is_what_flows() -> None:
    house, _ = made("D")  # a diesel: it exports, generates and, before it has started, imports
    (opening,) = decoded(house.advance(START))
    *_, last = decoded(house.advance(START + 120))
    names = ("import_counter_ws", "export_counter_ws", "generation_counter_ws")
    counted = [(getattr(last, name) - getattr(opening, name)) % 2**32 for name in names]
    assert counted == pytest.approx(house.plant.flowed_ws, rel=0.005, abs=30_000)
    assert last.generation_counter_ws < opening.generation_counter_ws  # it has turned


def test_the_board_is_connected_to_what_the_plant_does() -> None:
    house, board = made("D")
    house.advance(START + 5)
    at = house.plant.last
    shown = house.plant.to_sample(at, boot_id=0, uptime_ms=0, sequence=0)
    assert board.seen[-1] == Mains.of(shown)
    assert board.seen[-1].generator_closed
    assert len(board.seen) == 6  # and as it began


def test_a_command_goes_through_the_pins_to_the_source() -> None:
    house, _ = made("D")
    house.advance(START + 5)
    assert house.plant.source is not None
    before_w, sequence = house.plant.source.setpoint_w, house.last_sequence
    states = [(p.command_id, p.command_state) for p in decoded(house.receive(pulse(400)))]
    assert states[0] == (5, CommandState.PULSING)
    assert (5, CommandState.DONE) in states
    assert house.plant.source.setpoint_w - before_w == 400
    assert house.last_sequence == sequence + len(states)
    house.receive(pulse(150, 6, CommandKind.LOWER))
    assert house.plant.source.setpoint_w - before_w == 250


def test_a_long_pulse_takes_no_time_of_the_neighbourhood() -> None:
    house, board = made("D")
    (*_, before) = decoded(house.advance(START + 5))
    begun_us = board.now_us
    answers = decoded(house.receive(pulse(2500)))
    assert (board.now_us - begun_us) / SECOND_US == pytest.approx(3, abs=0.05)  # to the end of its second
    assert {(a.uptime_ms, a.export_counter_ws) for a in answers} == {
        (before.uptime_ms, before.export_counter_ws)
    }
    assert [a.sequence for a in answers] == list(range(before.sequence + 1, before.sequence + 6))
    power_w = house.plant.last.exchange_p_w
    (after,) = decoded(house.advance(START + 6))
    assert after.uptime_ms == before.uptime_ms + 60_000
    flowed_ws = (after.export_counter_ws - before.export_counter_ws) % 2**32
    assert 0.9 * 60 * power_w < flowed_ws < 1.1 * 60 * house.plant.last.exchange_p_w


def test_the_chips_refusal_is_passed_on() -> None:
    house, board = made("D")
    house.advance(START + 5)
    board.refuses = True
    assert decoded(house.receive(pulse(400)))[0].command_state is CommandState.REFUSED
    assert house.plant.source is not None
    assert house.plant.source.setpoint_w == 0


def test_bytes_that_are_no_command_pass_no_time() -> None:
    house, board = made("D")
    house.advance(START + 5)
    now_us = board.now_us
    assert house.receive(b"RAISE,1,1000*0000\r\n") == []
    assert board.now_us == now_us


@pytest.mark.parametrize("cause", ["deaf", "silent"])
def test_a_meter_that_cannot_hear_is_not_given_the_bytes(cause: str) -> None:
    if cause == "deaf":
        house, _ = made("D", faults=(Fault(FaultKind.DEAF, 0, None),))
    else:
        house, _ = made("D", silent=lambda minute: minute >= START + 3)
    house.advance(START + 5)
    assert house.receive(pulse(400)) == []
    assert house.plant.source is not None
    assert house.plant.source.setpoint_w == 0


def test_a_silent_minute_has_no_packet_and_its_energy_is_in_the_next() -> None:
    house, _ = made("A", silent=lambda minute: minute == START + 3)
    packets = decoded(house.advance(START + 3))
    assert len(packets) == 4
    assert house.advance(START + 4) == []
    assert house.last_sequence == packets[-1].sequence
    (after,) = decoded(house.advance(START + 5))
    assert after.sequence == packets[-1].sequence + 2
    counted_ws = (after.import_counter_ws - packets[0].import_counter_ws) % 2**32
    assert counted_ws == pytest.approx(house.plant.flowed_ws[0], rel=0.02)


def test_a_chip_that_falls_silent_is_named() -> None:
    house, board = made("D")
    house.advance(START)
    board.deaf = True
    with pytest.raises(MeterSilent, match="did not end RAISE 5"):
        house.receive(pulse(400))
    board.dumb = True
    with pytest.raises(MeterSilent, match="no packet for more than a second"):
        house.advance(START + 2)


def test_second_by_second_the_packets_are_the_chips_own_but_for_where_they_begin() -> None:
    house, _ = made("A", factor=1)
    (opening,) = decoded(house.advance(START))
    packets = decoded(house.advance_seconds(START * 60 + 90))
    assert [p.uptime_ms - opening.uptime_ms for p in packets] == [1000 * n for n in range(1, 91)]
    counted_ws = (packets[-1].import_counter_ws - opening.import_counter_ws) % 2**32
    assert counted_ws == pytest.approx(house.plant.flowed_ws[0], rel=0.01)
