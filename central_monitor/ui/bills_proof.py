"""What one minute rests on: the readings, order and terms, and the rule that made each amount."""

from collections.abc import Iterable, Sequence
from html import escape

from PySide6.QtCore import QCoreApplication, Signal, Slot
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from central_monitor.books import MinuteProof
from central_monitor.ui.bills_rule import coins, fine, minute_total, rate_words, steps
from central_monitor.ui.sharing_words import fate_words
from microgrid.minute import Hold, MeterMinute, OrderMinute, Origin
from microgrid.terms import Cap, PenaltyBasis, Tariff
from microgrid.units import SECONDS_PER_MINUTE, kwh
from node.qt.bill_text import contract_words
from node.qt.format import clock, duration, moment, number, power
from node.qt.text import TextLine, ui_font
from node.qt.theme import LIGHT, Theme, load_theme

_CONTEXT = "proof"
translate = QCoreApplication.translate


def proof_title(proof: MinuteProof, zone: str) -> str:
    """Whose minute, which one, and what it came to."""
    start = proof.minute * SECONDS_PER_MINUTE
    name = f"{proof.house.house}, {proof.house.name}" if proof.house.name else proof.house.house
    total = minute_total(proof)
    parts = [translate(_CONTEXT, "House {0}").format(name), moment(start, zone), coins(total)]
    if proof.estimated:
        parts.append(translate(_CONTEXT, "ESTIMATED"))
    return "  ·  ".join(parts)


def proof_document(proof: MinuteProof, zone: str, theme: Theme) -> str:
    """The proof as an HTML document in the theme's colours."""
    style = (
        f"<style>.quiet {{ color: {theme.quiet.name()}; }}"
        ".head { font-weight: bold; margin-top: 10px; margin-bottom: 2px; }"
        "p { margin-top: 0; margin-bottom: 5px; }"
        f"td {{ padding: 2px 8px 2px 0; border-bottom: 1px solid {theme.line.name()}; }}"
        "td.plain { border-bottom: 0; }</style>"
    )
    left = _rule_part(proof) + _terms_part(proof)
    right = _readings_part(proof, zone) + _order_part(proof.order, zone)
    columns = (
        f'<table width="100%"><tr><td class="plain" width="48%">{left}</td>'
        f'<td class="plain" width="4%"></td><td class="plain" width="48%">{right}</td></tr></table>'
    )
    return f"<html><head>{style}</head><body>{columns}</body></html>"


def origin_words(origin: Origin) -> str:
    """How a meter minute reached the central."""
    match origin:
        case Origin.LIVE:
            return translate(_CONTEXT, "live")
        case Origin.LATE:
            return translate(_CONTEXT, "late")
        case Origin.ESTIMATED:
            return translate(_CONTEXT, "estimated")
        case Origin.CORRECTED:
            return translate(_CONTEXT, "corrected")


def _head(text: str) -> str:
    return f'<p class="head">{escape(text)}</p>'


def _facts(rows: Iterable[tuple[str, Sequence[str]]], heads: Sequence[str] = ()) -> str:
    """A table of facts; figures of several readings stand beside each other."""
    lines = []
    if heads:
        cells = "".join(f'<td align="right"><b>{escape(head)}</b></td>' for head in heads)
        lines.append(f"<tr><td></td>{cells}</tr>")
    for name, values in rows:
        cells = "".join(f'<td align="right">{escape(value)}</td>' for value in values)
        lines.append(f'<tr><td class="quiet">{escape(name)}</td>{cells}</tr>')
    return f'<table width="100%" cellspacing="0">{"".join(lines)}</table>'


def _rule_part(proof: MinuteProof) -> str:
    made = _head(translate(_CONTEXT, "How the amounts were made"))
    return made + "".join(
        f'<p><span class="quiet">{escape(step.title)}</span><br>{escape(step.text)}</p>'
        for step in steps(proof)
    )


def _readings_part(proof: MinuteProof, zone: str) -> str:
    columns: list[tuple[str, MeterMinute]] = []
    if proof.before is not None:
        columns.append((translate(_CONTEXT, "Before"), proof.before))
    columns += [(translate(_CONTEXT, "As it came"), old) for old in proof.revisions]
    if proof.row is not None:
        corrected = proof.row.origin is Origin.CORRECTED
        last = translate(_CONTEXT, "Corrected") if corrected else translate(_CONTEXT, "At the minute's end")
        columns.append((last, proof.row))
    if proof.after is not None:
        columns.append((translate(_CONTEXT, "Next reading"), proof.after))
    text = _head(translate(_CONTEXT, "Readings"))
    if proof.row is None:
        text += f"<p>{escape(translate(_CONTEXT, 'No reading of this minute has come.'))}</p>"
    if proof.corrected_by:
        said = translate(_CONTEXT, "Corrected by {0}").format(proof.corrected_by)
        text += f"<p><b>{escape(said)}</b></p>"
    if not columns:
        return text
    rows = _reading_rows([row for _, row in columns], zone)
    return text + _facts(rows, [name for name, _ in columns])


def _reading_rows(rows: Sequence[MeterMinute], zone: str) -> list[tuple[str, list[str]]]:
    def register(value: int) -> str:
        return number(kwh(value), 6)

    def each(name: str, values: Iterable[object]) -> tuple[str, list[str]]:
        return name, [str(value) for value in values]

    ends = (clock((row.minute + 1) * SECONDS_PER_MINUTE, zone) for row in rows)
    return [
        each(translate(_CONTEXT, "Moment"), ends),
        each(translate(_CONTEXT, "Import register, kWh"), (register(row.import_ws) for row in rows)),
        each(translate(_CONTEXT, "Export register, kWh"), (register(row.export_ws) for row in rows)),
        each(translate(_CONTEXT, "Generation, kWh"), (register(row.generation_ws) for row in rows)),
        each(translate(_CONTEXT, "Register epoch"), (number(row.epoch, 0) for row in rows)),
        each(translate(_CONTEXT, "Quality"), (_quality(row) for row in rows)),
        each(translate(_CONTEXT, "Meter heard"), (duration(row.covered_s) for row in rows)),
        each(translate(_CONTEXT, "Breaker closed"), (duration(row.closed_s) for row in rows)),
        each(
            translate(_CONTEXT, "Power, least to most"),
            (f"{number(row.min_w / 1000, 2)} … {power(row.max_w)}" for row in rows),
        ),
        each(translate(_CONTEXT, "Voltage, V"), (number(row.voltage_mv / 1000, 1) for row in rows)),
        each(translate(_CONTEXT, "Current, A"), (number(row.current_ma / 1000, 2) for row in rows)),
        each(translate(_CONTEXT, "Power factor"), (number(row.power_factor_milli / 1000, 3) for row in rows)),
        each(translate(_CONTEXT, "Frequency, Hz"), (number(row.frequency_mhz / 1000, 2) for row in rows)),
        each(translate(_CONTEXT, "Origin"), (origin_words(row.origin) for row in rows)),
        each(translate(_CONTEXT, "Revision"), (number(row.revision, 0) for row in rows)),
    ]


def _quality(row: MeterMinute) -> str:
    if row.suspect:
        return translate(_CONTEXT, "{0} packets with a fault").format(number(row.suspect, 0))
    if row.covered_s < SECONDS_PER_MINUTE:
        return translate(_CONTEXT, "good, with a gap")
    return translate(_CONTEXT, "good")


def _order_part(order: OrderMinute | None, zone: str) -> str:
    head = _head(translate(_CONTEXT, "Order of the central"))
    if order is None:
        none = translate(_CONTEXT, "None: only sellers are given orders.")
        return f"{head}<p>{escape(none)}</p>"
    yes, no = translate(_CONTEXT, "yes"), translate(_CONTEXT, "no")
    target = translate(_CONTEXT, "none") if order.target_w is None else str(power(order.target_w))
    acknowledged = (
        translate(_CONTEXT, "not acknowledged")
        if order.acknowledged_s is None
        else moment(order.acknowledged_s, zone)
    )
    command = number(order.command_id, 0) if order.command_id else translate(_CONTEXT, "none")
    tie = translate(_CONTEXT, "closed") if order.tie_closed else translate(_CONTEXT, "open")
    rows = [
        (translate(_CONTEXT, "Raise standing"), [yes if order.raise_standing else no]),
        (translate(_CONTEXT, "Target"), [target]),
        (translate(_CONTEXT, "Held down"), [_hold_words(order.hold)]),
        (translate(_CONTEXT, "Command"), [command]),
        (translate(_CONTEXT, "Acknowledged by the meter"), [acknowledged]),
        (
            translate(_CONTEXT, "What became of it"),
            [fate_words(order.fate) or translate(_CONTEXT, "no order")],
        ),
        (translate(_CONTEXT, "Tie breakers"), [tie]),
        (translate(_CONTEXT, "Out of service"), [yes if order.out_of_service else no]),
    ]
    return head + _facts(rows)


def _hold_words(hold: Hold) -> str:
    match hold:
        case Hold.NONE:
            return translate(_CONTEXT, "no")
        case Hold.SHARING:
            return translate(_CONTEXT, "by load sharing")
        case Hold.CAP:
            return translate(_CONTEXT, "by the cap")
        case Hold.OPERATOR:
            return translate(_CONTEXT, "by the operator")


def _terms_part(proof: MinuteProof) -> str:
    rate = translate(_CONTEXT, "none: nothing was exported, the tariff was billed")
    if proof.rate is not None:
        rate = rate_words(proof.rate)
    allotment = translate(_CONTEXT, "none: not a consumer")
    if proof.allotment is not None:
        mean = power(proof.allotment / SECONDS_PER_MINUTE)
        allotment = translate(_CONTEXT, "{0} for the minute = {1}").format(mean, fine(proof.allotment))
    rows = [
        (translate(_CONTEXT, "Contract"), [contract_words(proof.contract)]),
        (translate(_CONTEXT, "Allotment"), [allotment]),
        (translate(_CONTEXT, "Billed rate"), [rate]),
        (translate(_CONTEXT, "All houses delivered"), [fine(proof.produced)]),
        (translate(_CONTEXT, "All houses took"), [fine(proof.consumed)]),
        *_tariff_rows(proof.tariff),
        (translate(_CONTEXT, "Connection"), [str(power(proof.house.connection_w))]),
    ]
    return _head(translate(_CONTEXT, "Terms in force")) + _facts(rows)


def _tariff_rows(tariff: Tariff) -> list[tuple[str, list[str]]]:
    basis = translate(_CONTEXT, "national tariff")
    if tariff.penalty_basis is PenaltyBasis.REPLACEMENT_COST:
        basis = translate(_CONTEXT, "replacement cost")
    return [
        (translate(_CONTEXT, "National tariff"), [rate_words(tariff.national)]),
        (translate(_CONTEXT, "Feed-in price"), [rate_words(tariff.feed_in)]),
        (translate(_CONTEXT, "Cap of the rate"), [_cap_words(tariff.cap)]),
        (translate(_CONTEXT, "Basis of penalties"), [basis]),
        (translate(_CONTEXT, "Time to respond"), [duration(tariff.response_s)]),
        (translate(_CONTEXT, "Deadband"), [f"{number(tariff.deadband_w, 0)} W"]),
    ]


def _cap_words(cap: Cap) -> str:
    match cap:
        case Cap.MONTH:
            return translate(_CONTEXT, "over the month")
        case Cap.MINUTE:
            return translate(_CONTEXT, "in each minute")
        case Cap.OFF:
            return translate(_CONTEXT, "off")


class ProofView(QWidget):
    """The proof of one minute; the reading can be corrected from here.

    Signals:
        correction_wanted: the proof whose reading is to be corrected.
    """

    correction_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.proof: MinuteProof | None = None
        self._zone = "UTC"
        self._theme = load_theme(LIGHT)
        self.title = TextLine("", 14, bold=True)
        self.text = QTextBrowser()
        self.text.setFont(ui_font(13))
        self.text.setAccessibleName(self.tr("What the minute rests on"))
        self.correct_button = QPushButton(self.tr("C&orrect this reading…"))
        self.correct_button.clicked.connect(self._correct)
        self.setFocusProxy(self.text)
        self.correct_button.setProperty("bar", True)
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.correct_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.text, 1)

    def show_proof(self, proof: MinuteProof, zone: str) -> None:
        """Show what this minute rests on."""
        same = self.proof is not None and (self.proof.house, self.proof.minute) == (proof.house, proof.minute)
        self.proof, self._zone = proof, zone
        self.title.set_text(proof_title(proof, zone))
        self._write()
        if not same:
            self.text.moveCursor(QTextCursor.MoveOperation.Start)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.title.set_theme(theme)
        self.text.setPalette(theme.palette())
        if self.proof is not None:
            self._write()

    def _write(self) -> None:
        if self.proof is None:
            return
        at = self.text.verticalScrollBar().value()
        self.text.setHtml(proof_document(self.proof, self._zone, self._theme))
        self.text.verticalScrollBar().setValue(at)

    @Slot()
    def _correct(self) -> None:
        self.correction_wanted.emit(self.proof)
