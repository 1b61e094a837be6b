"""A controller that is stepped by hand: each step is `step_s` after the one before, from noon on."""

from typing import Any

from central_monitor.services.agreed import Agreed
from central_monitor.services.controller import Controller
from central_monitor.services.orders import HouseReading, Order
from microgrid.directives import Directive, DirectiveKind, Standing, StrategyName, standing
from microgrid.minute import OrderMinute
from microgrid.terms import Cap
from tests.unit.central.parts import NOON, buyer, seller, tariff, terms

NOON_S = NOON * 60


def reading(exchange_w: int, connected: bool = True, linked: bool = True) -> HouseReading:
    return HouseReading(exchange_w, connected, linked)


def by_hand(
    *,
    strategy: StrategyName | None = None,
    hold: dict[str, int] | None = None,
    out: dict[str, int] | None = None,
) -> Standing:
    """What stands after these orders of the operator, at noon: held at W, out of service until a minute."""
    common: dict[str, Any] = {"author": "Ada", "note": "test", "entered_s": NOON_S}
    found = [
        Directive(kind=DirectiveKind.HOLD, house=h, target_w=w, **common) for h, w in (hold or {}).items()
    ]
    found += [
        Directive(kind=DirectiveKind.OUT_OF_SERVICE, house=h, until_minute=m, **common)
        for h, m in (out or {}).items()
    ]
    if strategy is not None:
        found.append(Directive(kind=DirectiveKind.STRATEGY, strategy=strategy, **common))
    return standing(found)


class Steered:
    """By default one seller B and one buyer A; the cap is off."""

    def __init__(self, *contracts: Any, step_s: int = 60) -> None:
        self.control = Controller(Agreed(terms(*(contracts or (seller("B", 8), buyer("A"))))), step_s)
        self.step_s = step_s
        self.now_s = NOON_S - step_s
        self.tariff = tariff(cap=Cap.OFF)
        self.day = True
        self.readings: dict[str, HouseReading] = {}

    def step(self, allowance: int = 0, **readings: Any) -> dict[str, Order]:
        """One step; an exchanged power alone is that of a house that is linked and connected."""
        self.now_s += self.step_s
        self.hear(**readings)
        return self.control.step(self.now_s, self.readings, self.tariff, self.day, allowance)

    def hear(self, **readings: Any) -> None:
        """These are the houses' readings now."""
        self.readings = {h: r if isinstance(r, HouseReading) else reading(r) for h, r in readings.items()}

    def acknowledge(self, *houses: str) -> None:
        """The meters of these houses acknowledge the orders that stand."""
        for house in houses:
            self.control.answered(
                house, self.control.orders[house].command_id, self.now_s, False, "", self.now_s
            )

    def record(self, minute: int) -> dict[str, OrderMinute]:
        """What stood in this minute, as it ends."""
        return {row.house: row for row in self.control.record(minute, self.readings, self.tariff)}
