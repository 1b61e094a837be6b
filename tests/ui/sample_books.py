"""Books for tests and pictures of the bills: made-up, the same in every run, and adding up to zero."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from central_monitor.books import AccountLine, DayLine, MinuteProof, MinuteTable, MonthBook, MonthEntry
from microgrid.bill import Adjustment, Bill, BillCheck, BillKind, Cause, Verdict
from microgrid.minute import Hold, MeterMinute, OrderMinute, Origin
from microgrid.months import local_days, month_minutes, zone_of
from microgrid.statement import Account, PenaltyParts
from microgrid.terms import COMMON_ACCOUNTS, RESERVE, Contract, House, Obligation, Role, Source, Tariff
from microgrid.units import WS_PER_KWH, microcoins
from microgrid.waiver import Waiver
from tests.ui.answers import done

ZONE = "Asia/Karachi"
TARIFF = microcoins(17.6)
ISSUED, RUNNING, EARLIER = "2024-12", "2025-01", "2024-11"
LONG_NAME = "The family of the upper floor, house at the old water tower 1234"
LARGE = microcoins(123_456_789.01)
_RUNNING_MINUTES = 13 * 1440 + 845  # the month that runs is settled up to 14:05 of its 14th day
_COLUMNS = (
    "microgrid_energy", "national_grid_energy", "microgrid_amount", "national_grid_amount",
    "penalty_energy", "penalty_amount",
)  # fmt: skip


def house_id(index: int) -> str:
    return chr(ord("A") + index) if index < 26 else f"H{index + 1:03}"


def minutes_of(month: str) -> range:
    """What is settled of a month."""
    whole = month_minutes(month, zone_of(ZONE))
    return range(whole.start, whole.start + _RUNNING_MINUTES) if month == RUNNING else whole


def make_contract(index: int) -> Contract:
    """Every second house sells; from the sun and from a generator in turns."""
    if index % 2 == 0:
        return Contract(house=house_id(index), role=Role.CONSUMER, valid_from=0, valid_to=10**9, max_w=2500)
    source = Source.SOLAR if index % 4 == 1 else Source.GENERATOR
    return Contract(
        house=house_id(index), role=Role.PRODUCER, valid_from=0, valid_to=10**9, max_w=2500, min_w=250,
        price=microcoins(8 if source is Source.SOLAR else 25), source=source, obligation=Obligation.ALWAYS,
    )  # fmt: skip


def make_table(index: int, minutes: range) -> MinuteTable:
    """The minutes of house number `index`: a slow swing, evenings with the national grid, some penalties."""
    minute = np.arange(minutes.start, minutes.stop)
    local = (minute + 300) % 1440  # of the day, in Karachi
    swing = np.sin(2 * np.pi * local / 1440 + index)
    rate = np.round(12e6 + 2e6 * np.sin(2 * np.pi * local / 1440)).astype(np.int64)
    quiet = (local >= 120) & (local < 140)  # nobody exports
    zero = np.zeros(len(minute), np.int64)
    if index % 2:
        local_energy = np.where(quiet, 0, np.round((1400 + 600 * swing) * 60)).astype(np.int64)
        price, national = np.full(len(minute), make_contract(index).price), zero
        owed = np.where((local >= 1100) & (local < 1110) & (minute // 1440 % 3 == 0), 6000, 0)
    else:
        taken = -np.round((900 + 500 * swing) * 60).astype(np.int64)
        share = np.where(quiet, 100, np.where((local >= 1080) & (local < 1200), 25, 0))
        national = -(-taken * share // 100)
        local_energy, price, owed = taken - national, rate, zero
    estimated = (index == 2) & (minute // 1440 % 7 == 4) & (local >= 600) & (local < 612)
    return MinuteTable(
        first_minute=minutes.start,
        end_minute=minutes.stop,
        microgrid_energy=local_energy,
        national_grid_energy=national,
        microgrid_amount=local_energy * price // WS_PER_KWH,
        national_grid_amount=national * TARIFF // WS_PER_KWH,
        penalty_energy=owed.astype(np.int64),
        penalty_amount=-owed.astype(np.int64) * TARIFF // WS_PER_KWH,
        estimated=np.asarray(estimated) & np.ones(len(minute), np.bool_),
        rate=np.where(quiet, -1, rate),
    )


def make_day(table: MinuteTable) -> DayLine:
    """The sums of a table's minutes."""
    sums: dict[str, int] = {name: int(getattr(table, name).sum()) for name in _COLUMNS}
    return DayLine(
        first_minute=table.first_minute,
        end_minute=table.end_minute,
        **sums,
        estimated_minutes=int(table.estimated.sum()),
    )


def common_table(account: str, tables: list[MinuteTable]) -> MinuteTable:
    """What the houses' minutes leave to the national grid and the reserve."""
    sums = {name: sum(getattr(table, name) for table in tables) for name in _COLUMNS}
    zero = np.zeros_like(sums["microgrid_energy"])
    columns = dict.fromkeys(_COLUMNS, zero)
    if account == "national_grid":
        columns["microgrid_energy"] = -sums["microgrid_energy"]
        columns["national_grid_energy"] = -sums["national_grid_energy"]
        columns["national_grid_amount"] = -sums["national_grid_amount"]
    elif account == "reserve":
        columns["microgrid_amount"] = -sums["microgrid_amount"]
        columns["penalty_amount"] = -sums["penalty_amount"]
    return replace(tables[0], **columns, estimated=zero > 0)


def account_of(role: str, days: list[DayLine], adjustments: int = 0) -> Account:
    """A month's account from its days."""
    sums = {name: sum(getattr(day, name) for day in days) for name in _COLUMNS}
    estimated = sum(day.estimated_minutes for day in days)
    total = sums["microgrid_amount"] + sums["national_grid_amount"] + sums["penalty_amount"] + adjustments
    house = role in (Role.CONSUMER, Role.PRODUCER)
    return Account(
        role=role, **sums, adjustments=adjustments, total=total,
        max_power_kw=2.0 if house else 0.0, min_power_kw=0.4 if house else 0.0,
        estimated_energy=-54_000 * estimated, estimated_minutes=estimated,
    )  # fmt: skip


def make_bill(index: int, month: str, account: Account, **changes) -> Bill:
    """The bill of this account, issued ten minutes after the month."""
    minutes = minutes_of(month)
    penalties = PenaltyParts(
        deficit_energy=account.penalty_energy // 3,
        deficit_amount=account.penalty_amount // 3,
        minimum_energy=account.penalty_energy - account.penalty_energy // 3,
        minimum_amount=account.penalty_amount - account.penalty_amount // 3,
    )
    bill = Bill(
        house=house_id(index), name=f"{index + 1} Garden Lane", month=month, zone=ZONE, kind=BillKind.MONTH,
        first_minute=minutes.start, end_minute=minutes.stop, issued_s=(minutes.stop + 10) * 60,
        contract=make_contract(index), tariff=TARIFF, account=account, penalties=penalties,
    )  # fmt: skip
    return msgspec.structs.replace(bill, **changes)


def make_adjustment(
    account: str, amount: int, *, own: bool, month: str = ISSUED, number: int = 2
) -> Adjustment:
    """An adjustment after a corrected reading; `own` if it was this account's."""
    made_s = (minutes_of(month).stop + 3 * 1440 + 15) * 60
    reason = "The reading of 12 December, 14:05, was corrected: the meter's display was read wrongly."
    return Adjustment(
        account=account, month=month, number=number, made_s=made_s, causes=(Cause.CORRECTED,), own=own,
        reason=reason if own else "", energy=-720_000 if own else 0, microgrid_amount=amount,
        national_grid_amount=0, penalty_amount=0,
    )  # fmt: skip


def make_check(bill: Bill, verdict: Verdict) -> BillCheck:
    """The house's finding."""
    energy = bill.account.microgrid_energy + bill.account.national_grid_energy
    own = energy - 360_000 if verdict is Verdict.DIFFERS else energy
    known = verdict is not Verdict.UNCHECKED
    return BillCheck(
        verdict=verdict, billed_energy=energy, own_least=own if known else None,
        own_most=own if known else None, sums_right=True,
    )  # fmt: skip


def make_waivers(month: str = ISSUED, *, number: int = 1) -> tuple[Waiver, ...]:
    """A tenth of a coin of B's penalties, waived within the month."""
    entered_s = minutes_of(month).start * 60 + 20 * 3600
    return (
        Waiver(
            month=month, house="B", amount=100_000, author="S. Malik", number=number, entered_s=entered_s,
            reason="The tie breaker was being tested that evening.",
        ),
    )  # fmt: skip


def make_book(month: str = ISSUED, count: int = 4) -> MonthBook:
    """A month: issued and adjusted afterwards (2024-12), issued (2024-11), or still running (2025-01).

    In the one that runs, some of B's penalties are waived.
    """
    minutes = minutes_of(month)
    days = [[make_day(make_table(index, day)) for day in local_days(minutes, zone_of(ZONE))]
            for index in range(count)]  # fmt: skip
    adjustments: tuple[Adjustment, ...] = ()
    if month == ISSUED:
        adjustments = (
            make_adjustment("A", -2_345_678, own=True),
            make_adjustment("B", 1_600_000, own=False),
            make_adjustment("reserve", 745_678, own=False),
        )
    later = {each.account: each.total for each in adjustments}
    waivers = make_waivers(month) if month == RUNNING and count > 1 else ()
    waived = sum(each.amount for each in waivers)
    lines = [
        _house_line(index, month, days[index], later, waived if index == 1 else 0) for index in range(count)
    ]
    lines += _common_lines(days, later, waived)
    return MonthBook(
        month=month, zone=ZONE, first_minute=minutes.start, end_minute=minutes.stop,
        issued_s=None if month == RUNNING else (minutes.stop + 10) * 60, lines=tuple(lines),
        total=sum(line.statement.total for line in lines), adjustments=adjustments, waivers=waivers,
    )  # fmt: skip


def _house_line(
    index: int, month: str, days: list[DayLine], later: dict[str, int], waived: int
) -> AccountLine:
    account = account_of(make_contract(index).role, days, waived)
    house = house_id(index)
    bill = None if month == RUNNING else make_bill(index, month, account)
    verdicts = (Verdict.AGREES, Verdict.DIFFERS, Verdict.UNCHECKED, None)
    verdict = verdicts[index] if index < 4 else Verdict.AGREES
    check = make_check(bill, verdict) if bill is not None and verdict is not None else None
    return AccountLine(
        account=house, name=f"{index + 1} Garden Lane", statement=account, adjusted=later.get(house, 0),
        bill=bill, check=check, waived=waived, waivable=-account.penalty_amount - waived,
    )  # fmt: skip


def _common_lines(days: list[list[DayLine]], later: dict[str, int], waived: int) -> list[AccountLine]:
    sums = {name: sum(getattr(day, name) for house in days for day in house) for name in _COLUMNS}
    zero = account_of("losses", [])
    national = {
        "microgrid_energy": -sums["microgrid_energy"], "national_grid_energy": -sums["national_grid_energy"],
        "national_grid_amount": -sums["national_grid_amount"], "total": -sums["national_grid_amount"],
    }  # fmt: skip
    reserve = {
        "microgrid_amount": -sums["microgrid_amount"], "penalty_amount": -sums["penalty_amount"],
        "adjustments": -waived, "total": -sums["microgrid_amount"] - sums["penalty_amount"] - waived,
    }  # fmt: skip
    changes: tuple[dict[str, int], ...] = (national, reserve, {})
    return [
        AccountLine(
            account=name, name="", statement=msgspec.structs.replace(zero, role=name, **change),
            adjusted=later.get(name, 0), bill=None, check=None, waivable=0,
            waived=-waived if name == RESERVE else 0,
        )
        for name, change in zip(COMMON_ACCOUNTS, changes, strict=True)
    ]  # fmt: skip


def make_row(house: str, minute: int, **changes) -> MeterMinute:
    """A meter minute as it is when all is well."""
    row = MeterMinute(
        house=house, minute=minute, epoch=3, import_ws=1_234_567_890, export_ws=25_200_000, generation_ws=0,
        closed_s=60, covered_s=60, max_w=-1150, min_w=-1260, voltage_mv=230_400, current_ma=5_312,
        power_factor_milli=981, frequency_mhz=49_980, suspect=0,
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


def make_proof(house: str = "A", minute: int = 28_890_005, **changes) -> MinuteProof:
    """A minute settled by hand: A takes 1200 W, the rate is 14.375; B is blamed for 300 W."""
    consumer = (ord(house[0]) - ord("A")) % 2 == 0
    before = make_row(house, minute - 1)
    contract = make_contract(0 if consumer else 1)
    tariff = Tariff(valid_from=0, valid_to=10**9, national=TARIFF)
    common: dict[str, Any] = {
        "house": House(
            house=house, name=f"{ord(house[0]) - 64} Garden Lane", connection_w=5000
        ), "minute": minute,
        "before": before, "after": None, "revisions": (), "corrected_by": "",
        "contract": msgspec.structs.replace(contract, house=house),
        "tariff": tariff, "estimated": False, "rate": 14_375_000, "produced": 144_000, "consumed": 180_000,
        "national_grid_energy": 0, "national_grid_amount": 0,
    }  # fmt: skip
    if consumer:
        proof = MinuteProof(
            **common, row=make_row(house, minute, import_ws=before.import_ws + 72_000), order=None,
            net_energy=-72_000, allotment=150_000, microgrid_energy=-72_000, microgrid_amount=-287_500,
            penalties=PenaltyParts(),
        )  # fmt: skip
    else:
        order = OrderMinute(
            house=house, minute=minute, raise_standing=True, target_w=2500, hold=Hold.NONE, command_id=17,
            acknowledged_s=(minute - 3) * 60 + 5, tie_closed=True,
        )  # fmt: skip
        row = make_row(
            house, minute, export_ws=before.export_ws + 90_000, max_w=1520, min_w=1480, power_factor_milli=998
        )
        proof = MinuteProof(
            **common, row=row, order=order, net_energy=90_000, allotment=None, microgrid_energy=90_000,
            microgrid_amount=200_000,
            penalties=PenaltyParts(deficit_energy=18_000, deficit_amount=-88_000),
        )  # fmt: skip
    return replace(proof, **changes)


def corrected_proof() -> MinuteProof:
    """A minute whose reading was corrected."""
    first = make_proof()
    assert first.row is not None
    row = msgspec.structs.replace(first.row, origin=Origin.CORRECTED, revision=1)
    wrong = msgspec.structs.replace(first.row, import_ws=first.row.import_ws + 720_000)
    return replace(
        first, row=row, revisions=(wrong,), corrected_by="S. Malik: the meter's display was read wrongly"
    )


def missing_proof() -> MinuteProof:
    """A minute that never came, between two readings three minutes apart."""
    first = make_proof()
    assert first.before is not None
    after = make_row("A", first.minute + 2, import_ws=first.before.import_ws + 216_000, origin=Origin.LATE)
    return replace(first, row=None, after=after, estimated=True)


class SampleOperator:
    """Answers the questions of the bills' page from made-up books, at once.

    Assign `answer` to answer otherwise: it is given the name of the question and its proper answer.
    """

    def __init__(self, count: int = 4) -> None:
        self.count = count
        self.asked: list[tuple[object, ...]] = []
        self.answer = lambda name, result: done(result())

    def months(self):
        entries = (
            MonthEntry(RUNNING, None, 0),
            MonthEntry(ISSUED, 1_735_672_200, 2),
            MonthEntry(EARLIER, 1, 1),
        )
        return self._answer("months", lambda: entries)

    def month(self, month):
        return self._answer("month", lambda: make_book(month, self.count), month)

    def days(self, month, account):
        days = local_days(minutes_of(month), zone_of(ZONE))
        return self._answer(
            "days", lambda: tuple(make_day(self._table(account, day)) for day in days), month, account
        )

    def minutes(self, month, account, day):
        minutes = local_days(minutes_of(month), zone_of(ZONE))[day]
        return self._answer("minutes", lambda: self._table(account, minutes), month, account, day)

    def proof(self, house, minute):
        return self._answer("proof", lambda: make_proof(house, minute), house, minute)

    def _table(self, account, minutes):
        if account in COMMON_ACCOUNTS:
            return common_table(account, [make_table(index, minutes) for index in range(self.count)])
        return make_table([house_id(index) for index in range(self.count)].index(account), minutes)

    def _answer(self, name, result, *question):
        self.asked.append((name, *question))
        return self.answer(name, result)
