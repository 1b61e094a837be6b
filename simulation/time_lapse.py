"""Time-lapse: a meter that lives seconds in a neighbourhood that lives minutes."""

from operator import sub

import msgspec

from microgrid.registers import COUNTER_MODULUS
from microgrid.sample import Sample

Counters = tuple[int, int, int]
"""Import, export and generation in Ws."""


class TimeLapse:
    """Shows what a meter would say if each of its seconds had been `factor` seconds.

    Only uptime and the three counters are changed: they rise `factor` times as far. Sequence, flags and all
    that was measured stay as the meter said them. With a factor of 1 nothing is changed but where the
    counters began.
    """

    def __init__(self, factor: int, first: Sample, start_ws: Counters) -> None:
        """`first` is what the meter says as it begins; its counters are shown as `start_ws`."""
        self._factor = factor
        self._from = first
        self._uptime_ms = first.uptime_ms
        self._counters_ws = start_ws

    @property
    def uptime_ms(self) -> int:
        """The uptime shown now."""
        return self._uptime_ms

    def passed(self, sample: Sample) -> Sample:
        """The neighbourhood lived on since the last sample taken here; this one is at a second's end.

        The uptime rises by whole seconds: what is a millisecond late is not late by `factor` milliseconds.
        """
        seconds = round((sample.uptime_ms - self._from.uptime_ms) / 1000)
        self._uptime_ms += self._factor * seconds * 1000
        rises_ws = map(sub, _counters(sample), _counters(self._from))
        # A counter that turned falls by a whole turn, which makes no difference.
        imported_ws, exported_ws, generated_ws = (
            (shown_ws + self._factor * rise_ws) % COUNTER_MODULUS
            for shown_ws, rise_ws in zip(self._counters_ws, rises_ws, strict=True)
        )
        self._counters_ws = imported_ws, exported_ws, generated_ws
        self._from = sample
        return self.shown(sample)

    def stood_still(self, sample: Sample) -> None:
        """The neighbourhood stood still while the meter went on until this: that counts for nothing."""
        self._from = sample

    def shown(self, sample: Sample) -> Sample:
        """The sample with uptime and counters as they stand."""
        imported_ws, exported_ws, generated_ws = self._counters_ws
        return msgspec.structs.replace(
            sample,
            uptime_ms=self._uptime_ms,
            import_counter_ws=imported_ws,
            export_counter_ws=exported_ws,
            generation_counter_ws=generated_ws,
        )


def _counters(sample: Sample) -> Counters:
    return sample.import_counter_ws, sample.export_counter_ws, sample.generation_counter_ws
