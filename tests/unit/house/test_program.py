"""The house program live: a real journal, no central."""

import asyncio
import threading
import time
from typing import Any

import pytest

from db.errors import DatabaseError, DatabaseFull
from house_client.household import HouseSettings
from house_client.program import HouseProgram
from house_client.snapshot import CentralState, MeterState
from microgrid.minute import Hold
from microgrid.wire.messages import Target, Welcome
from microgrid.wire.serial import CommandKind
from node.clock import SteppedClock
from tests.unit.central.parts import row, sample


class FastClock:
    """Runs fifty times as fast as real time."""

    def __init__(self):
        self._begun = time.monotonic()

    def now_ms(self):
        return 1_780_000_050_000 + round((time.monotonic() - self._begun) * 50_000)

    async def sleep(self, delay_s):
        await asyncio.sleep(delay_s / 50)


def settings(folder):
    return HouseSettings(house="B", meter=None, central=None, data=folder)


def test_minutes_are_journalled_through_a_disk_that_fails(tmp_path, monkeypatch):
    async def story():
        clock = FastClock()
        program = HouseProgram(settings(tmp_path), clock)
        await program.start()
        program.service.handle(_welcome(clock.now_ms()))
        failed = []

        def full(rows, acknowledged=()):
            failed.append([row.minute for row in rows])
            raise DatabaseFull("There is no room left.")

        async def speak_until(condition):
            while not condition():
                program._hear(clock.now_ms(), [sample(600)])
                await asyncio.sleep(0.02)

        with monkeypatch.context() as patch:
            patch.setattr(program._journal, "append", full)
            await speak_until(lambda: failed)
        await speak_until(lambda: program.snapshot().minutes_waiting)
        pending = await program._worker.submit(program._journal.pending_minutes)
        assert failed[0][0] == pending[0]
        await program.stop()

    asyncio.run(asyncio.wait_for(story(), 15))
    assert not threads()


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith(("meter", "journal"))]


def _welcome(now_ms):
    return Welcome(
        protocol=1,
        name="House B",
        zone="UTC",
        central_time_ms=now_ms,
        connection_w=5000,
        last_minute=row("B", now_ms // 60_000 - 1),
    )


def test_stop_ends_every_thread_also_where_the_journal_fails(tmp_path, monkeypatch):
    async def story():
        program = HouseProgram(settings(tmp_path))
        await program.start()

        def full(rows, acknowledged=()):
            raise DatabaseFull("There is no room left.")

        monkeypatch.setattr(program._journal, "append", full)
        with pytest.raises(DatabaseFull):
            await program.stop()

    asyncio.run(asyncio.wait_for(story(), 10))
    assert not threads()


def test_a_journal_that_is_none_is_refused_and_no_thread_stays(tmp_path):
    (tmp_path / "house-B.sqlite").write_text("this is no database, and long enough to be read as one" * 10)
    with pytest.raises(DatabaseError, match="not a database of this program"):
        HouseProgram(settings(tmp_path))
    assert not threads()


# --- steering ---------------------------------------------------------------------------------------


class DeafPort:
    """Takes every command and says nothing."""

    has_outputs = True

    def __init__(self):
        self.commands = []

    def send(self, command):
        self.commands.append(command)
        return True


def _target(now_ms, target_w=1500, hold_s=900):
    return Target(
        request_id=1, command_id=1, target_w=target_w, hold=Hold.NONE, reason="",
        expires_s=now_ms // 1000 + hold_s, fallback_w=250,
    )  # fmt: skip


async def _speak(program, clock, condition, power_w=600):
    """The meter speaks until this holds."""
    while not condition():
        program._hear(clock.now_ms(), [sample(power_w)])
        await asyncio.sleep(0.02)


def test_minutes_are_closed_while_an_echo_is_waited_for(tmp_path):
    async def story():
        clock = FastClock()
        program = HouseProgram(settings(tmp_path), clock)
        port: Any = DeafPort()
        program.service.control.pulses.port = port
        await program.start()
        program.service.handle(_welcome(clock.now_ms()))
        await _speak(program, clock, lambda: program.service.fresh_sample)
        program.service.handle(_target(clock.now_ms()))
        before = program.snapshot().minutes_waiting
        # Real time, of which a minute here is a little over one second, the echo's time-out three.
        await _speak(program, clock, lambda: program.snapshot().minutes_waiting > before)
        assert len(port.commands) == 1
        assert program.snapshot().last_pulse is None  # still waiting
        await program.stop()

    asyncio.run(asyncio.wait_for(story(), 15))
    assert not threads()


def test_a_house_started_again_beside_a_silent_central_goes_to_its_safe_output(tmp_path):
    async def first(clock):
        program = HouseProgram(settings(tmp_path), clock)
        deaf: Any = DeafPort()
        program.service.control.pulses.port = deaf
        await program.start()
        program.service.handle(_welcome(clock.now_ms()))
        program.service.handle(_target(clock.now_ms(), hold_s=1))
        await program.stop()

    async def second(clock):
        program = HouseProgram(settings(tmp_path), clock)
        port: Any = DeafPort()
        program.service.control.pulses.port = port
        await program.start()
        await _speak(program, clock, lambda: port.commands)
        assert (port.commands[0].kind, port.commands[0].width_ms) == (CommandKind.LOWER, 350)
        shown = program.snapshot()
        assert (shown.safe, shown.goal_w, shown.central) == (True, 250, CentralState.NO_ADDRESS)
        await program.stop()

    clock = FastClock()
    for part in (first, second):
        asyncio.run(asyncio.wait_for(part(clock), 15))
    assert not threads()


@pytest.mark.parametrize(
    ("clock", "seen"), [(SteppedClock(), MeterState.HEARD), (FastClock(), MeterState.SILENT)]
)
def test_a_meter_is_silent_in_time_that_passes_only(tmp_path, clock, seen):
    """Between ticks time stands still, however long they take."""

    async def story():
        program = HouseProgram(settings(tmp_path), clock)
        program._meter_changed(MeterState.SILENT, "not heard yet")
        assert program.snapshot().meter is MeterState.SILENT
        await program.service.take([(clock.now_ms(), sample(600))], clock.now_ms())
        program._meter_changed(MeterState.HEARD, "")
        program._meter_changed(MeterState.SILENT, "not heard")
        assert program.snapshot().meter is seen
        await program.stop()

    asyncio.run(story())
