"""The month so far is what the month comes to when nothing is late, and finds back to it otherwise."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from central_monitor.office import RESTART_S
from central_monitor.services.agreed import Agreed
from central_monitor.services.running import RunningMonth
from microgrid.contracting import Wish
from microgrid.terms import House, Role, Source
from microgrid.units import microcoins
from tests.unit.central.bureau import Bureau, at_work, month
from tests.unit.central.parts import FIRST, MONTH, buyer, order_row, row, seller, tariff, terms

NEXT = month(MONTH).stop
TERMS = terms(buyer("A"), seller("B", 8, source=Source.SOLAR), buyer("C"))
Rows = list[Any]


class Meters:
    """Registers of houses that count on minute by minute."""

    def __init__(self) -> None:
        self._out = dict.fromkeys("ABCD", 0)
        self._in = dict.fromkeys("ABCD", 0)

    def rows(self, minute: int, **powers_w: int) -> Rows:
        for house, power in powers_w.items():
            self._out[house] += 60 * max(0, power)
            self._in[house] += 60 * max(0, -power)
        return [row(house, minute, self._in[house], self._out[house]) for house in powers_w]


async def live(bureau: Bureau, first: int, rows: Rows, orders: Rows | None = None) -> None:
    """The program records consecutive minutes from `first` on, up to the newest row."""
    end = max(made.minute for made in rows) + 1
    await bureau.record(rows, end * 60, orders or [])
    bureau.office.running.add(range(first, end), rows, orders or [])


def settled(bureau: Bureau, name: str = MONTH):
    """What the records say of the month so far."""
    last = max(made.minute for made in bureau.ask(lambda records: records.minutes.last_minutes()).values())
    ledger = bureau.ask(lambda records: records.settle(bureau.agreed.terms, name, last + 1))
    return ledger.statements(), ledger.penalty_parts()


minute_powers = st.tuples(*[st.integers(-3000, 3000)] * 3)


@settings(max_examples=15)
@given(
    st.lists(st.tuples(minute_powers, st.booleans(), st.booleans()), min_size=1, max_size=30),
    st.integers(0, 5),
)
def test_while_nothing_is_late_it_is_the_settled_month(minutes, restart_at):
    """In batches of one or more minutes, looked at after each or not, with orders, across a restart."""

    async def story(bureau):
        meters = Meters()
        await live(bureau, FIRST - 1, meters.rows(FIRST - 1, A=0, B=0, C=0))
        first, rows, orders = FIRST, [], []
        for n, ((a, b, c), flush, look) in enumerate(minutes):
            minute = FIRST + n
            rows += meters.rows(minute, A=a, B=b, C=c)
            orders.append(
                order_row("B", minute, raise_standing=look, target_w=900, command_id=1, acknowledged_s=0)
            )
            if flush or n == len(minutes) - 1:
                await live(bureau, first, rows, orders)
                first, rows, orders = minute + 1, [], []
            if look:
                bureau.office.running.statements()
            if n == restart_at and not rows:
                bureau.restart()
        assert bureau.office.running.through == FIRST + len(minutes)
        assert bureau.office.running.statements() == settled(bureau)

    with TemporaryDirectory() as folder:
        at_work(Path(folder), TERMS, story)


def test_a_new_month_begins_from_nothing_in_the_middle_of_what_is_added(tmp_path):
    async def story(bureau):
        meters = Meters()
        rows = [made for m in range(NEXT - 5, NEXT + 5) for made in meters.rows(m, A=-600, B=500, C=0)]
        await live(bureau, NEXT - 5, rows)
        statements, _ = bureau.office.running.statements()
        assert statements.month == "2026-07"
        assert statements.accounts["B"].microgrid_energy == 5 * 30_000
        assert bureau.office.running.statements() == settled(bureau, "2026-07")

    at_work(tmp_path, TERMS, story)


def test_minutes_nobody_recorded_are_unknown_until_the_next_row(tmp_path):
    async def story(bureau):
        meters = Meters()
        await live(bureau, FIRST - 1, meters.rows(FIRST - 1, A=0, B=0, C=0))
        await live(bureau, FIRST, meters.rows(FIRST, A=-600, B=500, C=0))
        bureau.office.running.statements()
        await live(bureau, FIRST + 10, meters.rows(FIRST + 10, A=-600, B=500, C=0))
        assert bureau.office.running.through == FIRST + 11
        accounts = bureau.office.running.statements()[0].accounts
        assert accounts["A"].estimated_minutes == 10

    at_work(tmp_path, TERMS, story)


def test_late_minutes_are_taken_in_when_it_is_started_again(tmp_path):
    async def story(bureau):
        meters = Meters()
        await live(bureau, FIRST - 1, meters.rows(FIRST - 1, A=0, B=0, C=0))
        held = meters.rows(FIRST, C=-900)
        await live(bureau, FIRST, meters.rows(FIRST, A=-600, B=500))
        await bureau.step((FIRST + 1) * 60)
        assert not bureau.office.running.behind
        await live(bureau, FIRST + 1, held + meters.rows(FIRST + 1, A=-600, B=500, C=-900))
        assert bureau.office.running.behind
        assert bureau.office.running.statements()[0].accounts["C"].estimated_minutes == 2
        await bureau.step((FIRST + 2) * 60)
        assert not bureau.office.running.behind
        assert bureau.office.running.statements() == settled(bureau)
        # Not after every late minute: settling a month takes its time.
        held = meters.rows(FIRST + 2, C=-900)
        await live(bureau, FIRST + 2, meters.rows(FIRST + 2, A=-600, B=500))
        await live(bureau, FIRST + 3, held + meters.rows(FIRST + 3, A=-600, B=500, C=0))
        await bureau.step((FIRST + 4) * 60)
        assert bureau.office.running.behind
        await bureau.step((FIRST + 2) * 60 + RESTART_S)
        assert bureau.office.running.statements() == settled(bureau)

    at_work(tmp_path, TERMS, story)


def test_the_rest_of_a_long_backlog_makes_it_begin_again(tmp_path):
    async def story(bureau):
        meters = Meters()
        rows = [made for m in range(FIRST - 1, FIRST + 20) for made in meters.rows(m, A=-600, B=500, C=0)]
        await bureau.record(rows, (FIRST + 20) * 60)
        bureau.office.running.add(range(FIRST - 1, FIRST + 20), rows[:30], ())
        bureau.office.running.add(range(0), rows[30:], ())
        assert bureau.office.running.behind
        await bureau.step((FIRST + 20) * 60)
        assert bureau.office.running.statements() == settled(bureau)

    at_work(tmp_path, TERMS, story)


@pytest.mark.parametrize("looked", [False, True])
def test_minutes_that_come_while_it_is_settled_again_are_kept(tmp_path, looked):
    async def story(bureau):
        meters = Meters()
        await live(bureau, FIRST - 1, meters.rows(FIRST - 1, A=0, B=0, C=0))
        held = meters.rows(FIRST, C=-900)
        await live(bureau, FIRST, meters.rows(FIRST, A=-600, B=500))
        running = bureau.office.running
        assert running.statements()
        await live(bureau, FIRST + 1, held + meters.rows(FIRST + 1, A=-600, B=500, C=0))
        read = bureau.archive.read
        late: Rows = []

        async def slowly(question):
            answer = await read(question)
            if not late:
                late.extend(meters.rows(FIRST + 2, C=-60))
                await live(bureau, FIRST + 2, meters.rows(FIRST + 2, A=-600, B=500))
                if looked:
                    assert running.statements()
            return answer

        bureau.archive.read = slowly
        await bureau.office._keep_up((FIRST + 3) * 60)
        assert not running.behind
        accounts = running.statements()[0].accounts
        assert accounts["B"].microgrid_energy == 3 * 30_000
        assert accounts["C"].estimated_minutes == 1
        await live(bureau, FIRST + 3, late + meters.rows(FIRST + 3, A=-600, B=500, C=0))
        assert running.behind

    at_work(tmp_path, TERMS, story)


def test_other_terms_of_this_month_are_taken_up_at_once_and_nonsense_is_never_shown(tmp_path):
    async def story(bureau):
        meters, running = Meters(), bureau.office.running
        await live(bureau, FIRST - 1, meters.rows(FIRST - 1, A=0, B=0, C=0))
        await live(bureau, FIRST, meters.rows(FIRST, A=-600, B=500, C=-900))
        await bureau.step((FIRST + 1) * 60)
        before = running.statements()
        new = House(house="D", name="", connection_w=5000, joined=FIRST + 1)
        await bureau.orders.add_house(new, "Mehmet", (FIRST + 1) * 60)
        assert running.statements() == before
        await live(bureau, FIRST + 1, meters.rows(FIRST + 1, A=-600, B=500, C=-900, D=0))
        assert running.statements() == before
        await bureau.step((FIRST + 2) * 60)
        assert running.statements() == settled(bureau)
        assert "D" in running.statements()[0].accounts
        dearer = tariff(valid_from=FIRST, national=microcoins(18))
        await bureau.orders.enter_tariff(dearer, "Mehmet", "It rose.", (FIRST + 2) * 60)
        await bureau.step((FIRST + 2) * 60 + 5)
        assert running.statements() == settled(bureau)

    at_work(tmp_path, TERMS, story)


def test_contracts_of_the_coming_month_change_nothing_yet(tmp_path):
    async def story(bureau):
        await live(bureau, NEXT - 10, Meters().rows(NEXT - 10, A=-600, B=500, C=-900))
        (a,) = bureau.join("A")
        await bureau.step((NEXT - 9) * 60, 2)
        a.wish(Wish(role=Role.CONSUMER, max_w=900), "2026-07")
        await bureau.step((NEXT - 9) * 60 + 5)
        assert bureau.agreed.terms.contract_at("A", NEXT).max_w == 900
        assert not bureau.office.running.outdated

    at_work(tmp_path, TERMS, story)


def test_without_a_tariff_nothing_is_shown_and_nothing_breaks(tmp_path):
    async def story(bureau):
        meters = Meters()
        await live(bureau, FIRST - 1, meters.rows(FIRST - 1, A=0, B=0, C=0))
        await live(bureau, FIRST, meters.rows(FIRST, A=-600, B=500, C=-900))
        with pytest.raises(LookupError, match="no tariff"):
            bureau.office.running.statements()
        await bureau.step((FIRST + 1) * 60)
        assert bureau.office.statements() is None
        await bureau.orders.enter_tariff(tariff(), "Mehmet", "Forgotten.", (FIRST + 1) * 60)
        await bureau.step((FIRST + 1) * 60 + 5)
        assert bureau.office.running.statements() == settled(bureau)

    at_work(tmp_path, replace(TERMS, tariffs=()), story)


def test_before_the_first_minute_there_is_nothing_to_show():
    running = RunningMonth(Agreed(TERMS), {}, None)
    assert running.statements() is None
    assert running.through == 0
