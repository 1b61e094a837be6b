"""What a demonstration lives through: terms, plants, month, and the parts made from them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from microgrid.directives import StrategyName
from microgrid.months import month_minutes, zone_of
from microgrid.terms import Cap, Obligation, Role, Terms
from microgrid.units import MINUTES_PER_DAY
from node.gridfile import ContractTable, GridFile, HouseTable, read_gridfile
from simulation.meter import make_meter
from simulation.oracle import Oracle
from simulation.plant.config import GridFile as PlantFile
from simulation.plant.config import HouseSpec, neighbourhood, read_grid
from simulation.plant.config import HouseTable as PlantTable
from simulation.plant.house_plant import HousePlant
from simulation.replay import Replay, read_replay
from simulation.virtual_meter import VirtualMeter

# Counters begin so near their end that they wrap in the first days.
COUNTER_START_WS = 2**32 - 20_000_000


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A month, or its first days, of a neighbourhood. The measured household is the first house."""

    terms: Terms
    plants: PlantFile
    month: str
    days: int
    step: int  # virtual minutes a tick
    seed: int
    replay: Path | None = None

    @property
    def minutes(self) -> range:
        """The minutes lived: the first `days` days of the month, or all of it."""
        whole = month_minutes(self.month, zone_of(self.terms.zone))
        return range(whole.start, min(whole.stop, whole.start + self.days * MINUTES_PER_DAY))

    @property
    def first_seller(self) -> str:
        """The first house that sells; where none does, the first."""
        houses = [house.house for house in self.terms.houses]
        sellers = [contract.house for contract in self.terms.contracts if contract.role is Role.PRODUCER]
        return min(sellers or houses)

    @property
    def cap(self) -> Cap:
        """The setting of the cap."""
        return self.terms.tariffs[0].cap

    def with_cap(self, cap: Cap) -> "Scenario":
        """The same under another setting of the cap."""
        tariffs = tuple(msgspec.structs.replace(tariff, cap=cap) for tariff in self.terms.tariffs)
        return replace(self, terms=msgspec.structs.replace(self.terms, tariffs=tariffs))

    def replays(self) -> dict[str, Replay]:
        """The houses that consume by measured minutes. ReplayError if the file cannot be played."""
        if self.replay is None:
            return {}
        first = min(house.house for house in self.terms.houses)
        return {first: read_replay(self.replay, self.minutes.start)}

    def meters(self) -> dict[str, VirtualMeter]:
        """A meter for every house, standing at the scenario's beginning."""
        replays = self.replays()
        return {
            house.house: make_meter(
                self.plants,
                house.house,
                seed=self.seed,
                start=self.minutes.start,
                replay=replays.get(house.house),
                counter_start_ws=COUNTER_START_WS,
            )
            for house in self.terms.houses
        }

    def oracle(self, strategy: StrategyName = StrategyName.DAY_TIME) -> Oracle:
        """The same scenario in memory, load divided by this strategy."""
        plants: dict[str, HousePlant] = {house: meter.plant for house, meter in self.meters().items()}
        silent: dict[str, Callable[[int], bool]] = {
            house: replay.silent for house, replay in self.replays().items()
        }
        return Oracle(self.terms, plants, silent, self.step, strategy)


def load_scenario(
    path: Path, month: str, *, days: int, step: int, seed: int,
    houses: int | None = None, cap: Cap | None = None, replay: Path | None = None,
) -> Scenario:  # fmt: skip
    """A scenario from a grid file; `houses` puts a made-up neighbourhood of that size in its place.

    GridFileError or ValueError says what cannot be used.
    """
    grid = read_gridfile(path)
    plants = read_grid(path.read_bytes())
    if houses is not None:
        specs = neighbourhood(houses)
        grid = _inhabited(grid, specs)
        plants = msgspec.structs.replace(plants, house=tuple(_plant_table(spec) for spec in specs))
    minutes = month_minutes(month, zone_of(grid.zone))
    scenario = Scenario(
        terms=grid.terms(minutes), plants=plants, month=month, days=days, step=step, seed=seed, replay=replay
    )
    return scenario if cap is None else scenario.with_cap(cap)


def _inhabited(grid: GridFile, specs: tuple[HouseSpec, ...]) -> GridFile:
    tables = tuple(
        HouseTable(
            id=spec.house, name=spec.name, connection_kw=spec.connection_kw, contract=_contract_table(spec)
        )
        for spec in specs
    )
    return msgspec.structs.replace(grid, house=tables)


def _contract_table(spec: HouseSpec) -> ContractTable:
    return ContractTable(
        role=spec.role,
        max_kw=spec.max_kw,
        min_kw=spec.min_kw,
        price=spec.price,
        source=spec.plant.source,
        obliged=Obligation.ALWAYS if spec.always_obliged else Obligation.DAYLIGHT,
    )


def _plant_table(spec: HouseSpec) -> PlantTable:
    return PlantTable(id=spec.house, plant=spec.plant)
