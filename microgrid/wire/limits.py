"""The limits both wires hold every value to, and the constrained types that express them.

A meter reads one house of at most `MAX_CONNECTION_W`; its power limits leave room for twice that, so
that an overload is still measured, not refused.
"""

from typing import Annotated

from msgspec import Meta

from microgrid.sample import MeterFlag
from microgrid.terms import HOUSE_ID, MAX_CONNECTION_W, MAX_HOUSES, MAX_PRICE
from microgrid.units import SECONDS_PER_MINUTE

MAX_U32 = 2**32 - 1
MAX_S64 = 2**63 - 1  # what every database column and msgpack integer can hold
MAX_TIME_S = 253_402_300_799  # the last second of the year 9999
MAX_MINUTE = MAX_TIME_S // SECONDS_PER_MINUTE

MAX_VOLTAGE_V = 1000.0
MAX_CURRENT_A = 2000.0
MAX_FREQUENCY_HZ = 100.0
MAX_POWER_W = 2 * MAX_CONNECTION_W  # also var and VA
MAX_POOL_W = MAX_HOUSES * MAX_CONNECTION_W
ALL_FLAGS = sum(MeterFlag)

FIRMWARE_PATTERN = "[A-Za-z0-9._-]{1,16}"
MAX_REASON_CHARS = 120
MAX_TEXT_CHARS = 300

U32 = Annotated[int, Meta(ge=0, le=MAX_U32)]
PositiveU32 = Annotated[int, Meta(ge=1, le=MAX_U32)]
U63 = Annotated[int, Meta(ge=0, le=MAX_S64)]
S64 = Annotated[int, Meta(ge=-MAX_S64, le=MAX_S64)]
TimeS = Annotated[int, Meta(ge=0, le=MAX_TIME_S)]
TimeMs = Annotated[int, Meta(ge=0, le=MAX_TIME_S * 1000)]
Minute = Annotated[int, Meta(ge=0, le=MAX_MINUTE)]
Revision = Annotated[int, Meta(ge=0, le=2**31 - 1)]
SecondsOfMinute = Annotated[int, Meta(ge=0, le=SECONDS_PER_MINUTE)]
Power = Annotated[int, Meta(ge=-MAX_POWER_W, le=MAX_POWER_W)]
ConnectionW = Annotated[int, Meta(ge=1, le=MAX_CONNECTION_W)]
TargetW = Annotated[int, Meta(ge=0, le=MAX_CONNECTION_W)]
PoolW = Annotated[int, Meta(ge=-MAX_POOL_W, le=MAX_POOL_W)]
Price = Annotated[int, Meta(ge=0, le=MAX_PRICE)]
Voltage = Annotated[float, Meta(ge=0, le=MAX_VOLTAGE_V)]
Current = Annotated[float, Meta(ge=0, le=MAX_CURRENT_A)]
PowerFactor = Annotated[float, Meta(ge=0, le=1)]
Frequency = Annotated[float, Meta(ge=0, le=MAX_FREQUENCY_HZ)]

# `\Z`, because `$` would let a line feed through at the end.
HouseId = Annotated[str, Meta(pattern=rf"^{HOUSE_ID.pattern}\Z")]
Firmware = Annotated[str, Meta(pattern=rf"^{FIRMWARE_PATTERN}\Z")]
Zone = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}\Z")]
Code = Annotated[str, Meta(pattern=r"^[a-z_]{1,40}\Z")]
Month = Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])\Z")]
WishField = Annotated[str, Meta(pattern=r"^[a-z_]{0,40}\Z")]
_PRINTABLE = r"^[^\x00-\x1f\x7f]*\Z"
Name = Annotated[str, Meta(pattern=_PRINTABLE, max_length=64)]
Reason = Annotated[str, Meta(pattern=_PRINTABLE, max_length=MAX_REASON_CHARS)]
Text = Annotated[str, Meta(pattern=_PRINTABLE, max_length=MAX_TEXT_CHARS)]
