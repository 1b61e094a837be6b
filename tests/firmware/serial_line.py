"""The emulated meter with somebody at its serial line, for the tests that mean it no good."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

from microgrid.sample import Sample
from microgrid.wire.calibration import MeterReader, Reply, Saved, Value
from microgrid.wire.errors import WireError
from microgrid.wire.serial import checksum
from simulation.emulator import Emulator, Mains, ResetKind

BYTES_PER_S = 11_520
# A house that exports while its generator runs: both counters rise.
HOUSEHOLD = Mains(
    voltage_v=(230.0, 231.0, 229.0),
    current_a=(5.0, 4.0, 6.0),
    angle_deg=(10.0, -15.0, 25.0),
    generator_a=(6.0, 6.0, 6.0),
    generator_angle_deg=(5.0, 5.0, 5.0),
)


def line(text: str | bytes) -> bytes:
    """A line to the meter with its checksum."""
    data = text.encode("latin-1") if isinstance(text, str) else text
    return b"%b*%b\r\n" % (data, checksum(data))


class Heard(NamedTuple):
    """What the meter said, when the line began and when it was over."""

    begun_us: int
    at_us: int
    item: Sample | Reply | WireError


@dataclass(frozen=True)
class Pulse:
    """One of the two outputs was on for so long; `to_us` is None while it is."""

    pin: str
    from_us: int
    to_us: int | None

    @property
    def width_ms(self) -> int:
        """Rounded; the pulse must be over."""
        assert self.to_us is not None
        return round((self.to_us - self.from_us) / 1000)


class Line:
    """An emulated meter and its serial line; a context manager. All that was heard is kept."""

    def __init__(self, build: Path, elf: str | Path = "meter.elf", **options: Any) -> None:
        self.board = Emulator(build / elf, program=build / "emulator", **options)
        self.board.connect(HOUSEHOLD)
        self._reader = MeterReader()
        self.heard: list[Heard] = []
        self._broken_off = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.board.close()

    def say(self, *texts: str | bytes) -> None:
        """Lines, one right after the other, each with a good checksum."""
        self.board.send(b"".join(map(line, texts)))

    def run(self, seconds: float) -> list[Heard]:
        """Let time pass; what was heard meanwhile. Nothing but whole lines, or the test has failed."""
        self.board.run(seconds)
        heard = []
        for sent in self.board.lines():
            text = sent.text[sent.text.rfind(b"$") :] if self._broken_off else sent.text
            self._broken_off = False
            begun_us = sent.at_us - len(text) * 1_000_000 // BYTES_PER_S
            heard += [Heard(begun_us, sent.at_us, item) for item in self._reader.feed(text)]
        self.board.sent.clear()
        self.heard += heard
        assert not [it.item for it in heard if isinstance(it.item, WireError)]
        assert not self.board.faults
        return heard

    def packets(self, seconds: float) -> list[Sample]:
        """The packets of the time to come."""
        return [it.item for it in self.run(seconds) if isinstance(it.item, Sample)]

    def packet(self, seconds: float = 1.1) -> Sample:
        """The last packet of the time to come; by default there is at least one."""
        return self.packets(seconds)[-1]

    def answers(self, seconds: float) -> list[Reply]:
        """The answers to calibration lines of the time to come."""
        return [it.item for it in self.run(seconds) if not isinstance(it.item, Sample | WireError)]

    def calibrate(self, *texts: str) -> None:
        """Set these values ("V1G,1003500") and have all saved; not in the first moments after a start."""
        for text in texts:
            self.say(f"CAL,{text}")
            name, _, value = text.partition(",")
            assert self.answers(0.1) == [Value(name, int(value))]
        self.say("CAL,SAVE")
        assert self.answers(1.5) == [Saved()]

    def reset(self, kind: ResetKind) -> None:
        """Reset the chip; of a packet that was being sent the rest is lost."""
        self.board.lines()
        self.board.reset(kind)
        self._broken_off = True

    def pulses(self) -> list[Pulse]:
        """All since the start, in the order they began."""
        pulses: list[Pulse] = []
        for event in self.board.pins:
            if event.pin == "mux":
                continue
            if event.high:
                pulses.append(Pulse(event.pin, event.at_us, None))
                continue
            at = max(i for i, pulse in enumerate(pulses) if pulse.pin == event.pin)
            pulses[at] = Pulse(event.pin, pulses[at].from_us, event.at_us)
        return pulses


def interlocked(pulses: list[Pulse]) -> bool:
    """Whether the two outputs were never on together, nor one sooner than 20 ms after the other."""
    return all(
        before.to_us is not None and after.from_us - before.to_us >= 20_000
        for before, after in pairwise(pulses)
        if before.pin != after.pin
    )


def regular(heard: list[Heard]) -> list[Heard]:
    """The first packet of each second of the meter's uptime: all others are answers."""
    found: list[Heard] = []
    second = 0
    for it in heard:
        if isinstance(it.item, Sample) and it.item.uptime_ms // 1000 != second:
            second = it.item.uptime_ms // 1000
            found.append(it)
    return found
