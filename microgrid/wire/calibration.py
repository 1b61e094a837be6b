"""Calibration lines of the meter's serial port: what is asked, set and saved, and what the meter answers.

They come from the installer's tool only; the house client never sends one. In docs/protocol.md, 1.
"""

import re
from typing import NamedTuple

import msgspec

from microgrid.sample import Sample
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.serial import Lines, checksum, decode_packet, lines_from_meter, text_from_meter

_KIND = b"CAL,"
_VALUE = re.compile(rb"([A-Z0-9]{3}),(0|-?[1-9]\d{0,9})")
_REFUSED = re.compile(rb"([A-Z0-9]{3}),REFUSED")


class Item(NamedTuple):
    """One value of the calibration block: its name in a line, its limits, and what it is for a person."""

    name: str
    low: int
    high: int
    nominal: int  # as a meter has it that was never calibrated
    unit: str
    meaning: str


def _gain(name: str, what: str) -> Item:
    return Item(name, 500_000, 2_000_000, 1_000_000, "ppm", f"gain, {what}")


def _offset(name: str, what: str, unit: str, limit: int) -> Item:
    return Item(name, -limit, limit, 0, unit, f"offset, {what}")


def _angle(name: str, what: str) -> Item:
    return Item(name, -20_000, 20_000, 0, "m°", f"angle, {what}")


def _phases(letter: str) -> list[tuple[str, str]]:
    what = {"V": "voltage", "I": "current of the tie", "G": "current of the generator"}[letter]
    return [(f"{letter}{phase}", f"{what}, phase {phase}") for phase in (1, 2, 3)]


_CURRENTS = _phases("I") + _phases("G")

ITEMS: dict[str, Item] = {
    item.name: item
    for item in (
        *(_gain(name + "G", what) for name, what in _phases("V")),
        *(_offset(name + "O", what, "mV", 20_000) for name, what in _phases("V")),
        *(_gain(name + "G", what) for name, what in _CURRENTS),
        *(_offset(name + "O", what, "mA", 1_000) for name, what in _CURRENTS),
        *(_angle(name + "A", what) for name, what in _CURRENTS),
        Item("BGU", 900_000, 1_300_000, 1_100_000, "µV", "the ATmega's own reference (bandgap)"),
        Item("CLK", -20_000, 20_000, 0, "ppm", "by which the board's clock is fast"),
        Item("DIO", 0, 2_000, 0, "mV", "drop of the rectifiers: 0 active, 1400 diode bridges"),
        Item("SNR", 0, 65_535, 0, "", "serial number of the meter"),
    )
}
"""Every value by its name, in the order of the firmware's block."""


class Value(msgspec.Struct, frozen=True):
    """The meter says what a value is now, because it was asked or because it was set."""

    name: str
    value: int


class Refused(msgspec.Struct, frozen=True):
    """The meter does not take the value; what it had stands."""

    name: str


class Saved(msgspec.Struct, frozen=True):
    """All values are in the meter's EEPROM."""


Reply = Value | Refused | Saved


def encode_get(name: str) -> bytes:
    """The line that asks for a value; WireError if there is none of this name."""
    return _line(_item(name).name)


def encode_set(name: str, value: int) -> bytes:
    """The line that sets a value; WireError if there is none of this name, or it is out of its limits."""
    check_value(name, value)
    return _line(f"{name},{value}")


def encode_save() -> bytes:
    """The line that has the meter write all values to its EEPROM."""
    return _line("SAVE")


def check_value(name: str, value: int) -> None:
    """WireError if there is no value of this name, or it is out of its limits."""
    item = _item(name)
    if not item.low <= value <= item.high:
        limits = f"{item.low} and {item.high} {item.unit}".rstrip()
        raise WireError(WireCode.BAD_FIELD, f"The meter's {name}: {value} is not between {limits}.")


def decode_reply(line: bytes) -> Reply:
    """The answer in one line without its end; WireError says what is wrong with it."""
    text = text_from_meter(line)
    body = text.removeprefix(_KIND)
    if body == text:
        raise WireError(WireCode.NOT_A_PACKET, "A line from the meter is not a 'CAL' answer.")
    if body == b"SAVED":
        return Saved()
    if refused := _REFUSED.fullmatch(body):
        return Refused(_item(refused[1].decode()).name)
    if value := _VALUE.fullmatch(body):
        return Value(_item(value[1].decode()).name, int(value[2]))
    raise WireError(WireCode.BAD_FIELD, "A 'CAL' answer from the meter is not written as it must be.")


class MeterReader:
    """The installer's end of the serial line: bytes in, samples, answers and named faults out."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, data: bytes) -> list[Sample | Reply | WireError]:
        """What these bytes complete, in order, and a WireError for what was neither packet nor answer."""
        return lines_from_meter(self._lines, data, _decode)


def _decode(line: bytes) -> Sample | Reply:
    return decode_reply(line) if line.startswith(b"$" + _KIND) else decode_packet(line)


def _item(name: str) -> Item:
    if item := ITEMS.get(name):
        return item
    raise WireError(WireCode.BAD_FIELD, f"The meter has no value {name[:8]!a}.")


def _line(text: str) -> bytes:
    line = _KIND + text.encode("ascii")
    return b"%b*%b\r\n" % (line, checksum(line))
