"""Steering as one part of the central: what is asked of sellers, whether they do it, and the record of it."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from central_monitor.services.agreed import Agreed
from central_monitor.services.controller import Controller
from central_monitor.services.credit import RunningCredit
from central_monitor.services.live import LiveState
from central_monitor.services.orders import Order
from central_monitor.services.savings import Savings
from microgrid.daylight import is_day
from microgrid.directives import Standing
from microgrid.minute import Hold, MeterMinute, OrderMinute
from microgrid.months import zone_of
from microgrid.units import SECONDS_PER_MINUTE
from microgrid.wire.messages import AckState, HouseMessage, Target, TargetAck
from node.clock import Clock

ORDERS_KEPT = 100_000  # order minutes that wait for a disk that does not take them

log = logging.getLogger(__name__)

_REASONS = {
    Hold.NONE: "Your part of what the micro-grid takes now.",
    Hold.SHARING: "Load sharing: cheaper or preferred sources carry more now.",
    Hold.CAP: "The rate is kept at the national tariff.",
    Hold.OPERATOR: "The operator has set this by hand.",
}


class SteeredLink(Protocol):
    """A house's link as far as targets need it."""

    def request(self, make: "TargetMaker") -> asyncio.Future[HouseMessage]:
        """Send a request made with the id it is given."""


class TargetMaker(Protocol):
    """Makes a target with the id of its request."""

    def __call__(self, request_id: int, /) -> Target:
        """The message."""


class Control:
    """Owned by the network thread."""

    def __init__(
        self,
        links: Mapping[str, SteeredLink],
        agreed: Agreed,
        live: LiveState,
        clock: Clock,
        credit: RunningCredit,
        savings: Savings,
        step_s: int,
        standing: Standing,
    ) -> None:
        """`step_s` is the time between control steps, `standing` what the operator has ordered by hand."""
        self._links = links
        self._agreed = agreed
        self._live = live
        self._clock = clock
        self._zone = zone_of(agreed.terms.zone)
        self.credit = credit
        self.savings = savings
        self._period_minutes = max(1, step_s // SECONDS_PER_MINUTE)
        self._controller = Controller(agreed, step_s)
        self.direct(standing)
        self._noted_through: int | None = None  # the last minute whose orders are noted
        self._noted: list[OrderMinute] = []  # and not on the disk

    @property
    def orders(self) -> Mapping[str, Order]:
        """Orders standing now, by house."""
        return self._controller.orders

    @property
    def standing(self) -> Standing:
        """What the operator has ordered by hand."""
        return self._controller.standing

    def direct(self, standing: Standing) -> None:
        """From the next step on this is what the operator wants."""
        self._controller.standing = self._live.standing = standing

    # --- the record ---------------------------------------------------------------------------------

    def note(self, end: int) -> list[OrderMinute]:
        """Note what stood in every minute before `end`; all that is noted and not on the disk.

        Call it as a minute ends, before the next step. A disk that fails does not change what stood.
        """
        first = end if self._noted_through is None else self._noted_through + 1
        if first < end:
            for minute in range(first, end):
                with contextlib.suppress(LookupError):  # without a tariff nobody is steered
                    self._noted += self.record(minute)
            del self._noted[:-ORDERS_KEPT]
        self._noted_through = max(end - 1, first - 1)
        return self._noted

    def stored(self, minutes: range, meter: Sequence[MeterMinute], orders: Sequence[OrderMinute]) -> None:
        """These minutes and orders, all that were noted, are on the disk."""
        self._noted = self._noted[len(orders) :]
        self.credit.add(minutes, meter, orders)
        self.savings.add(minutes, meter, orders, self.standing.strategy)

    def record(self, minute: int) -> list[OrderMinute]:
        """What stands, as this minute would record it now; LookupError without a tariff."""
        tariff = self._agreed.terms.tariff_at(minute)
        return self._controller.record(minute, self._live.readings(self._clock.now_ms()), tariff)

    # --- a control step -----------------------------------------------------------------------------

    async def step(self, now_s: int, timeout_s: float) -> None:
        """Give every seller its target, and note what its house says of it."""
        minute = now_s // SECONDS_PER_MINUTE
        before = dict(self._controller.orders)
        orders = self._controller.step(
            now_s,
            self._live.readings(self._clock.now_ms()),
            self._agreed.terms.tariff_at(minute),
            is_day(minute, self._zone),
            self.credit.allowance(minute, self._period_minutes),
        )
        self._tell_who_follows(before, orders)
        withdrawn = {house: order for house, order in before.items() if house not in orders}
        await self._send(orders, withdrawn, now_s + self._controller.expiry_s, timeout_s)

    async def withdraw(self, now_s: int, timeout_s: float) -> None:
        """Nothing is asked of anybody any more: houses go to their safe output."""
        await self._send({}, dict(self._controller.orders), now_s, timeout_s)

    async def _send(
        self, orders: Mapping[str, Order], withdrawn: Mapping[str, Order], expires_s: int, timeout_s: float
    ) -> None:
        asked: list[asyncio.Future[HouseMessage]] = []
        for house, order in orders.items():
            asked += self._ask(house, order, order.target_w, expires_s)
        for house, order in withdrawn.items():
            asked += self._ask(house, order, None, expires_s)
        if asked:
            await asyncio.wait(asked, timeout=timeout_s)

    def _answered(self, future: asyncio.Future[HouseMessage]) -> None:
        """Note a house's word on its target, also if it comes when nobody waits for it any more."""
        if future.cancelled() or future.exception() is not None:
            return  # the link was lost, or the house cannot answer
        answer = future.result()
        if isinstance(answer, TargetAck):
            self._controller.answered(
                answer.house,
                answer.command_id,
                answer.acknowledged_s,
                answer.state is AckState.REFUSED,
                answer.reason,
                self._clock.now_ms() // 1000,
            )

    def _ask(
        self, house: str, order: Order, target_w: int | None, expires_s: int
    ) -> list[asyncio.Future[HouseMessage]]:
        link = self._links.get(house)
        if link is None:
            return []
        future = link.request(
            lambda request_id: Target(
                request_id=request_id,
                command_id=order.command_id,
                target_w=target_w,
                hold=order.hold,
                reason=_REASONS[order.hold],
                expires_s=expires_s,
                fallback_w=order.fallback_w,
            )
        )
        future.add_done_callback(self._answered)
        return [future]

    def _tell_who_follows(self, before: Mapping[str, Order], after: Mapping[str, Order]) -> None:
        for house, order in after.items():
            was = before.get(house)
            unable = order.following.unable_since_s is not None
            if unable is (was is not None and was.following.unable_since_s is not None):
                continue
            if unable:
                words = "does not follow its target; others are asked in its place."
            else:
                words = "follows its target again."
            self._live.notice(self._clock.now_ms(), f"House {house} {words}")
