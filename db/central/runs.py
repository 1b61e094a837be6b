"""Runs of a month, with their days, as rows and back; bodies are msgpack."""

from dataclasses import dataclass, fields

import msgspec
import numpy as np
from sqlalchemy import RowMapping

from microgrid.daybook import DaySums, LedgerPoint
from microgrid.statement import PenaltyParts, Statements
from microgrid.terms import Terms


@dataclass(frozen=True)
class Run:
    """One settlement of a month; run 1 made its bills, later ones adjustments.

    `terms` are those it was settled under, `open_houses` had not delivered all of its minutes.
    """

    month: str
    number: int
    made_s: int
    first_minute: int
    end_minute: int
    statements: Statements
    penalties: dict[str, PenaltyParts]  # by house
    terms: Terms
    days: tuple[DaySums, ...] = ()
    open_houses: tuple[str, ...] = ()


class _RunBody(msgspec.Struct, frozen=True):
    statements: Statements
    penalties: dict[str, PenaltyParts]
    terms: Terms


class _DayBody(msgspec.Struct, frozen=True):
    first_minute: int
    end_minute: int
    start: LedgerPoint
    accounts: tuple[str, ...]
    sums: dict[str, bytes]  # 64-bit integers, little-endian


_SUMS = tuple(field.name for field in fields(DaySums))[4:]


def run_row(run: Run) -> dict[str, object]:
    """The run without its days."""
    return {
        "month": run.month,
        "number": run.number,
        "made_s": run.made_s,
        "first_minute": run.first_minute,
        "end_minute": run.end_minute,
        "open_houses": msgspec.json.encode(run.open_houses).decode(),
        "body": msgspec.msgpack.encode(_RunBody(run.statements, run.penalties, run.terms)),
    }


def day_rows(run: Run) -> list[dict[str, object]]:
    """The run's days."""
    return [
        {"month": run.month, "number": run.number, "day": index, "body": _day_body(day)}
        for index, day in enumerate(run.days)
    ]


def run_of(row: RowMapping, days: tuple[DaySums, ...] = ()) -> Run:
    """The run a row holds, with these days."""
    body = msgspec.msgpack.decode(row["body"], type=_RunBody)
    return Run(
        month=row["month"],
        number=row["number"],
        made_s=row["made_s"],
        first_minute=row["first_minute"],
        end_minute=row["end_minute"],
        statements=body.statements,
        penalties=body.penalties,
        terms=body.terms,
        days=days,
        open_houses=houses_of(row["open_houses"]),
    )


def houses_of(text: str) -> tuple[str, ...]:
    """The houses a column holds as JSON."""
    return msgspec.json.decode(text, type=tuple[str, ...])


def _day_body(day: DaySums) -> bytes:
    sums = {name: getattr(day, name).astype("<i8").tobytes() for name in _SUMS}
    return msgspec.msgpack.encode(_DayBody(day.first_minute, day.end_minute, day.start, day.accounts, sums))


def day_of(encoded: bytes) -> DaySums:
    """The sums of a day a row holds."""
    body = msgspec.msgpack.decode(encoded, type=_DayBody)
    return DaySums(
        first_minute=body.first_minute,
        end_minute=body.end_minute,
        start=body.start,
        accounts=body.accounts,
        **{name: np.frombuffer(data, dtype="<i8") for name, data in body.sums.items()},
    )
