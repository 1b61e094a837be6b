"""The sheet an installer leaves behind: what was measured, what was checked, by whom. No widgets here."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from PySide6.QtCore import QCoreApplication

from house_client.snapshot import HouseSnapshot
from house_client.ui.commissioning_words import (
    MARKS,
    check_name,
    counter_words,
    finding_words,
    flow_words,
    overall_words,
    phase_words,
    to_do_words,
    verdict_word,
)
from microgrid.commissioning import PHASES, Check, Expected, Verdict, phase_powers
from microgrid.registers import Registers
from microgrid.sample import Sample
from microgrid.swap import MeterSwap
from node.qt import measured
from node.qt.format import moment, power
from node.qt.value import ValueState

_CONTEXT = "commissioning"
_translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that stands on a sheet."""

    snapshot: HouseSnapshot
    expected: Expected
    checks: tuple[Check, ...]
    swap: MeterSwap | None = None  # if the meter was exchanged on this occasion


def sheet_title(snapshot: HouseSnapshot) -> str:
    """The sheet's title, and the name of its file and print job."""
    return _translate(_CONTEXT, "Commissioning of house {0}").format(snapshot.house)


def sheet_html(sheet: Sheet) -> str:
    """The sheet as a document for `node.qt.paper`."""
    snapshot, sample = sheet.snapshot, sheet.snapshot.sample
    parts = [
        f"<h1>{escape(sheet_title(snapshot))}</h1>",
        _paragraph(overall_words(sheet.checks), bold=True),
        _facts(sheet),
    ]
    if sample is not None:
        parts += [f"<h3>{escape(_translate(_CONTEXT, 'Measured'))}</h3>", _measured(sample)]
    parts += [f"<h3>{escape(_translate(_CONTEXT, 'Checked'))}</h3>", _checked(sheet.checks, sheet.expected)]
    if sheet.swap is not None:
        parts += [
            f"<h3>{escape(_translate(_CONTEXT, 'Meter exchanged'))}</h3>",
            _exchanged(sheet.swap, snapshot.zone),
        ]
    blank = "." * 44
    parts += [
        "<br>",
        _rows([(_translate(_CONTEXT, "Installer"), blank), (_translate(_CONTEXT, "Place and date"), blank)]),
    ]
    return "".join(parts)


def _facts(sheet: Sheet) -> str:
    snapshot, sample = sheet.snapshot, sheet.snapshot.sample
    facts = [
        (_translate(_CONTEXT, "House"), f"{snapshot.house}, {snapshot.name}"),
        (_translate(_CONTEXT, "Time"), moment(snapshot.now_s, snapshot.zone)),
        (
            _translate(_CONTEXT, "Expected"),
            f"{flow_words(sheet.expected.flow)}; {phase_words(sheet.expected.phases)}",
        ),
    ]
    if sample is not None:
        registers = Registers(
            epoch=0,
            import_ws=sample.import_counter_ws,
            export_ws=sample.export_counter_ws,
            generation_ws=sample.generation_counter_ws,
        )
        started = _translate(_CONTEXT, "firmware {0}, start {1}").format(sample.firmware, sample.boot_id)
        facts += [
            (_translate(_CONTEXT, "Meter"), started),
            (_translate(_CONTEXT, "Its counters"), counter_words(registers)),
            (_translate(_CONTEXT, "Frequency"), str(measured.frequency(sample, ValueState.GOOD).quantity)),
        ]
    return _rows(facts)


def _measured(sample: Sample) -> str:
    good = ValueState.GOOD
    powers = phase_powers(sample)
    lines = [
        [
            _translate(_CONTEXT, "Phase {0}").format(phase),
            *(
                str(reading(sample, phase - 1, good).quantity)
                for reading in (measured.voltage, measured.current, measured.power_factor)
            ),
            str(power(powers[phase - 1].real, signed=True)),
        ]
        for phase in PHASES
    ]
    heads = [
        "",
        _translate(_CONTEXT, "Voltage"),
        _translate(_CONTEXT, "Current"),
        _translate(_CONTEXT, "Power factor"),
        _translate(_CONTEXT, "Power to the micro-grid"),
    ]
    lines.append([_translate(_CONTEXT, "All"), "", "", "", str(power(sample.exchange_p_w, signed=True))])
    return _table(heads, lines, right_from=1)


def _checked(checks: Sequence[Check], expected: Expected) -> str:
    lines = []
    for check in checks:
        to_do = "" if check.verdict is Verdict.RIGHT else to_do_words(check)
        lines.append(
            [
                f"{MARKS[check.verdict]} {verdict_word(check.verdict)}",
                check_name(check.kind),
                f"{finding_words(check, expected)} {to_do}".strip(),
            ]
        )
    return _table(
        [_translate(_CONTEXT, "Verdict"), _translate(_CONTEXT, "Check"), _translate(_CONTEXT, "Found")], lines
    )


def _exchanged(swap: MeterSwap, zone: str) -> str:
    return _rows(
        [
            (_translate(_CONTEXT, "Time"), moment(swap.at_s, zone)),
            (_translate(_CONTEXT, "Old meter"), swap.old_meter),
            (_translate(_CONTEXT, "Its last counters"), counter_words(swap.old)),
            (_translate(_CONTEXT, "New meter"), swap.new_meter),
            (_translate(_CONTEXT, "Its first counters"), counter_words(swap.new)),
            (_translate(_CONTEXT, "By"), swap.installer),
            (_translate(_CONTEXT, "Reason"), swap.reason),
        ]
    )


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]], right_from: int | None = None) -> str:
    def cells(tag: str, texts: Sequence[str]) -> str:
        made = ""
        for number, text in enumerate(texts):
            right = right_from is not None and number >= right_from
            made += f'<{tag} align="{"right" if right else "left"}">{escape(text)}</{tag}>'
        return f"<tr>{made}</tr>"

    body = "".join(cells("td", line) for line in lines)
    return (
        f'<table width="100%" cellpadding="3" border="1" cellspacing="0">{cells("th", heads)}{body}</table>'
    )


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    made = "".join(
        f'<tr><td width="26%">{escape(name)}</td><td>{escape(text)}</td></tr>' for name, text in rows
    )
    return f'<table width="100%" cellpadding="2">{made}</table>'


def _paragraph(text: str, *, bold: bool = False) -> str:
    inside = f"<b>{escape(text)}</b>" if bold else escape(text)
    return f"<p>{inside}</p>"
