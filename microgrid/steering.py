"""The house's inner loop: the pulse that moves its source towards the central's target (ch. 6)."""

from microgrid.units import SECONDS_PER_MINUTE

# How far one second of pulse moves a source's set-point, where nobody has measured it.
PULSE_GAIN_W_PER_S = 1000
MAX_PULSE_MS = SECONDS_PER_MINUTE * 1000


def pulse_ms(target_w: int, export_w: int, deadband_w: int, gain_w_per_s: int = PULSE_GAIN_W_PER_S) -> int:
    """Width of the pulse to send: positive to RAISE, negative to LOWER, 0 within the deadband.

    `gain_w_per_s` is how far one second of pulse moves the source's set-point.
    """
    error_w = target_w - export_w
    if abs(error_w) <= deadband_w:
        return 0
    width_ms = min(MAX_PULSE_MS, abs(error_w) * 1000 // gain_w_per_s)
    return width_ms if error_w > 0 else -width_ms
