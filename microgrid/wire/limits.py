"""The limits both wires hold every value to, and the constrained types that express them.

A meter reads one house of at most `MAX_CONNECTION_W`; its power limits leave room for twice that, so
that an overload is still measured, not refused.
"""

import re
from typing import Annotated

from msgspec import Meta

from microgrid.sample import MeterFlag
from microgrid.terms import FOREVER, HOUSE_ID, MAX_CONNECTION_W, MAX_HOUSES, MAX_PRICE
from microgrid.units import MINUTES_PER_DAY, SECONDS_PER_MINUTE

MAX_U32 = 2**32 - 1
MAX_S64 = 2**63 - 1  # what every database column and msgpack integer can hold
# The last second of the year 9998: one year short of the calendar's end, so that every moment has a local
# time in every zone, and its month a next one.
MAX_TIME_S = 253_370_764_799
MAX_MINUTE = MAX_TIME_S // SECONDS_PER_MINUTE

MAX_VOLTAGE_V = 1000.0
MAX_CURRENT_A = 2000.0
MAX_FREQUENCY_HZ = 100.0
MAX_POWER_W = 2 * MAX_CONNECTION_W  # also var and VA
MAX_POOL_W = MAX_HOUSES * MAX_CONNECTION_W
ALL_FLAGS = sum(MeterFlag)

MAX_MONTH_MINUTES = 31 * MINUTES_PER_DAY + 120  # the longest month, with a clock put back
MAX_BILLED_ADJUSTMENTS = 90  # on one bill; so many fit a frame with the longest reasons

FIRMWARE_PATTERN = "[A-Za-z0-9._-]{1,16}"
MAX_NAME_CHARS = 80
MAX_REASON_CHARS = 120
MAX_TEXT_CHARS = 300
MAX_TOLD_CHARS = 600  # why an adjustment was made

U32 = Annotated[int, Meta(ge=0, le=MAX_U32)]
PositiveU32 = Annotated[int, Meta(ge=1, le=MAX_U32)]
U63 = Annotated[int, Meta(ge=0, le=MAX_S64)]
S64 = Annotated[int, Meta(ge=-MAX_S64, le=MAX_S64)]
TimeS = Annotated[int, Meta(ge=0, le=MAX_TIME_S)]
TimeMs = Annotated[int, Meta(ge=0, le=MAX_TIME_S * 1000)]
Minute = Annotated[int, Meta(ge=0, le=MAX_MINUTE)]
EndMinute = Annotated[int, Meta(ge=0, le=FOREVER)]
Revision = Annotated[int, Meta(ge=0, le=2**31 - 1)]
SecondsOfMinute = Annotated[int, Meta(ge=0, le=SECONDS_PER_MINUTE)]
Power = Annotated[int, Meta(ge=-MAX_POWER_W, le=MAX_POWER_W)]
ConnectionW = Annotated[int, Meta(ge=1, le=MAX_CONNECTION_W)]
TargetW = Annotated[int, Meta(ge=0, le=MAX_CONNECTION_W)]
PoolW = Annotated[int, Meta(ge=-MAX_POOL_W, le=MAX_POOL_W)]
Price = Annotated[int, Meta(ge=0, le=MAX_PRICE)]
WishPrice = Annotated[int, Meta(ge=-MAX_PRICE, le=10 * MAX_PRICE)]  # room for what is refused in words
PowerKw = Annotated[float, Meta(ge=-1e6, le=1e6)]  # as shown on a bill; never inf or nan
Voltage = Annotated[float, Meta(ge=0, le=MAX_VOLTAGE_V)]
Current = Annotated[float, Meta(ge=0, le=MAX_CURRENT_A)]
PowerFactor = Annotated[float, Meta(ge=0, le=1)]
Frequency = Annotated[float, Meta(ge=0, le=MAX_FREQUENCY_HZ)]

# `\Z`, because `$` would let a line feed through at the end.
HouseId = Annotated[str, Meta(pattern=rf"^{HOUSE_ID.pattern}\Z")]
Firmware = Annotated[str, Meta(pattern=rf"^{FIRMWARE_PATTERN}\Z")]
Zone = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}\Z")]
Code = Annotated[str, Meta(pattern=r"^[a-z_]{1,40}\Z")]
Month = Annotated[str, Meta(pattern=r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])\Z")]
WishField = Annotated[str, Meta(pattern=r"^[a-z_]{0,40}\Z")]
# Control characters, what breaks a line, what turns the direction of the text around it, and half characters.
_UNPRINTABLE = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_PRINTABLE = rf"^[^{_UNPRINTABLE}]*\Z"
Name = Annotated[str, Meta(pattern=_PRINTABLE, max_length=MAX_NAME_CHARS)]
Reason = Annotated[str, Meta(pattern=_PRINTABLE, max_length=MAX_REASON_CHARS)]
Text = Annotated[str, Meta(pattern=_PRINTABLE, max_length=MAX_TEXT_CHARS)]
Told = Annotated[str, Meta(pattern=_PRINTABLE, max_length=MAX_TOLD_CHARS)]


def printable(text: str, longest: int) -> str:
    """The text as it may travel: on one line, and cut with … where it is longer than `longest`."""
    line = re.sub(rf"[{_UNPRINTABLE}]+", " ", text)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
