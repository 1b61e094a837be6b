"""Sunshine on a tilted plane: the sun's place, a clear sky, and clouds over it.

Declination: Cooper, Solar Energy 12 (1969) 333. Equation of time: Spencer, Search 2 (1971) 172. Clear sky:
Haurwitz, J. Meteorology 2 (1945) 154. Clouds and the share of diffuse light: Kasten and Czeplak, Solar
Energy 24 (1980) 177. All in whole watts per square metre, so that the last bit of a sine is never seen.
"""

import math
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from microgrid.units import MINUTES_PER_DAY, SECONDS_PER_MINUTE
from simulation.plant.streams import stream

_ALBEDO = 0.2
_LOWEST_COS_ZENITH = 0.02  # below about 1° the beam's path through the air is beyond these formulas
_CLOUD_STEP_MINUTES = 20
_CLOUDIEST = 0.9  # of the sky, on the worst of days
# Passing clouds: shortest and longest in minutes, least and most cover.
_GAP, _GAP_COVER = (3, 12), (0.0, 0.3)
_CLOUD, _CLOUD_COVER = (2, 8), (0.9, 1.0)


class Sky(StrEnum):
    """The weather of a run."""

    CLEAR = "clear"
    FAIR = "fair"  # most days fair, some grey, drawn by the seed
    BROKEN = "broken"  # dense clouds pass before the sun, minutes apart
    OVERCAST = "overcast"


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the micro-grid stands, how its panels are mounted, and the sky above.

    Degrees; north, east and south positive.
    """

    latitude: float = 24.86  # Karachi
    longitude: float = 67.01
    tilt: float = 25.0  # of the panels, towards the equator
    sky: Sky = Sky.FAIR


def sun_direction(minute: int, site: Site) -> tuple[float, float]:
    """Cosines of the sun's angle to the vertical and to the panels' normal, in the middle of the minute."""
    moment = datetime.fromtimestamp((minute + 0.5) * SECONDS_PER_MINUTE, UTC)
    day = moment.timetuple().tm_yday
    declination = math.radians(23.45) * math.sin(math.tau * (284 + day) / 365)
    b = math.tau * (day - 1) / 365
    equation_min = 229.18 * (
        0.000075 + 0.001868 * math.cos(b) - 0.032077 * math.sin(b)
        - 0.014615 * math.cos(2 * b) - 0.04089 * math.sin(2 * b)
    )  # fmt: skip
    solar_min = moment.hour * 60 + moment.minute + 0.5 + equation_min + 4 * site.longitude
    hour_angle = math.radians(solar_min / 4 - 180)
    latitude = math.radians(site.latitude)
    tilted = latitude - math.copysign(math.radians(site.tilt), site.latitude)

    def cosine(facing: float) -> float:
        along, across = math.sin(facing) * math.sin(declination), math.cos(facing) * math.cos(declination)
        return along + across * math.cos(hour_angle)

    return cosine(latitude), cosine(tilted)


def irradiance_w_m2(minute: int, site: Site, cloud: float = 0.0) -> int:
    """Sunshine on the panels in whole W/m² under this cloud cover (0 clear … 1 overcast); 0 by night."""
    vertical, panel = sun_direction(minute, site)
    if vertical < _LOWEST_COS_ZENITH:
        return 0
    horizontal = 1098 * vertical * math.exp(-0.059 / vertical) * (1 - 0.75 * math.pow(cloud, 3.4))
    diffuse = 0.3 + 0.7 * cloud**2
    # Near the horizon the ratio of the planes grows without limit; a real horizon is not that low.
    beam = min(4.0, max(0.0, panel) / vertical)
    cos_tilt = math.cos(math.radians(site.tilt))
    seen = (1 - diffuse) * beam + diffuse * (1 + cos_tilt) / 2 + _ALBEDO * (1 - cos_tilt) / 2
    return round(horizontal * seen)


def cloud_cover(day: int, seed: int, sky: Sky = Sky.FAIR) -> NDArray[np.float64]:
    """Cloud cover (0 clear … 1 overcast) of a UTC day's 1,440 minutes: one sky for all houses.

    Each day has a stream of its own, so a minute's sky does not depend on where the run began.
    """
    if sky is Sky.FAIR:
        return _wandering(day, seed)
    if sky is Sky.BROKEN:
        return _passing(day, seed)
    return np.full(MINUTES_PER_DAY, 1.0 if sky is Sky.OVERCAST else 0.0)


def _wandering(day: int, seed: int) -> NDArray[np.float64]:
    """Most days are fair, some are grey; within the day the cover wanders every few minutes."""
    knots = MINUTES_PER_DAY // _CLOUD_STEP_MINUTES + 1
    draws = stream(seed, "", "sky", day).random(knots + 1)
    mean = _CLOUDIEST * draws[0] ** 2
    wander = mean + (draws[1:] - 0.5) * min(0.5, mean)
    at = np.arange(knots) * _CLOUD_STEP_MINUTES
    return np.asarray(np.clip(np.interp(np.arange(MINUTES_PER_DAY), at, wander), 0.0, 1.0))


def _passing(day: int, seed: int) -> NDArray[np.float64]:
    """Gaps and clouds in turn, each of some minutes and of one cover."""
    pairs = MINUTES_PER_DAY // (_GAP[0] + _CLOUD[0]) + 1
    draws = stream(seed, "", "passing clouds", day).random((pairs, 2, 2))
    shortest, longest = np.array([_GAP, _CLOUD]).T
    thin, dense = np.array([_GAP_COVER, _CLOUD_COVER]).T
    lengths = shortest + (draws[:, :, 0] * (longest - shortest + 1)).astype(np.int64)
    covers = thin + draws[:, :, 1] * (dense - thin)
    return np.asarray(np.repeat(covers.ravel(), lengths.ravel())[:MINUTES_PER_DAY])


@lru_cache(maxsize=64)
def sunshine(day: int, site: Site, seed: int) -> tuple[int, ...]:
    """Irradiance on the panels in whole W/m² of every minute of a UTC day since 1970, clouds included.

    Kept, because all houses of a run share it.
    """
    cover = cloud_cover(day, seed, site.sky).tolist()
    first = day * MINUTES_PER_DAY
    return tuple(irradiance_w_m2(first + at, site, cover[at]) for at in range(MINUTES_PER_DAY))
