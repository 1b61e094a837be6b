"""What a seller is held to: of the targets it was given, the part that stood a response time (5.7.1).

Targets follow demand and may move every few seconds. Were each of them a new beginning, a seller whose
target rises a little every minute would never be held to anything. So the levels are kept that it has
acknowledged and that no later target has fallen short of: to these it is held, since the time of each.
"""

from typing import Self

import msgspec


class Commitment(msgspec.Struct, frozen=True, gc=False):
    """The levels of one seller in one direction, easiest (and oldest) first: (target in W, since Unix s).

    Raised, a seller is held to *at least* a level, lowered to *at most*.
    """

    raised: bool
    levels: tuple[tuple[int, int], ...] = ()

    def asked(self, target_w: int, raised: bool) -> Self:
        """After a new target: nobody is held to more than is asked now; another direction begins anew."""
        if raised is not self.raised:
            return type(self)(raised)
        if not self.levels or self._easier(self.levels[-1][0], target_w):
            return self
        kept = [level for level in self.levels if self._easier(level[0], target_w)]
        kept.append((target_w, self.levels[len(kept)][1]))  # who had acknowledged more has acknowledged this
        return type(self)(raised, tuple(kept))

    def acknowledged(self, target_w: int, at_s: int) -> Self:
        """After the meter acknowledged the target that stands."""
        if self.levels and not self._easier(self.levels[-1][0], target_w):
            return self
        return type(self)(self.raised, (*self.levels, (target_w, at_s)))

    def due(self, at_s: int, response_s: int) -> tuple[int, int] | None:
        """The hardest level acknowledged at least a response time before `at_s`, and since when."""
        due = [level for level in self.levels if level[1] + response_s <= at_s]
        return due[-1] if due else None

    def _easier(self, level_w: int, target_w: int) -> bool:
        return level_w < target_w if self.raised else level_w > target_w
