"""The short trend: sixty points, gaps as gaps."""

import numpy as np
from PySide6.QtWidgets import QApplication

from node.qt.trend import POINTS, Trend, TrendLine
from tests.ui.images import picture


def test_keeps_the_last_points_and_one_for_each_moment():
    trend = Trend()
    for second in range(100):
        trend.add(second, float(second))
    trend.add(99, 5.0)
    assert list(trend.values) == [float(second) for second in range(100 - POINTS, 100)]


def columns(trend, qtbot):
    line = TrendLine(trend, 1.0)
    qtbot.addWidget(line)
    line.resize(240, 30)
    pixels = picture(line).astype(int)
    QApplication.processEvents()
    return (np.abs(pixels - pixels[0, 0]).sum(axis=2) > 40).any(axis=0)


def test_gap_is_drawn_as_gap(qtbot):
    whole, broken = Trend(), Trend()
    for second in range(POINTS):
        whole.add(second, second % 7)
        broken.add(second, None if 25 <= second < 35 else second % 7)
    assert columns(whole, qtbot)[4:-4].all()
    drawn = columns(broken, qtbot)
    assert not drawn[105:135].any()
    assert drawn[10:90].all()
    assert drawn[145:230].all()


def test_points_that_leave_take_their_gaps_along(qtbot):
    trend = Trend()
    for second in range(200):
        trend.add(second, None if second % 9 == 0 else float(second % 4))
    assert len(trend.values) == POINTS
    assert columns(trend, qtbot).any()
    for second in range(200, 300):
        trend.add(second, None)
    assert not columns(trend, qtbot).any()
