"""What a demonstration lives through: terms, plants and meters from a grid file."""

import dataclasses
from pathlib import Path

import msgspec
import pytest

from microgrid.terms import Cap, Role, terms_faults
from node.gridfile import GridFileError
from simulation.replay import HEADER, ReplayError
from simulation.scenario import load_scenario

CHAPTER_9 = Path(__file__).parents[3] / "resources" / "chapter9.toml"


def scenario(month="2026-06", **changes):
    return load_scenario(CHAPTER_9, month, **{"days": 1, "step": 5, "seed": 1, **changes})


def test_the_first_days_of_a_month_or_all_of_it():
    assert len(scenario().minutes) == 1440
    assert len(scenario(days=3).minutes) == 3 * 1440
    assert len(scenario(days=99).minutes) == 30 * 1440
    assert len(scenario("2026-02", days=99).minutes) == 28 * 1440
    assert scenario().minutes.start == scenario(days=99).minutes.start


def test_the_terms_hold_for_the_whole_month_though_a_day_is_lived():
    made = scenario()
    assert all(made.terms.contract_at(h, made.minutes.start + 29 * 1440) for h in "ABCD")
    assert terms_faults(made.terms) == []


def test_with_cap_changes_the_cap_and_nothing_else():
    made = scenario()
    assert made.cap is Cap.MONTH
    other = made.with_cap(Cap.OFF)
    assert (other.cap, made.cap) == (Cap.OFF, Cap.MONTH)
    assert other.with_cap(Cap.MONTH) == made
    assert (other.terms.houses, other.terms.contracts) == (made.terms.houses, made.terms.contracts)
    assert scenario(cap=Cap.MINUTE).cap is Cap.MINUTE


def test_the_first_house_that_sells():
    made = scenario()
    assert made.first_seller == "B"
    buyers = msgspec.structs.replace(made.terms, contracts=made.terms.contracts[:1])
    assert dataclasses.replace(made, terms=buyers).first_seller == "A"


def test_every_house_has_a_meter_standing_at_the_beginning_near_its_wrap():
    made = scenario()
    meters = made.meters()
    assert list(meters) == ["A", "B", "C", "D"]
    assert all(meter.second == made.minutes.start * 60 for meter in meters.values())
    assert all(meter.plant.last.import_ws + 20_000_000 == 2**32 for meter in meters.values())
    assert len({meter.advance(made.minutes.start)[0] for meter in meters.values()}) == 4


def test_meters_of_one_seed_are_the_same_and_of_another_are_not():
    def packets(seed):
        made = scenario(seed=seed)
        return [meter.advance(made.minutes.start + 30) for meter in made.meters().values()]

    assert packets(1) == packets(1)
    assert packets(1) != packets(2)


def test_a_neighbourhood_of_any_size_takes_the_files_place():
    made = scenario(houses=12)
    assert len(made.terms.houses) == len(made.meters()) == 12
    assert terms_faults(made.terms) == []
    assert {contract.role for contract in made.terms.contracts} == {Role.PRODUCER, Role.CONSUMER}
    assert made.terms.tariffs == scenario().terms.tariffs


def test_a_measured_household_is_the_first_house_and_its_gaps_are_silence(tmp_path):
    lines = [f"2006-12-16 17:{n:02}:00;" + ("1.5;0.4;234;18" if n != 2 else ";;;") for n in range(5)]
    file = tmp_path / "measured.csv"
    file.write_text("\n".join([";".join(HEADER), *lines]) + "\n")
    made = scenario(replay=file)
    (house,) = made.replays()
    assert house == "A"
    assert len(made.meters()["A"].advance(made.minutes.start + 5)) == 1 + 4
    assert len(made.meters()["B"].advance(made.minutes.start + 5)) == 1 + 5
    assert scenario().replays() == {}
    file.write_text("nothing\n")
    with pytest.raises(ReplayError, match="header"):
        made.replays()


def test_what_cannot_be_used_is_said_in_words(tmp_path):
    with pytest.raises(ValueError, match="is not a month"):
        scenario("2026-6")
    with pytest.raises(GridFileError, match="cannot be read"):
        load_scenario(tmp_path / "none.toml", "2026-06", days=1, step=1, seed=1)


def test_a_scenario_is_a_picture():
    with pytest.raises(dataclasses.FrozenInstanceError):
        scenario().seed = 2
