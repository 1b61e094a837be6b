"""The trembling of a source's output."""

import math

from microgrid.units import SECONDS_PER_MINUTE
from simulation.plant.streams import stream

_BLOCK = 3600  # draws made at once: an hour of seconds, or sixty hours of minutes


class Noise:
    """Whole watts evenly drawn from -`amplitude_w` to +`amplitude_w`, by seed, house and time alone.

    A whole minute has a draw of its own, as much smaller as the mean of its seconds would be.
    """

    def __init__(self, amplitude_w: int, seed: int, house: str) -> None:
        self._amplitude_w = amplitude_w
        self._seed = seed
        self._house = house
        self._drawn = (0, -1)  # period in seconds and block
        self._draws: list[int] = []

    def at(self, second: int, seconds: int) -> int:
        """The deviation in W of the step of so many seconds that begins at this Unix second."""
        if self._amplitude_w == 0:
            return 0
        period_s = SECONDS_PER_MINUTE if seconds == SECONDS_PER_MINUTE else 1
        block, index = divmod(second // period_s, _BLOCK)
        if (period_s, block) != self._drawn:
            draws = stream(self._seed, self._house, "noise", period_s, block).random(_BLOCK)
            amplitude_w = math.ceil(self._amplitude_w / math.sqrt(period_s))
            self._draws = [int(draw * (2 * amplitude_w + 1)) - amplitude_w for draw in draws.tolist()]
            self._drawn = (period_s, block)
        return self._draws[index]
