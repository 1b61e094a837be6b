"""The one writing connection to the central's database, in a thread of its own."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from central_monitor.services.month_end import Issued
from db.central import CENTRAL, AgreementRepository, BillingRepository, DirectiveRepository, MinuteStore
from db.engine import open_writer, transaction
from microgrid.agreements import ContractEntry, TariffEntry
from microgrid.bill import Adjustment, Bill, BillCheck, Change
from microgrid.contracting import ContractPolicy, ContractRound
from microgrid.directives import Directive
from microgrid.minute import MeterMinute, OrderMinute
from microgrid.swap import MeterSwap
from microgrid.terms import House, Terms
from microgrid.waiver import Waiver
from node.worker import InlineWorker, Worker

_DONE = object()


class DatabaseWriter:
    """Opens, migrates and owns the database. Raises DatabaseError where it cannot.

    Every coroutine returns once what it was given is on the disk, all of it or nothing.
    """

    def __init__(self, path: Path, worker: Worker | None = None) -> None:
        """`worker` runs the database's jobs; by default a thread of its own. It is closed with the writer.

        Jobs run inline belong to virtual time, whose commits are not flushed one by one (`open_writer`).
        """
        self.path = path
        self._worker = worker or Worker("database")
        power_safe = not isinstance(worker, InlineWorker)
        try:
            self._connection = self._worker.run(lambda: open_writer(path, CENTRAL, power_safe=power_safe))
        except BaseException:
            self._worker.close()
            raise
        self._store = MinuteStore(self._connection)
        self._agreements = AgreementRepository(self._connection)
        self._billing = BillingRepository(self._connection)
        self._directives = DirectiveRepository(self._connection)

    # --- start-up, before the event loop runs -------------------------------------------------------

    def save_terms(self, terms: Terms, entered_s: int = 0) -> None:
        """Store the first terms of a new database; `entered_s` 0: they were there from the start."""
        self._worker.run(
            lambda: self._agreements.found(terms, author="grid file", note="", entered_s=entered_s)
        )

    def load_terms(self) -> Terms:
        """The stored terms; LookupError if there are none yet."""
        return self._worker.run(self._agreements.load)

    def load_rounds(self) -> tuple[tuple[ContractRound, ...], ContractPolicy]:
        """The rounds of contracts so far, and the policy."""
        return self._worker.run(lambda: (self._agreements.rounds(), self._agreements.policy()))

    def load_billed(self) -> tuple[int, frozenset[str], tuple[Adjustment, ...], tuple[Waiver, ...]]:
        """Up to which minute bills are out, whose minutes they lacked, and what waits for the next ones."""
        billing = self._billing
        return self._worker.run(
            lambda: (
                billing.billed_until(),
                billing.open_houses(),
                billing.uncarried(),
                billing.waivers.to_be_billed(),
            )
        )

    def load_directives(self) -> tuple[Directive, ...]:
        """What the operator has ordered by hand, in the order entered."""
        return self._worker.run(self._directives.all)

    def last_minutes(self) -> Mapping[str, MeterMinute]:
        """The newest recorded minute of every house."""
        return self._worker.run(self._store.last_minutes)

    # --- minutes ------------------------------------------------------------------------------------

    async def append(
        self, meter: Sequence[MeterMinute], orders: Sequence[OrderMinute], changes: Sequence[Change] = ()
    ) -> None:
        """Commit these minutes, and what they change in months that are billed."""

        def job() -> None:
            with transaction(self._connection):
                self._store.append(meter, orders)
                self._note(changes, "")

        await self._worker.submit(job)

    async def correct(
        self, row: MeterMinute, author: str, reason: str, now_s: int, changes: Sequence[Change]
    ) -> None:
        """Keep a corrected reading beside the raw one, and what it changes in months that are billed."""

        def job() -> None:
            with transaction(self._connection):
                self._store.correct(row, author, reason, now_s)
                self._note(changes, author)

        await self._worker.submit(job)

    async def keep_swap(self, swap: MeterSwap) -> None:
        """Keep the record of an exchanged meter."""
        await self._worker.submit(lambda: self._store.keep_swap(swap))

    async def seal(self, day: int) -> None:
        """Pack a finished UTC day into columns, in jobs short enough for minutes to be stored in between."""
        steps = self._store.seal_in_steps(day)
        while await self._worker.submit(lambda: next(steps, _DONE)) is not _DONE:
            pass

    async def seal_next(self, before: int) -> bool:
        """Pack one finished day before this one that is not packed; False if there is none.

        Late minutes broke its seal, or the program missed its midnight.
        """
        days = await self._worker.submit(lambda: self._store.unsealed_days(before))
        if days:
            await self.seal(days[0])
        return bool(days)

    # --- agreements ---------------------------------------------------------------------------------

    async def save_round(self, asked: ContractRound) -> Terms:
        """Keep how a round of contracts stands; the terms it makes."""
        return await self._agree(lambda: self._agreements.save_round(asked))

    async def save_policy(self, policy: ContractPolicy) -> None:
        """Keep the policy of contracts."""
        await self._worker.submit(lambda: self._agreements.save_policy(policy))

    async def enter_tariff(self, entry: TariffEntry, changes: Sequence[Change]) -> Terms:
        """Add a tariff and note what it changes in billed months; the terms it makes."""

        def job() -> None:
            self._agreements.add_tariff(entry)
            self._note(changes, entry.author)

        return await self._agree(job)

    async def add_house(self, house: House) -> Terms:
        """Add a house; the terms it makes."""
        return await self._agree(lambda: self._agreements.add_house(house))

    async def end_membership(self, house: House, entry: ContractEntry) -> Terms:
        """Keep when a house leaves and that its contract ends; the terms it makes."""

        def job() -> None:
            self._agreements.change_house(house)
            self._agreements.add_contracts([entry])

        return await self._agree(job)

    async def _agree(self, job: Callable[[], None]) -> Terms:
        def done() -> Terms:
            with transaction(self._connection):
                job()
                return self._agreements.load()

        return await self._worker.submit(done)

    async def add_directive(self, directive: Directive) -> None:
        """Keep what the operator ordered by hand."""
        await self._worker.submit(lambda: self._directives.add(directive))

    # --- bills --------------------------------------------------------------------------------------

    async def issue(self, issued: Issued, taken: Sequence[int]) -> tuple[Adjustment, ...]:
        """Keep a run, its bills and adjustments; these changes are taken up by it.

        Returns what the run makes of the month's waivers, which is kept with it.
        """

        def job() -> tuple[Adjustment, ...]:
            with transaction(self._connection):
                of_waivers = self._billing.save(issued.run, issued.bills, issued.adjustments, taken)
                self._note(issued.changes, "")
            return of_waivers

        return await self._worker.submit(job)

    async def waive(self, waiver: Waiver) -> tuple[Adjustment, ...]:
        """Keep what the operator waives; what was posted of it, if the month is billed."""
        return await self._worker.submit(lambda: self._billing.waive(waiver))

    async def note(self, changes: Sequence[Change]) -> None:
        """Note what changed in months that are billed."""
        await self._worker.submit(lambda: self._note(changes, ""))

    async def issue_final(self, bill: Bill) -> None:
        """Keep the final bill of a house that leaves."""
        await self._worker.submit(lambda: self._billing.add(bill))

    async def take_up(self, changes: Sequence[int], run: int) -> None:
        """These changes made no difference to the run."""
        await self._worker.submit(lambda: self._billing.take_up(changes, run))

    async def undelivered(self, house: str) -> list[Bill | Adjustment]:
        """What a house does not have yet, oldest first."""

        def job() -> list[Bill | Adjustment]:
            bills, adjustments = self._billing.undelivered(house)
            papers: list[Bill | Adjustment] = [*bills, *adjustments]
            return sorted(papers, key=lambda paper: paper.month)

        return await self._worker.submit(job)

    async def delivered(self, paper: Bill | Adjustment, check: BillCheck | None, now_s: int) -> None:
        """Note that a house has this, and what it found."""

        def job() -> None:
            with transaction(self._connection):
                self._billing.delivered(paper, now_s)
                if isinstance(paper, Bill) and check is not None:
                    self._billing.keep_check(paper.month, paper.house, paper.kind, check)

        await self._worker.submit(job)

    def _note(self, changes: Sequence[Change], author: str) -> None:
        if changes:
            self._billing.note((change, author) for change in changes)

    def close(self) -> None:
        """Finish what was submitted and close the file."""
        self._worker.run(self._connection.close)
        self._worker.close()
