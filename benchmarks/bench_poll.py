"""254 houses polled once a second over loopback TCP, some dead, and beside pymodbus. Goal: 10 ms a cycle.

The central is the real one with its database; the houses run in a second process.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.measure import ROOT, percentile, show
from benchmarks.neighbourhood import HOUSES, make_terms
from central_monitor.adapters.tcp_server import HouseServer
from central_monitor.adapters.writer import DatabaseWriter
from central_monitor.program import CentralProgram, Listen
from central_monitor.services.poller import Poller, Told
from microgrid.wire.messages import Hello, Refused, Reply, Welcome

SECONDS = 15
THROUGHPUT_S = 3.0
DEAD = HOUSES // 10
ROUNDS = 3
MODBUS_CYCLES = 20


@dataclass(frozen=True)
class Polled:
    """Milliseconds of every round trip and of every cycle (first poll sent to last answer), CPU share."""

    round_trips: list[float]
    cycles: list[float]
    cpu_percent: float


@asynccontextmanager
async def fake_houses(port: int, dead: int) -> AsyncIterator[None]:
    """The other process."""
    houses = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.fake_houses", str(port), str(HOUSES), str(dead), cwd=ROOT
    )
    try:
        yield
    finally:
        houses.terminate()
        await houses.wait()


async def poll_at_1_hz(folder: Path, dead: int) -> Polled:
    """The central at work for some seconds."""
    writer = DatabaseWriter(folder / "power.sqlite")
    program = CentralProgram(make_terms(), writer, Listen(port=0))
    answers: dict[int, list[tuple[float, float]]] = defaultdict(list)
    heard = program.live.heard

    def record(reply: Reply, sample_ms: int, round_trip_ms: float) -> None:
        # The samples are new, so `sample_ms` is the time of the poll and names the round.
        answers[sample_ms].append((time.monotonic(), round_trip_ms))
        heard(reply, sample_ms, round_trip_ms)

    program._poller._heard = record
    await program.start()
    try:
        async with fake_houses(program.port, dead):
            while len(program.linked_houses()) < HOUSES:
                await asyncio.sleep(0.05)
            await asyncio.sleep(1.5)
            answers.clear()
            begun, cpu = time.perf_counter(), time.process_time()
            await asyncio.sleep(SECONDS)
            share = (time.process_time() - cpu) / (time.perf_counter() - begun) * 100
            rounds = [group for group in answers.values() if len(group) == HOUSES - dead]
    finally:
        await program.stop()
        writer.close()
    if len(rounds) < SECONDS * 0.8:
        raise AssertionError(f"only {len(rounds)} whole rounds in {SECONDS} s")
    return Polled(
        round_trips=[trip for group in rounds for _, trip in group],
        cycles=[_cycle_ms(group) for group in rounds],
        cpu_percent=share,
    )


def _cycle_ms(answers: list[tuple[float, float]]) -> float:
    first = min(heard_s - trip / 1000 for heard_s, trip in answers)
    return (max(heard_s for heard_s, _ in answers) - first) * 1000


class OpenDoor:
    """Admits everybody."""

    def admit(self, hello: Hello, protocol: int) -> Welcome | Refused:
        return Welcome(
            protocol=protocol, name=hello.house, zone="UTC", central_time_ms=10**12, connection_w=10_000
        )

    def linked(self, house: str) -> None:
        pass

    def lost(self, house: str) -> None:
        pass


async def back_to_back() -> float:
    """Polls a second when a round follows the last at once."""
    server = HouseServer(OpenDoor())
    poller = Poller(server.links, lambda *_: None)
    told = Told(rate=10, tariff=10, pool_w=0, allotments={})
    port = await server.start("127.0.0.1", 0)
    async with fake_houses(port, 0):
        while len(server.links) < HOUSES:
            await asyncio.sleep(0.05)
        polls, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < THROUGHPUT_S:
            silent = await poller.round(10**12, told, 5.0)
            polls += HOUSES - len(silent)
        spent = time.perf_counter() - begun
    await server.stop()
    return polls / spent


def modbus_cycles() -> list[float]:
    """Cycles in ms with pymodbus."""
    command = [sys.executable, str(ROOT / "benchmarks" / "modbus_cycle.py"), str(HOUSES), str(MODBUS_CYCLES)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    cycles: list[float] = json.loads(ended.stdout)
    return cycles


def main() -> None:
    """Alternate: all answering, some dead, pymodbus; then throughput."""
    healthy: list[Polled] = []
    dead: list[Polled] = []
    modbus: list[float] = []
    throughput = []
    for _ in range(ROUNDS):
        for runs, number in ((healthy, 0), (dead, DEAD)):
            with tempfile.TemporaryDirectory() as folder:
                runs.append(asyncio.run(poll_at_1_hz(Path(folder), number)))
        modbus += modbus_cycles()
        throughput.append(asyncio.run(back_to_back()))
    for label, runs in (("all answer", healthy), (f"{DEAD} of {HOUSES} never answer", dead)):
        trips = [trip for run in runs for trip in run.round_trips]
        cycles = [cycle for run in runs for cycle in run.cycles]
        show(f"{label}, round trip in ms", _spread(trips))
        show(f"{label}, cycle in ms", _spread(cycles))
        show(f"{label}, CPU of the central", f"{median(run.cpu_percent for run in runs):.1f} %")
    show("back to back", f"{median(throughput):,.0f} polls/s")
    show(f"pymodbus {version('pymodbus')}, cycle in ms", _spread(modbus))


def _spread(values: list[float]) -> str:
    return f"p50 {percentile(values, 50):.1f}, p99 {percentile(values, 99):.1f}"


if __name__ == "__main__":
    main()
