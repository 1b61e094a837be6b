"""The demonstration from its command line: what it writes, and that it equals the month in memory."""

import json
from pathlib import Path

import numpy as np
import pytest

from central_monitor.adapters.exports import statements_csv, statements_json
from microgrid.months import local_time, month_minutes, zone_of
from microgrid.statement import Statements
from microgrid.terms import Cap
from simulation.scenario import Scenario, load_scenario
from tests.e2e.neighbourhood import CHAPTER_9, MONTH
from tests.e2e.processes import CENTRAL, run
from tests.e2e.truth import recorded

FILES = ("statements.json", "statements.csv")
ACCOUNT_KEYS = [
    "role", "microgrid_energy", "national_grid_energy", "microgrid_amount", "national_grid_amount",
    "penalty_energy", "penalty_amount", "adjustments", "total", "max_power_kw", "min_power_kw",
    "estimated_energy", "estimated_minutes",
]  # fmt: skip
ZONE = "Asia/Karachi"
DAY = month_minutes(MONTH, zone_of(ZONE))[:1440]
GAP = range(DAY.start + 601, DAY.start + 603)  # a measured file that misses these two minutes


def demo(out: Path, *options: object) -> Path:
    """Run the demonstration; the folder it wrote into."""
    ended = run((*CENTRAL, "demo"), "--headless", "--month", MONTH, "--out", out, *options)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (out / "summary.txt").read_text(encoding="utf-8")
    return out


def oracle(scenario: Scenario) -> Statements:
    """The same month in memory: no wire, no disk, no clock."""
    month = scenario.oracle()
    for _ in month.run(scenario.minutes):
        pass
    return month.played.statements(scenario.terms, MONTH, scenario.minutes)


def assert_equals_oracle(out: Path, **options) -> None:
    given = {"days": 1, "step": 5, "seed": 1} | options
    expected = oracle(load_scenario(CHAPTER_9, MONTH, **given))
    assert (out / "statements.json").read_bytes() == statements_json(expected)
    assert (out / "statements.csv").read_bytes() == statements_csv(expected)


def assert_adds_up(statements: dict) -> None:
    """Postings and energy are conserved to the unit."""
    energy = statements["energy"]
    assert statements["postings_total"] == 0
    assert sum(account["total"] for account in statements["accounts"].values()) == 0
    assert energy["bought"] == energy["sold"] + energy["imported"] - energy["exported"]


def contents(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in FILES]


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first two days of the month, lived once for all tests that only look at them."""
    return demo(tmp_path_factory.mktemp("demo"), "--days", 2, "--step", 5)


def test_the_demonstration_writes_a_bill_that_adds_up(two_days: Path) -> None:
    assert {"power.sqlite", "summary.txt", *FILES} <= {file.name for file in two_days.iterdir()}
    statements = json.loads((two_days / "statements.json").read_bytes())
    assert list(statements) == ["month", "zone", "unit", "postings_total", "energy", "accounts"]
    assert (statements["month"], statements["zone"]) == (MONTH, ZONE)
    assert statements["unit"] == {"energy": "Ws", "money": "microcoin"}
    assert list(statements["energy"]) == ["sold", "bought", "imported", "exported"]
    accounts = statements["accounts"]
    assert list(accounts) == ["A", "B", "C", "D", "national_grid", "reserve", "losses"]
    assert all(list(account) == ACCOUNT_KEYS for account in accounts.values())
    assert all(account["estimated_minutes"] == 0 for account in accounts.values())
    assert accounts["A"]["total"] < 0 < accounts["B"]["total"]
    assert_adds_up(statements)


def test_the_demonstration_equals_the_month_in_memory(two_days: Path) -> None:
    assert_equals_oracle(two_days, days=2)


def test_every_minute_is_recorded_and_the_counters_wrapped_meanwhile(two_days: Path) -> None:
    columns, orders = recorded(two_days / "power.sqlite", DAY.start, DAY.start + 2 * 1440)
    assert columns.present.all()
    assert orders.present[:, [1, 3]].all()
    assert (columns.opening.import_ws < 2**32).all()
    assert (columns.import_ws[-1, [0, 2]] > 2**32).all()
    assert (columns.export_ws[-1, [1, 3]] > 2**32).all()


def test_settling_again_gives_the_same_bytes(two_days: Path, tmp_path: Path) -> None:
    ended = run(
        (*CENTRAL, "settle"), "--month", MONTH, "--database", two_days / "power.sqlite", "--out", tmp_path
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert contents(tmp_path) == contents(two_days)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(two_days: Path, tmp_path: Path) -> None:
    again = demo(tmp_path / "again", "--days", 2, "--seed", 1)
    other = demo(tmp_path / "other", "--days", 2, "--seed", 2)
    assert contents(again) == contents(two_days)
    for one, another in zip(contents(other), contents(two_days), strict=True):
        assert one != another


@pytest.mark.parametrize("cap", [Cap.MINUTE, Cap.OFF])
def test_every_setting_of_the_cap_equals_the_month_in_memory(cap: Cap, tmp_path: Path) -> None:
    assert_equals_oracle(demo(tmp_path, "--days", 1, "--cap", cap), cap=cap)


def test_a_neighbourhood_of_seven_houses_equals_the_month_in_memory(tmp_path: Path) -> None:
    out = demo(tmp_path, "--days", 1, "--houses", 7, "--step", 15)
    assert_equals_oracle(out, houses=7, step=15)
    assert {*"ABCDEFG"} < json.loads((out / "statements.json").read_bytes())["accounts"].keys()


def test_a_demonstration_replaces_what_an_earlier_one_left(tmp_path: Path) -> None:
    demo(tmp_path, "--days", 1, "--seed", 3, "--step", 20)
    demo(tmp_path, "--days", 1, "--step", 30)
    assert_equals_oracle(tmp_path, step=30)


def test_minutes_a_measured_house_misses_are_gaps_and_are_estimated(tmp_path: Path) -> None:
    csv = tmp_path / "measured.csv"
    write_measured_day(csv)
    out = demo(tmp_path / "out", "--days", 1, "--replay", csv)
    columns, _ = recorded(out / "power.sqlite", DAY.start, DAY.stop)
    missing = np.argwhere(~columns.present)
    assert [(columns.first_minute + row, columns.houses[house]) for row, house in missing] == [
        (minute, "A") for minute in GAP
    ]
    statements = json.loads((out / "statements.json").read_bytes())
    estimated = {house: statements["accounts"][house]["estimated_minutes"] for house in "ABCD"}
    assert estimated == {"A": 3, "B": 0, "C": 0, "D": 0}  # with the minute that ends the gap
    first, end = (local_time(minute, zone_of(ZONE)).strftime("%H:%M") for minute in (GAP.start, GAP.stop))
    assert f"house A: 2 min, {MONTH}-01 {first} to {MONTH}-01 {end}" in (out / "summary.txt").read_text()
    assert_adds_up(statements)
    assert_equals_oracle(out, replay=csv)


def write_measured_day(path: Path) -> None:
    """A day of a household between 0.2 and 1.6 kW, without the minutes of GAP."""
    lines = ["local_time;active_power_kw;reactive_power_kvar;voltage_v;current_a"]
    for minute in DAY:
        moment = local_time(minute, zone_of(ZONE)).strftime("%Y-%m-%d %H:%M:%S")
        power_kw = 0.2 + minute * 37 % 1400 / 1000
        measured = ";;;" if minute in GAP else f"{power_kw:.3f};0.1;231.2;{power_kw * 4.5:.1f}"
        lines.append(f"{moment};{measured}")
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
