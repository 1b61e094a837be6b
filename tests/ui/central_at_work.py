"""The central's window on the real program and database: houses that speak the protocol by hand, own time."""

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from central_monitor.adapters.writer import DatabaseWriter
from central_monitor.bootstrap import beside_a_window
from central_monitor.program import Listen
from central_monitor.ui.main_window import CentralWindow
from microgrid.terms import FOREVER, House, Obligation, Source, Terms
from microgrid.units import microcoins
from microgrid.wire.messages import Deliver, Delivered, FetchPost, Poll, Post, PostTaken, Reply
from node.qt.bridge import SnapshotBridge
from tests.unit.central.bureau import Bureau, at_work, month, steady
from tests.unit.central.parts import ZONE, buyer, order_row, seller, tariff
from tests.unit.central.wire import WireHouse

JUNE, JULY = month("2026-06"), month("2026-07")
NOW = JULY.start + 4 * 1440 + 720  # noon of 5 July
KNOWN_DAY = 2  # of June: the day of which every minute came
LONG_NAME = "The family of the upper floor, house at the old water tower 1234"
LONG_MS = 20_000
POWERS_W = {"A": -1200, "B": 1500, "C": -300, "D": -12}
DEFAULTED = range(JUNE.start + KNOWN_DAY * 1440 + 600, JUNE.start + KNOWN_DAY * 1440 + 630)
TERMS = Terms(
    zone=ZONE,
    houses=(
        House(house="A", name="House A", connection_w=5000),
        House(house="B", name=LONG_NAME, connection_w=5000),
        House(house="C", name="House C", connection_w=5000),
        House(house="D", name="House D", connection_w=5000),
    ),
    contracts=(
        buyer("A", valid_to=FOREVER),
        seller("B", 8, source=Source.SOLAR, obligation=Obligation.DAYLIGHT, valid_to=FOREVER),
        buyer("C", max_w=1000, valid_to=FOREVER),
    ),
    tariffs=(tariff(feed_in=microcoins(4), valid_to=FOREVER),),
)


class DeskClock:
    """Runs as the machine's clock, and leaps when it is told to; any thread."""

    def __init__(self, now_ms: int) -> None:
        self._begun = time.monotonic()
        self._base_ms = now_ms

    def now_ms(self) -> int:
        """The time now, Unix milliseconds."""
        return self._base_ms + round((time.monotonic() - self._begun) * 1000)

    def leap(self, seconds: int) -> None:
        """Be so much later at once."""
        self._base_ms += seconds * 1000

    async def sleep(self, delay_s: float) -> None:
        """Wait until the clock shows so much later."""
        until_ms = self.now_ms() + delay_s * 1000
        while self.now_ms() < until_ms:
            await asyncio.sleep(0.005)


def counted(house: str, first: int, last: int, step: int = 60) -> list[Any]:
    """Rows of a house whose meter has counted evenly since June began."""
    power_w = POWERS_W[house]
    return steady(house, first, last, power_w, abs(power_w) * 60 * (first - JUNE.start + 1), step)


def make_database(folder: Path) -> Path:
    """June is billed: hourly rows, and every minute of its third day. July is recorded up to `NOW`."""
    known = range(JUNE.start + KNOWN_DAY * 1440, JUNE.start + (KNOWN_DAY + 1) * 1440)
    orders = [
        order_row("B", minute, raise_standing=True, target_w=2400, acknowledged_s=(known.start - 60) * 60)
        for minute in DEFAULTED
    ]

    async def story(bureau: Bureau) -> None:
        for house in POWERS_W:
            rows = counted(house, JUNE.start - 1, known.start - 1)
            rows += counted(house, known.start, known.stop - 1, step=1)
            rows += counted(house, known.stop + 59, JUNE.stop - 1)
            await bureau.record(rows, JUNE.stop * 60, orders if house == "B" else ())
        await bureau.step(JUNE.stop * 60)
        for house in POWERS_W:
            await bureau.record(counted(house, JULY.start, NOW - 1), NOW * 60)

    at_work(folder, TERMS, story)
    return folder / "power.sqlite"


class Household(WireHouse):
    """Also takes the bills it is handed, and gives the answer in `post` once."""

    def __init__(self, house: str) -> None:
        super().__init__(house)
        self.post: Post | None = None

    def _answer(self, message: Any) -> None:
        if isinstance(message, Deliver):
            self.send(Delivered(house=self.house, request_id=message.request_id))
        elif isinstance(message, Poll) and self.post is not None:
            self.send(
                Reply(
                    house=self.house, request_id=message.request_id, sample=self.live_sample,
                    sample_age_ms=0, outbox=bool(self.pending), post=True,
                )
            )  # fmt: skip
        elif isinstance(message, FetchPost) and self.post is not None:
            self.send(replace(self.post, request_id=message.request_id))
        elif isinstance(message, PostTaken):
            self.post = None
        else:
            super()._answer(message)


class CentralAtWork:
    """The window, and what stands behind it."""

    def __init__(self, window: CentralWindow, operator: Any, clock: DeskClock, path: Path) -> None:
        self.window, self.clock, self.path = window, clock, path
        self.operator = operator
        self.houses: dict[str, Household] = {}

    def do(self, work: Any) -> Any:
        """Run a coroutine in the network thread and wait for it."""
        return self.operator._thread.submit(work).result(timeout=20)

    def connect(self, house: str, sample: Any = None) -> Household:
        """A house opens its link."""
        made = self.houses[house] = Household(house)
        made.live_sample = sample
        self.do(made.connect(self.operator.port))
        return made

    def leave(self) -> None:
        """All houses close their links."""
        for house in self.houses.values():
            self.do(house.close())


@contextmanager
def central_at_work(database: Path, folder: Path, now: int = NOW) -> Iterator[CentralAtWork]:
    """The window on a copy of this database, at this minute; nothing is left of it afterwards."""
    path = folder / "power.sqlite"
    shutil.copyfile(database, path)
    settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
    clock, bridge = DeskClock(now * 60_000 + 5_000), SnapshotBridge()
    before = set(threading.enumerate())
    writer = DatabaseWriter(path)
    try:
        with beside_a_window(writer.load_terms(), writer, Listen(port=0), bridge.publish, clock) as operator:
            window = CentralWindow(settings, operator)
            bridge.arrived.connect(window.show_snapshot)
            central = CentralAtWork(window, operator, clock, path)
            window.show()
            window.activateWindow()
            try:
                yield central
            finally:
                window.close()
                central.leave()
        window.deleteLater()
        QApplication.processEvents()
    finally:
        writer.close()
    left = set(threading.enumerate()) - before
    assert not left, f"threads are left: {left}"


def until(qtbot, condition: Callable[[], object]) -> None:
    """Wait for what the program does in its threads and writes to its database."""
    qtbot.waitUntil(lambda: bool(condition()), timeout=LONG_MS)
