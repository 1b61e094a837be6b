"""A household that is let off a part of its penalties: on a bill, and in the month that runs."""

from dataclasses import replace

from msgspec.structs import replace as changed

from house_client.snapshot import HouseSnapshot
from microgrid.bill import Adjustment, Bill, Cause, with_adjustments
from microgrid.terms import Role
from microgrid.units import microcoins
from tests.ui.sample_house import DECEMBER, make_adjustment, make_bill, make_seller, received


def make_waiver(coins: float = 10, month: str = "2024-11", waiver: int = 3) -> Adjustment:
    """What the operator waived of a month's penalties."""
    return Adjustment(
        account="B", month=month, number=1, made_s=DECEMBER.start * 60 + 90_000, causes=(Cause.WAIVER,),
        own=True, reason="The tie breaker was being tested.", energy=0, microgrid_amount=0,
        national_grid_amount=0, penalty_amount=microcoins(coins), waiver=waiver,
    )  # fmt: skip


def waived_bill(*adjustments: Adjustment) -> Bill:
    """A seller's bill with these adjustments paid with it."""
    bill = make_bill(Role.PRODUCER)
    return changed(bill, account=with_adjustments(bill.account, adjustments), adjustments=adjustments)


def waived_kiosk(coins: float = 12.5) -> HouseSnapshot:
    """A seller who is let off so much of the month that runs, and a part of the last one's penalties."""
    seller = make_seller()
    assert seller.month is not None
    bill = received(waived_bill(make_adjustment("2024-10"), make_waiver()))
    return replace(seller, month=changed(seller.month, waived=microcoins(coins)), bill=bill)
