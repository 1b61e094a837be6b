"""One control step of 254 sellers: targets and the cap, and all that the controller does. Goal: 2 ms."""

import numpy as np

from benchmarks.measure import Spent, medians, repeated, show
from benchmarks.neighbourhood import HOUSES
from central_monitor.services.agreed import Agreed
from central_monitor.services.controller import Controller
from central_monitor.services.orders import HouseReading
from microgrid.directives import StrategyName
from microgrid.dispatch import STRATEGIES, Fleet, Seller, Situation, plan
from microgrid.terms import FOREVER, Contract, House, Role, Source, Tariff, Terms
from microgrid.units import microcoins

STEPS = 50
ROUNDS = 5
DEMAND_W = 300_000
STEP_S = 10
BEGUN_S = 1_800_000_000
TARIFF = Tariff(valid_from=0, valid_to=FOREVER, national=microcoins(17.6), feed_in=microcoins(5))
CASES = {"nobody dear": 0, "every third dear": 3, "all dear": 1}


def sellers(dear: int) -> list[Seller]:
    """254 sellers of 40 prices, every `dear`-th a generator above the national tariff (0: none)."""
    return [
        Seller(f"H{number:03}", 250, 2500, microcoins(25), Source.GENERATOR)
        if dear and number % dear == 0
        else Seller(f"H{number:03}", 250, 2500, microcoins(8 + number % 40 / 5), Source.SOLAR)
        for number in range(HOUSES)
    ]


def control_step(fleet: Fleet) -> None:
    """The targets of a fast step of demand, by the dearest of the strategies to compute."""
    standing_w = np.full(HOUSES, DEMAND_W // HOUSES // 2, dtype=np.int64)
    situation = Situation(fleet, DEMAND_W, standing_w, day=True, step_s=STEP_S)
    plan(STRATEGIES[StrategyName.DAY_TIME], situation, TARIFF, 0)


class Central:
    """A controller and the sellers it steers; one in ten gives nothing and does not answer."""

    def __init__(self, of: list[Seller]) -> None:
        self._controller = Controller(Agreed(_terms(of)), STEP_S)
        self._names = [seller.house for seller in of]
        self._steps = 0
        for _ in range(20):  # until it has noticed
            self.step()

    def step(self) -> None:
        """A control step after demand has moved by a hundredth, and what the houses say to it."""
        now_s = BEGUN_S + STEP_S * self._steps
        self._steps += 1
        orders = self._controller.orders
        readings = {"-": HouseReading(-DEMAND_W * (100 + self._steps % 10) // 100, True, True)}
        for number, house in enumerate(self._names):
            order = orders.get(house)
            given_w = 0 if order is None or number % 10 == 0 else order.target_w
            readings[house] = HouseReading(given_w, True, True)
        self._measured(now_s, readings)
        for number, (house, order) in enumerate(self._controller.orders.items()):
            if number % 10:
                self._controller.answered(house, order.command_id, now_s + 1, False, "", now_s + 1)

    def _measured(self, now_s: int, readings: dict[str, HouseReading]) -> None:
        self.spent = repeated(lambda: self._controller.step(now_s, readings, TARIFF, True, 0), 1)


def _terms(of: list[Seller]) -> Terms:
    return Terms(
        zone="Asia/Karachi",
        houses=tuple(House(house=s.house, name=s.house, connection_w=5000) for s in of),
        contracts=tuple(
            Contract(
                house=s.house,
                role=Role.PRODUCER,
                valid_from=0,
                valid_to=FOREVER,
                max_w=s.max_w,
                min_w=s.min_w,
                price=s.price,
                source=s.source,
            )
            for s in of
        ),
        tariffs=(TARIFF,),
    )


def controller_steps(central: Central) -> Spent:
    """The medians of some steps."""
    runs = []
    for _ in range(STEPS):
        central.step()
        runs.append(central.spent)
    return medians(runs)


def main() -> None:
    """Print the time of a step for three neighbourhoods, taken in turns."""
    fleets = {label: Fleet.of(sellers(dear)) for label, dear in CASES.items()}
    centrals = {label: Central(sellers(dear)) for label, dear in CASES.items()}
    targets: dict[str, list[Spent]] = {label: [] for label in CASES}
    whole: dict[str, list[Spent]] = {label: [] for label in CASES}
    for _ in range(ROUNDS):
        for label, fleet in fleets.items():
            targets[label].append(repeated(lambda fleet=fleet: control_step(fleet), STEPS))  # type: ignore[misc]
            whole[label].append(controller_steps(centrals[label]))
    for label in CASES:
        show(f"targets, {label}", medians(targets[label]))
    for label in CASES:
        show(f"the controller's whole step, one in ten unable, {label}", medians(whole[label]))


if __name__ == "__main__":
    main()
