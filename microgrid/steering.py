"""The house's inner loop: pulses that move its source to the central's target and hold it there (ch. 6).

RAISE and LOWER move a set-point that nobody can read back; what can be read is the exported power, which
follows at the source's own pace and only as far as sun and fuel reach. So a pulse is sized by where the
set-point is believed to be and by how far pulses were seen to reach, the loop waits while the output still
moves towards its goal. Short of it although the set-point is there, either sun and fuel are short or pulses
reach less far than believed: a small pulse is tried, ever more rarely, and taken back if it moved nothing. So
a cloud does not wind the set-point up.
"""

from dataclasses import dataclass

from microgrid.units import SECONDS_PER_MINUTE

# How far one second of pulse moves a source's set-point, where nobody has measured it.
PULSE_GAIN_W_PER_S = 1000
LARGEST_GAIN_W_PER_S = 4 * PULSE_GAIN_W_PER_S
MAX_PULSE_MS = SECONDS_PER_MINUTE * 1000
DEADBAND_W = 10  # the goal is met within this
LEFT_W = 20  # and left beyond this: twice the noise lies between
LOOK_S = 5  # between two looks at where the output goes
AT_REST_W = 15  # an output that moved by less between two looks does not move; noise is below it
LONGEST_WAIT_S = 600
TRIAL_W = 250  # of a pulse beyond where the set-point should be
MOST_UNANSWERED = 5  # doublings of the time after which a pulse that nobody obeyed is sent again: 160 s


def pulse_ms(error_w: int, gain_w_per_s: int = PULSE_GAIN_W_PER_S) -> int:
    """Width of the pulse that moves the set-point by `error_w`: positive to RAISE, negative to LOWER."""
    width_ms = min(MAX_PULSE_MS, abs(error_w) * 1000 // gain_w_per_s)
    return width_ms if error_w > 0 else -width_ms


@dataclass(frozen=True, slots=True)
class Asked:
    """What the central asks: `target_w` until `expires_s`, `fallback_w` from then on."""

    target_w: int
    expires_s: int
    fallback_w: int


class Follower:
    """Steers one source. Times are Unix seconds, powers W exported.

    `limit_w` is the house's own limit: no goal lies beyond it, whatever the central asks.
    """

    def __init__(self, limit_w: int) -> None:
        self.limit_w = limit_w
        self.asked: Asked | None = None
        self._goal_w: int | None = None  # that of the last look
        self._setpoint_w: int | None = None  # where the source is believed to be set; None: nobody knows
        self._trial_w = 0  # of it, what is tried beyond the goal
        self._gain_w_per_s = PULSE_GAIN_W_PER_S  # or more, as far as pulses were seen to reach
        self._raised = False  # whether the output was to be raised by the last pulse
        self._wanted_w = 0  # what it was to change, and from which output on
        self._from_w = 0
        self._look_s = 0  # when to look next
        self._since_s = 0  # since when it is watched where the output goes, and from which output on
        self._seen_w = 0
        self._is_first_look = True  # since then
        self._fruitless = 0  # pulses repeated because nothing moved
        self._arrived = False  # the output came to rest at the goal: noise takes it no more from there

    def goal_w(self, now_s: int) -> int | None:
        """What it steers to: the target, or the safe output once the central is silent; None: nothing."""
        if self.asked is None:
            return None
        wanted_w = self.asked.fallback_w if self.is_safe(now_s) else self.asked.target_w
        return max(0, min(wanted_w, self.limit_w))

    def is_safe(self, now_s: int) -> bool:
        """Whether it holds the safe output because the target was not renewed in time."""
        return self.asked is not None and now_s >= self.asked.expires_s

    def is_met(self, now_s: int, export_w: int) -> bool:
        """Whether the output is where it should be. Who takes power gives nothing: 0."""
        goal_w = self.goal_w(now_s)
        return goal_w is not None and abs(goal_w - max(0, export_w)) <= DEADBAND_W

    def is_set(self, now_s: int, export_w: int) -> bool:
        """Whether nothing is to be sent: the output is where it should be, or the source is set to it."""
        goal_w = self.goal_w(now_s)
        if goal_w is None or self.is_met(now_s, export_w):
            return goal_w is not None
        return self._setpoint_w is not None and abs(goal_w - self._setpoint_w) <= DEADBAND_W

    def pulse(self, now_s: int, export_w: int) -> int:
        """Width in ms of the pulse to send now: positive to RAISE, negative to LOWER, 0: none.

        Say by `answered` what became of it.
        """
        goal_w, export_w = self.goal_w(now_s), max(0, export_w)
        if goal_w is None:
            return 0
        if goal_w != self._goal_w:
            return self._set_out(now_s, goal_w, export_w)
        if now_s < self._since_s:  # the clock was put back
            self._watch(now_s, export_w)
        if now_s < self._look_s:
            return 0
        self._look_s = now_s + LOOK_S
        if abs(goal_w - export_w) <= (LEFT_W if self._arrived else DEADBAND_W):
            self._arrive(now_s, goal_w, export_w)
            return 0
        self._arrived = False
        return self._correct(now_s, goal_w - export_w, export_w)

    def answered(self, obeyed: bool) -> None:
        """What the meter said of the last pulse: that it obeys, or that it cannot, or nothing."""
        self._setpoint_w = self._goal_w if obeyed else None
        if not obeyed:
            self._trial_w = 0
            self._wanted_w = 0  # nothing is to be learnt from it
            self._fruitless = min(self._fruitless, MOST_UNANSWERED)  # nor is anything wound up

    def _set_out(self, now_s: int, goal_w: int, export_w: int) -> int:
        """The first pulse to a new goal: from where the set-point is, also while the output lags behind."""
        self._goal_w, self._arrived = goal_w, False
        error_w = goal_w - (export_w if self._setpoint_w is None else self._setpoint_w)
        error_w -= self._failed_trial_w(export_w)
        if abs(error_w) <= DEADBAND_W:
            self._watch(now_s, export_w)
            return 0
        if (error_w > 0) is not self._raised:
            self._fruitless = 0
        return self._send(now_s, error_w, error_w, export_w)

    def _correct(self, now_s: int, error_w: int, export_w: int) -> int:
        """The next pulse to the same goal, if it is time for one."""
        is_first_look, self._is_first_look = self._is_first_look, False
        to_raise = error_w > 0
        moved_w = export_w - self._seen_w if to_raise else self._seen_w - export_w
        if moved_w >= AT_REST_W:  # still on its way; a slow source is given the longer time it needs
            if is_first_look:
                self._fruitless = 0
            self._watch(now_s, export_w)
            return 0
        if to_raise is self._raised:
            wait_s = min(LONGEST_WAIT_S, LOOK_S << min(self._fruitless, 7))
            if now_s < self._since_s + wait_s and not self._trial_w:
                return 0
            self._fruitless += 1
        else:  # it went past its goal
            self._fruitless = 0
        self._learn(export_w)
        return self._send(now_s, error_w, self._change_w(error_w, export_w), export_w)

    def _change_w(self, error_w: int, export_w: int) -> int:
        """By how much to move the set-point."""
        if error_w < 0:
            tried_w, self._trial_w = self._trial_w, 0
            return min(error_w, -tried_w)
        failed_w = self._failed_trial_w(export_w)
        if failed_w:
            return -failed_w
        if self._setpoint_w is None:
            return error_w
        self._trial_w = min(error_w, TRIAL_W)
        return self._trial_w

    def _failed_trial_w(self, export_w: int) -> int:
        """The trial that is out, if it moved nothing: it is to be taken back. None is out afterwards."""
        tried_w, self._trial_w = self._trial_w, 0
        if 8 * (export_w - self._from_w) < tried_w:
            return tried_w
        if tried_w > 2 * AT_REST_W:  # no noise
            self._fruitless = 0
        return 0

    def _arrive(self, now_s: int, goal_w: int, export_w: int) -> None:
        """The output is at its goal: for good if it rests there, else it may be passing."""
        if abs(export_w - self._seen_w) < AT_REST_W:
            self._setpoint_w, self._wanted_w, self._trial_w, self._arrived = goal_w, 0, 0, True
        self._watch(now_s, export_w)

    def _send(self, now_s: int, error_w: int, change_w: int, export_w: int) -> int:
        self._raised = error_w > 0
        self._wanted_w, self._from_w = change_w, export_w
        self._watch(now_s, export_w)
        return pulse_ms(change_w, self._gain_w_per_s)

    def _watch(self, now_s: int, export_w: int) -> None:
        """See from here on where the output goes."""
        self._since_s, self._seen_w, self._is_first_look = now_s, export_w, True
        self._look_s = now_s + LOOK_S

    def _learn(self, export_w: int) -> None:
        """How far the last pulse reached. Less than was wanted tells nothing: sun or fuel may be short."""
        moved_w = export_w - self._from_w
        if moved_w * self._wanted_w > 0:
            gain = self._gain_w_per_s * moved_w // self._wanted_w
            self._gain_w_per_s = max(PULSE_GAIN_W_PER_S, min(gain, LARGEST_GAIN_W_PER_S))
