"""The whole central on a real loop, TCP and database, with houses beside it."""

import asyncio
import time

from central_monitor.adapters.writer import DatabaseWriter
from central_monitor.program import CentralProgram, Listen
from db.central import CENTRAL, MinuteStore
from db.engine import open_reader
from microgrid.terms import Cap
from node.clock import SteppedClock
from tests.unit.central.parts import NOON, buyer, sample, seller, terms
from tests.unit.central.wire import WireHouse

TERMS = terms(seller("B", 8), buyer("A"), cap=Cap.OFF)


class FastClock:
    """Runs several hundred times as fast as real time, so that a minute is over soon."""

    def __init__(self, now_ms=NOON * 60_000 + 30_000, factor=300):
        self.offset_ms = now_ms
        self.factor = factor
        self._begun = time.monotonic()

    def now_ms(self):
        return self.offset_ms + round((time.monotonic() - self._begun) * 1000 * self.factor)

    async def sleep(self, delay_s):
        await asyncio.sleep(max(0.0, delay_s) / self.factor)


class Central:
    """The program on test, its database, and the houses at its other side."""

    def __init__(self, folder, clock, agreed):
        self.path = folder / "power.sqlite"
        self.writer = DatabaseWriter(self.path)
        self.writer.save_terms(agreed)
        self.program = CentralProgram(agreed, self.writer, Listen(port=0), clock)
        self.houses = {}

    async def join(self, name, exchange_w=0):
        house = self.houses[name] = WireHouse(name)
        house.live_sample = sample(exchange_w)
        await house.connect(self.program.port)
        return house

    def stored(self, first, end):
        connection = open_reader(self.path, CENTRAL)
        try:
            store = MinuteStore(connection)
            return store.read(first, end, "AB"), store.read_orders(first, end, "AB")
        finally:
            connection.close()

    def view(self, house):
        return next(view for view in self.program.snapshot().houses if view.house == house)


def run(tmp_path, story, clock=None, agreed=TERMS):
    async def whole():
        central = Central(tmp_path, clock or SteppedClock(NOON * 60_000), agreed)
        try:
            await central.program.start()
            async with asyncio.timeout(20):
                await story(central, central.program)
        finally:
            await central.program.stop()
            for house in central.houses.values():
                await house.close()
            central.writer.close()

    asyncio.run(whole())


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)
