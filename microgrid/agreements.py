"""Terms as they came about: entries that are only ever added, each by somebody, at some time, for a reason.

What is in force follows from the entries in the order they were entered: a later one lies over earlier
ones for as long as it is valid. So a corrected tariff hides the wrong one without erasing it, and the
terms of any earlier moment can be had by leaving later entries out.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from microgrid.terms import Contract, House, Tariff, Terms

Value = TypeVar("Value")


class Basis(StrEnum):
    """How a contract came about."""

    ANSWERED = "answered"  # the household answered Create Contract (5.3)
    CARRIED_OVER = "carried over"  # it did not answer in time: last month's contract again
    NO_ANSWER = "no answer"  # it did not answer in time: no contract
    OPERATOR = "operator"  # joined, left or set by the operator
    GRID_FILE = "grid file"  # came with the description of the micro-grid


class ContractEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a house in minutes valid_from <= m < valid_to; `contract` None: it has none.

    `month` is the month it was agreed for, as YYYY-MM; empty for what the grid file brought.
    """

    house: str
    month: str
    valid_from: int
    valid_to: int
    contract: Contract | None
    basis: Basis
    author: str
    note: str
    entered_s: int


class TariffEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A tariff with the name of the operator who entered it, the note that says why, and when."""

    tariff: Tariff
    author: str
    note: str
    entered_s: int


def overlay(layers: Iterable[tuple[int, int, Value]]) -> list[tuple[int, int, Value]]:
    """What is on top where: ranges (from, to, value) laid one over another, as ranges in order of time.

    A range that another one covers in its middle is left as two.
    """
    pieces: list[tuple[int, int, Value]] = []
    for start, end, value in layers:
        if start >= end:
            continue
        below = pieces
        pieces = [(a, min(b, start), v) for a, b, v in below if a < start]
        pieces += [(max(a, end), b, v) for a, b, v in below if b > end]
        pieces.append((start, end, value))
    return sorted(pieces, key=lambda piece: piece[0])


def contracts_of(entries: Iterable[ContractEntry]) -> tuple[Contract, ...]:
    """The contracts in force, by house and time."""
    by_house: dict[str, list[ContractEntry]] = {}
    for entry in entries:
        by_house.setdefault(entry.house, []).append(entry)
    return tuple(
        replace(contract, valid_from=start, valid_to=end)
        for _, of_house in sorted(by_house.items())
        for start, end, contract in overlay((e.valid_from, e.valid_to, e.contract) for e in of_house)
        if contract is not None
    )


def tariffs_of(entries: Iterable[TariffEntry]) -> tuple[Tariff, ...]:
    """The tariffs in force, by time."""
    layers = ((entry.tariff.valid_from, entry.tariff.valid_to, entry.tariff) for entry in entries)
    return tuple(replace(tariff, valid_from=start, valid_to=end) for start, end, tariff in overlay(layers))


def terms_of(
    zone: str,
    houses: Sequence[House],
    contracts: Iterable[ContractEntry],
    tariffs: Iterable[TariffEntry],
) -> Terms:
    """The terms these entries make."""
    return Terms(
        zone=zone, houses=tuple(houses), contracts=contracts_of(contracts), tariffs=tariffs_of(tariffs)
    )


def in_force(terms: Terms, minutes: range) -> Terms:
    """The terms without the contracts and tariffs that are not in force in any of these minutes."""

    def among(item: Contract | Tariff) -> bool:
        return item.valid_from < minutes.stop and item.valid_to > minutes.start

    return replace(
        terms,
        contracts=tuple(filter(among, terms.contracts)),
        tariffs=tuple(filter(among, terms.tariffs)),
    )


def founding_entries(
    terms: Terms, author: str, note: str, entered_s: int
) -> tuple[tuple[ContractEntry, ...], tuple[TariffEntry, ...]]:
    """Entries that make these terms: what a grid file brings to a new database."""
    contracts = tuple(
        ContractEntry(
            house=contract.house,
            month="",
            valid_from=contract.valid_from,
            valid_to=contract.valid_to,
            contract=contract,
            basis=Basis.GRID_FILE,
            author=author,
            note=note,
            entered_s=entered_s,
        )
        for contract in terms.contracts
    )
    tariffs = tuple(
        TariffEntry(tariff=tariff, author=author, note=note, entered_s=entered_s) for tariff in terms.tariffs
    )
    return contracts, tariffs
