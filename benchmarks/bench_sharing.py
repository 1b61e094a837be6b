"""A day in June and one in December: what power costs with sharing on, by merit order, off, and at best.

The houses of chapter 9 in memory, a control step a minute, the second day of the month: the first is lived
with sharing on, so that the cap's credit and the battery are those of a running month; then each strategy
takes the same day from the same state. Costs are Σ P·SR + import·T - export·F of the registers; for the
optimum see `benchmarks/optimum.py`.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from benchmarks.measure import ROOT, show, spending
from benchmarks.optimum import Int, Plant, above_cap_coins, cost_coins, least_cost, minutes_of
from microgrid.columns import minute_columns, order_columns
from microgrid.daylight import day_mask
from microgrid.directives import Standing, StrategyName
from microgrid.dispatch.saving import saved
from microgrid.energy import minute_energy
from microgrid.months import zone_of
from microgrid.pool import obliged
from microgrid.terms import Cap, Role, Source, Tariff
from microgrid.units import MICROCOINS_PER_COIN, MINUTES_PER_DAY, WS_PER_KWH
from simulation.oracle import Oracle
from simulation.plant.house_plant import HousePlant
from simulation.plant.source import SolarSource
from simulation.scenario import Scenario, load_scenario

GRID = ROOT / "resources" / "chapter9.toml"
MONTHS = ("2026-06", "2026-12")
SEED = 1
HEADINGS = ("sun", "diesel", "import", "spill", "stored", "cost", "at best", "above")


@dataclass(frozen=True)
class Lived:
    """A day as it went: energy in Ws [minutes, houses]."""

    net_ws: Int
    estimate: float  # coins that the central says sharing saved
    stored_ws: int  # in batteries as the day ends


@dataclass(frozen=True)
class State:
    """A neighbourhood in the midst of its life."""

    oracle: Oracle
    plants: dict[str, HousePlant]

    def batteries(self) -> dict[str, SolarSource]:
        """The solar sources, by house."""
        sources = {house: plant.source for house, plant in self.plants.items()}
        return {house: source for house, source in sources.items() if isinstance(source, SolarSource)}

    def stored_ws(self) -> int:
        """What is in all batteries."""
        return sum(source.stored_ws for source in self.batteries().values())


class Day:
    """The second day of a month under one setting of the cap."""

    def __init__(self, month: str, cap: Cap) -> None:
        self.scenario: Scenario = load_scenario(GRID, month, days=2, step=1, seed=SEED, cap=cap)
        self.terms = self.scenario.terms
        self.houses = tuple(sorted(house.house for house in self.terms.houses))
        begun = self.scenario.minutes.start
        self.minutes = range(begun + MINUTES_PER_DAY, self.scenario.minutes.stop)
        self.tariff: Tariff = self.terms.tariff_at(self.minutes.start)
        self.contracts = {
            house: contract
            for house in self.houses
            if (contract := self.terms.contract_at(house, self.minutes.start)) is not None
            and contract.role is Role.PRODUCER
        }
        self.price = np.array(
            [self.contracts[h].price if h in self.contracts else 0 for h in self.houses], dtype=np.int64
        )
        plants = {house: meter.plant for house, meter in self.scenario.meters().items()}
        self._begun = State(Oracle(self.terms, plants, {}, self.scenario.step), plants)
        _play(self._begun.oracle, range(begun, self.minutes.start))

    def lived(self, strategy: StrategyName) -> Lived:
        """The day, load divided by this strategy."""
        state = deepcopy(self._begun)
        state.oracle.direct(Standing(strategy))
        _play(state.oracle, self.minutes)
        played = state.oracle.played
        rows = [row for minute in self.minutes for row in played.meter[minute]]
        opening = {row.house: row for row in played.meter[self.minutes.start - 1]}
        columns = minute_columns(self.houses, self.minutes, rows, opening)
        orders = order_columns(
            self.houses, self.minutes, [row for minute in self.minutes for row in played.orders[minute]]
        )
        estimate = saved(self.terms, columns, orders, [strategy] * len(self.minutes)).sum()
        return Lived(minute_energy(columns).net_ws, int(estimate) / MICROCOINS_PER_COIN, state.stored_ws())

    def optimum(self, left_ws: int) -> Lived:
        """The same day at the least cost, with no less in the batteries as it ends. Made for one battery."""
        loads = self._loads()
        is_day = day_mask(self.minutes.start, self.minutes.stop, zone_of(self.terms.zone))
        configs = {table.id: table.plant for table in self.scenario.plants.house}
        plants = {}
        for house, contract in self.contracts.items():
            plant = self._begun.plants[house]
            source = plant.source
            solar = source if isinstance(source, SolarSource) else None
            plants[house] = Plant(
                contract=contract,
                config=configs[house],
                load_w=loads[house],
                obliged=np.where(is_day, obliged(contract, True), obliged(contract, False)),
                output_w=plant.last.generator_p_w,
                panels_w=None
                if solar is None
                else np.array([solar.available_w(minute) for minute in self.minutes]),
                stored_ws=0 if solar is None else solar.stored_ws,
                left_ws=0 if solar is None else left_ws,
            )
        others_w = -sum(load for house, load in loads.items() if house not in plants)
        found = least_cost(plants, np.asarray(others_w), self.tariff)
        net_w = np.column_stack([found.get(house, -loads[house]) for house in self.houses])
        return Lived(minutes_of(net_w), 0.0, left_ws)

    def _loads(self) -> dict[str, Int]:
        """What each house takes, from plants that nobody steers."""
        plants = {house: meter.plant for house, meter in self.scenario.meters().items()}
        whole = self.scenario.minutes
        loads = {house: [plant.step().load_w for _ in whole] for house, plant in plants.items()}
        return {house: np.array(load[-len(self.minutes) :], dtype=np.int64) for house, load in loads.items()}

    def cost(self, lived: Lived) -> float:
        """In coins."""
        return cost_coins(lived.net_ws, self.price, self.tariff)

    def row(self, lived: Lived, best: float) -> str:
        """A line of the table, as under `HEADINGS`: energies in kWh, coins, per cent above the optimum."""
        given = np.maximum(lived.net_ws, 0).sum(axis=0)
        balance = lived.net_ws.sum(axis=1)
        source = {house: contract.source for house, contract in self.contracts.items()}
        energies = [
            sum(int(given[n]) for n, house in enumerate(self.houses) if source.get(house) is kind)
            for kind in (Source.SOLAR, Source.GENERATOR)
        ]
        energies += [int(np.maximum(-balance, 0).sum()), int(np.maximum(balance, 0).sum()), lived.stored_ws]
        cost = self.cost(lived)
        figures = [f"{energy / WS_PER_KWH:8.2f}" for energy in energies]
        return " ".join([*figures, f"{cost:8.1f} {best:8.1f} {(cost / best - 1) * 100:6.1f} %"])


def _play(oracle: Oracle, minutes: range) -> None:
    for _ in oracle.run(minutes):
        pass


def compared(month: str, cap: Cap) -> Iterator[tuple[str, str]]:
    """The lines of one day's table. Each is measured against the optimum that leaves the battery as full."""
    day = Day(month, cap)
    days = {strategy: day.lived(strategy) for strategy in StrategyName}
    best = {strategy: day.optimum(lived.stored_ws) for strategy, lived in days.items()}
    for strategy, lived in days.items():
        yield str(strategy), day.row(lived, day.cost(best[strategy]))
    least = best[StrategyName.DAY_TIME]
    yield "at best, day time", day.row(least, day.cost(least))
    yield "above the cap", f"{above_cap_coins(least.net_ws, day.price, day.tariff):.1f} coins at best"
    off = day.cost(days[StrategyName.OFF])
    for strategy in (StrategyName.DAY_TIME, StrategyName.MERIT_ORDER):
        true = off - day.cost(days[strategy])
        yield f"{strategy} saved", f"{true:.1f} coins; the central says {days[strategy].estimate:.1f}"


def main() -> None:
    """Print a table for each day and setting of the cap."""
    with spending() as spent:
        for month in MONTHS:
            for cap in Cap:
                print(f"  {month}-02, cap {cap}: kWh and coins")
                print(f"  {'':18}" + " ".join(f"{heading:>8}" for heading in HEADINGS))
                for label, line in compared(month, cap):
                    print(f"  {label:18}{line}", flush=True)
    show("all of it", spent)


if __name__ == "__main__":
    main()
