"""The month in memory: the same plants, dispatch and settlement, with no wire, disk or clock between.

What the full path must reproduce to the byte.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from central_monitor.services.agreed import Agreed
from central_monitor.services.controller import Controller
from central_monitor.services.credit import RunningCredit
from central_monitor.services.habits import Habits
from central_monitor.services.orders import HouseReading, Order
from microgrid.columns import MinuteColumns, minute_columns, order_columns
from microgrid.daylight import is_day
from microgrid.directives import Standing, StrategyName
from microgrid.ledger import MonthLedger
from microgrid.minute import MeterMinute, OrderMinute
from microgrid.months import zone_of
from microgrid.statement import Statements
from microgrid.steering import Asked, Follower
from microgrid.terms import Terms
from microgrid.units import SECONDS_PER_MINUTE
from simulation.plant.faults import FaultKind
from simulation.plant.house_plant import HousePlant, PlantMinute
from simulation.virtual_meter import never

Silent = Callable[[int], bool]


@dataclass
class PlayedMonth:
    """Every minute a run in memory has produced, and each house's opening."""

    opening: dict[str, MeterMinute]
    meter: dict[int, list[MeterMinute]] = field(default_factory=dict)
    orders: dict[int, list[OrderMinute]] = field(default_factory=dict)

    def statements(self, terms: Terms, month: str, minutes: range) -> Statements:
        """Settle these minutes of the month, day by day."""
        ledger = MonthLedger(terms, month, Habits(self, terms))
        houses = ledger.houses
        last = dict(self.opening)
        for first in range(minutes.start, minutes.stop, 1440):
            day = range(first, min(first + 1440, minutes.stop))
            rows = [row for minute in day for row in self.meter[minute]]
            orders = [row for minute in day for row in self.orders[minute]]
            closing = self._next_rows(day.stop, minutes.stop, houses)
            ledger.add(minute_columns(houses, day, rows, last, closing), order_columns(houses, day, orders))
            last.update({row.house: row for row in rows})
        return ledger.statements()

    def read(self, first_minute: int, end_minute: int, houses: Iterable[str] | None = None) -> MinuteColumns:
        """The minutes played of this range, from which habits are learnt."""
        names = tuple(sorted(houses or self.opening))
        rows = [row for minute in range(first_minute, end_minute) for row in self.meter.get(minute, ())]
        return minute_columns(
            names, range(first_minute, end_minute), (row for row in rows if row.house in names), {}
        )

    def _next_rows(self, first: int, end: int, houses: tuple[str, ...]) -> dict[str, MeterMinute]:
        """Each house's first row from `first` on."""
        found: dict[str, MeterMinute] = {}
        for minute in range(first, end):
            found = {row.house: row for row in self.meter[minute]} | found
            if len(found) == len(houses):
                break
        return found


class _Home:
    """A house's part: its plant, and the inner loop that follows the central's targets."""

    def __init__(self, plant: HousePlant, limit_w: int) -> None:
        self.plant = plant
        self.heard = plant.last  # the newest minute its meter told of
        self.acknowledged_s: int | None = None
        self.refused = False
        self._follower = Follower(limit_w)
        self._command_id = 0

    def told(self, order: Order, now_s: int, expires_s: int) -> None:
        """Take over a target; a new one, or one that has no word of the meter yet, is looked at."""
        if order.command_id != self._command_id:
            self._command_id, self.acknowledged_s = order.command_id, None
        self._follower.asked = Asked(order.target_w, expires_s, order.fallback_w)
        if self.acknowledged_s is None:
            self.look(now_s)

    def look(self, now_s: int) -> None:
        """Look once at a meter that is heard, and pulse if it is time."""
        if self.heard.minute != self.plant.last.minute:
            return
        export_w = self.heard.exchange_p_w
        width_ms = self._follower.pulse(now_s, export_w)
        if width_ms != 0 and self.plant.suffers(FaultKind.DEAF):
            self._follower.answered(False)
            return
        if width_ms != 0:
            self.refused = not self.plant.pulse(1 if width_ms > 0 else -1, abs(width_ms))
        elif self._follower.is_set(now_s, export_w):
            self.refused = False
        else:
            return
        self._follower.answered(not self.refused)
        if self.acknowledged_s is None and not self._follower.is_safe(now_s):
            self.acknowledged_s = now_s


class Oracle:
    """Plays a run of minutes in ticks of `step` minutes."""

    def __init__(
        self,
        terms: Terms,
        plants: Mapping[str, HousePlant],
        silent: Mapping[str, Silent],
        step: int,
        strategy: StrategyName = StrategyName.DAY_TIME,
    ) -> None:
        self._terms = terms
        self._zone = zone_of(terms.zone)
        self._homes = {
            house: _Home(plant, terms.house(house).connection_w) for house, plant in sorted(plants.items())
        }
        self._silent = silent
        self._step = step
        agreed = Agreed(terms)
        self._controller = Controller(agreed, step * SECONDS_PER_MINUTE)
        self.direct(Standing(strategy))
        self.played = PlayedMonth({h: _meter_minute(h, p.last) for h, p in plants.items()})
        self._credit = RunningCredit(agreed, self.played.opening)

    def direct(self, standing: Standing) -> None:
        """From the next control step on this is what the operator wants."""
        self._controller.standing = standing

    def run(self, minutes: range) -> Iterator[int]:
        """Play these minutes; yields after each tick the minute that comes next."""
        self._control(minutes.start)
        for first in range(minutes.start, minutes.stop, self._step):
            tick = range(first, min(first + self._step, minutes.stop))
            meter = [row for minute in tick for row in self._play(minute)]
            for home in self._homes.values():
                home.look(tick.stop * SECONDS_PER_MINUTE)
            orders = self._note(tick)
            for minute in tick:
                self.played.meter[minute] = [row for row in meter if row.minute == minute]
                self.played.orders[minute] = [row for row in orders if row.minute == minute]
            self._credit.add(tick, meter, orders)
            if tick.stop < minutes.stop:
                self._control(tick.stop)
            yield tick.stop

    def _play(self, minute: int) -> list[MeterMinute]:
        rows = []
        for house, home in self._homes.items():
            played = home.plant.step()
            if not self._silent.get(house, never)(minute):
                home.heard = played
                rows.append(_meter_minute(house, played))
        return rows

    def _readings(self) -> dict[str, HouseReading]:
        return {
            house: HouseReading(home.heard.exchange_p_w, home.heard.grid_breaker_closed, linked=True)
            for house, home in self._homes.items()
        }

    def _note(self, tick: range) -> list[OrderMinute]:
        """What stood in these minutes, as they end."""
        readings = self._readings()
        return [
            order
            for minute in tick
            for order in self._controller.record(minute, readings, self._terms.tariff_at(minute))
        ]

    def _control(self, minute: int) -> None:
        now_s = minute * SECONDS_PER_MINUTE
        orders = self._controller.step(
            now_s,
            self._readings(),
            self._terms.tariff_at(minute),
            is_day(minute, self._zone),
            self._credit.allowance(minute, self._step),
        )
        for house, order in orders.items():
            home = self._homes[house]
            home.told(order, now_s, now_s + self._controller.expiry_s)
            self._controller.answered(house, order.command_id, home.acknowledged_s, home.refused, "", now_s)


def _meter_minute(house: str, played: PlantMinute) -> MeterMinute:
    """The settled part of a meter minute; what is only displayed is left out."""
    return MeterMinute(
        house=house,
        minute=played.minute,
        epoch=0,
        import_ws=played.import_ws,
        export_ws=played.export_ws,
        generation_ws=played.generation_ws,
        closed_s=played.closed_s,
        covered_s=SECONDS_PER_MINUTE,
        max_w=played.exchange_p_w,
        min_w=played.exchange_p_w,
        voltage_mv=0,
        current_ma=0,
        power_factor_milli=0,
        frequency_mhz=0,
        suspect=0,
    )
