"""What a seller is held to: of the targets it was given, the part that stood a response time (5.7.1).

Targets follow demand and may move every few seconds. Were each of them a new beginning, a seller whose
target rises a little every minute would never be held to anything. So the levels are kept that it has
acknowledged and that no later target has fallen short of: to these it is held, since the time of each.

Who has acknowledged a target owes at least that much, and no more than that much. Both are kept side by side:
an output that passes its target to and fro, by noise or on purpose, does not begin anew.
"""

from typing import Self

import msgspec

Levels = tuple[tuple[int, int], ...]
"""Pairs of a target in W and the Unix second since which it is acknowledged, easiest and oldest first."""


class Commitment(msgspec.Struct, frozen=True, gc=False):
    """What one seller has acknowledged. `raised`: it owes at least a level, else it may give at most one."""

    raised: bool
    at_least: Levels = ()
    at_most: Levels = ()

    @property
    def levels(self) -> Levels:
        """Those of the direction that it is looked at in."""
        return self.at_least if self.raised else self.at_most

    def asked(self, target_w: int, raised: bool) -> Self:
        """After a new target or in another direction: nobody is held to more than is asked now."""
        at_least, at_most = _asked(self.at_least, target_w, 1), _asked(self.at_most, target_w, -1)
        if raised is self.raised and at_least is self.at_least and at_most is self.at_most:
            return self
        return type(self)(raised, at_least, at_most)

    def acknowledged(self, target_w: int, at_s: int) -> Self:
        """After the meter acknowledged the target that stands."""
        return type(self)(
            self.raised,
            _acknowledged(self.at_least, target_w, at_s, 1),
            _acknowledged(self.at_most, target_w, at_s, -1),
        )

    def due(self, at_s: int, response_s: int) -> tuple[int, int] | None:
        """The hardest level acknowledged at least a response time before `at_s`, and since when."""
        due = [level for level in self.levels if level[1] + response_s <= at_s]
        return due[-1] if due else None


def _asked(levels: Levels, target_w: int, sign: int) -> Levels:
    """The levels, none harder than the target. `sign`: 1 where more is harder, -1 where less is."""
    if not levels or sign * levels[-1][0] <= sign * target_w:
        return levels
    kept = tuple(level for level in levels if sign * level[0] < sign * target_w)
    return (*kept, (target_w, levels[len(kept)][1]))  # who had acknowledged more has acknowledged this


def _acknowledged(levels: Levels, target_w: int, at_s: int, sign: int) -> Levels:
    if levels and sign * levels[-1][0] >= sign * target_w:
        return levels
    return (*levels, (target_w, at_s))
