"""The real programs beside a test's window: a central and a house at work, and a meter that ticks."""

import asyncio
import os
import threading
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from central_monitor.adapters.writer import DatabaseWriter
from central_monitor.program import CentralProgram, Listen
from db.house import MinuteJournal
from house_client.household import HouseSettings
from house_client.running import RunningHousehold
from house_client.ui.main_window import HouseWindow
from microgrid.months import month_minutes, zone_of
from microgrid.terms import Terms
from node.loop_thread import LoopThread
from node.qt.bridge import SnapshotBridge
from simulation.meter import PtyMeter, boot_id
from simulation.plant.config import PlantConfig
from simulation.plant.house_plant import HousePlant
from simulation.plant.sun import Site
from simulation.virtual_meter import VirtualMeter
from simulation.wiring import RIGHT, Wiring
from tests.unit.central.bureau import steady
from tests.unit.central.parts import ZONE, buyer, seller, terms

WAIT_MS = 15_000
TERMS = terms(buyer("A"), seller("B", 8, source="solar"))
JUNE, JULY = (month_minutes(name, zone_of(ZONE)) for name in ("2026-06", "2026-07"))
POWER_W = {"A": -1200, "B": 1000}  # of the houses, all June


class ShiftedClock:
    """Goes as real time does, and stood at `now_s` as it was made."""

    def __init__(self, now_s: int) -> None:
        self._ahead_ms = now_s * 1000 - time.time_ns() // 1_000_000

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._ahead_ms

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


class Central:
    """A central at work; its database holds June as far as it has gone."""

    def __init__(self, folder: Path, now_s: int, agreed: Terms = TERMS) -> None:
        last = min(now_s // 60, JUNE.stop) - 1
        self.rows = {house: steady(house, JUNE.start - 1, last, power) for house, power in POWER_W.items()}
        self.clock = ShiftedClock(now_s)
        self._writer = DatabaseWriter(folder / "power.sqlite")
        self._writer.save_terms(agreed)
        self._thread = LoopThread("central")
        self.program = self._do(self._begin(agreed))

    async def _begin(self, agreed: Terms) -> CentralProgram:
        await self._writer.append([row for rows in self.rows.values() for row in rows], [])
        program = CentralProgram(agreed, self._writer, Listen(port=0), self.clock)
        await program.start()
        return program

    def _do(self, work):
        return self._thread.submit(work).result(WAIT_MS / 1000)

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.program.port)

    @property
    def now_s(self) -> int:
        return self.clock.now_ms() // 1000

    def order(self, make):
        """Give an order of the operator's: made from the administration, carried out on its thread."""
        return self._do(make(self.program.administration))

    def contract_of(self, house: str, minute: int):
        """What the central holds for this house."""
        return self.program._agreed.contracts_at(minute).get(house)

    def linked(self) -> list[str]:
        return self.program.linked_houses()

    def notices(self) -> list[str]:
        return [notice.text for notice in self.program.snapshot().notices]

    def stop(self) -> None:
        self._do(self.program.stop())
        self._thread.stop()
        self._writer.close()


def journalled(data: Path, rows) -> None:
    """A house's journal that holds these minutes, all acknowledged."""
    data.mkdir(parents=True, exist_ok=True)
    with MinuteJournal(data / f"house-{rows[0].house}.sqlite") as journal:
        journal.append(rows)
        journal.acknowledge([row.minute for row in rows])


class LiveMeter:
    """A meter of a house that draws so much all day; a packet a second, from a thread of its own."""

    def __init__(self, cable: Path, draws_w: int, wiring: Wiring = RIGHT, seed: int = 1) -> None:
        """`cable` is the name of its serial port."""
        start = int(time.time()) // 60
        plant = HousePlant(
            "A",
            PlantConfig(monthly_kwh=300),
            zone=zone_of(ZONE),
            site=Site(latitude=24.9, longitude=67.0),
            seed=seed,
            start=start,
            load=lambda minutes: np.full(len(minutes), draws_w, dtype=np.int32),
            start_ws=(seed * 1_000_000,) * 3,
        )
        self._pty = PtyMeter(VirtualMeter(plant, boot_id(seed, "A", start), wiring=wiring))
        self.cable = cable
        cable.symlink_to(self._pty.port)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tick)
        self._thread.start()

    def _tick(self) -> None:
        begun, second = time.monotonic(), self._pty.meter.second
        while not self._ended.is_set():
            self._pty.advance_live(second + int(time.monotonic() - begun))
            self._ended.wait(0.05)

    def stop(self) -> None:
        """Pull it out."""
        self._ended.set()
        self._thread.join()
        self._pty.close()
        os.unlink(self.cable)


class Kiosk:
    """A window on a house's real program."""

    def __init__(self, qtbot, store: QSettings, settings: HouseSettings, size=(1024, 600)) -> None:
        self.qtbot, self._closed = qtbot, False
        self._thread = LoopThread("house")
        self._bridge = SnapshotBridge()
        self.household = RunningHousehold(self._thread, settings, self._bridge.publish)
        self.window = HouseWindow(store, self.household)
        self._bridge.arrived.connect(self.window.show_snapshot)
        self.window.resize(*size)
        self.window.show()
        self.activate(self.window)

    def activate(self, widget) -> None:
        """As a window manager does with what has just been opened."""
        widget.activateWindow()
        self.qtbot.waitUntil(widget.isActiveWindow)

    def until(self, condition) -> None:
        self.qtbot.waitUntil(condition, timeout=WAIT_MS)

    @property
    def shown(self):
        return self.window._snapshot

    def expect(self, kind, owner=None):
        """The dialog that is open now, of this kind."""
        owner = owner or self.window.creation
        self.until(lambda: isinstance(owner.dialog, kind) and owner.dialog.isVisible())
        self.activate(owner.dialog)
        return owner.dialog

    def close(self) -> None:
        """Switch it off; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self.household.close()
        self._thread.stop()
        self.window.close()
        QApplication.processEvents()
