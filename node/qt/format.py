"""Numbers, quantities and times as people read them, by the locale (QLocale's default)."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from PySide6.QtCore import QCoreApplication, QDate, QLocale, QTime

from microgrid.units import MICROCOINS_PER_COIN, coins, kwh

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
_CONTEXT = "format"


class Quantity(NamedTuple):
    """A number as text and its unit."""

    number: str
    unit: str

    def __str__(self) -> str:
        return f"{self.number}{NO_BREAK}{self.unit}" if self.unit else self.number


def number(value: float, decimals: int, *, signed: bool = False) -> str:
    """The value with fixed decimals; `signed` writes + before a positive one. Zero has no sign."""
    locale = QLocale()
    rounded = round(value, decimals)
    text = locale.toString(float(abs(rounded)), "f", decimals)
    if rounded < 0:
        return MINUS + text
    return "+" + text if signed and rounded > 0 else text


def numbers(values: Iterable[float], decimals: int, *, signed: bool = False) -> list[str]:
    """`number` of every value, but fast enough for a day of minutes."""
    locale, listed = QLocale(), list(values)
    largest = max((abs(value) for value in listed), default=0.0)
    if locale.zeroDigit() != "0" or round(largest, decimals) >= 1000:  # own digits, or digits in groups
        return [number(value, decimals, signed=signed) for value in listed]
    pattern = f"%.{decimals}f"
    zero, plus = pattern % 0, "+" if signed else ""

    def sign(text: str) -> str:
        if text.lstrip("-") == zero:
            return zero
        return MINUS + text[1:] if text[0] == "-" else plus + text

    point = locale.decimalPoint()
    return [sign(pattern % value).replace(".", point) for value in listed]


def power(power_w: float, *, signed: bool = False) -> Quantity:
    """Active power in kW with two decimals."""
    return Quantity(number(power_w / 1000, 2, signed=signed), "kW")


def energy(energy_ws: int, *, signed: bool = False, decimals: int = 1) -> Quantity:
    """Energy in kWh with one decimal; a minute's needs more."""
    return Quantity(number(kwh(energy_ws), decimals, signed=signed), "kWh")


def price(price_microcoins: float, *, decimals: int = 2) -> Quantity:
    """A price in coins per kWh with two decimals; a proof multiplies by it and needs more."""
    unit = QCoreApplication.translate(_CONTEXT, "coins/kWh")
    return Quantity(number(price_microcoins / MICROCOINS_PER_COIN, decimals), unit)


def money(amount_microcoins: int, *, signed: bool = False, decimals: int = 2) -> Quantity:
    """An amount in coins with two decimals; with six it is exact."""
    unit = QCoreApplication.translate(_CONTEXT, "coins")
    return Quantity(number(coins(amount_microcoins), decimals, signed=signed), unit)


def month_name(month: str) -> str:
    """A month given as YYYY-MM in words, such as December 2024."""
    year, number = month.split("-")
    return f"{QLocale().standaloneMonthName(int(number))} {year}"


def clock(now_s: float, zone: str) -> str:
    """The time of day in this zone, with the zone's short name, such as 14:05:09 PKT."""
    moment = datetime.fromtimestamp(now_s, ZoneInfo(zone))
    time = QLocale().toString(QTime(moment.hour, moment.minute, moment.second), "HH:mm:ss")
    return f"{time} {_zone_name(moment)}"


def date(now_s: float, zone: str) -> str:
    """The day in this zone, such as 3 Nov 2025."""
    moment = datetime.fromtimestamp(now_s, ZoneInfo(zone))
    return QLocale().toString(QDate(moment.year, moment.month, moment.day), "d MMM yyyy")


def moment(now_s: float, zone: str) -> str:
    """Day, minute and zone, such as 3 Nov 2025, 14:05 PKT; 0 is what was there from the start."""
    if now_s == 0:
        return QCoreApplication.translate(_CONTEXT, "the beginning")
    local = datetime.fromtimestamp(now_s, ZoneInfo(zone))
    return f"{date(now_s, zone)}, {time_of_day(now_s, zone)} {_zone_name(local)}"


def time_of_day(now_s: float, zone: str) -> str:
    """The minute of the day in this zone, such as 14:05; only where the zone stands beside it."""
    local = datetime.fromtimestamp(now_s, ZoneInfo(zone))
    return QLocale().toString(QTime(local.hour, local.minute), "HH:mm")


def zone_name(now_s: float, zone: str) -> str:
    """What the zone's clock is called at this moment, such as PKT or CEST."""
    return _zone_name(datetime.fromtimestamp(now_s, ZoneInfo(zone)))


def duration(seconds: float, *, brief: bool = False) -> str:
    """A length of time in its two largest units, such as 45 s, 2 min 10 s or 3 h 05 min; `brief`: in one."""
    whole = max(0, int(seconds))
    days, hours, minutes, rest = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    translate = QCoreApplication.translate
    if days:
        form = translate(_CONTEXT, "{0} d") if brief else translate(_CONTEXT, "{0} d {1:02} h")
        return form.format(days, hours)
    if hours:
        form = translate(_CONTEXT, "{0} h") if brief else translate(_CONTEXT, "{0} h {1:02} min")
        return form.format(hours, minutes)
    if minutes:
        form = translate(_CONTEXT, "{0} min") if brief else translate(_CONTEXT, "{0} min {1:02} s")
        return form.format(minutes, rest)
    return translate(_CONTEXT, "{0} s").format(rest)


def _zone_name(moment: datetime) -> str:
    # Zones without letters of their own are named by their offset ("+05"), which alone reads like a sum.
    name = moment.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name
