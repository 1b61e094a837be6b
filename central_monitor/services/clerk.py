"""Carries papers between the central and the houses: calls for contracts, answers, bills, the month so far.

Everything is on the disk before anybody is told: an answer is agreed, a bill issued, and then said.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from central_monitor.services.agreed import Agreed
from central_monitor.services.contracts import ContractDesk
from central_monitor.services.letters import letter
from central_monitor.services.live import LiveState
from central_monitor.services.running import RunningMonth
from microgrid.bill import Adjustment, Bill, BillCheck, Verdict
from microgrid.contracting import ContractRound
from microgrid.statement import PenaltyParts, Statements
from microgrid.swap import MeterSwap
from microgrid.terms import Terms
from microgrid.waiver import Waiver, charged_by, waived
from microgrid.wire.messages import (
    ContractCall,
    Deliver,
    Delivered,
    FetchPost,
    HouseMessage,
    MonthSoFar,
    Post,
    PostTaken,
)

log = logging.getLogger(__name__)

Paper = Bill | Adjustment
DAY_S = 86_400
SWAPS_A_DAY = 10  # that are kept of one house; nobody exchanges its meter more often


class PaperLink(Protocol):
    """A house's link as the clerk needs it."""

    def request(self, make: Callable[[int], FetchPost | Deliver]) -> asyncio.Future[HouseMessage]:
        """Send a request made with the id it is given."""

    def tell(self, message: ContractCall | MonthSoFar | PostTaken) -> None:
        """Say what is not answered."""


class PaperStore(Protocol):
    """Where papers are kept; every call returns once it is on the disk."""

    async def save_round(self, asked: ContractRound) -> Terms:
        """Keep how a round stands; the terms it makes."""

    async def keep_swap(self, swap: MeterSwap) -> None:
        """Keep the record of an exchanged meter."""

    async def delivered(self, paper: Paper, check: BillCheck | None, now_s: int) -> None:
        """Note that a house has this, and what it found."""

    async def undelivered(self, house: str) -> list[Paper]:
        """What a house does not have yet, oldest first."""


@dataclass(frozen=True)
class _Asked:
    """A request a house has not answered yet. It gets no second one like it: an answer may come late."""

    link: PaperLink
    answer: asyncio.Future[HouseMessage]


@dataclass
class _Swaps:
    """The exchanges of its meter that a house recorded on one day, by their times."""

    day: int
    kept: set[int] = field(default_factory=set)
    overdone: bool = False  # there were more, and the operator was told


class Clerk:
    """Owned by the network thread."""

    def __init__(
        self,
        links: Mapping[str, PaperLink],
        store: PaperStore,
        agreed: Agreed,
        live: LiveState,
        desk: ContractDesk,
        running: RunningMonth,
    ) -> None:
        self._links = links
        self._store = store
        self._agreed = agreed
        self._live = live
        self._desk = desk
        self._running = running
        self.papers = 0  # bills and adjustments issued since the start
        self._to_deliver = set(live.houses)  # houses for which bills may be waiting
        self._fetching: dict[str, _Asked] = {}
        self._handing: dict[str, tuple[Paper, _Asked]] = {}
        self._swaps: dict[str, _Swaps] = {}
        self._owed: Mapping[str, int] = {}  # adjustments of earlier months, not on a bill yet
        self._waivers: tuple[Waiver, ...] = ()  # of months that are not billed yet
        self._keeping = asyncio.Lock()

    # --- contracts ----------------------------------------------------------------------------------

    async def keep_rounds(self, changed: Callable[[], Iterable[ContractRound]], now_s: int) -> bool:
        """Store rounds that changed, take over the terms they make, and tell every house concerned.

        They are asked for when no other change is under way, so that none is made from what is no longer so.
        Returns whether there were any.
        """
        async with self._keeping:
            rounds = list(changed())
            for asked in rounds:
                await self._keep(asked, now_s)
        return bool(rounds)

    async def _keep(self, asked: ContractRound, now_s: int) -> None:
        self.terms_changed(await self._store.save_round(asked))
        self._desk.stored(asked)
        for house in asked.houses:
            self.call(house, now_s)
        if asked.final_s is not None:
            text = f"The contracts for {asked.month} are final; exchange is permitted."
        else:
            agreed = len(asked.houses) - len(asked.waiting)
            text = f"Contracts for {asked.month}: {agreed} of {len(asked.houses)} houses have answered."
        self._live.notice(now_s * 1000, text)

    def terms_changed(self, terms: Terms) -> None:
        """Go on with these terms."""
        if terms != self._agreed.terms:
            self._agreed.change(terms)
            self._live.terms_changed()
            self._running.terms_changed()

    def call(self, house: str, now_s: int) -> None:
        """Tell a house how its contracts stand."""
        link = self._links.get(house)
        if link is not None:
            for call in self._desk.calls(house, self._last_max_w(house), now_s):
                link.tell(call)

    def _last_max_w(self, house: str) -> int | None:
        """The largest power of its role in the month that runs (Fig 5.5: last month's maximum)."""
        view = self.month_so_far()
        account = None if view is None else view[0].accounts.get(house)
        return None if account is None else round(account.max_power_kw * 1000)

    async def collect(self, houses: Iterable[str], now_s: int, timeout_s: float) -> None:
        """Fetch what households answered and installers recorded, and act on it.

        Who does not answer within `timeout_s` is not waited for again; its answer counts when it comes.
        """
        new = []
        for house in houses:
            link = self._links.get(house)
            if link is None or (house in self._fetching and self._fetching[house].link is link):
                continue
            asked = _Asked(link, link.request(lambda request_id: FetchPost(request_id=request_id)))
            self._fetching[house] = asked
            new.append(asked.answer)
        if new:
            await asyncio.wait(new, timeout=timeout_s)
        for house, asked in sorted(self._fetching.items(), key=lambda item: item[0]):
            if not asked.answer.done():
                continue
            del self._fetching[house]
            post = None if asked.answer.exception() is not None else asked.answer.result()
            if isinstance(post, Post) and (post.answer is not None or post.swap is not None):
                await self._take(house, post, now_s)
                asked.link.tell(PostTaken(request_id=post.request_id))

    async def _take(self, house: str, post: Post, now_s: int) -> None:
        """Act on what was in the post; the house keeps it if this fails."""
        if post.swap is not None:
            await self._take_swap(house, post.swap, now_s)
        if post.answer is not None:
            answer = post.answer

            def taken() -> list[ContractRound]:
                agreed = self._desk.take(house, answer.month, answer.first_minute, answer.wish, now_s)
                return [] if agreed is None else [agreed]

            if not await self.keep_rounds(taken, now_s):
                self.call(house, now_s)

    async def _take_swap(self, house: str, swap: MeterSwap, now_s: int) -> None:
        """Keep it and say it once; records without end fill neither the disk nor the notices."""
        today = self._swaps.get(house)
        if today is None or today.day != now_s // DAY_S:
            today = self._swaps[house] = _Swaps(now_s // DAY_S)
        if swap.at_s in today.kept or len(today.kept) < SWAPS_A_DAY:
            await self._store.keep_swap(swap)
            if swap.at_s not in today.kept:
                today.kept.add(swap.at_s)
                self._live.notice(
                    now_s * 1000, f"House {house}: the meter was exchanged by {swap.installer}."
                )
        elif not today.overdone:
            today.overdone = True
            self._live.notice(
                now_s * 1000,
                f"House {house} records more than {SWAPS_A_DAY} exchanges of its meter in one day; the others"
                " are not kept. Look into it.",
            )

    # --- bills --------------------------------------------------------------------------------------

    def issued(self, papers: Iterable[Paper]) -> None:
        """These are on the disk and wait for their houses."""
        for paper in papers:
            self.papers += 1
            self._to_deliver.add(paper.house if isinstance(paper, Bill) else paper.account)

    def linked(self, house: str, now_s: int) -> None:
        """A house is linked: tell it how its contracts stand, and look whether bills wait for it."""
        self._to_deliver.add(house)
        self.call(house, now_s)

    async def deliver(self, now_s: int, timeout_s: float) -> None:
        """Hand over what waits for the houses that are linked; what is not taken is offered again."""
        linked = sorted(self._to_deliver & set(self._links))
        await asyncio.gather(*(self._deliver(house, now_s, timeout_s) for house in linked))

    async def _deliver(self, house: str, now_s: int, timeout_s: float) -> None:
        if house in self._handing:
            paper, asked = self._handing[house]
            if asked.link is self._links.get(house) and not asked.answer.done():
                return
            del self._handing[house]
            if asked.answer.done():
                await self._note(house, paper, asked.answer, now_s)
        for paper in await self._store.undelivered(house):
            link = self._links.get(house)
            if link is None:
                return
            answer = link.request(partial(letter, paper))
            await asyncio.wait([answer], timeout=timeout_s)
            if not answer.done():
                self._handing[house] = paper, _Asked(link, answer)
                return
            if not await self._note(house, paper, answer, now_s):
                return
        self._to_deliver.discard(house)

    async def _note(self, house: str, paper: Paper, answer: asyncio.Future[HouseMessage], now_s: int) -> bool:
        """Whether the house has taken the paper; then this is on the disk, and what it found of it."""
        if answer.exception() is not None or not isinstance(taken := answer.result(), Delivered):
            return False
        await self._store.delivered(paper, taken.check, now_s)
        self._say_check(house, paper, taken.check, now_s)
        return True

    def _say_check(self, house: str, paper: Paper, check: BillCheck | None, now_s: int) -> None:
        if check is not None and check.verdict is Verdict.DIFFERS:
            self._live.notice(
                now_s * 1000,
                f"House {house}: the bill of {paper.month} differs from its own meter; look into it.",
            )

    # --- the month so far ---------------------------------------------------------------------------

    def owe(self, adjustments: Iterable[Adjustment], waivers: Iterable[Waiver]) -> None:
        """The adjustments that wait for the next bill, and the waivers of months that wait for theirs."""
        owed: dict[str, int] = {}
        for adjustment in adjustments:
            owed[adjustment.account] = owed.get(adjustment.account, 0) + adjustment.total
        self._owed = owed
        self._waivers = tuple(waivers)

    def tell_month(self) -> None:
        """Tell every linked house its own month so far."""
        view = self.month_so_far()
        if view is None:
            return
        statements, penalties = view
        contracts = self._agreed.contracts_at(self._running.through - 1)
        for house, link in self._links.items():
            account = statements.accounts.get(house)
            if account is not None:
                link.tell(
                    MonthSoFar(
                        month=statements.month,
                        through=self._running.through,
                        contract=contracts.get(house),
                        microgrid_energy=account.microgrid_energy,
                        national_energy=account.national_grid_energy,
                        microgrid_amount=account.microgrid_amount,
                        national_amount=account.national_grid_amount,
                        penalties=penalties[house],
                        adjustments=self._owed.get(house, 0),
                        waived=self._waived(house, statements),
                    )
                )

    def _waived(self, house: str, statements: Statements) -> int:
        """What is waived of the house's penalties of this month, as far as it has come."""
        listed = [one for one in self._waivers if (one.house, one.month) == (house, statements.month)]
        return sum(waived(listed, charged_by(statements, house)).values())

    def month_so_far(self) -> tuple[Statements, dict[str, PenaltyParts]] | None:
        """The running month's accounts and penalties; None before the first minute or without a tariff."""
        try:
            return self._running.statements()
        except LookupError as fault:  # no tariff: said elsewhere, and not worth the minute's record
            log.warning("the month so far: %s", fault)
            return None
