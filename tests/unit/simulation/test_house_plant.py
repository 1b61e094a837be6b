import math
from zoneinfo import ZoneInfo

import msgspec
import pytest

from microgrid.months import month_minutes
from microgrid.terms import Source
from simulation.plant.config import PlantConfig, neighbourhood
from simulation.plant.faults import Fault, FaultKind
from simulation.plant.house_plant import HousePlant
from simulation.plant.sun import Site

KARACHI = ZoneInfo("Asia/Karachi")
JUNE = month_minutes("2026-06", KARACHI)


def plant(house: str = "B", seed: int = 1, start: int = JUNE.start, noise_w: int = 4, **given) -> HousePlant:
    config = next(spec.plant for spec in neighbourhood(4) if spec.house == house)
    config = msgspec.structs.replace(config, noise_w=noise_w)
    return HousePlant(house, config, zone=KARACHI, site=Site(), seed=seed, start=start, **given)


def sample(house: HousePlant):
    return house.to_sample(house.last, boot_id=9, uptime_ms=60_000, sequence=3)


@pytest.mark.parametrize("house", ["A", "B", "D"])
def test_same_seed_same_minutes_whoever_else_is_there(house):
    alone, among = plant(house), plant(house)
    others = [plant(other) for other in "ABCD"]
    for _ in range(300):
        first = alone.step()
        for other in reversed(others):
            other.step()
        assert among.step() == first
    assert sample(alone) == sample(among)


@pytest.mark.parametrize("house", ["B", "D"])
def test_registers_are_the_sum_of_watts_times_sixty(house):
    source = plant(house, start_ws=(7, 8, 9))
    source.pulse(+1, 1800)
    minutes = [source.step() for _ in range(2000)]
    last = minutes[-1]
    flowed_ws = (
        60 * sum(max(0, -m.exchange_p_w) for m in minutes),
        60 * sum(max(0, m.exchange_p_w) for m in minutes),
        60 * sum(m.generator_p_w for m in minutes),
    )
    assert source.flowed_ws == flowed_ws
    assert (last.import_ws - 7, last.export_ws - 8, last.generation_ws - 9) == flowed_ws
    assert all(m.exchange_p_w == m.generator_p_w - m.load_w for m in minutes)
    assert last.export_ws > 0


def test_a_consumers_month_is_its_kwh_and_the_next_month_follows_on():
    house = plant("A")
    for _ in JUNE:
        house.step()
    assert house.last.import_ws == 380 * 3_600_000
    assert house.step().minute == JUNE.stop
    july = plant("A", start=JUNE.stop)
    assert july.step().load_w == house.last.load_w


def test_a_minute_depends_on_the_calendar_not_on_where_the_run_began():
    whole, late = plant("C"), plant("C", start=JUNE.start + 700)
    minutes = [whole.step() for _ in range(800)]
    assert [late.step().load_w for _ in range(100)] == [m.load_w for m in minutes[700:]]
    assert sample(late).voltage_v == sample(whole).voltage_v


def test_so_does_the_noise_of_its_source():
    whole, late = plant("B"), plant("B", start=JUNE.start + 200)
    for house in (whole, late):
        house.pulse(+1, 1000)
    exchanged = [whole.step().exchange_p_w for _ in range(300)][200:]
    assert [late.step().exchange_p_w for _ in range(100)] == exchanged
    assert set(exchanged) == {999, 1000, 1001}


def test_a_setpoint_is_exported_beside_the_load():
    house = plant("D", noise_w=0)
    house.step()
    assert house.last.exchange_p_w < 0  # still starting
    assert house.pulse(+1, 1500)
    assert [house.step().exchange_p_w for _ in range(20)][1:] == [1500] * 19


def test_a_consumer_has_nothing_that_obeys():
    assert not plant("A").pulse(+1, 1000)


def test_an_open_grid_breaker_stops_the_exchange():
    house = plant("B", faults=[Fault(FaultKind.OPEN, 1, 2)])
    house.pulse(+1, 1000)
    assert house.step().closed_s == 60
    assert house.suffers(FaultKind.OPEN)
    stored_ws = house.source.stored_ws
    cut_off = house.step()
    assert (cut_off.exchange_p_w, cut_off.closed_s, cut_off.grid_breaker_closed) == (0, 0, False)
    assert cut_off.load_w == cut_off.generator_p_w > 0
    assert (
        stored_ws - house.source.stored_ws == cut_off.load_w * 60
    )  # by night, and nothing for the set-point
    assert house.step().exchange_p_w == pytest.approx(1000, abs=4)
    dark = plant("A", faults=[Fault(FaultKind.OPEN, 0)])
    assert dark.step().load_w == 0


def test_seconds_with_the_breaker_closed_add_up():
    house = plant("B", faults=[Fault(FaultKind.OPEN, 1)])
    assert [house.step(20).closed_s for _ in range(6)] == [20, 40, 60, 0, 0, 0]


def test_a_tripped_generator_gives_nothing_and_refuses_commands():
    house = plant("D", faults=[Fault(FaultKind.TRIPPED, 3, 5)])
    house.pulse(+1, 500)
    assert [house.step().generator_breaker_closed for _ in range(3)] == [False, True, True]
    assert not house.pulse(+1, 1000)
    assert [house.step().generator_p_w for _ in range(2)] == [0, 0]
    assert not house.last.generator_breaker_closed
    assert house.pulse(+1, 1000)
    assert [house.step().exchange_p_w > 1400 for _ in range(2)] == [False, True]


def test_a_tripped_inverter_comes_back_with_its_setpoint():
    house = plant("B", noise_w=0, faults=[Fault(FaultKind.TRIPPED, 2, 4)])
    house.pulse(+1, 700)
    exchanged = [house.step().exchange_p_w for _ in range(6)]
    assert [power == 700 for power in exchanged] == [True, True, False, False, True, True]


def test_a_stuck_source_takes_pulses_and_stays_where_it_is():
    house = plant("B", noise_w=0, faults=[Fault(FaultKind.STUCK, 1, 2)])
    assert house.pulse(+1, 700)
    house.step()
    assert house.pulse(+1, 700)
    assert house.step().exchange_p_w == 700
    assert house.pulse(+1, 700)
    assert house.step().exchange_p_w == 1400


def test_a_slow_source_moves_a_tenth_of_the_way():
    house = plant("B", noise_w=0, faults=[Fault(FaultKind.SLOW, 1, 2)])
    house.step()
    house.pulse(+1, 1000)
    house.step()
    house.pulse(+1, 1000)
    assert house.source.setpoint_w == 1100


def test_an_empty_tank_opens_the_generators_breaker_and_refuses():
    config = PlantConfig(
        profile_w=((0, 1000),), source=Source.GENERATOR, rated_kva=5, minimum_kw=0.3, tank_kwh=0.2
    )
    house = HousePlant("D", config, zone=KARACHI, site=Site(), seed=1, start=JUNE.start)
    house.pulse(+1, 1000)
    minutes = [house.step() for _ in range(20)]
    assert [minute.generator_breaker_closed for minute in minutes] == [False] + [True] * 5 + [False] * 14
    assert not house.pulse(+1, 1000)
    assert 0.2 * 3_600_000 - 2010 * 60 < house.last.generation_ws <= 0.2 * 3_600_000


@pytest.mark.parametrize("house", ["A", "B", "D"])
def test_electrical_values_agree_with_the_powers(house):
    meter = plant(house)
    meter.pulse(+1, 2000)
    for _ in range(500):
        meter.step()
        seen = sample(meter)
        assert all(220 <= voltage <= 230 for voltage in seen.voltage_v)
        assert all(0.9 <= factor <= 0.98 for factor in seen.power_factor)
        assert 49.95 <= seen.frequency_hz <= 50.05
        phases = zip(seen.voltage_v, seen.current_a, seen.power_factor, strict=True)
        assert sum(v * i * f for v, i, f in phases) == pytest.approx(abs(seen.exchange_p_w), abs=0.5)
        assert seen.generator_s_va == round(math.hypot(seen.generator_p_w, seen.generator_q_var))
        load_q_var = seen.generator_q_var - seen.exchange_q_var
        factor = seen.load_w / math.hypot(seen.load_w, load_q_var)
        assert factor == pytest.approx(seen.power_factor[0], abs=0.005)
        assert seen.voltage_v == tuple(round(voltage, 2) for voltage in seen.voltage_v)
        assert seen.current_a == tuple(round(current, 3) for current in seen.current_a)


def test_counters_wrap_at_32_bits_while_the_registers_go_on():
    start_ws = 2**32 - 100_000
    house = plant("A", start_ws=(start_ws, start_ws, start_ws))
    while house.last.import_ws < 2**32:
        house.step()
    assert sample(house).import_counter_ws == house.last.import_ws - 2**32 < 100_000
    assert sample(house).export_counter_ws == start_ws


def test_a_step_of_seconds_ends_with_the_minute():
    house = plant("A")
    house.step(50)
    assert (house.last.minute, house.second) == (JUNE.start, JUNE.start * 60 + 50)
    house.step(50)
    assert (house.last.minute, house.second, house.next_minute) == (
        JUNE.start, JUNE.start * 60 + 60, JUNE.start + 1
    )  # fmt: skip
    assert house.last.import_ws == 60 * house.last.load_w


def test_the_description_may_give_a_profile_for_the_load():
    config = PlantConfig(profile_w=((0, 1000), (2, 1500)))
    house = HousePlant("A", config, zone=KARACHI, site=Site(), seed=1, start=JUNE.start)
    assert [house.step().load_w for _ in range(1442)][-4:] == [1500, 1500, 1000, 1000]
    with pytest.raises(ValueError, match="either monthly_kwh or profile_w"):
        HousePlant("A", PlantConfig(), zone=KARACHI, site=Site(), seed=1, start=JUNE.start)


def test_another_load_can_be_put_in_place_of_the_household():
    house = plant("A", load=lambda month: [5 + minute % 3 for minute in month])
    assert [house.step().load_w for _ in range(3)] == [5 + m % 3 for m in range(JUNE.start, JUNE.start + 3)]
