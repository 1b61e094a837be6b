"""The live state of the micro-grid, as polls find it. It feeds screens and dispatch, never a bill."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from central_monitor.services.agreed import Agreed
from central_monitor.services.orders import HouseReading
from central_monitor.snapshot import LinkState, Notice
from microgrid.daylight import is_day
from microgrid.directives import Standing
from microgrid.metering import registers_of
from microgrid.minute import MeterMinute
from microgrid.months import month_minutes, month_of, zone_of
from microgrid.pool import Pool, Reading, pool
from microgrid.registers import Registers
from microgrid.sample import Sample
from microgrid.terms import House
from microgrid.wire.messages import Reply

NOTICES_KEPT = 50
REMEMBERED_MS = 900_000  # for so long a house that is not heard is taken to go on as it did
STRANGERS_KEPT = 20


@dataclass(slots=True)
class HouseLive:
    """What is known of one house now."""

    house: House
    link: LinkState = LinkState.NEVER
    sample: Sample | None = None
    sample_ms: int = 0
    outbox: bool = False  # it has minutes to deliver
    post: bool = False  # its household or installer has something for the central
    round_trip_ms: float | None = None
    last: MeterMinute | None = None  # the newest minute recorded
    month_start: Registers | None = None  # what this month's exchange is counted from


class LiveState:
    """Owned by the network thread. Times are Unix milliseconds."""

    def __init__(
        self, agreed: Agreed, last: Mapping[str, MeterMinute], month_start: Mapping[str, Registers]
    ) -> None:
        """`last` is each house's newest recorded minute; `month_start` what it began this month with."""
        self._agreed = agreed
        self._zone = zone_of(agreed.terms.zone)
        self._month = range(0)  # the minutes of the month that is under way
        if last:
            newest = max(row.minute for row in last.values())
            self._month = month_minutes(month_of(newest, self._zone), self._zone)
        self._notices: deque[Notice] = deque(maxlen=NOTICES_KEPT)
        self.houses = {
            house.house: HouseLive(
                house, last=last.get(house.house), month_start=month_start.get(house.house)
            )
            for house in sorted(agreed.terms.houses, key=lambda house: house.house)
        }
        self.strangers: dict[str, float] = {}  # who knocked and is not known, and when (Unix seconds)
        self.recorder_fault: str | None = None
        self.standing = Standing()  # what the operator has ordered by hand

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the operator was told lately, newest last."""
        return tuple(self._notices)

    def stranger(self, house: str, now_ms: int) -> None:
        """A house knocked that is not known."""
        if house not in self.strangers:
            self.notice(now_ms, f"House {house} knocked and is not known; add it in Settings.")
        self.strangers.pop(house, None)
        self.strangers[house] = now_ms / 1000
        if len(self.strangers) > STRANGERS_KEPT:  # the oldest gives way
            del self.strangers[next(iter(self.strangers))]

    def terms_changed(self) -> None:
        """Take up houses that are new in the terms, and what is new about the others."""
        for house in sorted(self._agreed.terms.houses, key=lambda house: house.house):
            self.houses.setdefault(house.house, HouseLive(house)).house = house
            self.strangers.pop(house.house, None)
        self.houses = dict(sorted(self.houses.items()))

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

    def heard(self, reply: Reply, sample_ms: int, round_trip_ms: float) -> None:
        """A house answered a poll."""
        live = self.houses[reply.house]
        live.outbox, live.post = reply.outbox, reply.post
        live.round_trip_ms = round_trip_ms
        if reply.sample is not None:
            live.sample, live.sample_ms = reply.sample, sample_ms

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

    def readings(self, now_ms: int) -> dict[str, HouseReading]:
        """What the controller may act on: every house that was heard lately, as last heard."""
        return {
            house: HouseReading(
                live.sample.exchange_p_w, live.sample.grid_breaker_closed, live.link is LinkState.LINKED
            )
            for house, live in self.houses.items()
            if live.sample is not None and now_ms - live.sample_ms < REMEMBERED_MS
        }

    def pool(self, minute: int, credit: int, fresh_after_ms: int) -> Pool:
        """The pool of houses heard since `fresh_after_ms`: what is not known now is not shown as now."""
        contracts = self._agreed.contracts_at(minute)
        readings = [
            Reading(
                contracts.get(house),
                sample.exchange_p_w,
                sample.grid_breaker_closed,
                in_service=not self.standing.out_of_service(house, minute),
            )
            for house, sample in self.heard_since(fresh_after_ms).items()
        ]
        tariff = self._agreed.terms.tariff_at(minute)
        return pool(readings, tariff, is_day(minute, self._zone), credit)

    def heard_since(self, fresh_after_ms: int) -> dict[str, Sample]:
        """The samples that are younger than this."""
        return {
            house: live.sample
            for house, live in self.houses.items()
            if live.sample is not None and live.sample_ms >= fresh_after_ms
        }


def exchanged_ws(live: HouseLive) -> int:
    """Net energy in Ws since the month began, as far as one register epoch reaches."""
    last, start = live.last, live.month_start
    if last is None or start is None or last.epoch != start.epoch:
        return 0
    return (last.export_ws - start.export_ws) - (last.import_ws - start.import_ws)
