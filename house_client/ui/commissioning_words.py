"""What the installer's checks say, and what to do about it. No widgets here."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from microgrid.commissioning import (
    FREQUENCY_BAND_HZ,
    NOMINAL_HZ,
    NOMINAL_V,
    TELLING_VA,
    VOLTAGE_BAND,
    Check,
    CheckKind,
    Expected,
    Finding,
    Flow,
    Verdict,
)
from microgrid.registers import COUNTER_MODULUS, Registers
from microgrid.sample import MeterFlag
from node.qt.format import number, power

_CONTEXT = "commissioning"
_translate = QCoreApplication.translate
MARKS = {
    Verdict.RIGHT: "\N{CHECK MARK}",
    Verdict.WRONG: "\N{BALLOT X}",
    Verdict.OPEN: "\N{HORIZONTAL ELLIPSIS}",
}


def check_name(kind: CheckKind) -> str:
    """What is checked."""
    return {
        CheckKind.VOLTAGE: _translate(_CONTEXT, "Voltages"),
        CheckKind.FREQUENCY: _translate(_CONTEXT, "Frequency"),
        CheckKind.DEAD_PHASE: _translate(_CONTEXT, "No current on a dead phase"),
        CheckKind.DIRECTION: _translate(_CONTEXT, "Direction of each phase"),
        CheckKind.REVERSED: _translate(_CONTEXT, "Transformers not reversed"),
        CheckKind.SWAPPED: _translate(_CONTEXT, "Transformers not swapped"),
        CheckKind.SUM: _translate(_CONTEXT, "Phases add up"),
        CheckKind.COUNTERS: _translate(_CONTEXT, "Counters"),
        CheckKind.FLAGS: _translate(_CONTEXT, "The meter's own reports"),
    }[kind]


def verdict_word(verdict: Verdict) -> str:
    """The verdict."""
    return {
        Verdict.RIGHT: _translate(_CONTEXT, "right"),
        Verdict.WRONG: _translate(_CONTEXT, "wrong"),
        Verdict.OPEN: _translate(_CONTEXT, "not yet telling"),
    }[verdict]


def overall_words(checks: Sequence[Check]) -> str:
    """All checks in a sentence."""
    wrong = sum(check.verdict is Verdict.WRONG for check in checks)
    still_open = sum(check.verdict is Verdict.OPEN for check in checks)
    if wrong:
        return _translate(_CONTEXT, "Not in order: {0} wrong, {1} not yet telling").format(wrong, still_open)
    if still_open:
        return _translate(_CONTEXT, "Nothing wrong so far: {0} not yet telling").format(still_open)
    return _translate(_CONTEXT, "In order: every check is right")


def flow_words(flow: Flow) -> str:
    """What the installer has the house do."""
    return (
        _translate(_CONTEXT, "the house draws, its source is off")
        if flow is Flow.DRAWS
        else _translate(_CONTEXT, "the source exports")
    )


def finding_words(check: Check, expected: Expected) -> str:
    """What was found, in a sentence."""
    phases, named = check.phases, phase_words(check.phases)
    match check.finding:
        case Finding.GOOD:
            return _good_words(check, expected)
        case Finding.TOO_FEW:
            return _translate(_CONTEXT, "Listening to the meter; a few packets more are wanted.")
        case Finding.NO_VOLTAGE:
            return _translate(_CONTEXT, "No voltage on {0}.").format(named)
        case Finding.OUT_OF_BAND:
            return _translate(_CONTEXT, "{0} must be between {1}; measured: {2}.").format(
                _capital(named), _band_words(), _each(check.figures, 1, "V")
            )
        case Finding.NOT_ALIKE:
            return _translate(_CONTEXT, "The voltages differ too much: {0}.").format(
                _each(check.figures, 1, "V")
            )
        case Finding.NOT_EXPECTED:
            return _translate(
                _CONTEXT, "There is voltage on {0}, though the house is said to have one phase."
            ).format(named)
        case Finding.BAD_FREQUENCY:
            low, high = NOMINAL_HZ - FREQUENCY_BAND_HZ, NOMINAL_HZ + FREQUENCY_BAND_HZ
            return _translate(_CONTEXT, "{0}; it must be between {1} and {2} Hz.").format(
                _each(check.figures, 2, "Hz"), number(low, 0), number(high, 0)
            )
        case Finding.CURRENT_WITHOUT_VOLTAGE:
            return _translate(_CONTEXT, "Current without voltage on {0}: {1}.").format(
                named, _each(check.figures, 2, "A")
            )
        case Finding.TOO_LITTLE_POWER if phases:
            return _translate(_CONTEXT, "Too little flows on {0} to tell: less than {1} VA.").format(
                named, number(TELLING_VA, 0)
            )
        case Finding.TOO_LITTLE_POWER:
            return _translate(_CONTEXT, "Too little flows to tell.")
        case Finding.OTHER_WAY:
            return _other_way_words(check, expected)
        case Finding.ALL_OTHER_WAY if check.kind is CheckKind.REVERSED:
            return _translate(_CONTEXT, "All phases agree with each other, against what was said.")
        case Finding.ALL_OTHER_WAY if expected.flow is Flow.DRAWS:
            return _translate(_CONTEXT, "Every phase gives power, though the house is said to draw.")
        case Finding.ALL_OTHER_WAY:
            return _translate(_CONTEXT, "Every phase draws power, though the source is said to export.")
        case _:
            return _transformer_words(check, named) or _meter_words(check)


def _transformer_words(check: Check, named: str) -> str:
    match check.finding:
        case Finding.TURNED if len(check.phases) == 1:
            return _translate(_CONTEXT, "The current transformer of {0} is the wrong way round.").format(
                named
            )
        case Finding.TURNED:
            return _translate(_CONTEXT, "The current transformers of {0} are the wrong way round.").format(
                named
            )
        case Finding.PAIR:
            return _translate(_CONTEXT, "The current transformers of {0} are swapped.").format(named)
        case Finding.ROUND:
            return _translate(
                _CONTEXT, "Each current transformer sits on the next phase, all three in a circle."
            )
        case Finding.FOREIGN:
            return _translate(_CONTEXT, "The current measured on {0} is another phase's.").format(named)
        case Finding.LOW_POWER_FACTOR:
            return _translate(_CONTEXT, "The power factor of {0} is too low to tell by: below {1}.").format(
                named, number(0.87, 2)
            )
        case Finding.ONE_PHASE:
            return _translate(_CONTEXT, "One phase alone cannot be swapped.")
        case _:
            return ""


def _meter_words(check: Check) -> str:
    match check.finding:
        case Finding.SUM_DIFFERS:
            return _translate(_CONTEXT, "The phases add up to {0}, the meter says {1}.").format(
                *map(_kw, check.figures)
            )
        case Finding.STANDS_STILL:
            return _translate(_CONTEXT, "Power flows, but the {0} counter stands still.").format(
                _counter(check)
            )
        case Finding.WRONG_COUNTER:
            imported, exported, _ = check.figures
            other = _translate(_CONTEXT, "import") if imported > exported else _translate(_CONTEXT, "export")
            return _translate(_CONTEXT, "The {0} counter moves, but power flows the other way.").format(other)
        case Finding.WRONG_RATE:
            imported, exported, flowed = check.figures
            moved = imported if flowed < 0 else exported
            return _translate(_CONTEXT, "The {0} counter moved by {1} Ws where {2} Ws flowed.").format(
                _counter(check), number(moved, 0), number(abs(flowed), 0)
            )
        case _:
            return _translate(_CONTEXT, "The meter reports: {0}.").format(flag_words(check.flags))


def _good_words(check: Check, expected: Expected) -> str:
    match check.kind:
        case CheckKind.VOLTAGE:
            return _translate(_CONTEXT, "{0}: alike, and between {1}.").format(
                _each(check.figures, 1, "V"), _band_words()
            )
        case CheckKind.FREQUENCY:
            return _each(check.figures, 2, "Hz") + "."
        case CheckKind.DEAD_PHASE if not check.phases:
            return _translate(_CONTEXT, "Every phase has voltage.")
        case CheckKind.DEAD_PHASE:
            return _translate(_CONTEXT, "No current where there is no voltage.")
        case CheckKind.DIRECTION if expected.flow is Flow.DRAWS:
            return _translate(_CONTEXT, "Power is drawn on {0}, as was said.").format(
                phase_words(check.phases)
            )
        case CheckKind.DIRECTION:
            return _translate(_CONTEXT, "Power is given on {0}, as was said.").format(
                phase_words(check.phases)
            )
        case CheckKind.REVERSED:
            return _translate(_CONTEXT, "No current transformer is the wrong way round.")
        case CheckKind.SWAPPED:
            return _translate(_CONTEXT, "Every phase measures its own current.")
        case CheckKind.SUM:
            return _translate(_CONTEXT, "The phases add up to {0}, the meter says {1}.").format(
                *map(_kw, check.figures)
            )
        case CheckKind.COUNTERS:
            return _translate(_CONTEXT, "The {0} counter moves as the power does.").format(_counter(check))
        case CheckKind.FLAGS:
            return _translate(_CONTEXT, "The meter reports no fault.")


def _other_way_words(check: Check, expected: Expected) -> str:
    measured = ", ".join(map(_kw, check.figures))
    if expected.flow is Flow.DRAWS:
        return _translate(_CONTEXT, "Power is given on {0} ({1}), though the house is said to draw.").format(
            phase_words(check.phases), measured
        )
    return _translate(_CONTEXT, "Power is drawn on {0} ({1}), though the source is said to export.").format(
        phase_words(check.phases), measured
    )


def to_do_words(check: Check) -> str:
    """What to do about it; empty if nothing."""
    named = phase_words(check.phases)
    match check.finding:
        case Finding.TOO_FEW:
            return _translate(_CONTEXT, "See that the meter is heard.")
        case Finding.NO_VOLTAGE:
            return _translate(
                _CONTEXT, "Check fuse and voltage lead of {0}; choose 1 phase for a house that has one."
            ).format(named)
        case Finding.OUT_OF_BAND:
            return _translate(
                _CONTEXT, "Switch off; see that the leads are on phase and neutral, not on two phases."
            )
        case Finding.NOT_ALIKE:
            return _translate(
                _CONTEXT, "Look for a loose neutral; else have the meter's calibration checked."
            )
        case Finding.NOT_EXPECTED:
            return _translate(_CONTEXT, "Choose 1 phase no longer, or take these leads off.")
        case Finding.BAD_FREQUENCY:
            return _translate(
                _CONTEXT, "Check the voltage leads; if the voltages are right, exchange the meter."
            )
        case Finding.CURRENT_WITHOUT_VOLTAGE:
            return _translate(
                _CONTEXT, "Connect the voltage lead of {0}, or move its transformer to its own phase."
            ).format(named)
        case Finding.TOO_LITTLE_POWER:
            return _translate(_CONTEXT, "Switch on a kettle or a heater on {0}.").format(
                named or _translate(_CONTEXT, "every phase")
            )
        case Finding.SUM_DIFFERS | Finding.STANDS_STILL | Finding.WRONG_COUNTER | Finding.WRONG_RATE:
            return _translate(_CONTEXT, "The meter contradicts itself: exchange it.")
        case Finding.REPORTED if check.verdict is Verdict.WRONG:
            return _translate(_CONTEXT, "Put this right before the meter's figures are used for bills.")
        case _:
            return _transformer_to_do(check, named)


def _transformer_to_do(check: Check, named: str) -> str:
    match check.finding:
        case Finding.OTHER_WAY:
            return _translate(_CONTEXT, "The next two checks say which transformer to turn or to move.")
        case Finding.ALL_OTHER_WAY:
            return _translate(
                _CONTEXT, "See what the source does; if it is as you said, turn all transformers round."
            )
        case Finding.TURNED:
            return _translate(_CONTEXT, "Switch off; turn the transformer round or exchange its two wires.")
        case Finding.PAIR:
            return _translate(
                _CONTEXT, "Switch off; exchange these two transformers, or their voltage leads."
            )
        case Finding.ROUND:
            return _translate(
                _CONTEXT,
                "Switch off; move each transformer by one phase, the other way if that is no better.",
            )
        case Finding.FOREIGN:
            return _translate(
                _CONTEXT, "Switch off; find the conductor of {0} and put its transformer there."
            ).format(named)
        case Finding.LOW_POWER_FACTOR:
            return _translate(_CONTEXT, "Switch motors off, and a kettle or a heater on, on {0}.").format(
                named
            )
        case _:
            return ""


def flag_words(flags: MeterFlag) -> str:
    """What the meter reports, in words."""
    names = {
        MeterFlag.VOLTAGE_SATURATED: _translate(_CONTEXT, "a voltage beyond what it can measure"),
        MeterFlag.CURRENT_SATURATED: _translate(_CONTEXT, "a current beyond what it can measure"),
        MeterFlag.REVERSE_FLOW: _translate(_CONTEXT, "reverse flow"),
        MeterFlag.CALIBRATION_BAD: _translate(_CONTEXT, "its calibration is lost"),
        MeterFlag.BROWN_OUT_RESTART: _translate(_CONTEXT, "it started again after its supply failed"),
        MeterFlag.COMMAND_REFUSED: _translate(_CONTEXT, "a command was refused, as no source runs"),
        MeterFlag.SUPPLY_LOW: _translate(_CONTEXT, "its supply is low"),
    }
    return ", ".join(words for flag, words in names.items() if flag in flags)


def phase_words(phases: Sequence[int]) -> str:
    """The phases by their numbers; empty for none."""
    match [str(phase) for phase in phases]:
        case []:
            return ""
        case [one]:
            return _translate(_CONTEXT, "phase {0}").format(one)
        case [*first, last]:
            return _translate(_CONTEXT, "phases {0} and {1}").format(", ".join(first), last)
    raise AssertionError  # every list is one of these


def counter_words(registers: Registers) -> str:
    """What the meter's own counters show, from registers that carry them on."""
    shown = [
        number(register % COUNTER_MODULUS, 0)
        for register in (registers.import_ws, registers.export_ws, registers.generation_ws)
    ]
    return _translate(_CONTEXT, "import {0} Ws, export {1} Ws, generation {2} Ws").format(*shown)


def _counter(check: Check) -> str:
    """The counter of the direction in which power flowed."""
    return _translate(_CONTEXT, "import") if check.figures[2] < 0 else _translate(_CONTEXT, "export")


def _band_words() -> str:
    low, high = NOMINAL_V * (1 - VOLTAGE_BAND), NOMINAL_V * (1 + VOLTAGE_BAND)
    return _translate(_CONTEXT, "{0} and {1} V").format(number(low, 0), number(high, 0))


def _each(figures: Sequence[float], decimals: int, unit: str) -> str:
    return ", ".join(number(figure, decimals) for figure in figures) + f"\N{NO-BREAK SPACE}{unit}"


def _kw(power_w: float) -> str:
    return str(power(power_w, signed=True))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
