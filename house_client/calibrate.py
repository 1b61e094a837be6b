"""The installer's tool: `python -m house_client.calibrate --help`. How to go about it is in docs/meter.md."""

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec

from house_client.calibrator import AVERAGED, SKIPPED, Calibrator, MeterLost
from house_client.meter_port import open_port
from microgrid.calibration import (
    PHASES,
    CalibrationError,
    Channel,
    Point,
    Quantity,
    Side,
    phase_angle_deg,
    reading_of,
)
from microgrid.sample import MeterFlag
from microgrid.wire.calibration import ITEMS
from microgrid.wire.errors import WireError
from node.arguments import in_words, positive

QUIET_S = 0.01  # what waits is handed on by the system in pieces, one soon after the other

Ask = Callable[[str], str]

_LETTERS = {"LE": (False, True), "CE": (True, True), "LI": (False, False), "CI": (True, False)}


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All values of one meter, as they are kept in a file."""

    taken: datetime  # UTC
    firmware: str
    values: dict[str, int]


class SerialWire:
    """A serial port as the calibrator's wire."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def read(self, timeout_s: float) -> bytes:
        """What has come, as soon as anything has."""
        self._port.timeout = max(timeout_s, QUIET_S)
        data: bytes = self._port.read(1)
        return data + self._port.read(self._port.in_waiting)

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self._port.write(data)


class Installer:
    """The conversation at the terminal: what to apply, what was read, what was set."""

    def __init__(self, meter: Calibrator, options: argparse.Namespace, ask: Ask) -> None:
        self._meter = meter
        self._options = options
        self._ask = ask

    def run(self) -> None:
        """Do what the arguments say."""
        getattr(self, f"_{self._options.action}")()

    # --- looking ------------------------------------------------------------------------------------

    def _show(self) -> None:
        (sample,) = self._meter.samples(1, skipped=0)
        say(f"Firmware {sample.firmware}, started {sample.uptime_ms // 1000} s ago. {_flags(sample.flags)}")
        for name, value in self._meter.values().items():
            item = ITEMS[name]
            say(f"  {name} {value:>8} {item.unit:<4}{item.meaning}{_changed(value, item.nominal)}")

    def _measure(self) -> None:
        samples = self._meter.samples(self._options.packets)
        flags = MeterFlag(0)
        for sample in samples:
            flags |= sample.flags
        say("phase   voltage    current, tie       angle")
        for phase in PHASES:
            volts, amperes, degrees = (
                fmean(reading_of(sample, Channel(quantity, phase)) for sample in samples)
                for quantity in Quantity
            )
            angle = f"{degrees:9.2f} °" if amperes else "        –"
            say(f"{phase:>5} {volts:8.2f} V {amperes:13.3f} A {angle}")
        say(f"exchange  {fmean(it.exchange_p_w for it in samples):8.1f} W, positive into the micro-grid")
        say(
            f"generator {fmean(it.generator_p_w for it in samples):8.1f} W"
            f" {fmean(it.generator_q_var for it in samples):8.1f} var"
            f" {fmean(it.generator_s_va for it in samples):8.1f} VA"
        )
        say(f"frequency {fmean(it.frequency_hz for it in samples):8.3f} Hz")
        say(_flags(flags))

    # --- setting ------------------------------------------------------------------------------------

    def _set(self) -> None:
        pairs = self._options.pairs
        if len(pairs) % 2:
            raise CalibrationError("To set values, give a name and a value, and so on.")
        try:
            values = {name.upper(): int(value) for name, value in zip(pairs[::2], pairs[1::2], strict=True)}
        except ValueError:
            raise CalibrationError("Values are whole numbers.") from None
        self._meter.set_values(values)
        self._say_set(values)
        self._keep()

    def _save(self) -> None:
        self._meter.save()
        say("Saved in the meter.")

    def _record(self) -> None:
        (sample,) = self._meter.samples(1, skipped=0)
        record = Record(
            taken=datetime.now(UTC).replace(microsecond=0),
            firmware=sample.firmware,
            values=self._meter.values(),
        )
        text = msgspec.json.format(msgspec.json.encode(record)) + b"\n"
        self._options.file.write_bytes(text)
        say(f"All {len(record.values)} values are in {self._options.file}.")

    def _restore(self) -> None:
        try:
            record = msgspec.json.decode(self._options.file.read_bytes(), type=Record)
        except msgspec.DecodeError as fault:
            raise CalibrationError(f"{self._options.file} holds no calibration ({fault}).") from fault
        if missing := sorted(ITEMS.keys() - record.values.keys()):
            raise CalibrationError(f"{self._options.file} lacks {', '.join(missing)}.")
        there, recorded = self._meter.value("SNR"), record.values["SNR"]
        if there not in (0, recorded):
            raise CalibrationError(
                f"This meter has the serial number {there}, the record is of meter {recorded}."
                " Calibration belongs to one meter; if it is rightly here, set SNR to 0 first."
            )
        self._meter.set_values(record.values)
        say(f"The values of {record.taken:%Y-%m-%d %H:%M} UTC are set.")
        self._keep()

    # --- finding new values -------------------------------------------------------------------------

    def _voltage(self) -> None:
        self._two_point([Channel(Quantity.VOLTAGE, phase) for phase in self._options.phases])

    def _current(self) -> None:
        self._two_point(self._currents(Quantity.CURRENT))

    def _angle(self) -> None:
        channels = self._currents(Quantity.ANGLE)
        points = self._point(channels, "", 0)
        self._say_set(self._meter.angles(points))
        self._say_now(points)
        self._keep()

    def _clock(self) -> None:
        say(f"Listening for {self._options.seconds} s; this computer's clock must be right.")
        value = self._meter.clock(self._options.seconds, time.monotonic)
        self._say_set({"CLK": value})
        self._keep()

    def _currents(self, quantity: Quantity) -> list[Channel]:
        side = Side(self._options.side)
        if side is Side.GENERATOR and len(self._options.phases) > 1:
            raise CalibrationError(
                "The generator is calibrated one phase at a time, with no current in the other two:"
                " the meter tells their sum only."
            )
        return [Channel(quantity, phase, side) for phase in self._options.phases]

    def _two_point(self, channels: Sequence[Channel]) -> None:
        low = self._point(channels, "low ", 0)
        high = self._point(channels, "high ", 1)
        self._say_set(self._meter.two_point(low, high))
        self._say_now(high)
        self._keep()

    def _point(self, channels: Sequence[Channel], which: str, at: int) -> dict[Channel, Point]:
        """One point of these channels; at a terminal again and again, until it is a good one."""
        given = self._options.true[at] if self._options.true else None
        while True:
            try:
                truths = self._truths(channels, which, given)
                points = self._meter.points(truths, self._options.packets, self._options.settle or SKIPPED)
            except CalibrationError as fault:
                if given is not None or isinstance(fault, MeterLost):
                    raise
                say(fault)
                continue
            self._say_points(points)
            return points

    def _truths(self, channels: Sequence[Channel], which: str, given: str | None) -> dict[Channel, float]:
        """What is true of each channel, once it is applied."""
        one = channels[0]
        where = f"phase{'s' * (len(channels) > 1)} {', '.join(str(channel.phase) for channel in channels)}"
        if one.quantity is not Quantity.VOLTAGE:
            where += f" of the {one.side}"
        if given is None:
            each = " One number, or one for each phase with commas between." * (len(channels) > 1)
            given = self._ask(
                f"Apply a {which}{one.quantity} to {where}. What is true, in {one.unit}?{each} "
            )
        else:
            what = given if given[-1:].isalpha() else f"{given} {one.unit}"
            if self._options.settle:
                say(f"Apply {what} to {where}.")
            else:
                self._ask(f"Apply {what} to {where}, and press Enter. ")
        truths = [_truth(text.strip(), one.quantity) for text in given.split(",")]
        if len(truths) not in (1, len(channels)):
            raise CalibrationError(
                f"{given!r} is not one number, nor one for each of {len(channels)} phases."
            )
        return dict(zip(channels, truths * (len(channels) // len(truths)), strict=True))

    # --- words --------------------------------------------------------------------------------------

    def _say_points(self, points: dict[Channel, Point]) -> None:
        for channel, point in points.items():
            say(f"  {channel}: reads {point.reading:.3f} {channel.unit}, true {point.truth:g} {channel.unit}")

    def _say_now(self, points: dict[Channel, Point]) -> None:
        """What is read by the new values of what is still applied."""
        say("With the new values:")
        truths = {channel: point.truth for channel, point in points.items()}
        try:
            self._say_points(self._meter.points(truths, self._options.packets))
        except MeterLost:
            raise
        except CalibrationError as fault:  # what was found stands, though it was taken off already
            say(f"  {fault}")

    def _say_set(self, values: dict[str, int]) -> None:
        for name, value in values.items():
            say(f"  {name} = {value} {ITEMS[name].unit}".rstrip())

    def _keep(self) -> None:
        keep = self._options.save
        if keep is None:
            keep = self._ask("Save in the meter? [y/n] ").strip().lower() in ("y", "yes")
        if keep:
            self._save()
        else:
            say("Not saved: this holds until the meter starts again.")


def say(text: object) -> None:
    """A line for the installer, at once."""
    print(text, flush=True)


def _flags(flags: MeterFlag) -> str:
    names = [str(flag.name).replace("_", " ").lower() for flag in MeterFlag if flag in flags]
    return f"It reports: {', '.join(names)}." if names else "It reports nothing amiss."


def _changed(value: int, nominal: int) -> str:
    return "" if value == nominal else f" (nominal {nominal})"


def _truth(text: str, quantity: Quantity) -> float:
    """Volts, amperes or degrees; an angle also as a power factor in the meter's own way, 0.500LI."""
    number, letters = text, text[-2:].upper()
    if quantity is Quantity.ANGLE and letters in _LETTERS:
        number = text[:-2]
    try:
        value = float(number)
        if number is not text:
            return phase_angle_deg(value, *_LETTERS[letters])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CalibrationError(f"{text!r} is not a number.")
    return value


# --- arguments --------------------------------------------------------------------------------------


def _phases(text: str) -> tuple[int, ...]:
    if text == "all":
        return PHASES
    if text in ("1", "2", "3"):
        return (int(text),)
    raise argparse.ArgumentTypeError(f"{text!r} is not 1, 2, 3 or all")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m house_client.calibrate",
        description="Show, set, find and keep the calibration of a meter. End the house client first.",
    )
    parser.add_argument(
        "--meter", "--serial", required=True, metavar="PORT", help="its serial port, as /dev/ttyACM0"
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    averaging, saving = _averaging(), _saving()
    actions.add_parser("show", help="all values")
    actions.add_parser("measure", parents=[averaging], help="what the meter reads, averaged")
    setting = actions.add_parser("set", parents=[saving], help="set values")
    setting.add_argument("pairs", nargs="+", metavar="NAME VALUE", help="such as V1G 1003500")
    for quantity, truths, word in (
        (Quantity.VOLTAGE, ("LOW", "HIGH"), "gain and offset by two voltages"),
        (Quantity.CURRENT, ("LOW", "HIGH"), "gain and offset by two currents"),
        (Quantity.ANGLE, ("ANGLE",), "by a known angle, or power factor as 0.500LI"),
    ):
        finding = actions.add_parser(quantity.value, parents=[averaging, saving], help=word)
        _add_point_arguments(finding, truths)
        if quantity is not Quantity.VOLTAGE:
            finding.add_argument(
                "--side", choices=[side.value for side in Side], default=Side.TIE.value,
                help="where the current flows (default: the tie)",
            )  # fmt: skip
    clock = actions.add_parser("clock", parents=[saving], help="by this computer's clock")
    clock.add_argument("--seconds", type=positive, default=600, help="how long to listen (default 600)")
    actions.add_parser("save", help="have the meter keep what it has")
    actions.add_parser("record", help="all values into a file").add_argument("file", type=Path)
    restoring = actions.add_parser("restore", parents=[saving], help="all values from a file")
    restoring.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    if getattr(options, "settle", None) and not options.true:
        parser.error("--settle needs --true")
    return options


def _averaging() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(
        "--packets", type=positive, default=AVERAGED,
        help=f"packets, one a second, to average over (default {AVERAGED})",
    )  # fmt: skip
    return parent


def _saving() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    saving = parent.add_mutually_exclusive_group()
    saving.add_argument("--save", action="store_true", default=None, help="save in the meter without asking")
    saving.add_argument("--no-save", action="store_false", dest="save", help="do not save, nor ask")
    return parent


def _add_point_arguments(parser: argparse.ArgumentParser, truths: tuple[str, ...]) -> None:
    parser.add_argument("--phase", type=_phases, required=True, dest="phases", help="1, 2, 3 or all")
    parser.add_argument(
        "--true", nargs=len(truths), metavar=truths,
        help="what will be applied, instead of asking; one number, or one for each phase with commas",
    )  # fmt: skip
    parser.add_argument(
        "--settle", type=positive, metavar="PACKETS",
        help="with --true: go on after so many packets instead of waiting for Enter",
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None, ask: Ask = input) -> int:
    """Do what the arguments say; the exit code, with a sentence on stderr if it could not be done."""
    options = _arguments(arguments)
    try:
        port = open_port(options.meter)
    except (OSError, ValueError) as fault:
        print(
            f"Port {options.meter} cannot be used; end the house client, or choose another. ({fault})",
            file=sys.stderr,
        )
        return 1
    try:
        with port:
            Installer(Calibrator(SerialWire(port)), options, ask).run()
    except EOFError:
        print("Nobody answers; see --help for how to go without questions.", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nBroken off. What was set and not saved holds until the meter starts again.", file=sys.stderr)
    except (CalibrationError, WireError, OSError) as fault:
        print(in_words(fault), file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
