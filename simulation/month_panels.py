"""The panels of Figs 9.1 to 9.4 (section 9.2 and 9.3): a month by day and by night, and its mean day."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from microgrid.terms import Role, Source
from microgrid.units import MINUTES_PER_DAY
from node.qt.chart_layout import Panel
from node.qt.chart_series import INK, QUIET, Dash, Series, Style, level
from node.qt.format import NO_BREAK, number, power
from simulation.figures import SLOT_MINUTES, SLOTS, MonthFigures, Party, Price

Floats = NDArray[np.float64]
Int = NDArray[np.int64]

W_PER_KW = 1000.0
LEAST_RATE = 20.0  # coins per kWh, the least that the rate's panels reach up to
LIGHT_SHADE, DARK_SHADE = 0.3, 0.9
_FEWEST_DAYS = 8  # of fewer the bars are no wider
TONES = {Source.SOLAR: 1, Source.GENERATOR: 0, None: 2}  # of the plot palette; consumption is grey
RATE_TONE = 3
RATE_UNIT = "coins/kWh"
SOURCES = {Source.SOLAR: "solar", Source.GENERATOR: "generator", None: ""}
_ROLES = {Role.CONSUMER: "buyers", Role.PRODUCER: "sellers", None: "houses without a contract"}
_DUTIES = {Role.CONSUMER: "buys", Role.PRODUCER: "sells", None: "has no contract"}


def consumption_panels(figures: MonthFigures) -> list[Panel]:
    """Fig 9.1: a panel for each party, on one scale; of many houses it shows their mean."""
    houses = np.array([len(party.houses) for party in figures.parties])
    load_w = [figures.by_day(figures.load_ws, by_day) / houses for by_day in (True, False)]
    least = float(np.nanmax(np.stack(load_w)))
    panels = []
    for place, party in enumerate(figures.parties):
        means = [
            figures.mean_power(figures.load_ws[:, place], by_day) / houses[place] for by_day in (True, False)
        ]
        panels.append(
            Panel(
                title=_title(party),
                unit="kW" if houses[place] == 1 else "kW, mean of a house",
                span=figures.minutes,
                series=_paired_bars(figures, [of[:, place] for of in load_w], means),
                least=least / W_PER_KW,
                nights=False,
                dates=True,
            )
        )
    return panels


def requirement_panels(figures: MonthFigures) -> list[Panel]:
    """Fig 9.2: all buyers together, day by day and over the mean day."""
    buyers = figures.of(Role.CONSUMER)
    taken = figures.taken_ws[:, buyers]
    total = taken.sum(axis=1)
    bars = [figures.by_day(total, by_day) for by_day in (True, False)]
    means = [figures.mean_power(total, by_day) for by_day in (True, False)]
    lines = []
    if len(buyers) > 1:
        dashes = (Dash.DASHED, Dash.DOTTED, Dash.MIXED)
        lines = [
            _mean_line(figures, of_one, f"house {figures.parties[place].houses[0]}", QUIET, dashes[n % 3])
            for n, (place, of_one) in enumerate(zip(buyers, taken.T, strict=True))
        ]
    names = _together([figures.parties[place] for place in buyers])
    return [
        _daily(figures, f"{names}, day by day", "kW", _paired_bars(figures, bars, means)),
        _mean_day(figures, "kW", [_mean_line(figures, total, "together" if lines else "", INK), *lines]),
    ]


def delivery_panels(figures: MonthFigures) -> list[Panel]:
    """Fig 9.3: what sellers of each source deliver by day, by night, and over the mean day."""
    sources = [source for source in Source if figures.of(Role.PRODUCER, source).size]
    delivered = {source: _delivered(figures, source) for source in sources}
    panels = [
        _daily(figures, when, "kW", _delivery_bars(figures, delivered, by_day))
        for by_day, when in ((True, "By day"), (False, "By night"))
    ]
    top = max((series.bounds()[1] for panel in panels for series in panel.series), default=0.0)
    needed = figures.taken_ws[:, figures.of(Role.CONSUMER)].sum(axis=1)
    dashes = {Source.SOLAR: Dash.SOLID, Source.GENERATOR: Dash.DASHED}
    lines = [
        _mean_line(figures, energy, SOURCES[source], TONES[source], dashes[source], 2.5)
        for source, energy in delivered.items()
    ]
    lines.append(_mean_line(figures, needed, "buyers' need", INK, Dash.DOTTED))
    return [*(replace(panel, least=top) for panel in panels), _mean_day(figures, "kW", lines)]


def _delivery_bars(figures: MonthFigures, delivered: Mapping[Source, Int], by_day: bool) -> list[Series]:
    """Bars of each source side by side, their legend with the means and shares."""
    means = {source: float(figures.mean_power(energy, by_day)) for source, energy in delivered.items()}
    bars = []
    for n, (source, energy) in enumerate(delivered.items()):
        percent = f"{number(100 * means[source] / max(sum(means.values()), 1.0), 0)}{NO_BREAK}%"
        label = f"{_sellers(figures, source)}: mean {power(means[source])}, {percent} of all"
        shade = LIGHT_SHADE if source is Source.SOLAR else DARK_SHADE
        power_w = figures.by_day(energy, by_day)
        bars.append(_bars(figures, power_w, label, TONES[source], shade, (n, len(delivered))))
    return bars


def rate_panels(figures: MonthFigures) -> list[Panel]:
    """Fig 9.4: the rate hour by hour, its means by day and by night, and over the mean day."""
    hours, rates = figures.rate_by_hour()
    month = figures.minutes
    hourly = _rate_line("hour by hour", hours, rates, 1.5)
    mean, low, high = figures.rate_of_mean_day()
    slots = _slot_starts(figures)
    band = Series(
        label="8 of 10 minutes lie here", x=slots, y=high, base=low,
        style=Style.AREA, tone=RATE_TONE, shade=LIGHT_SHADE,
    )  # fmt: skip
    mean_day = [band, _rate_line("mean rate", slots, mean, 2.5), *_levels(figures, _mean_span(figures))]
    return [
        Panel(
            title="Rate, hour by hour", unit=RATE_UNIT, span=month, least=LEAST_RATE, weight=1.2,
            series=[hourly, *_levels(figures, month)],
        ),
        _daily(figures, "Mean rate of each day and night", RATE_UNIT, _daily_rates(figures), LEAST_RATE),
        _mean_day(figures, RATE_UNIT, mean_day, LEAST_RATE),
    ]  # fmt: skip


def _daily_rates(figures: MonthFigures) -> list[Series]:
    """The means by day and by night, and of the month so far, which the cap holds under the tariff."""
    middles = _middles(figures)
    by_day, by_night = (figures.rate_by_day(by_day) for by_day in (True, False))
    return [
        Series(label="mean by day", x=middles, y=by_day, style=Style.POINTS, tone=1, shade=0.0),
        Series(label="mean by night", x=middles, y=by_night, style=Style.POINTS, tone=0),
        Series(label="month so far", x=middles, y=figures.rate_so_far(), tone=INK, dash=Dash.MIXED),
        _tariff(figures, figures.minutes),
    ]


def _daily(
    figures: MonthFigures, title: str, unit: str, series: Sequence[Series], least: float = 0.0
) -> Panel:
    """A panel of one value a date."""
    return Panel(
        title=title, unit=unit, span=figures.minutes, series=series, least=least, nights=False, dates=True
    )


def _mean_day(figures: MonthFigures, unit: str, series: Sequence[Series], least: float = 0.0) -> Panel:
    """A panel of the mean day, on an axis of its own."""
    return Panel(
        title="Mean day", unit=unit, span=_mean_span(figures), series=series, least=least, weight=1.2,
        caption=f"local time of day ({figures.zone.key}), mean of {len(figures.days)} days; night is shaded",
    )  # fmt: skip


def _paired_bars(figures: MonthFigures, bars: Sequence[Floats], means: Sequence[Floats]) -> list[Series]:
    """A light bar for the day and a dark one for the night of each date."""
    labels = []
    for when, mean, by_day in (("day", float(means[0]), True), ("night", float(means[1]), False)):
        share = float((figures.is_day == by_day).mean())  # of 24 hours
        kwh = number(mean / W_PER_KW * 24 * share, 1)
        labels.append(f"by {when}: mean {power(mean)}, {kwh}{NO_BREAK}kWh a {when}")
    return [
        _bars(figures, bars[0], labels[0], QUIET, LIGHT_SHADE, (0, 2)),
        _bars(figures, bars[1], labels[1], QUIET, DARK_SHADE, (1, 2)),
    ]


def _bars(
    figures: MonthFigures, power_w: Floats, label: str, tone: int, shade: float, place: tuple[int, int]
) -> Series:
    """Bars side by side within each date; `place` is which of how many they are."""
    together = min(0.84 * MINUTES_PER_DAY, len(figures.minutes) / _FEWEST_DAYS)
    number_of, count = place
    return Series(
        label=label, x=_middles(figures) + (number_of / count - 0.5) * together, y=power_w / W_PER_KW,
        style=Style.BARS, tone=tone, width=together / count, shade=shade,
    )  # fmt: skip


def _rate_line(label: str, x: Floats, y: Floats, thickness: float) -> Series:
    return Series(label=label, x=x, y=y, style=Style.STEP, tone=RATE_TONE, thickness=thickness)


def _mean_line(
    figures: MonthFigures,
    energy_ws: Int,
    label: str,
    tone: int,
    dash: Dash = Dash.SOLID,
    thickness: float = 2.0,
) -> Series:
    """The mean day of a power."""
    y = figures.mean_day(energy_ws) / W_PER_KW
    x = _slot_starts(figures)
    return Series(label=label, x=x, y=y, style=Style.STEP, tone=tone, dash=dash, thickness=thickness)


def _middles(figures: MonthFigures) -> Floats:
    """The middle of each date."""
    return np.array([(day.start + day.stop) / 2 for day in figures.days])


def _mean_span(figures: MonthFigures) -> range:
    """A day of 24 hours on which the mean day is shown."""
    first = figures.days[0].start
    return range(first, first + SLOTS * SLOT_MINUTES)


def _slot_starts(figures: MonthFigures) -> Floats:
    span = _mean_span(figures)
    return np.arange(span.start, span.stop, SLOT_MINUTES, dtype=float)


def _delivered(figures: MonthFigures, source: Source) -> Int:
    return figures.delivered_ws[:, figures.of(Role.PRODUCER, source)].sum(axis=1)


def _levels(figures: MonthFigures, span: range) -> list[Series]:
    """The tariff and the sellers' prices, as lines across."""
    asked = []
    for seller in figures.prices:
        name = _price_name(seller)
        said = {
            seller.lowest: f"{name} from {seller.lowest:.2f}",
            seller.highest: f"{name} to {seller.highest:.2f}",
        }
        if len(said) == 1:
            said = {seller.lowest: f"{name} {seller.lowest:.2f}"}
        asked += [level(label, price, span, QUIET, Dash.DOTTED) for price, label in said.items()]
    return [_tariff(figures, span), *asked]


def _tariff(figures: MonthFigures, span: range) -> Series:
    tariff = float(figures.tariff[-1])
    return level(f"tariff {tariff:.2f}", tariff, span, INK, Dash.DASHED)


def _title(party: Party) -> str:
    """A party as a panel's title."""
    source = SOURCES[party.source]
    if len(party.houses) == 1:
        return f"House {party.houses[0]}: {_DUTIES[party.role]}" + (f" ({source})" if source else "")
    return f"{len(party.houses)} {source} {_ROLES[party.role]}".replace("  ", " ")


def _together(parties: Sequence[Party]) -> str:
    """The buyers as a panel's title."""
    houses = [house for party in parties for house in party.houses]
    if len(parties) == len(houses) > 1:
        return f"Houses {', '.join(houses[:-1])} and {houses[-1]} together"
    if len(houses) == 1:
        return f"House {houses[0]}"
    return f"{len(houses)} buyers together" if houses else "No buyers"


def _sellers(figures: MonthFigures, source: Source) -> str:
    """The sellers of a source as an entry of a legend."""
    houses = [house for place in figures.of(Role.PRODUCER, source) for house in figures.parties[place].houses]
    if len(houses) <= 2:
        return f"{' and '.join(houses)}, {SOURCES[source]}"
    return f"{len(houses)} {SOURCES[source]} sellers"


def _price_name(asked: Price) -> str:
    return f"{asked.houses[0]} asks" if len(asked.houses) == 1 else f"{SOURCES[asked.source]}"
