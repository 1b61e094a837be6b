"""Where a house's meter is: a serial port's name, or the address of a meter that speaks Modbus."""

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

TCP, RTU = "modbus-tcp", "modbus-rtu"
EXAMPLES = "modbus-tcp://192.168.1.50?unit=1 or modbus-rtu:///dev/ttyUSB0?unit=1"
TCP_PORT = 502
BAUDS = (2400, 4800, 9600, 19_200, 38_400)
DEFAULT_BAUD = 9600
PARITIES = ("none", "even", "odd")
MAX_UNIT = 247


@dataclass(frozen=True, slots=True)
class TcpPlace:
    """A meter's network port, or a gateway's with meters behind it."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SerialPlace:
    """A serial line with meters on it: 8 data bits, 1 stop bit."""

    device: str
    baud: int
    parity: str  # one of PARITIES

    def __str__(self) -> str:
        return self.device


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """A meter by its unit number (1 … 247) on a line, and that of the generator's meter if it has one."""

    place: TcpPlace | SerialPlace
    unit: int
    generator: int | None = None


def modbus_address(text: str) -> ModbusAddress | None:
    """The address of a Modbus meter; None: the text names a serial port, where a meter speaks by itself.

    ValueError in words if it is written like an address and is none.
    """
    if "://" not in text and not text.startswith(("modbus-", "modbus:")):
        return None
    try:
        return _parsed(text)
    except ValueError as fault:
        raise ValueError(f"{text!r} is no meter's address: {fault}. Write it like {EXAMPLES}.") from fault


def _parsed(text: str) -> ModbusAddress:
    parts = urlsplit(text)
    given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    if parts.fragment or parts.username is not None:
        raise ValueError("it has parts that mean nothing here")
    place: TcpPlace | SerialPlace
    match parts.scheme:
        case "modbus-tcp":
            place = _tcp(parts)
        case "modbus-rtu":
            place = _serial(parts, given)
        case _:
            raise ValueError(f"it begins neither with {TCP}:// nor with {RTU}://")
    unit = _number(given.pop("unit", "1"), "unit", range(1, MAX_UNIT + 1))
    generator = None
    if "generator" in given:
        generator = _number(given.pop("generator"), "generator", range(1, MAX_UNIT + 1))
        if generator == unit:
            raise ValueError("the generator's meter has a unit number of its own")
    if given:
        raise ValueError(f"{next(iter(given))!r} means nothing here")
    return ModbusAddress(place, unit, generator)


def _tcp(parts: SplitResult) -> TcpPlace:
    if not parts.hostname:
        raise ValueError("it names no computer")
    if parts.path not in ("", "/"):
        raise ValueError("there is nothing to go behind the computer's name but ?unit=")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("its port is not a number from 1 to 65535")
    return TcpPlace(parts.hostname, TCP_PORT if port is None else port)


def _serial(parts: SplitResult, given: dict[str, str]) -> SerialPlace:
    if parts.netloc or len(parts.path) < 2:
        raise ValueError("it names no serial port, which comes after three strokes")
    baud = _number(given.pop("baud", str(DEFAULT_BAUD)), "baud", BAUDS)
    parity = given.pop("parity", PARITIES[0])
    if parity not in PARITIES:
        raise ValueError("its parity is not none, even or odd")
    return SerialPlace(parts.path, baud, parity)


def _number(text: str, name: str, among: range | tuple[int, ...]) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) in among):
        words = (
            "a number from 1 to 247" if isinstance(among, range) else "one of " + ", ".join(map(str, among))
        )
        raise ValueError(f"its {name} is not {words}")
    return int(text)
