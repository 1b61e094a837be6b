"""The closed loop in real time: a central that steers, a house that pulses, a meter a second apart."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from central_monitor.adapters.writer import DatabaseWriter
from central_monitor.program import CONTROL_PERIOD_S, CentralProgram, Listen
from central_monitor.snapshot import HouseView
from microgrid.minute import Fate
from node.gridfile import read_gridfile
from tests.e2e.live import HOST, house_program, until
from tests.e2e.processes import METER, Process

GRID = """
zone = "Asia/Karachi"
[tariff]
national = 17.6
[[house]]
id = "A"
name = "1 Garden Lane"
connection_kw = 5.0
contract = { role = "consumer", max_kw = 3.0 }
plant = { profile_w = [[0, 1500]] }
[[house]]
id = "B"
name = "2 Garden Lane"
connection_kw = 5.0
[house.contract]
role = "producer"
source = "generator"
obliged = "always"
min_kw = 0.25
max_kw = 2.5
price = 8
[house.plant]
profile_w = [[0, 400]]
source = "generator"
rated_kva = 5.0
startup_minutes = 0
ramp_kw_per_minute = 20.0
"""
RAMP_S = 5  # for 1.5 kW
TOLERANCE_W = 30  # 2 % of demand


@contextmanager
def live_meter(grid: Path, house: str) -> Iterator[str]:
    """A meter that sends a packet a second; its serial port."""
    start = int(time.time()) // 60
    with Process(METER, "--house", house, "--config", grid, "--month-start", start) as meter:
        yield json.loads(meter.first_line())["port"]


def test_a_seller_is_steered_to_the_demand_held_there_and_left_at_its_safe_output(tmp_path: Path) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text(GRID, encoding="utf-8")
    now = int(time.time()) // 60
    terms = read_gridfile(grid).terms(range(now - 1440, now + 1440))
    writer = DatabaseWriter(tmp_path / "power.sqlite")
    writer.save_terms(terms)
    central = CentralProgram(terms, writer, Listen(host=HOST, port=0))

    def view(house: str) -> HouseView:
        return next(view for view in central.snapshot().houses if view.house == house)

    def export_w() -> int:
        sample = view("B").sample
        return 0 if sample is None else sample.exchange_p_w

    async def watch(ports: dict[str, str]) -> None:
        await central.start()
        try:
            async with (
                house_program(tmp_path, "A", central.port, ports["A"]),
                house_program(tmp_path, "B", central.port, ports["B"]) as seller,
            ):
                await until(lambda: view("A").sample is not None and view("B").sample is not None, "packets")
                in_time_s = 2 * CONTROL_PERIOD_S + RAMP_S
                await until(lambda: abs(export_w() - 1500) <= TOLERANCE_W, "balance", in_time_s)
                await until(lambda: view("B").order.fate is Fate.MET, "the word on it", CONTROL_PERIOD_S)
                command_id = view("B").order.command_id
                pulses = seller.service.sample.command_id
                await asyncio.sleep(CONTROL_PERIOD_S + 2)
                # Nothing moves, so nobody is called and nothing is pulsed.
                assert view("B").order.command_id == command_id
                assert seller.service.sample.command_id == pulses
                assert abs(export_w() - 1500) <= TOLERANCE_W
                await central.stop()
                await until(lambda: abs(seller.service.sample.exchange_p_w - 250) <= 25, "the safe output")
                assert seller.snapshot().safe
        finally:
            await central.stop()
            writer.close()

    with live_meter(grid, "A") as a, live_meter(grid, "B") as b:
        asyncio.run(watch({"A": a, "B": b}))
