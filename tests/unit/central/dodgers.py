"""A live loop in memory, second by second, in which sellers may not play fair; and its settlement.

The controller steps every ten seconds, registers add up second by second, the record is taken as a minute
ends, and the minutes are settled as any month is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from central_monitor.services.agreed import Agreed
from central_monitor.services.controller import Controller
from central_monitor.services.orders import HouseReading, Order
from microgrid.columns import minute_columns, order_columns
from microgrid.dispatch.situation import Int
from microgrid.ledger import MonthLedger, Segment
from microgrid.minute import Fate, MeterMinute, OrderMinute
from microgrid.months import month_of, zone_of
from microgrid.terms import Cap, Contract, Terms
from microgrid.units import coins
from tests.unit.central.parts import NOON, ZONE, buyer, row, tariff, terms
from tests.unit.central.steered import NOON_S

STEP_S = 10
RAMP_W_PER_S = 80


@dataclass
class Seller:
    """An honest seller gives what is asked, shows what it gives and acknowledges at once.

    What a dodger does otherwise is said in its fields, functions of the Unix second. They are
    told the target in W, `shows` also what is given.
    """

    contract: Contract
    gives: Callable[[int, int], int] | None = None  # None: the target, as fast as it can
    shows: Callable[[int, int, int], int] = lambda second, target_w, power_w: power_w
    linked: Callable[[int], bool] = lambda second: True
    connected: Callable[[int], bool] = lambda second: True
    acknowledges: Callable[[int, Order], int | None] = lambda second, order: second
    refuses: bool = False
    power_w: int = 0
    target_w: int = 0

    def second(self, second: int) -> int:
        """What it gives in this second."""
        if self.gives is not None:
            self.power_w = self.gives(second, self.target_w)
        else:
            self.power_w += max(-RAMP_W_PER_S, min(RAMP_W_PER_S, self.target_w - self.power_w))
        if not self.connected(second):
            self.power_w = 0
        return self.power_w

    def reading(self, second: int) -> HouseReading:
        """What the central's newest poll says."""
        shown_w = self.shows(second, self.target_w, self.power_w)
        return HouseReading(shown_w, self.connected(second), self.linked(second))


@dataclass(frozen=True)
class Lived:
    """What came of it: the record, the minutes settled, and the orders that stood at the end."""

    houses: tuple[str, ...]
    segments: list[Segment]
    record: list[OrderMinute]
    orders: dict[str, Order]

    def earned(self, house: str) -> float:
        """Coins for what it sold."""
        return coins(
            sum(
                self._sum(s.settled.microgrid_amount + s.settled.national_amount, house)
                for s in self.segments
            )
        )

    def penalty(self, house: str) -> float:
        """Coins of penalties."""
        return -coins(sum(self._sum(s.settled.penalty_amount, house) for s in self.segments))

    def net(self, house: str) -> float:
        """Coins in all."""
        return self.earned(house) - self.penalty(house)

    def fates(self, house: str) -> list[Fate]:
        """What became of its orders, minute by minute."""
        return [row.fate for row in self.record if row.house == house]

    def _sum(self, amounts: Int, house: str) -> int:
        return int(amounts[:, self.houses.index(house)].sum())


def live(sellers: Iterable[Seller], demand_w: Callable[[int], int], minutes: int) -> Lived:
    """So many minutes from noon on, without the cap; sellers begin at rest, and are asked at noon."""
    named = {seller.contract.house: replace(seller) for seller in sellers}
    in_force = tariff(cap=Cap.OFF)
    agreed = terms(
        *(seller.contract for seller in named.values()), buyer("A", max_w=5000), tariffs=(in_force,)
    )
    controller = Controller(Agreed(agreed), STEP_S)
    registers = {house: [0, 0] for house in ("A", *named)}
    rows, orders = [], []
    for second in range(NOON_S, NOON_S + minutes * 60 + 1):
        readings = {house: seller.reading(second) for house, seller in named.items()}
        readings["A"] = HouseReading(-demand_w(second), True, True)
        if second % 60 == 0 and second > NOON_S:
            minute = second // 60 - 1
            orders += controller.record(minute, readings, in_force)
            rows += [row(house, minute, *both) for house, both in registers.items()]
        if second % STEP_S == 0:
            standing = controller.step(second, readings, in_force, True, 0)
            for house, seller in named.items():
                order = standing.get(house)
                seller.target_w = 0 if order is None else order.target_w
                if order is not None and order.acknowledged_s is None and seller.linked(second):
                    said_s = seller.acknowledges(second, order)
                    controller.answered(house, order.command_id, said_s, seller.refuses, "", second)
        registers["A"][0] += demand_w(second)
        for house, seller in named.items():
            registers[house][1] += seller.second(second)
    houses = tuple(sorted(house.house for house in agreed.houses))
    segments = _settled(agreed, houses, range(NOON, NOON + minutes), rows, orders)
    return Lived(houses, segments, orders, dict(controller.orders))


def _settled(
    agreed: Terms, houses: tuple[str, ...], span: range, rows: list[MeterMinute], orders: list[OrderMinute]
) -> list[Segment]:
    """The minutes, as a month's ledger settles them that has known the houses since its beginning."""
    ledger = MonthLedger(agreed, month_of(span.start, zone_of(ZONE)))
    before = range(ledger.minutes.start, span.start)
    opening = {house: row(house, span.start - 1) for house in houses}
    at_rest = [row(house, before.start) for house in houses] + list(opening.values())
    ledger.add(minute_columns(houses, before, at_rest, {}), order_columns(houses, before, []))
    columns = minute_columns(houses, span, rows, opening)
    return list(ledger.segments(columns, order_columns(houses, span, orders)))
