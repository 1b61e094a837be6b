"""Tariffs in words and as rows of a table. No widgets."""

from collections.abc import Sequence
from enum import Enum

from PySide6.QtCore import QCoreApplication

from microgrid.agreements import TariffEntry, overlay
from microgrid.terms import FOREVER, Cap, PenaltyBasis
from microgrid.units import SECONDS_PER_MINUTE, coins
from node.qt.format import moment, number
from node.qt.table import Cell

_CONTEXT = "tariffs"
PRICE_DECIMALS = 4
translate = QCoreApplication.translate


class Standing(Enum):
    """What an entry is worth now, with those that were entered after it laid over it."""

    IN_FORCE = "in force"
    TO_COME = "to come"
    PAST = "past"
    REPLACED = "replaced"


def standings(entries: Sequence[TariffEntry], now_minute: int) -> list[Standing]:
    """How each entry stands in this minute."""
    pieces = overlay(
        (entry.tariff.valid_from, entry.tariff.valid_to, index) for index, entry in enumerate(entries)
    )
    found = [Standing.REPLACED] * len(entries)
    for start, end, index in pieces:
        if start <= now_minute < end:
            found[index] = Standing.IN_FORCE
        elif found[index] is not Standing.IN_FORCE:
            # Of an entry that another one cuts in two, what is still to come counts.
            found[index] = Standing.TO_COME if start > now_minute else Standing.PAST
    return found


def standing_words(standing: Standing) -> str:
    """How an entry stands."""
    match standing:
        case Standing.IN_FORCE:
            return translate(_CONTEXT, "in force")
        case Standing.TO_COME:
            return translate(_CONTEXT, "to come")
        case Standing.PAST:
            return translate(_CONTEXT, "past")
        case Standing.REPLACED:
            return translate(_CONTEXT, "replaced")


def cap_name(cap: Cap) -> str:
    """How the rate is kept under the tariff."""
    match cap:
        case Cap.MONTH:
            return translate(_CONTEXT, "month")
        case Cap.MINUTE:
            return translate(_CONTEXT, "minute")
        case Cap.OFF:
            return translate(_CONTEXT, "off")


def cap_words(cap: Cap) -> str:
    """What a setting of the cap does (5.7)."""
    match cap:
        case Cap.MONTH:
            return translate(
                _CONTEXT,
                "The month's mean is no dearer than the national grid's: cheap noons pay for dear nights.",
            )
        case Cap.MINUTE:
            return translate(_CONTEXT, "In no minute is energy dearer than the national grid's.")
        case Cap.OFF:
            return translate(_CONTEXT, "Buyers pay the sellers' mean price, even above the national tariff.")


def basis_name(basis: PenaltyBasis) -> str:
    """What a seller to blame pays for."""
    if basis is PenaltyBasis.GRID_RATE:
        return translate(_CONTEXT, "whole tariff")
    return translate(_CONTEXT, "replacement cost")


def basis_words(basis: PenaltyBasis) -> str:
    """What a basis of penalties does (5.8.1)."""
    if basis is PenaltyBasis.GRID_RATE:
        return translate(
            _CONTEXT, "A seller pays the whole national tariff for each kWh it owed and did not deliver."
        )
    return translate(
        _CONTEXT, "A seller pays only by how much the national grid's kWh is dearer than the micro-grid's."
    )


def start_words(minute: int, zone: str) -> str:
    """The moment at which something begins; 0 is the beginning of all records."""
    if minute <= 0:
        return translate(_CONTEXT, "the beginning")
    return moment(minute * SECONDS_PER_MINUTE, zone)


def end_words(minute: int, zone: str) -> str:
    """The moment at which something ends, if it has an end yet."""
    if minute >= FOREVER:
        return translate(_CONTEXT, "further notice")
    return moment(minute * SECONDS_PER_MINUTE, zone)


def price_text(price: int) -> str:
    """A price as tariffs are written, finer than on screens: 17.6000."""
    return number(coins(price), PRICE_DECIMALS)


def tariff_row(entry: TariffEntry, standing: Standing, zone: str) -> list[Cell]:
    """One entry; what is in force stands out."""
    tariff, bold = entry.tariff, standing is Standing.IN_FORCE
    quiet = standing in (Standing.PAST, Standing.REPLACED)

    def cell(text: str, *, align_right: bool = False, tip: str = "") -> Cell:
        return Cell(text, align_right=align_right, bold=bold, quiet=quiet, tip=tip)

    return [
        cell(standing_words(standing)),
        cell(start_words(tariff.valid_from, zone)),
        cell(end_words(tariff.valid_to, zone)),
        cell(price_text(tariff.national), align_right=True),
        cell(price_text(tariff.feed_in), align_right=True),
        cell(cap_name(tariff.cap), tip=cap_words(tariff.cap)),
        cell(basis_name(tariff.penalty_basis), tip=basis_words(tariff.penalty_basis)),
        cell(number(tariff.response_s, 0), align_right=True),
        cell(number(tariff.deadband_w, 0), align_right=True),
        cell(entry.author),
        cell(entry.note, tip=entry.note),
        cell(moment(entry.entered_s, zone)),
    ]
