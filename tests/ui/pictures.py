"""Draws both windows in healthy and upset states: `python -m tests.ui.pictures DIRECTORY`."""

import sys
from dataclasses import replace
from pathlib import Path

from central_monitor.snapshot import CentralSnapshot, Notice
from central_monitor.ui import app as central
from central_monitor.ui.main_window import AGREEMENT, DETAIL, MAIN, SHARING
from microgrid.directives import StrategyName
from node.qt.theme import DARK, LIGHT
from tests.ui.fake_operator import FakeOperator
from tests.ui.house_pictures import draw_house
from tests.ui.sample_snapshots import (
    NOW_S,
    by_night,
    lose,
    make_central,
    make_troubled,
    make_unsteady,
    make_upset,
    with_sharing,
)

STEPS = 60


def draw_central(directory: Path) -> None:
    """The operator's window: sizes, themes, numbers of houses, healthy and upset."""

    def draw(
        name: str,
        last: CentralSnapshot,
        size: tuple[int, int],
        theme: str = LIGHT,
        screen: str = MAIN,
        house: str | None = None,
    ) -> None:
        # Agreement and sharing have no trends to fill.
        steps = 0 if screen in (AGREEMENT, SHARING) else STEPS
        earlier = [make_central(len(last.houses), step) for step in range(steps)]
        if earlier and last.houses[1].link is not earlier[0].houses[1].link:
            earlier[45:] = [lose(snapshot) for snapshot in earlier[45:]]
        path = directory / f"central-{name}-{size[0]}x{size[1]}-{theme}.png"
        operator = FakeOperator() if screen == SHARING else None
        central.render(
            last, path, size, theme=theme, earlier=earlier, screen=screen, house=house, operator=operator
        )

    small, large = (1280, 800), (1920, 1080)
    for size in (small, large):
        for theme in (LIGHT, DARK):
            draw("healthy", make_central(4, STEPS), size, theme)
            draw("lost", lose(make_central(4, STEPS)), size, theme)
    notice = Notice(NOW_S + STEPS - 5, "House D is now part of the network")
    draw("notice", replace(make_central(4, STEPS), notices=(notice,)), small)
    draw("upset", make_upset(STEPS), small)
    draw("upset", make_upset(STEPS), small, DARK)
    for count in (40, 254):
        draw(f"{count}", make_central(count, STEPS), small)
        draw(f"{count}-lost", lose(make_central(count, STEPS)), large)
    troubled = make_troubled(STEPS)
    for size in (small, large):
        for theme in (LIGHT, DARK):
            draw("agreement-upset", troubled, size, theme, AGREEMENT)
            for count in (4, 40, 254):
                draw(f"agreement-{count}", make_central(count, STEPS), size, theme, AGREEMENT)
            for name, shared in _sharing().items():
                draw(f"sharing-{name}", shared, size, theme, SHARING)
            draw("house-seller", make_central(4, STEPS), size, theme, DETAIL, "B")
            for each in "ABCDEFGH":
                draw(f"house-upset-{each}", troubled, size, theme, DETAIL, each)


def _sharing() -> dict[str, CentralSnapshot]:
    """What the Load Sharing window can look like."""
    off = with_sharing(make_central(8), strategy=StrategyName.OFF, author="", note="", saved=None)
    healthy = {f"{count}": make_central(count, STEPS) for count in (4, 40, 254)}
    return {**healthy, "night": by_night(make_central(8)), "off": off, "upset": make_unsteady()}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    draw_central(target)
    draw_house(target)
