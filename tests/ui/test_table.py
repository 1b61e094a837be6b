"""The table that is shown anew every second."""

from time import perf_counter

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt

from node.qt.table import Cell, Table
from node.qt.theme import DARK, load_theme
from node.qt.value import ValueState
from tests.ui.images import grey, on_screen, picture


def rows_of(keys, *, amount="1.00"):
    return [(Cell(f"House {key}", link=True), Cell(amount, align_right=True)) for key in keys]


@pytest.fixture
def table(qtbot):
    made = Table(["House", "Amount\ncoins"], "Amounts")
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


def shown(table):
    return [table.texts(row)[0] for row in range(len(table.keys))]


def click(qtbot, table, row, column):
    place = table.visualRect(table.model().index(row, column)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_selection_and_scroll_position_stay_with_their_keys(table):
    keys = list(range(100))
    table.set_rows(keys, rows_of(keys))
    table.select(60)
    table.verticalScrollBar().setValue(50 * table.rowHeight(0) + 5)
    top = table.keys[table.rowAt(0)]
    fewer = [key for key in keys if key % 10 or key in (50, 60)]
    table.set_rows(fewer, rows_of(fewer))
    assert table.current_key() == 60
    assert table.keys[table.rowAt(0)] == top
    assert table.visualRect(table.model().index(fewer.index(top), 0)).top() == -5
    table.set_rows(list(reversed(keys)), rows_of(reversed(keys)))
    assert table.current_key() == 60
    assert table.keys[table.rowAt(0)] == top


def test_a_table_at_its_top_stays_there(table):
    table.set_rows(range(100), rows_of(range(100)))
    table.set_rows(list(range(99, -1, -1)), rows_of(range(99, -1, -1)))
    assert table.verticalScrollBar().value() == 0
    assert shown(table)[0] == "House 99"


def test_a_selected_row_that_is_gone_selects_nothing(table):
    table.set_rows("ab", rows_of("ab"))
    table.select("b")
    table.set_rows("a", rows_of("a"))
    assert table.current_key() is None
    table.select("b")
    assert table.current_key() is None


def test_columns_never_shrink_and_changing_numbers_move_nothing(table):
    table.set_rows("a", rows_of("a", amount="1,234,567.00 or more than that"))
    wide = table.columnWidth(1)
    table.set_rows("a", rows_of("a", amount="1.00"))
    assert table.columnWidth(1) == wide


def test_what_has_not_changed_is_not_drawn_anew(table, qtbot):
    table.set_rows("ab", rows_of("ab"))
    table.model().modelReset.connect(lambda: pytest.fail("the same rows came as new ones"))
    changed = []
    table.model().dataChanged.connect(lambda first, last: changed.append((first.row(), last.row())))
    table.set_rows("ab", rows_of("ab"))
    assert changed == []
    table.set_rows("ab", [rows_of("a")[0], rows_of("b", amount="2.00")[0]])
    assert changed == [(1, 1)]
    assert table.texts(1) == ["House b", "2.00"]


def test_whatever_changed_is_seen_and_nothing_of_before_is_left(table, qtbot):
    keys = list(range(100))
    table.set_rows(keys, rows_of(keys))
    table.select(4)
    table.verticalScrollBar().setValue(2 * table.rowHeight(0) + 7)
    qtbot.wait(100)
    for changed in ({3, 9}, {5}, {0, 99}, {8, 60}):
        rows = rows_of(keys)
        for key in changed:
            rows[key] = (Cell(f"Home {key}", bold=True), Cell("-2.00", align_right=True, quiet=True))
        table.set_rows(keys, rows)
        qtbot.wait(50)
        assert np.array_equal(on_screen(table), picture(table))


def test_enter_opens_the_selected_row(table, qtbot):
    table.set_rows("abc", rows_of("abc"))
    opened: list[object] = []
    table.chosen.connect(opened.append)
    table.setFocus()
    table.select("a")
    qtbot.keyClick(table, Qt.Key.Key_Down)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened == ["b"]


def test_enter_without_a_row_opens_nothing(table, qtbot):
    table.chosen.connect(lambda _: pytest.fail("there is no row"))
    qtbot.keyClick(table, Qt.Key.Key_Return)


def test_one_click_on_a_link_opens_its_row_once_and_elsewhere_selects(table, qtbot):
    table.set_rows("abc", rows_of("abc"))
    opened: list[object] = []
    table.chosen.connect(opened.append)
    click(qtbot, table, 1, 1)
    assert (opened, table.current_key()) == ([], "b")
    click(qtbot, table, 2, 0)
    assert opened == ["c"]


@pytest.mark.parametrize(("column", "opened"), [(0, ["b"]), (1, ["b"])])
def test_a_double_click_opens_a_row_once(table, qtbot, column, opened):
    table.set_rows("abc", rows_of("abc"))
    seen: list[object] = []
    table.chosen.connect(seen.append)
    place = table.visualRect(table.model().index(1, column)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert seen == opened


def test_tab_leaves_the_table(table, qtbot):
    table.set_rows("abc", rows_of("abc"))
    assert not table.tabKeyNavigation()


def test_a_disconnected_value_is_not_shown_and_other_states_are_marked():
    assert Cell("1.00", state=ValueState.DISCONNECTED).shown == "—"
    assert Cell("1.00", state=ValueState.BAD).shown == "?1.00"
    assert Cell("1.00", state=ValueState.ESTIMATED).shown == "≈1.00"
    assert Cell("1.00", state=ValueState.STALE).shown == "1.00"


def test_states_differ_in_greyscale(table):
    pictures = []
    for state in ValueState:
        table.set_rows("a", [(Cell("House a"), Cell("1.00", align_right=True, state=state))])
        pictures.append(grey(picture(table)))
    for index, one in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert (abs(one - other) > 25).sum() > 20


def test_an_empty_table_says_so_and_rows_take_its_place(table):
    blank = picture(table)
    table.set_empty_text("No bills yet")
    assert (picture(table) != blank).any()
    table.set_rows("a", rows_of("a"))
    table.set_rows("", [])
    assert table.keys == ()


def test_numbers_end_at_the_right_edge_of_their_column_with_their_header(table):
    table.set_theme(load_theme(DARK))
    table.set_rows("a", rows_of("a"))
    align = table.model().headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole)
    assert align & Qt.AlignmentFlag.AlignRight
    cell = table.visualRect(table.model().index(0, 1))
    row = grey(picture(table.viewport()))[cell.top() + 2 : cell.bottom() - 2, cell.left() : cell.right()]
    inked = (abs(row - row[0, 0]) > 60).any(axis=0).nonzero()[0]
    assert cell.width() - inked.max() < 12
    assert inked.min() > cell.width() / 3


def test_too_little_width_is_taken_from_words_not_from_numbers(table):
    words, number = "a house with a very long name indeed " * 3, "1,234,567.00"
    table.set_rows("a", [(Cell(words), Cell(number, align_right=True))])
    assert table.columnWidth(1) == table._wanted[1]
    assert table.columnWidth(0) < table._wanted[0]
    assert table.horizontalScrollBar().maximum() == 0


def test_rows_without_their_key_or_cells_are_refused(table):
    with pytest.raises(ValueError, match="key"):
        table.set_rows("ab", rows_of("a"))
    with pytest.raises(ValueError, match="column"):
        table.set_rows("a", [(Cell("only one"),)])


def test_a_day_of_minutes_is_shown_at_once(table, qtbot):
    keys = list(range(1440))
    rows = [[Cell(f"{key}", align_right=True) for _ in range(10)] for key in keys]
    wide = Table([str(n) for n in range(10)], "Minutes")
    qtbot.addWidget(wide)
    wide.resize(1200, 700)
    wide.show()
    begun = perf_counter()
    wide.set_rows(keys, rows)
    wide.grab()
    assert perf_counter() - begun < 0.5  # usually far less than the tenth of a second a drill-down may take
    assert wide.rowAt(QPoint(5, 5).y()) == 0


class Square:
    """A drawing of forty pixels in the text's colour."""

    width = 40

    def paint(self, painter, place, theme):
        painter.fillRect(QRectF(place.left(), place.top(), self.width, place.height()), theme.text)


def test_a_drawing_stands_in_its_cell_in_place_of_the_text(table):
    table.set_rows("a", [(Cell("House a", drawing=Square()), Cell("1.00", align_right=True))])
    pixels = grey(picture(table.viewport()))
    assert (pixels[5, :60] < 40).sum() == 40
    assert table.texts(0)[0] == "House a"  # for those who cannot see it


def test_a_column_of_drawings_is_as_wide_as_they_are_and_spare_width_goes_where_it_is_wanted(qtbot):
    made = Table(["H", "Amount"], "Amounts", stretched=1)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    made.set_rows("a", [(Cell("a long text that is not drawn", drawing=Square()), Cell("1.00"))])
    assert made.columnWidth(0) == 40 + 14
    assert made.columnWidth(1) == made.viewport().width() - 54
