"""An operator's side made of lists: it notes every order and answers at once, or refuses as the test says."""

from concurrent.futures import Future

from central_monitor.books import Agreements, MonthEntry
from central_monitor.operator import OrderRefused
from microgrid.agreements import Basis, ContractEntry, TariffEntry
from microgrid.contracting import ContractPolicy, ContractRound
from microgrid.directives import StrategyName
from microgrid.months import month_minutes, zone_of
from microgrid.terms import FOREVER, Contract, House, Role, Source, Tariff
from microgrid.units import microcoins
from tests.ui.answers import done
from tests.ui.sample_snapshots import NOW_S, ZONE, make_house

NOW = int(NOW_S)
LONG_NAME = "The family of the upper floor, house at the old water tower 1234"
MONTHS = tuple(f"2024-{month:02}" for month in range(1, 13))
NEXT = "2025-01"  # the month after the one that runs in sample_snapshots


def minutes_of(month: str) -> range:
    return month_minutes(month, zone_of(ZONE))


def make_members(count: int) -> tuple[House, ...]:
    """Houses as sample_snapshots has them; the second one has a long name."""
    views = [make_house(index) for index in range(count)]
    return tuple(
        House(house=view.house, name=LONG_NAME if index == 1 else view.name, connection_w=5000)
        for index, view in enumerate(views)
    )


def make_contract(index: int, minutes: range) -> Contract:
    """Every second house sells, from the sun and from a generator in turns."""
    house = make_house(index).house
    if index % 2 == 0:
        return Contract(
            house=house, role=Role.CONSUMER, valid_from=minutes.start, valid_to=minutes.stop, max_w=2500
        )
    source = Source.SOLAR if index % 4 == 1 else Source.GENERATOR
    return Contract(
        house=house, role=Role.PRODUCER, valid_from=minutes.start, valid_to=minutes.stop, max_w=2500,
        min_w=250, price=microcoins(8 if source is Source.SOLAR else 25), source=source,
    )  # fmt: skip


def make_entry(index: int, month: str, basis: Basis = Basis.ANSWERED) -> ContractEntry:
    """What was agreed for house number `index` a day before the month."""
    minutes = minutes_of(month)
    contract = make_contract(index, minutes)
    return ContractEntry(
        house=contract.house, month=month, valid_from=minutes.start, valid_to=minutes.stop,
        contract=None if basis is Basis.NO_ANSWER else contract, basis=basis,
        author=f"house {contract.house}" if basis is Basis.ANSWERED else "policy", note="",
        entered_s=minutes.start * 60 - 86_400,
    )  # fmt: skip


def make_round(month: str, count: int, agreed: int, *, final: bool = False) -> ContractRound:
    """A round that the first `agreed` houses have answered."""
    minutes = minutes_of(month)
    return ContractRound(
        month=month, minutes=minutes, houses=tuple(house.house for house in make_members(count)),
        opened_s=minutes.start * 60 - 3 * 86_400, closes_s=minutes.start * 60, opened_by="policy",
        final_s=minutes.start * 60 if final else None,
        entries=tuple(make_entry(index, month) for index in range(agreed)),
    )  # fmt: skip


def make_history(count: int) -> tuple[ContractEntry, ...]:
    """A year of contracts: one house is silent in each month, in turns."""
    return tuple(
        make_entry(index, month, _basis(index, number, count))
        for number, month in enumerate(MONTHS)
        for index in range(count)
    )


def _basis(index: int, number: int, count: int) -> Basis:
    if index == number % count:
        return Basis.CARRIED_OVER
    return Basis.NO_ANSWER if index == (number + 2) % count else Basis.ANSWERED


def make_tariffs() -> tuple[TariffEntry, ...]:
    """What the grid file brought, a correction of October, and one that is to come."""
    october, april = minutes_of("2024-10"), minutes_of("2025-04")
    founded = Tariff(valid_from=0, valid_to=FOREVER, national=microcoins(17.6), feed_in=microcoins(4))
    corrected = Tariff(valid_from=october.start, valid_to=october.stop, national=microcoins(17.25))
    to_come = Tariff(valid_from=april.start, valid_to=FOREVER, national=microcoins(18.9))
    return (
        TariffEntry(tariff=founded, author="grid file", note="came with the grid", entered_s=NOW - 10**7),
        TariffEntry(
            tariff=corrected, author="A. Operator", note="bill of the utility", entered_s=NOW - 10**6
        ),
        TariffEntry(tariff=to_come, author="A. Operator", note="announced", entered_s=NOW - 10**5),
    )


class FakeOperator:
    """Keeps every order as (name, arguments); `refusal` makes orders fail, `unread` questions."""

    def __init__(self, count: int = 4) -> None:
        self.orders: list[tuple[str, tuple[object, ...]]] = []
        self.refusal: str | None = None
        self.unread: Exception | None = None
        self.asked = 0
        self.members = make_members(count)
        self.policy = ContractPolicy()
        self.rounds: tuple[ContractRound, ...] = (make_round("2024-12", count, count, final=True),)
        self.history = make_history(count)
        self.tariffs = make_tariffs()
        self.billed = (
            MonthEntry("2024-12", None, 0), MonthEntry("2024-11", NOW - 86_400, 1),
            MonthEntry("2024-10", NOW - 31 * 86_400, 2),
        )  # fmt: skip

    def months(self) -> Future:
        return self._answer(self.billed)

    def month(self, month: str) -> Future:
        return done(LookupError("There are no books here."))

    def days(self, month: str, account: str) -> Future:
        return done(LookupError("There are no books here."))

    def minutes(self, month: str, account: str, day: int) -> Future:
        return done(LookupError("There are no books here."))

    def proof(self, house: str, minute: int) -> Future:
        return done(LookupError("There are no books here."))

    def agreements(self) -> Future:
        self.asked += 1
        return self._answer(Agreements(self.policy, self.rounds))

    def contract_history(self) -> Future:
        return self._answer(self.history)

    def tariff_history(self) -> Future:
        return self._answer(self.tariffs)

    def houses(self) -> Future:
        return self._answer(self.members)

    def set_policy(self, policy: ContractPolicy) -> Future:
        self.policy = policy if self.refusal is None else self.policy
        return self._carry_out("set_policy", policy)

    def open_round(self, author: str) -> Future:
        if self.refusal is None:
            self.rounds = (make_round(NEXT, len(self.members), 0), *self.rounds)
        return self._carry_out("open_round", author)

    def enter_tariff(self, tariff: Tariff, author: str, note: str) -> Future:
        if self.refusal is None:
            entry = TariffEntry(tariff=tariff, author=author, note=note, entered_s=NOW)
            self.tariffs = (*self.tariffs, entry)
        return self._carry_out("enter_tariff", tariff, author, note)

    def add_house(self, house: House, author: str) -> Future:
        if self.refusal is None:
            self.members = (*self.members, house)
        return self._carry_out("add_house", house, author)

    def end_membership(self, house: str, minute: int, author: str, note: str) -> Future:
        return self._carry_out("end_membership", house, minute, author, note)

    def correct(
        self, house: str, minute: int, import_ws: int, export_ws: int, author: str, reason: str
    ) -> Future:
        return self._carry_out("correct", house, minute, import_ws, export_ws, author, reason)

    def waive(self, house: str, month: str, amount: int, author: str, reason: str) -> Future:
        return self._carry_out("waive", house, month, amount, author, reason)

    def set_strategy(self, strategy: StrategyName, author: str, note: str) -> Future:
        return self._carry_out("set_strategy", strategy, author, note)

    def hold(self, house: str, target_w: int, author: str, note: str) -> Future:
        return self._carry_out("hold", house, target_w, author, note)

    def release(self, house: str, author: str, note: str) -> Future:
        return self._carry_out("release", house, author, note)

    def take_out_of_service(self, house: str, until_minute: int, author: str, note: str) -> Future:
        return self._carry_out("take_out_of_service", house, until_minute, author, note)

    def return_to_service(self, house: str, author: str, note: str) -> Future:
        return self._carry_out("return_to_service", house, author, note)

    def _answer(self, answer: object) -> Future:
        return done(self.unread or answer)

    def _carry_out(self, name: str, *arguments: object) -> Future:
        self.orders.append((name, arguments))
        return done(None if self.refusal is None else OrderRefused(self.refusal))
