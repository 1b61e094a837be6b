"""A house whose meter speaks Modbus: its minutes, its exchange of the meter, and what it cannot be asked."""

import asyncio
import time
from itertools import pairwise
from typing import Any

import pytest

from house_client import modbus_meter
from house_client import running as running_module
from house_client.household import HouseSettings, Refused
from house_client.program import HouseProgram
from house_client.running import RunningHousehold
from house_client.safe_output import SafeOutput
from house_client.sdm630 import Sdm630, decode
from house_client.snapshot import MeterState
from microgrid.metering import MinuteBuilder
from microgrid.wire.messages import AckState
from node.loop_thread import LoopThread
from tests.unit.central.parts import NOON
from tests.unit.house.home import run
from tests.unit.house.sdm630_bench import NUMBER, Bench, registers
from tests.unit.house.test_sdm630 import stepped

NO_OUTPUTS = "The meter of this house has no outputs to raise or lower its source with."
DRAWS_W = 400.0


class House:
    """Packets a second of an SDM630 that counts in hundredths, through to minutes."""

    def __init__(self, number=NUMBER, kwh=100.0):
        self.builder = MinuteBuilder("B", 20_000, None)
        self.second = NOON * 60
        self.put_on(number, kwh)

    def put_on(self, number, kwh):
        self.true_ws, self.first_ws = kwh * 3.6e6, kwh * 3.6e6
        self.start_program(number)

    def start_program(self, number=NUMBER):
        self.meter, self.sequence = Sdm630(number), 0

    def live(self, seconds):
        rows = []
        for _ in range(seconds):
            self.second += 1
            self.sequence += 1
            self.true_ws += DRAWS_W
            shown = registers(
                r30013=DRAWS_W, r30015=0.0, r30017=0.0, r30053=DRAWS_W, r30073=stepped(self.true_ws, 0.01)
            )
            sample = self.meter.sample(self.sequence * 1000, self.sequence, decode(shown), None)
            rows += self.builder.feed(self.second * 1000, sample)
        return rows + self.builder.close(self.second * 1000)


def test_its_minutes_are_whole_even_and_without_a_doubt():
    rows = House().live(30 * 60)
    assert [row.minute for row in rows] == list(range(NOON, NOON + 30))
    taken = [later.import_ws - earlier.import_ws for earlier, later in pairwise(rows[2:])]
    assert taken == pytest.approx([60 * DRAWS_W] * 27, rel=0.02)
    assert {row.suspect for row in rows[2:]} == {0}
    assert {(row.epoch, row.closed_s) for row in rows} == {(0, 60)}
    assert {row.covered_s for row in rows[1:]} == {60}


def test_a_program_started_again_carries_on_and_loses_no_energy():
    house = House()
    before = house.live(600)[-1]
    house.start_program()
    after = house.live(600)[-1]
    assert after.epoch == before.epoch == 0
    assert after.import_ws - house.first_ws == pytest.approx(house.true_ws - house.first_ws, abs=80_000)


def test_its_exchange_is_noticed_by_the_serial_number():
    house = House()
    house.live(300)
    house.builder.begin_swap(house.second * 1000)
    house.live(60)
    assert house.builder.swap_heard is None  # the old one, still
    house.put_on(555, 0.0)
    house.live(120)
    assert house.builder.swap_heard is not None
    assert house.builder.swap_heard[1].boot_id == 555
    rows = house.builder.finish_swap()
    assert rows[-1].epoch == 1
    later = house.live(600)[-1]
    assert later.epoch == 1
    assert later.import_ws - rows[-1].import_ws == pytest.approx(600 * DRAWS_W, abs=80_000)


# --- targets ------------------------------------------------------------------------------------------


class NoOutputs:
    """A meter that can only be read."""

    has_outputs = False

    def send(self, command):
        raise AssertionError(command)


def test_a_target_is_refused_at_once_and_says_why(tmp_path):
    async def story(house):
        house.service.control.pulses.port = NoOutputs()
        await house.live(1)
        house.target(1500)
        answer = await house.answers()
        assert (answer.state, answer.reason, answer.acknowledged_s) == (AckState.REFUSED, NO_OUTPUTS, None)
        await house.second(600)
        shown = house.service.snapshot()
        assert (shown.target_w, shown.goal_w, shown.last_pulse) == (None, None, None)
        house.target(None, command_id=6)
        assert (await house.answers(2)).state is AckState.ACCEPTED  # there is nothing to take back

    run(tmp_path, story)


def test_what_was_kept_of_an_earlier_meter_is_not_steered_to(tmp_path):
    async def story(house):
        house.service.control.pulses.port = NoOutputs()
        await house.live(1)
        for _ in range(90):
            await house.second(600)
        assert house.service.snapshot().goal_w is None

    run(tmp_path, story, safe_output=SafeOutput(house="B", fallback_w=250, expires_s=NOON * 60 - 900))


# --- at work ------------------------------------------------------------------------------------------


@pytest.fixture
def bench(monkeypatch):
    for name, value in {"POLL_S": 0.05, "ANSWER_S": 0.5, "REOPEN_S": 0.05}.items():
        monkeypatch.setattr(modbus_meter, name, value)
    made = Bench()
    yield made
    made.close()


def test_a_program_hears_it_by_the_address_in_its_settings(bench, tmp_path):
    address = f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}"

    async def story():
        settings = HouseSettings(house="B", meter=address, central=None, data=tmp_path)
        program = HouseProgram(settings)
        await program.start()
        try:
            async with asyncio.timeout(10):
                while program.snapshot().meter is not MeterState.HEARD or program.snapshot().sample is None:
                    await asyncio.sleep(0.02)
            assert program.snapshot().sample.exchange_p_w == -2500
            assert not program.service.control.pulses.has_outputs
            bench.end()
            async with asyncio.timeout(10):
                while program.snapshot().meter is not MeterState.MISSING:
                    await asyncio.sleep(0.02)
            assert "127.0.0.1" in program.snapshot().meter_detail
        finally:
            await program.stop()

    asyncio.run(story())


def test_the_line_in_use_is_not_opened_twice(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(running_module, "SNAPSHOT_PERIOD_S", 0.01)
    port = bench.serve_tcp()
    address = f"modbus-tcp://127.0.0.1:{port}"
    settings = HouseSettings(house="B", meter=address, central=None, data=tmp_path)
    published: list[Any] = []
    thread = LoopThread("house")
    try:
        household = RunningHousehold(thread, settings, published.append)
        try:
            while not published or published[-1].sample is None:
                time.sleep(0.005)
            said = household.test_port(f"{address}?unit=1").result(10)
            assert said.endswith("firmware SDM630, 230 V, 50.0 Hz.")
            with pytest.raises(Refused, match="This program uses that line itself, for modbus-tcp://127"):
                household.test_port(f"{address}?unit=2").result(10)
        finally:
            household.close()
    finally:
        thread.stop()
