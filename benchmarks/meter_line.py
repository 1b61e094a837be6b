"""How punctual the emulated meter is: packets, commands to pins, pulses, and with a crystal that is off."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.measure import percentile
from benchmarks.meter_accuracy import FREQUENCY_HZ
from benchmarks.meter_figures import Figure, Heard, Rig, Worst, Wrong, all_phases, mains
from house_client.calibrator import Calibrator
from microgrid.wire.calibration import encode_get, encode_save
from microgrid.wire.serial import Command, CommandKind, encode_command
from simulation.emulated_board import BoardWire
from simulation.emulator import Mains, PinEvent

PACKET_MS = 5.0
PIN_MS = 5.0
PULSE_MS = 2.0
SECOND_US = 1_000_000
BYTE_US = 10e6 / 115_200

COMMANDS = 300
COMMAND_S = 2.0  # each command has so long, at another phase of the second
GOLDEN = 0.618034  # multiples of it fill the second evenly, however many there are
NOISE = b"\x00\xffRAISE,7,1*\r\n"
CRYSTALS_PPM = (-5_000, 60, 5_000)
BUSY = Mains(
    voltage_v=(231.4, 229.8, 230.6),
    current_a=(3.2, 2.6, 2.9),
    angle_deg=(12.0, -8.0, 160.0),
    generator_a=(6.1, 5.9, 6.0),
    generator_angle_deg=(4.0, 4.0, -3.0),
    frequency_hz=49.98,
)


@dataclass(frozen=True)
class Pulse:
    """A commanded pulse, and when the command's last byte was over."""

    command: Command
    heard_us: float

    @property
    def pin(self) -> str:
        """The output it is to be seen at."""
        return self.command.kind.value.lower()


def line(rig: Rig, commands: int = COMMANDS) -> list[Figure]:
    """Two seconds a command: packets, commands, pulses, and beside them what an installer and noise send."""
    rig.read(BUSY)
    rig.board.pins.clear()
    heard = rig.packets(1)
    begun_us = rig.board.now_us
    pulses = []
    for number in range(commands):
        rig.board.run((begun_us + (COMMAND_S * number + GOLDEN * number % 1) * 1e6 - rig.board.now_us) / 1e6)
        kind = CommandKind.LOWER if number % 3 else CommandKind.RAISE
        pulses.append(_send(rig, Command(kind=kind, command_id=number + 1, width_ms=10 + 137 * number % 780)))
        rig.board.run(0.1 + GOLDEN * number % 0.3)
        if number % 5 == 0:
            rig.board.send((NOISE, encode_get("V1G"), encode_save())[number // 5 % 3])
        heard += rig.hear()
    heard += rig.packets(2)
    return [*packet_figures(heard), *pulse_figures(pulses, rig.board.pins)]


def _send(rig: Rig, command: Command) -> Pulse:
    data = encode_command(command)
    rig.board.send(data)
    return Pulse(command, rig.board.now_us + len(data) * BYTE_US)


def packet_figures(heard: Sequence[Heard]) -> list[Figure]:
    """A regular packet comes a second after the one before, the first is one; between them are answers."""
    interval, lost = Worst(), Wrong()
    for one, next_one in pairwise(heard):
        lost.see(next_one.sample.sequence != one.sample.sequence + 1, f"at {next_one.at_us / 1e6:.1f} s")
    last_us = heard[0].at_us
    while last_us < heard[-1].at_us - SECOND_US / 2:
        next_us = min((it.at_us for it in heard), key=lambda at_us: abs(at_us - last_us - SECOND_US))
        interval.see((next_us - last_us - SECOND_US) / 1000, f"at {next_us / 1e6:.1f} s")
        last_us = next_us if next_us > last_us else last_us + SECOND_US
    return [
        interval.figure("packet, off its second", "ms", PACKET_MS),
        lost.figure("packets lost"),
    ]


def pulse_figures(pulses: Sequence[Pulse], pins: Sequence[PinEvent]) -> list[Figure]:
    """Each command its own pulse, soon, of its width, on its pin; and no other."""
    width, disobeyed = Worst(), Wrong()
    late_ms = []
    outputs = [it for it in pins if it.pin != "mux"]
    for number, pulse in enumerate(pulses):
        on, off = outputs[2 * number : 2 * number + 2] or (None, None)
        where = f"command {pulse.command.command_id}, {pulse.command.kind}"
        right = (
            on is not None and off is not None and on.high and not off.high and on.pin == off.pin == pulse.pin
        )
        disobeyed.see(not right, where)
        if on is not None and off is not None and right:
            late_ms.append((on.at_us - pulse.heard_us) / 1000)
            width.see((off.at_us - on.at_us) / 1000 - pulse.command.width_ms, where)
    disobeyed.see(len(outputs) != 2 * len(pulses), "pulses without a command")
    return [
        Figure("command to pin, p99", percentile(late_ms or [0.0], 99), "ms", most=PIN_MS),
        width.figure("pulse, off its width", "ms", PULSE_MS),
        disobeyed.figure("commands not obeyed, pulses not commanded"),
        _both_on(outputs),
    ]


def _both_on(outputs: Sequence[PinEvent]) -> Figure:
    on: set[str] = set()
    both = Wrong()
    for event in outputs:
        (on.add if event.high else on.discard)(event.pin)
        both.see(len(on) > 1, f"at {event.at_us / 1e6:.3f} s")
    return both.figure("both outputs on")


def contest(rig: Rig, rounds: int = 40) -> list[Figure]:
    """RAISE and LOWER as close upon each other as the line carries them, some within the other's rest."""
    rig.read(BUSY)
    rig.board.pins.clear()
    for number in range(rounds):
        for kind, command_id in ((CommandKind.RAISE, 2 * number + 1), (CommandKind.LOWER, 2 * number + 2)):
            rig.board.send(
                encode_command(Command(kind=kind, command_id=command_id, width_ms=1 + 7 * number % 40))
            )
            rig.board.run(0.003 * (number % 20))
        rig.board.run(0.1)
        rig.hear()
    outputs = [it for it in rig.board.pins if it.pin != "mux"]
    idle = Wrong()
    idle.see({it.pin for it in outputs} != {"raise", "lower"}, "")
    return [_both_on(outputs), idle.figure("outputs never on in a contest")]


def clock(rig: Rig, crystals_ppm: Sequence[int] = CRYSTALS_PPM) -> list[Figure]:
    """A crystal fast by so much, known to the meter and seen from the crystal's side: all else is slow."""
    hertz, interval = Worst(), Worst()
    for ppm in crystals_ppm:
        Calibrator(BoardWire(rig.board)).set_values({"CLK": ppm})
        second_us = SECOND_US * (1 + ppm / 1e6)
        rig.read(mains(all_phases(5.0), frequency_hz=50 / (1 + ppm / 1e6)), settled=2)
        begun, *_, ended = rig.packets(6)
        hertz.see(ended.sample.frequency_hz - 50, f"{ppm} ppm")
        interval.see((ended.at_us - begun.at_us - 5 * second_us) / 5000, f"{ppm} ppm")
    return [
        hertz.figure("frequency, crystal 0.5 % off", "Hz", FREQUENCY_HZ),
        interval.figure("packet's second, crystal 0.5 % off", "ms", PACKET_MS),
    ]
