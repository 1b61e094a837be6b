"""The least-cost day of a neighbourhood, found by HiGHS with perfect foresight: a bound, not a way to steer.

One linear programme over all minutes of the day. For every house with a source:

* the output g covers the load and what is exported: g + y = load + x, x ≤ Gmax, y what the house imports;
* g within the source's limits, moving by no more than its ramp from minute to minute;
* x ≥ Gmin where the seller is obliged, less a shortfall s that costs more than anything else, so that it is
  used only where the source cannot give the minimum;
* solar: g + charge + curtailed = panels + discharge, both within the battery's power; of the charge 92 %
  are stored, as in the plant; the store lies between 0 and its capacity, begins as in the run and ends with
  no less than there.

Over all houses, in every minute: import - export = Σ demand - Σ x. Minimised is Σ x·SR + import·T - export·F.

It knows load and sun of the whole day beforehand, follows them without delay, deadband or noise, and may use
the battery of a hybrid for that. It ignores the cap; `above_cap_coins` tells by how much it breaks it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import bmat, csr_matrix, diags, eye

from microgrid.terms import Contract, Tariff
from microgrid.units import MICROCOINS_PER_COIN, SECONDS_PER_MINUTE, WS_PER_KWH
from simulation.plant.config import PlantConfig

Floats = NDArray[np.floating[Any]]
Int = NDArray[np.int64]

CHARGED = 0.92  # of the charged energy, what can be had back
SHORT_PRICE = 1000.0  # coins per kWh short of a minimum
MINUTES_PER_HOUR = 60


@dataclass(frozen=True, kw_only=True)
class Plant:
    """A house with a source as the day begins. `panels_w` is what the sun offers (None: a generator)."""

    contract: Contract
    config: PlantConfig
    load_w: Int
    obliged: NDArray[np.bool_]
    output_w: int
    panels_w: Int | None = None
    stored_ws: int = 0
    left_ws: int = 0  # what has to be stored at the day's end


class _Programme:
    """Blocks of variables, one a minute each, and rows that bind them."""

    def __init__(self, minutes: int) -> None:
        self.minutes = minutes
        self._bounds: list[tuple[Floats, Floats]] = []
        self._cost: list[float] = []
        self._equal: list[tuple[dict[int, csr_matrix], Floats]] = []
        self._below: list[tuple[dict[int, csr_matrix], Floats]] = []

    def block(self, low: float | Floats = 0.0, high: float | Floats = np.inf, cost: float = 0.0) -> int:
        """A variable for every minute, in kW or kWh; `cost` in coins per unit."""
        whole = np.ones(self.minutes)
        self._bounds.append((low * whole, high * whole))
        self._cost.append(cost)
        return len(self._cost) - 1

    def equal(self, parts: Mapping[int, float | csr_matrix], right: Floats) -> None:
        self._equal.append((self._matrices(parts), right))

    def at_most(self, parts: Mapping[int, float | csr_matrix], right: Floats) -> None:
        self._below.append((self._matrices(parts), right))

    def _matrices(self, parts: Mapping[int, float | csr_matrix]) -> dict[int, csr_matrix]:
        one = eye(self.minutes, format="csr")
        return {n: part * one if isinstance(part, float) else part for n, part in parts.items()}

    def solved(self) -> list[Floats]:
        """The values of every block. ArithmeticError if there is no optimum."""
        equal, equal_to = self._stacked(self._equal)
        below, at_most = self._stacked(self._below)
        found = linprog(
            np.repeat(self._cost, self.minutes),
            A_ub=below,
            b_ub=at_most,
            A_eq=equal,
            b_eq=equal_to,
            bounds=np.column_stack([np.concatenate(sides) for sides in zip(*self._bounds, strict=True)]),
            method="highs",
        )
        if not found.success:
            raise ArithmeticError(found.message)
        return np.split(found.x, len(self._cost))

    def _stacked(self, rows: list[tuple[dict[int, csr_matrix], Floats]]) -> tuple[csr_matrix, Floats]:
        empty = csr_matrix((self.minutes, self.minutes))
        grid = [[parts.get(n, empty) for n in range(len(self._cost))] for parts, _ in rows]
        return bmat(grid, format="csr"), np.concatenate([right for _, right in rows])


def least_cost(plants: Mapping[str, Plant], others_net_w: Int, tariff: Tariff) -> dict[str, Int]:
    """What each house with a source exchanges in every minute, in W into the micro-grid.

    `others_net_w` is the sum of what the houses without one do.
    """
    programme = _Programme(len(others_net_w))
    exchanged = {house: _house(programme, plant) for house, plant in plants.items()}
    imported = programme.block(cost=tariff.national / MICROCOINS_PER_COIN / MINUTES_PER_HOUR)
    exported = programme.block(cost=-tariff.feed_in / MICROCOINS_PER_COIN / MINUTES_PER_HOUR)
    balance: dict[int, float] = {imported: 1.0, exported: -1.0}
    for given, taken in exchanged.values():
        balance |= {given: 1.0, taken: -1.0}
    programme.equal(balance, -others_net_w / 1000)
    values = programme.solved()
    return {
        house: np.rint((values[given] - values[taken]) * 1000).astype(np.int64)
        for house, (given, taken) in exchanged.items()
    }


def _house(programme: _Programme, plant: Plant) -> tuple[int, int]:
    """The blocks of what it exports and imports."""
    contract, config = plant.contract, plant.config
    solar = plant.panels_w is not None
    rated_kw = config.inverter_kw if solar else config.rated_kva * config.power_factor
    output = programme.block(0.0 if solar else config.minimum_kw, rated_kw)
    given = programme.block(
        0.0, contract.max_w / 1000, contract.price / MICROCOINS_PER_COIN / MINUTES_PER_HOUR
    )
    taken = programme.block()
    short = programme.block(cost=SHORT_PRICE / MINUTES_PER_HOUR)
    programme.equal({output: 1.0, taken: 1.0, given: -1.0}, plant.load_w / 1000)
    programme.at_most({given: -1.0, short: -1.0}, plant.obliged * (-contract.min_w / 1000))
    _ramp(programme, output, config.ramp_w_per_minute / 1000, plant.output_w / 1000)
    if plant.panels_w is not None:
        _battery(programme, plant, plant.panels_w, output, rated_kw)
    return given, taken


def _steps(minutes: int) -> csr_matrix:
    """The change of every minute; of the first its value."""
    return diags([1.0, -1.0], [0, -1], shape=(minutes, minutes), format="csr")


def _ramp(programme: _Programme, output: int, ramp_kw: float, begins_kw: float) -> None:
    change, most = _steps(programme.minutes), np.full(programme.minutes, ramp_kw)
    before = np.zeros(programme.minutes)
    before[0] = begins_kw
    programme.at_most({output: change}, most + before)
    programme.at_most({output: -change}, most - before)


def _battery(programme: _Programme, plant: Plant, panels_w: Int, output: int, rated_kw: float) -> None:
    config = plant.config
    power_kw = rated_kw if config.battery_kw is None else config.battery_kw
    charge, discharge = programme.block(0.0, power_kw), programme.block(0.0, power_kw)
    curtailed = programme.block()
    low = np.zeros(programme.minutes)
    low[-1] = plant.left_ws / WS_PER_KWH
    stored = programme.block(low, config.battery_kwh)
    programme.equal({output: 1.0, charge: 1.0, curtailed: 1.0, discharge: -1.0}, panels_w / 1000)
    begins = np.zeros(programme.minutes)
    begins[0] = plant.stored_ws / WS_PER_KWH
    minute = 1 / MINUTES_PER_HOUR
    programme.equal({stored: _steps(programme.minutes), charge: -CHARGED * minute, discharge: minute}, begins)


def above_cap_coins(net_ws: Int, price: Int, tariff: Tariff) -> float:
    """What local energy of minutes [minutes, houses] costs above the tariff, minute by minute."""
    export_ws = np.maximum(net_ws, 0)
    total_ws = export_ws.sum(axis=1)
    local = np.minimum(total_ws, np.maximum(-net_ws, 0).sum(axis=1)) / np.maximum(total_ws, 1)
    above = np.maximum(0, export_ws @ (price - tariff.national) * local)
    return float(above.sum()) / WS_PER_KWH / MICROCOINS_PER_COIN


def cost_coins(net_ws: Int, price: Int, tariff: Tariff) -> float:
    """Σ P·SR + import·T - export·F of minutes [minutes, houses]; `price` is 0 for who does not sell."""
    paid = int((np.maximum(net_ws, 0).sum(axis=0) * price).sum())
    balance = net_ws.sum(axis=1)
    imported, exported = int(np.maximum(-balance, 0).sum()), int(np.maximum(balance, 0).sum())
    whole = paid + imported * tariff.national - exported * tariff.feed_in
    return whole / WS_PER_KWH / MICROCOINS_PER_COIN


def minutes_of(power_w: Int) -> Int:
    """Energy in Ws of minutes at this power."""
    return power_w * SECONDS_PER_MINUTE
