from itertools import pairwise

import msgspec
import pytest

from microgrid.terms import Source as SourceKind
from simulation.plant.config import PlantConfig, diesel_plant, solar_plant
from simulation.plant.source import DieselSource, SolarSource, make_source
from simulation.plant.sun import Site, Sky

# In minutes.
NIGHT = 29_700_000 // 1440 * 1440 + 20 * 60  # 20:00 UTC, 01:00 in Karachi
NOON = NIGHT - 20 * 60 + 7 * 60 + 30


def solar(sky=Sky.FAIR, **changes) -> SolarSource:
    """A still one, unless `noise_w` is given."""
    return made(solar_plant(466), sky, changes)


def diesel(**changes) -> DieselSource:
    return made(diesel_plant(326), Sky.FAIR, changes)


def made(config, sky, changes):
    config = msgspec.structs.replace(config, **({"noise_w": 0} | changes))
    return make_source(config, Site(sky=sky), 1, "S")


def minutes(source, load_w, count, first=NIGHT):
    return [source.step(load_w, (first + index) * 60) for index in range(count)]


def seconds(source, load_w, count, first=NIGHT):
    return [source.step(load_w, first * 60 + index, 1) for index in range(count)]


def test_a_pulse_moves_the_setpoint_by_gain_times_width_within_its_limits():
    source = diesel(pulse_w_per_s=500)
    source.pulse(+1, 1001)
    assert source.setpoint_w == 500
    source.pulse(-1, 200)
    assert source.setpoint_w == 400
    source.pulse(-1, 60_000)
    assert source.setpoint_w == 0
    source.pulse(+1, 60_000)
    assert source.setpoint_w == 2500  # export_kw


def test_without_an_export_limit_the_rating_limits_the_setpoint():
    source = diesel(export_kw=None)
    source.pulse(+1, 60_000)
    assert source.setpoint_w == source.rated_w == 4000


def test_solar_gives_nothing_by_night_without_a_battery():
    source = solar(battery_kwh=0.0)
    source.pulse(+1, 2000)
    assert minutes(source, 500, 1) == [0]
    assert not source.running
    assert minutes(source, 500, 1, NOON) == [2500]
    assert source.running


def test_without_a_battery_the_sun_limits_what_is_given_however_high_the_setpoint():
    source = solar(Sky.BROKEN, battery_kwh=0.0, array_kwp=3.0)
    source.pulse(+1, 10_000)
    day = range(NOON - 240, NOON + 240)
    given = [source.step(1500, minute * 60) for minute in day]
    assert all(
        power == min(source.available_w(minute), 4000) for power, minute in zip(given, day, strict=True)
    )
    drops = [before - after for before, after in pairwise(given)]
    assert max(drops) > 1000  # a cloud takes it at once


def test_a_hybrid_carries_load_and_setpoint_by_night_until_its_battery_is_empty():
    source = solar(battery_kwh=1.0)  # half full: 30,000 W·min
    source.pulse(+1, 500)
    assert minutes(source, 500, 40) == [1000] * 30 + [0] * 10
    assert source.stored_ws == 0
    assert not source.running


def test_the_battery_charges_at_noon_up_to_its_capacity_and_its_limit():
    source = solar(battery_kwh=2.0, battery_kw=1.5)
    before = source.stored_ws
    assert minutes(source, 300, 1, NOON) == [300]
    assert source.stored_ws - before == 1500 * 60 * 92 // 100
    for minute in range(NOON, NOON + 60):
        source.step(300, minute * 60)
        assert 0 <= source.stored_ws <= source.capacity_ws
    assert source.stored_ws == source.capacity_ws


def test_a_second_charges_no_less_than_its_part_of_a_minute():
    by_minute, by_second = solar(battery_kw=1.501), solar(battery_kw=1.501)
    minutes(by_minute, 300, 1, NOON)
    minutes(by_second, 300, 1, NOON)  # both are up
    minutes(by_minute, 300, 1, NOON + 1)
    seconds(by_second, 300, 60, NOON + 1)
    assert by_second.stored_ws == by_minute.stored_ws


def test_the_inverter_limits_what_is_given():
    source = solar()
    source.pulse(+1, 10_000)
    assert minutes(source, 3000, 1, NOON) == [4000]


def test_discharge_is_limited():
    source = solar(battery_kw=0.4)
    assert minutes(source, 1000, 1) == [400]


def test_the_inverter_ramps_by_the_second():
    source = solar(ramp_kw_per_minute=6.0)
    seconds(source, 500, 5, NOON)
    source.pulse(+1, 1000)
    assert seconds(source, 500, 12, NOON + 1) == [*range(600, 1600, 100), 1500, 1500]
    source.pulse(-1, 1000)
    assert seconds(source, 500, 12, NOON + 2) == [*range(1400, 400, -100), 500, 500]


def test_an_inverter_ramps_five_kilowatts_a_minute_and_a_generator_three_unless_told():
    assert solar_plant(300).ramp_w_per_minute == 5000
    assert msgspec.structs.replace(diesel_plant(300), ramp_kw_per_minute=None).ramp_w_per_minute == 3000
    assert PlantConfig(monthly_kwh=300).ramp_w_per_minute == 0


def test_a_ramp_that_no_second_divides_is_met_by_the_minute():
    source = diesel(startup_minutes=0, minimum_kw=0.0, ramp_kw_per_minute=1.0)
    given = seconds(source, 4000, 120)
    assert (given[59], given[119]) == (1000, 2000)
    assert {after - before for before, after in pairwise(given)} == {16, 17}


def test_the_diesel_starts_after_its_startup_then_ramps_from_its_minimum():
    source = diesel(startup_minutes=2, minimum_kw=0.35, ramp_kw_per_minute=1.0)
    source.pulse(+1, 2500)
    assert minutes(source, 500, 6) == [0, 0, 1350, 2350, 3000, 3000]
    source.pulse(-1, 2500)
    assert minutes(source, 500, 4) == [2000, 1000, 500, 500]


def test_the_diesel_stays_at_its_stable_minimum_and_its_rating():
    source = diesel(startup_minutes=0, minimum_kw=0.8, ramp_kw_per_minute=10)
    assert minutes(source, 100, 1) == [800]
    source.pulse(+1, 2500)
    assert minutes(source, 3000, 1) == [4000]


def test_a_tripped_diesel_must_start_again_with_its_setpoint():
    source = diesel(startup_minutes=1)
    source.pulse(+1, 400)
    assert minutes(source, 600, 2) == [0, 1000]
    source.trip()
    assert not source.running
    assert seconds(source, 600, 60) == [0] * 60
    assert minutes(source, 600, 1) == [1000]


def test_an_empty_tank_stops_the_diesel_for_good_and_it_takes_no_pulse():
    source = diesel(startup_minutes=0, tank_kwh=0.1, noise_w=4)
    given = minutes(source, 2000, 6)
    assert all(abs(power - 2000) <= 4 for power in given[:2])
    assert given[3:] == [0] * 3
    assert source.fuel_ws is not None
    assert sum(given) * 60 + source.fuel_ws == 360_000
    assert source.fuel_ws < 120_500
    assert not source.running
    assert not source.obeys


def test_islanded_it_carries_the_load_alone_and_ramps_up_afterwards():
    source = diesel(startup_minutes=0, noise_w=4)
    source.pulse(+1, 2500)
    minutes(source, 1000, 2)
    assert [source.step(100, (NIGHT + n) * 60, islanded=True) for n in range(3)] == [100] * 3
    again = seconds(source, 1000, 3, NIGHT + 3)
    assert again == pytest.approx([400, 450, 500], abs=4)  # from its minimum, 50 W a second


def test_a_slow_source_needs_ten_times_as_long_and_ten_times_the_pulse():
    source = diesel(startup_minutes=0)
    minutes(source, 1000, 1)
    source.slow = True
    source.pulse(+1, 5000)
    assert source.setpoint_w == 500
    assert minutes(source, 1000, 3) == [1300, 1500, 1500]


def test_noise_trembles_around_the_output_as_seed_house_and_time_have_it():
    source, twin, late = diesel(noise_w=4), diesel(noise_w=4), diesel(noise_w=4)
    for each in (source, twin, late):
        each.pulse(+1, 1000)
    given = minutes(source, 800, 4000)
    assert set(given[1:]) == {1799, 1800, 1801}  # 4 W by the second, √60 times less in the minute's mean
    assert sum(given[1:]) / 3999 == pytest.approx(1800, abs=0.05)
    assert minutes(twin, 800, 4000) == given
    assert minutes(late, 800, 101, NIGHT + 3000)[1:] == given[3001:3101]
    trembled = seconds(source, 800, 7200, NIGHT + 4000)
    assert set(trembled) == set(range(1796, 1805))
    assert seconds(twin, 800, 7200, NIGHT + 4000) == trembled
    other = make_source(msgspec.structs.replace(diesel_plant(326)), Site(), 1, "T")
    other.pulse(+1, 1000)
    assert minutes(other, 800, 50)[1:] != given[1:50]


@pytest.mark.parametrize("make", [solar, diesel])
@pytest.mark.parametrize(("step", "first", "trembles_w"), [(minutes, 1, 7), (seconds, 300, 50)])
def test_noise_makes_no_export_of_its_own_and_passes_no_limit(make, step, first, trembles_w):
    source = make(noise_w=50, battery_kwh=100.0)
    idle = step(source, 600, first + 600)[first:]
    assert (min(idle), max(idle)) == (600 - trembles_w, 600)
    source.pulse(+1, 60_000)
    full = step(source, 600, first + 600)[first:]
    assert (min(full), max(full)) == (3100 - trembles_w, 3100)  # export_kw
    rated = step(source, 2000, first + 600)[first:]
    assert (min(rated), max(rated)) == (4000 - trembles_w, 4000)


def test_the_description_chooses_the_source():
    assert make_source(PlantConfig(monthly_kwh=300), Site(), 1, "S") is None
    assert isinstance(make_source(solar_plant(300), Site(), 1, "S"), SolarSource)
    assert isinstance(make_source(diesel_plant(300), Site(), 1, "S"), DieselSource)
    assert solar_plant(300).source is SourceKind.SOLAR


@pytest.mark.parametrize("width_ms", [0, 1])
def test_a_pulse_below_the_resolution_moves_nothing(width_ms):
    source = diesel(pulse_w_per_s=500)
    source.pulse(+1, width_ms)
    assert source.setpoint_w == 0
