"""`main_central.py demo`: lives a month of chapter 9 in seconds and bills it."""

import argparse
import asyncio
import logging
import math
import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.pool import ApplyResult
from pathlib import Path
from typing import Any

import numpy as np

from central_monitor.adapters.exports import write_statements
from central_monitor.bootstrap import settle_database
from db.central import CENTRAL, MinuteStore
from db.engine import open_reader
from microgrid.columns import MinuteColumns
from microgrid.directives import StrategyName
from microgrid.statement import Statements
from microgrid.terms import Cap
from microgrid.units import MINUTES_PER_DAY
from node.arguments import positive
from node.progress import progress_bar
from simulation.demo import Demo
from simulation.scenario import Scenario, load_scenario
from simulation.summary import Gap, emulated_text, summary

CHAPTER_9 = Path(__file__).parent.parent / "resources" / "chapter9.toml"
DEMO_MONTH = "2026-06"
DAYS = 30
EMULATED_DAYS = 2  # an emulated chip lives some 20 seconds a second, and each of them is a minute here
EMULATED_DAY_S = 90
EMULATED = """\
The meter of house {house} is the firmware itself, on an emulated Arduino: what flows is put on its pins as
volts and amperes, and its RAISE and LOWER pins move the source. Every second of the chip stands for a minute
of the neighbourhood: uptime and energy counters are multiplied by 60 on their way, nothing else is.
It takes some {minutes} minutes."""
LONGEST_STEP = 30  # a packet a minute; a pseudo-terminal holds some 50 that nobody has read yet


def add_command(commands: Any) -> None:
    """Add `demo` to the commands of a parser."""
    demo = commands.add_parser("demo", help="live a month of chapter 9 in seconds, with no hardware")
    demo.add_argument(
        "--days",
        type=positive,
        help=f"days of the month to live (default {DAYS}; {EMULATED_DAYS} with --emulated)",
    )
    demo.add_argument("--headless", action="store_true", help="no windows and no pictures")
    demo.add_argument("--out", type=Path, default=Path("demo-output"), help="folder for the results")
    demo.add_argument("--month", default=DEMO_MONTH, help=f"YYYY-MM (default {DEMO_MONTH})")
    demo.add_argument(
        "--grid", type=Path, default=CHAPTER_9, help="TOML file with houses, contracts and plants"
    )
    demo.add_argument("--houses", type=positive, help="a made-up neighbourhood of this many houses instead")
    demo.add_argument(
        "--replay", type=Path, help="CSV file of measured minutes that the first house consumes by"
    )
    caps = [str(cap) for cap in Cap]
    demo.add_argument("--cap", choices=caps, help="how the rate is kept under the tariff")
    demo.add_argument(
        "--step", type=_step, default=5, help=f"virtual minutes a tick (default 5, at most {LONGEST_STEP})"
    )
    demo.add_argument(
        "--emulated", nargs="?", const="", metavar="HOUSE",
        help="let the meter of this house (default: the first that sells) be the firmware in its emulator",
    )  # fmt: skip
    demo.add_argument("--seed", type=int, default=1, help="what all random values follow from (default 1)")
    demo.set_defaults(command=_demo)


def _step(text: str) -> int:
    step = positive(text)
    if step > LONGEST_STEP:
        raise argparse.ArgumentTypeError(
            f"{text!r} is more than {LONGEST_STEP}, the most minutes that a meter's port holds at once"
        )
    return step


def _demo(options: argparse.Namespace) -> int:
    logging.getLogger().addHandler(logging.NullHandler())  # what goes wrong ends the demo with a sentence
    scenario = load_scenario(
        options.grid,
        options.month,
        days=options.days or (DAYS if options.emulated is None else EMULATED_DAYS),
        step=options.step,
        seed=options.seed,
        houses=options.houses,
        cap=None if options.cap is None else Cap(options.cap),
        replay=options.replay,
    )
    emulated = None if options.emulated is None else _emulated_house(options.emulated, scenario)
    demo = Demo(scenario, options.out, emulated)
    with _beside(scenario) as others:

        def settle() -> str:
            return _settle_and_write(scenario, demo, options.out, others)

        if options.headless:
            with progress_bar("Living") as lived:
                asyncio.run(demo.live(lived))
            text = settle()
        else:
            from simulation.showing import show  # headless needs no Qt

            text = show(demo, options.out, settle)
    print(text, end="")
    return 0


def _emulated_house(asked: str, scenario: Scenario) -> str:
    """The house whose meter is emulated; says what that means. LookupError if there is no such house."""
    house = asked or scenario.first_seller
    if house not in {known.house for known in scenario.terms.houses}:
        raise LookupError(f"There is no house {house} whose meter could be emulated.")
    days = len(scenario.minutes) / MINUTES_PER_DAY
    print(EMULATED.format(house=house, minutes=math.ceil(days * EMULATED_DAY_S / 60)), flush=True)
    return house


Variant = tuple[Cap, StrategyName]


@contextmanager
def _beside(scenario: Scenario) -> Iterator[Mapping[Variant, ApplyResult[Statements]]]:
    """The other settings of the cap, and sharing off, computed in memory by another process meanwhile.

    This process keeps to one core: its threads take turns anyway, and doing so across cores costs a
    third more.
    """
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    others = [(cap, StrategyName.DAY_TIME) for cap in Cap if cap is not scenario.cap]
    others.append((scenario.cap, StrategyName.OFF))
    with multiprocessing.get_context("spawn").Pool(1, _leave_interrupts_to_parent) as pool:
        results = {
            (cap, strategy): pool.apply_async(_in_memory, (scenario.with_cap(cap), strategy))
            for cap, strategy in others
        }
        try:
            if len(cores) > 1:
                os.sched_setaffinity(0, {min(cores)})
            yield results
        finally:
            if len(cores) > 1:
                os.sched_setaffinity(0, cores)


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _settle_and_write(
    scenario: Scenario, demo: Demo, out: Path, others: Mapping[Variant, ApplyResult[Statements]]
) -> str:
    with progress_bar("Settling") as progress:
        statements = settle_database(demo.database, scenario.month, progress)
    write_statements(statements, out)
    found = {variant: result.get() for variant, result in others.items()}
    unshared = found.pop((scenario.cap, StrategyName.OFF))
    results = {scenario.cap: statements} | {cap: result for (cap, _), result in found.items()}
    columns = _columns(demo.database, scenario)
    text = summary(scenario, results, unshared, _loads(columns), _all_gaps(columns))
    if demo.emulated is not None:
        plant = demo.plants[demo.emulated]
        measured_ws = _rises(columns, columns.houses.index(demo.emulated))
        text += "\n" + emulated_text(demo.emulated, measured_ws, plant.flowed_ws)
    (out / "summary.txt").write_text(text, encoding="utf-8")
    return text


def _in_memory(scenario: Scenario, strategy: StrategyName) -> Statements:
    oracle = scenario.oracle(strategy)
    for _ in oracle.run(scenario.minutes):
        pass
    return oracle.played.statements(scenario.terms, scenario.month, scenario.minutes)


def _columns(database: Path, scenario: Scenario) -> MinuteColumns:
    """The minutes lived, as the database has them."""
    connection = open_reader(database, CENTRAL)
    try:
        return MinuteStore(connection).read(scenario.minutes.start, scenario.minutes.stop)
    finally:
        connection.close()


def _rises(columns: MinuteColumns, index: int) -> tuple[int, int, int]:
    """What this house imported, exported and generated, in Ws."""
    last, opening = int(np.flatnonzero(columns.present[:, index])[-1]), columns.opening
    return (
        int(columns.import_ws[last, index] - opening.import_ws[index]),
        int(columns.export_ws[last, index] - opening.export_ws[index]),
        int(columns.generation_ws[last, index] - opening.generation_ws[index]),
    )


def _loads(columns: MinuteColumns) -> dict[str, int]:
    """Each house's own consumption in Ws."""
    loads_ws = {}
    for index, house in enumerate(columns.houses):
        imported_ws, exported_ws, generated_ws = _rises(columns, index)
        loads_ws[house] = generated_ws - exported_ws + imported_ws
    return loads_ws


def _all_gaps(columns: MinuteColumns) -> list[Gap]:
    """The minutes nobody heard."""
    houses = enumerate(columns.houses)
    return [
        gap
        for index, house in houses
        for gap in _gaps(house, columns.first_minute, columns.present[:, index])
    ]


def _gaps(house: str, first_minute: int, present: np.ndarray[Any, np.dtype[np.bool_]]) -> list[Gap]:
    """Runs of minutes that are not there."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], present, [True])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    return [
        Gap(house, first_minute + int(a), first_minute + int(b)) for a, b in zip(starts, ends, strict=True)
    ]
