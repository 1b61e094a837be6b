"""The demonstration's summary: the source's printed tables beside the month that was lived."""

from pathlib import Path

import pytest

from microgrid.directives import StrategyName
from microgrid.terms import Cap
from simulation.scenario import load_scenario
from simulation.summary import TABLE_9_1, TABLE_9_2, Gap, emulated_text, summary

CHAPTER_9 = Path(__file__).parents[3] / "resources" / "chapter9.toml"
LOADS_WS = {"A": 380 * 3_600_000, "B": 466 * 3_600_000, "C": 635 * 3_600_000, "D": 326 * 3_600_000}


@pytest.fixture(scope="module")
def lived():
    """A scenario of one hour, and its results under every cap."""
    made = load_scenario(CHAPTER_9, "2026-06", days=1, step=5, seed=3)
    minutes = range(made.minutes.start, made.minutes.start + 60)
    results = {}
    for cap in Cap:
        oracle = made.with_cap(cap).oracle()
        list(oracle.run(minutes))
        results[cap] = oracle.played.statements(made.with_cap(cap).terms, made.month, minutes)
    oracle = made.oracle(StrategyName.OFF)
    list(oracle.run(minutes))
    return made, results, oracle.played.statements(made.terms, made.month, minutes)


def text(lived, gaps=(), **changes):
    made, results, unshared = lived
    return summary(made.with_cap(changes.get("cap", Cap.MONTH)), results, unshared, LOADS_WS, gaps)


def cells(line):
    return line.split()


def row_of(whole, name):
    return next(cells(line) for line in whole.splitlines() if line.startswith(name + " "))


def test_it_says_what_was_lived(lived):
    first, *_ = text(lived).splitlines()
    assert first == "2026-06, 1 days, 4 houses, Asia/Karachi; seed 3, a control step every 5 min."


def test_the_printed_tables_stand_beside_the_month(lived):
    whole = text(lived)
    for house in "ABCD":
        _, table_9_1, without, table_9_2, *caps = row_of(whole, house)
        assert float(table_9_1) == -TABLE_9_1[house]
        assert float(table_9_2) == TABLE_9_2[house]
        assert float(without) == pytest.approx(-LOADS_WS[house] / 3_600_000 * 17.6, abs=0.005)
        assert len(caps) == 3
    # Table 9.1 is nothing but the loads at the tariff.
    assert row_of(whole, "A")[1] == row_of(whole, "A")[2] == "-6688.00"


def test_every_account_is_shown_and_the_postings_sum_to_zero(lived):
    _, results, _ = lived
    whole = text(lived)
    for name in ("national_grid", "reserve", "losses"):
        shown = [float(cell) for cell in row_of(whole, name)[1:]]
        order = (Cap.MONTH, Cap.MINUTE, Cap.OFF)
        assert shown == [round(results[cap].accounts[name].total / 1e6, 2) for cap in order]
    assert row_of(whole, "sum")[-3:] == ["0.00", "0.00", "0.00"]


def test_the_chosen_cap_comes_first(lived):
    head = next(line for line in text(lived, cap=Cap.OFF).splitlines() if line.startswith("account"))
    assert head.split("Table 9.2")[1].split() == ["cap", "off", "cap", "month", "cap", "minute"]
    assert "The cap is set to 'off'" in text(lived, cap=Cap.OFF)


def test_columns_are_aligned(lived):
    lines = text(lived).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("account"))
    table = lines[start : lines.index("", start)]
    assert len({len(line) for line in table}) == 1
    assert len(table) == 1 + 4 + 3 + 1


def test_energy_balances_in_every_line(lived):
    lines = [line for line in text(lived).splitlines() if line.startswith("  cap ")]
    assert len(lines) == 3
    for line in lines:
        bought, sold, imported, exported = (
            float(cell)
            for cell in line.split(": ")[1].replace("=", " ").replace("+", " ").replace(" - ", " ").split()
        )
        assert bought == pytest.approx(sold + imported - exported, abs=0.21)


def test_gaps_are_listed_in_local_time(lived):
    first = lived[0].minutes.start
    whole = text(lived, [Gap("A", first + 61, first + 65), Gap("C", first + 1440, first + 1441)])
    assert "Minutes nobody heard" in whole
    assert "  house A: 4 min, 2026-06-01 01:01 to 2026-06-01 01:05 Asia/Karachi\n" in whole
    assert "  house C: 1 min, 2026-06-02 00:00 to 2026-06-02 00:01 Asia/Karachi\n" in whole
    assert "Every minute of every house was heard." not in whole


def test_no_gap_is_said_as_well(lived):
    assert "\nEvery minute of every house was heard.\n" in text(lived)


def test_a_house_the_tables_do_not_know_has_blanks_there(lived):
    made = load_scenario(CHAPTER_9, "2026-06", days=1, step=5, seed=1, houses=6)
    minutes = range(made.minutes.start, made.minutes.start + 10)
    results = {}
    for cap in Cap:
        oracle = made.with_cap(cap).oracle()
        list(oracle.run(minutes))
        results[cap] = oracle.played.statements(made.terms, made.month, minutes)
    houses = [house.house for house in made.terms.houses]
    whole = summary(made, results, results[Cap.MONTH], dict.fromkeys(houses, 0), [])
    unknown = next(house for house in houses if house not in TABLE_9_1)
    assert len(row_of(whole, unknown)) == 1 + 1 + 3


def test_what_is_saved_is_told_for_each_cap_and_for_sharing(lived):
    _, results, unshared = lived
    whole = text(lived)
    alone = sum(LOADS_WS[house] / 3_600_000 * 17.6 for house in "AC")
    for cap in Cap:
        line = next(line for line in whole.splitlines() if line.startswith(f"cap {cap}  "))
        paid = [-results[cap].accounts[house].total / 1e6 for house in "AC"]
        a, c, both, saved, *_ = cells(line)[2:]
        assert [a, c] == [f"{p:.0f}" for p in paid]
        assert (both, saved) == (f"{sum(paid):.0f}", f"{(alone - sum(paid)) / alone:.1%}")
        assert f"- cap {cap}: " in whole
    off = next(line for line in whole.splitlines() if line.startswith("cap month, sharing off"))
    assert f"{-sum(unshared.accounts[house].total for house in 'AC') / 1e6:.0f}" in cells(off)
    assert "- load sharing: without it everybody is loaded alike" in whole


def test_an_emulated_meter_stands_beside_what_flowed():
    kwh = 3_600_000
    whole = emulated_text("B", (0, 2 * kwh, 303 * kwh // 100), (0, 2 * kwh, 3 * kwh))
    first, *rows = whole.splitlines()
    assert first.startswith("House B's meter was the firmware, emulated.")
    assert [row.split() for row in rows] == [
        ["import", "0.000", "0.000", "nothing", "flowed"],
        ["export", "2.000", "2.000", "+0.00", "%"],
        ["generation", "3.030", "3.000", "+1.00", "%"],
    ]
