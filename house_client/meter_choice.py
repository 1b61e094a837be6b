"""Which kind of meter a house has: its address says it."""

from pathlib import Path

from house_client import meter_port
from house_client.meter import Heard, Meter, MeterFault, StateChanged
from house_client.meter_address import SerialPlace, TcpPlace, modbus_address
from house_client.meter_port import MeterPort
from house_client.modbus_meter import ModbusMeter, ask_once
from microgrid.sample import Sample


def meter_at(address: str, heard: Heard, changed: StateChanged) -> Meter:
    """The meter at this address, not started yet; ValueError if it is none."""
    modbus = modbus_address(address)
    if modbus is None:
        return MeterPort(address, heard, changed)
    return ModbusMeter(modbus, heard, changed)


def hear_once(address: str, seconds: float) -> Sample | None:
    """Listen for a meter for at most so long; None: the port is open and no meter is heard on it.

    OSError or ValueError if a port cannot be used; MeterFault, in words, if a Modbus meter cannot be read.
    """
    try:
        modbus = modbus_address(address)
    except ValueError as fault:
        raise MeterFault(str(fault)) from fault
    if modbus is None:
        return meter_port.hear_once(address, seconds)
    return ask_once(modbus, seconds)


def line_of(address: str) -> Path | TcpPlace:
    """The line a meter is on, which can be open but once: a serial port or a network port. ValueError."""
    modbus = modbus_address(address)
    if modbus is None:
        return Path(address).resolve()
    place = modbus.place
    return Path(place.device).resolve() if isinstance(place, SerialPlace) else place
