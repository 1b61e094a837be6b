"""The operator's side of a running central: questions to the archive, orders to the network thread."""

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from central_monitor.adapters.archive import Archive
from central_monitor.books import Agreements, DayLine, MinuteProof, MinuteTable, MonthBook, MonthEntry
from central_monitor.program import CentralProgram
from central_monitor.services import inquiries
from central_monitor.services.records import Answer, Records
from microgrid.agreements import ContractEntry, TariffEntry
from microgrid.contracting import ContractPolicy
from microgrid.directives import StrategyName
from microgrid.terms import House, Tariff, Terms
from node.loop_thread import LoopThread


class RunningOperator:
    """An `Operator` (see `operator.py`) of a program whose event loop runs in `thread`.

    Questions have an archive of their own, so that none waits for a month that is being settled.
    """

    def __init__(self, thread: LoopThread, program: CentralProgram, archive: Archive) -> None:
        self._thread = thread
        self._program = program
        self._archive = archive
        self._inquiries: inquiries.Inquiries | None = None

    @property
    def port(self) -> int:
        """Where houses connect."""
        return self._program.port

    def months(self) -> Future[tuple[MonthEntry, ...]]:
        """Every month with minutes, newest first."""
        return self._ask(lambda records: inquiries.month_entries(records, records.agreements.load()))

    def month(self, month: str) -> Future[MonthBook]:
        """Bills & Payments of a month; of one that is not billed yet, what it comes to so far."""
        return self._inquire(lambda asked, terms: asked.month_book(terms, month))

    def days(self, month: str, account: str) -> Future[tuple[DayLine, ...]]:
        """The days of an account's month."""
        return self._inquire(lambda asked, terms: asked.days(terms, month, account))

    def minutes(self, month: str, account: str, day: int) -> Future[MinuteTable]:
        """The minutes of the month's day number `day` (from 0)."""
        return self._inquire(lambda asked, terms: asked.minutes(terms, month, account, day))

    def proof(self, house: str, minute: int) -> Future[MinuteProof]:
        """What one minute of a house rests on."""
        return self._inquire(lambda asked, terms: asked.proof(terms, house, minute))

    def agreements(self) -> Future[Agreements]:
        """The rounds of contracts and the policy."""
        return self._ask(inquiries.agreements)

    def contract_history(self) -> Future[tuple[ContractEntry, ...]]:
        """Every contract ever agreed, in the order entered."""
        return self._ask(lambda records: records.agreements.contract_entries())

    def tariff_history(self) -> Future[tuple[TariffEntry, ...]]:
        """Every tariff ever entered, in the order entered."""
        return self._ask(lambda records: records.agreements.tariff_entries())

    def houses(self) -> Future[tuple[House, ...]]:
        """All known houses, also those that have left."""
        return self._ask(lambda records: records.agreements.load().houses)

    def set_policy(self, policy: ContractPolicy) -> Future[None]:
        """When contracts are asked for, and what silence means."""
        return self._order(self._program.administration.set_policy(policy))

    def open_round(self, author: str) -> Future[None]:
        """Ask all houses for next month's contract now."""
        program = self._program
        return self._order(program.administration.open_round(author, program.now_s()))

    def enter_tariff(self, tariff: Tariff, author: str, note: str) -> Future[None]:
        """A new tariff, or a corrected one."""
        program = self._program
        return self._order(program.administration.enter_tariff(tariff, author, note, program.now_s()))

    def add_house(self, house: House, author: str) -> Future[None]:
        """A house joins."""
        program = self._program
        return self._order(program.administration.add_house(house, author, program.now_s()))

    def end_membership(self, house: str, minute: int, author: str, note: str) -> Future[None]:
        """A house leaves."""
        program = self._program
        return self._order(
            program.administration.end_membership(house, minute, author, note, program.now_s())
        )

    def correct(
        self, house: str, minute: int, import_ws: int, export_ws: int, author: str, reason: str
    ) -> Future[None]:
        """Correct the registers a minute ended with."""
        program = self._program
        return self._order(
            program.administration.correct(
                house, minute, import_ws, export_ws, author, reason, program.now_s()
            )
        )

    def set_strategy(self, strategy: StrategyName, author: str, note: str) -> Future[None]:
        """Divide demand among sellers in this way."""
        program = self._program
        return self._order(program.directing.set_strategy(strategy, author, note, program.now_s()))

    def hold(self, house: str, target_w: int, author: str, note: str) -> Future[None]:
        """Hold a seller at this power."""
        program = self._program
        return self._order(program.directing.hold(house, target_w, author, note, program.now_s()))

    def release(self, house: str, author: str, note: str) -> Future[None]:
        """Dispatch a held seller again."""
        program = self._program
        return self._order(program.directing.release(house, author, note, program.now_s()))

    def take_out_of_service(self, house: str, until_minute: int, author: str, note: str) -> Future[None]:
        """A seller owes nothing and is asked for nothing until this minute."""
        program = self._program
        return self._order(
            program.directing.take_out_of_service(house, until_minute, author, note, program.now_s())
        )

    def return_to_service(self, house: str, author: str, note: str) -> Future[None]:
        """A seller is in service again."""
        program = self._program
        return self._order(program.directing.return_to_service(house, author, note, program.now_s()))

    def waive(self, house: str, month: str, amount: int, author: str, reason: str) -> Future[None]:
        """Waive this much of the penalties a house was charged for a month."""
        program = self._program
        return self._order(
            program.administration.waive(house, month, amount, author, reason, program.now_s())
        )

    def _ask(self, question: Callable[[Records], Answer]) -> Future[Answer]:
        return self._thread.submit(self._archive.read(question))

    def _inquire(self, question: Callable[[inquiries.Inquiries, Terms], Answer]) -> Future[Answer]:
        def asked(records: Records) -> Answer:  # in the archive's thread, which alone uses the inquiries
            if self._inquiries is None:
                self._inquiries = inquiries.Inquiries(records)
            return question(self._inquiries, records.agreements.load())

        return self._ask(asked)

    def _order(self, order: Coroutine[Any, Any, None]) -> Future[None]:
        return self._thread.submit(order)
