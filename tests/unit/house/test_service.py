"""The house's own work: minutes journalled and offered until acknowledged, targets obeyed by the meter."""

import msgspec
import pytest

from db.errors import DatabaseFull
from house_client import service as service_module
from house_client.service import packet_times
from house_client.snapshot import CentralState, MeterState
from microgrid.sample import Quality
from microgrid.wire.messages import (
    Fetch,
    MinuteBatch,
    MinutesAcknowledged,
    Reply,
)
from tests.unit.central.parts import NOON, row, sample
from tests.unit.house.home import NOON_MS, run, welcome

# --- polls and minutes ------------------------------------------------------------------------------


def test_a_house_without_a_meter_says_so(tmp_path):
    async def story(house):
        assert house.poll() == Reply(house="B", request_id=1, sample=None, sample_age_ms=0, outbox=False)
        greeting = house.service.hello()
        assert (greeting.house, greeting.has_register, greeting.oldest_unacknowledged) == ("B", False, None)
        snapshot = house.service.snapshot()
        assert (snapshot.meter, snapshot.central) == (MeterState.NO_PORT, CentralState.NO_ADDRESS)
        assert (snapshot.sample, snapshot.age_s, snapshot.quality) == (None, None, Quality.STALE)

    run(tmp_path, story)


def test_a_poll_is_answered_with_the_newest_sample_its_age_and_whether_minutes_wait(tmp_path):
    async def story(house):
        await house.live(2)
        reply = house.poll(3, central_time_ms=NOON_MS + 120_000 + 1500)
        assert (reply.request_id, reply.sample.exchange_p_w, reply.sample_age_ms) == (3, 600, 1500)
        assert reply.outbox
        # A central whose clock is behind the house's sees no negative age.
        assert house.poll(4, central_time_ms=NOON_MS).sample_age_ms == 0

    run(tmp_path, story)


def test_minutes_are_offered_until_they_are_acknowledged(tmp_path):
    async def story(house):
        await house.live(3)
        house.service.handle(Fetch(request_id=7, first_minute=0, limit=240))
        batch = house.sent[-1]
        assert isinstance(batch, MinuteBatch)
        minutes = [r.minute for r in batch.minutes]
        assert minutes == [NOON - 1, NOON, NOON + 1, NOON + 2]
        assert batch.minutes[1].export_ws == 36_000
        assert not batch.more

        house.service.handle(MinutesAcknowledged(request_id=7, committed=((NOON - 1, 0), (NOON + 1, 0))))
        house.service.handle(Fetch(request_id=8, first_minute=0, limit=240))
        assert [r.minute for r in house.sent[-1].minutes] == [NOON, NOON + 2]
        house.service.handle(MinutesAcknowledged(request_id=8, committed=()))
        house.service.handle(Fetch(request_id=9, first_minute=0, limit=240))
        assert [r.minute for r in house.sent[-1].minutes] == [NOON, NOON + 2]
        house.service.handle(MinutesAcknowledged(request_id=9, committed=((NOON, 0), (NOON + 2, 0))))
        assert not house.poll().outbox

    run(tmp_path, story)


def test_a_batch_keeps_to_the_limit_and_the_first_minute_and_says_there_is_more(tmp_path):
    async def story(house):
        await house.live(6)
        house.service.handle(Fetch(request_id=7, first_minute=NOON + 1, limit=2))
        batch = house.sent[-1]
        assert [r.minute for r in batch.minutes] == [NOON + 1, NOON + 2]
        assert batch.more

    run(tmp_path, story)


def test_acknowledgements_are_marked_in_the_journal_with_the_next_minutes(tmp_path, monkeypatch):
    monkeypatch.setattr(service_module, "MARKED_AT_ONCE", 1)

    async def story(house):
        await house.live(3)
        house.service.handle(MinutesAcknowledged(request_id=7, committed=((NOON - 1, 0), (NOON, 0))))
        await house.live(4, first=4)
        assert await house.worker.submit(house.journal.pending_minutes) == [NOON + 1, NOON + 2, NOON + 3]

    run(tmp_path, story)


def test_a_house_that_restarts_offers_from_its_disk_what_was_not_acknowledged(tmp_path):
    async def first(house):
        await house.live(4)
        house.service.handle(MinutesAcknowledged(request_id=7, committed=((NOON - 1, 0),)))

    async def second(house):
        greeting = house.service.hello()
        assert (greeting.has_register, greeting.oldest_unacknowledged) == (True, NOON)
        assert house.service.snapshot().minutes_waiting == 4
        house.service.handle(Fetch(request_id=1, first_minute=0, limit=3))
        batch = await house.answers()
        assert [r.minute for r in batch.minutes] == [NOON, NOON + 1, NOON + 2]
        assert batch.more
        house.service.handle(MinutesAcknowledged(request_id=1, committed=((NOON, 0), (NOON + 2, 0))))
        house.service.handle(Fetch(request_id=2, first_minute=0, limit=3))
        batch = await house.answers(2)
        assert [r.minute for r in batch.minutes] == [NOON + 1, NOON + 3]
        assert not batch.more

    run(tmp_path, first)
    run(tmp_path, second)


def test_more_minutes_than_are_at_hand_come_from_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(service_module, "ROWS_AT_HAND", 2)

    async def story(house):
        await house.live(5)
        house.service.handle(Fetch(request_id=1, first_minute=0, limit=240))
        batch = await house.answers()
        assert [r.minute for r in batch.minutes] == [NOON - 1 + n for n in range(6)]

    run(tmp_path, story)


def test_a_new_disk_journals_nothing_before_the_central_has_told_the_register(tmp_path):
    async def story(house):
        packet = sample(600, export_counter_ws=77)
        await house.service.take([(NOON_MS, packet)], NOON_MS + 60_000)
        assert house.service.sample == packet
        assert house.service.snapshot().minutes_waiting == 0
        assert not house.service.hello().has_register

    run(tmp_path, story)


def test_a_lost_disk_carries_on_from_what_the_central_recorded(tmp_path):
    async def story(house):
        last = row("B", NOON - 1, 0, 2**40, epoch=3, generation_ws=2**40)
        house.service.handle(welcome(last_minute=last))
        assert house.service.hello().has_register
        await house.live(2)
        house.service.handle(Fetch(request_id=1, first_minute=0, limit=9))
        minutes = house.sent[-1].minutes
        assert [(r.minute, r.epoch, r.export_ws) for r in minutes] == [
            (NOON, 3, 2**40 + 36_000),
            (NOON + 1, 3, 2**40 + 72_000),
        ]

    run(tmp_path, story)


def test_a_house_with_its_own_register_does_not_take_the_centrals(tmp_path):
    async def first(house):
        await house.live(3)

    async def second(house):
        house.service.handle(welcome(last_minute=row("B", NOON - 500, 0, 77)))
        assert house.service.snapshot().export_ws == 3 * 36_000

    run(tmp_path, first)
    run(tmp_path, second)


def test_a_journal_that_fails_loses_no_minute_and_no_acknowledgement(tmp_path, monkeypatch):
    monkeypatch.setattr(service_module, "MARKED_AT_ONCE", 1)

    async def story(house):
        await house.live(2)
        house.service.handle(MinutesAcknowledged(request_id=1, committed=((NOON - 1, 0),)))

        def full(rows, acknowledged=()):
            raise DatabaseFull("There is no room left.")

        with monkeypatch.context() as patch:
            patch.setattr(house.journal, "append", full)
            with pytest.raises(DatabaseFull):
                await house.live(3, first=3)
            # What is not on the house's own disk is not offered.
            house.service.handle(Fetch(request_id=2, first_minute=0, limit=9))
            assert [r.minute for r in house.sent[-1].minutes] == [NOON, NOON + 1]
        await house.live(4, first=4)
        pending = await house.worker.submit(house.journal.pending_minutes)
        assert pending == [NOON, NOON + 1, NOON + 2, NOON + 3]

    run(tmp_path, story)


# --- screens and time -------------------------------------------------------------------------------


def test_the_house_goes_by_the_centrals_clock(tmp_path):
    async def story(house):
        house.service.handle(welcome(central_time_ms=NOON_MS + 7000))
        assert house.service.central_now_ms() == NOON_MS + 7000
        house.poll(central_time_ms=NOON_MS - 3000)
        assert house.service.central_now_ms() == NOON_MS - 3000

    run(tmp_path, story)


def test_the_screens_are_shown_who_where_and_what(tmp_path):
    async def story(house):
        house.service.handle(welcome())
        house.service.link_changed(CentralState.LINKED, "")
        house.service.meter_changed(MeterState.HEARD, "")
        await house.live(2)
        house.poll(rate=8_000_000, tariff=17_600_000, pool_w=1300)
        snapshot = house.service.snapshot()
        assert (snapshot.name, snapshot.zone) == ("House B", "Asia/Karachi")
        assert (snapshot.central, snapshot.meter) == (CentralState.LINKED, MeterState.HEARD)
        assert (snapshot.rate, snapshot.tariff, snapshot.pool_w) == (8_000_000, 17_600_000, 1300)
        assert (snapshot.quality, snapshot.age_s) == (Quality.GOOD, 0)
        assert (snapshot.export_ws, snapshot.minutes_waiting) == (72_000, 3)

    run(tmp_path, story)


def test_packets_of_one_boot_are_timed_by_their_uptime():
    packets = [msgspec.structs.replace(sample(), uptime_ms=uptime) for uptime in (1000, 2500, 4000)]
    assert [at_ms for at_ms, _ in packet_times(50_000, 4000, packets)] == [47_000, 48_500, 50_000]
