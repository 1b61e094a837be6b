"""Statements and books as files: JSON for programs, CSV for spreadsheets; no locale has a part in them.

The same figures give the same bytes. In the books' CSV every header says its unit: energies are whole
watt-seconds, positive into the micro-grid; amounts are coins with all six decimals, positive where the
account receives; moments have their offset from UTC.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from central_monitor.books import DayLine, MinuteTable, MonthBook
from microgrid.bill import Adjustment
from microgrid.months import local_time, zone_of
from microgrid.statement import Account, Statements
from microgrid.units import MICROCOINS_PER_COIN, SECONDS_PER_MINUTE

_NOTHING_TRADED = -1  # in place of a rate, where the tariff was billed


def statements_json(statements: Statements) -> bytes:
    """The statements as indented UTF-8 JSON, keys in the order of the record, one line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(statements), indent=2) + b"\n"


def statements_csv(statements: Statements) -> bytes:
    """One line an account; energies in Ws, amounts in micro-coins, powers in kW, as the header says."""
    header = ["month", "account", *Account.__struct_fields__]
    rows = (
        [statements.month, name, *msgspec.structs.astuple(account)]
        for name, account in statements.accounts.items()
    )
    return _csv(header, rows)


def write_statements(statements: Statements, folder: Path) -> None:
    """Write statements.json and statements.csv into the folder; OSError if that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "statements.json").write_bytes(statements_json(statements))
    (folder / "statements.csv").write_bytes(statements_csv(statements))


def accounts_csv(book: MonthBook) -> bytes:
    """Bills & Payments of a month, one line an account; `issued` is empty for a month not billed yet."""
    header = [
        "month", "account", "name", "role", "issued",
        "microgrid_energy_ws", "national_grid_energy_ws",
        "microgrid_amount_coins", "national_grid_amount_coins",
        "penalty_energy_ws", "penalty_amount_coins",
        "waived_penalties_coins", "adjustments_of_earlier_months_coins", "total_coins",
        "adjusted_since_coins",
        "max_power_kw", "min_power_kw", "estimated_minutes", "estimated_energy_ws", "own_check",
    ]  # fmt: skip
    issued = "" if book.issued_s is None else _second(book.issued_s, zone_of(book.zone))
    rows = (
        [
            book.month, line.account, line.name, line.statement.role, issued,
            line.statement.microgrid_energy, line.statement.national_grid_energy,
            _coins(line.statement.microgrid_amount), _coins(line.statement.national_grid_amount),
            line.statement.penalty_energy, _coins(line.statement.penalty_amount),
            _coins(line.waived), _coins(line.earlier), _coins(line.statement.total), _coins(line.adjusted),
            f"{line.statement.max_power_kw:.3f}", f"{line.statement.min_power_kw:.3f}",
            line.statement.estimated_minutes, line.statement.estimated_energy,
            "not told" if line.check is None else line.check.verdict.value,
        ]
        for line in book.lines
    )  # fmt: skip
    return _csv(header, rows)


def days_csv(days_of: Iterable[tuple[str, Sequence[DayLine]]], zone: str) -> bytes:
    """The local days of accounts, one line an account and day."""
    header = [
        "account", "first_minute", "minutes",
        "microgrid_energy_ws", "national_grid_energy_ws",
        "microgrid_amount_coins", "national_grid_amount_coins",
        "penalty_energy_ws", "penalty_amount_coins", "total_coins", "estimated_minutes",
    ]  # fmt: skip
    place = zone_of(zone)
    rows = (
        [
            account, _minute(day.first_minute, place), day.end_minute - day.first_minute,
            day.microgrid_energy, day.national_grid_energy,
            _coins(day.microgrid_amount), _coins(day.national_grid_amount),
            day.penalty_energy, _coins(day.penalty_amount), _coins(day.total), day.estimated_minutes,
        ]
        for account, days in days_of
        for day in days
    )  # fmt: skip
    return _csv(header, rows)


def minutes_csv(account: str, tables: Iterable[MinuteTable], zone: str) -> bytes:
    """The minutes of an account, one line each; no rate where nothing was traded in the micro-grid."""
    header = [
        "account", "minute",
        "microgrid_energy_ws", "national_grid_energy_ws", "rate_coins_per_kwh",
        "microgrid_amount_coins", "national_grid_amount_coins",
        "penalty_energy_ws", "penalty_amount_coins", "total_coins", "estimated",
    ]  # fmt: skip
    place = zone_of(zone)
    return _csv(header, (row for table in tables for row in _minute_rows(account, table, place)))


def adjustments_csv(adjustments: Iterable[Adjustment], zone: str) -> bytes:
    """Adjustments made after bills were out, one line each; `own` is 1 if the account's own data changed."""
    header = [
        "account", "month", "run", "made", "causes", "own", "reason",
        "energy_ws", "microgrid_amount_coins", "national_grid_amount_coins", "penalty_amount_coins",
        "total_coins",
    ]  # fmt: skip
    place = zone_of(zone)
    rows = (
        [
            each.account, each.month, each.number, _second(each.made_s, place),
            "; ".join(cause.value for cause in each.causes), int(each.own), each.reason,
            each.energy, _coins(each.microgrid_amount), _coins(each.national_grid_amount),
            _coins(each.penalty_amount), _coins(each.total),
        ]
        for each in adjustments
    )  # fmt: skip
    return _csv(header, rows)


def waivers_csv(book: MonthBook) -> bytes:
    """What was waived of the month's penalties as entered, one line each: by whom and why."""
    header = ["month", "house", "entered", "amount_coins", "author", "reason"]
    place = zone_of(book.zone)
    rows = (
        [
            each.month,
            each.house,
            _second(each.entered_s, place),
            _coins(each.amount),
            each.author,
            each.reason,
        ]
        for each in book.waivers
    )
    return _csv(header, rows)


def _minute_rows(account: str, table: MinuteTable, place: ZoneInfo) -> Iterable[list[object]]:
    columns = (
        table.microgrid_energy, table.national_grid_energy, table.rate, table.microgrid_amount,
        table.national_grid_amount, table.penalty_energy, table.penalty_amount, table.estimated,
    )  # fmt: skip
    for offset, values in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        local, national, rate, local_amount, national_amount, owed, penalty, estimated = values
        yield [
            account, _minute(table.first_minute + offset, place),
            local, national, "" if rate == _NOTHING_TRADED else _coins(rate),
            _coins(local_amount), _coins(national_amount),
            owed, _coins(penalty), _coins(local_amount + national_amount + penalty), int(estimated),
        ]  # fmt: skip


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def _coins(amount_microcoins: int) -> str:
    """The exact amount; a float would round a large one."""
    whole, rest = divmod(abs(amount_microcoins), MICROCOINS_PER_COIN)
    return f"{'-' if amount_microcoins < 0 else ''}{whole}.{rest:06}"


def _minute(minute: int, place: ZoneInfo) -> str:
    return local_time(minute, place).isoformat(timespec="minutes")


def _second(moment_s: int, place: ZoneInfo) -> str:
    minute, second = divmod(moment_s, SECONDS_PER_MINUTE)
    return local_time(minute, place).replace(second=second).isoformat(timespec="seconds")
