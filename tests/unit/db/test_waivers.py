"""Waivers are kept in the order entered; those of months without bills wait for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from db.central import CENTRAL, AgreementRepository, BillingRepository
from db.engine import open_writer
from microgrid.terms import House, Terms
from microgrid.waiver import Waiver
from tests.unit.db.test_billing import run

JULY, AUGUST = "2026-07", "2026-08"
HOUSES = tuple(House(house=name, name="", connection_w=5_000) for name in "AB")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    opened = open_writer(tmp_path / "a.db", CENTRAL)
    terms = Terms(zone="Asia/Karachi", houses=HOUSES, contracts=(), tariffs=())
    AgreementRepository(opened).found(terms, "test", "", 0)
    yield opened
    opened.close()


def waiver(month: str = JULY, house: str = "B", amount: int = 2**40) -> Waiver:
    return Waiver(
        month=month, house=house, amount=amount, author="Ö. Operator", reason="ihr Generator", entered_s=2**40
    )  # fmt: skip


def test_waivers_come_back_as_entered_with_their_numbers(connection: Connection) -> None:
    billing = BillingRepository(connection)
    entered = [waiver(), waiver(AUGUST), waiver(house="A", amount=1)]
    assert [billing.waive(one) for one in entered] == [(), (), ()]
    numbered = [replace(one, number=number) for number, one in enumerate(entered, 1)]
    assert billing.waivers.of(JULY) == (numbered[0], numbered[2])
    assert billing.waivers.of(AUGUST) == (numbered[1],)
    assert billing.waivers.of("2026-09") == ()


def test_those_of_a_billed_month_wait_for_no_bill(connection: Connection) -> None:
    billing = BillingRepository(connection)
    billing.waive(waiver())
    billing.waive(waiver(AUGUST))
    assert [one.month for one in billing.waivers.to_be_billed()] == [JULY, AUGUST]
    billing.save(run(JULY))
    assert [one.month for one in billing.waivers.to_be_billed()] == [AUGUST]


def test_a_house_that_is_not_known_has_none(connection: Connection) -> None:
    with pytest.raises(IntegrityError):
        BillingRepository(connection).waive(waiver(house="Z"))
