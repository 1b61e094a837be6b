"""Days of the closed loop in real processes, judged as the documentation judges them.

Whole days are long; the hours around a step, a trip and an order of the operator are lived by every test run.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microgrid.minute import Fate, Hold
from microgrid.units import SECONDS_PER_MINUTE
from simulation.days import DAYS, Day
from tests.e2e.lived import DayTown, Lived
from tests.e2e.processes import run
from tests.e2e.truth import billed

Live = Callable[..., DayTown]

ALLOWED = 3  # minutes: what the slowest ramp takes, and two control steps
NOTICED = 2  # minutes until a seller that does not follow is noticed
MIN_W = 250
TREMBLES_WS = 3 * SECONDS_PER_MINUTE  # by which a seller at its target falls short of it in a minute
BY_SKY_AND_LOAD = ("june", "december", "clouds")  # days on which something moves nearly all the time


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Makes a neighbourhood whose processes end with the test."""
    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(DayTown(tmp_path, *given, **named))


def ended(town: DayTown) -> Lived:
    """What was lived; the same as in memory, to the byte, and sound."""
    town.stop_all()
    lived = town.lived()
    lived.assert_sound(town)
    assert billed(town.database, town.month_name) == town.remembered()
    return lived


def assert_balanced(lived: Lived, span: slice) -> None:
    """Import and spill are below 2 % of demand in these minutes, or below the deadband."""
    demand_w = np.maximum(-lived.net_w, 0).sum(axis=1)
    assert (np.abs(lived.import_w) <= np.maximum(25, demand_w // 50))[span].all()


@pytest.mark.long
@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name)
def test_a_day_is_held(live: Live, day: Day) -> None:
    town = live(day.grid or day.name, day.month)
    town.play_to(24)
    figures = ended(town).figures
    assert not figures.unbalanced
    assert figures.longest_stand_in <= ALLOWED
    # A seller that cannot follow the step itself must be noticed first.
    assert figures.longest_recovery <= ALLOWED + (NOTICED if day.name in BY_SKY_AND_LOAD else 0)
    assert figures.longest_excess <= (ALLOWED if day.name != "deaf" else 30)
    if day.name not in BY_SKY_AND_LOAD:
        assert figures.idle_commands == 0
        assert figures.idle_minutes > 1000


@pytest.mark.parametrize("up", [9, 22], ids=["by day", "by night"])
def test_after_a_step_by_half_the_loop_is_balanced_at_once_and_rests(live: Live, up: int) -> None:
    down = up + 1
    town = live("steps", minute=up * 60 - 10)
    town.play_to(down, 10)
    lived = ended(town)
    figures = lived.figures
    assert figures.steps[-2:] == (town.at(up), town.at(down))
    demand_w = np.maximum(-lived.net_w, 0).sum(axis=1)
    for step, change in ((town.at(up), 1.5), (town.at(down), 0.5)):
        assert demand_w[step] == pytest.approx(demand_w[step - 1] * change, rel=0.01)
        assert_balanced(lived, slice(step + ALLOWED, step + 10))
    assert figures.longest_recovery <= ALLOWED
    assert figures.unbalanced == ()
    assert (figures.idle_commands, figures.idle_minutes > 60) == (0, True)
    by_day = up == 9
    assert lived.power_w("D")[town.at(up) + 1] == pytest.approx(1050 if by_day else 2400, abs=25)
    assert lived.power_w("D")[town.at(up) + 5] == pytest.approx(MIN_W if by_day else 2400, abs=25)


def test_who_is_stuck_tripped_or_deaf_is_noticed_and_told_apart(live: Live) -> None:
    faults = {"B": ["stuck@7-18", "deaf@60-82"], "D": ["tripped@30-45"]}
    town = live("steps", minute=15 * 60 + 50, faults=faults)
    town.play_to(17, 16)
    lived = ended(town)
    assert_nobody_can_stand_in_for_who_is_stuck(town, lived)
    assert_stood_in_for_who_tripped(town, lived)
    assert_stood_in_for_who_is_deaf(town, lived)
    assert not lived.figures.unbalanced


def assert_nobody_can_stand_in_for_who_is_stuck(town: DayTown, lived: Lived) -> None:
    """At 16:00 half is taken: B cannot be lowered, and D gives its least already."""
    stuck = slice(town.at(16, 3), town.at(16, 8))
    assert lived.fates("B", stuck) == {Fate.UNMET}
    assert (lived.import_w[stuck] < -1000).all()
    assert_balanced(lived, slice(town.at(16, 14), town.at(16, 20)))


def assert_stood_in_for_who_tripped(town: DayTown, lived: Lived) -> None:
    """At 16:20 D trips: B gives what it gave and D consumes, and D's minimum is owed all the time."""
    tripped = slice(town.at(16, 21), town.at(16, 35))
    assert lived.fates("D", tripped) == {Fate.REFUSED}
    assert_balanced(lived, slice(town.at(16, 20) + ALLOWED, town.at(16, 35)))
    assert lived.power_w("B")[town.at(16, 30)] == pytest.approx(1550, abs=25)
    assert (lived.of("D", lived.penalty_ws)[tripped] >= MIN_W * SECONDS_PER_MINUTE).all()
    assert (lived.of("B", lived.penalty_ws)[tripped] < TREMBLES_WS).all()
    assert_balanced(lived, slice(town.at(16, 42), town.at(16, 50)))
    assert lived.fates("D", slice(town.at(16, 42), town.at(16, 50))) == {Fate.MET}


def assert_stood_in_for_who_is_deaf(town: DayTown, lived: Lived) -> None:
    """At 17:00 a third more is taken: D gives it, is to hand it to B, and takes it back."""
    deaf = slice(town.at(17, 2), town.at(17, 12))
    assert lived.fates("B", deaf) == {Fate.UNANSWERED}
    assert_balanced(lived, slice(deaf.start + NOTICED, deaf.stop))
    assert lived.power_w("D")[town.at(17, 10)] == pytest.approx(650, abs=25)
    assert (lived.of("B", lived.penalty_ws)[deaf] < TREMBLES_WS).all()  # its meter was not told of more
    assert lived.power_w("B")[town.at(17, 14)] == pytest.approx(1350, abs=25)  # it hears again


def order(kind: str, **details: Any) -> dict[str, Any]:
    return {"kind": kind, "author": "Ada", "note": "a test", **details}


def give(town: DayTown, minutes: int, **powers_w: int) -> None:
    """Live so many minutes; then the meters of these sellers measure these powers."""
    town.play(minutes)
    records = town.records()
    measured_w = {house: records[house][-1].max_w for house in powers_w}
    assert measured_w == pytest.approx(powers_w, abs=25)


def restart_central(town: DayTown) -> None:
    """Its power fails, and it is started again on what is on its disk."""
    town.kill("central")
    town.start_central()
    town.play_until_linked(*town.houses)


def test_the_operator_steers_whatever_happens_to_the_central(live: Live) -> None:
    town = live("steps", minute=10 * 60 + 20)
    give(town, 15, B=950, D=MIN_W)
    town.play_with(order("strategy", strategy="sharing off"))
    give(town, 4, B=600, D=600)
    restart_central(town)
    give(town, 4, B=600, D=600)
    town.play_with(order("strategy", strategy="day time"))
    give(town, 4, B=950, D=MIN_W)
    held = town.now
    town.play_with(order("hold", house="B", target_w=500))
    give(town, 4, B=500, D=700)
    town.play_with(order("release", house="B"))
    give(town, 4, B=950, D=MIN_W)
    out = town.now
    town.play_with(order("out of service", house="D", until_minute=out + 300))
    give(town, 4, B=1200, D=0)
    restart_central(town)
    give(town, 4, B=1200, D=0)
    back = town.now
    town.play_with(order("in service", house="D"))
    give(town, 4, B=950, D=MIN_W)
    town.stop_all()
    lived = town.lived()
    lived.assert_sound(town, orders_missing=True)
    by_hand = lived.orders.hold == Hold.OPERATOR
    assert lived.of("B", by_hand).sum() in (4, 5)
    first = town.minutes.start
    assert lived.of("B", by_hand)[held - first + 1]
    recorded = lived.of("D", lived.orders.present)  # without a central nobody wrote that D is out of service
    span = np.flatnonzero(recorded[: back - first])
    span = span[span > out - first]
    assert lived.of("D", lived.orders.out_of_service)[span].all()
    assert lived.of("D", lived.penalty_ws)[span].sum() == 0
    assert len(span) >= 7


def test_without_a_central_houses_go_to_their_safe_output_until_it_is_back(live: Live) -> None:
    town = live("steps", minute=13 * 60 + 40)
    give(town, 15, B=1350, D=MIN_W)
    town.kill("central")
    give(town, 1, B=1350, D=MIN_W)  # what it said last still holds
    give(town, 4, B=MIN_W, D=MIN_W)
    give(town, 5, B=MIN_W, D=MIN_W)
    town.start_central()
    town.play_until_linked(*town.houses)
    give(town, 6, B=2150, D=MIN_W)  # more is taken since 14:00
    town.stop_all()
    lived = town.lived()
    lived.assert_sound(town, orders_missing=True)


def test_a_day_is_drawn_and_its_figures_are_printed_by_one_command(tmp_path: Path) -> None:
    ended = run(("-m", "simulation.days"), "above-maxima", "--memory", "--out", tmp_path / "charts")
    assert (ended.returncode, ended.stderr) == (0, "")
    head, rule, row = ended.stdout.splitlines()
    assert head.startswith("| day | steps of demand |")
    assert row.startswith("| above-maxima | 2 | 1 | 0 | 0 | 0 |")
    assert head.count("|") == rule.count("|") == row.count("|")
    assert [file.name for file in (tmp_path / "charts").iterdir()] == ["above-maxima.png"]


def test_a_day_that_there_is_not_is_refused_in_a_sentence(tmp_path: Path) -> None:
    ended = run(("-m", "simulation.days"), "july", "--out", tmp_path)
    assert ended.returncode == 2
    assert "there is no day 'july'" in ended.stderr.splitlines()[-1]
