"""What holds in a house whatever is ordered, whatever breaks and however time is cut."""

from dataclasses import dataclass
from itertools import groupby
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from microgrid.terms import Source
from simulation.plant.config import PlantConfig
from simulation.plant.faults import Fault, FaultKind
from simulation.plant.house_plant import HousePlant, PlantMinute
from simulation.plant.source import DieselSource, SolarSource
from simulation.plant.sun import Site, Sky

KARACHI = ZoneInfo("Asia/Karachi")
NOON = 29_700_000 // 1440 * 1440 + 7 * 60
MINUTES = 24
NOISE_W = 6

SOURCES = {
    "panels": PlantConfig(source=Source.SOLAR, inverter_kw=4.0, array_kwp=4.0, export_kw=2.5),
    "hybrid": PlantConfig(
        source=Source.SOLAR, inverter_kw=4.0, array_kwp=3.0, battery_kwh=0.2, battery_kw=1.5,
        ramp_kw_per_minute=1.7,
    ),
    "diesel": PlantConfig(source=Source.GENERATOR, rated_kva=5.0, minimum_kw=0.35, export_kw=2.5),
    "tank": PlantConfig(
        source=Source.GENERATOR, rated_kva=5.0, minimum_kw=0.5, ramp_kw_per_minute=1.0, tank_kwh=0.3,
    ),
}  # fmt: skip

pulses = st.dictionaries(
    st.integers(0, MINUTES - 1), st.tuples(st.sampled_from([-1, 1]), st.integers(0, 4000)), max_size=12
)
loads = st.lists(st.integers(0, 5000), min_size=1, max_size=8)
lengths = st.lists(st.sampled_from([60, 60, 30, 7, 1]), min_size=MINUTES, max_size=MINUTES)


@st.composite
def faults(draw):
    start = draw(st.integers(0, MINUTES))
    end = draw(st.one_of(st.none(), st.integers(start + 1, MINUTES + 2)))
    return Fault(draw(st.sampled_from(FaultKind)), start, end)


@dataclass
class Step:
    """What a step began with, how long it was and what came of it."""

    before: PlantMinute
    seconds: int
    setpoint_w: int
    after: PlantMinute


def plant(config, load_w, *, noise_w=NOISE_W, sky=Sky.BROKEN, given_faults=()) -> HousePlant:
    """At noon in Karachi, with loads that change every three minutes."""
    first = NOON + 300 - NOON // 1440 * 1440
    profile = ((0, 0), *((first + 3 * index, power_w) for index, power_w in enumerate(load_w)))
    config = msgspec.structs.replace(config, profile_w=profile, noise_w=noise_w)
    return HousePlant("H", config, zone=KARACHI, site=Site(sky=sky), seed=5, start=NOON, faults=given_faults)


def play(house: HousePlant, orders, seconds_each) -> list[Step]:
    steps = []
    for index, seconds in enumerate(seconds_each):
        if index in orders:
            house.pulse(*orders[index])
        for _ in range(-(-60 // seconds)):
            begun, before, setpoint_w = house.second, house.last, house.source.setpoint_w
            after = house.step(seconds)
            steps.append(Step(before, house.second - begun, setpoint_w, after))
    return steps


@given(st.sampled_from(sorted(SOURCES)), loads, pulses, st.lists(faults(), max_size=3), lengths)
def test_energy_is_kept_and_registers_never_fall(name, load_w, orders, given_faults, seconds_each):
    house = plant(SOURCES[name], load_w, given_faults=given_faults)
    for step in play(house, orders, seconds_each):
        before, after = step.before, step.after
        imported, exported = after.import_ws - before.import_ws, after.export_ws - before.export_ws
        assert after.generator_p_w - after.load_w == after.exchange_p_w
        assert (imported, exported) == (
            max(0, -after.exchange_p_w) * step.seconds,
            max(0, after.exchange_p_w) * step.seconds,
        )
        assert after.generation_ws - before.generation_ws == after.generator_p_w * step.seconds >= 0
        if not after.grid_breaker_closed:
            assert after.exchange_p_w == 0
        if not after.generator_breaker_closed:
            assert after.generator_p_w == 0
    assert house.second == (NOON + MINUTES) * 60


@given(st.sampled_from(sorted(SOURCES)), loads, pulses, st.lists(faults(), max_size=3), lengths)
def test_no_source_gives_more_than_it_can(name, load_w, orders, given_faults, seconds_each):
    house = plant(SOURCES[name], load_w, given_faults=given_faults)
    source = house.source
    for step in play(house, orders, seconds_each):
        power_w = step.after.generator_p_w
        assert 0 <= power_w <= source.rated_w == 4000
        assert 0 <= step.setpoint_w <= (2500 if SOURCES[name].export_kw else 4000)
        running = step.after.generator_breaker_closed and step.after.grid_breaker_closed
        if isinstance(source, SolarSource):
            battery_w = 1500 if source.capacity_ws else 0
            assert power_w <= source.available_w(step.after.minute) + battery_w
        elif running:
            assert power_w >= SOURCES[name].minimum_kw * 1000
    if isinstance(source, SolarSource):
        assert 0 <= source.stored_ws <= source.capacity_ws
    if name == "tank":
        assert isinstance(source, DieselSource)
        assert source.fuel_ws is not None
        assert source.fuel_ws >= 0
        assert house.last.generation_ws + source.fuel_ws == 0.3 * 3_600_000


@given(st.sampled_from(sorted(SOURCES)), loads, pulses, st.lists(faults(), max_size=3), lengths)
def test_the_ramp_holds_but_where_a_breaker_opens_or_what_feeds_the_source_fails(
    name, load_w, orders, given_faults, seconds_each
):
    house = plant(SOURCES[name], load_w, given_faults=given_faults)
    minimum_w = SOURCES[name].minimum_kw * 1000
    for step in play(house, orders, seconds_each):
        change_w = SOURCES[name].ramp_w_per_minute * step.seconds / 60 + 1 + 2 * NOISE_W
        before_w, power_w = step.before.generator_p_w, step.after.generator_p_w
        assert power_w <= max(before_w, minimum_w) + change_w
        if name == "diesel" and step.after.generator_breaker_closed and step.after.grid_breaker_closed:
            assert power_w >= before_w - change_w


@given(st.sampled_from(["panels", "diesel"]), loads, pulses, st.lists(faults(), max_size=3), lengths)
def test_noise_moves_the_output_a_little_and_makes_no_export(
    name, load_w, orders, given_faults, seconds_each
):
    noisy = play(plant(SOURCES[name], load_w, given_faults=given_faults), orders, seconds_each)
    still = play(plant(SOURCES[name], load_w, given_faults=given_faults, noise_w=0), orders, seconds_each)
    for one, other in zip(noisy, still, strict=True):
        assert abs(one.after.generator_p_w - other.after.generator_p_w) <= NOISE_W
        if one.setpoint_w == 0 and other.after.exchange_p_w <= 0:
            assert one.after.exchange_p_w <= 0
        if other.after.exchange_p_w <= 2500:
            assert one.after.exchange_p_w <= 2500


@given(st.sampled_from(["panels", "diesel"]), loads, pulses, st.lists(faults(), max_size=3), lengths)
def test_however_a_minute_is_cut_it_ends_alike(name, load_w, orders, given_faults, seconds_each):
    """Set-point, output and breakers; not the energy of a minute in which the source was ramping."""
    made = [plant(SOURCES[name], load_w, given_faults=given_faults, noise_w=0) for _ in range(2)]
    whole, cut = (
        play(house, orders, each) for house, each in zip(made, ([60] * MINUTES, seconds_each), strict=True)
    )
    ends = [list(steps)[-1] for _, steps in groupby(cut, key=lambda step: step.after.minute)]
    for one, other in zip(whole, ends, strict=True):
        registers = {"import_ws": 0, "export_ws": 0, "generation_ws": 0}
        assert msgspec.structs.replace(one.after, **registers) == msgspec.structs.replace(
            other.after, **registers
        )
        assert one.setpoint_w == other.setpoint_w


@given(loads, pulses, lengths)
def test_however_a_minute_is_cut_energy_differs_by_the_ramp_alone(load_w, orders, seconds_each):
    """With a ramp that needs less than a second, all registers agree, and so does the battery's charge."""
    swift = msgspec.structs.replace(SOURCES["hybrid"], ramp_kw_per_minute=300.0, battery_kwh=10.0)
    whole, cut = (plant(swift, load_w, noise_w=0) for _ in range(2))
    play(whole, orders, [60] * MINUTES)
    play(cut, orders, seconds_each)
    assert whole.last == cut.last
    assert whole.source.stored_ws == cut.source.stored_ws
