"""What sharing saved against sharing off: minutes worked out by hand, and what must hold of any."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from microgrid.columns import OrderColumns, order_columns
from microgrid.directives import StrategyName
from microgrid.dispatch.saving import saved
from microgrid.minute import Fate, Hold
from microgrid.terms import Cap, Obligation, Source, Tariff, Terms
from microgrid.units import microcoins
from tests.unit.rules.build import FIRST, FOREVER, T, buyer, history, order, read, seller, terms_of

B = seller("B", 8, source=Source.SOLAR)
D = seller("D", 25)
HOUSES = ("A", "B", "C", "D")
SHARED = StrategyName.DAY_TIME


def four_houses(cap: Cap = Cap.OFF, *contracts: object, feed_in: int = 0) -> Terms:
    tariff = Tariff(valid_from=0, valid_to=FOREVER, national=T, feed_in=feed_in, cap=cap)
    sellers = contracts or (B, D)
    return terms_of(*sellers, buyer("A"), buyer("C"), tariffs=(tariff,))  # type: ignore[arg-type]


def ordered(minutes: range, **of_house: Mapping[str, object]) -> OrderColumns:
    """Orders that B and D met in every minute, unless said otherwise of a house."""
    rows = [
        order(house, minute, **{"target_w": 1, "fate": Fate.MET, **of_house.get(house, {})})
        for minute in minutes
        for house in "BD"
    ]
    return order_columns(HOUSES, minutes, rows)


def saving(
    power_w: Mapping[str, int], terms: Terms | None = None, *, strategy: StrategyName = SHARED,
    first: int = FIRST, **of_house: Mapping[str, object],
) -> float:  # fmt: skip
    """Coins saved in an hour of minutes like this."""
    minutes = range(first, first + 1)
    columns = read(HOUSES, minutes, history({house: [power_w.get(house, 0)] for house in HOUSES}, first))
    (amount,) = saved(terms or four_houses(), columns, ordered(minutes, **of_house), [strategy]).tolist()
    return amount * 60 / 1e6


def test_the_load_moved_to_the_sun_is_cheaper_by_the_difference_of_prices():
    """2.25 kW at 8 and 0.25 at 25 instead of 1.25 each: one kilowatt at 17 less."""
    assert saving({"A": -1000, "B": 2250, "C": -1500, "D": 250}) == pytest.approx(17, abs=1e-4)


def test_the_load_moved_to_the_diesel_costs_more():
    assert saving({"A": -2500, "B": 250, "D": 2250}) == pytest.approx(-17, abs=1e-4)


def test_with_sharing_off_nothing_is_saved():
    assert saving({"A": -2500, "B": 2250, "D": 250}, strategy=StrategyName.OFF) == 0
    assert saving({"A": -2500, "B": 2500}, strategy=StrategyName.MERIT_ORDER) == pytest.approx(
        21.25, abs=1e-4
    )


def test_equal_loading_saves_nothing():
    assert saving({"A": -2400, "B": 1200, "D": 1200}) == 0


@pytest.mark.parametrize("feed_in", [0, 5_000_000])
def test_what_is_imported_or_spilled_is_the_same_on_both_sides(feed_in: int):
    terms = four_houses(feed_in=feed_in)
    assert saving({"A": -2700, "B": 2250, "D": 250}, terms) == pytest.approx(17, abs=1e-4)
    assert saving({"A": -2300, "B": 2250, "D": 250}, terms) == pytest.approx(17, abs=1e-4)


@pytest.mark.parametrize("fate", [Fate.UNMET, Fate.REFUSED, Fate.UNANSWERED])
def test_who_could_not_give_more_could_not_have_given_more_without_sharing(fate: Fate):
    """A cloud: the sun gives 0.5 kW however it is asked."""
    power_w = {"A": -2500, "B": 500, "D": 2000}
    assert saving(power_w, B={"fate": fate}) == 0
    assert saving(power_w) == pytest.approx(-0.75 * 17, abs=1e-4)  # had it been able to


@pytest.mark.parametrize("left_out", [{"fate": Fate.NONE}, {"out_of_service": True}])
def test_who_was_not_asked_gave_what_it_gave(left_out: Mapping[str, object]):
    power_w = {"A": -2500, "B": 2250, "D": 250}
    assert saving(power_w, B=left_out) == 0
    assert saving(power_w, D=left_out) == 0
    assert saving(power_w, B={"hold": Hold.OPERATOR}) == 0


def test_a_disconnected_seller_is_not_in_the_comparison():
    minutes = range(FIRST, FIRST + 1)
    columns = read(HOUSES, minutes, history({"A": [-2500], "B": [2250], "C": [0], "D": [0]}))
    closed_s = columns.closed_s.copy()
    closed_s[:, 3] = 0
    open_breaker = replace(columns, closed_s=closed_s)
    assert saved(four_houses(), open_breaker, ordered(minutes), [SHARED]).tolist() == [0]
    assert saved(four_houses(), columns, ordered(minutes), [SHARED])[0] > 0


def test_a_sun_obliged_by_daylight_is_not_asked_by_night():
    by_daylight = four_houses(Cap.OFF, changed(B, obligation=Obligation.DAYLIGHT), D)
    power_w = {"A": -1000, "B": 200, "D": 800}
    assert saving(power_w, by_daylight) == 0
    assert saving(power_w, by_daylight, first=FIRST + 12 * 60) != 0


def test_with_the_tie_open_there_is_no_price_to_compare():
    power_w = {"A": -2500, "B": 2250, "D": 250}
    assert saving(power_w, B={"tie_closed": False}) == 0


def test_what_the_minute_cap_cut_would_not_have_been_cut_by_day():
    """By night the diesel is cut to 0.324 kW and 1.426 imported; equally loaded both give 1 kW at 16.5."""
    power_w = {"A": -2000, "B": 250, "D": 324}
    actual = 0.25 * 8 + 0.324 * 25 + 1.426 * 17.6
    cut = saving(power_w, four_houses(Cap.MINUTE), D={"hold": Hold.CAP})
    assert cut == pytest.approx(2 * 16.5 - actual, abs=1e-4)


def test_the_minute_cap_would_have_cut_equal_loading_too():
    """Little sun: at equal loading the mean is above the tariff."""
    sun = changed(B, max_w=500, min_w=0)
    terms = four_houses(Cap.MINUTE, sun, changed(D, min_w=0))
    power_w = {"A": -1000, "B": 500, "D": 500}  # at 16.5
    # Equally loaded, 167 W and 833 W at 22.2: the diesel is cut until the mean is the tariff.
    assert saving(power_w, terms) == pytest.approx(17.6 - 16.5, abs=0.02)
    assert saving(power_w, four_houses(Cap.OFF, sun, changed(D, min_w=0))) > 5


def test_of_the_months_credit_as_much_may_be_spent_as_was():
    """By night 0.25 kW of sun and 0.6 of diesel were let through at 20; the cap then cut the diesel."""
    terms = four_houses(Cap.MONTH, changed(B, max_w=250, min_w=0), changed(D, min_w=0))
    power_w = {"A": -2000, "B": 250, "D": 600}
    assert saving(power_w, terms, D={"hold": Hold.CAP}) == pytest.approx(0, abs=0.05)
    # Not held by the cap, the same power would have been shared as 77 W and 773 W.
    assert saving(power_w, terms) == pytest.approx((0.773 - 0.6) * 17, abs=0.02)


def test_terms_that_change_within_the_minutes_hold_from_their_minute_on():
    dearer = changed(D, valid_from=FIRST + 1, price=microcoins(30))
    terms = four_houses(Cap.OFF, B, changed(D, valid_to=FIRST + 1), dearer)
    minutes = range(FIRST, FIRST + 2)
    powers_w = {"A": [-2500] * 2, "B": [2250] * 2, "C": [0] * 2, "D": [250] * 2}
    amounts = saved(terms, read(HOUSES, minutes, history(powers_w)), ordered(minutes), [SHARED] * 2)
    assert amounts.tolist() == pytest.approx([17e6 / 60, 22e6 / 60], abs=2)


def test_a_minute_without_a_tariff_is_a_lookup_error():
    late = Tariff(valid_from=FIRST + 1, valid_to=FOREVER, national=T)
    terms = terms_of(B, D, buyer("A"), buyer("C"), tariffs=(late,))
    with pytest.raises(LookupError, match="no tariff is in force"):
        saving({"A": -2500, "B": 2250, "D": 250}, terms)


@given(
    st.lists(st.tuples(*[st.integers(-3000, 3000)] * 4), min_size=1, max_size=6),
    st.sampled_from(list(Cap)), st.sampled_from(list(Fate)), st.sampled_from(list(Hold)), st.integers(0, 6),
)  # fmt: skip
def test_however_minutes_are_cut_the_sum_is_the_same_and_nothing_fails(
    powers: list[tuple[int, int, int, int]], cap: Cap, fate: Fate, hold: Hold, cut: int
):
    terms, minutes = four_houses(cap), range(FIRST, FIRST + len(powers))
    rows = history({house: [each[i] for each in powers] for i, house in enumerate("ACBD")})
    orders = {"B": {"fate": fate, "hold": hold}}

    def part(first: int, end: int) -> list[int]:
        if first == end:
            return []
        some = range(first, end)
        return saved(terms, read(HOUSES, some, rows), ordered(some, **orders), [SHARED] * len(some)).tolist()

    middle = min(minutes.stop, FIRST + cut)
    assert part(FIRST, middle) + part(middle, minutes.stop) == part(FIRST, minutes.stop)


def test_the_largest_figures_do_not_overflow():
    names = tuple(f"H{n:03}" for n in range(254))
    contracts = [seller(house, 499 if n % 2 else 0, min_kw=0, max_kw=1000) for n, house in enumerate(names)]
    minutes = range(FIRST, FIRST + 1)
    rows = history({house: [10**6 * (n % 2)] for n, house in enumerate(names)})
    orders = order_columns(names, minutes, [order(h, FIRST, target_w=1, fate=Fate.MET) for h in names])
    tariff = Tariff(valid_from=0, valid_to=FOREVER, national=microcoins(500), cap=Cap.OFF)
    terms = terms_of(*contracts, tariffs=(tariff,))
    (amount,) = saved(terms, read(names, minutes, rows), orders, [SHARED])
    # Half of 127 MW move from 499 to 0 coins.
    assert amount * 60 / 1e6 == pytest.approx(-127_000 / 2 * 499, rel=1e-6)
    assert isinstance(amount, np.int64)
