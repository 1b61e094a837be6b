"""The live state of the micro-grid, as polls find it. It feeds screens and dispatch, never a bill."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from central_monitor.services.controller import HouseReading, Order
from central_monitor.snapshot import CentralSnapshot, HouseView, LinkState, Notice, OrderView, PoolView
from microgrid.daylight import is_day
from microgrid.metering import registers_of
from microgrid.minute import MeterMinute
from microgrid.months import month_minutes, month_of, zone_of
from microgrid.pool import Pool, Reading, pool
from microgrid.registers import Registers
from microgrid.sample import Quality, Sample
from microgrid.terms import House, Terms
from microgrid.units import SECONDS_PER_MINUTE

NOTICES_KEPT = 50


@dataclass(slots=True)
class HouseLive:
    """What is known of one house now."""

    house: House
    link: LinkState = LinkState.NEVER
    sample: Sample | None = None
    sample_ms: int = 0
    outbox: bool = False
    round_trip_ms: float | None = None
    last: MeterMinute | None = None  # the newest minute recorded
    month_start: Registers | None = None  # what this month's exchange is counted from


class LiveState:
    """Owned by the network thread. Times are Unix milliseconds."""

    def __init__(
        self, terms: Terms, last: Mapping[str, MeterMinute], month_start: Mapping[str, Registers]
    ) -> None:
        """`last` is each house's newest recorded minute; `month_start` what it began this month with."""
        self._terms = terms
        self._zone = zone_of(terms.zone)
        self._month = range(0)  # the minutes of the month that is under way
        if last:
            newest = max(row.minute for row in last.values())
            self._month = month_minutes(month_of(newest, self._zone), self._zone)
        self._notices: deque[Notice] = deque(maxlen=NOTICES_KEPT)
        self.houses = {
            house.house: HouseLive(
                house, last=last.get(house.house), month_start=month_start.get(house.house)
            )
            for house in sorted(terms.houses, key=lambda house: house.house)
        }
        self.recorder_fault: str | None = None

    def notice(self, now_ms: int, text: str) -> None:
        """Tell the operator."""
        self._notices.append(Notice(now_ms / 1000, text))

    def linked(self, house: str, now_ms: int) -> None:
        """A house connected (5.2)."""
        live = self.houses[house]
        again = live.link is LinkState.LOST
        live.link = LinkState.LINKED
        self.notice(
            now_ms,
            f"House {house} is linked again." if again else f"House {house} is now part of the network.",
        )

    def lost(self, house: str, now_ms: int) -> None:
        """A house's link ended."""
        self.houses[house].link = LinkState.LOST
        self.houses[house].outbox = False
        self.notice(now_ms, f"House {house}: link lost.")

    def heard(
        self, house: str, sample: Sample | None, sample_ms: int, outbox: bool, round_trip_ms: float
    ) -> None:
        """A house answered a poll."""
        live = self.houses[house]
        live.outbox = outbox
        live.round_trip_ms = round_trip_ms
        if sample is not None:
            live.sample, live.sample_ms = sample, sample_ms

    def delivered(self, houses: Iterable[str]) -> None:
        """These houses have nothing more to deliver, as far as is known."""
        for house in houses:
            self.houses[house].outbox = False

    def recorded(self, rows: Iterable[MeterMinute]) -> None:
        """Minutes are on the disk."""
        for row in rows:
            live = self.houses[row.house]
            if live.last is None or row.minute >= live.last.minute:
                self._turn_month(row)
                live.month_start = live.month_start or registers_of(live.last or row)
                live.last = row

    def _turn_month(self, row: MeterMinute) -> None:
        """At a new month's first row: exchange is counted from every house's last row before."""
        if row.minute < self._month.stop:
            return
        if self._month:
            for live in self.houses.values():
                live.month_start = None if live.last is None else registers_of(live.last)
        self._month = month_minutes(month_of(row.minute, self._zone), self._zone)

    def readings(self) -> dict[str, HouseReading]:
        """What the controller may act on: every house that was ever heard, as last heard."""
        return {
            house: HouseReading(
                live.sample.exchange_p_w, live.sample.grid_breaker_closed, live.link is LinkState.LINKED
            )
            for house, live in self.houses.items()
            if live.sample is not None
        }

    def pool(self, minute: int, credit: int, fresh_after_ms: int) -> Pool:
        """The pool of houses heard since `fresh_after_ms`: what is not known now is not shown as now."""
        readings = [
            Reading(
                self._terms.contract_at(house, minute),
                live.sample.exchange_p_w,
                live.sample.grid_breaker_closed,
            )
            for house, live in self.houses.items()
            if live.sample is not None and live.sample_ms >= fresh_after_ms
        ]
        return pool(readings, self._terms.tariff_at(minute), is_day(minute, self._zone), credit)

    def snapshot(
        self, now_ms: int, fresh_ms: int, credit: int, orders: Mapping[str, Order]
    ) -> CentralSnapshot:
        """The whole micro-grid at this moment; samples older than `fresh_ms` are stale."""
        minute = now_ms // (1000 * SECONDS_PER_MINUTE)
        now = self.pool(minute, credit, now_ms - fresh_ms)
        tariff = self._terms.tariff_at(minute).national
        return CentralSnapshot(
            now_s=now_ms / 1000,
            zone=self._terms.zone,
            houses=tuple(
                self._house_view(live, now_ms, fresh_ms, orders.get(house), minute)
                for house, live in self.houses.items()
            ),
            pool=PoolView(
                produced_w=now.produced_w,
                consumed_w=now.consumed_w,
                available_w=now.available_w,
                pool_w=now.pool_w,
                national_w=now.national_w,
                rate=None if now.rate is None else now.billed_rate,
                tariff=tariff,
                is_day=is_day(minute, self._zone),
            ),
            tie_closed=True,
            notices=tuple(self._notices),
            recorder_fault=self.recorder_fault,
        )

    def _house_view(
        self, live: HouseLive, now_ms: int, fresh_ms: int, order: Order | None, minute: int
    ) -> HouseView:
        heard = live.sample is not None
        age_ms = max(0, now_ms - live.sample_ms)
        fresh = heard and age_ms <= fresh_ms and live.link is LinkState.LINKED
        return HouseView(
            house=live.house.house,
            name=live.house.name,
            contract=self._terms.contract_at(live.house.house, minute),
            link=live.link,
            sample=live.sample,
            quality=Quality.GOOD if fresh else Quality.STALE,
            age_s=age_ms / 1000 if heard else None,
            exchanged_ws=_exchanged(live),
            minutes_waiting=live.outbox,
            order=None
            if order is None
            else OrderView(order.target_w, order.raised, order.hold, order.acknowledged_s is not None),
            round_trip_ms=live.round_trip_ms,
            last_minute=None if live.last is None else live.last.minute,
        )


def _exchanged(live: HouseLive) -> int:
    """Net energy since the month began, as far as one register epoch reaches."""
    last, start = live.last, live.month_start
    if last is None or start is None or last.epoch != start.epoch:
        return 0
    return (last.export_ws - start.export_ws) - (last.import_ws - start.import_ws)
