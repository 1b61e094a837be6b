"""The demonstration's summary: the month beside Tables 9.1 and 9.2, for each setting of the cap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from microgrid.months import local_time, zone_of
from microgrid.statement import Statements
from microgrid.terms import COMMON_ACCOUNTS, Cap, Terms
from microgrid.units import coins, kwh
from simulation.saving_text import saving_lines
from simulation.scenario import Scenario

# Table 9.1: bills from the national grid alone, at 17.6 a kWh; Table 9.2: with trading. In rupees.
TABLE_9_1 = {"A": 6688.0, "B": 8201.6, "C": 11176.0, "D": 5737.6}
TABLE_9_2 = {"A": -4550.4, "B": 6262.4, "C": -7517.0, "D": 5805.0}

EXPLANATION = """\
Why the figures differ from the source: its Table 9.2 is an energy balance without a single kWh from the
national grid and without penalties (B sells 782.8 kWh at 8, D 232.2 at 25, together the 1015 kWh that A and C
buy). No dispatch can do that: by night its own rule puts the diesel first, demand moves between two control
steps, and what is missing then comes from the national grid. Its text promises 20 and 25 % less; its tables
give 32 and 33 %."""


@dataclass(frozen=True)
class Gap:
    """Minutes of one house that nobody heard: from `first`, before `end`."""

    house: str
    first: int
    end: int


def summary(
    scenario: Scenario,
    results: Mapping[Cap, Statements],
    unshared: Statements,
    loads_ws: Mapping[str, int],
    gaps: Sequence[Gap],
) -> str:
    """The whole text. `loads_ws` is each house's own consumption, for the bill without trading.

    `unshared` is the month with load sharing off, under the scenario's cap.
    """
    terms, chosen = scenario.terms, scenario.cap
    houses = sorted(loads_ws)
    days = len(scenario.minutes) / 1440
    lines = [
        f"{scenario.month}, {days:g} days, {len(houses)} houses, {terms.zone}; seed {scenario.seed},"
        f" a control step every {scenario.step} min.",
        f"The cap is set to '{chosen}': that month went through meters, houses, network and database;",
        "the others, and the one without load sharing, were computed in memory from the same households.",
        "Coins; positive: the house receives. The tables' figures are for a month of 30 days.",
        "",
        *_table(terms, results, loads_ws, chosen),
        "",
        *saving_lines(terms, results, unshared, loads_ws, chosen),
        "",
        *_energy(results, chosen),
        *_gaps(gaps, terms),
        "",
        EXPLANATION,
    ]
    return "\n".join(lines) + "\n"


def emulated_text(house: str, measured_ws: tuple[int, int, int], true_ws: tuple[int, int, int]) -> str:
    """What an emulated meter measured beside what flowed: import, export and generation."""
    lines = [f"House {house}'s meter was the firmware, emulated. Energy in kWh, measured and true:"]
    for name, measured, true in zip(("import", "export", "generation"), measured_ws, true_ws, strict=True):
        error = f"{(measured / true - 1) * 100:+.2f} %" if true else "nothing flowed"
        lines.append(f"  {name:10}  {kwh(measured):9.3f}  {kwh(true):9.3f}  {error}")
    return "\n".join(lines) + "\n"


def _table(
    terms: Terms, results: Mapping[Cap, Statements], loads_ws: Mapping[str, int], chosen: Cap
) -> list[str]:
    tariff = terms.tariffs[0].national
    caps = [chosen, *(cap for cap in Cap if cap is not chosen)]
    head = ["account", "Table 9.1", "without trading", "Table 9.2", *(f"cap {cap}" for cap in caps)]
    rows = [head]
    for house, load_ws in sorted(loads_ws.items()):
        before = -kwh(load_ws) * coins(tariff)
        known = (-TABLE_9_1[house], TABLE_9_2[house]) if house in TABLE_9_1 else (None, None)
        totals = [coins(results[cap].accounts[house].total) for cap in caps]
        rows.append([house, _coins(known[0]), _coins(before), _coins(known[1]), *map(_coins, totals)])
    for name in COMMON_ACCOUNTS:
        totals = [coins(results[cap].accounts[name].total) for cap in caps]
        rows.append([name, "", "", "", *map(_coins, totals)])
    sums = [coins(results[cap].postings_total) for cap in caps]
    rows.append(["sum of postings", "", "", "", *map(_coins, sums)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _coins(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.2f}"


def _energy(results: Mapping[Cap, Statements], chosen: Cap) -> list[str]:
    lines = ["Energy in kWh: bought = sold + imported - exported"]
    for cap in (chosen, *(cap for cap in Cap if cap is not chosen)):
        energy = results[cap].energy
        lines.append(
            f"  cap {cap}: {kwh(energy.bought):.1f} = {kwh(energy.sold):.1f} + {kwh(energy.imported):.1f}"
            f" - {kwh(energy.exported):.1f}"
        )
    return lines


def _gaps(gaps: Sequence[Gap], terms: Terms) -> list[str]:
    if not gaps:
        return ["Every minute of every house was heard."]
    zone = zone_of(terms.zone)
    lines = ["Minutes nobody heard (their energy is in the registers and is billed as estimated):"]
    for gap in gaps:
        first, end = (local_time(minute, zone).strftime("%Y-%m-%d %H:%M") for minute in (gap.first, gap.end))
        lines.append(f"  house {gap.house}: {gap.end - gap.first} min, {first} to {end} {terms.zone}")
    return lines
