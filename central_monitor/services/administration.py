"""The operator's orders that change terms and readings: checked here, stored, and then in force.

Nothing is overwritten: a tariff lies over the one before, a corrected reading beside the raw one. What
changes a month whose bills are out is noted, and makes an adjustment.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from central_monitor.operator import OrderRefused
from central_monitor.services.agreed import Agreed
from central_monitor.services.bookkeeper import Bookkeeper
from central_monitor.services.clerk import Clerk
from central_monitor.services.contracts import ContractDesk
from central_monitor.services.month_end import LateMinutes
from central_monitor.services.records import Reader
from central_monitor.services.refusing import named, said
from central_monitor.services.waiving import waivable
from microgrid.agreements import Basis, ContractEntry, TariffEntry, tariffs_of
from microgrid.bill import Adjustment, Cause, Change
from microgrid.contracting import ContractPolicy, ContractRound
from microgrid.metering import registers_of
from microgrid.minute import MeterMinute, Origin
from microgrid.months import local_time, month_minutes, month_of, zone_of
from microgrid.registers import rise_is_plausible
from microgrid.terms import FOREVER, House, Tariff, Terms, terms_faults
from microgrid.units import MICROCOINS_PER_COIN, SECONDS_PER_MINUTE
from microgrid.waiver import Waiver


class OrderStore(Protocol):
    """Where orders are kept; every call returns once it is on the disk."""

    async def save_policy(self, policy: ContractPolicy) -> None:
        """Keep the policy of contracts."""

    async def enter_tariff(self, entry: TariffEntry, changes: Sequence[Change]) -> Terms:
        """Add a tariff and note what it changes in billed months; the terms it makes."""

    async def add_house(self, house: House) -> Terms:
        """Add a house; the terms it makes."""

    async def end_membership(self, house: House, entry: ContractEntry) -> Terms:
        """Keep when a house leaves and that its contract ends; the terms it makes."""

    async def correct(
        self, row: MeterMinute, author: str, reason: str, now_s: int, changes: Sequence[Change]
    ) -> None:
        """Keep a corrected reading beside the raw one, and note what it changes in billed months."""

    async def waive(self, waiver: Waiver) -> Sequence[Adjustment]:
        """Keep what is waived; what was posted of it, if the month is billed."""


class Administration:
    """Owned by the network thread. Every order raises `OrderRefused` in words if it cannot be."""

    def __init__(
        self,
        store: OrderStore,
        archive: Reader,
        agreed: Agreed,
        desk: ContractDesk,
        clerk: Clerk,
        bookkeeper: Bookkeeper,
        late: LateMinutes,
    ) -> None:
        self._store = store
        self._archive = archive
        self._agreed = agreed
        self._desk = desk
        self._clerk = clerk
        self._bookkeeper = bookkeeper
        self._late = late
        self._zone = zone_of(agreed.terms.zone)
        self._waiving = asyncio.Lock()

    async def set_policy(self, policy: ContractPolicy) -> None:
        """When contracts are asked for, and what silence means."""
        if not 0 <= policy.opens_days <= 28:
            raise OrderRefused("Contracts are asked for 0 to 28 days before the month.")
        await self._store.save_policy(policy)
        self._desk.policy = policy

    async def open_round(self, author: str, now_s: int) -> None:
        """Ask all houses for next month's contract now."""
        named(author)

        def opened() -> list[ContractRound]:
            asked = self._desk.open_now(now_s, author)
            if asked is None:
                raise OrderRefused("The contracts of next month are being asked for already, or are final.")
            return [asked]

        await self._clerk.keep_rounds(opened, now_s)

    async def enter_tariff(self, tariff: Tariff, author: str, note: str, now_s: int) -> None:
        """A new tariff, or a corrected one for minutes that have passed."""
        named(author)
        said(note, "why the tariff is entered")
        entry = TariffEntry(tariff=tariff, author=author, note=note, entered_s=now_s)
        before = await self._archive.read(lambda records: records.agreements.tariff_entries())
        terms = replace(self._agreed.terms, tariffs=tariffs_of((*before, entry)))
        # Contracts were checked against the tariff of their time; a later correction does not undo them.
        faults = terms_faults(replace(terms, contracts=()))
        if faults:
            raise OrderRefused(" ".join(faults))
        reason = f"The national tariff was corrected: {note}"
        changes = await self._changes(
            range(tariff.valid_from, tariff.valid_to), "", Cause.TARIFF, reason, now_s
        )
        self._clerk.terms_changed(await self._store.enter_tariff(entry, changes))
        self._note(changes, now_s)

    async def add_house(self, house: House, author: str, now_s: int) -> None:
        """A house joins; it is asked for a contract for the rest of the month."""
        named(author)
        terms = self._agreed.terms
        faults = terms_faults(replace(terms, houses=(*terms.houses, house), contracts=()))
        if faults:
            raise OrderRefused(" ".join(faults))
        if house.joined < self._late.billed_until:
            raise OrderRefused("The bills of that time are out; let the house join later.")
        self._clerk.terms_changed(await self._store.add_house(house))
        await self._clerk.keep_rounds(lambda: self._desk.rounds_for(house, now_s, author), now_s)

    async def end_membership(self, house: str, minute: int, author: str, note: str, now_s: int) -> None:
        """A house leaves at this minute; its contract ends with it and its final bill follows.

        If it was to leave earlier, its last contract holds till now.
        """
        named(author)
        said(note, "why the house leaves")
        known = self._agreed.terms.house(house)
        if known.left * SECONDS_PER_MINUTE <= now_s:
            raise OrderRefused(f"House {house} has left already.")
        if minute < max(known.joined, self._late.billed_until):
            raise OrderRefused("The bills of that time are out, or the house had not joined; choose later.")
        longer = minute > known.left
        entry = ContractEntry(
            house=house,
            month=month_of(minute, self._zone),
            valid_from=min(minute, known.left),
            valid_to=minute if longer else FOREVER,
            contract=self._agreed.terms.contract_at(house, known.left - 1) if longer else None,
            basis=Basis.OPERATOR,
            author=author,
            note=note,
            entered_s=now_s,
        )
        self._clerk.terms_changed(await self._store.end_membership(replace(known, left=minute), entry))

    async def correct(
        self, house: str, minute: int, import_ws: int, export_ws: int, author: str, reason: str, now_s: int
    ) -> None:
        """Correct the registers a minute ended with; they must fit between the readings around it."""
        named(author)
        said(reason, "why the reading is corrected")
        if (minute + 1) * SECONDS_PER_MINUTE > now_s:
            raise OrderRefused("That minute is not over yet.")
        around = await self._archive.read(lambda records: records.minutes.around(house, minute))
        like = around.row or around.before
        if like is None:
            raise OrderRefused(f"House {house} has no reading before that minute to correct from.")
        row = replace(
            like, minute=minute, import_ws=import_ws, export_ws=export_ws, origin=Origin.CORRECTED,
            covered_s=like.covered_s if around.row else 0,
        )  # fmt: skip
        connection_w = self._agreed.terms.house(house).connection_w
        for earlier, later in ((around.before, row), (row, around.after)):
            if earlier is None or later is None or earlier.epoch != later.epoch:
                continue
            span_s = (later.minute - earlier.minute) * SECONDS_PER_MINUTE
            if not rise_is_plausible(registers_of(earlier), registers_of(later), span_s, connection_w):
                raise OrderRefused(
                    "The registers must lie between the readings before and after, and rise no faster than"
                    f" the connection's {connection_w / 1000:g} kW can carry."
                )
        day = f"{local_time(minute, self._zone):%-d %B %Y, %H:%M}"
        told = f"Your meter's reading of {day} was corrected: {reason}"
        # Over a gap the registers on both sides count: all its minutes change, also in the month beside.
        first = minute if around.before is None else around.before.minute + 1
        last = minute if around.after is None else around.after.minute
        changes = await self._changes(range(first, last + 1), house, Cause.CORRECTED, told, now_s)
        await self._store.correct(row, author, reason, now_s, changes)
        self._note(changes, now_s)

    async def waive(self, house: str, month: str, amount: int, author: str, reason: str, now_s: int) -> None:
        """Waive this much (micro-coins) of a house's penalties of a month; the reserve pays it back."""
        named(author)
        said(reason, "why the penalty is waived; the household reads it")
        if amount <= 0:
            raise OrderRefused("Enter an amount above 0.")
        waiver = Waiver(
            month=month, house=house, amount=amount, author=author, reason=reason[:300], entered_s=now_s
        )
        terms = self._agreed.terms
        async with self._waiving:  # two at once must not find the same penalty
            try:
                left = await self._archive.read(lambda records: waivable(records, terms, month, house))
            except (LookupError, ValueError) as fault:  # nothing is recorded, no tariff, not a month
                raise OrderRefused(f"What there is to waive of {month} is not known: {fault}") from fault
            if left == 0:
                raise OrderRefused(f"House {house} has no penalty of {month} that is not waived already.")
            if amount > left:
                most = f"{left // MICROCOINS_PER_COIN}.{left % MICROCOINS_PER_COIN:06}"
                raise OrderRefused(f"At most {most} coins can be waived of {month} for house {house}.")
            posted = await self._store.waive(waiver)
        self._clerk.issued(posted)
        await self._bookkeeper.owe()

    async def _changes(
        self, minutes: range, house: str, cause: Cause, reason: str, now_s: int
    ) -> list[Change]:
        """A change for each billed month that has some of these minutes."""
        billed = await self._archive.read(lambda records: records.billing.months())
        return [
            Change(month=month, house=house, cause=cause, reason=reason[:300], made_s=now_s)
            for month in sorted(billed)
            if (span := month_minutes(month, self._zone)).start < minutes.stop and minutes.start < span.stop
        ]

    def _note(self, changes: Sequence[Change], now_s: int) -> None:
        if changes:
            self._bookkeeper.changed(now_s)
