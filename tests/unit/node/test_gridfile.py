"""The micro-grid's description as people write it: a good file becomes terms, a bad one a sentence."""

from pathlib import Path

import pytest

from microgrid.terms import Cap, Obligation, PenaltyBasis, Role, Source, terms_faults
from microgrid.units import microcoins
from node.gridfile import GridFileError, read_gridfile

GOOD = """
zone = "Asia/Karachi"

[site]
latitude = 24.9

[tariff]
national = 17.6
feed_in = 2.5
cap = "minute"
penalty_basis = "replacement_cost"
response_s = 90
deadband_w = 40

[[house]]
id = "A"
name = "House A"
connection_kw = 5
plant = { monthly_kwh = 380 }
contract = { role = "consumer", max_kw = 2.5 }

[[house]]
id = "B"
name = "House B"
connection_kw = 4.6
contract = { role = "producer", min_kw = 0.25, max_kw = 2.5, price = 8, source = "solar" }

[[house]]
id = "N"
name = "No contract"
connection_kw = 1
"""
MINUTES = range(1000, 5000)
CHAPTER_9 = Path(__file__).parents[3] / "resources" / "chapter9.toml"


def terms_of(text, tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(text, encoding="utf-8")
    return read_gridfile(path).terms(MINUTES)


def test_a_good_file_becomes_terms(tmp_path):
    terms = terms_of(GOOD, tmp_path)
    assert terms.zone == "Asia/Karachi"
    assert [(h.house, h.name, h.connection_w) for h in terms.houses] == [
        ("A", "House A", 5000),
        ("B", "House B", 4600),
        ("N", "No contract", 1000),
    ]
    buyer, seller = terms.contracts
    assert (buyer.role, buyer.max_w, buyer.valid_from, buyer.valid_to) == (Role.CONSUMER, 2500, 1000, 5000)
    assert (seller.role, seller.min_w, seller.max_w) == (Role.PRODUCER, 250, 2500)
    assert (seller.price, seller.source) == (microcoins(8), Source.SOLAR)
    assert seller.obligation is Obligation.DAYLIGHT
    (tariff,) = terms.tariffs
    assert (tariff.national, tariff.feed_in) == (microcoins(17.6), microcoins(2.5))
    assert (tariff.cap, tariff.penalty_basis) == (Cap.MINUTE, PenaltyBasis.REPLACEMENT_COST)
    assert (tariff.response_s, tariff.deadband_w) == (90, 40)
    assert tariff.valid_from == MINUTES.start
    assert tariff.valid_to >= MINUTES.stop


def test_chapter_9_loads():
    terms = read_gridfile(CHAPTER_9).terms(MINUTES)
    assert [house.house for house in terms.houses] == ["A", "B", "C", "D"]
    assert terms.tariffs[0].national == microcoins(17.6)
    assert terms_faults(terms) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('zone = "Asia/Karachi"', ""), "missing required field `zone`"),
        (('zone = "Asia/Karachi"', 'zone = "Karachi"'), "no time zone 'Karachi'"),
        (("national = 17.6", 'national = "dear"'), r"Expected `float`, got `str` - at `\$.tariff.national`"),
        (("national = 17.6", "national = 0"), "tariff of 0 coins/kWh must be above 0"),
        (("feed_in = 2.5", "feed_in = 20"), "feed-in price of 20 coins/kWh"),
        (("deadband_w = 40", "deadband = 40"), "unknown field `deadband`"),
        (('cap = "minute"', 'cap = "day"'), "Invalid enum value 'day'"),
        (("connection_kw = 5\n", "connection_kw = -5\n"), "House A: a connection of -5 kW"),
        (('id = "B"', 'id = "A"'), "House A: this ID is listed twice"),
        (('id = "B"', 'id = "reserve"'), "name of a common account"),
        (('id = "B"', 'id = "B 1"'), "an ID has 1 to 32 letters"),
        (("min_kw = 0.25", "min_kw = 3"), "House B: the minimum of 3 kW is above the maximum"),
        (("max_kw = 2.5, price", "max_kw = 9, price"), "House B: the maximum of 9 kW"),
        (("price = 8", "price = 18"), "solar price of 18 coins/kWh is above the national tariff of 17.6"),
        ((', source = "solar"', ""), "House B: a producer must name its source"),
        (("[tariff]", "[tariff"), "is not as expected"),
        (("House A", "\x00"), "is not as expected"),
    ],
)
def test_a_bad_file_is_refused_in_a_sentence(tmp_path, change, words):
    assert change[0] in GOOD
    with pytest.raises(GridFileError, match=words):
        terms_of(GOOD.replace(change[0], change[1], 1), tmp_path)


def test_every_fault_is_listed(tmp_path):
    bad = GOOD.replace("national = 17.6", "national = 0").replace('id = "N"', 'id = "losses"')
    with pytest.raises(GridFileError) as caught:
        terms_of(bad, tmp_path)
    assert "House losses" in str(caught.value)
    assert "must be above 0" in str(caught.value)


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(GridFileError, match=r"none\.toml cannot be read: No such file"):
        read_gridfile(tmp_path / "none.toml")
    with pytest.raises(GridFileError, match="cannot be read: Is a directory"):
        read_gridfile(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GridFileError, match="is not as expected"):
        read_gridfile(tmp_path / "bytes.toml")
