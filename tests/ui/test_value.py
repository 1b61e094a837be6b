"""The value widget: five states that cannot be mistaken for each other, and a place that never moves."""

from itertools import combinations

import numpy as np
import pytest

from microgrid.sample import Quality
from node.qt.format import MINUS, Quantity, number
from node.qt.theme import DARK, LIGHT, load_theme
from node.qt.value import Reading, ValueState, ValueWidget, state_note, state_of
from tests.ui.images import grey, picture

KW = Quantity(f"{MINUS}99.99", "kW")


@pytest.fixture
def value(qtbot):
    widget = ValueWidget(KW, 20)
    qtbot.addWidget(widget)
    widget.resize(160, 44)
    return widget


def shown(widget, text, state, note=""):
    widget.set_reading(Reading(Quantity(text, "kW"), state, note))
    return picture(widget)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_states_differ_from_each_other_and_from_zero_in_greyscale(value, theme):
    value.set_theme(load_theme(theme))
    pictures = {state: grey(shown(value, "0.00", state)) for state in ValueState}
    for one, other in combinations(ValueState, 2):
        differing = np.abs(pictures[one] - pictures[other]) > 25
        assert differing.sum() > 60, (one, other)


def test_every_bad_state_differs_from_good_outside_its_text(value):
    # Ground or outline must tell as well, not only the letters.
    good = grey(shown(value, "0.00", ValueState.GOOD))
    for state in set(ValueState) - {ValueState.GOOD}:
        other = grey(shown(value, "0.00", state))
        assert (np.abs(good - other)[:, :30] > 15).sum() > 20, state


def test_disconnected_never_shows_the_last_number():
    assert Reading(Quantity("1.25", "kW"), ValueState.DISCONNECTED).shown == "—"
    assert Reading(Quantity("1.25", "kW"), ValueState.ESTIMATED).shown == "≈1.25"
    assert Reading(Quantity("1.25", "kW"), ValueState.BAD).shown == "?1.25"


def test_age_is_told_unless_the_value_is_good():
    assert state_note(ValueState.GOOD, 0.3) == ""
    for state in set(ValueState) - {ValueState.GOOD}:
        assert "2 min 10 s" in state_note(state, 130.0)
    assert state_note(ValueState.DISCONNECTED, None) == "never heard"


def test_state_follows_quality_while_present():
    assert state_of(Quality.STALE, present=True) is ValueState.STALE
    assert state_of(Quality.GOOD, present=False) is ValueState.DISCONNECTED


def test_place_does_not_depend_on_the_value(value):
    hints, ends = set(), set()
    for amount in (0.0, 7.5, -99.9):
        pixels = shown(value, number(amount, 2, signed=True), ValueState.GOOD)
        hints.add((value.sizeHint().toTuple(), value.minimumSizeHint().toTuple()))
        ground = pixels[0, 0]
        dark = np.abs(pixels.astype(int) - ground).sum(axis=2) > 60
        ends.add((int(np.flatnonzero(dark.any(axis=0))[-1]), int(np.flatnonzero(dark.any(axis=1))[0])))
        unit = pixels[:, 130:]
        hints.add(unit.tobytes())
    assert len(ends) == 1
    assert len(hints) == 2  # one pair of hints, one picture of the unit


def test_a_number_too_wide_is_written_smaller_not_cut(value):
    text = number(-98_765_432.1, 1)
    pixels = shown(value, text, ValueState.GOOD)
    dark = grey(pixels) < 120
    assert dark.any()
    assert not dark[:, :3].any(), "the number touches the left edge"
