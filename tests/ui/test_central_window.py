"""The operator's window against the checks for screens."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt

from central_monitor.snapshot import LinkState, Notice, Work
from central_monitor.ui.house_cell import HouseCell
from central_monitor.ui.main_window import AGREEMENT, DETAIL, MAIN, SHARING, CentralWindow
from central_monitor.ui.navigation import NEW_NOTICE_S
from central_monitor.ui.presentation import conditions, house_note, house_priority, house_state, link_line
from central_monitor.ui.single_line import MOST_ON_A_PAGE, plan_page
from microgrid.sample import Quality
from node.qt.symbols import Priority
from node.qt.theme import DARK, LIGHT, load_theme
from node.qt.value import ValueState
from tests.ui.images import blank, grey, on_screen, picture, place_in, saturation
from tests.ui.sample_snapshots import (
    NO_ANSWER,
    lose,
    make_central,
    make_house,
    make_troubled,
    make_unsteady,
    make_upset,
    with_houses,
    with_order,
)


@pytest.fixture
def window(qtbot, settings):
    made = CentralWindow(settings)
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    return made


def without_plots(window):
    pixels = picture(window)
    for tile in window.main.overview.tiles:
        blank(pixels, place_in(tile.line, window))
    for place in window.main.diagram.trend_places():
        corner = window.main.diagram.mapTo(window, place.topLeft().toPoint())
        blank(pixels, QRect(corner, place.size().toSize()).adjusted(-2, -2, 2, 2))
    return pixels


@pytest.mark.parametrize(
    "size", [(1280, 800), (1280, 730), (1920, 1080)]
)  # 730: between a title and a task bar
@pytest.mark.parametrize("count", [1, 4, 40])
def test_all_houses_are_on_one_page_inside_the_window(window, size, count):
    window.resize(*size)
    window.show_snapshot(make_central(count))
    cells = window.main.diagram.cells()
    assert len(cells) == count
    assert window.main.diagram.pages == 1
    assert not window.main.next_button.isVisible()
    whole = window.main.diagram.rect()
    for cell in cells:
        assert whole.contains(cell.toAlignedRect().adjusted(1, 1, -1, -1))
    for index, cell in enumerate(cells):
        assert not any(cell.adjusted(1, 1, -1, -1).intersects(other) for other in cells[index + 1 :])
    assert window.size().toTuple() == size


def test_254_houses_are_paged_and_every_one_is_reached(window, qtbot):
    window.show_snapshot(make_central(254))
    seen = [house.house for house in window.main.diagram.shown_houses()]
    assert window.main.diagram.pages > 1
    assert not window.main.previous_button.isEnabled()
    while window.main.next_button.isEnabled():
        qtbot.mouseClick(window.main.next_button, Qt.MouseButton.LeftButton)
        seen += [house.house for house in window.main.diagram.shown_houses()]
    assert seen == [make_house(index).house for index in range(254)]
    qtbot.keyClick(window, Qt.Key.Key_PageUp)
    assert window.main.diagram.page == window.main.diagram.pages - 2
    window.show_snapshot(make_central(4))
    assert window.main.diagram.page == 0
    assert len(window.main.diagram.shown_houses()) == 4


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
    assert window.main.overview.exported.value.reading.state is ValueState.ESTIMATED
    assert "without 1 of 4" in window.main.overview.exported.value.reading.note
    assert link_line(lost).startswith("Houses linked: 3 of 4")
    # The last value must not be seen: whatever it was, the picture is the same.
    first = picture(window)
    other = replace(house, sample=replace_power(house.sample, 777))
    window.show_snapshot(replace(lost, houses=(lost.houses[0], other, *lost.houses[2:])))
    diagram = window.main.diagram
    cell = diagram.cells()[1].toAlignedRect().translated(diagram.mapTo(window, QPoint(0, 0)))
    again = picture(window)
    rows, columns = slice(cell.top(), cell.bottom()), slice(cell.left(), cell.right())
    assert np.array_equal(first[rows, columns], again[rows, columns])


def replace_power(sample, power_w):
    return msgspec.structs.replace(sample, exchange_p_w=power_w)


def test_lost_house_leaves_a_gap_in_its_trend(window):
    window.show_snapshot(make_central(4, 0))
    window.show_snapshot(lose(make_central(4, 1)))
    assert list(window._trends.exchanged["B"].values)[-1] is None
    assert list(window._trends.exchanged["A"].values)[-1] is not None


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
        pictures.append(grey(picture(window.main.diagram)))
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


def test_sellers_that_do_not_do_what_they_are_asked_are_one_condition():
    snapshot = make_unsteady()
    assert [c.text for c in conditions(snapshot)] == [
        "House L: link lost 2 min 10 s",
        "House B: target not followed; House D: target refused; House F: target unanswered; others are asked",
    ]
    assert [house_priority(house) for house in snapshot.houses[1:8:2]] == [*(Priority.LOW,) * 3, None]
    alone = with_houses((make_house(0), snapshot.houses[3]))
    assert [c.text for c in conditions(alone)] == [
        "House D: target refused since 12:54 PKT; others are asked"
    ]


def test_a_night_on_which_no_seller_follows_is_one_line():
    houses = (make_house(index) for index in range(254))
    off_s = int(make_central().now_s) - 60
    found = conditions(
        with_houses(tuple(with_order(h, unable_since_s=off_s) if h.order else h for h in houses))
    )
    assert [c.text for c in found] == ["Houses B, D, F and 124 more: target not followed; others are asked"]


def test_a_seller_whose_link_is_lost_is_not_said_to_be_silent_too():
    house = with_order(make_house(1), **NO_ANSWER)
    lost = replace(house, link=LinkState.LOST, quality=Quality.STALE, age_s=60.0)
    assert [c.text for c in conditions(with_houses((make_house(0), lost)))] == [
        "House B: link lost 1 min 00 s"
    ]


def test_all_conditions_at_once_are_in_the_banner(window):
    upset = make_unsteady()
    bad = replace(upset.houses[0], quality=Quality.BAD)
    everything = replace(
        upset, houses=(bad, *upset.houses[1:]), tie_closed=False, recorder_fault="the disk is full"
    )
    window.show_snapshot(everything)
    assert len(window.banner.conditions) == 5
    whole = picture(window.banner)
    last = grey(whole)[2:26, -400:-10]  # the fifth stands alone on top of the last column
    assert last.min() < 60


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
    assert window.bar.lines[0].text() == text
    assert window.bar.lines[0].emphasised
    window.show_snapshot(replace(fresh, now_s=snapshot.now_s + NEW_NOTICE_S))
    assert window.bar.lines[0].text() == ""
    assert not window.bar.lines[0].emphasised
    assert window.main.notices[1].text() == text
    assert window.main.notices[0].text().endswith("PKT")


def test_nothing_exported_shows_the_tariff_as_what_is_billed(window):
    window.show_snapshot(with_houses((make_house(0), make_house(2))))
    reading = window.main.overview.rate.value.reading
    assert reading.shown == "17.60"
    assert "tariff" in reading.note


def test_open_tie_shows_no_flow_number(window):
    window.show_snapshot(replace(make_central(), tie_closed=False))
    assert window.main.overview.national.value.reading.shown == "—"
    assert window.main.overview.national.value.reading.note == "tie open"


def test_long_names_and_large_numbers_stay_in_their_cells(window):
    house = make_house(1, name="A family with a very long name indeed " * 3)
    large = replace(
        house, sample=replace_power(house.sample, -1_234_500), exchanged_ws=98_765_432 * 3_600_000
    )
    for count in (1, 40):
        window.show_snapshot(with_houses((large,) * count))
        pixels = grey(picture(window.main.diagram))
        first, ground = window.main.diagram.cells()[0].toAlignedRect(), pixels[-1, -1]
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
    diagram = window.main.diagram
    pixels, cell, size = picture(diagram), diagram.cells()[0], diagram.plan.size
    middle = round(cell.top() + size * (1.7 + 1.25 + 1.75 + 0.5) + 2)
    row = pixels[middle, round(cell.left()) + 6 : round(cell.right()) - 6, 0]
    assert bool((row == load_theme(LIGHT).excess.red()).sum() > 3) is outside


def test_every_button_is_reached_by_tab(window, qtbot):
    window.show_snapshot(make_central(254))
    window.activateWindow()
    qtbot.keyClick(window.main.next_button, Qt.Key.Key_Space)  # now both page buttons can be used
    window.main.previous_button.setFocus()
    reached = set()
    for _ in range(12):
        reached.add(window.focusWidget())
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
    main = window.main
    assert {main.diagram, main.previous_button, main.next_button, main.theme_button} <= reached
    assert {*window.bar.buttons.values(), window.bar.finder} <= reached


def test_place_and_theme_survive_a_restart(qtbot, settings):
    first = CentralWindow(settings)
    qtbot.addWidget(first)
    first.resize(960, 650)
    first.main.theme_button.click()
    first.close()
    second = CentralWindow(settings)
    qtbot.addWidget(second)
    assert second.size().toTuple() == (960, 650)
    assert second.main.theme_button.isChecked()


def test_a_snapshot_does_not_change_the_layout(window):
    window.show_snapshot(make_central())
    places = [place_in(tile.value, window) for tile in window.main.overview.tiles]
    window.show_snapshot(make_upset())
    assert places == [place_in(tile.value, window) for tile in window.main.overview.tiles]


@pytest.fixture
def active(window, qtbot):
    with qtbot.waitActive(window):
        window.activateWindow()
    return window


@pytest.mark.parametrize("modifier", [Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier])
@pytest.mark.parametrize(("key", "screen"), [("2", AGREEMENT), ("3", SHARING), ("4", DETAIL), ("1", MAIN)])
def test_every_screen_is_reached_by_its_number(active, qtbot, modifier, key, screen):
    active.show_snapshot(make_central())
    active.open_screen(MAIN if screen != MAIN else AGREEMENT)
    qtbot.keyClick(active, key, modifier)
    qtbot.waitUntil(lambda: active.screen_shown == screen)
    assert [key for key, button in active.bar.buttons.items() if button.isChecked()] == [screen]


def test_banner_head_and_links_are_on_every_screen(active):
    active.show_snapshot(make_upset())
    for screen in (MAIN, AGREEMENT, SHARING, DETAIL):
        active.open_screen(screen)
        assert active.banner.isVisible()
        assert active.links.isVisible()
        assert active.bar.isVisible()
        assert active.banner.conditions != []


def test_every_house_is_opened_from_the_diagram_by_one_click(active, qtbot):
    active.show_snapshot(make_central(40))
    for index in (0, 17, 39):
        active.open_screen(MAIN)
        place = active.main.diagram.cells()[index].center().toPoint()
        qtbot.mouseClick(active.main.diagram, Qt.MouseButton.LeftButton, pos=place)
        assert active.screen_shown == DETAIL
        assert active.detail.house == make_house(index).house


def test_a_click_beside_the_houses_opens_nothing(active, qtbot):
    active.show_snapshot(make_central(4))
    qtbot.mouseClick(active.main.diagram, Qt.MouseButton.LeftButton, pos=QPoint(300, 5))
    assert active.screen_shown == MAIN


def test_a_house_is_opened_from_the_diagram_by_keyboard_and_escape_leads_back(active, qtbot):
    active.show_snapshot(make_central(40))
    diagram = active.main.diagram
    diagram.setFocus(Qt.FocusReason.TabFocusReason)
    columns = diagram.plan.columns
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Up):
        qtbot.keyClick(diagram, key)
    qtbot.keyClick(diagram, Qt.Key.Key_Down)
    qtbot.keyClick(diagram, Qt.Key.Key_Return)
    assert (active.screen_shown, active.detail.house) == (DETAIL, make_house(columns + 1).house)
    qtbot.keyClick(active, Qt.Key.Key_Escape)
    assert active.screen_shown == MAIN
    assert diagram.hasFocus()


def test_arrow_keys_lead_over_the_pages_of_254_houses(active, qtbot):
    active.show_snapshot(make_central(254))
    diagram = active.main.diagram
    diagram.setFocus()
    qtbot.keyClick(diagram, Qt.Key.Key_End)
    assert diagram.page == diagram.pages - 1
    qtbot.keyClick(diagram, Qt.Key.Key_Return)
    assert active.detail.house == "H254"
    active.open_screen(MAIN)
    qtbot.keyClick(diagram, Qt.Key.Key_Home)
    assert diagram.page == 0
    qtbot.keyClick(diagram, Qt.Key.Key_PageDown)
    qtbot.keyClick(diagram, Qt.Key.Key_Return)
    assert active.detail.house == make_house(diagram.plan.room).house


def test_any_of_254_houses_is_two_clicks_away(active, qtbot):
    active.show_snapshot(make_central(254))
    qtbot.mouseClick(active.bar.buttons[AGREEMENT], Qt.MouseButton.LeftButton)
    table = active.agreement.table
    table.scrollToBottom()
    last = len(table.keys) - 1
    place = table.visualRect(table.model().index(last, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert (active.screen_shown, active.detail.house) == (DETAIL, table.keys[last])
    qtbot.keyClick(active, Qt.Key.Key_Escape)
    assert active.screen_shown == AGREEMENT
    assert table.current_key() == active.detail.house


@pytest.mark.parametrize("typed", ["h200", "H200", "family 200", "FAMILY 200", "200"])
def test_the_finder_opens_a_house_by_part_of_its_id_or_name(active, qtbot, typed):
    active.show_snapshot(make_central(254))
    qtbot.keyClick(active, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert active.bar.finder.hasFocus()
    qtbot.keyClicks(active.bar.finder, typed)
    qtbot.keyClick(active.bar.finder, Qt.Key.Key_Return)
    assert (active.screen_shown, active.detail.house) == (DETAIL, "H200")
    assert active.bar.finder.text() == ""


@pytest.mark.parametrize("typed", ["nobody", "Family", " "])
def test_the_finder_stays_when_no_house_or_several_are_meant(active, qtbot, typed):
    active.show_snapshot(make_central(40))
    active.bar.finder.setFocus()
    qtbot.keyClicks(active.bar.finder, typed)
    qtbot.keyClick(active.bar.finder, Qt.Key.Key_Return)
    assert active.screen_shown == MAIN
    assert active.bar.finder.text() == typed


def test_the_finder_prefers_a_whole_id_to_parts_of_others(window):
    window.show_snapshot(make_central(40))
    assert window.bar.finder.match("a") == "A"


def test_an_open_round_of_contracts_is_told_and_a_final_one_is_not(window):
    snapshot = make_troubled()
    window.show_snapshot(replace(snapshot, notices=()))
    assert window.bar.lines[0].text() == "Contracts for January 2025: 3 of 8 have answered"
    assert window.bar.lines[1].text() == "1 refused, closes 1 Jan 2025, 00:00 PKT"
    window.show_snapshot(replace(snapshot, notices=(Notice(snapshot.now_s, "House D is linked again."),)))
    assert [line.text() for line in window.bar.lines] == [
        "House D is linked again.",
        "Contracts for January 2025: 3 of 8 have answered",
    ]
    assert snapshot.round is not None
    window.show_snapshot(replace(snapshot, notices=(), round=replace(snapshot.round, final=True)))
    assert [line.text() for line in window.bar.lines] == ["", ""]


def test_long_work_is_shown_and_moves_nothing(window):
    window.show_snapshot(make_central())
    before = place_in(window.links, window)
    window.show_snapshot(replace(make_central(), work=Work("Settling November 2024", 11, 30)))
    assert window.work.isVisible()
    assert window.work.text.text() == "Settling November 2024: 11 of 30"
    assert (window.work.bar.value(), window.work.bar.maximum()) == (11, 30)
    assert place_in(window.links, window) == before
    window.show_snapshot(make_central())
    assert not window.work.isVisible()


def test_the_last_screen_and_its_house_survive_a_restart(qtbot, settings):
    first = CentralWindow(settings)
    qtbot.addWidget(first)
    first.show_snapshot(make_central())
    first.open_house("C")
    first.close()
    second = CentralWindow(settings)
    qtbot.addWidget(second)
    second.show_snapshot(make_central())
    assert (second.screen_shown, second.detail.house) == (DETAIL, "C")


def test_a_last_screen_that_is_no_more_gives_way_to_the_main_one(qtbot, settings):
    settings.setValue("central/screen", "gone")
    window = CentralWindow(settings)
    qtbot.addWidget(window)
    assert window.screen_shown == MAIN


def test_a_screen_that_comes_up_shows_the_snapshot_of_now(window):
    window.show_snapshot(make_central(4))
    window.show_snapshot(make_central(40))
    window.open_screen(AGREEMENT)
    assert len(window.agreement.table.keys) == 40


@pytest.mark.parametrize("screen", [MAIN, AGREEMENT, DETAIL])
def test_the_window_can_be_made_small_again(window, qtbot, screen):
    window.show_snapshot(make_troubled())
    window.open_screen(screen)
    window.resize(1920, 1080)
    qtbot.wait(20)
    window.resize(960, 600)
    qtbot.wait(20)
    assert window.size().toTuple() == (960, 600)
