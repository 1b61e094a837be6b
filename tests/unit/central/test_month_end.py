"""When a month is billed, what comes too late for it, and what a run of it makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from central_monitor.services.month_end import (
    BACKLOG_S,
    GRACE_S,
    PATIENCE_S,
    Arrivals,
    LateMinutes,
    final_due,
    members,
    missing,
    month_due,
)
from microgrid.bill import Cause
from microgrid.months import month_minutes, zone_of
from microgrid.terms import Terms
from tests.unit.central.bureau import month
from tests.unit.central.parts import ZONE, buyer, row, seller, terms

MAY, JUNE, JULY = (month(f"2026-{n:02}") for n in (5, 6, 7))
TERMS = terms(buyer("A"), seller("B", 8))
END_S = JUNE.stop * 60
ALL_IN = {"A": JUNE.stop - 1, "B": JUNE.stop - 1}


def with_a(**more: int) -> Terms:
    return replace(TERMS, houses=(replace(TERMS.houses[0], **more), TERMS.houses[1]))


def due(now_s: int, last: dict[str, int], agreed: Terms = TERMS, **more: object) -> str | None:
    values = {"first": JUNE.start, "billed_until": 0, **more}
    return month_due(agreed, last=last, now_s=now_s, **values)  # type: ignore[arg-type]


# --- when -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now_s", "last", "found"),
    [
        (END_S - 1, ALL_IN, None),
        (END_S, ALL_IN, "2026-06"),
        (END_S, {"A": JUNE.stop + 5, "B": JUNE.stop - 1}, "2026-06"),
        (END_S, {**ALL_IN, "A": JUNE.stop - 2}, None),
        (END_S, {"B": JUNE.stop - 1}, None),
        (END_S + GRACE_S - 1, {**ALL_IN, "A": JUNE.stop - 2}, None),
        (END_S + GRACE_S, {**ALL_IN, "A": JUNE.stop - 2}, "2026-06"),
        (END_S + GRACE_S, {}, "2026-06"),
    ],
)
def test_bills_are_due_when_all_minutes_are_in_or_the_grace_is_over(
    now_s: int, last: dict[str, int], found: str | None
) -> None:
    assert due(now_s, last) == found


def test_months_are_billed_one_after_another() -> None:
    last = dict.fromkeys("AB", JULY.stop)
    now_s = JULY.stop * 60
    assert due(now_s, last) == "2026-06"
    assert due(now_s, last, billed_until=JUNE.stop) == "2026-07"
    assert due(now_s, last, billed_until=JULY.stop) is None
    assert due(now_s, last, first=MAY.stop - 1) == "2026-05"


def test_who_joined_or_left_only_needs_its_own_minutes() -> None:
    assert due(END_S, {"B": JUNE.stop - 1, "A": JUNE.start + 8}, with_a(left=JUNE.start + 9)) == "2026-06"
    assert due(END_S, {"B": JUNE.stop - 1, "A": JUNE.start + 7}, with_a(left=JUNE.start + 9)) is None
    assert due(END_S, {"B": JUNE.stop - 1}, with_a(joined=JUNE.stop)) == "2026-06"
    assert due(END_S, {"B": JUNE.stop - 1}, with_a(left=JUNE.start)) == "2026-06"
    assert due(END_S, {"B": JUNE.stop - 1}, with_a(joined=JUNE.stop - 1)) is None
    assert [h.house for h in members(with_a(left=JUNE.start), JUNE)] == ["B"]
    assert missing(with_a(joined=JUNE.start + 5), JUNE, {"B": JUNE.stop - 1}) == ("A",)


def test_who_brings_what_it_kept_is_waited_for_beyond_the_grace() -> None:
    behind = {**ALL_IN, "A": JUNE.start + 400}
    assert due(END_S + GRACE_S, behind, delivering={"A"}) is None
    assert due(END_S + GRACE_S, behind, delivering={"B"}) == "2026-06"
    assert due(END_S, ALL_IN, delivering={"A", "B"}) == "2026-06"


def test_a_house_delivers_as_long_as_new_minutes_come() -> None:
    arrivals = Arrivals()
    assert arrivals.delivering(TERMS, {"B": 7}, 0) == {"A", "B"}  # the central has only just begun
    assert arrivals.delivering(TERMS, {"B": 9}, 600) == {"A", "B"}
    assert arrivals.delivering(TERMS, {"B": 9}, BACKLOG_S) == {"B"}
    assert arrivals.delivering(TERMS, {"A": 1, "B": 9}, BACKLOG_S + 600) == {"A"}
    assert arrivals.delivering(TERMS, {"A": 1, "B": 9}, 3 * BACKLOG_S) == set()


def test_a_house_that_brings_a_minute_now_and_then_is_not_waited_for_for_ever():
    arrivals = Arrivals()
    waited = [
        now_s
        for now_s in range(0, 2 * PATIENCE_S, 600)
        if "A" in arrivals.delivering(TERMS, {"A": now_s}, now_s)
    ]
    assert waited == list(range(0, PATIENCE_S, 600))


@pytest.mark.parametrize(("name", "hours"), [("2026-03", 31 * 24 - 1), ("2026-10", 31 * 24 + 1)])
def test_months_with_a_change_of_the_clocks_end_when_their_last_minute_is_over(name: str, hours: int) -> None:
    berlin = replace(TERMS, zone="Europe/Berlin")
    minutes = month_minutes(name, zone_of("Europe/Berlin"))
    assert len(minutes) == hours * 60
    last = dict.fromkeys("AB", minutes.stop - 1)
    assert due(minutes.stop * 60 - 1, last, berlin, first=minutes.start) is None
    assert due(minutes.stop * 60, last, berlin, first=minutes.start) == name


def test_a_final_bill_is_due_when_a_leavers_own_minutes_are_in() -> None:
    left = JUNE.start + 1000
    agreed, in_time = with_a(left=left), {"A": left - 1}

    def found(now_s: int, last: dict[str, int], until: int = JUNE.start, **more: object) -> str | None:
        house = final_due(agreed, until, more.pop("billed", ()), last, now_s, **more)  # type: ignore[arg-type]
        return None if house is None else house.house

    assert found(left * 60 - 1, in_time) is None
    assert found(left * 60, in_time) == "A"
    assert found(left * 60, in_time, billed={"A"}) is None
    assert found(left * 60, in_time, until=JUNE.stop) is None  # the month's bills are out
    assert found(left * 60, {"A": left - 2, "B": left}) is None
    assert found(left * 60 + GRACE_S, {"A": left - 2}) == "A"
    assert found(left * 60 + GRACE_S, {"A": left - 2}, delivering={"A"}) is None


# --- what comes late --------------------------------------------------------------------------------


def late(open_houses: tuple[str, ...] = (), until: int = JUNE.stop) -> LateMinutes:
    return LateMinutes(ZONE, until, open_houses)


def test_minutes_before_the_bills_are_a_change_a_house_and_month() -> None:
    rows = [
        row("B", JUNE.start + 5),
        row("B", JUNE.start + 5000),
        row("A", MAY.stop - 1),
        row("A", JUNE.stop),
    ]
    found = late().changes(rows, 77)
    assert [(c.month, c.house, c.cause, c.made_s) for c in found] == [
        ("2026-05", "A", Cause.LATE, 77),
        ("2026-06", "B", Cause.LATE, 77),
    ]
    assert found[0].reason == "Minutes of your meter of 31 May 2026 came after the bill."
    assert found[1].reason == "Minutes of your meter of 1 June 2026 to 4 June 2026 came after the bill."
    assert late(until=0).changes(rows, 77) == []


def test_a_row_that_closes_a_gap_over_the_months_end_is_a_change_once() -> None:
    noticed = late(("A",))
    (change,) = noticed.changes([row("A", JUNE.stop + 40), row("B", JUNE.stop + 40)], 5)
    assert (change.month, change.house, change.cause) == ("2026-06", "A", Cause.LATE)
    assert noticed.changes([row("A", JUNE.stop + 40)], 5) == [change]  # not on the disk yet
    noticed.recorded([row("A", JUNE.stop + 40)])
    assert noticed.changes([row("A", JUNE.stop + 41)], 6) == []


def test_while_bills_are_made_their_minutes_are_late_already() -> None:
    noticed = late(until=JUNE.start)
    rows = [row("A", JUNE.stop - 1)]
    assert noticed.changes(rows, 5) == []
    with noticed.billing(JUNE.stop, ["B"]):
        assert [c.house for c in noticed.changes(rows, 5)] == ["A"]
        assert [c.house for c in noticed.changes([row("B", JUNE.stop)], 5)] == ["B"]
    assert noticed.billed_until == JUNE.stop


def test_bills_that_could_not_be_made_leave_nothing_late() -> None:
    noticed = late(("A",), until=JUNE.start)
    with pytest.raises(LookupError), noticed.billing(JUNE.stop, ["B"]):
        raise LookupError
    assert noticed.billed_until == JUNE.start
    assert [c.house for c in noticed.changes([row("A", JUNE.start), row("B", JUNE.stop)], 5)] == ["A"]


@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(MAY.start, JULY.stop)), max_size=20))
def test_every_late_row_is_in_a_change_of_its_house_and_month(found: list[tuple[str, int]]) -> None:
    changes = late().changes([row(house, minute) for house, minute in found], 5)
    expected = {
        ("2026-05" if minute < JUNE.start else "2026-06", house)
        for house, minute in found
        if minute < JUNE.stop
    }
    assert {(c.month, c.house) for c in changes} == expected
    assert len(changes) == len(expected)
