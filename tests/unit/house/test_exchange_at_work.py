"""The exchange of the meter by a real program: two meters on one cable, a journal, a central's record."""

import asyncio
import contextlib

import numpy as np
import pytest

from db.central import CENTRAL, MinuteStore
from db.engine import open_reader
from db.errors import DatabaseFull
from db.house import MinuteJournal
from house_client import meter_port
from house_client.household import HouseSettings, Refused
from house_client.meter_exchange import FILE_NAME
from house_client.program import HouseProgram
from house_client.snapshot import CentralState, MeterState
from node.clock import SteppedClock
from simulation.meter import PtyMeter, make_meter
from simulation.plant.config import made_up_grid
from simulation.replay import Replay
from tests.unit.central.parts import NOON, row
from tests.unit.central.running import run, until

OLD_START_WS, NEW_START_WS = 2**32 - 5_000, 77_000_000  # the old counters wrap soon


class Site:
    """A house with a cable for its meter, and a central; time goes on in minutes."""

    def __init__(self, folder, central):
        self.central = central
        self.cable = folder / "meter"
        self.settings = HouseSettings(
            house="B",
            meter=str(self.cable),
            central=("127.0.0.1", central.program.port),
            data=folder / "house",
        )
        self.minute = NOON
        self.meter: PtyMeter | None = None
        self.program: HouseProgram | None = None

    def put_on(self, start_ws, seed):
        """Plug a meter in that stands at these counters."""
        loads_w = 600 + 7 * np.arange(1440) % 100  # given: a month of made-up ones takes seconds
        made = make_meter(
            made_up_grid(), "B", seed=seed, start=self.minute, counter_start_ws=start_ws,
            replay=Replay(loads_w, np.zeros(1440, bool), 0, self.minute),
        )  # fmt: skip
        self.meter = PtyMeter(made)
        asyncio.get_running_loop().add_reader(self.meter, self.meter.serve_commands)
        self.cable.symlink_to(self.meter.port)

    def take_off(self):
        """Unplug the meter; its registers, the truth."""
        assert self.meter is not None
        last = self.meter.meter.plant.last
        self.cable.unlink()
        asyncio.get_running_loop().remove_reader(self.meter)
        self.meter.close()
        self.meter = None
        return last

    async def begin_program(self):
        self.program = HouseProgram(self.settings, SteppedClock(self.minute * 60_000))
        await self.program.start()
        await until(lambda: self.shown.central is CentralState.LINKED)

    async def restart(self):
        """As after a power cut: what is on the disk is all that is known."""
        await self.program.stop()
        await self.begin_program()

    async def close(self):
        if self.program is not None:
            await self.program.stop()
        if self.meter is not None:
            self.take_off()

    @property
    def shown(self):
        return self.program.snapshot()

    async def heard(self):
        """Until the program has the port of the meter that is on now."""
        await self.program.port_opened()
        await until(lambda: self.shown.meter is not MeterState.MISSING)

    async def live(self, minutes=1):
        for _ in range(minutes):
            self.minute += 1
            sequence, uptime_ms = self.meter.advance_to(self.minute * 60)
            boot = self.meter.meter._boot_id
            await until(
                lambda boot=boot, sequence=sequence: any(
                    (sample.boot_id, sample.sequence) == (boot, sequence) for _, sample in self.program._inbox
                )
            )
            await self.program.advance(self.minute * 60, sequence, uptime_ms)
            await self.central.program.tick(self.minute * 60)

    def rows(self):
        """The journal, read once the program has ended."""
        with MinuteJournal(self.settings.data / "house-B.sqlite") as journal:
            return journal.month_rows(NOON - 1, self.minute + 1)

    def recorded(self):
        connection = open_reader(self.central.path, CENTRAL)
        try:
            return MinuteStore(connection).swaps("B")
        finally:
            connection.close()


def rise(rows, epoch):
    """Import and export that the rows of an epoch tell."""
    of = [row for row in rows if row.epoch == epoch]
    return of[-1].import_ws - of[0].import_ws, of[-1].export_ws - of[0].export_ws


def moved(before, after):
    return after.import_ws - before.import_ws, after.export_ws - before.export_ws


@pytest.fixture
def at_site(tmp_path, monkeypatch):
    monkeypatch.setattr(meter_port, "REOPEN_S", 0.02)
    monkeypatch.setattr(meter_port, "READ_TIMEOUT_S", 0.05)

    def tell(story):
        async def whole(central, _):
            site = Site(tmp_path, central)
            try:
                site.put_on(OLD_START_WS, seed=1)
                await site.begin_program()
                await site.heard()
                await story(site)
            finally:
                await site.close()

        run(tmp_path, whole, SteppedClock(NOON * 60_000))

    return tell


async def exchange(site, *, restarts):
    """From the old meter to the new one; the truth about both, from their first packet on."""
    old_first = site.meter.meter.plant.last
    await site.live(5)
    await site.program.begin_swap("Asif", "broken display")
    if restarts:
        await site.restart()
        await site.heard()
    await site.live(2)  # it counts until it is off
    with pytest.raises(Refused, match="new meter is not heard yet"):
        await site.program.finish_swap()
    old_last = site.take_off()
    await until(lambda: site.shown.meter is MeterState.MISSING)
    if restarts:
        await site.restart()
    site.minute += 30
    site.put_on(NEW_START_WS, seed=2)
    new_first = site.meter.meter.plant.last
    await site.heard()
    await site.live(2)
    assert site.shown.swap.old.export_ws - old_last.export_ws == 0
    assert (site.shown.swap.new_meter, site.shown.swap.like_old) != ("", True)
    if restarts:
        await site.restart()
        await site.heard()
        # What it counted before this start, nobody remembers: its first packet is the next one.
        await site.live(1)
    swap = await site.program.finish_swap()
    await site.live(4)
    return swap, (old_first, old_last), (new_first, site.meter.meter.plant.last)


def test_the_journal_holds_exactly_what_both_meters_counted(at_site):
    async def story(site):
        swap, old, new = await exchange(site, restarts=False)
        assert not (site.settings.data / FILE_NAME).exists()
        assert site.shown.swap is None
        await site.program.stop()
        rows = site.rows()
        assert [rows[0].epoch, rows[-1].epoch] == [0, 1]
        assert rise(rows, 0) == moved(*old)
        assert rise(rows, 1) == moved(*new)
        assert max(rise(rows, 0)) > 0
        assert max(rise(rows, 1)) > 0
        assert rows[-1].minute == site.minute - 1
        assert (swap.old.import_ws, swap.old.export_ws) == (old[1].import_ws, old[1].export_ws)
        assert (swap.new.import_ws, swap.new.export_ws) == (new[0].import_ws, new[0].export_ws)
        assert site.recorded() == (swap,)
        assert (swap.installer, swap.reason) == ("Asif", "broken display")
        notices = [notice.text for notice in site.central.program.snapshot().notices]
        assert "House B: the meter was exchanged by Asif." in notices

    at_site(story)


def test_power_cuts_in_between_forget_neither_the_exchange_nor_the_old_meters_energy(at_site):
    async def story(site):
        swap, old, new = await exchange(site, restarts=True)
        await site.program.stop()
        rows = site.rows()
        assert rise(rows, 0) == moved(*old)
        first = next(row for row in rows if row.epoch == 1)
        assert (swap.new.import_ws, swap.new.export_ws) == (first.import_ws, first.export_ws)
        assert rows[-1].export_ws == new[1].export_ws
        assert rows[-1].import_ws == new[1].import_ws
        assert (swap.old.import_ws, swap.old.export_ws) == (old[1].import_ws, old[1].export_ws)
        assert (swap.installer, swap.reason) == ("Asif", "broken display")
        assert site.recorded() == (swap,)

    at_site(story)


def test_what_the_central_recorded_is_what_the_journal_holds(at_site):
    async def story(site):
        await exchange(site, restarts=False)
        await site.program.stop()
        kept = {row.minute: (row.epoch, row.import_ws, row.export_ws) for row in site.rows()}
        connection = open_reader(site.central.path, CENTRAL)
        try:
            columns = MinuteStore(connection).read(NOON, site.minute, ("B",))
        finally:
            connection.close()
        present = [NOON + n for n in range(site.minute - NOON) if columns.present[n, 0]]
        assert present == sorted(minute for minute in kept if minute >= NOON)
        for minute in present:
            at = minute - NOON
            recorded = (columns.epoch[at, 0], columns.import_ws[at, 0], columns.export_ws[at, 0])
            assert recorded == kept[minute]

    at_site(story)


def test_an_exchange_that_is_given_up_leaves_the_old_meter_as_it_was(at_site):
    async def story(site):
        first = site.meter.meter.plant.last
        await site.live(2)
        await site.program.begin_swap("Asif", "broken display")
        await site.live(1)
        await site.program.cancel_swap()
        await site.live(2)
        last = site.meter.meter.plant.last
        await site.program.stop()
        rows = site.rows()
        assert {row.epoch for row in rows} == {0}
        assert rise(rows, 0) == moved(first, last)
        assert site.recorded() == ()
        assert not (site.settings.data / FILE_NAME).exists()

    at_site(story)


# --- a disk that fails ------------------------------------------------------------------------------


def full(*_):
    raise DatabaseFull("There is no room left.")


def test_nothing_begins_while_the_disk_is_full(at_site, monkeypatch):
    async def story(site):
        await site.live(1)
        journal = site.program._journal
        with monkeypatch.context() as patch:
            patch.setattr(journal, "append", full)
            # The open minute's row cannot be kept: the old meter's last counters would be lost.
            site.meter.advance_live(site.minute * 60 + 30)
            await until(lambda: site.program._inbox)
            await site.program.service.take(
                [(site.minute * 60_000 + 30_000, site.program._inbox.pop()[1])], site.minute * 60_000 + 30_000
            )
            with pytest.raises(DatabaseFull):
                await site.program.begin_swap("Asif", "broken display")
        assert site.shown.swap is None
        await site.program.begin_swap("Asif", "broken display")
        assert site.shown.swap is not None

    at_site(story)


def test_a_note_that_cannot_be_written_begins_nothing(at_site, monkeypatch):
    async def story(site):
        await site.live(1)
        blocked = site.settings.data / f"{FILE_NAME}.part"
        blocked.mkdir()
        with pytest.raises(Refused, match=r"exchange cannot be begun: .*meter-exchange"):
            await site.program.begin_swap("Asif", "broken display")
        assert site.shown.swap is None
        blocked.rmdir()
        await site.program.begin_swap("Asif", "broken display")

    at_site(story)


def test_a_finish_that_the_disk_does_not_take_is_made_good_with_the_next_minute(at_site, monkeypatch):
    async def story(site):
        await site.live(3)
        await site.program.begin_swap("Asif", "broken display")
        site.take_off()
        await until(lambda: site.shown.meter is MeterState.MISSING)
        site.put_on(NEW_START_WS, seed=2)
        new_first = site.meter.meter.plant.last
        await site.heard()
        await site.live(1)
        with monkeypatch.context() as patch:
            patch.setattr(site.program._journal, "append", full)
            with pytest.raises(DatabaseFull):
                await site.program.finish_swap()
        await site.live(3)
        (swap,) = site.recorded()
        # The note that one was begun still stood; behind a row of the new meter it means nothing.
        await site.restart()
        assert site.shown.swap is None
        assert not (site.settings.data / FILE_NAME).exists()
        await site.heard()
        await site.live(1)
        new_last = site.meter.meter.plant.last
        await site.program.stop()
        assert rise(site.rows(), 1) == moved(new_first, new_last)
        assert (swap.new.import_ws, swap.new.export_ws) == (new_first.import_ws, new_first.export_ws)

    at_site(story)


def test_minutes_closed_while_others_are_being_written_are_all_kept(at_site):
    async def story(site):
        await site.live(2)
        service = site.program.service
        gate, write = asyncio.Event(), service._write

        async def slowly(closed):
            await gate.wait()
            await write(closed)

        service._write = slowly
        rows = [row("B", site.minute + 10 + n) for n in range(3)]
        keeping = [asyncio.create_task(service._keep([row])) for row in rows]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*keeping)
        service._write = write
        assert service._closed == []
        await site.program.stop()
        with contextlib.closing(MinuteJournal(site.settings.data / "house-B.sqlite")) as journal:
            assert [row.minute for row in journal.pending(99)][-3:] == [row.minute for row in rows]

    at_site(story)
