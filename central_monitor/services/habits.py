"""What a house usually does at a time of the week: the profile by which a long gap is estimated.

See docs/estimation.md. Only measured minutes count, never estimated ones: no guess feeds on a guess.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from microgrid.columns import MinuteColumns
from microgrid.minute import Origin
from microgrid.months import local_time, minute_of, zone_of
from microgrid.registers import limit_ws
from microgrid.terms import Terms
from microgrid.units import SECONDS_PER_MINUTE

WEEKS = (1, 2, 3)
_STEP_MINUTES = 15  # clocks change at a quarter of an hour

Int = NDArray[np.int64]
Profiled = tuple[Int, Int] | None


class RangeReader(Protocol):
    """Reads recorded minutes of some houses."""

    def read(self, first_minute: int, end_minute: int, houses: Iterable[str] | None = None) -> MinuteColumns:
        """The minutes `first_minute` <= m < `end_minute` at once."""


class Habits:
    """A `microgrid.energy.Profile` from the minutes of the three weeks before; made anew for each run.

    The reader may not be one that another thread reads ahead with: a connection is one thread's at a time.
    """

    def __init__(self, reader: RangeReader, terms: Terms) -> None:
        self._reader = reader
        self._zone = zone_of(terms.zone)
        self._connection_w = {house.house: house.connection_w for house in terms.houses}
        # Days come in order, so a gap is asked for again and again until the house's next one.
        self._latest: dict[str, tuple[range, Profiled]] = {}

    def __call__(self, house: str, gap: range) -> Profiled:
        """The mean (imported_ws, exported_ws) of each minute of the gap, of the weeks that measured it.

        None if less than half of the gap's minutes were measured in any of them; the others get the
        mean of the gap.
        """
        known = self._latest.get(house)
        if known is None or known[0] != gap:
            known = self._latest[house] = gap, self._profile(house, gap)
        return known[1]

    def _profile(self, house: str, gap: range) -> Profiled:
        weeks = np.zeros(len(gap), dtype=np.int64)
        sums = np.zeros((2, len(gap)), dtype=np.int64)
        for week in WEEKS:
            flows, measured = self._measured(house, weeks_before(gap, week, self._zone))
            weeks += measured
            sums += flows
        found = np.flatnonzero(weeks)
        if 2 * found.size < len(gap):
            return None
        means = sums[:, found] // weeks[found]
        profile = np.repeat(means.sum(axis=1, keepdims=True) // found.size, len(gap), axis=1)
        profile[:, found] = means
        return profile[0], profile[1]

    def _measured(self, house: str, minutes: Int) -> tuple[Int, NDArray[np.bool_]]:
        """Imported and exported energy of these minutes [2, minutes], 0 where not measured; which were."""
        first = int(minutes.min()) - 1
        columns = self._reader.read(first, int(minutes.max()) + 1, (house,))
        rises = np.diff((columns.import_ws[:, 0], columns.export_ws[:, 0]))
        limit = limit_ws(np.array(self._connection_w[house]), SECONDS_PER_MINUTE)
        real = columns.present[:, 0] & (columns.origin[:, 0] != Origin.ESTIMATED)
        measured = real[1:] & real[:-1] & (np.diff(columns.epoch[:, 0]) == 0)
        measured &= ((rises >= 0) & (rises <= limit)).all(axis=0)
        place = minutes - first - 1
        return (rises * measured)[:, place], measured[place]


def weeks_before(gap: range, weeks: int, zone: ZoneInfo) -> Int:
    """The minutes at the same local time of the week, so many weeks before those of the gap.

    A time that the clocks skipped that day is the one after it, one that came twice is the first.
    """
    steps = range(gap.start // _STEP_MINUTES, (gap.stop - 1) // _STEP_MINUTES + 1)
    before = [
        minute_of(local_time(step * _STEP_MINUTES, zone) - timedelta(weeks=weeks)) - step * _STEP_MINUTES
        for step in steps
    ]
    minutes = np.arange(gap.start, gap.stop)
    return minutes + np.array(before)[minutes // _STEP_MINUTES - steps.start]
