"""Numbers and times as people read them."""

import pytest
from PySide6.QtCore import QLocale

from microgrid.units import WS_PER_KWH, microcoins
from node.qt.format import (
    MINUS,
    clock,
    date,
    duration,
    energy,
    moment,
    money,
    month_name,
    number,
    numbers,
    power,
    price,
    time_of_day,
)


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (0.0, True, "0.00"),
        (-0.004, True, "0.00"),
        (1.25, True, "+1.25"),
        (1.25, False, "1.25"),
        (-1234.5, False, f"{MINUS}1,234.50"),
    ],
)
def test_number(value, signed, text):
    assert number(value, 2, signed=signed) == text


def test_quantities_have_their_unit():
    assert str(power(-1250)) == f"{MINUS}1.25\N{NO-BREAK SPACE}kW"
    assert energy(round(98_765_432.1 * WS_PER_KWH)) == ("98,765,432.1", "kWh")
    assert price(microcoins(17.6)) == ("17.60", "coins/kWh")
    assert money(microcoins(-1234.567)) == (f"{MINUS}1,234.57", "coins")
    assert money(microcoins(2), signed=True).number == "+2.00"


def test_numbers_follow_the_locale():
    QLocale.setDefault(QLocale(QLocale.Language.German, QLocale.Country.Germany))
    assert number(-1234.5, 2) == f"{MINUS}1.234,50"


def test_times_name_their_zone():
    assert clock(1_733_040_309.0, "Asia/Karachi") == "13:05:09 PKT"
    assert clock(1_733_040_309.0, "America/Sao_Paulo") == "05:05:09 UTC-03"
    assert date(1_733_093_999.0, "Asia/Karachi") == "2 Dec 2024"


def test_a_moment_and_a_minute():
    assert moment(1_733_040_309.0, "Asia/Karachi") == "1 Dec 2024, 13:05 PKT"
    assert time_of_day(1_733_040_309.0, "Asia/Karachi") == "13:05"
    assert moment(0, "Asia/Karachi") == "the beginning"


def test_months_are_named_in_words():
    assert month_name("2024-12") == "December 2024"
    QLocale.setDefault(QLocale(QLocale.Language.German, QLocale.Country.Germany))
    assert month_name("2025-03") == "März 2025"


def test_an_hour_that_comes_twice_is_told_apart():
    first, second = 1_729_989_000.0, 1_729_992_600.0
    assert clock(first, "Europe/Berlin") == "02:30:00 CEST"
    assert clock(second, "Europe/Berlin") == "02:30:00 CET"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (45, "45 s"), (130, "2 min 10 s"), (11_100, "3 h 05 min"), (187_200, "2 d 04 h")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (130, "2 min"), (11_100, "3 h"), (187_200, "2 d")]
)
def test_a_brief_duration_has_one_unit(seconds, text):
    assert duration(seconds, brief=True) == text


def test_a_proof_gets_more_decimals():
    assert money(287_500, decimals=6) == ("0.287500", "coins")
    assert energy(72_000, decimals=4) == ("0.0200", "kWh")
    assert price(14_375_000, decimals=4) == ("14.3750", "coins/kWh")


@pytest.mark.parametrize("name", ["en_GB", "de_DE", "en_IN", "es_ES", "ar_EG", "fa_IR"])
@pytest.mark.parametrize("signed", [False, True])
def test_many_numbers_are_written_as_one_is(name, signed):
    QLocale.setDefault(QLocale(name))
    small = [0.0, -0.0, -0.00004, 0.00005, 0.12345, -7.5, 2.5, 999.9999, -999.9999]
    for values in (small, [*small, 999.99996], [*small, 1234567.891, -98765.4], []):
        assert numbers(values, 4, signed=signed) == [number(value, 4, signed=signed) for value in values]
        assert numbers(values, 0) == [number(value, 0) for value in values]
