"""Bills, adjustments between two runs of a month, and the check against a house's own registers."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from microgrid.bill import (
    Adjustment,
    Bill,
    BillKind,
    Cause,
    Change,
    Verdict,
    adjustments_between,
    check_bill,
    make_bill,
    own_energy,
    with_adjustments,
)
from microgrid.minute import MeterMinute
from microgrid.months import month_minutes, zone_of
from microgrid.statement import Account, PenaltyParts, Statements
from microgrid.terms import COMMON_ACCOUNTS, Terms
from tests.unit.rules.build import (
    FIRST,
    MONTH,
    ZONE,
    T,
    buyer,
    history,
    meter_minute,
    month_of_rows,
    seller,
    terms_of,
)

JUNE = month_minutes(MONTH, zone_of(ZONE))
TERMS = terms_of(buyer("A"), seller("B", 8), buyer("C"))
POWERS = {"A": [-1200] * 20, "B": [1000] * 10 + [0] * 10, "C": [-300] * 20}
MINUTES = range(FIRST, FIRST + 20)


def settled(terms: Terms = TERMS, **powers: Any) -> tuple[Statements, dict[str, PenaltyParts]]:
    statements, ledger = month_of_rows(terms, history({**POWERS, **powers}), count=20)
    return statements, ledger.penalty_parts()


def bill(house: str = "B", terms: Terms = TERMS, **more: Any) -> Bill:
    statements, penalties = settled(terms)
    return make_bill(terms, house, statements, penalties[house], MINUTES, 9, **more)


def change(house: str = "B", cause: Cause = Cause.LATE, reason: str = "Late.", made_s: int = 5) -> Change:
    return Change(month=MONTH, house=house, cause=cause, reason=reason, made_s=made_s)


def adjustment(amount: int = 500, **more: Any) -> Adjustment:
    values: dict[str, Any] = {"account": "B", "month": "2026-05", "number": 2, "made_s": 3, "own": True}
    values |= {"causes": (Cause.LATE,), "reason": "", "energy": 0, "microgrid_amount": amount}
    return Adjustment(**{**values, "national_grid_amount": 0, "penalty_amount": 0, **more})


# --- the bill ---------------------------------------------------------------------------------------


def test_a_bill_is_the_houses_account_with_its_contract_and_tariff() -> None:
    statements, penalties = settled()
    found = bill()
    assert found.account == statements.accounts["B"]
    assert found.penalties == penalties["B"]
    assert found.penalties.minimum_amount < 0
    assert (found.house, found.name, found.month, found.zone) == ("B", "B", MONTH, ZONE)
    assert (found.first_minute, found.end_minute, found.issued_s) == (MINUTES.start, MINUTES.stop, 9)
    assert found.contract == TERMS.contract_at("B", FIRST)
    assert (found.tariff, found.kind, found.adjustments) == (T, BillKind.MONTH, ())
    assert found.mean_rate == pytest.approx(8e6, rel=1e-5)


def test_fig_5_7s_lines_of_the_national_grid() -> None:
    found = bill()
    account = found.account
    # Energy it owed and did not deliver counts as taken from the national grid.
    assert found.national_energy == account.national_grid_energy - account.penalty_energy < 0
    assert found.national_total == account.national_grid_amount + account.penalty_amount < 0
    assert account.total == account.microgrid_amount + found.national_total
    buyer_bill = bill("A")
    assert buyer_bill.national_energy == buyer_bill.account.national_grid_energy < 0
    assert replace(found, account=replace(account, microgrid_energy=0)).mean_rate is None


def test_adjustments_of_earlier_months_are_paid_with_the_bill() -> None:
    plain, found = bill(), bill(adjustments=[adjustment(500), adjustment(-80, number=3, penalty_amount=-20)])
    assert found.account.adjustments == 400
    assert found.account.total == plain.account.total + 400
    assert [a.total for a in found.adjustments] == [500, -100]
    assert check_bill(found, None).sums_right


def test_a_bill_covers_the_minutes_of_membership() -> None:
    def member(**more: Any) -> Terms:
        houses = tuple(replace(h, **more) if h.house == "B" else h for h in TERMS.houses)
        return replace(TERMS, houses=houses)

    joined = bill(terms=member(joined=FIRST + 3))
    assert (joined.first_minute, joined.end_minute) == (FIRST + 3, MINUTES.stop)
    left = bill(terms=member(left=FIRST + 7))
    assert (left.first_minute, left.end_minute) == (FIRST, FIRST + 7)
    # Long gone, and only here because an adjustment is still due.
    gone = bill(terms=member(left=FIRST - 90), adjustments=[adjustment(7)])
    assert (gone.first_minute, gone.end_minute, gone.account.total) == (FIRST, FIRST, 7)
    assert gone.tariff == T


def test_a_bill_names_the_months_last_contract() -> None:
    early = replace(seller("B", 7), valid_from=FIRST - 100, valid_to=FIRST + 5)
    late = replace(seller("B", 9), valid_from=FIRST + 5, valid_to=FIRST + 15)
    after = replace(seller("B", 10), valid_from=MINUTES.stop, valid_to=MINUTES.stop + 5)
    terms = replace(TERMS, contracts=(late, early, after, buyer("A"), buyer("C")))
    assert bill(terms=terms).contract == late
    assert bill(terms=replace(TERMS, contracts=(after, buyer("A")))).contract is None


# --- adjustments ------------------------------------------------------------------------------------


def between(*changes: Change, **powers: Any) -> dict[str, Adjustment]:
    before, after = settled()[0], settled(**powers)[0]
    return {a.account: a for a in adjustments_between(before, after, changes, 2, 77)}


def test_adjustments_are_the_differences_and_add_up_to_zero() -> None:
    before, after = settled()[0], settled(B=[900] * 20)[0]
    found = between(change(), B=[900] * 20)
    assert found.keys() <= {"A", "B", "C", *COMMON_ACCOUNTS}
    for name, account in after.accounts.items():
        expected = account.total - before.accounts[name].total
        assert (found[name].total if name in found else 0) == expected
    for part in ("microgrid_amount", "national_grid_amount", "penalty_amount"):
        assert sum(getattr(a, part) for a in found.values()) == 0
    assert found["B"].energy == (900 * 20 - 1000 * 10) * 60
    assert {(a.month, a.number, a.made_s) for a in found.values()} == {(MONTH, 2, 77)}


def test_what_does_not_change_has_no_adjustment() -> None:
    assert between(change()) == {}


def test_a_house_hears_its_own_reason_and_of_others_only_their_kind() -> None:
    found = between(
        change("B", Cause.CORRECTED, "House B's fuse, says B."),
        change("A", reason="A was late."),
        B=[900] * 20,
    )
    assert found["B"].reason == "House B's fuse, says B."
    assert found["A"].reason == "A was late."
    assert (found["C"].reason, found["C"].own) == ("", False)
    assert found["A"].own
    # Both changes moved every account's share of the month, so both kinds are named to each.
    assert {a.causes for a in found.values()} == {(Cause.CORRECTED, Cause.LATE)}
    for name, other in (("A", "B"), ("C", "B"), ("B", "A"), ("C", "A")):
        text = msgspec.json.encode(found[name]).decode()
        assert f'"{other}' not in text
        assert f"{other} " not in text


def test_everybody_hears_of_a_corrected_tariff() -> None:
    dearer = replace(TERMS, tariffs=(replace(TERMS.tariffs[0], national=2 * T),))
    told = change("", Cause.TARIFF, "The tariff was corrected.")
    found = adjustments_between(settled()[0], settled(dearer)[0], [told], 2, 0)
    assert {a.account for a in found} > {"A", "C"}
    assert {(a.own, a.reason, a.causes) for a in found} == {
        (True, "The tariff was corrected.", (Cause.TARIFF,))
    }


def test_reasons_are_told_in_order_once_and_not_without_end() -> None:
    late = [change(reason=f"Day {n}.", made_s=n) for n in (3, 1, 2)]
    assert between(*late, *late, B=[900] * 20)["B"].reason == "Day 1. Day 2. Day 3."
    many = [change(reason=f"Day {n}.", made_s=n) for n in range(84)]
    assert between(*many, B=[900] * 20)["B"].reason == "Day 0. Day 1. Day 2. And 81 more like these."


def test_an_account_that_was_not_there_before_is_all_adjustment() -> None:
    before, after = settled()[0], settled()[0]
    fewer = replace(before, accounts={n: a for n, a in before.accounts.items() if n != "C"})
    (found,) = adjustments_between(fewer, after, [change("C")], 2, 0)
    assert (found.account, found.total) == ("C", after.accounts["C"].total)
    assert found.energy == -300 * 60 * 20


@given(st.lists(st.integers(-(10**12), 10**12), min_size=3, max_size=3))
def test_adjustments_in_an_account_move_its_total_alone(amounts: list[int]) -> None:
    account = settled()[0].accounts["A"]
    paid = [adjustment(amount) for amount in amounts]
    found = with_adjustments(account, paid)
    assert found.adjustments == sum(amounts)
    assert replace(found, adjustments=0, total=account.total) == account
    assert found.total - account.total == sum(amounts)


# --- the check --------------------------------------------------------------------------------------


def own(*rows: MeterMinute, minutes: range = MINUTES) -> tuple[int, int] | None:
    return own_energy(rows, minutes)


def test_the_houses_own_registers_agree_to_the_watt_second() -> None:
    rows = history(POWERS)
    for house in "ABC":
        found = check_bill(bill(house), own_energy(rows[house], MINUTES))
        assert found.verdict is Verdict.AGREES
        assert found.own_least == found.own_most == found.billed_energy
    wrong = own_energy(history({**POWERS, "A": [-1200] * 19 + [-1201]})["A"], MINUTES)
    assert check_bill(bill("A"), wrong).verdict is Verdict.DIFFERS


def test_a_gap_across_the_edge_of_the_month_leaves_room() -> None:
    before, after = meter_minute("B", FIRST - 5, 1000, 500), meter_minute("B", FIRST + 4, 1600, 800)
    end = meter_minute("B", MINUTES.stop - 1, 1600, 900)
    assert own(before, after, end) == (-300 - 100, 600 - 100)
    late = meter_minute("B", MINUTES.stop + 3, 2000, 1000)
    assert own(before, after, late) == (-300 - 200, 600 + 400)
    # What flowed up to the edge, or from it on, is nobody's guess.
    inside = meter_minute("B", FIRST - 1, 1200, 500), end
    assert own(before, *inside) == (400 - 400, 400 - 400)


def test_another_meters_registers_are_no_difference() -> None:
    rows = [meter_minute("B", FIRST - 1, 1000), meter_minute("B", FIRST + 3, 1600)]
    swapped = [meter_minute("B", FIRST + 4, 7, epoch=1), meter_minute("B", MINUTES.stop - 1, 57, epoch=1)]
    assert own(*rows, *swapped) == (650, 650)


def test_a_journal_that_ends_within_the_month_says_nothing() -> None:
    assert own() is None
    assert own(meter_minute("B", FIRST - 1, 0), meter_minute("B", MINUTES.stop - 2, 9)) is None
    assert check_bill(bill(), None).verdict is Verdict.UNCHECKED


def test_a_journal_that_begins_within_the_month_cannot_tell_a_difference() -> None:
    rows = history(POWERS)["A"]
    whole, part = own_energy(rows, MINUTES), own_energy(rows[5:], MINUTES)
    assert check_bill(bill("A"), part, reaches_back=False).verdict is Verdict.UNCHECKED
    assert check_bill(bill("A"), whole, reaches_back=False).verdict is Verdict.AGREES
    assert check_bill(bill("A"), part).verdict is Verdict.DIFFERS


@pytest.mark.parametrize("field", ["total", "microgrid_amount", "penalty_amount", "adjustments"])
def test_a_bill_whose_lines_do_not_add_up_differs(field: str) -> None:
    good = bill(adjustments=[adjustment(5)])
    account: Account = replace(good.account, **{field: getattr(good.account, field) + 1})
    found = check_bill(replace(good, account=account), None)
    assert (found.verdict, found.sums_right) == (Verdict.DIFFERS, False)
    assert check_bill(good, None).sums_right
