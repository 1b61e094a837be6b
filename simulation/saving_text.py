"""What trade and load sharing save, in words and figures, for the demonstration's summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from microgrid.statement import Statements
from microgrid.terms import Cap, Role, Source, Terms
from microgrid.units import coins, kwh

_WIDTH = 110


@dataclass(frozen=True)
class _Lived:
    """A month in the figures that tell whether it was worth it. Energies in kWh, rates in coins per kWh."""

    name: str
    paid: dict[str, float]  # by each buyer, coins
    rate: float  # mean, of what buyers took at the rate
    sun: float
    diesel: float
    imported: float


def saving_lines(
    terms: Terms,
    results: Mapping[Cap, Statements],
    unshared: Statements,
    loads_ws: Mapping[str, int],
    chosen: Cap,
) -> list[str]:
    """The lines; `unshared` is the month with sharing off under the chosen cap, all else as `results`."""
    tariff = coins(terms.tariffs[0].national)
    alone = {house: kwh(load_ws) * tariff for house, load_ws in loads_ws.items()}
    caps = [chosen, *(cap for cap in Cap if cap is not chosen)]
    shared = {cap: _lived(terms, results[cap], f"cap {cap}") for cap in caps}
    off = _lived(terms, unshared, f"cap {chosen}, sharing off")
    told = {
        "cap month": _of_month(shared[Cap.MONTH], tariff),
        "cap minute": _of_minute(shared[Cap.MINUTE], shared[Cap.MONTH], tariff),
        "cap off": _of_off(shared[Cap.OFF]),
        "load sharing": _of_sharing(shared[chosen], off),
    }
    words = [
        line
        for what, text in told.items()
        for line in wrap(f"- {what}: {text}", _WIDTH, subsequent_indent="  ")
    ]
    return [*_table([*shared.values(), off], alone), "", *words]


def _lived(terms: Terms, statements: Statements, name: str) -> _Lived:
    buyers, sold = {}, dict.fromkeys(Source, 0.0)
    energy = amount = 0
    for house in terms.houses:
        contract = next((c for c in terms.contracts if c.house == house.house), None)
        account = statements.accounts[house.house]
        if contract is not None and contract.role is Role.CONSUMER:
            buyers[house.house] = -coins(account.total)
            energy -= account.microgrid_energy
            amount -= account.microgrid_amount
        elif contract is not None and contract.source is not None:
            sold[contract.source] += kwh(account.microgrid_energy)
    return _Lived(
        name=name,
        paid=buyers,
        rate=coins(amount) / kwh(energy) if energy else 0.0,
        sun=sold[Source.SOLAR],
        diesel=sold[Source.GENERATOR],
        imported=kwh(statements.energy.imported),
    )


def _table(months: Sequence[_Lived], alone: Mapping[str, float]) -> list[str]:
    buyers = sorted(months[0].paid)
    shown = buyers if len(buyers) <= 3 else []
    head = ["what buyers pay", *shown, "all", "saved", "mean rate", "sun", "diesel", "national grid"]
    before = sum(alone[house] for house in buyers)
    first = ["from the national grid alone", *(f"{alone[h]:.0f}" for h in shown), f"{before:.0f}"]
    rows = [head, [*first, "", "", "", "", ""]]
    for month in months:
        paid = sum(month.paid.values())
        saved = f"{(before - paid) / before:.1%}" if before else ""
        energies = (month.sun, month.diesel, month.imported)
        bills = (f"{month.paid[h]:.0f}" for h in shown)
        figures = (f"{month.rate:.2f}", *(f"{energy:.0f}" for energy in energies))
        rows.append([month.name, *bills, f"{paid:.0f}", saved, *figures])
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    return [
        "  ".join(
            cell.ljust(w) if place == 0 else cell.rjust(w)
            for place, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ] + ["(coins, coins/kWh, kWh)"]


def _of_month(month: _Lived, tariff: float) -> str:
    return (
        "cheap minutes earn a credit that dear ones spend, so the sun by day pays for the diesel by night;"
        f" the mean rate of {month.rate:.2f} stays under the tariff of {tariff:.2f}."
    )


def _of_minute(month: _Lived, other: _Lived, tariff: float) -> str:
    return (
        f"no minute may cost more than {tariff:.2f}, so the dearest is cut by night: the diesel gives"
        f" {month.diesel:.1f} kWh instead of {other.diesel:.1f}, the sun {month.sun:.1f} instead of"
        f" {other.sun:.1f}, the national grid {month.imported:.1f} instead of {other.imported:.1f}."
    )


def _of_off(month: _Lived) -> str:
    return f"nothing is cut; the rate follows the sellers' prices, {month.rate:.2f} in the mean."


def _of_sharing(on: _Lived, off: _Lived) -> str:
    saved = sum(off.paid.values()) - sum(on.paid.values())
    return (
        f"without it everybody is loaded alike: the sun gives {off.sun:.0f} kWh instead of {on.sun:.0f}, the"
        f" diesel {off.diesel:.0f} instead of {on.diesel:.0f}, and buyers pay {abs(saved):.0f} coins"
        f" {'more' if saved >= 0 else 'less'}."
    )
