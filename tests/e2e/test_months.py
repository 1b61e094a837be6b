"""Months that run by themselves: contracts, bills, late data and adjustments, through real processes."""

from pathlib import Path
from typing import Any

import pytest

from microgrid.agreements import Basis
from microgrid.bill import Cause, Verdict
from microgrid.minute import Origin
from microgrid.months import month_minutes, zone_of
from microgrid.units import microcoins
from tests.e2e.books import agreed, assert_balanced, assert_run_again, papers_of, records_of
from tests.e2e.neighbourhood import HOUSES, Neighbourhood

JUNE, JULY, AUGUST = "2026-06", "2026-07", "2026-08"
STEP = 5
HOUR, DAY = 60, 1440


def consumer(max_kw: float) -> dict[str, Any]:
    return {"role": "consumer", "max_w": round(max_kw * 1000)}


def producer(source: str, price: float, min_kw: float = 0.25, max_kw: float = 2.5) -> dict[str, Any]:
    return {
        "role": "producer", "source": source, "price": microcoins(price), "obligation": "always",
        "min_w": round(min_kw * 1000), "max_w": round(max_kw * 1000),
    }  # fmt: skip


def tariff(national: float, first: int, end: int, note: str) -> dict[str, Any]:
    return {
        "kind": "tariff",
        "tariff": {"valid_from": first, "valid_to": end, "national": microcoins(national)},
        "author": "Ada",
        "note": note,
    }


class Town(Neighbourhood):
    """A neighbourhood that begins some days before the end of June."""

    def __init__(self, folder: Path, days_of_june: int) -> None:
        super().__init__(folder, STEP)
        zone = zone_of(self.terms.zone)
        self.july, self.august = month_minutes(JULY, zone), month_minutes(AUGUST, zone)
        self.now = self._start_minute = self.july.start - days_of_june * DAY

    # --- the story, in its order --------------------------------------------------------------------

    def agree_for_july(self) -> None:
        """The window is open: July gets a cheaper tariff, and everybody but C answers."""
        self.play_until(max(self.now, self.july.start - 3 * DAY))
        self.play(HOUR)
        self.play_with(A=consumer(9.0), B=producer("solar", 18), D=producer("generator", 24, 3.0, 2.5))
        refused = self.conductor.refused
        assert "at most the connection's 5 kW" in refused.pop("A")
        assert "a solar price may not exceed it" in refused.pop("B")
        assert "lower the minimum or raise the maximum" in refused.pop("D")
        self.play_with(tariff(16.0, self.july.start, self.august.start, "July's price list"))
        # B's kiosk still knows 17.6; the central does not agree, says why, and B thinks again.
        self.play_with(A=consumer(3.0), B=producer("solar", 17), D=producer("generator", 24))
        self.play(STEP)
        with records_of(self.database) as records:
            assert set(agreed(records, JULY)) == {"A", "D"}
        self.play_with(B=producer("solar", 9))
        self.play(STEP)
        self.play_with(B=producer("solar", 10))
        assert "agreed already" in refused.pop("B")  # and final
        assert refused == {}

    def turn_to_july_without_c(self) -> None:
        """C is cut off from the last noon of June on; its bill waits for the grace, then is made without."""
        self.play_until(self.july.start - 12 * HOUR)
        self.cables["C"].cut()
        self.play_until(self.july.start + DAY - STEP)
        with records_of(self.database) as records:
            assert records.billing.months() == ()
            assert {h: e.basis for h, e in agreed(records, JULY).items()} == {
                "A": Basis.ANSWERED, "B": Basis.ANSWERED, "C": Basis.CARRIED_OVER, "D": Basis.ANSWERED,
            }  # fmt: skip
        self.play(2 * STEP)
        with records_of(self.database) as records:
            assert records.billing.months() == (JUNE,)
            run = records.billing.latest(JUNE)
            assert run is not None
            assert run.open_houses == ("C",)
            assert_run_again(records, self.database, JUNE)

    def hear_c_again(self) -> None:
        """C's minutes come late, the central loses its power before it has looked, and June is adjusted."""
        self.cables["C"].join()
        self.play_until_linked(*HOUSES)
        self.kill("central")
        self.start_central()
        self.play_until_linked(*HOUSES)
        self.play(HOUR)
        with records_of(self.database) as records:
            made = records.billing.adjustments(JUNE)
            assert {adjustment.number for adjustment in made} == {2}
            assert {cause for adjustment in made for cause in adjustment.causes} == {Cause.LATE}
            assert [adjustment.account for adjustment in made if adjustment.own] == ["C"]
            assert_balanced(records, JUNE)
            assert_run_again(records, self.database, JUNE)

    def correct_june(self) -> None:
        """A reading of A and the tariff of June's last days were wrong: another adjustment each."""
        minute = self.july.start - DAY
        with records_of(self.database) as records:
            before, row, after = records.minutes.around("A", minute)
        assert before is not None
        assert row is not None
        assert after is not None
        self.play_with({
            "kind": "correct", "house": "A", "minute": minute, "author": "Ada", "reason": "read by hand",
            "import_ws": after.import_ws, "export_ws": row.export_ws,
        })  # fmt: skip
        self.play_with(tariff(18.0, self.july.start - 2 * DAY, self.july.start, "the list was misread"))
        self.play(HOUR)
        with records_of(self.database) as records:
            corrected = records.minutes.around("A", minute)[1]
            assert corrected is not None
            assert (corrected.import_ws, corrected.origin) == (after.import_ws, Origin.CORRECTED)
            assert [old.import_ws for old in records.minutes.revisions("A", minute)] == [row.import_ws]
            last = [a for a in records.billing.adjustments(JUNE) if a.number == 3]
            assert {cause for a in last for cause in a.causes} == {Cause.CORRECTED, Cause.TARIFF}
            assert {a.account for a in last} >= {"A", "C", "national_grid"}
            assert_balanced(records, JUNE)
            assert_run_again(records, self.database, JUNE)

    def look_at_the_houses_papers(self, months: tuple[str, ...]) -> None:
        """Every house has its own bills, agrees with them, and knows nothing of anybody else's."""
        for house in HOUSES:
            papers = papers_of(self.data(house), house)
            assert tuple(bill.month for bill in papers.bills) == months
            assert {bill.house for bill in papers.bills} == {house}
            assert {a.account for a in papers.adjustments} == {house}
            for other in set(HOUSES) - {house}:
                assert f"House {other}".encode() not in papers.raw
            verdicts = [check.verdict for check in papers.checks]
            # C's first bill was made before its last half day was known: its own meter knows better, if its
            # journal reaches back before the month.
            whole = self._start_minute == self.month.start
            june = Verdict.AGREES if house != "C" else Verdict.DIFFERS if whole else Verdict.UNCHECKED
            assert verdicts == [*(Verdict.AGREES for _ in months[1:]), june]


def test_a_month_turns_into_bills_and_late_data_into_adjustments(tmp_path: Path) -> None:
    with Town(tmp_path, days_of_june=3) as town:
        town.agree_for_july()
        town.turn_to_july_without_c()
        town.hear_c_again()
        town.correct_june()
        town.stop_all()
        town.look_at_the_houses_papers((JUNE,))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_whole_months_are_contracted_billed_adjusted_and_billed_again(tmp_path: Path) -> None:
    with Town(tmp_path, days_of_june=30) as town:
        town.agree_for_july()
        town.turn_to_july_without_c()
        town.hear_c_again()
        town.correct_june()
        town.play_until(town.august.start + HOUR)
        town.stop_all()
        with records_of(town.database) as records:
            assert records.billing.months() == (JULY, JUNE)
            assert records.billing.adjustments(JULY) == ()
            assert_run_again(records, town.database, JULY)
            bills = {bill.house: bill for bill in records.billing.bills(JULY)}
            # What June owed is paid with July's statements, and those come to nothing all the same.
            owed = records.billing.adjustments(JUNE)
            for house, bill in bills.items():
                mine = tuple(adjustment for adjustment in owed if adjustment.account == house)
                assert bill.adjustments == mine
                assert bill.account.adjustments == sum(adjustment.total for adjustment in mine)
            assert records.billing.uncarried("9999-12") == ()
        town.look_at_the_houses_papers((JULY, JUNE))
