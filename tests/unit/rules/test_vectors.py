"""Figures worked out by hand from the source's equations, tables and examples.

They are kept in vectors.json beside this file. Where the project's common list of vectors lies next to
the checkout, the figures are checked against it too.
"""

import json
from calendar import month_name
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microgrid.block import Settled
from microgrid.daylight import DAYLIGHT, day_mask, next_turn
from microgrid.directives import StrategyName
from microgrid.dispatch import STRATEGIES, Fleet, keep_cap, plan, share_load
from microgrid.months import month_minutes, zone_of
from microgrid.pool import Reading, pool
from microgrid.settlement import allotments, import_blame, market, settle
from microgrid.terms import Cap, House, PenaltyBasis, Tariff, contract_faults
from microgrid.units import WS_PER_KWH, kwh, microcoins
from tests.unit.rules.build import FOREVER, T, assert_conserved, block, block_terms, buyer, seller
from tests.unit.rules.fleets import asked, diesel, sun

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
COMMON = Path(__file__).parents[4] / "shared" / "vectors" / "aslam.json"
HOUR = 60
ROUNDING = HOUR * 3e-6  # a few micro-coins a minute


def named(group: str) -> Any:
    return pytest.mark.parametrize(("name", "case"), VECTORS[group].items(), ids=VECTORS[group])


def hour(case: dict[str, Any], basis: PenaltyBasis) -> tuple[Settled, np.ndarray]:
    """An hour of two sellers at 8 and 25 and two buyers."""
    terms = block_terms(
        "ppcc",
        max_w=[2500, 2500, 5000, 5000],
        price=[microcoins(8), microcoins(25), 0, 0],
        cap=Cap.OFF,
        basis=basis,
    )
    power = [*case["power_w"], *(-demand_w for demand_w in case["demand_w"])]
    minutes = block(power, HOUR, raised=[case["raised"], case["raised"], False, False])
    settled = settle(terms, minutes, 0)
    assert_conserved(settled, minutes.net_ws)
    return settled, minutes.net_ws


@named("hour")
@pytest.mark.parametrize("basis", list(PenaltyBasis))
def test_an_hour_is_settled_as_by_hand(name: str, case: dict[str, Any], basis: PenaltyBasis):
    settled, _ = hour(case, basis)
    totals = (settled.microgrid_amount + settled.national_amount + settled.penalty_amount).sum(axis=0) / 1e6
    expected = [*case[basis]["payments"], *(-bill for bill in case["bills"])]
    assert totals == pytest.approx(expected, abs=ROUNDING)
    grid = (settled.grid_microgrid_amount + settled.grid_national_amount).sum() / 1e6
    assert grid == pytest.approx(case["national_grid"], abs=ROUNDING)
    reserve = (settled.reserve_microgrid_amount + settled.reserve_penalty_amount).sum() / 1e6
    assert reserve == pytest.approx(case[basis]["reserve"], abs=ROUNDING)
    at_tariff = -np.minimum(settled.national_energy, 0).sum(axis=0)[2:] / WS_PER_KWH
    assert at_tariff.tolist() == case["tariff_kwh"]
    assert (settled.penalty_energy.sum(axis=0)[:2] / WS_PER_KWH).tolist() == case["deficit_kwh"]


@named("rate")
def test_the_rate_is_the_mean_price_of_what_flows(name: str, case: dict[str, Any]):
    readings = [
        Reading(seller("B", 8), case["power_w"][0], True),
        Reading(seller("D", 25), case["power_w"][1], True),
    ]
    tariff = Tariff(valid_from=0, valid_to=FOREVER, national=T, cap=Cap.OFF)
    assert pool(readings, tariff, True, 0).rate == microcoins(case["rate"])


@named("cap_share")
def test_the_largest_diesel_share_under_the_minute_cap(name: str, case: dict[str, Any]):
    def diesel_w(solar_w: int, demand_w: int, most_w: int) -> int:
        fleet = Fleet.of([sun("B", min_w=0, max_w=solar_w), diesel("D", min_w=0, max_w=most_w)])
        tariff = Tariff(valid_from=0, valid_to=FOREVER, national=microcoins(case["tariff"]), cap=Cap.MINUTE)
        return int(keep_cap(fleet, share_load(fleet, demand_w, False), demand_w, tariff, 0)[1])

    assert diesel_w(250, 2000, 2500) == case["diesel_w"]
    most = diesel_w(400_000, 1_000_000, 1_000_000)
    # All the sun there is, and as much diesel as the mean allows.
    assert most / (400_000 + most) == pytest.approx(case["share"], abs=2e-6)


@named("dispatch")
def test_two_sellers_share_the_load(name: str, case: dict[str, Any]):
    fleet = Fleet.of([sun("B"), diesel("D")])
    found = share_load(fleet, case["demand_w"], case["day"])
    assert found.tolist() == [case["solar_w"], case["generator_w"]]
    # The whole control step comes to rest there too, whatever the sellers stood under before.
    for start_w in ([0, 0], [2500, 2500], [250, 2500]):
        assert loop(fleet, case["demand_w"], start_w, day=case["day"])[-1] == found.tolist()


def test_a_minute_below_the_minimum_costs_a_minute_not_an_hour():
    case = VECTORS["gmin_penalty"]
    terms = block_terms("pc", max_w=[2500, 5000], min_w=[case["min_w"], 0], price=[microcoins(8), 0])
    settled = settle(terms, block([case["power_w"], -case["power_w"]]), 0)
    assert settled.penalty_energy[0].tolist() == [case["deficit_w"] * 60, 0]
    assert int(settled.penalty_amount[0, 0]) == -microcoins(case["penalty"])


def test_the_printed_deficit_is_not_charged():
    """Equation 5.7.4 as printed charges 2.0 kW for an import of 0.5 kW."""
    case = VECTORS["dp_literal"]
    terms = block_terms("ppc", max_w=[2500, 2500, 5000], price=[microcoins(8), microcoins(25), 0])
    demand_w = sum(case["power_w"]) + case["import_w"]
    blame = import_blame(market(terms, block([*case["power_w"], -demand_w], raised=[True, True, False])))
    charged_w = (blame.deficit[0, :2] // 60).tolist()
    assert charged_w == case["correct_w"] != case["literal_w"]
    assert sum(charged_w) == case["import_w"] < sum(case["literal_w"])


@pytest.mark.parametrize("name", ["allotment_fig83", "allotment_fig56_oct"])
def test_allotments_are_of_what_sellers_can_give(name: str):
    case = VECTORS[name]
    declared_w = case.get("declared_w", [10**6] * 2)
    terms = block_terms("ppcc", max_w=[*case["max_w"], *declared_w])
    allotted = allotments(terms, np.array([sum(case["max_w"]) * 60]))[0]
    assert (allotted // 60).tolist() == [0, 0, case["each_w"], case["each_w"]]
    readings = [
        Reading(seller(h, 8, max_kw=w / 1000), 0, True) for h, w in zip("BD", case["max_w"], strict=True)
    ]
    readings += [Reading(buyer(h, max_kw=w / 1000), 0, True) for h, w in zip("AC", declared_w, strict=True)]
    tariff = Tariff(valid_from=0, valid_to=FOREVER, national=T)
    assert pool(readings, tariff, True, 0).allotment_w == case["each_w"]


def test_a_minimum_above_the_maximum_is_no_contract():
    case = VECTORS["contract_validation"]
    contract = seller("B", 8, max_kw=case["max_w"] / 1000, min_kw=case["min_w"] / 1000)
    (fault,) = contract_faults(contract, House(house="B", name="B", connection_w=200_000), T)
    assert "minimum of 150 kW is above the maximum of 120 kW" in fault


def loop(fleet: Fleet, demand_w: int, start_w: list[int], *, day: bool = True) -> list[list[int]]:
    """Targets of consecutive control steps of ten seconds, each carried out before the next."""
    tariff = Tariff(valid_from=0, valid_to=FOREVER, national=T, cap=Cap.OFF)
    standing, history = start_w, []
    for _ in range(8):
        situation = asked(fleet, demand_w, standing=standing, day=day, step_s=10)
        standing = plan(STRATEGIES[StrategyName.DAY_TIME], situation, tariff, 0).target_w.tolist()
        history.append(standing)
    return history


def test_load_sharing_does_not_lock_up_with_unused_sun():
    """The printed pair (6.4.1, 6.4.2) ends in a cycle of two states that import."""
    case = VECTORS["loadshare_642_deadlock"]
    history = loop(Fleet.of([sun("B"), diesel("D")]), case["demand_w"], case["start_w"])
    assert {case["demand_w"] - sum(targets) for targets in history} == {0}
    assert history[0] == [1000, 2500]  # a fast step, which the generator takes first
    assert history[1:] == [[2250, 1250]] * 7
    assert [case["demand_w"] - sum(state) for state in case["states_w"]] == case["import_w"]
    assert not any(state in history for state in case["states_w"])


def test_load_sharing_loses_no_power_with_unequal_numbers_of_sellers():
    """As printed each command moves every seller by a step, and two suns rise while one diesel falls."""
    case = VECTORS["loadshare_nonconserving"]
    history = loop(Fleet.of([sun("B1"), sun("B2"), diesel("D")]), case["demand_w"], case["start_w"])
    assert sum(case["end_w"]) - case["demand_w"] == case["export_w"]
    assert history == [[1375, 1375, 250]] * 8  # one move, in which nothing is lost


def test_load_sharing_lowers_when_demand_falls():
    """As printed nobody is ever lowered."""
    fleet = Fleet.of([sun("B1"), sun("B2"), diesel("D")])
    assert loop(fleet, 1500, VECTORS["loadshare_nonconserving"]["end_w"])[-1] == [625, 625, 250]


def test_daylight_is_table_6_1():
    zone = zone_of("Asia/Karachi")
    for number, expected in enumerate(VECTORS["daylight"]["minutes"], start=1):
        first = month_minutes(f"2026-{number:02}", zone).start
        assert int(day_mask(first, first + 1440, zone).sum()) == expected
    assert len(DAYLIGHT) == 12
    shortest = VECTORS["daylight"]["minutes"].index(min(VECTORS["daylight"]["minutes"]))
    assert month_name[shortest + 1] == VECTORS["daylight"]["shortest"]


def test_day_turns_to_night_where_table_6_1_says():
    zone = zone_of("Asia/Karachi")
    year = month_minutes("2026-01", zone).start, month_minutes("2026-12", zone).stop
    turns = (np.flatnonzero(np.diff(day_mask(*year, zone))) + year[0] + 1).tolist()
    found = [next_turn(year[0] - 1, zone)]
    while len(found) < len(turns):
        found.append(next_turn(found[-1], zone))
    assert found == turns
    # Also from within, and just before and at a turn.
    for minute in (turns[0] - 1, turns[0], turns[0] + 77, turns[-1] - 1):
        assert next_turn(minute, zone) == next(turn for turn in turns if turn > minute)


def test_the_bills_before_trading_are_whole_kilowatt_hours_at_17_6():
    """Table 9.1: without contracts every house pays the tariff, to the coin printed."""
    case = VECTORS["tariff"]
    assert microcoins(case["tariff"]) == T
    for house, energy in case["kwh"].items():
        # A connection without a seller in the micro-grid: one minute holds the month, exactly.
        month = block([0])
        month.net_ws[0, 0] = -energy * WS_PER_KWH
        settled = settle(block_terms("-", max_w=[0]), month, 0)
        assert -int(settled.national_amount[0, 0]) == microcoins(case["bills"][house])


def test_table_9_2_is_what_two_sellers_are_paid_for_1015_kilowatt_hours():
    case, bought = VECTORS["table92_balance"], VECTORS["tariff"]["kwh"]
    month = block([0, 0, 0, 0])
    sold_ws = [round(energy * WS_PER_KWH) for energy in case["sold_kwh"].values()]
    month.net_ws[0] = [*sold_ws, -bought["A"] * WS_PER_KWH, -bought["C"] * WS_PER_KWH]
    terms = block_terms("ppcc", max_w=[10**9] * 4, price=[microcoins(8), microcoins(25), 0, 0])
    settled = settle(terms, month, 0)
    assert settled.microgrid_amount[0, :2].tolist() == [microcoins(v) for v in case["payments"].values()]
    assert not settled.national_amount.any()
    assert kwh(int(settled.local_energy[0])) == 1015


def common(name: str) -> dict[str, Any]:
    if not COMMON.exists():
        pytest.skip("the common list of vectors is not beside this checkout")
    vectors = json.loads(COMMON.read_text(encoding="utf-8"))["vectors"]
    return next(vector for vector in vectors if vector["id"] == name)


@named("hour")
def test_hours_are_those_of_the_common_list(name: str, case: dict[str, Any]):
    given, expected = common(name)["inputs"], common(name)["expected"]
    assert [w / 1000 for w in case["power_w"]] == given["P"]
    assert [w / 1000 for w in case["demand_w"]] == given["Q"]
    assert case["raised"] == given["raise_commanded"]
    assert case["bills"] == pytest.approx(expected["bills"])
    assert case["national_grid"] == pytest.approx(expected["grid_cash"])
    assert case["tariff_kwh"] == pytest.approx(expected["grid_kwh_charged_to_buyers"])
    assert case["deficit_kwh"] == pytest.approx(expected["seller_deficit_kw"])
    for basis in PenaltyBasis:
        assert case[basis] == {
            "payments": pytest.approx(expected[f"penalty_basis_{basis}"]["payments"]),
            "reserve": pytest.approx(expected[f"penalty_basis_{basis}"]["reserve"]),
        }


@named("dispatch")
def test_dispatch_is_that_of_the_common_list(name: str, case: dict[str, Any]):
    vector = common(name)
    assert case["demand_w"] / 1000 == vector["inputs"]["Q"]
    assert case["day"] == vector["inputs"]["is_day"]
    assert case["solar_w"] / 1000 == pytest.approx(vector["expected"]["solar"])
    assert case["generator_w"] / 1000 == pytest.approx(vector["expected"]["gen"])
    net = (case["demand_w"] - case["solar_w"] - case["generator_w"]) / 1000
    assert net == pytest.approx(vector["expected"]["P_maingrid"])


@named("rate")
def test_rates_are_those_of_the_common_list(name: str, case: dict[str, Any]):
    vector = common(name)
    assert [w / 1000 for w in case["power_w"]] == vector["inputs"]["P"]
    assert case["rate"] == pytest.approx(vector["expected"]["SR_curr"])


@named("cap_share")
def test_shares_are_those_of_the_common_list(name: str, case: dict[str, Any]):
    expected = common(name)["expected"]
    assert case["share"] == pytest.approx(expected["max_diesel_share"])
    assert case["diesel_w"] == int(expected["max_diesel_kw_with_0.25_solar"] * 1000)


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("gmin_penalty", "penalty", lambda e: e["penalty_rs"]),
        ("dp_literal", "correct_w", lambda e: [1000 * kw for kw in e["DP_correct"]]),
        ("dp_literal", "literal_w", lambda e: [1000 * kw for kw in e["DP_literal"]]),
        ("allotment_fig83", "each_w", lambda e: e["allotment_each"] * 1000),
        ("allotment_fig56_oct", "each_w", lambda e: e["allotment_each"] * 1000),
        ("loadshare_642_deadlock", "import_w", lambda e: [1000 * kw for kw in e["import_kw"]]),
        ("loadshare_nonconserving", "export_w", lambda e: e["export_kw"] * 1000),
        ("loadshare_nonconserving", "end_w", lambda e: [1000 * kw for kw in e["end"]]),
        ("daylight", "minutes", lambda e: list(e["minutes"].values())),
        ("daylight", "shortest", lambda e: e["shortest"]),
        ("tariff", "tariff", lambda e: e["tariff"]),
        ("tariff", "kwh", lambda e: e["kwh"]),
        ("table92_balance", "sold_kwh", lambda e: e["kwh"]),
    ],
)
def test_single_figures_are_those_of_the_common_list(name: str, ours: str, theirs: Any):
    assert VECTORS[name][ours] == pytest.approx(theirs(common(name)["expected"]))


@pytest.mark.parametrize("name", ["loadshare_642_deadlock", "loadshare_nonconserving"])
def test_printed_faults_start_as_in_the_common_list(name: str):
    case, vector = VECTORS[name], common(name)
    assert case["demand_w"] == pytest.approx(1000 * vector["inputs"]["Q"])
    assert case["start_w"] == pytest.approx([1000 * kw for kw in vector["inputs"]["start"]])
    for ours, theirs in zip(case.get("states_w", ()), vector["expected"].get("states", ()), strict=True):
        assert ours == pytest.approx([1000 * kw for kw in theirs])
