"""A meter under calibration, over any transport of bytes: its values, its readings, new values for it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from microgrid.calibration import (
    CalibrationError,
    Channel,
    GainOffset,
    Point,
    angle_offset,
    clock_ppm,
    steady_reading,
    two_point,
)
from microgrid.sample import Sample
from microgrid.wire.calibration import (
    ITEMS,
    MeterReader,
    Refused,
    Reply,
    Saved,
    Value,
    check_value,
    encode_get,
    encode_save,
    encode_set,
)
from microgrid.wire.errors import WireError

SILENCE_S = 8.0  # a meter speaks every second; when its port was opened, an Arduino may start anew first
PATIENCE = 4  # packets, or lines that are none, that go by before an answer is missed: seconds, mostly
TRIES = 3
SKIPPED = 2  # packets that may still speak of what was before
AVERAGED = 10
MOST_WAITING = 100_000  # bytes that nobody has read yet: more than a system keeps


class MeterLost(CalibrationError):
    """The meter is silent, heard badly or started again: what was begun cannot be gone on with."""


class Wire(Protocol):
    """Bytes to the meter and back; it need not be a serial port."""

    def read(self, timeout_s: float) -> bytes:
        """What has come, as soon as anything has; empty if nothing came within this time.

        With 0 only what has come already: empty once all of that was read.
        """

    def write(self, data: bytes) -> None:
        """Send all of it."""


class Calibrator:
    """Reads and sets a meter's values, and finds new ones by readings and truths.

    What is set holds until the meter starts again, unless `save` is called. Whatever is asked,
    CalibrationError says in a sentence that the meter is silent, does not answer, refused or started again.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._reader = MeterReader()
        self._boot_id: int | None = None

    # --- values -------------------------------------------------------------------------------------

    def value(self, name: str) -> int:
        """One value, as the meter has it now; WireError if there is none of this name."""
        reply = self._ask(encode_get(name), lambda it: isinstance(it, Value) and it.name == name)
        assert isinstance(reply, Value)
        return reply.value

    def values(self) -> dict[str, int]:
        """All values, as the meter has them now."""
        return {name: self.value(name) for name in ITEMS}

    def set_values(self, values: Mapping[str, int]) -> None:
        """Set these values; WireError, and nothing is set, if one of them is none or out of its limits."""
        for name, value in values.items():
            check_value(name, value)
        for name, value in values.items():
            taken, refused = Value(name, value), Refused(name)
            if self._ask(encode_set(name, value), (taken, refused).__contains__) == refused:
                raise CalibrationError(
                    f"The meter refuses {name} = {value}. It may still be saving; or its firmware is another"
                    " than this program's."
                )

    def save(self) -> None:
        """Have the meter keep all its values for good."""
        self._ask(encode_save(), lambda it: isinstance(it, Saved))

    # --- readings -----------------------------------------------------------------------------------

    def samples(self, count: int = AVERAGED, skipped: int = SKIPPED) -> list[Sample]:
        """So many packets from now on; those skipped first may still speak of what was before."""
        self._pass_over()
        found: list[Sample] = []
        faults = 0
        while len(found) < skipped + count:
            for heard in self._hear():
                if isinstance(heard, Sample):
                    found.append(heard)
                faults += isinstance(heard, WireError)
            if faults > PATIENCE + len(found):
                raise MeterLost("The meter is heard badly; look at its cable, port and speed.")
        return found[skipped : skipped + count]

    def points(
        self, truths: Mapping[Channel, float], count: int = AVERAGED, skipped: int = SKIPPED
    ) -> dict[Channel, Point]:
        """What the meter reads of these channels while so much is true, averaged over so many packets."""
        samples = self.samples(count, skipped)
        return {
            channel: Point(steady_reading(samples, channel, truth), truth)
            for channel, truth in truths.items()
        }

    # --- new values ---------------------------------------------------------------------------------

    def two_point(self, one: Mapping[Channel, Point], other: Mapping[Channel, Point]) -> dict[str, int]:
        """Set gain and offset of each channel by its two points; all, or none. The values set, by name."""
        new: dict[str, int] = {}
        for channel in one:
            present = GainOffset(self.value(channel.gain), self.value(channel.offset))
            found = two_point(channel, present, one[channel], other[channel])
            new |= {channel.gain: found.gain, channel.offset: found.offset}
        self.set_values(new)
        return new

    def angles(self, points: Mapping[Channel, Point]) -> dict[str, int]:
        """Set the angle of each channel by its point; all, or none. The values set, by name."""
        new = {
            channel.offset: angle_offset(channel, self.value(channel.offset), point)
            for channel, point in points.items()
        }
        self.set_values(new)
        return new

    def clock(self, seconds: int, now_s: Callable[[], float]) -> int:
        """Set the clock's value by a true clock, listening so long; the value set."""
        self.samples(0)
        heard: list[tuple[float, int]] = []
        while not heard or heard[-1][0] - heard[0][0] < seconds:
            (sample,) = self.samples(1, skipped=0)
            heard.append((now_s(), sample.uptime_ms))
        new = clock_ppm(self.value("CLK"), heard)
        self.set_values({"CLK": new})
        return new

    # --- the line -----------------------------------------------------------------------------------

    def _ask(self, line: bytes, fits: Callable[[Reply], bool]) -> Reply:
        """Send a line until it is answered; to send it twice does no harm."""
        self._pass_over()
        for _ in range(TRIES):
            self._wire.write(line)
            passed = 0
            while passed < PATIENCE:
                for heard in self._hear():
                    if isinstance(heard, Sample | WireError):
                        passed += 1
                    elif fits(heard):
                        return heard
        text = line.partition(b"*")[0].decode("ascii")
        raise CalibrationError(f"The meter does not answer '{text}'; it may have no such value, or not hear.")

    def _pass_over(self) -> None:
        """Take no notice of what nobody has read yet: while a person turns knobs, many packets come."""
        passed = 0
        while passed < MOST_WAITING and (data := self._wire.read(0)):
            passed += len(data)
            self._take(data)

    def _hear(self) -> Sequence[Sample | Reply | WireError]:
        """What comes next."""
        data = self._wire.read(SILENCE_S)
        if not data:
            raise MeterLost("The meter is silent; look at its cable, port and supply.")
        return self._take(data)

    def _take(self, data: bytes) -> Sequence[Sample | Reply | WireError]:
        """What these bytes say; a meter that started again has lost what was set, and is not gone on with."""
        heard = self._reader.feed(data)
        for sample in heard:
            if isinstance(sample, Sample):
                if self._boot_id not in (None, sample.boot_id):
                    raise MeterLost(
                        "The meter started again. What was set and not saved is lost; begin anew."
                    )
                self._boot_id = sample.boot_id
        return heard
