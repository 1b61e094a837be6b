"""How the windows ask and order: the operator's side of the program, as the screens know it.

Every call returns at once with a future; its result is an answer to a question, or None for an order
that was carried out. An order that cannot be is `OrderRefused`, in words for the operator.
"""

from concurrent.futures import Future
from typing import Protocol

from central_monitor.books import Agreements, DayLine, MinuteProof, MinuteTable, MonthBook, MonthEntry
from microgrid.agreements import ContractEntry, TariffEntry
from microgrid.contracting import ContractPolicy
from microgrid.directives import StrategyName
from microgrid.terms import House, Tariff


class OrderRefused(Exception):
    """The order cannot be carried out; the text says why and what to change."""


class Operator(Protocol):
    """What the operator can ask and order. `author` is the name of the operator at the desk."""

    def months(self) -> "Future[tuple[MonthEntry, ...]]":
        """Every month with minutes, newest first."""

    def month(self, month: str) -> "Future[MonthBook]":
        """Bills & Payments of a month; of one that is not billed yet, what it comes to so far."""

    def days(self, month: str, account: str) -> "Future[tuple[DayLine, ...]]":
        """The days of an account's month."""

    def minutes(self, month: str, account: str, day: int) -> "Future[MinuteTable]":
        """The minutes of the month's day number `day` (from 0)."""

    def proof(self, house: str, minute: int) -> "Future[MinuteProof]":
        """What one minute of a house rests on."""

    def agreements(self) -> "Future[Agreements]":
        """The rounds of contracts and the policy."""

    def contract_history(self) -> "Future[tuple[ContractEntry, ...]]":
        """Every contract ever agreed, in the order entered."""

    def tariff_history(self) -> "Future[tuple[TariffEntry, ...]]":
        """Every tariff ever entered, in the order entered."""

    def houses(self) -> "Future[tuple[House, ...]]":
        """All known houses, also those that have left."""

    def set_policy(self, policy: ContractPolicy) -> "Future[None]":
        """When contracts are asked for, and what silence means."""

    def open_round(self, author: str) -> "Future[None]":
        """Ask all houses for next month's contract now (5.3)."""

    def enter_tariff(self, tariff: Tariff, author: str, note: str) -> "Future[None]":
        """A new tariff, or, for minutes that have passed, a corrected one: their months are adjusted."""

    def add_house(self, house: House, author: str) -> "Future[None]":
        """A house joins from `house.joined` on; it is asked for a contract for the rest of the month."""

    def end_membership(self, house: str, minute: int, author: str, note: str) -> "Future[None]":
        """A house leaves at this minute; its final bill follows once its minutes are in."""

    def correct(
        self, house: str, minute: int, import_ws: int, export_ws: int, author: str, reason: str
    ) -> "Future[None]":
        """Correct the registers a minute ended with; the reading as it came is kept."""

    def waive(self, house: str, month: str, amount: int, author: str, reason: str) -> "Future[None]":
        """Waive this much (micro-coins) of the penalties a house was charged for a month.

        The reserve pays it back: with the month's own statement, or, if that is out, with the next one.
        """

    def set_strategy(self, strategy: StrategyName, author: str, note: str) -> "Future[None]":
        """Divide demand among sellers in this way from the next control step on (6.4, 5.7.1)."""

    def hold(self, house: str, target_w: int, author: str, note: str) -> "Future[None]":
        """Hold a seller at this power, within its contract, whatever the strategy says."""

    def release(self, house: str, author: str, note: str) -> "Future[None]":
        """A seller that was held is dispatched again."""

    def take_out_of_service(self, house: str, until_minute: int, author: str, note: str) -> "Future[None]":
        """From the next minute until this one a seller owes nothing and is asked for nothing."""

    def return_to_service(self, house: str, author: str, note: str) -> "Future[None]":
        """A seller is in service again, before the end that was set."""
