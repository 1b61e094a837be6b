"""The central's office on a real database, with houses that are only remembered; time is an argument."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from central_monitor.adapters.archive import Archive
from central_monitor.adapters.writer import DatabaseWriter
from central_monitor.office import Office
from central_monitor.services.agreed import Agreed
from central_monitor.services.live import LiveState
from central_monitor.services.records import Records, open_records
from db.central import Run
from microgrid.bill import Adjustment, Bill, BillCheck, BillKind
from microgrid.contracting import Wish
from microgrid.minute import MeterMinute, OrderMinute
from microgrid.months import month_minutes, zone_of
from microgrid.terms import Terms
from microgrid.wire.messages import (
    ContractAnswer,
    ContractCall,
    Deliver,
    Delivered,
    FetchPost,
    MonthSoFar,
    Post,
    PostTaken,
)
from node.worker import InlineWorker
from tests.unit.central.parts import ZONE, row

HOUR_S, DAY_S = 3600, 86_400


def month(name: str, zone: str = ZONE) -> range:
    """The minutes of a month."""
    return month_minutes(name, zone_of(zone))


def steady(house: str, first: int, last: int, power_w: int, start_ws: int = 0, step: int = 60) -> list[Any]:
    """Rows of a house of constant power (positive: exported), from `first` to `last` every `step` minutes."""
    minutes = [*range(first, last, step), last]
    flows = [start_ws + abs(power_w) * 60 * (minute - first) for minute in minutes]
    if power_w > 0:
        return [row(house, minute, 0, flow) for minute, flow in zip(minutes, flows, strict=True)]
    return [row(house, minute, flow, 0) for minute, flow in zip(minutes, flows, strict=True)]


class House:
    """A house's link: it takes what it is told and answers what the test gives it."""

    def __init__(self, house: str) -> None:
        self.house = house
        self.answer: ContractAnswer | None = None
        self.swap: Any = None
        self.check: BillCheck | None = None
        self.silent: tuple[type[Any], ...] = ()
        self.told: list[Any] = []
        self._requests = 0
        self._late: list[tuple[Any, asyncio.Future[Any]]] = []  # what it was asked and has not answered

    def request(self, make: Callable[[int], Any]) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._requests += 1
        message = make(self._requests)
        self.told.append(message)
        self._late.append((message, future))
        if not isinstance(message, self.silent):
            self.speak()
        return future

    def speak(self) -> None:
        """Answer whatever was asked."""
        for message, future in self._late:
            if isinstance(message, FetchPost):
                answer: Any = Post(
                    house=self.house, request_id=message.request_id, answer=self.answer, swap=self.swap
                )
            else:
                answer = Delivered(house=self.house, request_id=message.request_id, check=self.check)
            future.set_result(answer)
        self._late = []

    def tell(self, message: Any) -> None:
        self.told.append(message)
        if isinstance(message, PostTaken):
            self.answer = self.swap = None

    def of(self, kind: Any) -> list[Any]:
        return [message for message in self.told if isinstance(message, kind)]

    @property
    def bills(self) -> list[Bill]:
        return [paper.bill for paper in self.of(Deliver) if paper.bill is not None]

    @property
    def adjustments(self) -> list[Adjustment]:
        return [paper.adjustment for paper in self.of(Deliver) if paper.adjustment is not None]

    def call(self, name: str) -> ContractCall:
        """What it was last told of the month's contract."""
        return next(call for call in reversed(self.of(ContractCall)) if call.month == name)

    def wish(self, wish: Wish, name: str) -> None:
        """The household answers the last call for this month."""
        self.answer = ContractAnswer(month=name, first_minute=self.call(name).first_minute, wish=wish)

    @property
    def so_far(self) -> MonthSoFar:
        found: MonthSoFar = self.of(MonthSoFar)[-1]
        return found


class Bureau:
    """An office and its database; `restart` leaves nothing but the database."""

    def __init__(self, path: Path, agreed: Terms | None = None) -> None:
        self.path = path
        self.links: dict[str, House] = {}
        if agreed is not None:
            writer = DatabaseWriter(path, InlineWorker())
            writer.save_terms(agreed)
            writer.close()
        self._open()

    def _open(self) -> None:
        self.writer = DatabaseWriter(self.path, InlineWorker())
        self.archive = Archive(self.path, InlineWorker())
        self.agreed = Agreed(self.writer.load_terms())
        last, so_far = self.archive.read_now(lambda records: records.month_so_far(self.agreed.terms))
        self.live = LiveState(self.agreed, last, {} if so_far is None else so_far.opening)
        self.office = Office(self.links, self.writer, self.archive, self.agreed, self.live, last, so_far)

    @property
    def orders(self):
        """The operator's orders."""
        return self.office.administration

    def close(self) -> None:
        self.archive.close()
        self.writer.close()

    def restart(self) -> None:
        """As if the program had been killed and started again."""
        self.close()
        self._open()

    def join(self, *houses: str, now_s: int = 0) -> list[House]:
        for house in houses:
            self.links[house] = House(house)
            self.office.linked(house, now_s)
        return [self.links[house] for house in houses]

    async def record(
        self, rows: Sequence[MeterMinute], now_s: int, orders: Iterable[OrderMinute] = ()
    ) -> None:
        """What the program does with minutes that houses delivered."""
        changes = self.office.changes(rows, now_s)
        await self.writer.append(rows, list(orders), changes)
        self.office.recorded(rows, now_s)
        self.live.recorded(rows)

    async def step(self, now_s: int, times: int = 1) -> None:
        for house, link in self.links.items():
            self.live.houses[house].post = link.answer is not None or link.swap is not None
        for _ in range(times):
            await self.office.step(now_s, 0.01)

    # --- what the database says -------------------------------------------------------------------------

    def ask(self, question: Callable[[Records], Any]) -> Any:
        with open_records(self.path) as records:
            return question(records)

    def bills(self, name: str, kind: BillKind = BillKind.MONTH) -> dict[str, Bill]:
        found = self.ask(lambda records: records.billing.bills(name))
        return {bill.house: bill for bill in found if bill.kind is kind}

    def adjustments(self, name: str) -> tuple[Adjustment, ...]:
        found: tuple[Adjustment, ...] = self.ask(lambda records: records.billing.adjustments(name))
        return found

    def all_runs(self, name: str) -> tuple[Run, ...]:
        found: tuple[Run, ...] = self.ask(lambda records: records.billing.runs(name))
        return found

    def runs(self, name: str) -> int:
        return len(self.all_runs(name))

    @property
    def notices(self) -> list[str]:
        return [notice.text for notice in self.live.notices]


def at_work(path: Path, agreed: Terms, story: Callable[[Bureau], Awaitable[None]]) -> None:
    """Run a story in an office that is new."""

    async def whole() -> None:
        bureau = Bureau(path / "power.sqlite", agreed)
        try:
            await story(bureau)
        finally:
            bureau.close()

    asyncio.run(whole())
