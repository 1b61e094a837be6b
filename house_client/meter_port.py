"""The serial port of the meter: a thread that owns it, hears packets and carries commands."""

import contextlib
import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import serial
from serial.tools.list_ports import comports

from house_client.meter import Heard, StateChanged
from house_client.snapshot import MeterState
from microgrid.sample import Sample
from microgrid.wire.errors import WireError
from microgrid.wire.serial import Command, PacketReader, encode_command

BAUD = 115_200
READ_TIMEOUT_S = 1.0
REOPEN_S = 2.0
BY_ID = Path("/dev/serial/by-id")  # names that stay with a device, wherever it is plugged in

log = logging.getLogger(__name__)


class MeterPort:
    """Reads the meter until `stop`, opening the port again whenever it goes away (a `Meter`)."""

    has_outputs = True

    def __init__(self, device: str, heard: Heard, changed: StateChanged) -> None:
        self._device = device
        self._heard = heard
        self._changed = changed
        self._port: serial.Serial | None = None
        self._stopping = threading.Event()
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"meter {device}")

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def wait_open(self, timeout_s: float) -> bool:
        """Whether the port was opened within this time; what was sent before is not heard."""
        return self._opened.wait(timeout_s)

    def send(self, command: Command) -> bool:
        """Send a command to the meter; False if there is no port to send it through."""
        port = self._port
        if port is None:
            return False
        try:
            port.write(encode_command(command))
        except (serial.SerialException, OSError, TypeError):  # TypeError: closed under a write
            return False
        return True

    def stop(self) -> None:
        """Close the port and end the thread."""
        self._stopping.set()
        port = self._port
        if port is not None:
            with contextlib.suppress(serial.SerialException, OSError, TypeError):
                port.cancel_read()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._port = open_port(self._device)
            except (serial.SerialException, OSError, ValueError) as fault:
                self._say_missing(fault)
                self._stopping.wait(REOPEN_S)
                continue
            self._changed(MeterState.SILENT, f"Port {self._device} is open, but the meter is not heard.")
            self._opened.set()
            try:
                self._listen(self._port)
            except (serial.SerialException, OSError, TypeError) as fault:  # TypeError: closed under a read
                self._say_missing(fault)
            finally:
                port, self._port = self._port, None
                port.close()

    def _say_missing(self, fault: Exception) -> None:
        if not self._stopping.is_set():
            log.info("serial port %s: %s", self._device, fault)
            self._changed(
                MeterState.MISSING,
                f"Serial port {self._device} cannot be used; plug the meter in or choose another port.",
            )

    def _listen(self, port: serial.Serial) -> None:
        reader = PacketReader()
        silent = True
        while not self._stopping.is_set():
            data = port.read(1)
            data += port.read(port.in_waiting)
            received_ms = time.time_ns() // 1_000_000
            samples = []
            for packet in reader.feed(data):
                if isinstance(packet, WireError):
                    log.warning("meter packet dropped: %s", packet)
                else:
                    samples.append(packet)
            if samples:
                self._heard(received_ms, samples)
            if silent is bool(samples):
                silent = not samples
                sentence = f"Port {self._device} is open, but the meter is not heard." if silent else ""
                self._changed(MeterState.SILENT if silent else MeterState.HEARD, sentence)


@dataclass(frozen=True, slots=True)
class PortInfo:
    """A serial port there is: the name to open it by, the system's short name, and what is plugged in."""

    device: str
    name: str
    product: str  # empty: nothing is known of it
    usb: bool


def list_ports() -> list[PortInfo]:
    """The serial ports there are now, those of USB first, each group by name."""
    lasting = {link.resolve(): link for link in BY_ID.glob("*")}
    found = []
    for port in comports():
        device = Path(port.device)
        product = port.product or (port.description if port.description not in (None, "n/a") else "")
        maker = port.manufacturer or ""
        if product and maker and not product.startswith(maker):
            product = f"{maker} {product}"
        named = str(lasting.get(device.resolve(), device))
        found.append(PortInfo(named, device.name, product, port.vid is not None))
    return sorted(found, key=lambda port: (not port.usb, len(port.name), port.name))


def hear_once(device: str, seconds: float) -> Sample | None:
    """Open a port and wait so long for a packet; None if only something else, or nothing, was heard.

    OSError (pyserial's own is one) if the port cannot be used, ValueError if it is none.
    """
    reader, deadline = PacketReader(), time.monotonic() + seconds
    with open_port(device) as port:
        while (left_s := deadline - time.monotonic()) > 0:
            port.timeout = min(left_s, READ_TIMEOUT_S)
            data = port.read(1)
            for packet in reader.feed(data + port.read(port.in_waiting)):
                if isinstance(packet, Sample):
                    return packet
    return None


def open_port(device: str) -> serial.Serial:
    """Open the port for this program alone, without resetting an Arduino (no pulse on DTR)."""
    port = serial.Serial()
    port.port = device
    port.baudrate = BAUD
    port.timeout = READ_TIMEOUT_S
    port.write_timeout = READ_TIMEOUT_S
    port.exclusive = True
    port.dtr = False
    port.rts = False
    port.open()
    return port
