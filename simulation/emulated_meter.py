"""A house's meter whose packets the firmware itself makes: its ELF in the emulator, beside the house's plant.

What flows in the plant is put on the emulated board as volts, amperes and contacts; the board's RAISE and
LOWER pins move the plant's source. Bytes of the serial line go in and out of the emulated chip.

The chip lives a second while the neighbourhood lives `factor` seconds (see `simulation.time_lapse`); in the
demonstration that is a minute. Between ticks the neighbourhood's time stands still. What the chip needs then
to answer a command and to give its pulse to the end passes for the chip alone, up to its next whole second.
"""

from collections.abc import Callable, Sequence

from microgrid.registers import COUNTER_MODULUS
from microgrid.sample import CommandState, Sample
from microgrid.units import SECONDS_PER_MINUTE
from microgrid.wire.errors import WireError
from microgrid.wire.serial import Command, CommandReader, PacketReader, encode_packet
from simulation.emulator import Emulator, Mains, PinEvent
from simulation.plant.faults import FaultKind
from simulation.plant.house_plant import HousePlant
from simulation.time_lapse import Counters, TimeLapse
from simulation.virtual_meter import never

SECOND_MS = 1000
SECOND_US = 1_000_000
WARM_UP_S = 4  # until the rectifiers' capacitors are charged and a whole second was measured
ON_TIME_MS = 5  # a packet may be so early for its second
LOOK_US = 5_000
LATEST_US = 200_000  # what has not come so long after its time will not come
_DIRECTIONS = {"raise": +1, "lower": -1}


class MeterSilent(TimeoutError):
    """The emulated firmware did not say what it must; the message tells what."""


class EmulatedMeter:
    """A meter that moves as `VirtualMeter` does, with the firmware's own packets."""

    def __init__(
        self, plant: HousePlant, board: Emulator, *,
        factor: int = SECONDS_PER_MINUTE, silent: Callable[[int], bool] = never,
    ) -> None:  # fmt: skip
        """`board` has just been switched on, and is the caller's to close.

        `factor` seconds of the plant, all within one minute of it, are one of the chip's. In a minute for
        which `silent` holds nothing is said or heard.
        """
        self.plant = plant
        self._board = board
        self._factor = factor
        self._silent = silent
        self._packets = PacketReader()
        self._commands = CommandReader()
        self._pulse_begun_us = dict.fromkeys(_DIRECTIONS, 0)
        self._due_ms = 0  # the chip's uptime at its next whole second
        self._due_us = 0  # when that second's packet should be out
        self._newest = self._warm_up()
        self._lapse = TimeLapse(factor, self._newest, _counters(plant))
        self.last_sequence = self._newest.sequence  # of the newest packet that was passed on
        self._opened = False

    @property
    def second(self) -> int:
        """The Unix second at which it stands."""
        return self.plant.second

    @property
    def uptime_ms(self) -> int:
        """Its uptime as its packets show it."""
        return self._lapse.uptime_ms

    def advance(self, to_minute: int) -> list[bytes]:
        """Move to the beginning of `to_minute`; the packets on the way, one for each of the chip's seconds.

        The first call also gives a packet of the moment it starts at: the registers' opening.
        """
        return self.advance_seconds(to_minute * SECONDS_PER_MINUTE)

    def advance_seconds(self, to_second: int) -> list[bytes]:
        """As `advance`, to this Unix second or the last before it that ends a second of the chip's."""
        samples = []
        if not self._opened:
            self._opened = True
            samples.append(self._lapse.shown(self._newest))
        while self.second + self._factor <= to_second:
            self.plant.step(self._factor)
            self._connect()
            *others, newest = self._to_second_end()
            others = [self._lapse.shown(sample) for sample in others]
            newest = self._lapse.passed(newest)
            if not self._mute():
                samples += [*others, newest]
        return self._said(samples)

    def receive(self, data: bytes) -> list[bytes]:
        """Give the chip these bytes; the packets until the commands they complete are obeyed or refused.

        Of bytes that are no command the chip complains in its next second's packet.
        """
        if self._mute() or self.plant.suffers(FaultKind.DEAF):
            return []
        self._board.send(data)
        commands = [it for it in self._commands.feed(data) if isinstance(it, Command)]
        samples = [sample for command in commands for sample in self._until_obeyed(command)]
        if commands:
            samples += self._to_second_end()
            self._lapse.stood_still(self._newest)
        return self._said([self._lapse.shown(sample) for sample in samples])

    def _said(self, samples: Sequence[Sample]) -> list[bytes]:
        if samples:
            self.last_sequence = samples[-1].sequence
        return [encode_packet(sample) for sample in samples]

    def _mute(self) -> bool:
        return self._silent(self.plant.last.minute)

    def _connect(self) -> None:
        """Put on the board what flows in the plant."""
        self._board.connect(
            Mains.of(self.plant.to_sample(self.plant.last, boot_id=0, uptime_ms=0, sequence=0))
        )

    # --- the chip -----------------------------------------------------------------------------------

    def _warm_up(self) -> Sample:
        """Wait until what is measured is what there is; the packet of that second."""
        self._connect()
        self._due_us = self._board.now_us + SECOND_US
        for _ in range(WARM_UP_S):
            self._to_second_end()
        return self._newest

    def _to_second_end(self) -> list[Sample]:
        """Run to the end of the chip's second: the packets until then, that second's own last."""
        due_ms, heard = self._due_ms, self._run(max(0, self._due_us - self._board.now_us))
        latest_us = self._due_us + LATEST_US
        while self._due_ms == due_ms:
            if self._board.now_us > latest_us:
                raise MeterSilent("The emulated firmware sent no packet for more than a second.")
            heard += self._run(LOOK_US)
        return heard

    def _until_obeyed(self, command: Command) -> list[Sample]:
        """Run until the chip has said what became of this command; the packets until then."""
        heard: list[Sample] = []
        latest_us = self._board.now_us + command.width_ms * 1000 + LATEST_US
        while not any(_ends(sample, command) for sample in heard):
            if self._board.now_us > latest_us:
                raise MeterSilent(f"The emulated firmware did not end {command.kind} {command.command_id}.")
            heard += self._run(LOOK_US)
        return heard

    def _run(self, duration_us: int) -> list[Sample]:
        """Run so long; the packets that came."""
        self._board.run(duration_us / 1e6)
        heard: list[Sample] = []
        for line in self._board.lines():
            for sample in self._packets.feed(line.text):
                if isinstance(sample, WireError):
                    raise MeterSilent(f"The emulated firmware sent what is no packet: {sample}")
                self._hear(sample, line.at_us)
                heard.append(sample)
        for event in self._board.pins:
            self._pulse(event)
        self._board.pins.clear()
        self._board.sent.clear()
        return heard

    def _hear(self, sample: Sample, at_us: int) -> None:
        self._newest = sample
        if sample.uptime_ms >= self._due_ms - ON_TIME_MS:
            self._due_ms = sample.uptime_ms + SECOND_MS
            self._due_us = at_us + SECOND_US + LOOK_US

    def _pulse(self, event: PinEvent) -> None:
        """A pin went on or off; once it is off, the source has been moved by as long as it was on."""
        if event.pin not in _DIRECTIONS:
            return
        if event.high:
            self._pulse_begun_us[event.pin] = event.at_us
        else:
            width_ms = round((event.at_us - self._pulse_begun_us[event.pin]) / 1000)
            self.plant.pulse(_DIRECTIONS[event.pin], width_ms)


def _ends(sample: Sample, command: Command) -> bool:
    """Whether this is the chip's last word on the command."""
    ended = sample.command_state in (CommandState.DONE, CommandState.REFUSED)
    return ended and sample.command_id == command.command_id


def _counters(plant: HousePlant) -> Counters:
    """What the plant's registers begin at, as 32-bit counters."""
    at = plant.last
    return at.import_ws % COUNTER_MODULUS, at.export_ws % COUNTER_MODULUS, at.generation_ws % COUNTER_MODULUS
