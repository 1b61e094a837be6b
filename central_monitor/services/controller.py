"""Steers sellers: orders from the strategy, and the record of what was ordered (5.7.1, ch. 6).

A plain class without clock or socket: readings and `now` go in, targets come out. Blame for imported
energy rests on what stands here, so a target keeps its id and acknowledgement until it really changes.
"""

from collections.abc import Mapping

import numpy as np
from msgspec.structs import replace

from central_monitor.services.agreed import Agreed
from central_monitor.services.orders import ANSWER_S, HouseReading, Order, fate
from microgrid.commitment import Commitment
from microgrid.directives import Standing
from microgrid.dispatch import STRATEGIES, Crew, Fleet, Seller, Task, divide
from microgrid.dispatch.following import Asked, Following
from microgrid.minute import Fate, Hold, OrderMinute
from microgrid.pool import obliged
from microgrid.terms import Cap, Contract, Role, Tariff
from microgrid.units import SECONDS_PER_MINUTE

SILENCE_S = 120  # a target not renewed for this long no longer holds, and the house goes to its safe output
LEAST_INTERVAL_S = 10  # between two targets for one seller
PAUSE_S = 60  # who is back sooner, linked and connected, goes on where it was
_BELOW_MINIMUM = (Hold.CAP, Hold.OPERATOR)  # why a seller may be asked for less than its minimum


class Controller:
    """Keeps one order per seller. Not thread-safe: the network thread owns it."""

    def __init__(self, agreed: Agreed, step_s: int = SECONDS_PER_MINUTE) -> None:
        """`step_s` is the time between control steps."""
        self._agreed = agreed
        self._step_s = step_s
        self._orders: dict[str, Order] = {}
        self._paused: dict[str, tuple[Order, int]] = {}  # what stood on who cannot be asked, and since when
        self._stepped_s: int | None = None  # the last step
        self._last_command = 0
        self._contracts: Mapping[str, Contract] = {}
        self._fleet = Fleet.of(())  # of everybody under a producer's contract
        self.standing = Standing()

    @property
    def orders(self) -> Mapping[str, Order]:
        """Orders standing now, by house."""
        return self._orders

    @property
    def expiry_s(self) -> int:
        """For how long a target holds without being renewed."""
        return max(SILENCE_S, 3 * self._step_s)

    def step(
        self, now_s: int, readings: Mapping[str, HouseReading], tariff: Tariff, day: bool, allowance: int
    ) -> dict[str, Order]:
        """Find new targets; returns every standing order, to be sent (again) to its house.

        `allowance` is the cap's credit in micro-coins that one minute may spend. Demand is what all houses
        take, less what houses not steered here deliver.
        """
        minute = now_s // SECONDS_PER_MINUTE
        if self._has_expired(now_s):  # in the houses too: they are at their safe output
            self._orders, self._paused = {}, {}
        self._stepped_s = now_s
        self._see(now_s, readings, tariff)
        sellers = self._sellers(minute, readings, day)
        by_hand = self._by_hand(minute, sellers)
        fleet = sellers.only(np.array([house not in by_hand for house in sellers.houses], dtype=np.bool_))
        steered = {*fleet.houses, *by_hand}
        demand_w = sum(max(0, -r.exchange_w) for r in readings.values())
        demand_w -= sum(r.export_w for house, r in readings.items() if house not in steered)
        demand_w -= sum(self._delivers(house, held[0], readings[house]) for house, held in by_hand.items())
        task = Task(max(0, demand_w), day, self._step_s, tariff, allowance)
        planned = divide(STRATEGIES[self.standing.strategy], self._crew(fleet, readings), task)
        pairs = zip(planned.target_w.tolist(), map(Hold, planned.hold.tolist()), strict=True)
        targets = dict(zip(fleet.houses, pairs, strict=True)) | by_hand
        contracts = self._agreed.contracts_at(minute)
        before = self._orders
        self._orders = {
            house: self._order(contracts[house], target_w, hold, readings[house], now_s, tariff.deadband_w)
            for house, (target_w, hold) in sorted(targets.items())
        }
        self._pause(before, now_s)
        return dict(self._orders)

    def _see(self, now_s: int, readings: Mapping[str, HouseReading], tariff: Tariff) -> None:
        """Note who follows."""
        patience_s = max(tariff.response_s, 2 * self._step_s)
        for house, order in self._orders.items():
            if (reading := readings.get(house)) is not None:
                asked = Asked(order.target_w, order.given_s, order.refused or order.unanswered(now_s))
                following = order.following.seen(
                    asked, reading.export_w, now_s, tariff.deadband_w, patience_s, self._step_s
                )
                if following != order.following:
                    self._orders[house] = replace(order, following=following)

    def _sellers(self, minute: int, readings: Mapping[str, HouseReading], day: bool) -> Fleet:
        """Who can be asked now."""
        contracts = self._agreed.contracts_at(minute)
        if contracts is not self._contracts:  # they change a few times a month
            self._contracts = contracts
            self._fleet = Fleet.of(
                Seller(c.house, c.min_w, c.max_w, c.price, c.source)
                for c in contracts.values()
                if c.source is not None and c.role is Role.PRODUCER
            )

        def can_be_asked(house: str) -> bool:
            reading = readings.get(house)
            if reading is None or not reading.connected or not reading.linked:
                return False
            return obliged(contracts[house], day)

        return self._fleet.only(np.array([can_be_asked(h) for h in self._fleet.houses], dtype=np.bool_))

    def _by_hand(self, minute: int, sellers: Fleet) -> dict[str, tuple[int, Hold]]:
        """Sellers whose target the operator has set; who is out of service is asked for nothing."""
        found: dict[str, tuple[int, Hold]] = {}
        if not self.standing.held and not self.standing.out:
            return found
        for house, least_w, most_w in zip(
            sellers.houses, sellers.min_w.tolist(), sellers.max_w.tolist(), strict=True
        ):
            held = self.standing.held.get(house)
            if self.standing.out_of_service(house, minute):
                found[house] = (0, Hold.OPERATOR)
            elif held is not None and held.target_w is not None:
                found[house] = (min(max(held.target_w, least_w), most_w), Hold.OPERATOR)
        return found

    def _delivers(self, house: str, target_w: int, reading: HouseReading) -> int:
        """What can be counted on: the target, or what is given by one that does not follow."""
        order = self._orders.get(house)
        return target_w if order is not None and order.following.counts else reading.export_w

    def _crew(self, fleet: Fleet, readings: Mapping[str, HouseReading]) -> Crew:
        """The fleet as it is known now."""
        exports = [readings[house].export_w for house in fleet.houses]
        orders = [self._orders.get(house) for house in fleet.houses]
        asked = [e if o is None else o.target_w for o, e in zip(orders, exports, strict=True)]
        hold = [Hold.NONE if o is None else o.hold for o in orders]
        return Crew(
            fleet=fleet,
            export_w=np.array(exports, dtype=np.int64),
            asked_w=np.array(asked, dtype=np.int64),
            hold=np.array(hold, dtype=np.int64),
            unproven=np.array([o is None or o.following.is_unproven for o in orders], dtype=np.bool_),
            uncounted=np.array([o is None or not o.following.counts for o in orders], dtype=np.bool_),
        )

    def _order(
        self,
        contract: Contract,
        target_w: int,
        hold: Hold,
        reading: HouseReading,
        now_s: int,
        deadband_w: int,
    ) -> Order:
        """The order after this step; the same with the same id while its target stays."""
        export_w = reading.export_w
        before = self._orders.get(contract.house)
        out = self.standing.out_of_service(contract.house, now_s // SECONDS_PER_MINUTE)
        fallback_w = 0 if out else contract.min_w
        if before is None:
            paused = self._standing(contract.house, now_s)
            raised = target_w > export_w + deadband_w
            order = self._given(paused, target_w, hold, raised, now_s, Following(export_w))
        elif (before.target_w, before.fallback_w, before.hold) == (target_w, fallback_w, hold) and (
            abs(target_w - export_w) <= deadband_w and before.over_since_s is None
        ):
            return before  # as for most sellers at most steps
        else:
            if self._waits(before, contract, now_s):
                target_w, hold = before.target_w, before.hold
            order = self._replaced(before, target_w, hold, export_w, now_s, deadband_w)
        over_since_s = None
        if export_w > order.target_w + deadband_w:
            over_since_s = now_s if order.over_since_s is None else order.over_since_s
        whole_since_s = None
        if order.target_w >= contract.min_w:
            whole_since_s = now_s if order.whole_since_s is None else order.whole_since_s
        return replace(order, fallback_w=fallback_w, over_since_s=over_since_s, whole_since_s=whole_since_s)

    @staticmethod
    def _waits(order: Order, contract: Contract, now_s: int) -> bool:
        """Whether the target stands for now: one at a time, unless a new contract does not allow it."""
        least_w = 0 if order.hold in _BELOW_MINIMUM else contract.min_w
        if not least_w <= order.target_w <= contract.max_w:
            return False
        since_s = now_s - order.given_s
        return since_s < LEAST_INTERVAL_S or (order.acknowledged_s is None and since_s < ANSWER_S)

    def _replaced(
        self, before: Order, target_w: int, hold: Hold, export_w: int, now_s: int, deadband_w: int
    ) -> Order:
        raised = before.raised
        if abs(target_w - export_w) > deadband_w:
            raised = target_w > export_w
        if target_w == before.target_w:
            return replace(
                before, hold=hold, raised=raised, commitment=before.commitment.asked(target_w, raised)
            )
        return self._given(before, target_w, hold, raised, now_s, before.following)

    def _given(
        self, before: Order | None, target_w: int, hold: Hold, raised: bool, now_s: int, following: Following
    ) -> Order:
        """A new target; what the one `before` was owed, and what was acknowledged of it, goes on."""
        self._last_command += 1
        order = Order(
            self._last_command, target_w, hold, raised, now_s, now_s, 0, Commitment(raised), following
        )
        if before is None:
            return order
        return replace(
            order,
            owing_s=before.owing_s if before.acknowledged_s is None else now_s,
            commitment=before.commitment.asked(target_w, raised),
            over_since_s=before.over_since_s,
            whole_since_s=before.whole_since_s,
        )

    def answered(
        self, house: str, command_id: int, acknowledged_s: int | None, refused: bool, answer: str, now_s: int
    ) -> None:
        """Note a house's word on its order; the first acknowledgement counts, an old id is ignored.

        When the meter acknowledged is the house's to say, but not before it was asked, nor in time to come.
        """
        order = self._orders.get(house)
        if order is None or order.command_id != command_id:
            return
        commitment = order.commitment
        if order.acknowledged_s is None and acknowledged_s is not None:
            acknowledged_s = min(max(acknowledged_s, order.given_s), now_s)
            commitment = commitment.acknowledged(order.target_w, acknowledged_s)
        else:
            acknowledged_s = order.acknowledged_s
        self._orders[house] = replace(
            order, acknowledged_s=acknowledged_s, refused=refused, answer=answer, commitment=commitment
        )

    def record(self, minute: int, readings: Mapping[str, HouseReading], tariff: Tariff) -> list[OrderMinute]:
        """What stood in this minute, for every seller under contract, whether or not it was heard.

        Call it as the minute ends, before the next `step`: orders are taken to have stood through it.
        `readings` are those of now.
        """
        return [
            self._order_minute(contract, minute, readings.get(contract.house), tariff)
            for contract in self._agreed.contracts_at(minute).values()
            if contract.role is Role.PRODUCER
        ]

    def _order_minute(
        self, contract: Contract, minute: int, reading: HouseReading | None, tariff: Tariff
    ) -> OrderMinute:
        order = self._standing(contract.house, (minute + 1) * SECONDS_PER_MINUTE)
        linked = reading is not None and reading.linked
        raised = order is not None and linked and order.stands_as_raise(minute * SECONDS_PER_MINUTE)
        target_w, acknowledged_s, became = None, None, Fate.NONE
        if order is not None:
            target_w, became = order.target_w, Fate.UNANSWERED
            if reading is not None and linked:  # nothing stands on a house that is not linked
                target_w, acknowledged_s = self._held_to(order, raised, contract, minute, tariff)
                end_s = (minute + 1) * SECONDS_PER_MINUTE
                became = fate(order, reading.export_w, end_s, tariff.deadband_w, tariff.response_s)
        return OrderMinute(
            house=contract.house,
            minute=minute,
            raise_standing=raised,
            target_w=target_w,
            hold=Hold.NONE if order is None else order.hold,
            command_id=0 if order is None else order.command_id,
            acknowledged_s=acknowledged_s,
            tie_closed=True,
            out_of_service=self.standing.out_of_service(contract.house, minute),
            fate=became,
        )

    def _pause(self, before: Mapping[str, Order], now_s: int) -> None:
        """Keep for a moment what stood on those who cannot be asked any more."""
        kept = {house: paused for house, paused in self._paused.items() if now_s - paused[1] < PAUSE_S}
        self._paused = kept | {
            house: (order, now_s) for house, order in before.items() if house not in self._orders
        }

    def _has_expired(self, now_s: int) -> bool:
        """Whether nobody was steered for so long that nothing that was asked holds any more."""
        return self._stepped_s is not None and now_s - self._stepped_s > self.expiry_s

    def _standing(self, house: str, now_s: int) -> Order | None:
        """The order that stands on a house, also while it cannot be asked for a moment."""
        if self._has_expired(now_s):
            return None
        order, since_s = self._paused.get(house, (None, 0))
        return self._orders.get(house) or (order if now_s - since_s < PAUSE_S else None)

    @staticmethod
    def _held_to(
        order: Order, raised: bool, contract: Contract, minute: int, tariff: Tariff
    ) -> tuple[int, int | None]:
        """The level a seller is held to in this minute, and since when it is acknowledged.

        A target below the contract's minimum lowers the minimum at once, so it is told as it is.
        """
        begin_s = minute * SECONDS_PER_MINUTE
        commitment = order.commitment.asked(order.target_w, raised)
        due = commitment.due(begin_s, tariff.response_s)
        if due is not None and (raised or order.target_w >= contract.min_w):
            # Who was asked for less than its minimum owes it again a response time after that has ended,
            # also if it does not listen to that, or late.
            is_over = order.whole_since_s is not None and order.whole_since_s + tariff.response_s <= begin_s
            if due[0] >= min(contract.min_w, order.target_w) or not is_over:
                return due
        levels = dict(commitment.levels)
        return order.target_w, levels.get(order.target_w)


def minute_allowance(tariff: Tariff, credit: int, period_minutes: int) -> int:
    """How much of the cap's credit one minute may spend until the next control step, in micro-coins."""
    return credit // max(1, period_minutes) if tariff.cap is Cap.MONTH else 0
