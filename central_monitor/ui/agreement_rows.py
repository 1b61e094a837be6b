"""A house's line in the Energy Agreement window, as cells of a table."""

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QCoreApplication, QLocale

from central_monitor.snapshot import CentralSnapshot, HouseView, MonthView
from central_monitor.ui.deviation import Breach, Deviation, breach_words, deviation
from central_monitor.ui.presentation import house_note, house_state
from microgrid.terms import Contract, Obligation, Role, Source
from node.qt.format import energy, power, price
from node.qt.table import Cell
from node.qt.value import ValueState

_CONTEXT = "agreement"
_BLANK = Cell("")
_BLANK_NUMBER = Cell("", align_right=True)
_ABSENT = Cell("", align_right=True, state=ValueState.DISCONNECTED)
_KEPT = 1024  # cells of so many houses


@dataclass(frozen=True, slots=True)
class Line:
    """A house with its deviation; None: nothing good is heard of it now."""

    house: HouseView
    deviation: Deviation | None


def headers() -> tuple[str, ...]:
    """The columns, with their units."""
    translate = QCoreApplication.translate
    return (
        translate(_CONTEXT, "House"),
        translate(_CONTEXT, "Name"),
        translate(_CONTEXT, "Role"),
        translate(_CONTEXT, "Source"),
        translate(_CONTEXT, "Owed"),
        translate(_CONTEXT, "Min\nkW"),
        translate(_CONTEXT, "Max\nkW"),
        translate(_CONTEXT, "Price\ncoins/kWh"),
        translate(_CONTEXT, "Allot-\nment\nkW"),
        translate(_CONTEXT, "Micro-\ngrid\nnow, kW"),
        translate(_CONTEXT, "National\ngrid\nnow, kW"),
        translate(_CONTEXT, "In\ndefault\nkW"),
        translate(_CONTEXT, "Deviation\nnow, kW"),
        translate(_CONTEXT, "Micro-grid\nthis month\nkWh"),
        translate(_CONTEXT, "National\nthis month\nkWh"),
        translate(_CONTEXT, "Link"),
    )


def line_of(house: HouseView, snapshot: CentralSnapshot) -> Line:
    """The house's line, of this snapshot."""
    return Line(house, deviation(house, snapshot.pool.is_day))


def cells_of(line: Line) -> tuple[Cell, ...]:
    """The cells of a line."""
    house, found, state = line.house, line.deviation, house_state(line.house)
    locale = QLocale().name()
    return (
        Cell(house.house, link=True, bold=_departs(found)),
        Cell(house.name if house.name != house.house else ""),
        *_contract_cells(house.contract, locale),
        _allotment_cell(house, locale),
        *_split_cells(house, state, locale),
        _deviation_cell(found),
        *_month_cells(house.month, state is ValueState.DISCONNECTED, locale),
        Cell(house_note(house), quiet=state is ValueState.GOOD),
    )


def role_word(contract: Contract | None) -> str:
    """The role alone."""
    translate = QCoreApplication.translate
    if contract is None:
        return translate(_CONTEXT, "no contract")
    if contract.role is Role.CONSUMER:
        return translate(_CONTEXT, "consumer")
    return translate(_CONTEXT, "producer")


def source_word(contract: Contract | None) -> str:
    """A producer's source; empty for all others."""
    translate = QCoreApplication.translate
    match contract.source if contract is not None else None:
        case Source.SOLAR:
            return translate(_CONTEXT, "solar")
        case Source.GENERATOR:
            return translate(_CONTEXT, "generator")
        case None:
            return ""


def obligation_word(contract: Contract | None) -> str:
    """When a producer owes its minimum; empty for all others."""
    if contract is None or contract.role is Role.CONSUMER:
        return ""
    if contract.obligation is Obligation.DAYLIGHT:
        return QCoreApplication.translate(_CONTEXT, "by day")
    return QCoreApplication.translate(_CONTEXT, "always")


# What stands still from snapshot to snapshot, as most of a line does, is made once.


@lru_cache(maxsize=_KEPT)
def _contract_cells(contract: Contract | None, _locale: str) -> tuple[Cell, ...]:
    words = (
        Cell(role_word(contract), quiet=contract is None),
        Cell(source_word(contract)),
        Cell(obligation_word(contract)),
    )
    if contract is None:
        return (*words, _BLANK_NUMBER, _BLANK_NUMBER, _BLANK_NUMBER)
    maximum = _number(power(contract.max_w).number)
    if contract.role is Role.CONSUMER:
        return (*words, _BLANK_NUMBER, maximum, _BLANK_NUMBER)
    return (*words, _number(power(contract.min_w).number), maximum, _number(price(contract.price).number))


def _allotment_cell(house: HouseView, locale: str) -> Cell:
    share_w = house.allotment_w
    return _BLANK_NUMBER if share_w is None else _power_cell(share_w, False, ValueState.GOOD, locale)


def _split_cells(house: HouseView, state: ValueState, locale: str) -> tuple[Cell, ...]:
    """Power now by what it is billed as; a seller's default only where there is a contract to default on."""
    split = house.split
    if split is None or state is ValueState.DISCONNECTED:
        return _ABSENT, _ABSENT, _ABSENT if _sells(house) else _BLANK_NUMBER
    default = _BLANK_NUMBER
    if _sells(house):
        default = _power_cell(split.default_w, False, state, locale, bold=split.default_w > 0)
    return (
        _power_cell(split.microgrid_w, True, state, locale),
        _power_cell(split.national_w, True, state, locale),
        default,
    )


@lru_cache(maxsize=16 * _KEPT)
def _power_cell(power_w: int, signed: bool, state: ValueState, _locale: str, *, bold: bool = False) -> Cell:
    return _number(power(power_w, signed=signed).number, state, bold=bold)


def _deviation_cell(found: Deviation | None) -> Cell:
    if found is None:
        return _ABSENT
    if found.breach is Breach.NONE:
        return Cell(QCoreApplication.translate(_CONTEXT, "none"), align_right=True, quiet=True)
    translate, number = QCoreApplication.translate, power(found.power_w).number
    match found.breach:
        case Breach.ALLOTMENT:
            text = translate(_CONTEXT, "over {0}").format(number)
        case Breach.MINIMUM:
            text = translate(_CONTEXT, "short {0}").format(number)
        case Breach.IMPORT:
            text = translate(_CONTEXT, "import {0}").format(number)
    tip = f"{breach_words(found.breach)}: {power(found.power_w)}"
    return Cell(text, align_right=True, bold=True, tip=tip)


@lru_cache(maxsize=_KEPT)
def _month_cells(month: MonthView | None, lost: bool, _locale: str) -> tuple[Cell, ...]:
    """Energy of the month: settled from what is recorded, so it stands still while the link is lost."""
    if month is None:
        return _ABSENT, _ABSENT
    state = ValueState.STALE if lost else ValueState.GOOD
    return (
        _number(energy(month.microgrid_energy, signed=True).number, state),
        _number(energy(month.national_energy, signed=True).number, state),
    )


def _number(text: str, state: ValueState = ValueState.GOOD, *, bold: bool = False) -> Cell:
    return Cell(text, align_right=True, bold=bold, state=state)


def _sells(house: HouseView) -> bool:
    return house.contract is not None and house.contract.role is Role.PRODUCER


def _departs(found: Deviation | None) -> bool:
    return found is not None and found.breach is not Breach.NONE
