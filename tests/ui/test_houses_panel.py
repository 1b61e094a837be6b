"""The central's known houses: who is linked, who knocked, who joins and leaves, with the keyboard alone."""

from dataclasses import replace

import msgspec
import pytest
from PySide6.QtCore import Qt

from central_monitor.snapshot import LinkState, Stranger
from microgrid.terms import House
from tests.ui.at_desk import settings_page, shows
from tests.ui.fake_operator import LONG_NAME, NOW, minutes_of
from tests.ui.keyboard import alt, closed, dialog_of, focus, go_to, press, type_moment, type_over
from tests.ui.reading import minute, said, texts
from tests.ui.sample_snapshots import NOW_S, lose, make_central, make_house, with_houses

Key = Qt.Key
ID_RULE = "An ID has 1 to 32 letters, digits, '-' or '_' and begins with a letter or digit."
ISSUED = "The bills of that time are out; let the house join later."


@pytest.fixture
def page(qtbot, operator, desk):
    return settings_page(qtbot, operator, desk)


def test_every_house_is_listed_with_its_link(qtbot, page, operator):
    members = operator.members
    operator.members = (
        *members[:3],
        msgspec.structs.replace(members[3], joined=minutes_of("2024-11").start, left=NOW // 60 - 60),
        House(house="E", name="Later", connection_w=7250, joined=NOW // 60 + 600),
    )
    never = replace(make_house(2), link=LinkState.NEVER, age_s=None)
    page.show_snapshot(replace(with_houses((*lose(make_central()).houses[:2], never)), now_s=NOW_S))
    page.refresh()
    qtbot.waitUntil(lambda: len(page.houses.table.keys) == 5)
    assert texts(page.houses.table) == [
        ["A", "Family 1", "5.000", "the beginning", "", "linked"],
        ["B", LONG_NAME, "5.000", "the beginning", "", "not linked since 1 Dec 2024, 13:02 PKT"],
        ["C", "Family 3", "5.000", "the beginning", "", "never linked"],
        ["D", "Family 4", "5.000", "1 Nov 2024, 00:00 PKT", "1 Dec 2024, 12:05 PKT", "has left"],
        ["E", "Later", "7.250", "1 Dec 2024, 23:05 PKT", "", "joins later"],
    ]


def test_a_house_is_added_by_keyboard_alone(qtbot, page, operator):
    alt(qtbot, page, "h")
    dialog = dialog_of(qtbot, page)
    assert dialog.joins.value() == NOW // 60 + 1
    qtbot.keyClicks(focus(), "E-5")
    alt(qtbot, dialog, "n")
    qtbot.keyClicks(focus(), "5 Garden Lane")
    alt(qtbot, dialog, "c")
    qtbot.keyClicks(focus(), "7.5")
    alt(qtbot, dialog, "j")
    type_moment(qtbot, dialog.joins, "14122024", "0600")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    house = House(
        house="E-5", name="5 Garden Lane", connection_w=7500, joined=minute("2024-12-14T06:00+05:00")
    )
    assert operator.orders == [("add_house", (house, "M. Desk"))]
    qtbot.waitUntil(lambda: "E-5" in page.houses.table.keys)


@pytest.mark.parametrize(
    ("name", "typed", "fault"),
    [
        ("house", "", "Enter the ID that is set in the house."),
        ("house", "5 Garden", ID_RULE),
        ("house", "-5", ID_RULE),
        ("house", "reserve", "This ID is the name of a common account; choose another."),
        ("house", "A", "House A is known already; every house needs its own ID."),
        ("name", "", "Enter the name that is to stand on its bills."),
        ("connection", "0", "A connection of 0 kW must be above 0 and at most 1000 kW."),
        ("connection", "1000.001", "A connection of 1000 kW must be above 0 and at most 1000 kW."),
        ("connection", "much", "Enter a number, such as 2.50."),
    ],
)
def test_each_wrong_entry_of_a_house_is_explained_at_its_field(qtbot, page, operator, name, typed, fault):
    alt(qtbot, page, "h")
    dialog = dialog_of(qtbot, page)
    dialog.house.set_value("E")
    dialog.name.set_value("5 Garden Lane")
    dialog.connection.set_value(5)
    field = getattr(dialog, name)
    go_to(dialog, field)
    type_over(qtbot, typed)
    press(qtbot, Key.Key_Return)
    assert field.fault == fault
    assert [each for each in dialog.fields if each.fault] == [field]
    assert operator.orders == []


def test_a_refused_house_stays_to_be_mended_and_escape_adds_nothing(qtbot, page, operator):
    operator.refusal = ISSUED
    alt(qtbot, page, "h")
    dialog = dialog_of(qtbot, page)
    dialog.house.set_value("E")
    dialog.name.set_value("5 Garden Lane")
    dialog.connection.set_value(5)
    press(qtbot, Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.fault == ISSUED)
    assert dialog.house.value() == "E"
    press(qtbot, Key.Key_Escape)
    closed(qtbot, dialog)
    assert len(page.houses.table.keys) == 4


def test_a_stranger_that_knocked_stands_on_top_and_is_added(qtbot, page, operator):
    knocked = (Stranger("E-4", NOW_S - 600), Stranger("E-5", NOW_S - 60), Stranger("A", NOW_S))
    shows(page, strangers=knocked)
    rows = texts(page.houses.table)
    assert [row[0] for row in rows[:3]] == ["E-5", "E-4", "A"]
    assert rows[0][5] == "knocked 1 Dec 2024, 13:04 PKT and is not known: add it"
    alt(qtbot, page, "h")
    first = dialog_of(qtbot, page)
    assert first.house.value() == "E-5"  # the one that knocked last
    assert first.name.isAncestorOf(focus())
    press(qtbot, Key.Key_Escape)
    closed(qtbot, first)
    page.houses.table.setFocus()
    page.houses.table.select(page.houses.table.keys[1])
    press(qtbot, Key.Key_Return)
    assert dialog_of(qtbot, page).house.value() == "E-4"


def test_a_house_leaves_by_keyboard_alone(qtbot, page, operator):
    page.houses.table.select("C")
    alt(qtbot, page, "l")
    dialog = dialog_of(qtbot, page)
    assert dialog.house.value() == "C"
    press(qtbot, Key.Key_Up)
    alt(qtbot, dialog, "l")
    type_moment(qtbot, dialog.leaves, "20122024", "1800")
    assert "part of the micro-grid until 20 Dec 2024, 18:00 PKT. A final bill follows" in said(dialog)
    press(qtbot, Key.Key_Return)
    assert dialog.note.fault == "Say why: the note is kept with the contract's end."
    assert dialog.note.isAncestorOf(focus())
    qtbot.keyClicks(focus(), "moved away")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    leaves = minute("2024-12-20T18:00+05:00")
    assert operator.orders == [("end_membership", ("B", leaves, "M. Desk", "moved away"))]


def test_a_house_cannot_leave_before_it_joined_and_one_that_left_is_not_offered(qtbot, page, operator):
    first = operator.members[0]
    operator.members = (
        msgspec.structs.replace(first, joined=minute("2024-11-15T00:00+05:00")),
        msgspec.structs.replace(operator.members[1], left=NOW // 60 - 5),
    )
    page.refresh()
    qtbot.waitUntil(lambda: len(page.houses.table.keys) == 2)
    alt(qtbot, page, "l")
    dialog = dialog_of(qtbot, page)
    assert dialog.house._box.count() == 1
    dialog.leaves.set_value(minute("2024-11-15T00:00+05:00"))
    dialog.note.set_value("moved away")
    press(qtbot, Key.Key_Return)
    assert dialog.leaves.fault == "It joined at 15 Nov 2024, 00:00 PKT; enter a later minute."
    assert operator.orders == []
    operator.refusal = "House A has left already."
    dialog.leaves.set_value(minute("2024-11-15T00:01+05:00"))
    press(qtbot, Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.fault == "House A has left already.")


def test_a_known_house_is_opened_from_its_row(qtbot, page):
    page.houses.table.setFocus()
    page.houses.table.select("C")
    with qtbot.waitSignal(page.house_chosen) as chosen:
        press(qtbot, Key.Key_Return)
    assert chosen.args == ["C"]
