"""The voltage, frequency and power factor that a house's meter sees, a little different every minute."""

import numpy as np

from simulation.plant.streams import stream

_VOLTAGE_CV = (22_000, 23_000)  # hundredths of a volt
_FREQUENCY_MHZ = (49_950, 50_050)
_POWER_FACTOR_MILLI = (900, 981)  # end exclusive
_HALF_SPREAD_CV = 120  # of the single phase around the common wander


class Supply:
    """Deterministic electrical conditions of one house; a day is drawn when first asked for."""

    def __init__(self, seed: int, house: str) -> None:
        self._seed = seed
        self._house = house
        self._day = -1
        self._rows: list[list[int]] = []

    def at(self, minute: int) -> tuple[tuple[int, int, int], int, int]:
        """Phase voltages in hundredths of a volt, frequency in mHz, power factor (lagging) in thousandths."""
        day, index = divmod(minute, 1440)
        if day != self._day:
            self._rows = self._draw(day)
            self._day = day
        first, second, third, frequency_mhz, power_factor_milli = self._rows[index]
        return (first, second, third), frequency_mhz, power_factor_milli

    def _draw(self, day: int) -> list[list[int]]:
        random = stream(self._seed, self._house, "supply", day)
        # The feeder's voltage wanders over hours, the phases stand a little apart, and all of it trembles.
        low, high = _VOLTAGE_CV
        knots = low + _HALF_SPREAD_CV + (high - low - 2 * _HALF_SPREAD_CV) * random.random(25)
        wander = np.interp(np.arange(1440) / 60, np.arange(25), knots)[:, np.newaxis]
        phases = wander + (random.random((1440, 3)) - 0.5) * 2 * _HALF_SPREAD_CV
        others = [
            start + (end - start) * random.random((1440, 1))
            for start, end in (_FREQUENCY_MHZ, _POWER_FACTOR_MILLI)
        ]
        rows: list[list[int]] = np.floor(np.hstack([phases, *others])).astype(int).tolist()
        return rows
