"""Steering as the central asks for it: what houses say of their targets, in time and late."""

import asyncio
from typing import Any

import pytest

from central_monitor.adapters.tcp_server import LinkLost, RequestRefused
from central_monitor.control import Control, TargetMaker
from central_monitor.services.agreed import Agreed
from central_monitor.services.credit import RunningCredit
from central_monitor.services.live import LiveState
from central_monitor.services.orders import Order
from central_monitor.services.savings import Savings
from microgrid.directives import Standing
from microgrid.terms import Cap
from microgrid.wire.messages import AckState, Reply, Target, TargetAck
from node.clock import SteppedClock
from tests.unit.central.parts import NOON, buyer, sample, seller, terms
from tests.unit.central.steered import NOON_S

SELLER, STEP_S = seller("B", 8), 10


class SlowLink:
    """A house's link; the test answers for the house."""

    def __init__(self) -> None:
        self.asked: list[tuple[Target, asyncio.Future[Any]]] = []

    def request(self, make: TargetMaker) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.asked.append((make(len(self.asked) + 1), future))
        return future

    def answer(self, which: int, state: AckState = AckState.ACCEPTED) -> None:
        target, future = self.asked[which]
        future.set_result(
            TargetAck(
                house="B", request_id=target.request_id, command_id=target.command_id, state=state,
                acknowledged_s=NOON_S,
            )
        )  # fmt: skip


class Asking:
    """The central's control beside one seller, at noon."""

    def __init__(self) -> None:
        agreed = Agreed(terms(SELLER, buyer("A"), cap=Cap.OFF))
        self.link, self.live, self.clock = SlowLink(), LiveState(agreed, {}, {}), SteppedClock(NOON_S * 1000)
        self.control = Control(
            {"B": self.link}, agreed, self.live, self.clock, RunningCredit(agreed, {}), Savings(agreed, {}),
            STEP_S, Standing(),
        )  # fmt: skip
        for house in "AB":
            self.live.linked(house, NOON_S * 1000)

    async def step(self) -> Order:
        """A control step that waits for nobody."""
        now_ms = self.clock.now_ms()
        for house, exchange_w in (("A", -1200), ("B", 0)):
            reply = Reply(
                house=house,
                request_id=1,
                sample=sample(exchange_w),
                sample_age_ms=0,
                outbox=False,
                post=False,
            )
            self.live.heard(reply, now_ms, 1.0)
        await self.control.step(now_ms // 1000, 0.001)
        self.clock.step_to(now_ms + STEP_S * 1000)
        return self.control.orders["B"]


def test_an_answer_after_the_time_to_wait_for_it_is_an_answer():
    async def story() -> None:
        asking = Asking()
        for _ in range(3):
            assert (await asking.step()).acknowledged_s is None
        asking.link.answer(0)  # thirty seconds after it was asked
        await asyncio.sleep(0)
        order = asking.control.orders["B"]
        assert order.acknowledged_s == NOON_S
        assert asking.control.record(NOON)[0].acknowledged_s == NOON_S
        asking.link.answer(1, AckState.REFUSED)  # and what it says later counts as well
        await asyncio.sleep(0)
        assert asking.control.orders["B"].refused

    asyncio.run(story())


@pytest.mark.parametrize("fault", [LinkLost("lost"), RequestRefused("no source"), None])
def test_a_house_that_cannot_answer_has_not_answered(fault: Exception | None):
    async def story() -> None:
        asking = Asking()
        await asking.step()
        _, future = asking.link.asked[0]
        if fault is None:
            future.cancel()
        else:
            future.set_exception(fault)
        await asyncio.sleep(0)
        assert (await asking.step()).acknowledged_s is None
        assert len(asking.link.asked) == 2

    asyncio.run(story())
