"""Databases of earlier versions keep what they hold."""

import dataclasses
from pathlib import Path

import msgspec
from msgspec.structs import astuple
from sqlalchemy import Connection, MetaData

from db.central import CENTRAL, AgreementRepository, BillingRepository, DirectiveRepository, MinuteStore
from db.engine import Schema, migrate, open_writer
from db.house import HOUSE, MinuteJournal, PaperKind
from microgrid.agreements import Basis, ContractEntry, TariffEntry
from microgrid.bill import Adjustment, Cause
from microgrid.minute import Fate, Hold, MeterMinute
from microgrid.terms import FOREVER, Contract, House, Obligation, Role, Source, Tariff
from tests.unit.db.rows import meter, order


def open_at(path: Path, schema: Schema, revision: str) -> Connection:
    """A database as the program of that revision left it."""
    connection = open_writer(path, dataclasses.replace(schema, metadata=MetaData(), head="0000"))
    with connection.begin():
        connection.exec_driver_sql("DELETE FROM alembic_version")
    migrate(connection, dataclasses.replace(schema, head=revision))
    return connection


def test_the_terms_of_a_first_database_are_carried_over_as_entries(tmp_path: Path) -> None:
    connection = open_at(tmp_path / "a.db", CENTRAL, "0001")
    with connection.begin():
        for sql in (
            "INSERT INTO setting VALUES ('zone', 'Asia/Karachi')",
            "INSERT INTO house VALUES ('A', 1, 'Amir', 4000), ('B', 0, 'Büro', 6000)",
            "INSERT INTO contract VALUES (1, 'A', 'consumer', 100, 200, 900, 0, 0, NULL, 'always'),"
            " (0, 'B', 'producer', 100, 300, 2500, 250, 8000000, 'solar', 'daylight')",
            "INSERT INTO tariff VALUES (1, 150, 300, 18000000, 0, 'minute', 'replacement_cost', 90, 10),"
            " (0, 0, 150, 17600000, 1000000, 'month', 'grid_rate', 60, 25)",
        ):
            connection.exec_driver_sql(sql)
    connection.close()
    connection = open_writer(tmp_path / "a.db", CENTRAL)
    repository = AgreementRepository(connection)
    assert repository.load().zone == "Asia/Karachi"
    assert repository.load().houses == (
        House(house="B", name="Büro", connection_w=6000, joined=0, left=FOREVER),
        House(house="A", name="Amir", connection_w=4000, joined=0, left=FOREVER),
    )
    seller = Contract(
        house="B",
        role=Role.PRODUCER,
        valid_from=100,
        valid_to=300,
        max_w=2500,
        min_w=250,
        price=8_000_000,
        source=Source.SOLAR,
        obligation=Obligation.DAYLIGHT,
    )
    buyer = Contract(house="A", role=Role.CONSUMER, valid_from=100, valid_to=200, max_w=900)
    assert repository.load().contracts == (buyer, seller)
    assert repository.contract_entries() == tuple(
        ContractEntry(
            house=contract.house,
            month="",
            valid_from=contract.valid_from,
            valid_to=contract.valid_to,
            contract=contract,
            basis=Basis.GRID_FILE,
            author="grid file",
            note="",
            entered_s=0,
        )
        for contract in (seller, buyer)
    )
    first, second = repository.tariff_entries()
    assert first == TariffEntry(
        tariff=Tariff(valid_from=0, valid_to=150, national=17_600_000, feed_in=1_000_000),
        author="grid file",
        note="",
        entered_s=0,
    )
    assert (second.tariff.valid_from, second.tariff.cap, second.tariff.response_s) == (150, "minute", 90)
    connection.close()


def test_the_minutes_of_a_first_database_are_left_alone_and_their_seals_are_broken(tmp_path: Path) -> None:
    connection = open_at(tmp_path / "a.db", CENTRAL, "0001")
    store = MinuteStore(connection)
    store.append([meter("A", 5), meter("A", 6)])
    store.append([meter("A", 6, import_ws=1)])
    with connection.begin():
        connection.exec_driver_sql("INSERT INTO sealed_day VALUES (0, 1, 'A', 0, 0, 0, 1, 0, x'00')")
    connection.close()
    connection = open_writer(tmp_path / "a.db", CENTRAL)
    store = MinuteStore(connection)
    assert store.read(5, 7, ["A"]).import_ws[:, 0].tolist() == [350, 1]
    assert store.revisions("A", 6) == [meter("A", 6)]
    assert store.sealed_days() == []
    store.seal(0)
    assert store.read(5, 7, ["A"]).import_ws[:, 0].tolist() == [350, 1]
    connection.close()


def test_a_database_without_waivers_keeps_its_orders_and_adjustments(tmp_path: Path) -> None:
    connection = open_at(tmp_path / "a.db", CENTRAL, "0003")
    paid, waiting = (
        Adjustment(
            account=account, month="2026-07", number=2, made_s=5, causes=(Cause.LATE,), own=True,
            reason="später", energy=1, microgrid_amount=2, national_grid_amount=3, penalty_amount=4,
        )
        for account in ("A", "B")
    )  # fmt: skip
    with connection.begin():
        connection.exec_driver_sql("INSERT INTO run VALUES ('2026-07', 2, 5, 0, 9, '[]', x'00')")
        for adjustment, carried in ((paid, "2026-08"), (waiting, None)):
            body = msgspec.to_builtins(adjustment)
            del body["waiver"]  # as the program of that revision wrote it
            connection.exec_driver_sql(
                "INSERT INTO adjustment VALUES ('2026-07', 2, ?, ?, ?, 77)",
                (adjustment.account, msgspec.msgpack.encode(body), carried),
            )
        connection.exec_driver_sql("INSERT INTO order_minute VALUES (5, 'A', 1, 1500, 2, 9, 302, 1, 0)")
        connection.exec_driver_sql("INSERT INTO meter_day VALUES ('A', 0)")
        quantity = (0, 32, "A", b"\1" + bytes(7), bytes(8), False, 0, False, b"")
        connection.exec_driver_sql(
            "INSERT INTO sealed_day (day, quantity, houses, base, step, differenced, width, packed, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            quantity,
        )
    connection.close()
    connection = open_writer(tmp_path / "a.db", CENTRAL)
    store, billing = MinuteStore(connection), BillingRepository(connection)
    assert store.order("A", 5) == order(
        "A", 5, hold=Hold.CAP, command_id=9, acknowledged_s=302, fate=Fate.NONE
    )
    assert store.sealed_days() == [0]  # nothing it holds has changed
    assert billing.adjustments("2026-07") == (paid, waiting)
    assert billing.carried("2026-08") == (paid,)
    assert billing.uncarried() == (waiting,)
    assert billing.undelivered("A") == ((), ())
    assert DirectiveRepository(connection).all() == ()
    connection.close()


def test_the_journal_of_a_first_database_is_carried_on(tmp_path: Path) -> None:
    connection = open_at(tmp_path / "j.db", HOUSE, "0001")
    row = astuple(meter(minute=5))
    with connection.begin():
        marks = ", ".join("?" for _ in row)
        columns = ", ".join(MeterMinute.__struct_fields__)
        connection.exec_driver_sql(
            f"INSERT INTO meter_minute ({columns}, acknowledged) VALUES ({marks}, 0)", row
        )
    connection.close()
    with MinuteJournal(tmp_path / "j.db") as journal:
        assert journal.pending(9) == [meter(minute=5)]
        assert journal.papers.all(PaperKind.BILL) == ()
