"""The month in memory: the same plants, dispatch and settlement, with no wire, disk or clock between.

What the full path must reproduce to the byte.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from central_monitor.services.agreed import Agreed
from central_monitor.services.controller import Controller, HouseReading, Order
from central_monitor.services.credit import RunningCredit
from central_monitor.services.habits import Habits
from microgrid.columns import MinuteColumns, minute_columns, order_columns
from microgrid.daylight import is_day
from microgrid.ledger import MonthLedger
from microgrid.minute import MeterMinute, OrderMinute
from microgrid.months import zone_of
from microgrid.statement import Statements
from microgrid.steering import pulse_ms
from microgrid.terms import Terms
from microgrid.units import SECONDS_PER_MINUTE
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


class Oracle:
    """Plays a run of minutes in ticks of `step` minutes."""

    def __init__(
        self, terms: Terms, plants: Mapping[str, HousePlant], silent: Mapping[str, Silent], step: int
    ) -> None:
        self._terms = terms
        self._zone = zone_of(terms.zone)
        self._plants = dict(sorted(plants.items()))
        self._silent = silent
        self._step = step
        agreed = Agreed(terms)
        self._controller = Controller(agreed)
        self._heard = {house: plant.last for house, plant in self._plants.items()}
        self.played = PlayedMonth({h: _meter_minute(h, p.last) for h, p in self._plants.items()})
        self._credit = RunningCredit(agreed, self.played.opening)

    def run(self, minutes: range) -> Iterator[int]:
        """Play these minutes; yields after each tick the minute that comes next."""
        self._control(minutes.start)
        for first in range(minutes.start, minutes.stop, self._step):
            tick = range(first, min(first + self._step, minutes.stop))
            meter = [row for minute in tick for row in self._play(minute)]
            orders = self._controller.record(tick, dict.fromkeys(self._plants, True))
            for minute in tick:
                self.played.meter[minute] = [row for row in meter if row.minute == minute]
                self.played.orders[minute] = [row for row in orders if row.minute == minute]
            self._credit.add(tick, meter, orders)
            if tick.stop < minutes.stop:
                self._control(tick.stop)
            yield tick.stop

    def _play(self, minute: int) -> list[MeterMinute]:
        rows = []
        for house, plant in self._plants.items():
            played = plant.step()
            if not self._silent.get(house, never)(minute):
                self._heard[house] = played
                rows.append(_meter_minute(house, played))
        return rows

    def _control(self, minute: int) -> None:
        tariff = self._terms.tariff_at(minute)
        readings = {
            house: HouseReading(heard.exchange_p_w, heard.grid_breaker_closed, linked=True)
            for house, heard in self._heard.items()
        }
        allowance = self._credit.allowance(minute, self._step)
        day = is_day(minute, self._zone)
        for house, order in self._controller.step(minute, readings, tariff, day, allowance).items():
            if self._obey(house, order, tariff.deadband_w):
                self._controller.acknowledge(house, order.command_id, minute * SECONDS_PER_MINUTE)

    def _obey(self, house: str, order: Order, deadband_w: int) -> bool:
        """The house's inner loop, once; False if the meter did not acknowledge."""
        plant = self._plants[house]
        if self._heard[house].minute != plant.last.minute:
            return False
        width_ms = pulse_ms(order.target_w, self._heard[house].exchange_p_w, deadband_w)
        return width_ms == 0 or plant.pulse(1 if width_ms > 0 else -1, abs(width_ms))


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
