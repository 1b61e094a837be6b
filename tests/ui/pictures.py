"""Draws both windows in healthy and upset states: `python -m tests.ui.pictures DIRECTORY`."""

import sys
from dataclasses import replace
from pathlib import Path

from central_monitor.snapshot import CentralSnapshot, Notice
from central_monitor.ui import app as central
from central_monitor.ui.main_window import AGREEMENT, DETAIL, MAIN
from house_client.snapshot import CentralState, MeterState
from house_client.ui import app as house
from node.qt.theme import DARK, LIGHT
from tests.ui.sample_snapshots import NOW_S, lose, make_central, make_kiosk, make_troubled, make_upset

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
        earlier = [make_central(len(last.houses), step) for step in range(STEPS)]
        if last.houses[1].link is not earlier[0].houses[1].link:
            earlier[45:] = [lose(snapshot) for snapshot in earlier[45:]]
        path = directory / f"central-{name}-{size[0]}x{size[1]}-{theme}.png"
        central.render(last, path, size, theme=theme, earlier=earlier, screen=screen, house=house)

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
            draw("house-seller", make_central(4, STEPS), size, theme, DETAIL, "B")
            for each in "ABCDEFGH":
                draw(f"house-upset-{each}", troubled, size, theme, DETAIL, each)


def draw_house(directory: Path) -> None:
    """The kiosk: sizes, themes, healthy and upset."""
    healthy = make_kiosk()
    silent = replace(
        healthy,
        meter=MeterState.SILENT,
        meter_detail="nothing heard on ttyUSB0; see that the meter has power",
        age_s=130.0,
    )
    unlinked = replace(
        healthy,
        central=CentralState.CONNECTING,
        central_detail="no answer from 192.168.1.1; see that the network cable is in",
        minutes_waiting=17,
    )
    states = {"healthy": healthy, "silent": silent, "unlinked": unlinked}
    for size in ((1024, 600), (800, 480)):
        for name, snapshot in states.items():
            for theme in (LIGHT, DARK):
                house.render(
                    snapshot, directory / f"house-{name}-{size[0]}x{size[1]}-{theme}.png", size, theme=theme
                )


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    draw_central(target)
    draw_house(target)
