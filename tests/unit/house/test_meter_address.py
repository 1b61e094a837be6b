"""How a meter's address is written, and what is said of one that is none."""

import pytest

from house_client.bootstrap import _arguments
from house_client.meter_address import ModbusAddress, SerialPlace, TcpPlace, modbus_address
from house_client.settings_file import FILE_NAME, SettingsError, read_settings


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("modbus-tcp://192.168.1.50", ModbusAddress(TcpPlace("192.168.1.50", 502), 1)),
        ("modbus-tcp://meter.local:1502?unit=7", ModbusAddress(TcpPlace("meter.local", 1502), 7)),
        ("modbus-tcp://[fe80::1]/?generator=247", ModbusAddress(TcpPlace("fe80::1", 502), 1, 247)),
        ("modbus-rtu:///dev/ttyUSB0", ModbusAddress(SerialPlace("/dev/ttyUSB0", 9600, "none"), 1)),
        (
            "modbus-rtu:///dev/serial/by-id/usb-FTDI_RS485-if00?unit=3&generator=4&baud=19200&parity=even",
            ModbusAddress(SerialPlace("/dev/serial/by-id/usb-FTDI_RS485-if00", 19_200, "even"), 3, 4),
        ),
    ],
)
def test_an_address(text, address):
    assert modbus_address(text) == address


@pytest.mark.parametrize(
    "port", ["/dev/ttyUSB0", "COM3", "/dev/serial/by-id/usb-Arduino_Uno_1234", "", "modbus"]
)
def test_a_serial_port_is_no_address(port):
    assert modbus_address(port) is None


WRONG = [
    ("modbus-tcp://", "names no computer"),
    ("modbus-tcp:/host", "names no computer"),
    ("modbus-tcp://host/1", "nothing to go behind"),
    ("modbus-tcp://host:0", "its port is not a number from 1 to 65535"),
    ("modbus-tcp://host:70000", "its port is not a number"),
    ("modbus-tcp://host:port", "its port is not a number"),
    ("modbus-tcp://me@host", "mean nothing here"),
    ("modbus-tcp://host#1", "mean nothing here"),
    ("modbus-tcp://[::1", "Invalid IPv6"),
    ("modbus-tcp://host?unit=0", "its unit is not a number from 1 to 247"),
    ("modbus-tcp://host?unit=248", "its unit is not a number"),
    ("modbus-tcp://host?unit=", "its unit is not a number"),
    ("modbus-tcp://host?unit=²", "its unit is not a number"),
    ("modbus-tcp://host?unit", "bad query field"),
    ("modbus-tcp://host?generator=0", "its generator is not a number"),
    ("modbus-tcp://host?unit=2&generator=2", "a unit number of its own"),
    ("modbus-tcp://host?baud=9600", "'baud' means nothing here"),
    ("modbus-rtu://", "names no serial port"),
    ("modbus-rtu://dev/ttyUSB0", "names no serial port"),
    ("modbus-rtu:///dev/ttyUSB0?baud=115200", "its baud is not one of 2400, 4800, 9600, 19200, 38400"),
    ("modbus-rtu:///dev/ttyUSB0?parity=mark", "its parity is not none, even or odd"),
    ("modbus-udp://host", "begins neither with"),
    ("http://host", "begins neither with"),
]


@pytest.mark.parametrize(("text", "why"), WRONG)
def test_what_is_no_address_is_said_with_what_one_looks_like(text, why):
    with pytest.raises(ValueError, match="is no meter's address: ") as fault:
        modbus_address(text)
    said = str(fault.value)
    assert why in said
    assert said.endswith(
        "Write it like modbus-tcp://192.168.1.50?unit=1 or modbus-rtu:///dev/ttyUSB0?unit=1."
    )


def test_the_command_line_takes_one_and_refuses_what_is_none(capsys):
    assert _arguments(["--meter", "/dev/ttyUSB0"]).meter == "/dev/ttyUSB0"
    assert _arguments(["--serial", "modbus-tcp://meter"]).meter == "modbus-tcp://meter"
    with pytest.raises(SystemExit):
        _arguments(["--meter", "modbus-tcp://"])
    assert "'modbus-tcp://' is no meter's address: it names no computer." in capsys.readouterr().err


def test_a_settings_file_with_a_wrong_one_is_refused(tmp_path):
    (tmp_path / FILE_NAME).write_text('{"house": "B", "meter": "modbus-tcp://"}')
    with pytest.raises(SettingsError, match="it names no computer"):
        read_settings(tmp_path)
