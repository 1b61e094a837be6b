"""The meter's firmware, as the house hears it: packets out, RAISE and LOWER in, over a simulated plant."""

from collections.abc import Callable

import msgspec

from microgrid.registers import COUNTER_MODULUS
from microgrid.sample import CommandState, MeterFlag, Sample
from microgrid.units import SECONDS_PER_MINUTE
from microgrid.wire.errors import WireError
from microgrid.wire.serial import Command, CommandKind, CommandReader, encode_packet
from simulation.plant.faults import FaultKind
from simulation.plant.house_plant import NO_FLAGS, HousePlant, PlantMinute
from simulation.wiring import RIGHT, Wiring

MinuteEnded = Callable[[PlantMinute, tuple[Command, ...]], None]
"""Told the minute that ended and the commands accepted since the one before."""


def never(minute: int) -> bool:
    """A meter that is never silent."""
    return False


class VirtualMeter:
    """A meter that stands where its plant stands and moves when it is told to.

    It boots as it is made: uptime is virtual time since then. In a minute for which `silent` holds it
    neither sends nor hears, while the plant runs on and its counters count; with the fault *deaf* it sends
    only. With a `wiring` that is not right it measures and counts what such a meter would; the plant stays
    as it is.
    """

    def __init__(
        self, plant: HousePlant, boot_id: int, *,
        silent: Callable[[int], bool] = never, minute_ended: MinuteEnded | None = None,
        wiring: Wiring = RIGHT,
    ) -> None:  # fmt: skip
        self.plant = plant
        self._sequence = 0  # of the next packet
        self.last_sequence = 0  # of the newest packet
        self._boot_id = boot_id
        self._boot_second = plant.second
        self.silent = silent
        self._minute_ended = minute_ended
        self._wiring = wiring
        self._miscounted_ws = [0, 0]  # import and export, beyond what truly flowed
        self._reader = CommandReader()
        self._command_id = 0
        self._command_state = CommandState.NONE
        self._accepted: list[Command] = []
        self._opened = False

    @property
    def second(self) -> int:
        """The Unix second at which it stands."""
        return self.plant.second

    @property
    def uptime_ms(self) -> int:
        """Virtual milliseconds since the meter booted."""
        return (self.second - self._boot_second) * 1000

    def advance(self, to_minute: int) -> list[bytes]:
        """Move to the beginning of `to_minute`; the packets on the way, one a minute.

        The first call also gives a packet of the moment it starts at: the registers' opening.
        """
        return self._advance(to_minute * SECONDS_PER_MINUTE, SECONDS_PER_MINUTE)

    def advance_seconds(self, to_second: int) -> list[bytes]:
        """Move to this Unix second; the packets on the way, one a second.

        The plant moves by the second too: a pulse shows in the packets that follow it.
        """
        return self._advance(to_second, 1)

    def receive(self, data: bytes) -> list[bytes]:
        """Obey the commands these bytes complete; one packet for each, saying what became of it.

        A command that came before, with the same id, is answered again and not obeyed twice. Bytes that
        are no command are ignored: the sender will miss the answer.
        """
        echoes = []
        for command in self._reader.feed(data):
            if isinstance(command, WireError) or self._mute() or self.plant.suffers(FaultKind.DEAF):
                continue
            if command.command_id != self._command_id:
                self._obey(command)
            refused = self._command_state is CommandState.REFUSED
            echoes.append(self._packet(MeterFlag.COMMAND_REFUSED if refused else NO_FLAGS))
        return echoes

    def _advance(self, to_second: int, period_s: int) -> list[bytes]:
        packets = []
        if not self._opened:
            self._opened = True
            packets.append(self._packet())
            self._report(self.plant.last)
        while (begun := self.second) < to_second:
            self.plant.step(period_s)
            self._count(self.second - begun)
            if not self._mute():
                packets.append(self._packet())
            if self.second % SECONDS_PER_MINUTE == 0:
                self._report(self.plant.last)
        return packets

    def _mute(self) -> bool:
        return self.silent(self.plant.last.minute)

    def _report(self, ended: PlantMinute) -> None:
        if self._minute_ended is not None:
            self._minute_ended(ended, tuple(self._accepted))
        self._accepted.clear()

    def _obey(self, command: Command) -> None:
        accepted = self.plant.pulse(+1 if command.kind is CommandKind.RAISE else -1, command.width_ms)
        self._command_id = command.command_id
        self._command_state = CommandState.DONE if accepted else CommandState.REFUSED
        if accepted:
            self._accepted.append(command)

    def _count(self, seconds: int) -> None:
        """Note how far the counters of a meter wired wrongly part from the truth in the step just played."""
        if self._wiring == RIGHT:
            return
        true_w = self.plant.last.exchange_p_w
        seen_w = self._wiring.seen(self._sample(self.plant.last, NO_FLAGS)).exchange_p_w
        self._miscounted_ws[0] += (max(0, -seen_w) - max(0, -true_w)) * seconds
        self._miscounted_ws[1] += (max(0, seen_w) - max(0, true_w)) * seconds

    def _packet(self, flags: MeterFlag = NO_FLAGS) -> bytes:
        sample = self._sample(self.plant.last, flags)
        if self._wiring != RIGHT:
            imported, exported = self._miscounted_ws
            sample = msgspec.structs.replace(
                self._wiring.seen(sample),
                import_counter_ws=(sample.import_counter_ws + imported) % COUNTER_MODULUS,
                export_counter_ws=(sample.export_counter_ws + exported) % COUNTER_MODULUS,
            )
        self.last_sequence = self._sequence
        self._sequence = (self._sequence + 1) % 2**32
        return encode_packet(sample)

    def _sample(self, at: PlantMinute, flags: MeterFlag) -> Sample:
        return self.plant.to_sample(
            at,
            boot_id=self._boot_id,
            uptime_ms=self.uptime_ms,
            sequence=self._sequence,
            command_id=self._command_id,
            command_state=self._command_state,
            flags=flags,
        )
