"""What stands of the operator's orders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid.directives import Directive, DirectiveKind, Standing, StrategyName, standing, strategies

KIND = DirectiveKind


def directive(kind: DirectiveKind, entered_s: int = 0, **more: object) -> Directive:
    return Directive(kind=kind, author="Ayesha", note="inspection", entered_s=entered_s, **more)  # type: ignore[arg-type]


def out(house: str, entered_s: int, until_minute: int) -> Directive:
    return directive(KIND.OUT_OF_SERVICE, entered_s, house=house, until_minute=until_minute)


def minutes_out(of: Standing, house: str = "D", end: int = 100) -> list[int]:
    return [minute for minute in range(end) if of.out_of_service(house, minute)]


def test_nothing_ordered_is_the_day_time_algorithm_and_nobody_held():
    assert standing([]) == Standing(StrategyName.DAY_TIME, None, {}, {})


@pytest.mark.parametrize("name", list(StrategyName))
def test_the_newest_strategy_stands(name: StrategyName):
    first = directive(KIND.STRATEGY, strategy=StrategyName.OFF)
    newest = directive(KIND.STRATEGY, 60, strategy=name)
    found = standing([first, newest])
    assert (found.strategy, found.strategy_by) == (name, newest)


def test_a_seller_is_held_until_it_is_released():
    hold = directive(KIND.HOLD, house="D", target_w=1000)
    other = directive(KIND.HOLD, 10, house="B", target_w=500)
    again = directive(KIND.HOLD, 20, house="D", target_w=700)
    assert standing([hold, other]).held == {"D": hold, "B": other}
    assert standing([hold, other, again]).held == {"D": again, "B": other}
    assert standing([hold, other, directive(KIND.RELEASE, 30, house="D")]).held == {"B": other}
    assert standing([directive(KIND.RELEASE, house="D")]).held == {}


def test_out_of_service_is_from_the_next_minute_to_the_end_that_was_set():
    assert minutes_out(standing([out("D", 601, 20)])) == list(range(11, 20))
    assert minutes_out(standing([out("D", 600, 20)])) == list(range(10, 20))
    assert minutes_out(standing([out("B", 600, 20)])) == []


def test_who_is_out_of_service_is_not_held_also_afterwards():
    hold = directive(KIND.HOLD, house="D", target_w=1000)
    assert standing([hold, out("D", 60, 5)]).held == {}
    later = directive(KIND.HOLD, 60 * 6, house="D", target_w=900)
    assert standing([hold, out("D", 60, 5), later]).held == {"D": later}


def test_back_in_service_early_the_minute_under_way_counts_as_out():
    back = directive(KIND.IN_SERVICE, 60 * 7 + 1, house="D")
    assert minutes_out(standing([out("D", 0, 20), back])) == list(range(8))
    punctual = directive(KIND.IN_SERVICE, 60 * 7, house="D")
    assert minutes_out(standing([out("D", 0, 20), punctual])) == list(range(7))


def test_back_in_service_after_the_end_changes_nothing():
    back = directive(KIND.IN_SERVICE, 60 * 30, house="D")
    assert minutes_out(standing([out("D", 0, 20), back])) == list(range(20))
    assert standing([back]).out == {}


def test_whoever_is_out_longer_than_was_said_is_out_without_a_gap():
    """The second order comes in the midst of a minute of the first."""
    assert minutes_out(standing([out("D", 0, 20), out("D", 60 * 15 + 30, 40)])) == list(range(40))
    # After the end of the first there is nothing to carry on.
    assert minutes_out(standing([out("D", 0, 10), out("D", 60 * 15 + 30, 20)])) == list(range(16, 20))


def test_each_minute_was_shared_as_stood_when_it_began():
    off = directive(KIND.STRATEGY, 130, strategy=StrategyName.OFF)
    merit = directive(KIND.STRATEGY, 300, strategy=StrategyName.MERIT_ORDER)
    hold = directive(KIND.HOLD, 310, house="D", target_w=100)
    found = strategies([off, merit, hold], range(8))
    assert found == [StrategyName.DAY_TIME] * 3 + [StrategyName.OFF] * 2 + [StrategyName.MERIT_ORDER] * 3
    assert strategies([off, merit], range(4, 6)) == [StrategyName.OFF, StrategyName.MERIT_ORDER]
    assert strategies([off, merit], range(6, 8)) == [StrategyName.MERIT_ORDER] * 2
    assert strategies([], range(2)) == [StrategyName.DAY_TIME] * 2


ORDERS = st.tuples(
    st.sampled_from(list(KIND)), st.sampled_from("BD"), st.integers(1, 300), st.integers(1, 20)
)


@given(st.lists(ORDERS, max_size=12))
def test_who_is_out_now_is_what_was_said_last(orders: list[tuple[DirectiveKind, str, int, int]]):
    """Minute by minute, as the orders come in: the newest about service decides."""
    given_, now_s = [], 0
    until = dict.fromkeys("BD", 0)
    for kind, house, gap_s, length in orders:
        now_s += gap_s
        end = now_s // 60 + length
        given_.append(directive(kind, now_s, house=house, target_w=100, until_minute=end))
        next_minute = -(-now_s // 60)
        if kind is KIND.OUT_OF_SERVICE:
            until[house] = end
        elif kind is KIND.IN_SERVICE:
            until[house] = min(until[house], next_minute)
        found = standing(given_)
        for each in "BD":
            ahead = [found.out_of_service(each, minute) for minute in range(next_minute, next_minute + 25)]
            assert ahead == [minute < until[each] for minute in range(next_minute, next_minute + 25)]
