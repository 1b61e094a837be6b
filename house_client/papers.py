"""The house's papers: calls for contracts and the answers to them, bills and what the house finds of them.

Everything is on the house's disk before the central hears that it has arrived, and an answer of the
household before it is announced. Runs on the event loop; the disk has its worker.
"""

import asyncio
from typing import TypeVar

import msgspec

from db.house.journal import MinuteJournal
from db.house.papers import PaperKind
from house_client.household import AgreedContract, History, Refused
from house_client.snapshot import ReceivedBill
from microgrid.bill import Adjustment, Bill, BillCheck, check_bill, own_energy
from microgrid.contracting import Wish, wish_faults
from microgrid.swap import MeterSwap
from microgrid.wire.messages import ContractAnswer, ContractCall, Deliver, Delivered, MonthSoFar, Post
from node.worker import Worker

Record = TypeVar("Record")

# Twenty years of months; whatever a central sends, the house's disk does not fill up with it.
KEPT_MONTHS = 240
KEPT_ADJUSTMENTS = 2000


class Papers:
    """What the house keeps on paper. Construct while no job is under way on the journal's worker."""

    def __init__(self, house: str, journal: MinuteJournal, worker: Worker) -> None:
        self._house = house
        self._journal = journal
        self._worker = worker
        self._calls = {_key(call): call for call in self._load(PaperKind.CONTRACT, ContractCall)}
        self._wishes = {_key(wish): wish for wish in self._load(PaperKind.WISH, ContractAnswer)}
        self._swaps = self._load(PaperKind.SWAP, MeterSwap)  # the central does not have these yet
        self._swaps_taken = self._load(PaperKind.SWAP_TAKEN, MeterSwap)
        self._bills = _newest_first(self._load(PaperKind.BILL, Bill))
        self._adjustments = {_adjustment_key(a): a for a in self._load(PaperKind.ADJUSTMENT, Adjustment)}
        self._checks = {key: self._check_of(key) for key in map(_bill_key, self._bills)}
        self._posted: dict[int, Post] = {}  # by request: what the central fetched and has not taken yet
        self._changing = asyncio.Lock()  # what the disk holds changes in the order in which it was said
        self.month: MonthSoFar | None = None

    # --- contracts ----------------------------------------------------------------------------------

    def call_at(self, now_s: int) -> ContractCall | None:
        """The call to be answered first now, or else the newest; None if there never was one."""
        calls = sorted(self._calls.values(), key=lambda call: call.first_minute)
        wanted = [call for call in calls if call.basis is None and now_s < call.closes_s]
        return wanted[0] if wanted else calls[-1] if calls else None

    def answered(self, call: ContractCall | None) -> bool:
        """Whether the household's answer to this call waits for the central's word."""
        return call is not None and _key(call) in self._wishes

    @property
    def post(self) -> bool:
        """Whether there is anything for the central to fetch."""
        return bool(self._wishes or self._swaps)

    async def called(self, call: ContractCall) -> None:
        """The central calls for a contract, or says how it stands; what is agreed needs no answer any more.

        A refusal leaves the answer waiting until the central has taken it: it may be of an earlier one.
        """
        key, encoded = _key(call), msgspec.msgpack.encode(call)

        def job() -> None:
            papers = self._journal.papers
            papers.keep(PaperKind.CONTRACT, key, call.first_minute * 60, encoded)
            if call.basis is not None:
                papers.drop(PaperKind.WISH, key)

        async with self._changing:
            self._calls[key] = call
            if call.basis is not None:
                self._wishes.pop(key, None)
            await self._worker.submit(job)
            await self._drop_oldest()

    async def answer(self, wish: Wish, to: ContractCall, now_s: int) -> None:
        """The household answers this call; Refused if it is not open any more or the wish cannot be."""
        key = _key(to)
        async with self._changing:
            call = self._calls.get(key)
            if call is None:
                raise Refused("No contract is being asked for now.")
            if call.basis is not None:
                raise Refused(f"The contract for {call.month} is agreed already; it is final for the month.")
            if now_s >= call.closes_s:
                raise Refused(f"The time to answer for {call.month} is over.")
            if faults := wish_faults(wish, call.connection_w, call.tariff):
                raise Refused(" ".join(faults.values()))
            answered = ContractAnswer(month=call.month, first_minute=call.first_minute, wish=wish)
            encoded = msgspec.msgpack.encode(answered)
            await self._worker.submit(lambda: self._journal.papers.keep(PaperKind.WISH, key, now_s, encoded))
            self._wishes[key] = answered

    # --- the central fetches ------------------------------------------------------------------------

    async def exchanged(self, swap: MeterSwap) -> None:
        """The installer exchanged the meter; the central is to know, also if the disk fails now."""
        key, encoded = str(swap.at_s), msgspec.msgpack.encode(swap)
        self._swaps.append(swap)
        await self._worker.submit(lambda: self._journal.papers.keep(PaperKind.SWAP, key, swap.at_s, encoded))

    def fetched(self, request_id: int) -> Post:
        """What is handed to the central; it stays here until the central has taken it."""
        answer = next(iter(self._wishes.values()), None)
        swap = self._swaps[0] if self._swaps else None
        post = Post(house=self._house, request_id=request_id, answer=answer, swap=swap)
        if answer is not None or swap is not None:
            self._posted[request_id] = post
        return post

    async def taken(self, request_id: int) -> None:
        """The central has what it fetched. An answer given meanwhile stays."""
        async with self._changing:
            post = self._posted.pop(request_id, None)
            if post is None:
                return
            answer, swap = post.answer, post.swap
            if answer is not None and self._wishes.get(_key(answer)) != answer:
                answer = None

            def job() -> None:
                papers = self._journal.papers
                if answer is not None:
                    papers.drop(PaperKind.WISH, _key(answer))
                if swap is not None:
                    encoded = msgspec.msgpack.encode(swap)
                    papers.keep(PaperKind.SWAP_TAKEN, str(swap.at_s), swap.at_s, encoded)
                    papers.drop(PaperKind.SWAP, str(swap.at_s))

            await self._worker.submit(job)
            if answer is not None:
                del self._wishes[_key(answer)]
            if swap is not None and swap in self._swaps:
                self._swaps.remove(swap)
                self._swaps_taken.append(swap)

    def link_lost(self) -> None:
        """What was fetched over a link that is gone is fetched again over the next one."""
        self._posted.clear()

    # --- bills --------------------------------------------------------------------------------------

    async def delivered(self, message: Deliver) -> Delivered:
        """A bill or an adjustment has come: keep it, check a bill against the house's own journal."""
        check = None
        if message.bill is not None:
            check = await self._keep_bill(message.bill)
        if message.adjustment is not None:
            await self._keep_adjustment(message.adjustment)
        await self._drop_oldest()
        return Delivered(house=self._house, request_id=message.request_id, check=check)

    async def _keep_bill(self, bill: Bill) -> BillCheck:
        key = _bill_key(bill)

        def job() -> BillCheck:
            minutes = range(bill.first_minute, bill.end_minute)
            rows = self._journal.month_rows(minutes.start, minutes.stop)
            reaches_back = bool(rows) and rows[0].minute < minutes.start
            check = check_bill(bill, own_energy(rows, minutes), reaches_back)
            papers = self._journal.papers
            papers.keep(PaperKind.CHECK, key, bill.issued_s, msgspec.msgpack.encode(check))
            papers.keep(PaperKind.BILL, key, bill.issued_s, msgspec.msgpack.encode(bill))
            return check

        check = await self._worker.submit(job)
        others = [other for other in self._bills if _bill_key(other) != key]
        self._bills, self._checks[key] = _newest_first([*others, bill]), check
        return check

    async def _keep_adjustment(self, adjustment: Adjustment) -> None:
        key, encoded = _adjustment_key(adjustment), msgspec.msgpack.encode(adjustment)
        await self._worker.submit(
            lambda: self._journal.papers.keep(PaperKind.ADJUSTMENT, key, adjustment.made_s, encoded)
        )
        self._adjustments[key] = adjustment

    @property
    def bill(self) -> ReceivedBill | None:
        """The newest bill; None before the first."""
        return self._received(self._bills[0]) if self._bills else None

    def history(self) -> History:
        """Bills, contracts and meters, each newest first."""
        agreed = sorted(
            (call for call in self._calls.values() if call.basis is not None),
            key=lambda call: call.first_minute,
            reverse=True,
        )
        return History(
            bills=tuple(self._received(bill) for bill in self._bills),
            contracts=tuple(
                AgreedContract(call.month, call.basis, call.agreed) for call in agreed if call.basis
            ),
            swaps=tuple(sorted((*self._swaps, *self._swaps_taken), key=lambda swap: swap.at_s, reverse=True)),
        )

    def _received(self, bill: Bill) -> ReceivedBill:
        later = sorted(
            (one for one in self._adjustments.values() if one.month == bill.month), key=lambda one: one.number
        )
        return ReceivedBill(bill, self._checks[_bill_key(bill)], tuple(later))

    # --- on disk ------------------------------------------------------------------------------------

    async def _drop_oldest(self) -> None:
        """Let go of what is beyond the number that is kept."""
        calls = sorted(self._calls.values(), key=lambda call: call.first_minute)[:-KEPT_MONTHS]
        adjustments = sorted(self._adjustments.values(), key=lambda one: one.made_s)[:-KEPT_ADJUSTMENTS]
        bills, self._bills = self._bills[KEPT_MONTHS:], self._bills[:KEPT_MONTHS]
        old = [(PaperKind.CONTRACT, _key(call)) for call in calls]
        old += [(PaperKind.ADJUSTMENT, _adjustment_key(one)) for one in adjustments]
        old += [(kind, _bill_key(bill)) for bill in bills for kind in (PaperKind.BILL, PaperKind.CHECK)]
        for call in calls:
            del self._calls[_key(call)]
        for one in adjustments:
            del self._adjustments[_adjustment_key(one)]
        for bill in bills:
            del self._checks[_bill_key(bill)]

        def job() -> None:
            for kind, key in old:
                self._journal.papers.drop(kind, key)

        if old:
            await self._worker.submit(job)

    def _load(self, kind: PaperKind, of: type[Record]) -> list[Record]:
        return [msgspec.msgpack.decode(body, type=of) for body in self._journal.papers.all(kind)]

    def _check_of(self, key: str) -> BillCheck:
        body = self._journal.papers.get(PaperKind.CHECK, key)
        assert body is not None, "a check is kept before its bill"
        return msgspec.msgpack.decode(body, type=BillCheck)


def _key(of: ContractCall | ContractAnswer) -> str:
    return f"{of.month}/{of.first_minute}"


def _bill_key(bill: Bill) -> str:
    return f"{bill.month}/{bill.kind}"


def _adjustment_key(adjustment: Adjustment) -> str:
    of_waiver = f"/{adjustment.waiver}" if adjustment.waiver else ""
    return f"{adjustment.month}/{adjustment.number}{of_waiver}"


def _newest_first(bills: list[Bill]) -> list[Bill]:
    return sorted(bills, key=lambda bill: (bill.first_minute, bill.issued_s), reverse=True)
