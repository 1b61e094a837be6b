"""Each figure of the control loop can fail: minutes made by hand, one thing wrong in each."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from microgrid.columns import OrderColumns, order_columns
from microgrid.minute import Fate, Hold
from microgrid.months import month_minutes
from microgrid.terms import Contract, Obligation, Role, Source
from simulation.loop_figures import LoopFigures, allowed_minutes, loop_figures

KARACHI = ZoneInfo("Asia/Karachi")
NOON = month_minutes("2026-06", KARACHI).start + 12 * 60
MINUTES = 60
STEP = 30  # the minute in which something happens
A, B, D = range(3)
ALLOWED = 3


def seller(house: str, source: Source, obligation: Obligation = Obligation.ALWAYS) -> Contract:
    return Contract(
        house=house, role=Role.PRODUCER, valid_from=NOON - 1440, valid_to=NOON + 1440, max_w=2500, min_w=250,
        price=8_000_000, source=source, obligation=obligation,
    )  # fmt: skip


CONTRACTS = {"B": seller("B", Source.SOLAR, Obligation.DAYLIGHT), "D": seller("D", Source.GENERATOR)}


class Hour:
    """An hour around noon: A takes 2 kW, B gives 1,750 W and D 250 W, as they are asked; nothing moves."""

    def __init__(self, first: int = NOON) -> None:
        self.net_w = np.tile(np.array([-2000, 1750, 250], dtype=np.int64), (MINUTES, 1))
        self.orders: OrderColumns = order_columns(("A", "B", "D"), range(first, first + MINUTES), ())
        self.orders.target_w[:, B], self.orders.target_w[:, D] = 1750, 250
        self.orders.command_id[:, B], self.orders.command_id[:, D] = 1, 2
        self.orders.fate[:, B:] = Fate.MET

    def command(self, minute: int, house: int, target_w: int) -> None:
        """A new target from this minute on."""
        self.orders.command_id[minute:, house] = self.orders.command_id.max() + 1
        self.orders.target_w[minute:, house] = target_w

    def moves(self, minute: int, house: int, power_w: int) -> None:
        """A new power from this minute on."""
        self.net_w[minute:, house] = power_w

    @property
    def figures(self) -> LoopFigures:
        return loop_figures(self.net_w, self.orders, CONTRACTS, KARACHI, ALLOWED)


def stepped(late: int) -> Hour:
    """A takes half as much again; so many minutes later D gives it."""
    hour = Hour()
    hour.moves(STEP, A, -3000)
    hour.command(STEP + late, D, 1250)
    hour.moves(STEP + late, D, 1250)
    return hour


def test_a_still_hour_is_balanced_and_idle():
    figures = Hour().figures
    assert figures == LoopFigures(
        steps=(), longest_recovery=0, longest_stand_in=0, longest_excess=0, unbalanced=(),
        idle_minutes=MINUTES - ALLOWED - 1, idle_commands=0, commands=0, import_kwh=0, spill_kwh=0,
        solar_kwh=1.75, generator_kwh=0.25,
    )  # fmt: skip


@pytest.mark.parametrize("late", [1, 2, 7])
def test_recovery_counts_from_the_step_until_balance(late):
    figures = stepped(late).figures
    assert (figures.steps, figures.longest_recovery) == ((STEP,), late)
    assert figures.import_kwh == pytest.approx(late / 60)
    assert figures.unbalanced == tuple(range(STEP + ALLOWED + 1, STEP + late))


def test_a_step_that_is_never_answered_counts_to_the_end():
    hour = Hour()
    hour.moves(STEP, A, -3000)
    assert hour.figures.longest_recovery == MINUTES - STEP
    assert len(hour.figures.unbalanced) == MINUTES - STEP - ALLOWED - 1


def test_a_change_by_a_fifth_is_no_step():
    hour = Hour()
    hour.moves(STEP, A, -2500)
    assert not hour.figures.steps
    hour.moves(STEP, A, -2501)
    assert hour.figures.steps == (STEP,)


def test_spill_is_out_of_balance_as_import_is():
    hour = Hour()
    hour.moves(STEP, A, -1000)
    figures = hour.figures
    assert figures.longest_recovery == MINUTES - STEP
    assert figures.spill_kwh == pytest.approx((MINUTES - STEP) / 60)
    assert figures.import_kwh == 0


@pytest.mark.parametrize(("off_w", "balanced"), [(40, True), (41, False), (-39, True), (-40, False)])
def test_balance_is_kept_within_two_percent(off_w, balanced):
    hour = Hour()
    hour.moves(STEP, A, -2000 - off_w)
    assert (hour.figures.unbalanced == ()) is balanced


def test_who_gives_all_it_can_is_an_excuse_for_import_and_not_for_spill():
    hour = stepped(1)
    hour.moves(STEP, A, -5500)
    hour.moves(STEP, B, 2500)
    hour.moves(STEP, D, 2500)
    hour.orders.target_w[STEP:, B:] = 2500
    assert hour.figures.unbalanced == ()
    hour.moves(STEP, A, -4000)
    assert hour.figures.unbalanced != ()


def test_who_gives_its_least_is_an_excuse_for_spill():
    hour = Hour()
    hour.moves(0, A, -100)
    hour.moves(0, B, 250)
    hour.orders.target_w[:, B] = 250
    assert hour.figures.unbalanced == ()


@pytest.mark.parametrize("hold", [Hold.CAP, Hold.OPERATOR])
def test_who_is_held_is_an_excuse(hold):
    hour = Hour()
    hour.moves(0, A, -3000)
    hour.orders.hold[:, B:] = hold
    assert hour.figures.unbalanced == ()
    hour.orders.hold[:, B:] = Hold.SHARING
    assert hour.figures.unbalanced != ()


def test_that_nobody_asked_is_no_excuse():
    hour = Hour()
    hour.moves(0, A, -3000)
    hour.orders.fate[:, B:] = Fate.NONE
    hour.orders.target_w[:, B:] = -1
    assert hour.figures.unbalanced != ()


def test_by_night_a_solar_seller_need_not_be_asked():
    hour = Hour(NOON + 11 * 60)
    hour.moves(0, B, -300)
    hour.moves(0, D, 2500)
    hour.moves(0, A, -3000)
    hour.orders.fate[:, B], hour.orders.target_w[:, B] = Fate.NONE, -1
    hour.orders.target_w[:, D] = 2500
    assert hour.figures.unbalanced == ()


def test_commands_while_nothing_moves_are_hunting():
    hour = Hour()
    for minute in range(STEP, STEP + 10, 2):
        hour.command(minute, B, 1750)
    figures = hour.figures
    assert (figures.commands, figures.idle_commands) == (5, 5)


def test_commands_within_what_the_loop_needs_after_a_step_are_not():
    hour = stepped(1)
    hour.command(STEP + ALLOWED, B, 1750)
    assert (hour.figures.commands, hour.figures.idle_commands) == (2, 0)
    hour.command(STEP + ALLOWED + 1, B, 1750)
    assert (hour.figures.commands, hour.figures.idle_commands) == (3, 1)


@pytest.mark.parametrize("disturbance", ["demand", "who follows", "the operator", "nightfall"])
def test_what_moves_the_loop_ends_idleness(disturbance):
    hour = Hour(NOON + 7 * 60 + 20 - STEP if disturbance == "nightfall" else NOON)
    if disturbance == "demand":
        hour.moves(STEP, A, -2006)
    elif disturbance == "who follows":
        hour.orders.fate[STEP:, D] = Fate.UNMET
        hour.orders.target_w[STEP:, D] = 400
    elif disturbance == "the operator":
        hour.orders.hold[STEP:, D] = Hold.OPERATOR
    hour.command(STEP + 1, B, 1750)
    assert (hour.figures.commands, hour.figures.idle_commands) == (1, 0)


@pytest.mark.parametrize("fate", [Fate.UNMET, Fate.REFUSED, Fate.UNANSWERED])
def test_others_stand_in_for_who_falls_away(fate):
    hour = Hour()
    hour.moves(STEP, B, 0)
    hour.orders.fate[STEP:, B] = fate
    assert hour.figures.longest_stand_in == MINUTES - STEP
    hour.command(STEP + 4, D, 2000)
    hour.moves(STEP + 4, D, 2000)
    assert hour.figures.longest_stand_in == 4
    assert not hour.figures.steps


def test_the_sun_that_rises_all_the_time_is_one_minute_ahead():
    hour = Hour()
    rising_w = np.arange(MINUTES) * 30
    hour.net_w[:, B] = 200 + rising_w
    hour.net_w[:, D] = 1830 - rising_w  # follows what it saw a minute ago
    hour.orders.target_w[:, D] = hour.net_w[:, D]
    hour.orders.fate[:, B], hour.orders.target_w[:, B] = Fate.UNMET, 2500
    assert hour.figures.longest_stand_in == 0


def test_who_gives_more_than_it_was_asked_for_is_seen():
    hour = Hour()
    hour.net_w[STEP : STEP + 9, B] = 2100
    hour.orders.fate[STEP : STEP + 9, B] = Fate.UNMET
    assert hour.figures.longest_excess == 9
    hour.net_w[STEP + 4, B] = 1750
    assert hour.figures.longest_excess == 4
    hour.orders.target_w[:, B] = -1
    assert hour.figures.longest_excess == 0


def test_what_is_allowed_are_the_slowest_ramp_and_two_control_steps():
    assert allowed_minutes(CONTRACTS.values(), {"B": 5000, "D": 3000}, 1) == 3
    assert allowed_minutes(CONTRACTS.values(), {"B": 5000, "D": 1000}, 1) == 5
    assert allowed_minutes(CONTRACTS.values(), {"B": 5000, "D": 3000}, 5) == 11
    assert allowed_minutes((), {}, 1) == 2
