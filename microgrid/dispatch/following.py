"""Who follows its targets and who cannot: no sun, no fuel, a stuck or deaf source.

A seller that does not follow is noticed, and others are asked in its place; what it is held to stands.
"""

from typing import NamedTuple

import msgspec

TOLERANCE_PERCENT = 2  # of the target; at least the deadband, and
LEAST_TOLERANCE_W = 25  # whatever the deadband: a house's own loop rests within 10 W, and outputs tremble
PROGRESS_PERCENT = 20  # of what is missing: who comes nearer by less from one step to the next is not coming


class Asked(NamedTuple):
    """The target a seller stands under, since when, and whether it refuses it or has not answered in time."""

    target_w: int
    given_s: int
    unheeded: bool


class Following(msgspec.Struct, frozen=True, gc=False):
    """How one seller follows. Times are Unix seconds, powers W exported."""

    nearest_w: int  # to its target since it was away from it; at the last step if it was there
    met_w: int | None = None  # the target it met last
    off_since_s: int | None = None  # away from its target and not on its way; None: it is there, or coming
    unable_since_s: int | None = None  # noticed as not following; None: it follows

    @property
    def is_unproven(self) -> bool:
        """Whether it has met no target yet since it is steered."""
        return self.met_w is None

    @property
    def counts(self) -> bool:
        """Whether its target can be counted on; else only what it gives."""
        return self.met_w is not None and self.unable_since_s is None

    def seen(
        self, asked: Asked, export_w: int, now_s: int, deadband_w: int, patience_s: int, step_s: int
    ) -> "Following":
        """At the next control step, `step_s` after the one before.

        Who does not reach a new target is noticed after `patience_s`; who falls off one that it had met has
        nothing to wait for but the next step, who refuses or does not answer not even that. It is able again
        well inside the tolerance.
        """
        target_w = asked.target_w
        tolerance = tolerance_w(target_w, deadband_w)
        error_w = abs(target_w - export_w)
        if error_w <= (tolerance if self.unable_since_s is None else tolerance // 2):
            return Following(export_w, target_w)
        # Nearer than ever: who goes to and fro is not on its way.
        nearest_error_w = abs(target_w - self.nearest_w)
        coming = (nearest_error_w - error_w) * 100 >= PROGRESS_PERCENT * max(1, nearest_error_w)
        off_since_s = self.off_since_s
        nearest_w = export_w if off_since_s is None or error_w < nearest_error_w else self.nearest_w
        fell_off = self.met_w is not None and abs(target_w - self.met_w) <= tolerance
        if off_since_s is None or coming:
            off_since_s = now_s if coming or fell_off else asked.given_s
        unable_since_s = self.unable_since_s
        waited = now_s - off_since_s >= (step_s if fell_off else patience_s)
        if unable_since_s is None and (waited or asked.unheeded):
            unable_since_s = now_s
        return Following(nearest_w, self.met_w, off_since_s, unable_since_s)


def tolerance_w(target_w: int, deadband_w: int) -> int:
    """How far from its target a seller is still there."""
    return max(LEAST_TOLERANCE_W, deadband_w, target_w * TOLERANCE_PERCENT // 100)
