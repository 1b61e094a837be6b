"""Sunshine on a tilted plane: the sun's place, a clear sky, and clouds over it.

Declination: Cooper, Solar Energy 12 (1969) 333. Equation of time: Spencer, Search 2 (1971) 172. Clear sky:
Haurwitz, J. Meteorology 2 (1945) 154. Clouds and the share of diffuse light: Kasten and Czeplak, Solar
Energy 24 (1980) 177. All in whole watts per square metre, so that the last bit of a sine is never seen.
"""

import math
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from microgrid.units import SECONDS_PER_MINUTE
from simulation.plant.streams import stream

_ALBEDO = 0.2
_LOWEST_COS_ZENITH = 0.02  # below about 1° the beam's path through the air is beyond these formulas
_CLOUD_STEP_MINUTES = 20
_CLOUDIEST = 0.9  # of the sky, on the worst of days


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Where the micro-grid stands and how its panels are mounted. Degrees; north, east and south positive."""

    latitude: float = 24.86  # Karachi
    longitude: float = 67.01
    tilt: float = 25.0  # of the panels, towards the equator


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


def cloud_cover(day: int, seed: int) -> NDArray[np.float64]:
    """Cloud cover (0 clear … 1 overcast) of a UTC day's 1,440 minutes: one sky for all houses.

    Most days are fair, some are grey; within the day the cover wanders every few minutes. Each day has a
    stream of its own, so a minute's sky does not depend on where the run began.
    """
    knots = 1440 // _CLOUD_STEP_MINUTES + 1
    draws = stream(seed, "", "sky", day).random(knots + 1)
    mean = _CLOUDIEST * draws[0] ** 2
    wander = mean + (draws[1:] - 0.5) * min(0.5, mean)
    at = np.arange(knots) * _CLOUD_STEP_MINUTES
    return np.asarray(np.clip(np.interp(np.arange(1440), at, wander), 0.0, 1.0))


@lru_cache(maxsize=64)
def sunshine(day: int, site: Site, seed: int) -> tuple[int, ...]:
    """Irradiance on the panels in whole W/m² of every minute of a UTC day since 1970, clouds included.

    Kept, because all houses of a run share it.
    """
    cover = cloud_cover(day, seed).tolist()
    return tuple(irradiance_w_m2(day * 1440 + at, site, cover[at]) for at in range(1440))
