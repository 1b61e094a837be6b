"""Days of the closed loop, for docs/load-sharing.md: `python -m simulation.days [NAME...] --out FOLDER`.

Each day is lived minute by minute through ptys, house programs, TCP and database (`--memory`: by the oracle,
which gives the same), drawn into FOLDER/NAME.png, and judged. The table of figures is printed in Markdown.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from central_monitor.services.habits import Habits
from central_monitor.services.records import open_records
from microgrid.columns import minute_columns, order_columns
from microgrid.ledger import MonthLedger
from microgrid.months import zone_of
from microgrid.terms import Role, Terms
from microgrid.units import SECONDS_PER_MINUTE
from node.progress import progress_bar
from simulation.charts import day_chart
from simulation.demo import Demo
from simulation.figures import Event, recorded
from simulation.loop_figures import LoopFigures, allowed_minutes, loop_figures
from simulation.plant.config import GridFile as PlantFile
from simulation.plant.faults import FaultKind, fault_of
from simulation.scenario import Scenario, load_scenario
from simulation.settled import SettledMinutes, settled_minutes

FOLDER = Path(__file__).parent.parent / "resources" / "days"
JUNE, DECEMBER = "2026-06", "2026-12"
SIZE = (1060, 780)


@dataclass(frozen=True)
class Day:
    """The first day of a month in the neighbourhood of `grid`; its faults are marked in the chart."""

    name: str
    title: str
    month: str = JUNE
    grid: str = ""  # the file's name; empty: that of the day

    def scenario(self) -> Scenario:
        """The day in steps of a minute."""
        path = FOLDER / f"{self.grid or self.name}.toml"
        return load_scenario(path, self.month, days=1, step=1, seed=1)


DAYS = (
    Day("june", "A clear day in June: the sun carries the day, the generator the night"),
    Day("december", "A clear day in December: the sun carries fewer hours", DECEMBER, "june"),
    Day("clouds", "Clouds pass before the sun: the generator fills the gaps"),
    Day("steps", "Demand steps by half, up and down, by day and by night"),
    Day("tripped", "The generator trips: by day the sun stands in, by night the national grid"),
    Day("deaf", "The inverter hears no command: the generator moves in its place"),
    Day("two-solar", "Two inverters and a generator: the cheaper sun first, the last tenth last"),
    Day("below-floors", "Less is taken than the sellers' minimums: the rest goes into the national grid"),
    Day("above-maxima", "More is taken than the sellers' maximums: the rest comes from the national grid"),
)


def lived(scenario: Scenario, folder: Path) -> SettledMinutes:
    """The scenario's minutes, lived through all programs, as the central recorded them in `folder`."""
    demo, minutes = Demo(scenario, folder), scenario.minutes
    with progress_bar("Living") as progress:
        asyncio.run(demo.live(progress))
    with open_records(demo.database) as records:
        ledger = MonthLedger(scenario.terms, scenario.month, records.habits(scenario.terms))
        columns = records.minutes.read(minutes.start, minutes.stop)
        return settled_minutes(ledger, columns, records.minutes.read_orders(minutes.start, minutes.stop))


def remembered(scenario: Scenario) -> SettledMinutes:
    """The scenario's minutes in memory."""
    oracle, minutes = scenario.oracle(), scenario.minutes
    for _ in oracle.run(minutes):
        pass
    played = oracle.played
    ledger = MonthLedger(scenario.terms, scenario.month, Habits(played, scenario.terms))
    rows = [row for minute in minutes for row in played.meter[minute]]
    orders = [row for minute in minutes for row in played.orders[minute]]
    columns = minute_columns(ledger.houses, minutes, rows, played.opening)
    return settled_minutes(ledger, columns, order_columns(ledger.houses, minutes, orders))


def faults(scenario: Scenario) -> list[Event]:
    """What befalls the houses, and when."""
    found = []
    for house in scenario.plants.house:
        for fault in map(fault_of, house.plant.faults):
            begins, ends = _WORDS[fault.kind]
            found.append((fault.start, f"{house.id} {begins}"))
            if fault.end is not None:
                found.append((fault.end, f"{house.id} {ends}"))
    return [(scenario.minutes.start + minute, text) for minute, text in sorted(found)]


_WORDS = {
    FaultKind.STUCK: ("stuck", "moves"),
    FaultKind.TRIPPED: ("trips", "restarts"),
    FaultKind.OPEN: ("cut off", "connected"),
    FaultKind.SLOW: ("slow", "fast again"),
    FaultKind.DEAF: ("deaf", "hears"),
}


def judged(terms: Terms, plants: PlantFile, step: int, minutes: SettledMinutes) -> LoopFigures:
    """The figures of these minutes, lived in control steps of `step` minutes."""
    first = minutes.orders.first_minute
    agreed = {house.house: terms.contract_at(house.house, first) for house in terms.houses}
    sellers = {h: c for h, c in agreed.items() if c is not None and c.role is Role.PRODUCER}
    ramps = {house.id: house.plant.ramp_w_per_minute for house in plants.house}
    net_w = minutes.net_ws // SECONDS_PER_MINUTE
    allowed = allowed_minutes(sellers.values(), ramps, step)
    return loop_figures(net_w, minutes.orders, sellers, zone_of(terms.zone), allowed)


def table(figures: Iterable[tuple[Day, LoopFigures]]) -> str:
    """The figures of days, a row each, in Markdown."""
    rows = [
        (
            day.name, len(f.steps), f.longest_recovery, f.longest_stand_in, f.longest_excess,
            len(f.unbalanced), f.commands, f"{f.idle_commands} in {f.idle_minutes}",
            f"{f.import_kwh:.2f}", f"{f.spill_kwh:.2f}", f"{f.solar_kwh:.2f}", f"{f.generator_kwh:.2f}",
        )
        for day, f in figures
    ]  # fmt: skip
    lines = [_HEAD, ("---", *("---:",) * (len(_HEAD) - 1)), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


_HEAD = (
    "day", "steps of demand", "longest recovery, min", "longest until others stood in, min",
    "longest above target, min", "minutes out of balance without excuse", "commands",
    "commands in idle minutes", "import, kWh", "spill, kWh", "sun, kWh", "generator, kWh",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Live the days named, all without a name."""
    parser = argparse.ArgumentParser(
        prog="python -m simulation.days", description="Days of the closed loop: charts, and their figures."
    )
    names = [day.name for day in DAYS]
    parser.add_argument("name", nargs="*", metavar="NAME", help=f"one of {', '.join(names)} (default: all)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the charts")
    parser.add_argument("--memory", action="store_true", help="in memory, without programs and network")
    options = parser.parse_args(arguments)
    if strange := set(options.name) - set(names):
        parser.error(f"there is no day {min(strange)!r}; there are {', '.join(names)}")
    options.out.mkdir(parents=True, exist_ok=True)
    chosen = [day for day in DAYS if day.name in (options.name or names)]
    figures = []
    for day in chosen:
        scenario = day.scenario()
        with tempfile.TemporaryDirectory() as folder:
            minutes = remembered(scenario) if options.memory else lived(scenario, Path(folder))
        record = recorded(scenario.terms, scenario.minutes, [minutes], day.title, faults(scenario))
        day_chart(record, options.out / f"{day.name}.png", SIZE)
        figures.append((day, judged(scenario.terms, scenario.plants, scenario.step, minutes)))
    print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
