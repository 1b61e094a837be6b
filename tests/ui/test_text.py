"""Several lines of text in a place that does not change with them."""

from itertools import pairwise

import pytest

from node.qt.text import TextBlock, broken, text_width
from tests.ui.images import grey, picture

LONG = "House B does not follow its target since noon, and others are asked in its place. " * 3


@pytest.fixture
def block(qtbot):
    made = TextBlock(3, 13)
    qtbot.addWidget(made)
    made.resize(300, made.sizeHint().height())
    made.show()
    return made


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("width", [60.0, 200.0, 1000.0])
def test_text_is_broken_at_spaces_within_the_width(width):
    lines = broken(LONG, 13, width)
    assert " ".join(lines) == LONG.strip()
    assert all(text_width(line, 13) <= width or " " not in line for line in lines)
    # No word of a line would have had room on the one before.
    for line, after in pairwise(lines):
        assert text_width(f"{line} {after.split()[0]}", 13) > width


@pytest.mark.usefixtures("qapp")
def test_nothing_and_a_word_that_is_too_long_are_lines_too():
    assert broken("", 13, 100.0) == []
    assert broken("a Donaudampfschifffahrt b", 13, 40.0) == ["a", "Donaudampfschifffahrt", "b"]


def test_text_that_fits_is_whole_and_one_that_does_not_has_a_tip(block):
    before = block.size()
    block.set_text(LONG[:81])
    picture(block)
    assert block.toolTip() == ""
    block.set_text(LONG)
    pixels = grey(picture(block))
    assert block.toolTip() == LONG
    assert block.accessibleName() == LONG
    assert block.size() == before
    for line in range(3):  # all of its lines are written on
        assert pixels[line * 17 : line * 17 + 17].min() < 60


def test_text_shrinks_before_it_is_cut(block):
    block.set_text(LONG[:140])
    picture(block)
    assert len(broken(block.text(), 13, 292.0)) > 3
    assert block.toolTip() == ""
