"""What comes of waivers: never more than was charged, the older first, and the reserve bears it."""

from hypothesis import given
from hypothesis import strategies as st

from microgrid.bill import Adjustment, Cause
from microgrid.statement import Account, EnergyBalance, Statements, Unit
from microgrid.terms import COMMON_ACCOUNTS, RESERVE
from microgrid.waiver import Waiver, charged_by, waived, waiver_postings

MONTH = "2026-06"


def account(penalty: int = 0) -> Account:
    zeros = {name: 0 for name in Account.__struct_fields__ if name != "role"}
    return Account(role="producer", **{**zeros, "penalty_amount": penalty, "total": penalty})


def statements(**charged: int) -> Statements:
    """A month in which these houses are charged so much in penalties."""
    accounts = {house: account(-amount) for house, amount in charged.items()}
    accounts |= {name: account() for name in COMMON_ACCOUNTS}
    accounts[RESERVE] = account(sum(charged.values()))
    return Statements(
        month=MONTH,
        zone="Asia/Karachi",
        unit=Unit(),
        postings_total=0,
        energy=EnergyBalance(sold=0, bought=0, imported=0, exported=0),
        accounts=accounts,
    )


def waiver(number: int, amount: int, house: str = "B") -> Waiver:
    return Waiver(
        month=MONTH, house=house, amount=amount, author="Mehmet", reason=f"Reason {number}.", entered_s=9,
        number=number,
    )  # fmt: skip


def test_the_older_waiver_comes_first_and_none_exceeds_the_penalty() -> None:
    listed = [waiver(7, 50), waiver(2, 60), waiver(9, 5)]
    assert waived(listed, 100) == {2: 60, 7: 40, 9: 0}
    assert waived(listed, 200) == {2: 60, 7: 50, 9: 5}
    assert waived(listed, 30) == {2: 30, 7: 0, 9: 0}
    assert waived(listed, -5) == {2: 0, 7: 0, 9: 0}  # a house that is charged nothing


def test_a_posting_tells_the_house_why_and_the_reserve_whose_it_was() -> None:
    made = waiver_postings([waiver(3, 60)], statements(A=5, B=100), {}, 2, 77)
    assert made == (
        Adjustment(
            account="B", month=MONTH, number=2, made_s=77, causes=(Cause.WAIVER,), own=True,
            reason="Reason 3.", energy=0, microgrid_amount=0, national_grid_amount=0, penalty_amount=60,
            waiver=3,
        ),
        Adjustment(
            account=RESERVE, month=MONTH, number=2, made_s=77, causes=(Cause.WAIVER,), own=True,
            reason="House B: Reason 3.", energy=0, microgrid_amount=0, national_grid_amount=0,
            penalty_amount=-60, waiver=3,
        ),
    )  # fmt: skip


def test_what_a_smaller_penalty_no_longer_holds_is_taken_back_and_given_again() -> None:
    listed = [waiver(1, 60), waiver(2, 30)]
    back = waiver_postings(listed, statements(B=70), {1: 60, 2: 30}, 3, 1)
    assert [(one.account, one.penalty_amount, one.waiver) for one in back] == [
        ("B", -20, 2),
        (RESERVE, 20, 2),
    ]
    assert "became smaller" in back[0].reason
    again = waiver_postings(listed, statements(B=100), {1: 60, 2: 10}, 4, 1)
    assert [(one.account, one.penalty_amount) for one in again] == [("B", 20), (RESERVE, -20)]
    assert "became larger" in again[0].reason


def test_a_house_without_an_account_is_charged_nothing() -> None:
    assert charged_by(statements(B=7), "B") == 7
    assert charged_by(statements(B=7), "Z") == 0
    assert waiver_postings([waiver(1, 5, "Z")], statements(B=7), {}, 1, 0) == ()


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 100)), max_size=6),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=5),
)
def test_after_any_runs_just_what_may_be_waived_is_posted(
    entered: list[tuple[str, int]], charges: list[tuple[int, int]]
) -> None:
    listed = [waiver(number, amount, house) for number, (house, amount) in enumerate(entered, 1)]
    posted: dict[int, int] = {}
    for run, (a, b) in enumerate(charges, 1):
        settled = statements(A=a, B=b)
        made = waiver_postings(listed, settled, posted, run, 0)
        assert sum(one.total for one in made) == 0
        for one in made:
            if one.account != RESERVE:
                posted[one.waiver] = posted.get(one.waiver, 0) + one.total
        assert waiver_postings(listed, settled, posted, run, 0) == ()
        for house, charged in (("A", a), ("B", b)):
            mine = [one for one in listed if one.house == house]
            total = sum(posted.get(one.number, 0) for one in mine)
            assert total == min(sum(one.amount for one in mine), charged)
            assert all(0 <= posted.get(one.number, 0) <= one.amount for one in mine)
