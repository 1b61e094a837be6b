"""Who follows, and who is noticed as unable to: no sun, no fuel, stuck, deaf."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid.dispatch.following import Asked, Following, tolerance_w

DEADBAND_W, PATIENCE_S = 25, 60
MET = Following(2000, 2000)  # it has been at its target


def lived(
    outputs: Iterable[int], target_w: int = 2000, *, step_s: int = 10, begun: Following | None = None,
    given_s: int = 0, unheeded: bool = False,
) -> list[Following]:  # fmt: skip
    """After each of these outputs, a control step apart, under a target given at once."""
    following, states = begun or Following(0), []
    asked = Asked(target_w, given_s, unheeded)
    for number, export_w in enumerate(outputs):
        following = following.seen(asked, export_w, number * step_s, DEADBAND_W, PATIENCE_S, step_s)
        states.append(following)
    return states


def noticed(states: list[Following]) -> list[int | None]:
    return [state.unable_since_s for state in states]


def test_who_is_at_its_target_follows():
    assert lived([2000, 1961, 2039, 1960]) == [Following(w, 2000) for w in (2000, 1961, 2039, 1960)]


@pytest.mark.parametrize(("target_w", "expected"), [(0, 25), (100, 25), (1250, 25), (1300, 26), (2000, 40)])
def test_at_the_target_is_within_a_fiftieth_or_the_deadband(target_w: int, expected: int):
    assert tolerance_w(target_w, DEADBAND_W) == expected


def test_without_a_deadband_a_house_rests_as_near_as_it_can():
    assert tolerance_w(100, 0) == 25


def test_who_does_not_reach_a_new_target_is_noticed_after_the_patience():
    assert noticed(lived([0] * 10)) == [None] * 6 + [60] * 4


def test_patience_is_counted_from_when_the_target_was_given():
    assert noticed(lived([0] * 5, given_s=-40)) == [None] * 2 + [20] * 3


@pytest.mark.parametrize("step_s", [10, 60, 300])
def test_who_falls_off_a_target_it_had_met_is_noticed_a_step_later(step_s: int):
    """A trip, a cloud: there is nothing to wait for."""
    assert noticed(lived([500, 500, 500], begun=MET, step_s=step_s)) == [None, step_s, step_s]


def test_a_new_target_gives_new_patience_to_who_met_the_last():
    assert noticed(lived([1000] * 8, begun=Following(1000, 1000))) == [None] * 6 + [60] * 2


@pytest.mark.parametrize("begun", [Following(0), Following(0, 0)])
def test_who_refuses_or_does_not_answer_is_not_waited_for(begun: Following):
    assert noticed(lived([0, 0], begun=begun, unheeded=True)) == [0, 0]
    # An order that is met needs no answer.
    assert noticed(lived([2000, 2000], begun=begun, unheeded=True)) == [None, None]


def test_who_is_on_its_way_is_waited_for():
    """A quarter of what is missing from one step to the next, for as long as it takes."""
    coming, export_w = [], 0
    while export_w < 1960:
        export_w += max(20, (2000 - export_w) // 4)
        coming.append(export_w)
    states = lived(coming)
    assert len(states) * 10 > PATIENCE_S
    assert noticed(states) == [None] * len(states)
    assert states[-1] == Following(coming[-1], 2000)


def test_creeping_is_not_coming():
    """Fifty watts a step of two thousand: others are asked before it gets there."""
    states = lived(range(50, 1000, 50))
    assert noticed(states)[6:] == [60] * (len(states) - 6)


@pytest.mark.parametrize("begun", [Following(0), MET])
def test_going_to_and_fro_is_not_coming(begun: Following):
    """A fifth nearer at every second look: it would be waited for for ever."""
    assert noticed(lived([0, 500] * 8, begun=begun))[-1] is not None


def test_who_recovers_from_a_dip_is_on_its_way():
    assert noticed(lived([500, 1000, 1500, 1900, 1990], begun=MET)) == [None] * 5


def test_moving_away_is_not_coming():
    assert noticed(lived([1500, 1200, 900, 600, 300, 0, 0, 0], begun=Following(1500)))[-2:] == [60, 60]


def test_an_output_above_its_target_is_looked_at_alike():
    assert noticed(lived([2500] * 8, 1000, begun=Following(2500)))[-2:] == [60, 60]
    falling = lived([2000, 1600, 1300, 1100, 1020], 1000, begun=Following(2500))
    assert noticed(falling) == [None] * 5
    assert falling[-1] == Following(1020, 1000)


def test_unable_ends_well_inside_the_tolerance_only():
    """At the edge it would be unable and able again with every breath."""
    states = lived([0] * 7 + [1961, 1979, 1981, 1961])
    assert noticed(states)[6:] == [60, 60, 60, None, None]


def test_who_has_shown_nothing_yet_or_does_not_follow_cannot_be_counted_on():
    assert Following(0).is_unproven
    assert not Following(0).counts
    assert not MET.is_unproven
    assert MET.counts
    fallen = lived([0, 0], begun=MET)
    assert [state.counts for state in fallen] == [True, False]
    assert not fallen[-1].is_unproven


OUTPUTS = st.lists(st.integers(0, 3000), max_size=30)


@given(OUTPUTS, st.integers(0, 3000), st.sampled_from([10, 60, 300]), st.sampled_from([Following(0), MET]))
def test_never_noticed_at_the_target_and_never_before_a_step_is_over(
    outputs: list[int], target_w: int, step_s: int, begun: Following
):
    states = lived(outputs, target_w, step_s=step_s, begun=begun)
    away_since: int | None = None
    for number, (export_w, state) in enumerate(zip(outputs, states, strict=True)):
        now_s, error_w = number * step_s, abs(export_w - target_w)
        if error_w <= tolerance_w(target_w, DEADBAND_W) // 2:
            assert state == Following(export_w, target_w)
        if error_w <= tolerance_w(target_w, DEADBAND_W):
            away_since = None
            continue
        away_since = now_s if away_since is None else away_since
        if state.unable_since_s == now_s:
            assert now_s >= step_s
        assert state.off_since_s is not None


@given(st.lists(st.integers(0, 1899), min_size=8, max_size=8).map(lambda steps: sorted(steps, reverse=True)))
def test_whoever_never_rises_is_always_noticed(outputs: list[int]):
    assert lived(outputs, begun=Following(outputs[0]))[6].unable_since_s is not None
