import msgspec
import pytest

from microgrid.terms import Source as SourceKind
from simulation.plant.config import PlantConfig, diesel_plant, solar_plant
from simulation.plant.source import DieselSource, SolarSource, make_source
from simulation.plant.sun import Site

NIGHT = 29_700_000 // 1440 * 1440 + 20 * 60  # 20:00 UTC, 01:00 in Karachi
NOON = NIGHT - 20 * 60 + 7 * 60 + 30


def solar(**changes) -> SolarSource:
    return SolarSource(msgspec.structs.replace(solar_plant(466), **changes), Site(), 1)


def diesel(**changes) -> DieselSource:
    return DieselSource(msgspec.structs.replace(diesel_plant(326), **changes))


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
    assert source.step(500, NIGHT) == 0
    assert source.step(500, NOON) == 2500


def test_a_hybrid_carries_load_and_setpoint_by_night_until_its_battery_is_empty():
    source = solar(battery_kwh=1.0)  # half full: 30,000 W·min
    source.pulse(+1, 500)
    given = [source.step(500, NIGHT + index) for index in range(40)]
    assert given == [1000] * 30 + [0] * 10
    assert source.stored_ws == 0


def test_the_battery_charges_at_noon_up_to_its_capacity_and_its_limit():
    source = solar(battery_kwh=2.0, battery_kw=1.5)
    before = source.stored_ws
    assert source.step(300, NOON) == 300
    assert source.stored_ws - before == 1500 * 60 * 92 // 100
    for minute in range(NOON, NOON + 60):
        source.step(300, minute)
        assert 0 <= source.stored_ws <= source.capacity_ws
    assert source.stored_ws == source.capacity_ws


def test_the_inverter_limits_what_is_given():
    source = solar()
    source.pulse(+1, 10_000)
    assert source.step(3000, NOON) == 4000


def test_discharge_is_limited():
    source = solar(battery_kw=0.4)
    assert source.step(1000, NIGHT) == 400


def test_the_diesel_starts_after_its_startup_then_ramps():
    source = diesel(startup_minutes=2, ramp_kw_per_minute=1.0)
    source.pulse(+1, 2500)
    assert [source.step(500, minute) for minute in range(6)] == [0, 0, 1000, 2000, 3000, 3000]
    source.pulse(-1, 2500)
    assert [source.step(500, minute) for minute in range(4)] == [2000, 1000, 500, 500]


def test_the_diesel_stays_at_its_stable_minimum_and_its_rating():
    source = diesel(startup_minutes=0, minimum_kw=0.8, ramp_kw_per_minute=10)
    assert source.step(100, 0) == 800
    source.pulse(+1, 2500)
    assert source.step(3000, 1) == 4000


def test_a_tripped_diesel_must_start_again():
    source = diesel(startup_minutes=1)
    assert [source.step(600, minute) for minute in range(2)] == [0, 600]
    source.trip()
    assert [source.step(600, minute) for minute in range(2)] == [0, 600]


def test_the_description_chooses_the_source():
    assert make_source(PlantConfig(monthly_kwh=300), Site(), 1) is None
    assert isinstance(make_source(solar_plant(300), Site(), 1), SolarSource)
    assert isinstance(make_source(diesel_plant(300), Site(), 1), DieselSource)
    assert solar_plant(300).source is SourceKind.SOLAR


@pytest.mark.parametrize("width_ms", [0, 1])
def test_a_pulse_below_the_resolution_moves_nothing(width_ms):
    source = diesel(pulse_w_per_s=500)
    source.pulse(+1, width_ms)
    assert source.setpoint_w == 0
