"""What central and houses have on their disks after a month: contracts, bills, adjustments, findings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from central_monitor.adapters.exports import statements_json
from central_monitor.bootstrap import settle_database
from central_monitor.services.records import Records, open_records
from db.house.journal import MinuteJournal
from db.house.papers import PaperKind
from microgrid.agreements import ContractEntry
from microgrid.bill import Adjustment, Bill, BillCheck
from microgrid.units import WS_PER_KWH


@dataclass(frozen=True)
class HousePapers:
    """A house's own papers, each newest first."""

    bills: tuple[Bill, ...]
    checks: tuple[BillCheck, ...]
    adjustments: tuple[Adjustment, ...]
    raw: bytes  # all of them as they lie on the disk


def papers_of(data: Path, house: str) -> HousePapers:
    """Read a house's papers; its client must have ended."""
    with MinuteJournal(data / f"house-{house}.sqlite") as journal:
        bodies = {kind: journal.papers.all(kind) for kind in PaperKind}
    decode = msgspec.msgpack.decode
    return HousePapers(
        bills=tuple(decode(body, type=Bill) for body in bodies[PaperKind.BILL]),
        checks=tuple(decode(body, type=BillCheck) for body in bodies[PaperKind.CHECK]),
        adjustments=tuple(decode(body, type=Adjustment) for body in bodies[PaperKind.ADJUSTMENT]),
        raw=b"".join(body for of_kind in bodies.values() for body in of_kind),
    )


@contextmanager
def records_of(database: Path) -> Iterator[Records]:
    """The central's records; DatabaseError if they cannot be read."""
    with open_records(database) as records:
        yield records


def agreed(records: Records, month: str) -> dict[str, ContractEntry]:
    """What was agreed for each house in this month."""
    return {entry.house: entry for entry in records.agreements.contract_entries() if entry.month == month}


def assert_balanced(records: Records, month: str) -> None:
    """The month's statements, and each of its later runs, come to nothing over all accounts."""
    for run in records.billing.runs(month):
        assert sum(account.total for account in run.statements.accounts.values()) == 0
        changed = [a for a in records.billing.adjustments(month) if a.number == run.number]
        assert sum(adjustment.total for adjustment in changed) == 0


def assert_run_again(records: Records, database: Path, month: str) -> None:
    """Settled again from the database alone, the month comes to the same bytes as its last run."""
    last = records.billing.latest(month)
    assert last is not None
    assert statements_json(last.statements) == statements_json(settle_database(database, month))


def kwh(energy_ws: int) -> float:
    return energy_ws / WS_PER_KWH
