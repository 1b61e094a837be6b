"""A central that means harm, or is broken: the disk of a house does not fill, nor do months change places."""

import pytest

from house_client import papers
from microgrid.agreements import Basis
from microgrid.wire.messages import Delivered
from tests.unit.house.test_papers import CALL, NOW_S, adjustment, bill, call, history, month, story


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(papers, "KEPT_MONTHS", 3)
    monkeypatch.setattr(papers, "KEPT_ADJUSTMENTS", 4)


def names(first_year, count):
    return [f"{first_year + n // 12}-{n % 12 + 1:02}" for n in range(count)]


def on_disk(house):
    """How many papers of each kind are kept."""
    return {kind: len(house.journal.papers.all(kind)) for kind in papers.PaperKind}


def test_bills_without_end_leave_the_newest_and_their_findings(tmp_path, few):
    async def telling(house, desk):
        for name in reversed(names(2030, 8)):
            assert isinstance(await desk.deliver(bill=bill(-5, name)), Delivered)

    async def after_a_restart(house, desk):
        assert [each.bill.month for each in (await history(house)).bills] == ["2030-08", "2030-07", "2030-06"]
        kinds = await house.worker.submit(lambda: on_disk(house))
        assert (kinds[papers.PaperKind.BILL], kinds[papers.PaperKind.CHECK]) == (3, 3)

    story(tmp_path, telling, after_a_restart)


def test_adjustments_without_end_leave_the_newest(tmp_path, few):
    async def telling(house, desk):
        await desk.deliver(bill=bill(-5))
        for number in range(2, 20):
            await desk.deliver(adjustment=adjustment(number))

    async def after_a_restart(house, desk):
        assert [one.number for one in desk.shown.bill.adjustments] == [16, 17, 18, 19]
        kinds = await house.worker.submit(lambda: on_disk(house))
        assert kinds[papers.PaperKind.ADJUSTMENT] == 4

    story(tmp_path, telling, after_a_restart)


def test_calls_without_end_and_out_of_order_leave_the_latest_months(tmp_path, few):
    async def telling(house, desk):
        for name in ("2026-09", "2026-08", "2026-11", "2026-10", "2026-12"):
            await desk.say(call(name, month(name), basis=Basis.NO_ANSWER))

    async def after_a_restart(house, desk):
        kept = [each.month for each in (await history(house)).contracts]
        assert kept == ["2026-12", "2026-11", "2026-10"]
        kinds = await house.worker.submit(lambda: on_disk(house))
        assert kinds[papers.PaperKind.CONTRACT] == 3

    story(tmp_path, telling, after_a_restart)


def test_months_called_out_of_order_are_asked_for_in_their_order(tmp_path):
    async def telling(house, desk):
        later = call("2026-08", month("2026-08"))
        over = call("2026-05", month("2026-05"), closes_s=NOW_S)
        for said in (later, CALL, over):
            await desk.say(said)
        assert desk.shown.call == CALL
        await desk.say(call(basis=Basis.OPERATOR))
        assert desk.shown.call == later

    story(tmp_path, telling)
