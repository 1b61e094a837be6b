"""The month in memory, which the full path must reproduce to the byte."""

from pathlib import Path

import msgspec

from microgrid.terms import Cap
from simulation.replay import HEADER
from simulation.scenario import load_scenario

CHAPTER_9 = Path(__file__).parents[3] / "resources" / "chapter9.toml"


def scenario(**changes):
    return load_scenario(CHAPTER_9, "2026-06", **{"days": 1, "step": 5, "seed": 1, **changes})


def played(made, minutes=None):
    oracle = made.oracle()
    ticks = list(oracle.run(minutes or made.minutes))
    return oracle.played, ticks


def statements(made):
    month, _ = played(made)
    return month.statements(made.terms, made.month, made.minutes)


def test_the_same_scenario_gives_the_same_bytes_and_another_seed_others():
    first, second = (msgspec.json.encode(statements(scenario())) for _ in range(2))
    assert first == second
    assert msgspec.json.encode(statements(scenario(seed=2))) != first


def test_it_balances_and_everybody_was_heard():
    result = statements(scenario())
    energy = result.energy
    assert result.postings_total == 0
    assert energy.bought == energy.sold + energy.imported - energy.exported > 0
    assert all(account.estimated_minutes == 0 for account in result.accounts.values())
    assert list(result.accounts) == ["A", "B", "C", "D", "national_grid", "reserve", "losses"]
    assert result.accounts["A"].total < 0 < result.accounts["B"].total


def test_ticks_end_where_the_next_begins_also_a_short_last_one():
    made = scenario(step=7)
    first = made.minutes.start
    month, ticks = played(made, range(first, first + 20))
    assert ticks == [first + 7, first + 14, first + 20]
    assert list(month.meter) == list(month.orders) == list(range(first, first + 20))
    assert all([row.house for row in rows] == ["A", "B", "C", "D"] for rows in month.meter.values())
    assert all([row.house for row in rows] == ["B", "D"] for rows in month.orders.values())


def test_orders_change_at_control_steps_only():
    month, _ = played(scenario(step=10))
    first = min(month.orders)
    for minute, orders in month.orders.items():
        tick = first + (minute - first) // 10 * 10
        assert [o.command_id for o in orders] == [o.command_id for o in month.orders[tick]]
    assert len({orders[0].command_id for orders in month.orders.values()}) > 5


def test_sellers_acknowledge_at_the_step_and_follow():
    month, _ = played(scenario())
    orders = [order for rows in month.orders.values() for order in rows if order.command_id]
    told = [order for order in orders if order.acknowledged_s is not None]
    assert len(told) > len(orders) // 2
    assert all(order.acknowledged_s <= order.minute * 60 for order in told)


def test_registers_go_on_from_the_opening():
    month, _ = played(scenario())
    last = dict(month.opening)
    for rows in month.meter.values():
        for row in rows:
            assert row.minute == last[row.house].minute + 1
            assert row.import_ws >= last[row.house].import_ws
            assert row.export_ws - last[row.house].export_ws == 60 * max(0, row.max_w)
            last[row.house] = row


def test_the_settings_of_the_cap_differ_in_money_not_in_households():
    results = {cap: statements(scenario(cap=cap)) for cap in Cap}
    assert len({result.accounts["A"].total for result in results.values()}) > 1
    for house in "AC":
        energies = {
            result.accounts[house].microgrid_energy + result.accounts[house].national_grid_energy
            for result in results.values()
        }
        assert len(energies) == 1


def test_a_silent_house_has_no_rows_and_is_billed_as_estimated(tmp_path):
    # Of every ten minutes of the measured household three are missing.
    lines = [f"2006-12-16 17:{n:02}:00;" + ("1.5;0.4;234;18" if n < 7 else ";;;") for n in range(10)]
    file = tmp_path / "measured.csv"
    file.write_text("\n".join([";".join(HEADER), *lines]) + "\n")
    made = scenario(replay=file)
    month, _ = played(made)
    heard = sum(1 for rows in month.meter.values() if rows[0].house == "A")
    assert heard == 1440 * 7 // 10
    account = month.statements(made.terms, made.month, made.minutes).accounts["A"]
    # The last three minutes have no row after them and are left to the next day's bill.
    assert account.estimated_minutes >= 1440 * 3 // 10 - 3
    assert -(account.microgrid_energy + account.national_grid_energy) == 1500 * 60 * (1440 - 3)
