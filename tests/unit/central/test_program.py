"""The whole central on a real loop, TCP and database, with houses that speak the protocol by hand."""

import asyncio
import contextlib
import time

import pytest
from msgspec.structs import replace

from central_monitor import program as program_module
from central_monitor.program import CentralProgram, Listen
from central_monitor.snapshot import LinkState
from db.central import CENTRAL, MinuteStore
from db.engine import open_reader
from db.errors import DatabaseError, DatabaseFull
from microgrid.sample import Quality
from microgrid.terms import Cap, Source
from microgrid.units import microcoins
from microgrid.wire.messages import Fetch, MinutesAcknowledged, Poll, Refused, Target
from node.clock import SteppedClock
from tests.unit.central.parts import NOON, buyer, row, sample, seller, tariff, terms
from tests.unit.central.running import TERMS, FastClock, run, until
from tests.unit.central.wire import WireHouse

# --- ticks ------------------------------------------------------------------------------------------


def test_a_tick_polls_records_acknowledges_and_steers(tmp_path):
    async def story(central, program):
        a, b = await central.join("A", -1200), await central.join("B", 100)
        b.acknowledged_s = NOON * 60
        await program.tick(NOON * 60)
        assert [type(message) for message in b.heard[1:]] == [Poll, Target]
        (target,) = b.of(Target)
        assert (target.target_w, target.expires_s > NOON * 60) == (1200, True)
        assert not a.of(Target)
        assert program.linked_houses() == ["A", "B"]
        assert central.view("B").order.acknowledged

        a.pending = [row("A", NOON, 72_000)]
        b.pending = [row("B", NOON, 0, 6_000)]
        await program.tick((NOON + 1) * 60)
        await until(lambda: not a.pending and not b.pending)
        minutes, orders = central.stored(NOON, NOON + 1)
        assert minutes.present.tolist() == [[True, True]]
        assert minutes.import_ws.tolist() == [[72_000, 0]]
        assert orders.present.tolist() == [[False, True]]
        assert orders.raise_standing.tolist() == [[False, True]]
        assert orders.target_w[0, 1] == 1200
        assert orders.acknowledged_s[0, 1] == NOON * 60
        assert central.view("A").last_minute == NOON
        assert central.view("A").quality is Quality.GOOD
        assert not central.view("A").minutes_waiting

    run(tmp_path, story)


def test_a_long_outbox_is_emptied_in_one_tick(tmp_path):
    async def story(central, program):
        a = await central.join("A")
        a.batch_limit = 2
        a.pending = [row("A", NOON - 5 + n, 100 * n) for n in range(5)]
        await program.tick(NOON * 60)
        await until(lambda: not a.pending)
        assert len(a.of(Fetch)) == 3
        assert central.stored(NOON - 5, NOON)[0].present[:, 0].all()

    run(tmp_path, story)


def test_minutes_of_the_future_do_not_hold_up_a_tick(tmp_path):
    async def story(central, program):
        a = await central.join("A")
        a.pending = [row("A", NOON - 1), row("A", NOON + 1000)]
        a.batch_limit = 1
        await program.tick(NOON * 60)
        await until(lambda: [r.minute for r in a.pending] == [NOON + 1000])
        assert central.view("A").last_minute == NOON - 1

    run(tmp_path, story)


def test_a_house_that_does_not_answer_a_tick_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(program_module, "WATCHDOG_S", 0.05)

    async def story(central, program):
        (await central.join("A")).mute = (Poll,)
        await central.join("B")
        with pytest.raises(TimeoutError, match=r"No answer to a poll from house A\."):
            await program.tick(NOON * 60)

    run(tmp_path, story)


def test_a_disk_that_fails_in_a_tick_is_raised_and_nothing_is_acknowledged(tmp_path, monkeypatch):
    async def story(central, program):
        a = await central.join("A")
        a.pending = [row("A", NOON - 1)]

        async def full(meter, orders, changes=()):
            raise DatabaseFull("There is no room left.")

        monkeypatch.setattr(central.writer, "append", full)
        with pytest.raises(DatabaseError):
            await program.tick(NOON * 60)
        assert program.snapshot().recorder_fault == "There is no room left."
        assert (await a.told(MinutesAcknowledged)).committed == ()
        monkeypatch.undo()
        await program.tick((NOON + 1) * 60)
        await until(lambda: not a.pending)
        assert program.snapshot().recorder_fault is None

    run(tmp_path, story)


def test_who_is_not_listed_is_refused_in_words(tmp_path):
    async def story(central, program):
        stranger = WireHouse("Z")
        answer = await stranger.connect(program.port)
        assert isinstance(answer, Refused)
        assert answer.text.startswith("House Z is not listed at the central; correct the ID")
        await stranger.close()

    run(tmp_path, story)


def test_a_house_is_told_its_last_minute_also_by_a_central_that_restarted(tmp_path):
    async def first(central, program):
        a = await central.join("A")
        a.pending = [row("A", NOON - 1, 5000)]
        await program.tick(NOON * 60)

    async def second(central, program):
        a = WireHouse("A")
        central.houses["A"] = a
        welcome = await a.connect(program.port)
        assert welcome.last_minute == row("A", NOON - 1, 5000)
        assert (welcome.name, welcome.connection_w, welcome.zone) == ("House A", 5000, TERMS.zone)

    run(tmp_path, first)
    run(tmp_path, second)


def test_a_house_with_an_endless_name_is_let_in(tmp_path):
    named = replace(TERMS, houses=tuple(replace(h, name="An\nendless name" * 20) for h in TERMS.houses))

    async def story(central, program):
        a = WireHouse("A")
        central.houses["A"] = a
        welcome = await a.connect(program.port)
        assert (welcome.name[:15], welcome.name[-1], len(welcome.name)) == ("An endless name", "…", 80)

    run(tmp_path, story, agreed=named)


def test_a_linked_house_is_shown_lost_when_it_goes(tmp_path):
    async def story(central, program):
        a = await central.join("A")
        assert central.view("A").link is LinkState.LINKED
        await a.close()
        await until(lambda: central.view("A").link is LinkState.LOST)
        assert program.snapshot().notices[-1].text == "House A: link lost."

    run(tmp_path, story)


def test_a_finished_day_is_sealed(tmp_path):
    async def story(central, program):
        midnight = NOON // 1440 * 1440 + 1440
        a = await central.join("A")
        a.pending = [row("A", midnight - 1)]
        await program.tick((midnight - 1) * 60)
        await program.tick(midnight * 60)
        connection = open_reader(central.path, CENTRAL)
        assert MinuteStore(connection).sealed_days() == [midnight // 1440 - 1]
        connection.close()

    run(tmp_path, story)


# --- the end ----------------------------------------------------------------------------------------


def test_stop_withdraws_what_was_asked(tmp_path):
    async def story(central, program):
        await central.join("A", -1200)
        b = await central.join("B", 0)
        await program.tick(NOON * 60)
        await program.stop()
        assert [target.target_w for target in b.of(Target)] == [1200, None]
        await asyncio.wait_for(b.ended.wait(), 5)

    run(tmp_path, story)


def test_stop_does_not_wait_for_the_dead(tmp_path, monkeypatch):
    monkeypatch.setattr(program_module, "WITHDRAW_S", 0.05)

    async def story(central, program):
        await central.join("A", -1200)
        b = await central.join("B", 0)
        await program.tick(NOON * 60)
        b.mute = (Target,)
        begun = time.monotonic()
        await program.stop()
        assert time.monotonic() - begun < 1

    run(tmp_path, story)


def test_a_live_program_stops_in_the_middle_of_its_work(tmp_path):
    async def story(central, program):
        a = await central.join("A", -1200)
        a.mute = (Fetch,)
        a.pending = [row("A", NOON - 1)]
        await a.told(Fetch)
        begun = time.monotonic()
        await program.stop()
        assert time.monotonic() - begun < 3

    run(tmp_path, story, FastClock())


# --- live -------------------------------------------------------------------------------------------


def test_live_the_central_polls_records_and_steers_by_itself(tmp_path):
    async def story(central, program):
        a, b = await central.join("A", -1200), await central.join("B", 0)
        a.pending = [row("A", NOON)]
        await until(lambda: not a.pending)
        await b.told(Target, 2)
        assert len(a.of(Poll)) > 5
        assert a.of(Poll)[-1].central_time_ms > a.of(Poll)[0].central_time_ms
        assert b.of(Target)[0].target_w == 1200

    run(tmp_path, story, FastClock())


def test_live_a_failed_disk_is_told_and_got_over_and_orders_keep_their_minutes(tmp_path, monkeypatch):
    async def story(central, program):
        a, b = await central.join("A", -1200), await central.join("B", 0)
        await b.told(Target)
        append = central.writer.append
        failed = []

        async def full(meter, orders, changes=()):
            failed.append([(o.minute, -1 if o.target_w is None else o.target_w) for o in orders])
            raise DatabaseFull("There is no room left.")

        monkeypatch.setattr(central.writer, "append", full)
        a.pending = [row("A", NOON)]
        await until(lambda: program.snapshot().recorder_fault == "There is no room left.")
        await until(lambda: any(told_w == 1200 for told in failed for _, told_w in told))
        a.live_sample = sample(-1900)
        await until(lambda: b.of(Target)[-1].target_w == 1900)
        assert not any(message.committed for message in a.of(MinutesAcknowledged))
        assert a.pending
        await until(lambda: len(failed) >= 3)
        monkeypatch.setattr(central.writer, "append", append)
        await until(lambda: not a.pending)
        await until(lambda: program.snapshot().recorder_fault is None)
        # What stood while the disk failed is what is recorded, minute by minute.
        noted = dict(failed[-1])
        _, orders = central.stored(min(noted), max(noted) + 1)
        assert orders.present[:, 1].all()
        assert orders.target_w[:, 1].tolist() == list(noted.values())
        assert set(noted.values()) >= {1200, 1900}

    run(tmp_path, story, FastClock())


def test_live_houses_that_answer_everything_with_errors_end_nothing(tmp_path):
    async def story(central, program):
        a, b = await central.join("A", -1200), await central.join("B", 0)
        a.pending = [row("A", NOON)]
        await b.told(Target)
        a.errors = (Poll, Fetch)
        b.errors = (Target,)
        polls, targets = len(b.of(Poll)), len(b.of(Target))
        await b.told(Target, targets + 2)
        assert len(b.of(Poll)) > polls
        assert not central.view("B").order.acknowledged
        assert program.linked_houses() == ["A", "B"]

    run(tmp_path, story, FastClock())


def test_live_minutes_without_terms_are_got_over(tmp_path):
    agreed = terms(seller("B", 8), buyer("A"), tariffs=(tariff(cap=Cap.OFF, valid_from=NOON + 3),))

    async def story(central, program):
        b = await central.join("B", 0)
        await central.join("A", -1200)
        await until(lambda: central.program.live.recorder_fault is not None)
        assert "no tariff is in force" in program.live.recorder_fault
        assert not b.of(Poll)
        await b.told(Target)
        await until(lambda: program.live.recorder_fault is None)

    run(tmp_path, story, FastClock(), agreed)


def test_live_a_house_that_delivers_and_obeys_slowly_holds_up_no_polls(tmp_path):
    async def story(central, program):
        a, b = await central.join("A", -1200), await central.join("B", 0)
        b.mute = (Fetch, Target)
        b.pending = [row("B", NOON)]
        await b.told(Fetch)
        polls = len(a.of(Poll))
        begun = time.monotonic()
        await a.told(Poll, polls + 20)
        assert time.monotonic() - begun < 2  # the house has 5 s to deliver
        assert central.view("A").age_s < 60

    run(tmp_path, story, FastClock())


def test_live_a_house_without_a_word_loses_its_link(tmp_path, monkeypatch):
    monkeypatch.setattr(program_module, "POLL_TIMEOUT_S", 0.01)

    async def story(central, program):
        a = await central.join("A")
        await central.join("B")
        a.mute = (Poll,)
        await asyncio.wait_for(a.ended.wait(), 5)
        await until(lambda: program.linked_houses() == ["B"])

    run(tmp_path, story, FastClock())


def test_a_clock_that_is_set_back_ends_nothing(tmp_path):
    clock = FastClock()

    async def story(central, program):
        await central.join("A", -1200)
        b = await central.join("B", 0)
        await b.told(Target)
        clock.offset_ms -= 3_600_000
        targets, polls = len(b.of(Target)), len(b.of(Poll))
        await b.told(Target, targets + 2)
        assert len(b.of(Poll)) > polls
        assert program.live.recorder_fault is None

    run(tmp_path, story, clock)


def test_a_taken_port_is_said_in_words(tmp_path):
    async def story(central, program):
        other = CentralProgram(TERMS, central.writer, Listen(port=program.port), SteppedClock())
        with pytest.raises(OSError, match="cannot be listened on"):
            await other.start()
        with contextlib.suppress(Exception):
            await other.stop()

    run(tmp_path, story)


def test_what_sharing_saved_outlives_a_restart(tmp_path):
    agreed = terms(seller("B", 8, source=Source.SOLAR), seller("D", 17), buyer("A"), cap=Cap.OFF)

    async def story(central, program):
        a, b, d = await central.join("A", -2000), await central.join("B", 1750), await central.join("D", 250)
        assert program.snapshot().sharing.saved is None
        b.acknowledged_s = d.acknowledged_s = NOON * 60
        for minute in range(NOON, NOON + 3):
            a.pending = [row("A", minute, (minute - NOON + 1) * 120_000)]
            b.pending = [row("B", minute, 0, (minute - NOON + 1) * 105_000)]
            d.pending = [row("D", minute, 0, (minute - NOON + 1) * 15_000)]
            await program.tick((minute + 1) * 60)
        sharing = program.snapshot().sharing
        # 750 W at 8 instead of at 17, in the two minutes of which it is known what they began with.
        assert sharing.saved == pytest.approx(2 * microcoins(0.75 / 60 * 9), rel=0.01)
        restarted = CentralProgram(agreed, central.writer, Listen(port=0), SteppedClock((NOON + 3) * 60_000))
        assert restarted.snapshot().sharing.saved == sharing.saved
        restarted.archive.close()

    run(tmp_path, story, agreed=agreed)
