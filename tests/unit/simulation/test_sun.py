from datetime import UTC, datetime
from itertools import groupby

import msgspec
import pytest

from microgrid.months import minute_of
from simulation.plant.sun import Site, Sky, cloud_cover, irradiance_w_m2, sun_direction, sunshine

KARACHI = Site()
JUNE_21 = minute_of(datetime(2026, 6, 21, tzinfo=UTC))
FLAT = Site(tilt=0.0)


def test_the_sun_is_overhead_in_karachi_at_midsummer_noon():
    # Noon by the sun in Karachi is at 12:34 local time on that day: 07:34 UTC.
    highest = max(range(JUNE_21, JUNE_21 + 1440), key=lambda minute: sun_direction(minute, KARACHI)[0])
    assert highest - JUNE_21 == pytest.approx(7 * 60 + 34, abs=3)
    assert sun_direction(highest, KARACHI)[0] > 0.999


def test_midsummer_day_is_as_long_as_the_almanac_says():
    up = sum(sun_direction(minute, KARACHI)[0] > 0 for minute in range(JUNE_21, JUNE_21 + 1440))
    assert up == pytest.approx(13 * 60 + 34, abs=10)  # without refraction


def test_a_clear_noon_gives_haurwitz_value_and_night_nothing():
    noon = JUNE_21 + 7 * 60 + 34
    assert irradiance_w_m2(noon, FLAT) == pytest.approx(1098 * 0.9427, abs=2)
    assert irradiance_w_m2(JUNE_21 + 20 * 60, FLAT) == 0


def test_clouds_take_three_quarters_at_most():
    noon = JUNE_21 + 7 * 60 + 34
    clear = irradiance_w_m2(noon, FLAT)
    assert clear > irradiance_w_m2(noon, FLAT, 0.6) > irradiance_w_m2(noon, FLAT, 1.0)
    assert irradiance_w_m2(noon, FLAT, 1.0) == pytest.approx(clear / 4, abs=1)


def test_panels_tilted_to_the_equator_gain_in_winter_in_both_hemispheres():
    for latitude, month in [(24.86, 12), (-24.86, 6)]:
        noon = minute_of(datetime(2026, month, 21, 7, 30, tzinfo=UTC))
        tilted = irradiance_w_m2(noon, Site(latitude=latitude, tilt=25.0))
        assert tilted > 1.15 * irradiance_w_m2(noon, Site(latitude=latitude, tilt=0.0))


def test_the_sky_is_the_same_for_a_seed_and_differs_by_day():
    day = JUNE_21 // 1440
    assert sunshine(day, KARACHI, 3) == sunshine.__wrapped__(day, KARACHI, 3)
    assert sunshine(day, KARACHI, 3) != sunshine(day, KARACHI, 4)
    covers = [cloud_cover(day + offset, 3) for offset in range(60)]
    assert all(cover.min() >= 0 and cover.max() <= 1 for cover in covers)
    means = sorted(float(cover.mean()) for cover in covers)
    assert means[0] < 0.05
    assert means[-1] > 0.6


def test_a_clear_and_a_grey_sky_can_be_had_on_any_day():
    day = JUNE_21 // 1440
    noon = 7 * 60 + 34
    clear, grey = (sunshine(day, Site(sky=sky), 3) for sky in (Sky.CLEAR, Sky.OVERCAST))
    assert clear == tuple(irradiance_w_m2(JUNE_21 + at, KARACHI) for at in range(1440))
    assert clear[noon] > 900
    assert max(grey) < 300
    assert sum(grey) < sum(sunshine(day, Site(sky=Sky.FAIR), 3)) <= sum(clear)


def test_under_a_broken_sky_clouds_take_most_of_the_sun_for_some_minutes_again_and_again():
    day = JUNE_21 // 1440
    seen = sunshine(day, Site(sky=Sky.BROKEN), 3)
    assert seen == sunshine.__wrapped__(day, Site(sky=Sky.BROKEN), 3)
    assert seen != sunshine(day, Site(sky=Sky.BROKEN), 4)
    clear = sunshine(day, Site(sky=Sky.CLEAR), 3)
    noon = range(5 * 60, 10 * 60)
    dark = [seen[at] < 0.6 * clear[at] for at in noon]
    runs = [len(list(run)) for covered, run in groupby(dark) if covered]
    assert len(runs) > 15
    assert max(runs) <= 8
    drops = [seen[at] - seen[at + 1] for at in noon]
    assert max(drops) > 500


def test_a_misspelt_sky_or_key_of_the_site_is_refused():
    for text in ('sky = "sunny"', "lattitude = 24"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.toml.decode(text, type=Site)
