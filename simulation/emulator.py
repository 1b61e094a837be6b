"""The meter's firmware on an emulated board: an ATmega328P and the analogue front end it is wired to.

The emulator itself is `firmware/emulator/` (`make -C firmware emulator`); this speaks its line protocol.
Emulated time stands still but for `run`, and everything that happens follows from the program, the seed and
the calls. In real time (`realtime=True`) it runs by itself, and what happens is heard of at the next call.
"""

import math
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from microgrid.calibration import phase_angle_deg
from microgrid.sample import Sample

BUILD = Path(__file__).parent.parent / "firmware" / "build"
EMULATOR = BUILD / "emulator"
METER_ELF = BUILD / "meter.elf"
# Below this a phase is dead: no generator's power is put on it.
LIVE_V = 10.0
Three = tuple[float, float, float]
ResetKind = Literal["power", "brownout", "external", "watchdog"]
Profile = Literal["active", "bridge"]
DEAD: Three = (0.0, 0.0, 0.0)


class EmulatorError(OSError):
    """The emulator could not be started, refused what it was told, or its chip has crashed."""


@dataclass(frozen=True)
class Truth:
    """Watt-seconds since the start: ∫ p dt of the waveforms, import and export told apart cycle by cycle."""

    import_ws: float
    export_ws: float
    generation_ws: float

    def __sub__(self, before: "Truth") -> "Truth":
        return Truth(
            self.import_ws - before.import_ws,
            self.export_ws - before.export_ws,
            self.generation_ws - before.generation_ws,
        )


@dataclass(frozen=True)
class PinEvent:
    """An output changed: `raise`, `lower` or `mux` (high: the currents are the generator's)."""

    at_us: int
    pin: str
    high: bool


@dataclass(frozen=True)
class TimedLine:
    """A line the meter sent, with its line end, and when that was over."""

    at_us: int
    text: bytes


@dataclass(frozen=True)
class Mains:
    """All that the front end is connected to. RMS values of the fundamental; angles in degrees.

    A current's angle is positive where it lags its phase's voltage; within 90° power flows from the house
    into the micro-grid, or out of the generator.
    """

    voltage_v: Three = DEAD
    current_a: Three = DEAD
    angle_deg: Three = DEAD
    generator_a: Three = DEAD
    generator_angle_deg: Three = DEAD
    frequency_hz: float = 50.0
    grid_closed: bool = True
    generator_closed: bool = True

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """What a meter that measured this was connected to.

        The generator's power is spread evenly over the phases that are live. Without voltage there is no
        frequency to be had: 50 Hz.
        """
        live = [voltage >= LIVE_V for voltage in sample.voltage_v]
        power_va = sample.generator_s_va / max(1, sum(live))
        generator_a = [power_va / v if on else 0.0 for v, on in zip(sample.voltage_v, live, strict=True)]
        generator_deg = _generator_angle_deg(sample)
        return cls(
            voltage_v=sample.voltage_v,
            current_a=sample.current_a,
            angle_deg=_three([*map(phase_angle_deg, sample.power_factor, sample.leading, sample.exporting)]),
            generator_a=_three(generator_a),
            generator_angle_deg=(generator_deg, generator_deg, generator_deg),
            frequency_hz=sample.frequency_hz or 50.0,
            grid_closed=sample.grid_breaker_closed,
            generator_closed=sample.generator_breaker_closed,
        )

    def settings(self) -> dict[str, float]:
        """As the emulator's `set` takes them."""
        by_phase = {
            "v": self.voltage_v,
            "i": self.current_a,
            "ia": self.angle_deg,
            "g": self.generator_a,
            "ga": self.generator_angle_deg,
        }
        values = {f"{key}{phase}": three[phase - 1] for key, three in by_phase.items() for phase in (1, 2, 3)}
        return {"f": self.frequency_hz, "tie": self.grid_closed, "gen": self.generator_closed} | values


class Emulator:
    """A running emulator; leave it as a context manager, or `close` it.

    `seed` decides the parts' tolerances and the noise; seed 0 has nominal parts. Without `noise` nothing
    dithers the ADC. `eeprom` is a file: read if it is there, written by `save` and at the end. With `pty`,
    `port` is to be opened like a serial port, and `sent` and `lines` stay empty.

    `pins`, `sent` (time in µs when a byte was over, and the byte) and `faults` (what no sound firmware does)
    grow as things happen; whoever has read them may clear them. EmulatorError if it cannot be started.
    """

    def __init__(
        self, elf: Path = METER_ELF, *, profile: Profile = "active", seed: int = 1, noise: bool = True,
        eeprom: Path | None = None, pty: bool = False, realtime: bool = False, program: Path = EMULATOR,
    ) -> None:  # fmt: skip
        arguments = ["--profile", profile, "--seed", str(seed)]
        arguments += [] if noise else ["--no-noise"]
        arguments += [] if eeprom is None else ["--eeprom", str(eeprom)]
        arguments += ["--pty"] if pty else []
        arguments += ["--realtime"] if realtime else []
        self.now_us = 0
        self.port = ""
        self.pins: list[PinEvent] = []
        self.sent: list[tuple[int, int]] = []
        self.faults: list[str] = []
        self._line = bytearray()
        self._lines: list[TimedLine] = []
        self._answer = ""
        try:
            self._process = subprocess.Popen(
                [program, *arguments, elf],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
            )  # fmt: skip
        except OSError as error:
            raise EmulatorError(f"{program} cannot be started: {error.strerror}.") from error
        try:
            if pty:
                self._read()
            self._ask("set")  # answered as soon as it stands
        except EmulatorError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The emulator's process."""
        return self._process.pid

    def set(self, **values: float) -> None:
        """Change what the front end is connected to, by the protocol's names: `set(f=50, v1=230, hv3=5)`."""
        self._ask("set " + " ".join(f"{key} {value:.9g}" for key, value in values.items()))

    def connect(self, mains: Mains) -> None:
        """Change all of the mains at once; harmonics and supply stay as they are."""
        self.set(**mains.settings())

    def run(self, seconds: float) -> None:
        """Let so much time pass, to the microsecond; at most a day."""
        self._ask(f"run {round(seconds * 1e6)}")

    def send(self, data: bytes) -> None:
        """Bytes to the UART; they arrive while it runs, 11,520 a second."""
        self._ask(f"rx {data.hex()}")

    def lines(self) -> list[TimedLine]:
        """What the meter has sent since the last call, as far as lines are complete."""
        self._sync()
        lines, self._lines = self._lines, []
        return lines

    def truth(self) -> Truth:
        """The energy that truly flowed since the start."""
        return Truth(*map(float, self._ask("truth").split()))

    def probe(self) -> tuple[float, ...]:
        """Volts at the ADC's pins, as a voltmeter shows them: voltages, currents of tie and generator."""
        return tuple(map(float, self._ask("probe").split()))

    def stack(self) -> int:
        """Bytes of RAM that neither variables nor stack have touched since power came."""
        return int(self._ask("stack"))

    def reset(self, kind: ResetKind) -> None:
        """Reset the chip. `power` and `brownout` lose the RAM, none the EEPROM."""
        self._ask(f"reset {kind}")

    def eeprom(self) -> bytes:
        """The EEPROM's 1024 bytes."""
        return bytes.fromhex(self._ask("eeprom"))

    def poke_eeprom(self, address: int, data: bytes) -> None:
        """Put bytes into the EEPROM without the chip's doing."""
        self._ask(f"poke-eeprom {address} {data.hex()}")

    def save(self) -> None:
        """Write the EEPROM to its file."""
        self._ask("save")

    def close(self) -> None:
        """End the emulator; its EEPROM is saved if it has a file."""
        self._process.terminate()
        if self._process.stdout is not None and not self._process.stdout.closed:
            with suppress(BrokenPipeError):
                self._process.communicate(timeout=30)

    def _sync(self) -> None:
        """In real time: hear what has happened by now."""
        self._ask("set")

    def _ask(self, command: str) -> str:
        """Send a command and take in events until it is done; returns the event named like it."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # if it has ended, what it still said tells why
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        self._answer = ""
        while not self._read():
            pass
        return self._answer

    def _read(self) -> bool:
        """Take in one line; True if a command is done or the port is known."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        word, _, rest = line.rstrip("\n").partition(" ")
        match word:
            case "tx":
                at_us, byte = rest.split()
                self._hear(int(at_us), int(byte, 16))
            case "pin":
                pin, at_us, level = rest.split()
                self.pins.append(PinEvent(int(at_us), pin, level == "1"))
            case "fault":
                self.faults.append(rest)
            case "ok":
                self.now_us = int(rest)
            case "port":
                self.port = rest
            case "error":
                raise EmulatorError(f"{rest}: {'; '.join(self.faults)}" if self.faults else rest)
            case "":
                raise self._ended()
            case _:
                self._answer = rest
        return word in ("ok", "port")

    def _hear(self, at_us: int, byte: int) -> None:
        self.sent.append((at_us, byte))
        self._line.append(byte)
        if byte == ord("\n"):
            self._lines.append(TimedLine(at_us, bytes(self._line)))
            self._line.clear()

    def _ended(self) -> EmulatorError:
        assert self._process.stderr is not None
        words = [self._process.stderr.read().strip(), *self.faults]
        return EmulatorError("; ".join(word for word in words if word) or "The emulator has ended.")


def _generator_angle_deg(sample: Sample) -> float:
    """The one angle of the generator's phases that gives its active and its apparent power."""
    if sample.generator_s_va == 0:
        return 0.0
    cosine = max(-1.0, min(1.0, sample.generator_p_w / sample.generator_s_va))
    return math.copysign(math.degrees(math.acos(cosine)), sample.generator_q_var)


def _three(values: Sequence[float]) -> Three:
    first, second, third = values
    return first, second, third
