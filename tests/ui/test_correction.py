"""A reading is corrected with the keyboard alone, between the readings around it."""

from dataclasses import replace

import msgspec
import pytest
from PySide6.QtCore import Qt

from central_monitor.ui.correction import CorrectionDialog, Range, register_range
from microgrid.metering import registers_of
from microgrid.registers import rise_is_plausible
from node.qt.theme import DARK, LIGHT, load_theme
from tests.ui.at_desk import NAME
from tests.ui.images import picture, saturation
from tests.ui.keyboard import alt, closed, focus, mnemonics, open_active, press, type_over
from tests.ui.reading import said
from tests.ui.sample_books import make_proof, make_row, missing_proof
from tests.ui.sample_snapshots import ZONE

Key = Qt.Key


def proof_with_after():
    """House A took 20 Wh in the minute; the next reading is one minute later."""
    proof = make_proof()
    after = make_row("A", proof.minute + 1, import_ws=proof.row.import_ws + 72_000)
    return replace(proof, after=after)


@pytest.fixture
def opened(qtbot, operator, desk):
    def made(proof):
        return open_active(qtbot, CorrectionDialog(operator, desk, proof, ZONE))

    return made


def kwh_text(energy_ws):
    return f"{energy_ws / 3_600_000:.7f}"


def test_a_reading_is_corrected_to_the_watt_second_by_keyboard_alone(qtbot, operator, opened):
    proof = proof_with_after()
    dialog = opened(proof)
    assert dialog.windowTitle() == "Correct the reading of house A, 5 Dec 2024, 17:06 PKT"
    assert dialog.imported.text() == kwh_text(proof.row.import_ws)
    type_over(qtbot, kwh_text(proof.row.import_ws - 35_999))
    alt(qtbot, dialog, "r")
    qtbot.keyClicks(focus(), "display misread")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    assert operator.orders == [
        (
            "correct",
            ("A", proof.minute, proof.row.import_ws - 35_999, proof.row.export_ws, NAME, "display misread"),
        )
    ]


def test_the_readings_around_it_stand_beside_as_limits(opened):
    proof = proof_with_after()
    dialog = opened(proof)
    rows = [dialog.readings.texts(row) for row in range(3)]
    assert [row[:2] for row in rows] == [
        ["before", "17:05:00 PKT"], ["as it stands", "17:06:00 PKT"], ["after", "17:07:00 PKT"],
    ]  # fmt: skip
    assert [row[2] for row in rows] == [
        kwh_text(each.import_ws) for each in (proof.before, proof.row, proof.after)
    ]
    limits = f"{kwh_text(proof.before.import_ws)} to {kwh_text(proof.after.import_ws)}"
    assert dialog.imported.limit_text == limits
    assert "The reading as it came is kept. The month is settled again" in said(dialog)


def test_a_missing_minute_is_given_its_registers(qtbot, operator, opened):
    proof = missing_proof()
    dialog = opened(proof)
    assert dialog.imported.text() == ""
    press(qtbot, Key.Key_Return)
    assert dialog.imported.fault == "Enter a number, such as 2.50."
    qtbot.keyClicks(focus(), kwh_text(proof.before.import_ws + 100_000))
    alt(qtbot, dialog, "e")
    qtbot.keyClicks(focus(), kwh_text(proof.before.export_ws))
    alt(qtbot, dialog, "r")
    qtbot.keyClicks(focus(), "read by hand")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    assert operator.orders[0][1][2:4] == (proof.before.import_ws + 100_000, proof.before.export_ws)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda p: p.before.import_ws - 1, "It must be at least {0}: a register does not fall."),
        (
            lambda p: p.after.import_ws + 1,
            "It must be at most {0}: the next reading or the connection allows no more.",
        ),
        (lambda p: p.row.import_ws, "Both registers are as they were: nothing is corrected."),
    ],
)
def test_a_register_outside_its_limits_is_refused_at_the_field(qtbot, operator, opened, change, fault):
    proof = proof_with_after()
    dialog = opened(proof)
    type_over(qtbot, kwh_text(change(proof)))
    dialog.reason.set_value("display misread")
    press(qtbot, Key.Key_Return)
    bound = proof.before if "least" in fault else proof.after
    assert dialog.imported.fault == fault.format(kwh_text(bound.import_ws))
    assert operator.orders == []


def test_more_decimals_than_watt_seconds_have_are_refused(qtbot, operator, opened):
    dialog = opened(proof_with_after())
    type_over(qtbot, "342.93552501")
    dialog.reason.set_value("display misread")
    press(qtbot, Key.Key_Return)
    assert dialog.imported.fault == "Use at most 7 decimals."


def test_a_reason_and_a_name_are_needed(qtbot, operator, desk, opened):
    desk.set_name("")
    dialog = opened(proof_with_after())
    type_over(qtbot, kwh_text(proof_with_after().row.import_ws - 5))
    press(qtbot, Key.Key_Return)
    assert dialog.reason.fault.startswith("Say why:")
    assert dialog.author.fault.startswith("Enter your name:")
    assert operator.orders == []


def test_a_refusal_of_the_central_stays_in_the_dialog_and_escape_corrects_nothing(qtbot, operator, opened):
    operator.refusal = "The registers must lie between the readings before and after."
    proof = proof_with_after()
    dialog = opened(proof)
    type_over(qtbot, kwh_text(proof.row.import_ws - 5))
    dialog.reason.set_value("display misread")
    press(qtbot, Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.fault == operator.refusal)
    assert dialog.imported.text() == kwh_text(proof.row.import_ws - 5)
    press(qtbot, Key.Key_Escape)
    closed(qtbot, dialog)
    assert len(operator.orders) == 1


def test_the_range_is_what_the_central_will_allow():
    proof, before = missing_proof(), make_row("A", 28_890_004)
    after = make_row("A", proof.minute + 40, import_ws=before.import_ws + 5_000_000)
    least, most = register_range(replace(proof, before=before, after=after), "import_ws")
    assert least == before.import_ws
    assert most is not None

    def allowed(import_ws: int) -> bool:
        row = registers_of(make_row("A", proof.minute, import_ws=import_ws))
        connection_w = proof.house.connection_w
        return rise_is_plausible(registers_of(before), row, 60, connection_w) and rise_is_plausible(
            row, registers_of(after), 40 * 60, connection_w
        )

    assert [allowed(each) for each in (least - 1, least, most, most + 1)] == [False, True, True, False]


def test_a_next_reading_that_is_far_bounds_from_below():
    proof = missing_proof()
    after = make_row("A", proof.minute + 40, import_ws=proof.before.import_ws + 15_500_000)
    carried_ws = round(proof.house.connection_w * 1.25 * (40 * 60 + 60))
    assert register_range(replace(proof, after=after), "import_ws").least == after.import_ws - carried_ws


def test_readings_of_another_epoch_bound_nothing():
    proof = proof_with_after()
    other = replace(proof, before=msgspec.structs.replace(proof.before, epoch=2))
    assert register_range(other, "import_ws").least < proof.before.import_ws
    other = replace(other, after=msgspec.structs.replace(proof.after, epoch=4))
    assert register_range(other, "import_ws") == Range(0, None)
    assert register_range(replace(other, before=None, row=None), "import_ws") == Range(0, None)


def test_without_a_bound_the_limit_says_so(opened):
    proof = replace(proof_with_after(), before=None, after=None)
    assert opened(proof).imported.limit_text == "0.0000000 or more"


def test_no_two_things_have_the_same_mnemonic(opened):
    letters = mnemonics(opened(proof_with_after()))
    assert len(set(letters)) == len(letters) >= 4, letters


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_it_has_no_colour(opened, theme):
    dialog = opened(missing_proof())
    dialog.set_theme(load_theme(theme))
    dialog.send()
    assert saturation(picture(dialog)).max() == 0
