"""Who follows its targets and who cannot: no sun, no fuel, a stuck or deaf source.

A seller that does not follow is noticed, and others are asked in its place; what it is held to stands.
"""

import msgspec

TOLERANCE_PERCENT = 5  # of the target; at least twice the deadband
PROGRESS_PERCENT = 20  # of what is missing: who moves by less from one step to the next is not on its way


class Following(msgspec.Struct, frozen=True, gc=False):
    """How one seller follows. Times are Unix seconds, powers W exported."""

    seen_w: int  # at the last step
    off_since_s: int | None = None  # away from its target and not on its way; None: it is there, or coming
    unable_since_s: int | None = None  # noticed as not following; None: it follows

    def seen(self, target_w: int, export_w: int, now_s: int, deadband_w: int, patience_s: int) -> "Following":
        """After another step: noticed once it has been off for `patience_s`, and able again at its target."""
        if abs(target_w - export_w) <= tolerance_w(target_w, deadband_w):
            return Following(export_w)
        towards_w = export_w - self.seen_w if target_w > export_w else self.seen_w - export_w
        coming = towards_w * 100 >= PROGRESS_PERCENT * abs(target_w - self.seen_w)
        off_since_s = now_s if self.off_since_s is None or coming else self.off_since_s
        unable_since_s = self.unable_since_s
        if unable_since_s is None and now_s - off_since_s >= patience_s:
            unable_since_s = now_s
        return Following(export_w, off_since_s, unable_since_s)


def tolerance_w(target_w: int, deadband_w: int) -> int:
    """How far from its target a seller is still there."""
    return max(2 * deadband_w, target_w * TOLERANCE_PERCENT // 100)
