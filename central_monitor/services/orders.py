"""The order a seller stands under, and what became of it."""

from dataclasses import dataclass

import msgspec

from microgrid.commitment import Commitment
from microgrid.dispatch.following import Following, tolerance_w
from microgrid.minute import Fate, Hold

ANSWER_S = 15  # for the house to pass a target on and for its meter to acknowledge it


@dataclass(frozen=True, slots=True)
class HouseReading:
    """What the controller knows of a house now: exchanged power (signed W), breaker and link."""

    exchange_w: int
    connected: bool
    linked: bool

    @property
    def export_w(self) -> int:
        """What it gives."""
        return max(0, self.exchange_w)


class Order(msgspec.Struct, frozen=True, gc=False):
    """The order a seller stands under. `raised`: it was told to give more than it gave.

    `command_id` is that of the target, `given_s` when it was first sent, `owing_s` since when an answer is
    owed: targets that replace unanswered ones do not give more time. `refused`: the meter cannot obey.
    `over_since_s`: since when it is above its target at every look; None: it is not. `whole_since_s`: since
    when it is asked for its contract's minimum at least; None: it is asked for less.
    """

    command_id: int
    target_w: int
    hold: Hold
    raised: bool
    given_s: int
    owing_s: int
    fallback_w: int
    commitment: Commitment
    following: Following
    acknowledged_s: int | None = None
    refused: bool = False
    answer: str = ""
    over_since_s: int | None = None
    whole_since_s: int | None = None

    def unanswered(self, now_s: int) -> bool:
        """Whether the time to answer is over and no word has come."""
        return self.acknowledged_s is None and now_s - self.owing_s >= ANSWER_S

    def stands_as_raise(self, begin_s: int) -> bool:
        """Whether it owed its target from `begin_s` on: unless it had to be lowered, or is held by the cap.

        It had to be lowered if it was above at every look: a moment above the target would be the way out of
        every raise.
        """
        is_lowered = self.over_since_s is not None and self.over_since_s <= begin_s
        return not is_lowered and (self.raised or self.hold is not Hold.CAP)


def fate(order: Order, export_w: int, now_s: int, deadband_w: int, response_s: int) -> Fate:
    """What has become of the order by now, at this output."""
    if order.refused:
        return Fate.REFUSED
    if order.acknowledged_s is None:
        return Fate.UNANSWERED if order.unanswered(now_s) else Fate.SENT
    if abs(order.target_w - export_w) <= tolerance_w(order.target_w, deadband_w):
        return Fate.MET
    due = order.commitment.due(now_s, response_s)
    if due is not None and _short_w(order, due[0], export_w) > tolerance_w(due[0], deadband_w):
        return Fate.UNMET
    return Fate.LATE if order.acknowledged_s - order.owing_s >= ANSWER_S else Fate.FOLLOWING


def _short_w(order: Order, level_w: int, export_w: int) -> int:
    """By how much the output is on the wrong side of a level."""
    return level_w - export_w if order.raised else export_w - level_w
