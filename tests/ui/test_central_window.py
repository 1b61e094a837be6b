"""The operator's window against the checks for screens."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt

from central_monitor.snapshot import LinkState, Notice
from central_monitor.ui.house_cell import HouseCell
from central_monitor.ui.main_window import NEW_NOTICE_S, CentralWindow
from central_monitor.ui.presentation import conditions, house_note, house_state, link_line
from central_monitor.ui.single_line import MOST_ON_A_PAGE, plan_page
from microgrid.sample import Quality
from node.qt.symbols import Priority
from node.qt.theme import DARK, LIGHT, load_theme
from node.qt.value import ValueState
from tests.ui.images import blank, grey, on_screen, picture, place_in, saturation
from tests.ui.sample_snapshots import lose, make_central, make_house, make_upset, with_houses


@pytest.fixture
def window(qtbot, settings):
    made = CentralWindow(settings)
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    return made


def without_plots(window):
    pixels = picture(window)
    for tile in window.overview.tiles:
        blank(pixels, place_in(tile.line, window))
    for place in window.diagram.trend_places():
        corner = window.diagram.mapTo(window, place.topLeft().toPoint())
        blank(pixels, QRect(corner, place.size().toSize()).adjusted(-2, -2, 2, 2))
    return pixels


@pytest.mark.parametrize(
    "size", [(1280, 800), (1280, 730), (1920, 1080)]
)  # 730: between a title and a task bar
@pytest.mark.parametrize("count", [1, 4, 40])
def test_all_houses_are_on_one_page_inside_the_window(window, size, count):
    window.resize(*size)
    window.show_snapshot(make_central(count))
    cells = window.diagram.cells()
    assert len(cells) == count
    assert window.diagram.pages == 1
    assert not window.next_button.isVisible()
    whole = window.diagram.rect()
    for cell in cells:
        assert whole.contains(cell.toAlignedRect().adjusted(1, 1, -1, -1))
    for index, cell in enumerate(cells):
        assert not any(cell.adjusted(1, 1, -1, -1).intersects(other) for other in cells[index + 1 :])
    assert window.size().toTuple() == size


def test_254_houses_are_paged_and_every_one_is_reached(window, qtbot):
    window.show_snapshot(make_central(254))
    seen = [house.house for house in window.diagram.shown_houses()]
    assert window.diagram.pages > 1
    assert not window.previous_button.isEnabled()
    while window.next_button.isEnabled():
        qtbot.mouseClick(window.next_button, Qt.MouseButton.LeftButton)
        seen += [house.house for house in window.diagram.shown_houses()]
    assert seen == [make_house(index).house for index in range(254)]
    qtbot.keyClick(window, Qt.Key.Key_PageUp)
    assert window.diagram.page == window.diagram.pages - 2
    window.show_snapshot(make_central(4))
    assert window.diagram.page == 0
    assert len(window.diagram.shown_houses()) == 4


@pytest.mark.parametrize("houses", range(1, 60))
def test_plan_has_room_and_legible_text(houses):
    plan = plan_page(1056, 550, houses)
    assert plan.room >= min(houses, MOST_ON_A_PAGE)
    assert plan.size >= 9
    assert plan.columns * plan.cell_width <= 1056
    assert plan.rows * plan.cell_height <= 550


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("count", [4, 40])
def test_healthy_screen_has_no_saturated_pixel_outside_plots(window, theme, count):
    window.set_theme(theme)
    for step in range(30):
        window.show_snapshot(make_central(count, step))
    assert saturation(picture(window)).max() > 0.1, "the plots were not drawn"
    assert saturation(without_plots(window)).max() < 0.05


def test_upset_screen_is_coloured_outside_plots(window):
    window.show_snapshot(make_upset())
    assert (saturation(without_plots(window)) > 0.5).sum() > 500


def test_lost_house_is_lost_with_its_age_and_never_live(window):
    healthy = make_central()
    window.show_snapshot(healthy)
    lost = lose(healthy, index=1, age_s=130.0)
    house = lost.houses[1]
    assert house_state(house) is ValueState.DISCONNECTED
    assert house_note(house) == "link lost 2 min 10 s"
    window.show_snapshot(lost)
    assert [c.text for c in window.banner.conditions] == ["House B: link lost 2 min 10 s"]
    assert window.overview.exported.value.reading.state is ValueState.ESTIMATED
    assert "without 1 of 4" in window.overview.exported.value.reading.note
    assert link_line(lost).startswith("Houses linked: 3 of 4")
    # The last value must not be seen: whatever it was, the picture is the same.
    first = picture(window)
    other = replace(house, sample=replace_power(house.sample, 777))
    window.show_snapshot(replace(lost, houses=(lost.houses[0], other, *lost.houses[2:])))
    cell = window.diagram.cells()[1].toAlignedRect().translated(window.diagram.mapTo(window, QPoint(0, 0)))
    again = picture(window)
    rows, columns = slice(cell.top(), cell.bottom()), slice(cell.left(), cell.right())
    assert np.array_equal(first[rows, columns], again[rows, columns])


def replace_power(sample, power_w):
    return msgspec.structs.replace(sample, exchange_p_w=power_w)


def test_lost_house_leaves_a_gap_in_its_trend(window):
    window.show_snapshot(make_central(4, 0))
    window.show_snapshot(lose(make_central(4, 1)))
    assert list(window._trends["B"].values)[-1] is None
    assert list(window._trends["A"].values)[-1] is not None


def test_states_of_a_house_differ_in_greyscale(window):
    pictures = []
    house = make_house(0)
    for change in (
        {},
        {"quality": Quality.STALE},
        {"quality": Quality.ESTIMATED},
        {"quality": Quality.BAD},
        {"link": LinkState.LOST},
        {"sample": replace_power(house.sample, 0)},
    ):
        window.show_snapshot(with_houses((replace(house, **change),)))
        pictures.append(grey(picture(window.diagram)))
    for index, one in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert (np.abs(one - other) > 25).sum() > 150


def test_all_links_lost_is_one_condition_that_names_the_likely_cause():
    snapshot = make_central(40)
    for index in range(40):
        snapshot = lose(snapshot, index)
    found = conditions(snapshot)
    assert len(found) == 1
    assert "the central's own network" in found[0].text


def test_conditions_come_most_urgent_first_and_fit_the_banner():
    found = conditions(make_upset())
    assert [c.priority for c in found] == [Priority.URGENT, Priority.HIGH, Priority.HIGH, Priority.LOW]
    assert conditions(make_central()) == []


def test_many_lost_houses_are_counted():
    snapshot = make_central(40)
    for index in range(6):
        snapshot = lose(snapshot, index, age_s=10.0 * index)
    assert conditions(snapshot)[0].text == "Houses A, B, C and 3 more: link lost, longest 50 s"


def test_notice_stands_out_at_first_and_is_listed_after(window):
    snapshot = make_central()
    text = "House D is now part of the network"
    fresh = replace(snapshot, notices=(Notice(snapshot.now_s - 1, text),))
    window.show_snapshot(fresh)
    assert window.notice.text() == text
    assert window.notice.emphasised
    window.show_snapshot(replace(fresh, now_s=snapshot.now_s + NEW_NOTICE_S))
    assert window.notice.text() == ""
    assert not window.notice.emphasised
    assert window.notices[1].text() == text
    assert window.notices[0].text().endswith("PKT")


def test_nothing_exported_shows_the_tariff_as_what_is_billed(window):
    window.show_snapshot(with_houses((make_house(0), make_house(2))))
    reading = window.overview.rate.value.reading
    assert reading.shown == "17.60"
    assert "tariff" in reading.note


def test_open_tie_shows_no_flow_number(window):
    window.show_snapshot(replace(make_central(), tie_closed=False))
    assert window.overview.national.value.reading.shown == "—"
    assert window.overview.national.value.reading.note == "tie open"


def test_long_names_and_large_numbers_stay_in_their_cells(window):
    house = make_house(1, name="A family with a very long name indeed " * 3)
    large = replace(
        house, sample=replace_power(house.sample, -1_234_500), exchanged_ws=98_765_432 * 3_600_000
    )
    for count in (1, 40):
        window.show_snapshot(with_houses((large,) * count))
        pixels = grey(picture(window.diagram))
        first, ground = window.diagram.cells()[0].toAlignedRect(), pixels[-1, -1]
        margin = pixels[first.top() + 30 : first.bottom() - 4, first.left() : first.left() + 2]
        assert (np.abs(margin - ground) < 12).all()


def test_nothing_of_the_page_before_is_left_when_the_number_of_houses_changes(window, qtbot):
    window.show_snapshot(make_central(1))
    qtbot.wait(100)
    window.show_snapshot(make_central(40))
    qtbot.wait(200)
    differing = np.abs(grey(on_screen(window)) - grey(picture(window))) > 20
    assert differing.sum() == 0


def test_every_row_is_repainted_however_fast_snapshots_come(window, qtbot, monkeypatch):
    window.show_snapshot(make_central(40))
    qtbot.wait(150)
    painted = set()
    monkeypatch.setattr(HouseCell, "paint", lambda *drawn: painted.add(drawn[3].house))
    for step in range(1, 30):
        window.show_snapshot(make_central(40, step))
        qtbot.wait(10)
    assert len(painted) == 40


@pytest.mark.parametrize(
    ("index", "power_w", "outside"),
    [
        (1, 2400, False),
        (1, 100, False),
        (1, 3900, True),
        (1, -500, True),
        (0, -1900, False),
        (0, -2600, True),
    ],
)
def test_power_outside_the_contract_stands_out_in_the_bar(window, index, power_w, outside):
    house = make_house(index)
    house = replace(house, sample=replace_power(house.sample, power_w), order=None)
    window.show_snapshot(with_houses((house,)))
    pixels, cell, size = picture(window.diagram), window.diagram.cells()[0], window.diagram.plan.size
    middle = round(cell.top() + size * (1.7 + 1.25 + 1.75 + 0.5) + 2)
    row = pixels[middle, round(cell.left()) + 6 : round(cell.right()) - 6, 0]
    assert bool((row == load_theme(LIGHT).excess.red()).sum() > 3) is outside


def test_every_button_is_reached_by_tab(window, qtbot):
    window.show_snapshot(make_central(254))
    window.activateWindow()
    qtbot.keyClick(window.next_button, Qt.Key.Key_Space)  # now both page buttons can be used
    window.previous_button.setFocus()
    reached = []
    for _ in range(3):
        reached.append(window.focusWidget())
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
    assert reached == [window.previous_button, window.next_button, window.theme_button]


def test_place_and_theme_survive_a_restart(qtbot, settings):
    first = CentralWindow(settings)
    qtbot.addWidget(first)
    first.resize(960, 650)
    first.theme_button.click()
    first.close()
    second = CentralWindow(settings)
    qtbot.addWidget(second)
    assert second.size().toTuple() == (960, 650)
    assert second.theme_button.isChecked()


def test_a_snapshot_does_not_change_the_layout(window):
    window.show_snapshot(make_central())
    places = [place_in(tile.value, window) for tile in window.overview.tiles]
    window.show_snapshot(make_upset())
    assert places == [place_in(tile.value, window) for tile in window.overview.tiles]
