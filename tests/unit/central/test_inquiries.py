"""Every amount leads to its days, minutes and to what a minute rests on; all of it adds up."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from central_monitor.services.inquiries import STALE_MINUTES, Inquiries, agreements, month_entries
from central_monitor.services.month_end import QUIET_S
from central_monitor.services.records import open_records
from db.central import MinuteStore
from microgrid.months import month_minutes, zone_of
from microgrid.statement import PenaltyParts
from microgrid.terms import COMMON_ACCOUNTS, Cap, Obligation, Source
from microgrid.units import microcoins
from tests.unit.central.bureau import DAY_S, at_work, month, steady
from tests.unit.central.parts import FIRST, MONTH, buyer, order_row, row, seller, tariff, terms

JUNE, JULY = month(MONTH), month("2026-07")
JUNE_S = JUNE.stop * 60
ACCOUNTS = ("A", "B", "C", *COMMON_ACCOUNTS)
FIGURES = (
    "microgrid_energy",
    "national_grid_energy",
    "microgrid_amount",
    "national_grid_amount",
    "penalty_energy",
    "penalty_amount",
)
TERMS = terms(seller("B", 8), buyer("A"), buyer("C"))


def rows_of(powers_w, first=FIRST, gaps=()):
    """Rows minute by minute but for those in `gaps` (house, number of the minute); the meters count on."""
    made = [row(house, first - 1, 10**6, 10**6) for house in powers_w]
    for house, powers in powers_w.items():
        taken = given_ = 10**6
        for n, power in enumerate(powers):
            taken, given_ = taken + 60 * max(0, -power), given_ + 60 * max(0, power)
            if (house, n) not in gaps:
                made.append(row(house, first + n, taken, given_, max_w=power, min_w=power))
    return made


async def billed(bureau):
    """June is billed, from rows every hour."""
    rows = [
        m for h, w in (("A", -1200), ("B", 1000), ("C", -300)) for m in steady(h, FIRST - 1, JUNE.stop - 1, w)
    ]
    await bureau.record(rows, JUNE_S)
    await bureau.step(JUNE_S)
    assert bureau.runs(MONTH) == 1


def asked(bureau, question):
    """The answer of inquiries that are new, from the terms as they stand."""
    return bureau.ask(lambda records: question(Inquiries(records), records.agreements.load()))


def assert_adds_up(inquiries, agreed, name, accounts=ACCOUNTS):
    """Accounts are the sums of their days, days of their minutes."""
    book = inquiries.month_book(agreed, name)
    assert book.total == 0
    assert tuple(line.account for line in book.lines) == accounts
    for line in book.lines:
        days = inquiries.days(agreed, name, line.account)
        assert (days[0].first_minute, days[-1].end_minute) == (book.first_minute, book.end_minute)
        for figure in (*FIGURES, "estimated_minutes"):
            assert sum(getattr(day, figure) for day in days) == getattr(line.statement, figure)
        assert sum(day.total for day in days) == line.statement.total - line.statement.adjustments
        for number, day in enumerate(days):
            if number in (0, 1, len(days) - 1):
                assert_day(inquiries.minutes(agreed, name, line.account, number), day)
    return book


def assert_day(table, day):
    assert (table.first_minute, table.end_minute) == (day.first_minute, day.end_minute)
    for figure in FIGURES:
        assert len(getattr(table, figure)) == day.end_minute - day.first_minute
        assert int(getattr(table, figure).sum()) == getattr(day, figure)
    assert int(table.estimated.sum()) == day.estimated_minutes


@st.composite
def months(draw):
    """A few houses for some minutes around a midnight, with gaps, orders, two contracts and two tariffs."""
    count = draw(st.integers(2, 40))
    begin = FIRST + 1440 - draw(st.integers(1, 20))
    powers = {h: draw(st.lists(st.integers(-3000, 3000), min_size=count, max_size=count)) for h in "ABC"}
    gaps = draw(st.sets(st.tuples(st.sampled_from("ABC"), st.integers(0, count - 2)), max_size=10))
    turn = begin + draw(st.integers(0, count))
    contracts = (
        seller("B", draw(st.sampled_from([8, 25])), valid_to=turn),
        seller("B", 12, valid_from=turn, source=Source.SOLAR, obligation=Obligation.DAYLIGHT, max_w=900),
        buyer("A"),
        buyer("C", max_w=draw(st.sampled_from([200, 3000]))),
    )
    tariffs = (tariff(valid_to=turn + 3), tariff(valid_from=turn + 3, national=microcoins(21), feed_in=10**6))
    cap = draw(st.sampled_from(Cap))
    agreed = terms(*contracts, tariffs=tuple(replace(each, cap=cap) for each in tariffs))
    orders = [
        order_row(
            "B", begin + n, raise_standing=standing, target_w=1500, command_id=1, acknowledged_s=60 * FIRST
        )
        for n, standing in enumerate(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    ]
    return agreed, rows_of(powers, begin, gaps), orders, range(begin, begin + count)


@settings(max_examples=12)
@given(months(), st.data())
def test_any_month_adds_up_down_to_what_a_minute_rests_on(some, data):
    agreed, rows, orders, minutes = some

    async def story(bureau):
        await bureau.record(rows, minutes.stop * 60, orders)
        with open_records(bureau.path) as records:
            inquiries = Inquiries(records)
            assert_adds_up(inquiries, agreed, MONTH)
            house, minute = data.draw(st.sampled_from("ABC")), data.draw(st.sampled_from(minutes))
            proof = inquiries.proof(agreed, house, minute)
            days = inquiries.days(agreed, MONTH, house)
            number = next(n for n, day in enumerate(days) if day.first_minute <= minute < day.end_minute)
            table = inquiries.minutes(agreed, MONTH, house, number)
            assert_proof(proof, table, minute - table.first_minute)
            assert proof.row == next((r for r in rows if (r.house, r.minute) == (house, minute)), None)
            assert proof.order == next((o for o in orders if (o.house, o.minute) == (house, minute)), None)
            assert proof.contract == agreed.contract_at(house, minute)
            assert proof.tariff == agreed.tariff_at(minute)
            others = [inquiries.proof(agreed, other, minute).net_energy for other in "ABC"]
            assert proof.produced == sum(net for net in others if net > 0)
            assert proof.consumed == -sum(net for net in others if net < 0)

    with TemporaryDirectory() as folder:
        at_work(Path(folder), agreed, story)


def assert_proof(proof, table, at):
    """What the proof says is what the minute says, and its registers give its energy."""
    for figure in FIGURES[:4]:
        assert getattr(proof, figure) == int(getattr(table, figure)[at])
    parts = proof.penalties
    assert parts.deficit_energy + parts.minimum_energy == int(table.penalty_energy[at])
    assert parts.deficit_amount + parts.minimum_amount == int(table.penalty_amount[at])
    assert proof.estimated == bool(table.estimated[at])
    assert (-1 if proof.rate is None else proof.rate) == int(table.rate[at])
    assert proof.net_energy == proof.microgrid_energy + proof.national_grid_energy
    if not proof.estimated and proof.row is not None and proof.before is not None:
        rises = proof.row.export_ws - proof.before.export_ws, proof.row.import_ws - proof.before.import_ws
        assert proof.net_energy == rises[0] - rises[1]
    if proof.row is None:
        assert proof.estimated or proof.net_energy == 0
        assert proof.after is not None


def test_a_billed_month_is_shown_with_its_bills_and_the_houses_findings(tmp_path):
    async def story(bureau):
        (a,) = bureau.join("A")
        await billed(bureau)
        book = asked(bureau, lambda i, t: assert_adds_up(i, t, MONTH))
        assert (book.month, book.zone, book.issued_s) == (MONTH, "Asia/Karachi", JUNE_S)
        lines = {line.account: line for line in book.lines}
        assert lines["A"].bill == a.bills[0]
        assert lines["A"].statement == a.bills[0].account
        assert [lines[name].bill for name in COMMON_ACCOUNTS] == [None] * 3
        assert (lines["A"].name, lines["reserve"].name) == ("House A", "")
        assert (lines["A"].check, book.adjustments, lines["A"].adjusted) == (None, (), 0)
        # A house named in the wrong case is no account.
        with pytest.raises(LookupError, match="no account a"):
            asked(bureau, lambda i, t: i.days(t, MONTH, "a"))

    at_work(tmp_path, TERMS, story)


def test_a_corrected_tariff_shows_in_the_figures_only_when_it_is_settled(tmp_path):
    async def story(bureau):
        await billed(bureau)
        before = asked(bureau, lambda i, t: (i.days(t, MONTH, "A"), i.proof(t, "A", JUNE.start + 700)))
        # In the very second in which the bills were made, as it is in virtual time.
        dearer = tariff(valid_from=JUNE.start, valid_to=JUNE.stop, national=microcoins(18))
        await bureau.orders.enter_tariff(dearer, "Mehmet", "June.", JUNE_S)
        after = asked(bureau, lambda i, t: (i.days(t, MONTH, "A"), i.proof(t, "A", JUNE.start + 700)))
        assert after == before
        asked(bureau, lambda i, t: assert_adds_up(i, t, MONTH))
        await bureau.step(JUNE_S + QUIET_S)
        assert bureau.runs(MONTH) == 2
        days, proof = asked(bureau, lambda i, t: (i.days(t, MONTH, "A"), i.proof(t, "A", JUNE.start + 700)))
        assert proof.tariff.national == microcoins(18)
        book = asked(bureau, lambda i, t: i.month_book(t, MONTH))
        (line,) = (line for line in book.lines if line.account == "A")
        # The bill stays; what was added later stands beside it, and together they are the days.
        assert line.statement == bureau.bills(MONTH)["A"].account
        assert sum(day.total for day in days) == line.statement.total + line.adjusted
        assert (book.total, sum(each.adjusted for each in book.lines)) == (0, 0)
        assert asked(bureau, lambda i, t: month_entries(i._records, t))[0].runs == 2

    at_work(tmp_path, TERMS, story)


def test_paid_adjustments_are_in_the_next_months_lines_and_the_total_stays_zero(tmp_path):
    async def story(bureau):
        await billed(bureau)
        dearer = tariff(valid_from=JUNE.start, valid_to=JUNE.stop, national=microcoins(18))
        await bureau.orders.enter_tariff(dearer, "Mehmet", "June.", JUNE_S)
        await bureau.step(JUNE_S + QUIET_S)
        begun = {h: 60 * w * (len(JUNE) + 1) for h, w in (("A", 1200), ("B", 1000), ("C", 300))}
        rows = [
            made
            for house, power in (("A", -1200), ("B", 1000), ("C", -300))
            for made in steady(house, JULY.start, JULY.stop - 1, power, begun[house])
        ]
        await bureau.record(rows, JULY.stop * 60)
        assert asked(bureau, lambda i, t: i.month_book(t, "2026-07")).total == 0
        await bureau.step(JULY.stop * 60)
        book = asked(bureau, lambda i, t: assert_adds_up(i, t, "2026-07"))
        made = {paper.account: paper.total for paper in bureau.adjustments(MONTH)}
        assert {ln.account: ln.statement.adjustments for ln in book.lines if ln.statement.adjustments} == made
        assert set(made) & set(COMMON_ACCOUNTS)

    at_work(tmp_path, TERMS, story)


def test_a_corrected_reading_is_proved_with_what_it_was_and_by_whom(tmp_path):
    async def story(bureau):
        await bureau.record(rows_of({"A": [-600] * 5, "B": [900] * 5, "C": [0] * 5}), (FIRST + 9) * 60)
        correct = bureau.orders.correct
        await correct("A", FIRST + 2, 10**6 + 90_000, 10**6, "Mehmet", "Misread.", (FIRST + 9) * 60)
        proof = asked(bureau, lambda i, t: i.proof(t, "A", FIRST + 2))
        assert proof.corrected_by == "Mehmet: Misread."
        assert [old.import_ws for old in proof.revisions] == [10**6 + 108_000]
        assert (proof.row.import_ws, proof.net_energy) == (10**6 + 90_000, -18_000)
        untouched = asked(bureau, lambda i, t: i.proof(t, "A", FIRST + 1))
        assert (untouched.corrected_by, untouched.revisions) == ("", ())
        assert untouched.penalties == PenaltyParts()

    at_work(tmp_path, TERMS, story)


def test_an_allotment_is_told_of_consumers(tmp_path):
    async def story(bureau):
        await bureau.record(rows_of({"A": [-600] * 5, "B": [900] * 5, "C": [0] * 5}), (FIRST + 9) * 60)
        proofs = {h: asked(bureau, lambda i, t, h=h: i.proof(t, h, FIRST + 2)) for h in "ABC"}
        assert {h: proof.allotment for h, proof in proofs.items()} == {
            "A": 1250 * 60,
            "B": None,
            "C": 1250 * 60,
        }
        assert proofs["A"].rate == microcoins(8)

    at_work(tmp_path, TERMS, story)


def test_a_day_is_settled_once_for_many_questions_until_anything_is_recorded(tmp_path, monkeypatch):
    read = []
    billed_days = MinuteStore.billed_days

    def counted(*asked):
        read.append(asked)
        return billed_days(*asked)

    monkeypatch.setattr(MinuteStore, "billed_days", counted)

    async def story(bureau):
        await bureau.record(rows_of({"A": [-600] * 90, "B": [900] * 90, "C": [0] * 90}), (FIRST + 99) * 60)
        with open_records(bureau.path) as records:
            inquiries = Inquiries(records)
            assert inquiries.minutes(TERMS, MONTH, "A", 0).microgrid_energy.tolist() == [-36_000] * 90
            read.clear()
            assert [inquiries.proof(TERMS, "A", FIRST + n).net_energy for n in (0, 2, 89)] == [-36_000] * 3
            assert int(inquiries.minutes(TERMS, MONTH, "B", 0).microgrid_energy.sum()) == 36_000 * 90
            assert read == []
            dearer = terms(seller("B", 9), buyer("A"), buyer("C"))
            assert inquiries.proof(dearer, "A", FIRST + 2).rate == microcoins(9)
            assert inquiries.proof(TERMS, "A", FIRST + 2).rate == microcoins(8)
            correct = bureau.orders.correct
            await correct("A", FIRST + 2, 10**6 + 90_000, 10**6, "Mehmet", "Misread.", (FIRST + 99) * 60)
            assert inquiries.proof(TERMS, "A", FIRST + 2).net_energy == -18_000
            assert inquiries.proof(TERMS, "A", FIRST + 3).net_energy == -54_000

    at_work(tmp_path, TERMS, story)


def test_who_asked_before_a_month_was_settled_anew_is_told_of_the_new_run(tmp_path):
    async def story(bureau):
        await billed(bureau)
        with open_records(bureau.path) as records:
            inquiries = Inquiries(records)
            before = inquiries.minutes(TERMS, MONTH, "A", 0)
            dearer = tariff(valid_from=JUNE.start, valid_to=JUNE.stop, national=microcoins(18))
            await bureau.orders.enter_tariff(dearer, "Mehmet", "June.", JUNE_S)
            await bureau.step(JUNE_S + QUIET_S)
            agreed = records.agreements.load()
            after = inquiries.minutes(agreed, MONTH, "A", 0)
            assert not np.array_equal(after.national_grid_amount, before.national_grid_amount)
            assert_day(after, inquiries.days(agreed, MONTH, "A")[0])

    at_work(tmp_path, TERMS, story)


def test_a_month_that_runs_is_what_it_comes_to_so_far(tmp_path):
    async def story(bureau):
        await bureau.record(rows_of({"A": [-600] * 90, "B": [900] * 90, "C": [0] * 90}), (FIRST + 99) * 60)
        with open_records(bureau.path) as records:
            inquiries = Inquiries(records)
            book = assert_adds_up(inquiries, TERMS, MONTH)
            assert (book.issued_s, book.end_minute) == (None, FIRST + 90)
            # It is not settled again for every question, but once it has grown.
            await bureau.record([row("A", FIRST + 100, 10**6 + 40_000 * 91)], (FIRST + 101) * 60)
            assert inquiries.month_book(TERMS, MONTH).end_minute == FIRST + 90
            await bureau.record([row("A", FIRST + 89 + STALE_MINUTES, 10**7)], (FIRST + 199) * 60)
            assert inquiries.month_book(TERMS, MONTH).end_minute == FIRST + 90 + STALE_MINUTES
            with pytest.raises(LookupError, match="not settled yet"):
                inquiries.proof(TERMS, "A", FIRST + 5000)
        with pytest.raises(LookupError, match="Nothing is recorded of 2026-07"):
            asked(bureau, lambda i, t: i.month_book(t, "2026-07"))

    at_work(tmp_path, TERMS, story)


def test_a_month_that_is_over_is_whole_though_it_is_not_billed(tmp_path):
    async def story(bureau):
        await bureau.record([row(h, m) for h in "ABC" for m in (FIRST - 1, JUNE.stop - 30)], JUNE_S)
        with open_records(bureau.path) as records:
            inquiries = Inquiries(records)
            assert inquiries.month_book(TERMS, MONTH).end_minute == JUNE.stop - 29
            await bureau.record([row("A", JUNE.stop + 2)], JUNE_S)
            assert inquiries.month_book(TERMS, MONTH).end_minute == JUNE.stop

    at_work(tmp_path, TERMS, story)


def test_months_are_listed_newest_first_from_the_first_that_can_have_a_bill(tmp_path):
    async def story(bureau):
        assert asked(bureau, lambda i, t: month_entries(i._records, t)) == ()
        await billed(bureau)
        await bureau.record([row("A", JULY.start + 5, 10**10)], JUNE_S + DAY_S)
        entries = asked(bureau, lambda i, t: month_entries(i._records, t))
        assert [(e.month, e.issued_s, e.runs) for e in entries] == [("2026-07", None, 0), (MONTH, JUNE_S, 1)]
        bureau.join("A")
        await bureau.step((JULY.stop - 1440) * 60, 2)
        found = bureau.ask(agreements)
        assert [each.month for each in found.rounds] == ["2026-08"]
        assert found.policy == bureau.office.desk.policy

    at_work(tmp_path, TERMS, story)


@pytest.mark.parametrize(
    ("zone", "name", "hours"), [("Europe/Berlin", "2026-03", 23), ("Europe/Berlin", "2026-10", 25)]
)
def test_days_of_23_and_25_hours_hold_every_minute_once(tmp_path, zone, name, hours):
    agreed = replace(TERMS, zone=zone)
    minutes = month_minutes(name, zone_of(zone))

    async def story(bureau):
        rows = [
            made
            for house, power in (("A", -1200), ("B", 1000), ("C", -300))
            for made in steady(house, minutes.start - 1, minutes.stop - 1, power)
        ]
        await bureau.record(rows, minutes.stop * 60)
        await bureau.step(minutes.stop * 60)
        book = asked(bureau, lambda i, t: assert_adds_up(i, t, name))
        assert book.end_minute == minutes.stop
        days = asked(bureau, lambda i, t: i.days(t, name, "B"))
        lengths = [day.end_minute - day.first_minute for day in days]
        assert sorted({*lengths} - {1440}) == [hours * 60]
        number = lengths.index(hours * 60)
        table = asked(bureau, lambda i, t: i.minutes(t, name, "B", number))
        assert_day(table, days[number])
        assert np.unique(table.microgrid_energy + table.national_grid_energy).tolist() == [60_000]
        assert asdict(bureau.bills(name)["B"].account)["microgrid_energy"] == 60_000 * len(minutes)

    at_work(tmp_path, agreed, story)
