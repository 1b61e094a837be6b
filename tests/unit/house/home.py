"""A house's service with a real journal, a meter that answers at once, and a list in place of the link."""

import asyncio
import contextlib
from typing import Any, cast

from db.house.journal import MinuteJournal
from house_client.service import HouseService
from microgrid.minute import Hold
from microgrid.sample import CommandState
from microgrid.wire.messages import (
    Poll,
    Target,
    Welcome,
)
from microgrid.wire.serial import CommandKind
from node.clock import SteppedClock
from node.worker import Worker
from tests.unit.central.parts import NOON, sample

NOON_MS = NOON * 60_000


class FakePort:
    """A meter that answers commands as it is told to, at once; `state` None: not at all."""

    has_outputs = True

    def __init__(self, service, state=CommandState.DONE, open_=True):
        self.service = service
        self.state = state
        self.open = open_
        self.commands = []

    @property
    def widths(self):
        """Each pulse as a number: its width, negative to lower."""
        return [c.width_ms if c.kind is CommandKind.RAISE else -c.width_ms for c in self.commands]

    def send(self, command):
        self.commands.append(command)
        if self.open and self.state is not None:
            asyncio.get_running_loop().call_soon(self.echo, self.state)
        return self.open

    def echo(self, state):
        """The meter says this of the last command."""
        packet = sample(0, command_id=self.commands[-1].command_id, command_state=state)
        self.service.control.pulses.heard([packet])


class House:
    """A service with its journal and a list in place of the link."""

    def __init__(self, path, **more):
        self.worker = Worker("journal under test")
        self.journal = self.worker.run(lambda: MinuteJournal(path))
        self.clock = SteppedClock(NOON_MS)
        self.service = self.worker.run(
            lambda: HouseService("B", self.journal, self.worker, self.clock, **more)
        )
        self.port = FakePort(self.service)
        self.service.control.pulses.port = cast(Any, self.port)
        self.sent: list[Any] = []
        self.service.send = self.sent.append

    async def live(self, minutes, power_w=600, first=0):
        """An opening packet and one a minute; the clock goes along. The central has been heard before."""
        if not self.service.hello().has_register:
            self.service.handle(welcome(central_time_ms=self.clock.now_ms()))
        for n in range(first, minutes + 1):
            at_ms = NOON_MS + n * 60_000
            self.clock.step_to(at_ms)
            packet = sample(power_w, sequence=n, uptime_ms=n * 60_000, export_counter_ws=n * power_w * 60)
            await self.service.take([(at_ms, packet)], at_ms)

    async def second(self, power_w, seconds=1):
        """So many seconds later a packet comes and is looked at."""
        at_ms = self.clock.now_ms() + seconds * 1000
        self.clock.step_to(at_ms)
        await self.service.take([(at_ms, sample(power_w, uptime_ms=at_ms - NOON_MS + 1000))], at_ms)
        await self.service.control.look()

    async def answers(self, count=1):
        async with asyncio.timeout(5):
            while len(self.sent) < count:
                await asyncio.sleep(0.001)
        return self.sent[count - 1]

    def poll(self, request_id=1, **more):
        values = {"central_time_ms": self.clock.now_ms(), "rate": 8, "tariff": 17, "pool_w": 5}
        self.service.handle(Poll(request_id=request_id, **{**values, **more}))
        return self.sent[-1]

    def target(self, target_w, command_id=5, request_id=9, **more):
        values = {"hold": Hold.NONE, "reason": "", "expires_s": NOON * 60 + 900, "fallback_w": 250}
        self.service.handle(
            Target(request_id=request_id, command_id=command_id, target_w=target_w, **{**values, **more})
        )


@contextlib.asynccontextmanager
async def at_home(tmp_path, **more):
    house = House(tmp_path / "house.sqlite", **more)
    try:
        yield house
        await house.service.close()
    finally:
        house.worker.run(house.journal.close)
        house.worker.close()


def run(tmp_path, story, **more):
    """`more` goes to the service."""

    async def whole():
        async with asyncio.timeout(20), at_home(tmp_path, **more) as house:
            await story(house)

    asyncio.run(whole())


def welcome(**more):
    values = {
        "protocol": 1,
        "name": "House B",
        "zone": "Asia/Karachi",
        "central_time_ms": NOON_MS,
        "connection_w": 5000,
    }
    return Welcome(**{**values, **more})


async def steered(house, target_w, state=CommandState.DONE, power_w=600, open_=True, **more):
    """Live a minute, send a target, and give the answer."""
    await house.live(1, power_w)
    house.port.state, house.port.open = state, open_
    house.target(target_w, **more)
    return await house.answers()


async def told(house, target_w, **more):
    """Send a further target and give its answer."""
    count = len(house.sent)
    house.target(target_w, **more)
    return await house.answers(count + 1)
