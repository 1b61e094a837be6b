"""Steers sellers: orders from the dispatch rule, and the record of what was ordered (5.7.1, ch. 6).

A plain class without clock or socket: readings and `now` go in, targets come out. Blame for imported
energy rests on what stands here, so an order keeps its id and acknowledgement until it really changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from central_monitor.services.agreed import Agreed
from microgrid.dispatch import Seller, Target, keep_cap, share_load
from microgrid.minute import Hold, OrderMinute
from microgrid.pool import obliged
from microgrid.terms import Cap, Role, Tariff

EXPIRY_S = 900  # a target not repeated for this long no longer holds


@dataclass(frozen=True, slots=True)
class HouseReading:
    """What the controller knows of a house now: exchanged power (signed W), breaker and link."""

    exchange_w: int
    connected: bool
    linked: bool


@dataclass(frozen=True, slots=True)
class Order:
    """The order a seller stands under. `raised`: it was told to give more than it gave."""

    command_id: int
    target_w: int
    hold: Hold
    raised: bool
    acknowledged_s: int | None = None


class Controller:
    """Keeps one order per seller. Not thread-safe: the network thread owns it."""

    def __init__(self, agreed: Agreed) -> None:
        self._agreed = agreed
        self._orders: dict[str, Order] = {}
        self._last_command = 0

    @property
    def orders(self) -> Mapping[str, Order]:
        """Orders standing now, by house."""
        return self._orders

    def step(
        self, minute: int, readings: Mapping[str, HouseReading], tariff: Tariff, day: bool, allowance: int
    ) -> dict[str, Order]:
        """Find new targets; returns every standing order, to be sent (again) to its house.

        `minute` is the one that begins now; `allowance` is the cap's credit in micro-coins that one
        minute may spend. Demand is what all houses take, less what houses not steered here deliver.
        """
        sellers = self._sellers(minute, readings, day)
        steered = {seller.house for seller in sellers}
        demand_w = sum(max(0, -r.exchange_w) for r in readings.values())
        demand_w -= sum(max(0, r.exchange_w) for house, r in readings.items() if house not in steered)
        shared = share_load(sellers, max(0, demand_w), day)
        targets = keep_cap(sellers, shared, max(0, demand_w), tariff, allowance)
        self._orders = {
            house: self._order(house, target, readings[house].exchange_w, tariff.deadband_w)
            for house, target in sorted(targets.items())
        }
        return dict(self._orders)

    def _sellers(self, minute: int, readings: Mapping[str, HouseReading], day: bool) -> list[Seller]:
        return [
            Seller(c.house, c.min_w, c.max_w, c.price, c.source)
            for c in self._agreed.contracts_at(minute).values()
            if c.source is not None
            and obliged(c, day)
            and c.house in readings
            and readings[c.house].connected
            and readings[c.house].linked
        ]

    def _order(self, house: str, target: Target, exported_w: int, deadband_w: int) -> Order:
        before = self._orders.get(house)
        if before is None:
            return self._new_order(target.target_w, target.hold, target.target_w > exported_w + deadband_w)
        target_w = target.target_w
        if abs(target_w - before.target_w) <= deadband_w and target.hold is before.hold:
            target_w = before.target_w
        raised = before.raised
        if abs(target_w - exported_w) > deadband_w:
            raised = target_w > exported_w
        if (before.target_w, before.hold, before.raised) == (target_w, target.hold, raised):
            return before
        # Who had time to follow a harder order needs none for an easier one in the same direction;
        # otherwise a target that moves every minute would never put anybody under obligation.
        easier = target_w <= before.target_w if raised else target_w >= before.target_w
        acknowledged_s = before.acknowledged_s if easier and raised is before.raised else None
        return self._new_order(target_w, target.hold, raised, acknowledged_s)

    def _new_order(self, target_w: int, hold: Hold, raised: bool, acknowledged_s: int | None = None) -> Order:
        self._last_command += 1
        return Order(self._last_command, target_w, hold, raised, acknowledged_s)

    def acknowledge(self, house: str, command_id: int, acknowledged_s: int) -> None:
        """Note when the meter acknowledged a command; the first time counts, an old id is ignored."""
        order = self._orders.get(house)
        if order is not None and order.command_id == command_id and order.acknowledged_s is None:
            self._orders[house] = replace(order, acknowledged_s=acknowledged_s)

    def record(self, minutes: Sequence[int], linked: Mapping[str, bool]) -> list[OrderMinute]:
        """What stood in these minutes, for every seller under contract, whether or not it was heard.

        Call it before the next `step`: orders are taken to have stood through all the minutes given.
        """
        return [
            self._order_minute(contract.house, minute, linked.get(contract.house, False))
            for minute in minutes
            for contract in self._agreed.contracts_at(minute).values()
            if contract.role is Role.PRODUCER
        ]

    def _order_minute(self, house: str, minute: int, linked: bool) -> OrderMinute:
        order = self._orders.get(house)
        return OrderMinute(
            house=house,
            minute=minute,
            raise_standing=order is not None and order.raised and linked,
            target_w=None if order is None else order.target_w,
            hold=Hold.NONE if order is None else order.hold,
            command_id=0 if order is None else order.command_id,
            acknowledged_s=None if order is None else order.acknowledged_s,
            tie_closed=True,
        )


def minute_allowance(tariff: Tariff, credit: int, period_minutes: int) -> int:
    """How much of the cap's credit one minute may spend until the next control step, in micro-coins."""
    return credit // max(1, period_minutes) if tariff.cap is Cap.MONTH else 0
