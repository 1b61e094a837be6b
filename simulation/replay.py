"""A measured household in place of a synthetic one: a CSV of minutes, played from the run's first minute.

The form is that of the UCI data set *Individual household electric power consumption* (Hebrail and Berard
2012): a header, then `;`-separated lines, a minute each; empty fields say that the minute is missing.
"""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from microgrid.units import MINUTES_PER_DAY

HEADER = ("local_time", "active_power_kw", "reactive_power_kvar", "voltage_v", "current_a")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_NUMBER = re.compile(r"\d{1,6}(\.\d+)?")


class ReplayError(ValueError):
    """A measured file cannot be played; the message names file, line and field."""


class Replay:
    """Minutes of a measured house. Minute i of the file, from `first_row` on, plays at minute start + i.

    A file shorter than the run begins again. In a missing minute the house goes on consuming, in a
    straight line between its neighbours, and the meter is silent.
    """

    def __init__(
        self, loads_w: NDArray[np.int64], missing: NDArray[np.bool_], first_row: int, start: int
    ) -> None:
        self._loads_w = loads_w
        self._missing = missing
        self._offset = first_row - start

    def load_w(self, minutes: range) -> NDArray[np.int64]:
        """Loads in whole W of these minutes; those before the run's start are never played."""
        rows = (np.arange(minutes.start, minutes.stop) + self._offset) % len(self._loads_w)
        return np.asarray(self._loads_w[rows])

    def silent(self, minute: int) -> bool:
        """Whether the file misses this minute."""
        return bool(self._missing[(minute + self._offset) % len(self._missing)])


def read_replay(path: Path, start: int, day: int = 0) -> Replay:
    """The replay of a CSV file, plain or `.gz`, whose day number `day` (from 0) begins at minute `start`.

    ReplayError names the line and field that cannot be used; OSError if the file cannot be read.
    """
    try:
        with (
            gzip.open(path, "rt", encoding="ascii")
            if path.suffix == ".gz"
            else path.open(encoding="ascii") as file
        ):
            powers_w = _read(file, path.name)
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise ReplayError(f"{path.name} is not a readable CSV file: {error}.") from error
    known = [row for row, power_w in enumerate(powers_w) if power_w is not None]
    if not known:
        raise ReplayError(f"{path.name} has no measured minute; there is nothing to play.")
    if not 0 <= day * MINUTES_PER_DAY < len(powers_w):
        days = -(-len(powers_w) // MINUTES_PER_DAY)
        raise ReplayError(f"{path.name} has {days} days, 0 to {days - 1}; there is no day {day}.")
    measured_w = np.array([powers_w[row] for row in known], dtype=np.float64)
    loads_w = np.floor(np.interp(np.arange(len(powers_w)), known, measured_w) + 0.5).astype(np.int64)
    missing = np.array([power_w is None for power_w in powers_w])
    return Replay(loads_w, missing, day * MINUTES_PER_DAY, start)


def _read(lines: Iterable[str], name: str) -> list[int | None]:
    """Active power in W of every minute, None where it is missing."""
    powers_w: list[int | None] = []
    for number, line in enumerate(lines, start=1):
        fields = line.rstrip("\r\n").split(";")
        if number == 1:
            if tuple(fields) != HEADER:
                raise ReplayError(f"{name}, line 1: the header is not {';'.join(HEADER)}.")
            continue
        if len(fields) != len(HEADER):
            raise ReplayError(f"{name}, line {number}: there are {len(fields)} fields, not {len(HEADER)}.")
        if not _TIME.fullmatch(fields[0]):
            raise ReplayError(f"{name}, line {number}: local_time {fields[0]!r} is not YYYY-MM-DD hh:mm:ss.")
        for field, text in zip(HEADER[1:], fields[1:], strict=True):
            if text and not _NUMBER.fullmatch(text):
                raise ReplayError(f"{name}, line {number}: {field} {text!r} is not a number of 0 or more.")
        powers_w.append(round(float(fields[1]) * 1000) if fields[1] else None)
    return powers_w
