"""The charts of the documentation and of the demonstration: Figs 9.1 to 9.4, and a day of the closed loop.

What they show is put together in `figures`; how panels are drawn is `node.qt.chart`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from microgrid.daylight import DAYLIGHT
from microgrid.months import local_time
from microgrid.terms import Source
from node.qt.chart import SIZE, draw
from node.qt.chart_layout import Mark, Panel
from node.qt.chart_series import INK, QUIET, Dash, Series, Style, level
from node.qt.format import month_name, power
from simulation.figures import DayRecord, MonthFigures, SellerDay
from simulation.month_panels import (
    LEAST_RATE,
    RATE_TONE,
    RATE_UNIT,
    SOURCES,
    TONES,
    W_PER_KW,
    consumption_panels,
    delivery_panels,
    rate_panels,
    requirement_panels,
)

Floats = NDArray[np.float64]

BAND_SHADE, FLOW_SHADE = 0.16, 0.6
PANEL_PX = 190  # what a panel beyond the fourth adds to a day's picture
MOST_SELLERS = 4  # of a day that are drawn one by one; more are drawn by source


def draw_figures(figures: MonthFigures, folder: Path) -> tuple[Path, ...]:
    """Draw Figs 9.1 to 9.4 into `fig-9-1.png` to `fig-9-4.png` of the folder; OSError if that fails."""
    month = month_name(figures.month)
    hours = _daylight(figures)
    drawn = (
        (consumption_panels(figures), f"Figure 9.1: what each house consumes, {month}", _DAY_AND_NIGHT),
        (requirement_panels(figures), f"Figure 9.2: what the buyers need together, {month}", _DAY_AND_NIGHT),
        (delivery_panels(figures), f"Figure 9.3: what sun and generator deliver, {month}", _DAY_AND_NIGHT),
        (rate_panels(figures), f"Figure 9.4: the rate of power, {month}", _RATE),
    )
    paths = []
    for number, (panels, title, note) in enumerate(drawn, start=1):
        paths.append(folder / f"fig-9-{number}.png")
        draw(panels, paths[-1], zone=figures.zone, title=title, notes=(note.format(hours=hours),))
    return tuple(paths)


_DAY_AND_NIGHT = (
    "Day is from {hours} (Table 6.1); the night of a date is its hours before and after."
    " Bars are the mean power of these hours."
)
_RATE = (
    "The rate is the mean of the sellers' prices weighted by what they deliver, as billed under the cap."
    " Night, outside of {hours} (Table 6.1), is shaded."
)
_DAY = (
    "Mean power of each minute, by the meters. Shaded: night (Table 6.1); filled: a contract, from minimum to"
    " maximum; ticks below a panel: minutes with a new command."
)


def day_chart(day: DayRecord, path: Path, size: tuple[int, int] = SIZE) -> None:
    """Draw a day of the closed loop; many sellers make the picture higher. OSError if that fails."""
    panels = day_panels(day)
    height = size[1] + max(0, len(panels) - 4) * PANEL_PX
    marks = [Mark(minute, f"{text} {local_time(minute, day.zone):%H:%M}") for minute, text in day.events]
    draw(panels, path, zone=day.zone, title=day.title, notes=(_DAY,), marks=marks, size=(size[0], height))


def _daylight(figures: MonthFigures) -> str:
    """The hours of daylight of the figures' month."""
    start, end = DAYLIGHT[int(figures.month[-2:]) - 1]
    return f"{start:%H:%M} to {end:%H:%M}"


def day_panels(day: DayRecord) -> list[Panel]:
    """A day's panels: demand and what covers it, each seller (of many: each source), the rate."""
    return [_demand_panel(day), *(_seller_panel(day, *each) for each in _sellers(day)), _rate_panel(day)]


def _demand_panel(day: DayRecord) -> Panel:
    x = _x(day)
    series = [
        _area("from the national grid (below 0: into it)", x, day.import_w, QUIET, FLOW_SHADE),
        _step("sellers", x, day.demand_w - day.import_w, 2, Dash.DASHED),
        _step("demand", x, day.demand_w, INK),
    ]
    return Panel(title="Demand and what covers it", unit="kW", span=day.minutes, series=series, weight=1.4)


def _seller_panel(day: DayRecord, title: str, sellers: Sequence[SellerDay]) -> Panel:
    x, span, tone = _x(day), day.minutes, TONES[sellers[0].source]
    low, high = (sum(getattr(seller, name) for seller in sellers) for name in ("min_w", "max_w"))
    target = _sum(np.stack([seller.target_w for seller in sellers]))
    commands = np.unique(np.concatenate([seller.commands for seller in sellers])).astype(float)
    series = [
        _area("contract", x, np.full(x.size, float(high)), tone, BAND_SHADE, base=low / W_PER_KW),
        level(f"max {power(high)}", high / W_PER_KW, span, QUIET, Dash.DOTTED),
        level(f"min {power(low)}", low / W_PER_KW, span, QUIET, Dash.DOTTED),
        _step("output", x, np.sum([seller.export_w for seller in sellers], axis=0), tone, thickness=2.5),
        _step("target", x, target, INK, Dash.DOTTED, 1.5),
        Series(label=f"commands, in {commands.size} minutes", x=commands, style=Style.TICKS, tone=INK),
    ]
    return Panel(title=title, unit="kW", span=span, series=series)


def _rate_panel(day: DayRecord) -> Panel:
    x = _x(day)
    rate = Series(label="rate", x=x, y=day.rate, style=Style.STEP, tone=RATE_TONE)
    tariff = Series(
        label="tariff", x=x, y=day.tariff, style=Style.STEP, tone=INK, dash=Dash.DASHED, thickness=1.5
    )
    return Panel(
        title="Rate and tariff", unit=RATE_UNIT, span=day.minutes, series=[tariff, rate], least=LEAST_RATE
    )


def _sellers(day: DayRecord) -> Iterator[tuple[str, list[SellerDay]]]:
    """Each seller, or if they are too many for that all of each source, with a title."""
    if len(day.sellers) <= MOST_SELLERS:
        for seller in day.sellers:
            yield f"House {seller.house}: {SOURCES[seller.source]}", [seller]
        return
    for source in Source:
        of_source = [seller for seller in day.sellers if seller.source is source]
        if of_source:
            yield f"{len(of_source)} {SOURCES[source]} sellers", of_source


def _sum(values: Floats) -> Floats:
    """The sum over sellers of what is known; NaN where nothing is."""
    return np.where(np.isfinite(values).any(axis=0), np.nansum(values, axis=0), np.nan)


def _x(day: DayRecord) -> Floats:
    return np.arange(day.minutes.start, day.minutes.stop, dtype=float)


def _step(
    label: str, x: Floats, power_w: Floats, tone: int, dash: Dash = Dash.SOLID, thickness: float = 2.0
) -> Series:
    y = power_w / W_PER_KW
    return Series(label=label, x=x, y=y, style=Style.STEP, tone=tone, dash=dash, thickness=thickness)


def _area(label: str, x: Floats, power_w: Floats, tone: int, shade: float, base: float = 0.0) -> Series:
    y = power_w / W_PER_KW
    return Series(label=label, x=x, y=y, style=Style.AREA, tone=tone, shade=shade, base=base)
