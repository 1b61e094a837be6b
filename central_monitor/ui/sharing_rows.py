"""The lines of the Load Sharing window, as cells of its two tables."""

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QLocale, QRectF
from PySide6.QtGui import QPainter

from central_monitor.snapshot import CentralSnapshot, HouseView
from central_monitor.ui.agreement_rows import role_word, source_word
from central_monitor.ui.band import Band, band_of
from central_monitor.ui.deviation import deviation
from central_monitor.ui.presentation import NO_FLOW_W, house_note, house_state
from central_monitor.ui.sharing_words import order_line, order_sentences, out_of_service, trouble
from microgrid.minute import Fate
from microgrid.terms import Contract, Role, Source
from node.qt.format import duration, power, price
from node.qt.symbols import breaker_word, paint_breaker
from node.qt.table import Cell
from node.qt.text import paint_text, text_width
from node.qt.theme import Theme
from node.qt.value import ValueState

_CONTEXT = "sharing"
BAND_COLUMN = 6  # of the sellers' table
_BLANK_NUMBER = Cell("", align_right=True)
_STEP_W = 10  # deviations that differ by less count as equal, and keep the order of the houses
_KEPT = 1024  # cells of so many houses
_SIDE, _GAP, _TEXT = 11, 4, 12  # of a breaker's square and its word, in pixels
_LOW, _HIGH = 10, 90  # per cent of the maximum between which the strategy fills a class first (6.4)


class Order(Enum):
    """By what the rows are sorted."""

    DEVIATION = "deviation"
    HOUSE = "house"
    SOURCE = "source"


class Line(NamedTuple):
    """A house, of this snapshot."""

    house: HouseView
    snapshot: CentralSnapshot


def sells(house: HouseView) -> bool:
    """Whether the house is a seller this month."""
    return house.contract is not None and house.contract.role is Role.PRODUCER


def takes(house: HouseView) -> bool:
    """Whether the house belongs to those that take: all but sellers, and sellers that import now."""
    if not sells(house):
        return True
    sample = house.sample
    live = sample is not None and house_state(house) is not ValueState.DISCONNECTED
    return live and sample is not None and sample.exchange_p_w <= -NO_FLOW_W


def shortage_w(houses: tuple[HouseView, ...]) -> int:
    """By how much sellers that are heard, and have not met their targets, are short of them."""
    unmet = [house for house in houses if house.order is not None and house.order.fate is not Fate.MET]
    return sum(max(0, -_off_target_w(house)) for house in unmet)


def taker_headers() -> tuple[str, ...]:
    """The columns of those that take, with their units."""
    translate = QCoreApplication.translate
    return (
        translate(_CONTEXT, "House"),
        translate(_CONTEXT, "Micro-\ngrid\nkW"),
        translate(_CONTEXT, "National\ngrid\nkW"),
        translate(_CONTEXT, "Grid\nbreaker"),
        translate(_CONTEXT, "Note"),
    )


def seller_headers() -> tuple[str, ...]:
    """The columns of the sellers, with their units."""
    translate = QCoreApplication.translate
    return (
        translate(_CONTEXT, "House"),
        translate(_CONTEXT, "Source"),
        translate(_CONTEXT, "Price\ncoins/\nkWh"),
        translate(_CONTEXT, "Breakers\ngrid, source"),
        translate(_CONTEXT, "Output\nkW"),
        translate(_CONTEXT, "Min\nkW"),
        translate(_CONTEXT, "Output within\nthe contract"),
        translate(_CONTEXT, "Max\nkW"),
        translate(_CONTEXT, "Target\nkW"),
        translate(_CONTEXT, "Given\nago"),
        translate(_CONTEXT, "What became\nof the order"),
    )


def taker_cells(line: Line) -> tuple[Cell, ...]:
    """The cells of one that takes."""
    house, state, locale = line.house, house_state(line.house), QLocale().name()
    split = house.split
    if split is None:
        absent = Cell("", align_right=True, state=ValueState.DISCONNECTED)
        powers = (absent, absent)
    else:
        powers = (
            _power_cell(split.microgrid_w, True, state, locale),
            _power_cell(split.national_w, True, state, locale),
        )
    return (
        Cell(house.house, link=True, tip=house.name),
        *powers,
        _breaker_cell(_breakers(house)[:1]),
        _note_cell(house, state),
    )


def seller_cells(line: Line) -> tuple[Cell, ...]:
    """The cells of a seller."""
    house, state, locale = line.house, house_state(line.house), QLocale().name()
    contract, order, now_s = house.contract, house.order, line.snapshot.now_s
    assert contract is not None
    source, cost, least, most = _contract_cells(contract, locale)
    output_w = house.sample.exchange_p_w if house.sample is not None else 0
    target = given = _BLANK_NUMBER
    if order is not None:
        target = _power_cell(order.target_w, False, ValueState.GOOD, locale)
        if order.given_s:
            given = Cell(duration(now_s - order.given_s, brief=True), align_right=True, quiet=True)
    return (
        Cell(house.house, link=True, bold=trouble(house) is not None, tip=house.name),
        source,
        cost,
        _breaker_cell(_breakers(house)),
        _power_cell(output_w, True, state, locale),
        least,
        _band_cell(house, state),
        most,
        target,
        given,
        _fate_cell(line, state),
    )


def seller_rank(line: Line, order: Order) -> tuple[int, ...]:
    """What a seller is sorted by, smallest first: trouble, then deviation; who is not heard comes last."""
    house, contract = line.house, line.house.contract
    if order is Order.SOURCE and contract is not None:
        return (0 if contract.source is Source.SOLAR else 1, contract.price)
    if house_state(house) is not ValueState.GOOD:
        return (2, 0)
    return (0 if trouble(house) is not None else 1, -(abs(_off_target_w(house)) // _STEP_W))


def taker_rank(line: Line) -> tuple[int, ...]:
    """What one that takes is sorted by: what it takes beyond its allotment, then what it takes."""
    house, found = line.house, deviation(line.house, line.snapshot.pool.is_day)
    if found is None or house.sample is None:
        return (1, 0, 0)
    return (0, -(found.power_w // _STEP_W), house.sample.exchange_p_w // _STEP_W)


def _off_target_w(house: HouseView) -> int:
    """What the seller gives beyond its target; 0 without one, or if it is not heard."""
    if house.order is None or house.sample is None or house_state(house) is not ValueState.GOOD:
        return 0
    return house.sample.exchange_p_w - house.order.target_w


def _note_cell(house: HouseView, state: ValueState) -> Cell:
    """What is not as with most: values that are not good, a house that is no consumer."""
    if state is not ValueState.GOOD:
        return Cell(house_note(house), bold=True)
    contract = house.contract
    consumes = contract is not None and contract.role is Role.CONSUMER
    return Cell("" if consumes else role_word(contract), quiet=True, tip=house_note(house))


@dataclass(frozen=True, slots=True)
class _Breakers:
    """A square for each breaker, and a word for all of them."""

    closed: tuple[bool | None, ...]
    word: str

    @property
    def width(self) -> int:
        """The pixels it needs."""
        return self._words_at + round(text_width(self.word, _TEXT)) + 2

    @property
    def _words_at(self) -> int:
        return len(self.closed) * (_SIDE + _GAP) + _GAP

    def paint(self, painter: QPainter, place: QRectF, theme: Theme) -> None:
        """Draw the squares, then the word."""
        for number, closed in enumerate(self.closed):
            left = place.left() + number * (_SIDE + _GAP)
            square = QRectF(left, place.center().y() - _SIDE / 2, _SIDE, _SIDE)
            paint_breaker(painter, square, closed, theme)
        paint_text(painter, place.adjusted(self._words_at, 0, 0, 0), self.word, _TEXT, theme.text)


def _breakers(house: HouseView) -> tuple[bool | None, bool | None]:
    """The grid breaker's and the source's; None: not known now."""
    sample = house.sample
    if sample is None or house_state(house) is ValueState.DISCONNECTED:
        return None, None
    return sample.grid_breaker_closed, sample.generator_breaker_closed


@lru_cache(maxsize=32)
def _breaker_cell(closed: tuple[bool | None, ...]) -> Cell:
    translate = QCoreApplication.translate
    match closed:
        case (True, True):
            word = breaker_word(True)
        case (False, False):
            word = breaker_word(False)
        case (False, True):
            word = translate(_CONTEXT, "grid open")
        case (True, False):
            word = translate(_CONTEXT, "source open")
        case _:
            word = breaker_word(closed[0])
    return Cell(word, drawing=_Breakers(closed, word))


def _band_cell(house: HouseView, state: ValueState) -> Cell:
    band = band_of(house)
    assert band is not None
    return Cell(_band_words(band), state=state, drawing=replace(band, marks_w=_marks(band.high_w)))


def _marks(maximum_w: int) -> tuple[int, ...]:
    return (maximum_w * _LOW // 100, maximum_w * _HIGH // 100)


def _band_words(band: Band) -> str:
    """The bar for those who cannot see it."""
    loading = "" if band.power_w is None else f"{round(100 * band.power_w / band.high_w)} %"
    return QCoreApplication.translate(_CONTEXT, "{0} of the maximum").format(loading) if loading else ""


def _fate_cell(line: Line, state: ValueState) -> Cell:
    house, snapshot = line.house, line.snapshot
    order = order_line(house, snapshot.now_s, snapshot.zone, is_day=snapshot.pool.is_day)
    note = "" if state is ValueState.GOOD else house_note(house)
    text = ", ".join(part for part in (note, order) if part)
    sentences = order_sentences(house, snapshot.now_s, snapshot.zone)
    unmet = house.order is not None and house.order.fate is Fate.UNMET and not out_of_service(house)
    alarming = bool(note) or unmet or trouble(house) is not None
    return Cell(text, bold=alarming, quiet=not alarming and house.by_hand is None, tip="\n".join(sentences))


@lru_cache(maxsize=_KEPT)
def _contract_cells(contract: Contract, _locale: str) -> tuple[Cell, Cell, Cell, Cell]:
    return (
        Cell(source_word(contract)),
        Cell(price(contract.price).number, align_right=True),
        Cell(power(contract.min_w).number, align_right=True, quiet=True),
        Cell(power(contract.max_w).number, align_right=True, quiet=True),
    )


@lru_cache(maxsize=16 * _KEPT)
def _power_cell(power_w: int, signed: bool, state: ValueState, _locale: str) -> Cell:
    return Cell(power(power_w, signed=signed).number, align_right=True, state=state)
