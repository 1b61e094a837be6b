"""The meter's serial line: packets from the meter, commands to it. Plain ASCII, one a line (4.4).

What an ATmega can print: fixed decimals, no exponent, no padding. A number has exactly one spelling, so a
packet that decodes encodes to the same bytes again. Field by field in docs/protocol.md.
"""

import re
from binascii import crc_hqx
from collections.abc import Callable, Sequence
from enum import StrEnum
from operator import le
from typing import Any, NamedTuple, TypeVar

import msgspec

from microgrid.sample import CommandState, MeterFlag, Sample
from microgrid.wire import limits as lim
from microgrid.wire.errors import WireCode, WireError

PACKET_VERSION = 1
MAX_LINE_BYTES = 512  # without the line feed; the longest possible packet has 254
MIN_PULSE_MS = 1
MAX_PULSE_MS = 60_000

T = TypeVar("T")

_HEAD = f"MTR,{PACKET_VERSION},"


class CommandKind(StrEnum):
    """Which of the two outputs of the meter is pulsed."""

    RAISE = "RAISE"
    LOWER = "LOWER"


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A pulse on the meter's RAISE or LOWER output; `command_id` comes back in its packets."""

    kind: CommandKind
    command_id: int  # 1 … 2^32 - 1
    width_ms: int  # MIN_PULSE_MS … MAX_PULSE_MS


class _Column(NamedTuple):
    """One column of a packet: how it is spelt, read, written and limited."""

    name: str
    pattern: str
    read: Callable[[bytes], Any]
    write: str
    low: float
    high: float


def _whole(name: str, low: int, high: int) -> _Column:
    sign = "-?" if low < 0 else ""
    return _Column(name, rf"(?:0|{sign}[1-9]\d{{0,{len(str(high)) - 1}}})", int, "%d", low, high)


def _fixed(name: str, decimals: int, high: float) -> _Column:
    pattern = rf"(?:0|[1-9]\d{{0,{len(str(int(high))) - 1}}})\.\d{{{decimals}}}"
    return _Column(name, pattern, float, f"%.{decimals}f", 0, high)


def _power_factor(name: str) -> _Column:
    return _Column(name, r"(?:0\.\d{3}|1\.000)[LC][EI]", lambda text: float(text[:-2]), "%.3f%s", 0, 1)


def _contact(name: str) -> _Column:
    return _Column(name, "[01]", b"1".__eq__, "%d", 0, 1)


_POWER = lim.MAX_POWER_W
_PHASES = ("1", "2", "3")
_COLUMNS = (
    _whole("boot id", 0, lim.MAX_U32),
    _whole("uptime", 0, lim.MAX_S64),
    _whole("sequence", 0, lim.MAX_U32),
    *(_fixed(f"voltage {phase}", 2, lim.MAX_VOLTAGE_V) for phase in _PHASES),
    *(_fixed(f"current {phase}", 3, lim.MAX_CURRENT_A) for phase in _PHASES),
    *(_power_factor(f"power factor {phase}") for phase in _PHASES),
    _fixed("frequency", 3, lim.MAX_FREQUENCY_HZ),
    _whole("generator active power", -_POWER, _POWER),
    _whole("generator reactive power", -_POWER, _POWER),
    _whole("generator apparent power", 0, _POWER),
    _whole("exchanged active power", -_POWER, _POWER),
    _whole("exchanged reactive power", -_POWER, _POWER),
    _whole("import counter", 0, lim.MAX_U32),
    _whole("export counter", 0, lim.MAX_U32),
    _whole("generation counter", 0, lim.MAX_U32),
    _contact("generator breaker"),
    _contact("grid breaker"),
    _Column("flags", "[0-9A-F]{4}", lambda text: int(text, 16), "%04X", 0, lim.ALL_FLAGS),
    _whole("command id", 0, lim.MAX_U32),
    _whole("command state", 0, max(CommandState)),
)
_READERS = [column.read for column in _COLUMNS]
_LOWS = [column.low for column in _COLUMNS]
_HIGHS = [column.high for column in _COLUMNS]
_FIRMWARE_NAME = "firmware version"
_FIRMWARE = re.compile(lim.FIRMWARE_PATTERN)
_SPELLING = [*((column.name, column.pattern) for column in _COLUMNS), (_FIRMWARE_NAME, lim.FIRMWARE_PATTERN)]
_PACKET = re.compile(",".join(f"({pattern})" for _, pattern in _SPELLING).encode())
_FORMAT = _HEAD + ",".join([*(column.write for column in _COLUMNS), "%s"])
_STATES = tuple(CommandState)
_COMMAND = re.compile(
    rb"(RAISE|LOWER),(%b),(%b)"
    % (_whole("", 0, lim.MAX_U32).pattern.encode(), _whole("", 0, MAX_PULSE_MS).pattern.encode())
)


def checksum(text: bytes) -> bytes:
    """CRC-16/CCITT-FALSE as four hex digits."""
    return b"%04X" % crc_hqx(text, 0xFFFF)


def text_from_meter(line: bytes) -> bytes:
    """What stands between '$' and '*' in a line without its end; WireError says what is wrong with it."""
    text, star, received = line[1:].rpartition(b"*")
    if line[:1] != b"$":
        raise WireError(WireCode.NOT_A_PACKET, "A line from the meter does not begin with '$'.")
    if not star:
        raise WireError(WireCode.NO_CHECKSUM, "A packet from the meter has no checksum; it was cut short.")
    if received != checksum(text):
        raise WireError(WireCode.BAD_CHECKSUM, "A packet from the meter has a wrong checksum.")
    return text


# --- packets ----------------------------------------------------------------------------------------


def encode_packet(sample: Sample) -> bytes:
    """A sample as the meter sends it, rounded to the packet's decimals; WireError names a bad field."""
    start = (sample.boot_id, sample.uptime_ms, sample.sequence)
    rest = (
        sample.generator_p_w, sample.generator_q_var, sample.generator_s_va,
        sample.exchange_p_w, sample.exchange_q_var,
        sample.import_counter_ws, sample.export_counter_ws, sample.generation_counter_ws,
        sample.generator_breaker_closed, sample.grid_breaker_closed,
        sample.flags, sample.command_id, sample.command_state,
    )  # fmt: skip
    factors = sample.power_factor
    measured = (*sample.voltage_v, *sample.current_a)
    _check_limits((*start, *measured, *factors, sample.frequency_hz, *rest))
    if not _FIRMWARE.fullmatch(sample.firmware):
        raise _bad_field(_FIRMWARE_NAME, f"{sample.firmware[:20]!a} is not written as it must be")
    letters = [
        ("C" if leading else "L") + ("E" if exporting else "I")
        for leading, exporting in zip(sample.leading, sample.exporting, strict=True)
    ]
    # abs() makes a plain zero of a minus zero; nothing here is negative otherwise.
    text = _FORMAT % (
        *start, *map(abs, measured),
        abs(factors[0]), letters[0], abs(factors[1]), letters[1], abs(factors[2]), letters[2],
        abs(sample.frequency_hz), *rest, sample.firmware,
    )  # fmt: skip
    packet = text.encode("ascii")
    return b"$%b*%b\r\n" % (packet, checksum(packet))


def decode_packet(line: bytes) -> Sample:
    """The sample in one line without its end; WireError says what is wrong with it."""
    text = text_from_meter(line)
    head, body = text[: len(_HEAD)], text[len(_HEAD) :]
    if head != _HEAD.encode():
        raise _wrong_head(text)
    match = _PACKET.fullmatch(body)
    if match is None:
        raise _misspelt(body)
    return _sample(match.groups())


def at_resolution(sample: Sample) -> Sample:
    """The sample rounded to what a packet carries; WireError as `encode_packet`."""
    return decode_packet(encode_packet(sample)[:-2])


def _sample(texts: tuple[bytes, ...]) -> Sample:
    v = [read(text) for read, text in zip(_READERS, texts, strict=False)]  # all but the firmware version
    _check_limits(v)
    return Sample(
        boot_id=v[0],
        uptime_ms=v[1],
        sequence=v[2],
        voltage_v=(v[3], v[4], v[5]),
        current_a=(v[6], v[7], v[8]),
        power_factor=(v[9], v[10], v[11]),
        leading=(_leads(texts[9]), _leads(texts[10]), _leads(texts[11])),
        exporting=(_exports(texts[9]), _exports(texts[10]), _exports(texts[11])),
        frequency_hz=v[12],
        generator_p_w=v[13],
        generator_q_var=v[14],
        generator_s_va=v[15],
        exchange_p_w=v[16],
        exchange_q_var=v[17],
        import_counter_ws=v[18],
        export_counter_ws=v[19],
        generation_counter_ws=v[20],
        generator_breaker_closed=v[21],
        grid_breaker_closed=v[22],
        flags=MeterFlag(v[23]),
        command_id=v[24],
        command_state=_STATES[v[25]],
        firmware=texts[26].decode("ascii"),
    )


def _leads(power_factor: bytes) -> bool:
    return power_factor[-2:-1] == b"C"


def _exports(power_factor: bytes) -> bool:
    return power_factor.endswith(b"E")


def _check_limits(values: Sequence[float]) -> None:
    if all(map(le, _LOWS, values)) and all(map(le, values, _HIGHS)):
        return
    for column, value in zip(_COLUMNS, values, strict=True):
        if not column.low <= value <= column.high:  # so written that NaN is refused too
            limits = f"{column.low:.0f} and {column.high:.0f}"
            raise _bad_field(column.name, f"{value} is not between {limits}")


def _wrong_head(text: bytes) -> WireError:
    kind, _, rest = text.partition(b",")
    if kind != b"MTR":
        return WireError(WireCode.NOT_A_PACKET, "A line from the meter is not a 'MTR' packet.")
    version = ascii(rest.partition(b",")[0][:8].decode("latin-1"))
    return WireError(
        WireCode.VERSION,
        f"The meter sends packets of version {version}, this program reads version {PACKET_VERSION}.",
    )


def _misspelt(body: bytes) -> WireError:
    texts = body.split(b",")
    if len(texts) != len(_SPELLING):
        return WireError(
            WireCode.FIELD_COUNT, f"A packet from the meter has {len(texts)} fields, not {len(_SPELLING)}."
        )
    name, text = next(
        (name, text)
        for (name, pattern), text in zip(_SPELLING, texts, strict=True)
        if not re.fullmatch(pattern.encode(), text)
    )
    return _bad_field(name, f"{text[:24].decode('latin-1')!a} is not written as it must be")


def _bad_field(name: str, what: str) -> WireError:
    return WireError(WireCode.BAD_FIELD, f"The meter's {name}: {what}.")


# --- commands ---------------------------------------------------------------------------------------


def encode_command(command: Command) -> bytes:
    """A command as the house sends it to the meter; WireError if id or width is out of its limits."""
    _check_command(command)
    text = f"{command.kind.value},{command.command_id},{command.width_ms}".encode("ascii")
    return b"%b*%b\r\n" % (text, checksum(text))


def decode_command(line: bytes) -> Command:
    """The command in one line without its end; WireError says what is wrong with it."""
    text, star, received = line.rpartition(b"*")
    if not star:
        raise WireError(WireCode.NO_CHECKSUM, "A command to the meter has no checksum; it was cut short.")
    if received != checksum(text):
        raise WireError(WireCode.BAD_CHECKSUM, "A command to the meter has a wrong checksum.")
    match = _COMMAND.fullmatch(text)
    if match is None:
        raise WireError(WireCode.NOT_A_COMMAND, "A line to the meter is not RAISE or LOWER, id, width.")
    kind, command_id, width_ms = match.groups()
    command = Command(kind=CommandKind(kind.decode()), command_id=int(command_id), width_ms=int(width_ms))
    _check_command(command)
    return command


def _check_command(command: Command) -> None:
    if not 1 <= command.command_id <= lim.MAX_U32:
        raise _bad_field("command id", f"{command.command_id} is not between 1 and {lim.MAX_U32}")
    if not MIN_PULSE_MS <= command.width_ms <= MAX_PULSE_MS:
        raise _bad_field("pulse", f"{command.width_ms} ms is not between {MIN_PULSE_MS} and {MAX_PULSE_MS}")


# --- lines ------------------------------------------------------------------------------------------


class Lines:
    """Cuts bytes that come in any pieces into lines; keeps at most one line of `MAX_LINE_BYTES`."""

    def __init__(self) -> None:
        self._partial = b""
        self._skipping = False  # inside a line already reported as overlong

    def feed(self, data: bytes) -> list[bytes | WireError]:
        """The lines these bytes complete, without their ends; empty ones are dropped."""
        *whole, partial = (self._partial + data).split(b"\n")
        lines: list[bytes | WireError] = []
        for line in whole:
            self._take(line, lines)
            self._skipping = False
        self._partial = partial
        if len(partial) > MAX_LINE_BYTES:
            self._take(partial, lines)
            self._partial, self._skipping = b"", True
        return lines

    def _take(self, line: bytes, lines: list[bytes | WireError]) -> None:
        if self._skipping:
            return
        if len(line) > MAX_LINE_BYTES:
            text = f"A line on the meter's serial port is longer than {MAX_LINE_BYTES} bytes; it is skipped."
            lines.append(WireError(WireCode.OVERLONG_LINE, text))
        elif stripped := line.removesuffix(b"\r"):
            lines.append(stripped)


def lines_from_meter(lines: Lines, data: bytes, decode: Callable[[bytes], T]) -> list[T | WireError]:
    """What these bytes from the meter complete, in order, and a WireError for what was none."""
    found: list[T | WireError] = []
    for line in lines.feed(data):
        if isinstance(line, WireError):
            found.append(line)
            continue
        # A meter that restarts breaks off inside a line: what begins anew after that is whole.
        start = max(line.rfind(b"$"), 0)
        try:
            if start:
                text = f"{start} bytes before a packet from the meter were skipped."
                found.append(WireError(WireCode.NOT_A_PACKET, text))
            found.append(decode(line[start:]))
        except WireError as fault:
            found.append(fault)
    return found


class PacketReader:
    """The house's end of the serial line: bytes in any pieces in, samples and named faults out."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, data: bytes) -> list[Sample | WireError]:
        """The samples these bytes complete, in order, and a WireError for what was none."""
        return lines_from_meter(self._lines, data, decode_packet)


class CommandReader:
    """The meter's end of the serial line: bytes in any pieces in, commands and named faults out."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, data: bytes) -> list[Command | WireError]:
        """The commands these bytes complete, in order, and a WireError for what was none."""
        found: list[Command | WireError] = []
        for line in self._lines.feed(data):
            if isinstance(line, WireError):
                found.append(line)
                continue
            try:
                found.append(decode_command(line))
            except WireError as fault:
                found.append(fault)
        return found
