import msgspec
import pytest

from microgrid.terms import Role, Source
from simulation.plant.config import PlantConfig, house_id, neighbourhood, plant_faults, solar_plant


def test_a_plant_is_read_from_toml():
    text = 'monthly_kwh = 466\nsource = "solar"\ninverter_kw = 4.0\narray_kwp = 11\nbattery_kwh = 24'
    config = msgspec.toml.decode(text, type=PlantConfig)
    assert config.source is Source.SOLAR
    assert config.array_kwp == 11.0
    assert plant_faults("B", config) == []


def test_a_profile_is_read_from_toml_in_place_of_a_households_month():
    config = msgspec.toml.decode("profile_w = [[0, 1000], [720, 1500]]", type=PlantConfig)
    assert config.profile_w == ((0, 1000), (720, 1500))
    assert plant_faults("B", config) == []


@pytest.mark.parametrize("text", ["profile_w = 5", "profile_w = [[0, 1, 2]]", 'profile_w = [["noon", 1]]'])
def test_what_is_no_profile_is_refused_by_its_name(text):
    with pytest.raises(msgspec.ValidationError, match="profile_w"):
        msgspec.toml.decode(text, type=PlantConfig)


def test_a_misspelt_key_is_refused():
    with pytest.raises(msgspec.ValidationError, match="batery_kwh"):
        msgspec.toml.decode("monthly_kwh = 466\nbatery_kwh = 24", type=PlantConfig)


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (PlantConfig(monthly_kwh=0), "monthly_kwh"),
        (PlantConfig(monthly_kwh=1, source=Source.SOLAR, inverter_kw=4), "array_kwp"),
        (PlantConfig(monthly_kwh=1, source=Source.GENERATOR), "rated_kva"),
        (PlantConfig(monthly_kwh=1, source=Source.GENERATOR, rated_kva=5, power_factor=2), "power_factor"),
        (PlantConfig(monthly_kwh=1, source=Source.GENERATOR, rated_kva=5, minimum_kw=4.5), "minimum_kw"),
        (PlantConfig(monthly_kwh=1, battery_kwh=-1), "battery_kwh"),
        (PlantConfig(monthly_kwh=1, pulse_w_per_s=0), "pulse_w_per_s"),
        (PlantConfig(monthly_kwh=1, ramp_kw_per_minute=0), "ramp_kw_per_minute"),
        (PlantConfig(monthly_kwh=1, tank_kwh=0), "tank_kwh"),
        (PlantConfig(monthly_kwh=1, noise_w=-1), "noise_w"),
        (PlantConfig(), "either monthly_kwh or profile_w"),
        (PlantConfig(monthly_kwh=1, profile_w=((0, 1),)), "either monthly_kwh or profile_w"),
        (PlantConfig(profile_w=((5, 1),)), "profile_w must begin at minute 0"),
    ],
)
def test_each_fault_names_the_house_and_the_field(config, word):
    faults = plant_faults("B", config)
    assert any(fault.startswith("House B: ") and word in fault for fault in faults)


def test_the_first_four_houses_are_those_of_chapter_9():
    a, b, c, d = neighbourhood(4)
    assert [house.plant.monthly_kwh for house in (a, b, c, d)] == [380, 466, 635, 326]
    assert (a.role, c.role) == (Role.CONSUMER, Role.CONSUMER)
    assert (b.plant.source, b.price, b.min_kw, b.max_kw) == (Source.SOLAR, 8, 0.25, 2.5)
    assert (d.plant.source, d.price, d.min_kw, d.max_kw) == (Source.GENERATOR, 25, 0.25, 2.5)
    assert b.plant == solar_plant(466)


def test_a_larger_neighbourhood_contains_the_smaller_and_has_no_faults():
    large = neighbourhood(254)
    assert large[:30] == neighbourhood(30)
    assert len({house.house for house in large}) == 254
    for house in large:
        assert plant_faults(house.house, house.plant) == []
        assert 300 <= (house.plant.monthly_kwh or 0) <= 700
        assert house.min_kw <= house.max_kw <= house.connection_kw
    assert len({house.plant.monthly_kwh for house in large}) > 200


def test_house_ids():
    assert [house_id(index) for index in (0, 25, 26, 253)] == ["A", "Z", "H27", "H254"]


@pytest.mark.parametrize("houses", [0, 255])
def test_a_micro_grid_has_1_to_254_houses(houses):
    with pytest.raises(ValueError, match="1 to 254"):
        neighbourhood(houses)
