"""Setting up a house: which ports there are, whether a meter or the central answers, each in a sentence.

What is not as it should be is `Refused`, in words for who stands at the kiosk.
"""

import asyncio
import errno
import socket

from house_client.household import Refused
from house_client.meter import MeterFault
from house_client.meter_choice import hear_once
from house_client.meter_port import list_ports
from house_client.settings_file import address_text
from microgrid.sample import Sample
from microgrid.wire import messages as wire
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.lan import HouseConnection

LISTEN_S = 4.0  # a meter sends a packet a second
KNOCK_S = 5.0
_BUSY = (errno.EAGAIN, errno.EBUSY)


def serial_ports() -> tuple[tuple[str, str], ...]:
    """The serial ports there are now: the name to open each by, and what people know it by."""
    return tuple(
        (port.device, f"{port.product} ({port.name})" if port.product else port.name) for port in list_ports()
    )


def listen_once(port: str, seconds: float = LISTEN_S) -> str:
    """Listen on a port for a meter, for at most so long: for a thread of its own.

    For a port that this program does not use itself; for that one see `own_port`.
    """
    try:
        sample = hear_once(port, seconds)
    except MeterFault as fault:
        raise Refused(str(fault)) from fault
    except (OSError, ValueError) as fault:
        raise Refused(_port_words(port, fault)) from fault
    if sample is None:
        raise Refused(
            f"Port {port} is open, but no meter is heard on it. See that the meter has power and its cable"
            " is in, or choose another port."
        )
    return meter_words(port, sample)


def own_port(port: str, sample: Sample | None) -> str:
    """The answer for the port this program listens on itself; `sample` None: nothing is heard there now."""
    if sample is None:
        raise Refused(
            f"This program listens at {port} already, and no meter is heard. See that the meter has"
            " power and its cable is in, or choose another port."
        )
    return meter_words(port, sample)


def meter_words(port: str, sample: Sample) -> str:
    """That a meter is heard, and enough of what it says to know it by."""
    live = [voltage for voltage in sample.voltage_v if voltage > 0]
    measured = f"{sum(live) / len(live):.0f} V, {sample.frequency_hz:.1f} Hz" if live else "no voltage"
    return f"A meter answers at {port}: firmware {sample.firmware}, {measured}."


def _port_words(port: str, fault: Exception) -> str:
    number = getattr(fault, "errno", None)
    if number in _BUSY:
        return f"Port {port} is in use by another program; end that one or choose another port."
    if number == errno.ENOENT:
        return f"There is no port {port}; plug the meter in or choose another port."
    if number in (errno.EACCES, errno.EPERM):
        return f"This program may not use port {port}, or another one does; ask who set this computer up."
    return f"Port {port} cannot be used as a serial port; choose another one."


async def knock(house: str, address: tuple[str, int], timeout_s: float = KNOCK_S) -> str:
    """Ask the central at this address whether it knows the house, and leave again.

    A link of this house that stands is not disturbed: the central says that it is linked already.
    """
    place = address_text(address)
    try:
        async with asyncio.timeout(timeout_s):
            answer = await _greet(house, address)
    except socket.gaierror as fault:
        raise Refused(f"Nothing is known by the name {address[0]}; check the central's address.") from fault
    except UnicodeError as fault:
        raise Refused(f"{address[0]!r} cannot be the name of a computer; check it.") from fault
    except ConnectionRefusedError as fault:
        raise Refused(
            f"A computer is there, but no central answers at {place}; check the port's number, or start"
            " the central."
        ) from fault
    except (WireError, ConnectionError) as fault:
        raise Refused(f"Something answers at {place}, but it is not a central; check the address.") from fault
    except (TimeoutError, OSError) as fault:
        raise Refused(
            f"Nobody answers at {place}; check the address, and that the network cable is in."
        ) from fault
    return _answer_words(house, place, answer)


async def _greet(house: str, address: tuple[str, int]) -> wire.Welcome | wire.Refused:
    """Say hello and wait for the answer; WireError if it is not a central's."""
    connection = HouseConnection()
    reader, writer = await asyncio.open_connection(*address)
    try:
        hello = wire.Hello(
            house=house,
            protocol_min=wire.PROTOCOL_MIN,
            protocol_max=wire.PROTOCOL_MAX,
            software="set-up",
        )
        writer.write(connection.send(hello))
        while data := await reader.read(4096):
            for message in connection.receive_data(data):
                if isinstance(message, wire.Welcome | wire.Refused):
                    return message
    finally:
        writer.close()
    raise WireError(WireCode.CLOSED, "The other end hung up without an answer.")


def _answer_words(house: str, place: str, answer: wire.Welcome | wire.Refused) -> str:
    if isinstance(answer, wire.Welcome):
        known = house if answer.name == house else f"{house}, {answer.name}"
        return f"The central at {place} answers and knows this house: {known}."
    if answer.code == WireCode.DUPLICATE_HOUSE:
        return f"The central at {place} answers and knows house {house}, which is linked already."
    if answer.code == WireCode.UNKNOWN_HOUSE:
        raise Refused(
            f"The central at {place} answers, but does not know house {house}; check the house ID, or ask"
            " the operator to enter the house."
        )
    raise Refused(f"The central at {place} answers, but refuses: {answer.text}")
