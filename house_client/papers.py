"""The house's papers: calls for contracts and the answers to them, bills and what the house finds of them.

Everything is on the house's disk before the central hears that it has arrived, and an answer of the
household before it is announced. Runs on the event loop; the disk has its worker.
"""

import logging
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

log = logging.getLogger(__name__)


class Papers:
    """What the house keeps on paper. Construct while no job is under way on the journal's worker."""

    def __init__(self, house: str, journal: MinuteJournal, worker: Worker) -> None:
        self._house = house
        self._journal = journal
        self._worker = worker
        self._calls = {_key(call): call for call in self._load(PaperKind.CONTRACT, ContractCall)}
        self._wishes = {_key(wish): wish for wish in self._load(PaperKind.WISH, ContractAnswer)}
        self._swaps = list(self._load(PaperKind.SWAP, MeterSwap))
        self._swaps_taken = list(self._load(PaperKind.SWAP_TAKEN, MeterSwap))
        self._bills = list(self._load(PaperKind.BILL, Bill))
        self._adjustments = list(self._load(PaperKind.ADJUSTMENT, Adjustment))
        self._checks = {key: self._check_of(key) for key in map(_bill_key, self._bills)}
        self._posted: dict[int, Post] = {}  # by request: what the central fetched and has not taken yet
        self.month: MonthSoFar | None = None

    # --- contracts ----------------------------------------------------------------------------------

    @property
    def call(self) -> ContractCall | None:
        """The call to be answered first, or else the newest; None if there never was one."""
        calls = sorted(self._calls.values(), key=lambda call: call.first_minute)
        waiting = [call for call in calls if call.basis is None]
        return waiting[0] if waiting else calls[-1] if calls else None

    @property
    def answer_waiting(self) -> bool:
        """Whether an answer of the household waits for the central's word."""
        return bool(self._wishes)

    @property
    def post(self) -> bool:
        """Whether there is anything for the central to fetch."""
        return bool(self._wishes or self._swaps)

    async def called(self, call: ContractCall) -> None:
        """The central calls for a contract, or says how it stands; its word ends the wait for it."""
        key = _key(call)
        decided = key in self._wishes and (call.basis is not None or bool(call.refusal))
        encoded = msgspec.msgpack.encode(call)

        def job() -> None:
            papers = self._journal.papers
            papers.keep(PaperKind.CONTRACT, key, call.first_minute * 60, encoded)
            if decided:
                papers.drop(PaperKind.WISH, key)

        if self._calls.get(key) != call or decided:
            await self._worker.submit(job)
        self._calls[key] = call
        if decided:
            self._wishes.pop(key, None)

    async def answer(self, wish: Wish, now_s: int) -> None:
        """The household answers the call that is open; Refused if there is none or the wish cannot be."""
        call = self.call
        if call is None or call.basis is not None:
            raise Refused("No contract is being asked for now.")
        if now_s >= call.closes_s:
            raise Refused(f"The time to answer for {call.month} is over.")
        if faults := wish_faults(wish, call.connection_w, call.tariff):
            raise Refused(" ".join(faults.values()))
        answered = ContractAnswer(month=call.month, first_minute=call.first_minute, wish=wish)
        key, encoded = _key(answered), msgspec.msgpack.encode(answered)
        await self._worker.submit(lambda: self._journal.papers.keep(PaperKind.WISH, key, now_s, encoded))
        self._wishes[key] = answered

    # --- the central fetches ------------------------------------------------------------------------

    async def exchanged(self, swap: MeterSwap) -> None:
        """The installer exchanged the meter; the central is to know."""
        encoded = msgspec.msgpack.encode(swap)
        key = str(swap.at_s)
        await self._worker.submit(lambda: self._journal.papers.keep(PaperKind.SWAP, key, swap.at_s, encoded))
        self._swaps.append(swap)

    def fetched(self, request_id: int) -> Post:
        """What is handed to the central; it stays here until the central has taken it."""
        answer = next(iter(self._wishes.values()), None)
        swap = self._swaps[0] if self._swaps else None
        post = Post(house=self._house, request_id=request_id, answer=answer, swap=swap)
        if answer is not None or swap is not None:
            self._posted[request_id] = post
        return post

    async def taken(self, request_id: int) -> None:
        """The central has what it fetched."""
        post = self._posted.pop(request_id, None)
        if post is None:
            return
        answer, swap = post.answer, post.swap

        def job() -> None:
            papers = self._journal.papers
            if answer is not None:
                papers.drop(PaperKind.WISH, _key(answer))
            if swap is not None:
                papers.keep(PaperKind.SWAP_TAKEN, str(swap.at_s), swap.at_s, msgspec.msgpack.encode(swap))
                papers.drop(PaperKind.SWAP, str(swap.at_s))

        await self._worker.submit(job)
        if answer is not None and self._wishes.get(_key(answer)) == answer:
            del self._wishes[_key(answer)]
        if swap is not None and swap in self._swaps:
            self._swaps.remove(swap)
            self._swaps_taken.insert(0, swap)

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
        self._bills = [other for other in self._bills if _bill_key(other) != key]
        self._bills.append(bill)
        self._bills.sort(key=lambda each: (each.first_minute, each.issued_s), reverse=True)
        self._checks[key] = check
        return check

    async def _keep_adjustment(self, adjustment: Adjustment) -> None:
        key = f"{adjustment.month}/{adjustment.number}"
        encoded = msgspec.msgpack.encode(adjustment)
        await self._worker.submit(
            lambda: self._journal.papers.keep(PaperKind.ADJUSTMENT, key, adjustment.made_s, encoded)
        )
        known = {(each.month, each.number) for each in self._adjustments}
        if (adjustment.month, adjustment.number) not in known:
            self._adjustments.append(adjustment)

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
            swaps=(*self._swaps, *self._swaps_taken),
        )

    def _received(self, bill: Bill) -> ReceivedBill:
        later = tuple(a for a in self._adjustments if a.month == bill.month)
        return ReceivedBill(bill, self._checks[_bill_key(bill)], later)

    # --- on disk ------------------------------------------------------------------------------------

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
