"""Keeps what was agreed: houses, contracts and tariffs as entries, the contract rounds and the policy."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, update

from db.central import tables
from db.engine import transaction
from microgrid.agreements import ContractEntry, TariffEntry, founding_entries, terms_of
from microgrid.contracting import ContractPolicy, ContractRound
from microgrid.terms import Contract, House, Tariff, Terms

_ZONE = "zone"
_POLICY = "contract policy"
_CONTRACT = ("role", "max_w", "min_w", "price", "source", "obligation")
_TARIFF = Tariff.__struct_fields__


class AgreementRepository:
    """Agreements on one connection; every method is one transaction, or part of the caller's.

    Entries are only ever added. The contract of an entry is in force for the minutes of the entry.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def found(self, terms: Terms, author: str, note: str, entered_s: int) -> None:
        """Makes these the terms a new database begins with; any earlier agreements are forgotten."""
        contracts, tariffs = founding_entries(terms, author, note, entered_s)
        with transaction(self._connection) as connection:
            for table in (tables.contract_entry, tables.contract_round, tables.tariff_entry, tables.house):
                connection.execute(delete(table))
            self._set(_ZONE, terms.zone)
            for house in terms.houses:
                self.add_house(house)
            self.add_contracts(contracts)
            for tariff in tariffs:
                self.add_tariff(tariff)

    def load(self) -> Terms:
        """The terms that all entries together make; LookupError if the database has none yet."""
        with transaction(self._connection):
            zone = self._setting(_ZONE)
            if zone is None:
                raise LookupError("no terms have been agreed yet; save the houses, contracts and tariffs")
            return terms_of(zone, self._houses(), self.contract_entries(), self.tariff_entries())

    # --- entries ------------------------------------------------------------------------------------

    def contract_entries(self, house: str | None = None) -> tuple[ContractEntry, ...]:
        """All contract entries, or one house's, in the order they were entered."""
        query = select(tables.contract_entry)
        if house is not None:
            query = query.where(tables.contract_entry.c.house == house)
        return self._entries(query)

    def add_contracts(self, entries: Iterable[ContractEntry]) -> None:
        """Adds contract entries in this order."""
        with transaction(self._connection):
            self._add_contracts(_row(entry, None) for entry in entries)

    def tariff_entries(self) -> tuple[TariffEntry, ...]:
        """All tariff entries in the order they were entered."""
        table = tables.tariff_entry
        with transaction(self._connection) as connection:
            rows = connection.execute(select(table).order_by(table.c.number)).mappings().all()
        return tuple(
            TariffEntry(
                tariff=_converted(row, _TARIFF, Tariff),
                author=row["author"],
                note=row["note"],
                entered_s=row["entered_s"],
            )
            for row in rows
        )

    def add_tariff(self, entry: TariffEntry) -> None:
        """Adds a tariff entry."""
        row = {"author": entry.author, "note": entry.note, "entered_s": entry.entered_s}
        with transaction(self._connection) as connection:
            connection.execute(insert(tables.tariff_entry), msgspec.to_builtins(entry.tariff) | row)

    # --- houses -------------------------------------------------------------------------------------

    def add_house(self, house: House) -> None:
        """Adds a house after those there are."""
        with transaction(self._connection) as connection:
            position = len(self._houses())
            connection.execute(insert(tables.house), {**msgspec.to_builtins(house), "position": position})

    def change_house(self, house: House) -> None:
        """Changes a house's name, connection and when it joins and leaves; LookupError if unknown."""
        table = tables.house
        with transaction(self._connection) as connection:
            values = msgspec.to_builtins(house)
            result = connection.execute(update(table).where(table.c.house == house.house).values(values))
            if result.rowcount == 0:
                raise LookupError(f"there is no house {house.house}")

    # --- rounds -------------------------------------------------------------------------------------

    def rounds(self) -> tuple[ContractRound, ...]:
        """All contract rounds with what was agreed in them, by month and first minute."""
        return self._rounds(select(tables.contract_round))

    def round(self, month: str) -> ContractRound | None:
        """The month's round, the first to begin if houses that joined later had their own; None if none."""
        found = self._rounds(select(tables.contract_round).where(tables.contract_round.c.month == month))
        return found[0] if found else None

    def save_round(self, asked: ContractRound) -> None:
        """Stores how a round stands; those of its entries that are not stored yet become contract entries.

        Rounds are told apart by month and first minute. A house agrees once in a round: a second entry
        for it is refused by the database.
        """
        table = tables.contract_round
        first = asked.minutes.start
        row = {
            "month": asked.month,
            "first_minute": first,
            "end_minute": asked.minutes.stop,
            "houses": msgspec.json.encode(asked.houses).decode(),
            "opened_s": asked.opened_s,
            "closes_s": asked.closes_s,
            "opened_by": asked.opened_by,
            "final_s": asked.final_s,
        }
        with transaction(self._connection) as connection:
            is_this = (table.c.month == asked.month) & (table.c.first_minute == first)
            if connection.execute(update(table).where(is_this).values(row)).rowcount == 0:
                connection.execute(insert(table), row)
            stored = [_row(entry, first) for entry in self._entries(_of_round(asked.month, first))]
            rows = [_row(entry, first) for entry in asked.entries]
            self._add_contracts(entry for entry in rows if entry not in stored)

    # --- policy -------------------------------------------------------------------------------------

    def policy(self) -> ContractPolicy:
        """When households are asked and what silence means; the default until somebody sets it."""
        with transaction(self._connection):
            value = self._setting(_POLICY)
        return ContractPolicy() if value is None else msgspec.json.decode(value, type=ContractPolicy)

    def save_policy(self, policy: ContractPolicy) -> None:
        """Sets the policy."""
        with transaction(self._connection):
            self._set(_POLICY, msgspec.json.encode(policy).decode())

    # --- rows ---------------------------------------------------------------------------------------

    def _houses(self) -> tuple[House, ...]:
        table = tables.house
        rows = self._connection.execute(select(table).order_by(table.c.position)).mappings()
        return tuple(_converted(row, House.__struct_fields__, House) for row in rows)

    def _rounds(self, query: Select[Any]) -> tuple[ContractRound, ...]:
        table = tables.contract_round
        with transaction(self._connection) as connection:
            rows = connection.execute(query.order_by(table.c.month, table.c.first_minute)).mappings().all()
            return tuple(
                ContractRound(
                    month=row["month"],
                    minutes=range(row["first_minute"], row["end_minute"]),
                    houses=msgspec.json.decode(row["houses"], type=tuple[str, ...]),
                    opened_s=row["opened_s"],
                    closes_s=row["closes_s"],
                    opened_by=row["opened_by"],
                    final_s=row["final_s"],
                    entries=self._entries(_of_round(row["month"], row["first_minute"])),
                )
                for row in rows
            )

    def _entries(self, query: Select[Any]) -> tuple[ContractEntry, ...]:
        with transaction(self._connection) as connection:
            rows = connection.execute(query.order_by(tables.contract_entry.c.number)).mappings().all()
        return tuple(_entry(row) for row in rows)

    def _add_contracts(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:  # one by one, so that they are numbered in their order
            self._connection.execute(insert(tables.contract_entry), row)

    def _setting(self, name: str) -> str | None:
        table = tables.setting
        value: str | None = self._connection.scalar(select(table.c.value).where(table.c.name == name))
        return value

    def _set(self, name: str, value: str) -> None:
        table = tables.setting
        self._connection.execute(delete(table).where(table.c.name == name))
        self._connection.execute(insert(table), {"name": name, "value": value})


def _of_round(month: str, first_minute: int) -> Select[Any]:
    entry = tables.contract_entry
    return select(entry).where(entry.c.month == month, entry.c.round_minute == first_minute)


def _row(entry: ContractEntry, round_minute: int | None) -> dict[str, Any]:
    """The entry as a row; its contract is in force for the minutes of the entry, whatever its own."""
    row = msgspec.to_builtins(entry)
    contract = row.pop("contract") or {}
    return {**row, **{name: contract.get(name) for name in _CONTRACT}, "round_minute": round_minute}


def _entry(row: RowMapping) -> ContractEntry:
    minutes = {name: row[name] for name in ("house", "valid_from", "valid_to")}
    contract = None
    if row["role"] is not None:
        contract = msgspec.convert({**minutes, **{name: row[name] for name in _CONTRACT}}, Contract)
    values = {name: row[name] for name in ("month", "basis", "author", "note", "entered_s")}
    return msgspec.convert({**minutes, **values, "contract": contract}, ContractEntry)


def _converted(row: RowMapping, names: Iterable[str], kind: type[Any]) -> Any:
    return msgspec.convert({name: row[name] for name in names}, kind)
