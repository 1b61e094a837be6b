"""Statements as files: JSON for programs, CSV for spreadsheets. The same statements give the same bytes."""

import csv
import io
from pathlib import Path

import msgspec

from microgrid.statement import Account, Statements


def statements_json(statements: Statements) -> bytes:
    """The statements as indented UTF-8 JSON, keys in the order of the record, one line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(statements), indent=2) + b"\n"


def statements_csv(statements: Statements) -> bytes:
    """One line an account; energies in Ws, amounts in micro-coins, powers in kW, as the header says."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["month", "account", *Account.__struct_fields__])
    for name, account in statements.accounts.items():
        writer.writerow([statements.month, name, *msgspec.structs.astuple(account)])
    return text.getvalue().encode("utf-8")


def write_statements(statements: Statements, folder: Path) -> None:
    """Write statements.json and statements.csv into the folder; OSError if that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "statements.json").write_bytes(statements_json(statements))
    (folder / "statements.csv").write_bytes(statements_csv(statements))
