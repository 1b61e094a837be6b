"""Charts are looked at as pictures: no text is cut off or overlaps, and values stand where they belong."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage

from microgrid.months import month_minutes
from microgrid.terms import Role, Source
from microgrid.units import MINUTES_PER_DAY
from node.qt.chart import SIZE, Chart, draw
from node.qt.chart_axis import clock_ticks, date_ticks, time_caption, value_ticks
from node.qt.chart_layout import Mark, Panel
from node.qt.chart_series import INK, Dash, Series, Style, level
from node.qt.theme import LIGHT, load_theme
from simulation.charts import day_chart, day_panels, draw_figures
from simulation.figures import DayRecord, MonthFigures, Party, Price, SellerDay
from simulation.month_panels import consumption_panels, delivery_panels, rate_panels, requirement_panels
from tests.ui.images import pixels_of, saturation

Pixels = NDArray[np.uint8]

KARACHI = ZoneInfo("Asia/Karachi")
START = month_minutes("2026-06", KARACHI).start
DAY = range(START, START + MINUTES_PER_DAY)
SUNRISE, SUNSET = START + 350, START + 1160  # 05:50 and 19:20 (Table 6.1)
FOUR = (("A", Role.CONSUMER, None), ("B", Role.PRODUCER, Source.SOLAR), ("C", Role.CONSUMER, None),
        ("D", Role.PRODUCER, Source.GENERATOR))  # fmt: skip
THEME = load_theme(LIGHT)


def parties(houses=FOUR, many: int = 1) -> tuple[Party, ...]:
    return tuple(
        Party(houses=tuple(f"{name}{n or ''}" for n in range(many)), role=role, source=source)
        for name, role, source in houses
    )


def figures(days: float = 30, of: tuple[Party, ...] | None = None) -> MonthFigures:
    """A month in which the sun delivers 1.5 kW by day and the generator 1.2 kW by night."""
    of = parties() if of is None else of
    minutes = range(START, START + round(days * MINUTES_PER_DAY))
    clock = np.arange(len(minutes)) % MINUTES_PER_DAY
    by_day = (clock >= 350) & (clock < 1160)
    noise = np.random.default_rng(1).integers(900, 1100, len(minutes)) / 1000
    sun, diesel = 60 * np.where(by_day, 1500, 250) * noise, 60 * np.where(by_day, 250, 1200) * noise
    sells = {Source.SOLAR: sun, Source.GENERATOR: diesel, None: 0 * sun}
    load = [60 * noise * np.where(by_day, 1200, 500) * len(party.houses) for party in of]
    delivered = [sells[party.source] * len(party.houses) for party in of]
    taken = [values * (party.role is Role.CONSUMER) for party, values in zip(of, load, strict=True)]

    def stacked(columns: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(columns, axis=1).astype(np.int64)

    prices = {Source.SOLAR: (8.0, 12.0), Source.GENERATOR: (25.0, 25.0)}
    return MonthFigures(
        month="2026-06", zone=KARACHI, minutes=minutes, parties=of, load_ws=stacked(load),
        delivered_ws=stacked(delivered), taken_ws=stacked(taken), local_ws=(sun + diesel).astype(np.int64),
        local_amount=((8 * sun + 25 * diesel) * 1e6 / 3.6e6).astype(np.int64),
        tariff=np.full(len(minutes), 17.6),
        prices=tuple(
            Price(houses=party.houses, source=party.source, lowest=prices[party.source][0],
                  highest=prices[party.source][len(party.houses) > 1])
            for party in of if party.source
        ),
    )  # fmt: skip


def day(sellers: int = 2, events: tuple[tuple[int, str], ...] = ()) -> DayRecord:
    """A day with some spill, some import, a seller without a target for a while and no rate at midnight."""
    x = np.arange(MINUTES_PER_DAY)
    demand = 1500 + 500 * np.sin(x / 200)
    rate = np.where(x < 30, np.nan, 12 + 8 * np.cos(x / 230))
    made = []
    for n in range(sellers):
        target = np.where(x % 400 < 60, np.nan, 1000 + 800 * np.sin(x / 90 + n))
        source = Source.GENERATOR if n % 2 else Source.SOLAR
        made.append(
            SellerDay(
                house=f"{'BDFHJL'[n]}", source=source, min_w=250, max_w=2500, target_w=target,
                export_w=np.nan_to_num(target, nan=400.0), commands=START + np.arange(0, MINUTES_PER_DAY, 20),
            )
        )  # fmt: skip
    return DayRecord(
        title="A day in June", zone=KARACHI, first_minute=START, demand_w=demand,
        import_w=400 * np.sin(x / 50), rate=rate, tariff=np.full(MINUTES_PER_DAY, 17.6),
        sellers=tuple(made), events=events,
    )  # fmt: skip


def chart(panels: Sequence[Panel], marks: Sequence[Mark] = (), **more) -> Chart:
    return Chart(panels, zone=KARACHI, title="A chart", notes=("A note.",), marks=marks, **more)


def read(path: Path) -> Pixels:
    image = QImage(str(path))
    assert not image.isNull()
    return pixels_of(image)


def drawn(made: Chart, path: Path) -> Pixels:
    made.save(path)
    return read(path)


def inside(pixels: Pixels, box: QRectF) -> Pixels:
    """The panel without its frame."""
    return pixels[int(box.top()) + 2 : int(box.bottom()) - 1, int(box.left()) + 2 : int(box.right()) - 1]


def rgb(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()


def has(pixels: Pixels, colour: QColor) -> bool:
    return bool((pixels == rgb(colour)).all(axis=2).any())


def assert_legible(made: Chart, size: tuple[int, int] = SIZE) -> None:
    """Every text lies in the picture and on no other text."""
    picture = QRectF(0, 0, *size)
    labels = made.labels()
    assert len(labels) > 5
    for label in labels:
        assert label.text
        assert picture.contains(label.place), label
    for one, other in combinations(labels, 2):
        touching = one.place.adjusted(1, 2, -1, -2).intersects(other.place.adjusted(1, 2, -1, -2))
        assert not touching, (one, other)


EVENTS = (
    (START + 2, "the day begins"), (START + 615, "B trips"), (START + 640, "B is back and takes its share"),
    (START + 650, "D is asked"), (START + 1380, "D is out of service for oil"), (START + 1438, "midnight"),
)  # fmt: skip
MONTHS = {
    "a month": lambda: figures(),
    "two days": lambda: figures(2),
    "hours of a night": lambda: figures(0.1),
    "forty houses": lambda: figures(3, parties(many=10)),
    "six houses": lambda: figures(28, parties((*FOUR, ("E", None, None), ("F", Role.CONSUMER, None)))),
    "only buyers": lambda: figures(30, parties(FOUR[:1])),
    "nobody has a contract": lambda: figures(30, parties((("A", None, None),))),
}
PANELS = (consumption_panels, requirement_panels, delivery_panels, rate_panels)


@pytest.mark.parametrize("panels_of", PANELS, ids=lambda panels_of: panels_of.__name__)
@pytest.mark.parametrize("month", MONTHS)
def test_every_text_of_the_sources_figures_can_be_read(qapp, month, panels_of) -> None:
    assert_legible(chart(panels_of(MONTHS[month]())))


@pytest.mark.parametrize("sellers", [0, 1, 2, 3, 6])
def test_every_text_of_a_day_can_be_read(qapp, sellers: int) -> None:
    marks = [Mark(*event) for event in EVENTS]
    assert_legible(chart(day_panels(day(sellers)), marks, size=(1400, 1100)), (1400, 1100))


def test_no_line_of_what_happened_runs_through_a_name(qapp, tmp_path: Path) -> None:
    quiet = Panel(title="p", unit="kW", span=DAY, series=[], nights=False)
    made = chart([quiet], [Mark(*event) for event in EVENTS])
    assert {text for _, text in EVENTS} < {label.text for label in made.labels()}
    pixels, top = drawn(made, tmp_path / "p.png"), int(made.boxes()[0].top())
    dark = np.asarray(pixels.max(axis=2) < 120)
    box = made.boxes()[0]
    names = [label.place for label in made.labels() if label.text in dict(EVENTS).values()]
    for minute, text in EVENTS:
        x = round(box.left() + (minute - START) / len(DAY) * box.width())
        name = next(label.place for label in made.labels() if label.text == text)
        assert dark[top - 6 : top + 40, x - 1 : x + 2].any()  # its line reaches the panel and goes on in it
        crossed = [at for at in names if at.top() > name.top() + 1 and at.left() - 2 < x < at.right() + 2]
        assert crossed == []


def test_the_files_are_there_in_their_size_with_nothing_at_their_edge(qapp, tmp_path: Path) -> None:
    paths = draw_figures(figures(), tmp_path)
    assert [path.name for path in paths] == [f"fig-9-{n}.png" for n in (1, 2, 3, 4)]
    day_chart(day(2, EVENTS), tmp_path / "day.png")
    day_chart(day(3), tmp_path / "more.png")
    for path in (*paths, tmp_path / "day.png"):
        pixels = read(path)
        assert pixels.shape == (SIZE[1], SIZE[0], 3)
        for edge in (pixels[:8], pixels[-8:], pixels[:, :8], pixels[:, -8:]):
            assert (edge == 255).all(), path  # paper
    assert read(tmp_path / "more.png").shape[0] > SIZE[1]  # a panel more


def test_colours_are_muted_and_each_source_has_its_own(qapp, tmp_path: Path) -> None:
    made = chart(delivery_panels(figures()))
    pixels = drawn(made, tmp_path / "p.png")
    assert saturation(pixels)[(pixels > 60).any(axis=2)].max() < 0.55
    by_day, by_night, mean_day = (inside(pixels, box) for box in made.boxes())
    solar, generator = THEME.plot[1], THEME.plot[0]
    for panel in (by_day, by_night, mean_day):
        assert has(panel, solar)
        assert has(panel, generator)
    assert has(mean_day, THEME.panel)  # night
    assert not has(by_day, THEME.panel)


def test_by_day_the_sun_stands_high_and_by_night_the_generator(qapp) -> None:
    by_day, by_night, _ = delivery_panels(figures())
    for panel, higher in ((by_day, 0), (by_night, 1)):
        heights = [np.mean(series.y) for series in panel.series]
        assert np.argmax(heights) == higher
        assert "%" in panel.series[higher].label
    assert by_day.least == by_night.least  # one scale
    assert "1.50 kW, 86\N{NO-BREAK SPACE}%" in by_day.series[0].label.replace("\N{NO-BREAK SPACE}kW", " kW")


def test_day_and_night_differ_in_a_greyscale_print(qapp) -> None:
    light, dark = consumption_panels(figures())[0].series
    fills = [series.brush(THEME).color() for series in (light, dark)]
    on_paper = [255 - (255 - fill.lightness()) * fill.alphaF() for fill in fills]
    assert on_paper[0] - on_paper[1] > 90
    lines = [series for series in rate_panels(figures())[0].series if series.is_line]
    assert len({(series.dash, series.tone) for series in lines}) >= 3


def test_a_gap_is_a_gap_and_a_value_lies_at_its_height(qapp, tmp_path: Path) -> None:
    x = np.arange(DAY.start, DAY.stop, dtype=float)
    y = np.where((x >= START + 480) & (x < START + 960), np.nan, 1.0)
    line = Series(label="l", x=x, y=y, style=Style.STEP, tone=1, thickness=3)
    area = Series(label="a", x=x, y=y / 2, style=Style.AREA, tone=2)
    made = chart([Panel(title="p", unit="kW", span=DAY, series=[area, line], least=2.0, nights=False)])
    box = made.boxes()[0]
    pixels = drawn(made, tmp_path / "p.png")
    height = {value: round(box.bottom() - value / (2.0 * 1.06) * box.height()) for value in (0.25, 0.5, 1.0)}
    column = {hour: round(box.left() + hour / 24 * box.width()) + 5 for hour in (4, 12, 20)}

    def at(hour: int, value: float) -> tuple[int, ...]:
        return tuple(pixels[height[value], column[hour]])

    for hour in (4, 20):
        assert at(hour, 1.0) == rgb(THEME.plot[1])
        assert at(hour, 0.25) == rgb(THEME.plot[2])
    assert at(12, 0.25) == (255, 255, 255)
    assert not has(pixels[:, column[12] - 20 : column[12] + 20], THEME.plot[1])


def test_bars_stand_on_zero_and_side_by_side(qapp, tmp_path: Path) -> None:
    bars = [
        Series(label=f"b{n}", x=np.array([START + 360.0 * n]), y=np.array([value]), style=Style.BARS,
               tone=n, width=300)
        for n, value in enumerate((1.0, -1.0, np.nan))
    ]  # fmt: skip
    made = chart([Panel(title="p", unit="kW", span=DAY, series=bars, nights=False)])
    pixels, box = drawn(made, tmp_path / "p.png"), made.boxes()[0]
    middle = round(box.center().y())
    across = [round(box.left() + (360 * n + 150) / 1440 * box.width()) for n in range(3)]
    assert tuple(pixels[middle - 30, across[0]]) == rgb(THEME.plot[0])
    assert tuple(pixels[middle + 30, across[1]]) == rgb(THEME.plot[1])
    assert not has(inside(pixels, box), THEME.plot[2])  # no value, no bar
    assert not has(inside(pixels, box)[: int(box.height() / 2) - 4], THEME.plot[1])


def test_night_is_shaded_from_sunset_to_sunrise(qapp, tmp_path: Path) -> None:
    made = chart([Panel(title="p", unit="kW", span=DAY, series=[])])
    pixels, box = drawn(made, tmp_path / "p.png"), made.boxes()[0]
    row = round(box.top() + 0.03 * box.height())
    for minute, shaded in (
        (SUNRISE - 8, True),
        (SUNRISE + 8, False),
        (SUNSET - 8, False),
        (SUNSET + 8, True),
    ):
        x = round(box.left() + (minute - START) / 1440 * box.width())
        assert (tuple(pixels[row, x]) == rgb(THEME.panel)) == shaded


def test_ticks_of_commands_stand_below_the_panel(qapp, tmp_path: Path) -> None:
    commands = Series(label="commands", x=np.array([START + 720.0]), style=Style.TICKS, tone=INK)
    series = [commands, level("l", 1.0, DAY, 1, Dash.DASHED)]
    made = chart([Panel(title="p", unit="kW", span=DAY, series=series), *day_panels(day(1))])
    pixels, box = drawn(made, tmp_path / "p.png"), made.boxes()[0]
    row = pixels[round(box.bottom()) + 6, round(box.left()) + 2 :].max(axis=1)
    assert np.flatnonzero(row < 80).tolist() == pytest.approx([box.width() / 2], abs=3)


def test_panels_that_do_not_fit_and_a_folder_that_is_not_there_are_refused(qapp, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        chart(day_panels(day(3)), size=(1400, 300))
    with pytest.raises(OSError, match="could not be written"):
        draw([], tmp_path / "none" / "p.png", zone=KARACHI, title="t")


def test_values_have_round_ticks() -> None:
    assert [text for _, text in value_ticks(0, 2.65, 5)] == ["0", "1", "2"]
    assert [text for _, text in value_ticks(0, 1.0, 5)] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert [text for _, text in value_ticks(-1.9, 4.2, 5)] == ["0", "2", "4"]
    assert [text for _, text in value_ticks(-0.9, 0.9, 4)] == ["\N{MINUS SIGN}0.5", "0.0", "0.5"]


def test_times_are_local_also_where_clocks_change() -> None:
    london = ZoneInfo("Europe/London")
    march = month_minutes("2026-03", london)
    spring = range(march.start + 28 * MINUTES_PER_DAY, march.start + 28 * MINUTES_PER_DAY + 23 * 60)
    ticks = clock_ticks(spring, london, 1300)
    assert [text for _, text in ticks] == [f"{hour:02}:00" for hour in (*range(0, 24, 2), 0) if hour != 1]
    assert [m - spring.start for m, _ in ticks[:3]] == [0, 60, 180]  # 02:00 is 03:00
    assert [text for _, text in date_ticks(march, london, 1300)] == [str(n) for n in range(1, 32)]
    assert [text for _, text in date_ticks(march, london, 400)] == [str(n) for n in range(1, 32, 3)]
    assert time_caption(spring, london, clock=True) == "Sunday 29 March 2026, local time (Europe/London)"
    assert time_caption(march, london, clock=False) == "day of March 2026, time zone Europe/London"
    two_days = range(spring.start, spring.stop + 60)
    assert (
        time_caption(two_days, london, clock=True) == "29 March to 30 March 2026, local time (Europe/London)"
    )
