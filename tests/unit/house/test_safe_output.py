"""The house's own limits, whatever it is told, and what it gives once its central is silent."""

import asyncio

import pytest

from house_client.safe_output import FILE_NAME, SafeOutput, keep_safe_output, read_safe_output
from house_client.source_control import GRACE_S, LONGEST_HOLD_S
from microgrid.sample import CommandState
from microgrid.wire.limits import MAX_TIME_S
from microgrid.wire.messages import AckState, TargetAck
from tests.unit.central.parts import NOON
from tests.unit.house.home import run, steered, told, welcome

NOON_S = NOON * 60

# --- the house's own limits -------------------------------------------------------------------------


def test_what_is_asked_beyond_the_installers_limit_is_not_given(tmp_path):
    async def story(house):
        answer = await steered(house, 2500)
        assert house.port.widths == [1400]
        assert (answer.state, answer.reason) == (AckState.ACCEPTED, "This house gives 2.00 kW at most.")
        assert answer.acknowledged_s == NOON_S + 60
        snapshot = house.service.snapshot()
        assert (snapshot.target_w, snapshot.goal_w, snapshot.connection_w) == (2500, 2000, 5000)

    run(tmp_path, story, max_export_w=2000)


def test_nor_beyond_what_the_connection_carries(tmp_path):
    async def story(house):
        answer = await steered(house, 10**6)
        assert house.port.widths == [4400]
        assert answer.reason == "This house gives 5.00 kW at most."
        house.service.handle(welcome(connection_w=1000, central_time_ms=house.clock.now_ms()))
        await house.second(1500)
        assert house.port.widths == [4400, -4000]

    run(tmp_path, story, max_export_w=9000)


def test_a_target_says_no_longer_how_long_it_holds_than_the_house_believes(tmp_path):
    async def story(house):
        await steered(house, 1500, expires_s=MAX_TIME_S)
        await house.second(1500, LONGEST_HOLD_S - 1)
        assert house.service.snapshot().target_w == 1500
        await house.second(1500)
        assert house.port.widths == [900, -1250]

    run(tmp_path, story)


def test_while_the_meter_is_exchanged_nothing_is_pulsed(tmp_path):
    async def story(house):
        await steered(house, 1500)
        await house.service.begin_swap("Asif", "broken display")
        await house.second(800, 30)
        answer = await told(house, 2500, command_id=6)
        assert (house.port.widths, answer.acknowledged_s) == ([900], None)
        house.service.exchange.cancel()
        await house.second(800)
        assert house.port.widths == [900, 1000]

    run(tmp_path, story)


# --- the safe output --------------------------------------------------------------------------------


def test_a_target_that_is_not_renewed_gives_way_to_the_safe_output(tmp_path):
    async def story(house):
        await steered(house, 1500, reason="Your part.")
        await house.second(1500, 838)
        shown = house.service.snapshot()
        assert (shown.safe, shown.target_w, shown.target_reason, shown.goal_w) == (
            False, 1500, "Your part.", 1500,
        )  # fmt: skip
        await house.second(1500, 2)
        assert house.port.widths == [900, -1250]
        shown = house.service.snapshot()
        assert (shown.safe, shown.target_w, shown.target_reason, shown.goal_w) == (True, None, "", 250)
        await told(house, 1500, request_id=10, expires_s=NOON_S + 2000)  # the central is back
        await house.second(250)
        assert house.port.widths == [900, -1250, 1250]

    run(tmp_path, story)


def test_a_withdrawn_target_is_answered_before_anything_else_and_leads_to_the_safe_output(tmp_path):
    async def story(house):
        await steered(house, 1500)
        house.port.state = None  # a deaf meter does not keep a central that ends
        house.target(None, request_id=10)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert house.sent[-1] == TargetAck(house="B", request_id=10, command_id=5, state=AckState.ACCEPTED)
        assert house.port.widths == [900, -1250]
        house.port.echo(CommandState.DONE)
        await house.service.control.look()
        assert (house.service.snapshot().safe, house.service.snapshot().target_w) == (True, None)

    run(tmp_path, story)


def test_a_target_that_had_expired_when_it_came_is_refused(tmp_path):
    async def story(house):
        answer = await steered(house, 2500, expires_s=NOON_S + 60)
        assert (answer.state, answer.acknowledged_s) == (AckState.REFUSED, None)
        assert answer.reason == "This target had expired when it came."
        assert house.port.widths == [-350]

    run(tmp_path, story)


def test_without_a_target_a_house_steers_to_nothing(tmp_path):
    async def story(house):
        await house.live(1)
        for _ in range(200):
            await house.second(600)
        snapshot = house.service.snapshot()
        assert (house.port.commands, snapshot.goal_w, snapshot.safe) == ([], None, False)

    run(tmp_path, story)


def kept(expires_s, fallback_w=250):
    return SafeOutput(house="B", fallback_w=fallback_w, expires_s=expires_s)


def test_a_house_started_again_goes_to_its_safe_output_once_the_target_has_expired(tmp_path):
    async def story(house):
        for _ in range(99):
            await house.second(600)
        assert (house.port.commands, house.service.snapshot().safe) == ([], False)
        await house.second(600)
        assert house.port.widths == [-350]
        assert house.service.snapshot().safe

    run(tmp_path, story, safe_output=kept(NOON_S + 100))


def test_a_central_that_is_there_is_given_time_to_ask_after_a_start(tmp_path):
    async def story(house):
        for _ in range(GRACE_S):
            await house.second(600)
        assert house.port.commands == []
        await house.second(600)
        assert house.port.widths == [-350]

    run(tmp_path, story, safe_output=kept(NOON_S - 9999))


def test_what_it_would_fall_back_to_is_kept_once_a_minute_and_at_once_when_it_changes(tmp_path):
    async def story(house):
        notes = []

        async def keep(output):
            notes.append((output.fallback_w, output.expires_s - NOON_S))

        house.service.control.keep = keep
        await steered(house, 1500, expires_s=NOON_S + 180)
        for second in range(190, 400, 10):
            await told(house, 1500, expires_s=NOON_S + second)
        assert notes == [(250, 180), (250, 240), (250, 300), (250, 360)]
        await told(house, 1500, expires_s=NOON_S + 400, fallback_w=500)
        await told(house, None)
        await house.service.control.look()
        assert notes[4:] == [(500, 400), (250, 60)]

    run(tmp_path, story)


def test_a_disk_that_fails_does_not_stop_the_steering(tmp_path, caplog):
    async def story(house):
        async def keep(output):
            raise OSError(28, "No space left on device")

        house.service.control.keep = keep
        await steered(house, 1500)
        await house.second(1500)
        await told(house, 300, command_id=6)
        assert house.port.widths == [900, -1200]
        assert "the safe output is not kept" in caplog.text

    run(tmp_path, story)


# --- on the disk ------------------------------------------------------------------------------------


@pytest.mark.parametrize("power_safe", [True, False])
def test_what_is_kept_comes_back_to_the_house_it_is_of(tmp_path, power_safe):
    assert read_safe_output(tmp_path, "B") is None
    keep_safe_output(tmp_path, kept(NOON_S), power_safe=power_safe)
    keep_safe_output(tmp_path, kept(NOON_S, 300), power_safe=power_safe)
    assert read_safe_output(tmp_path, "B") == kept(NOON_S, 300)
    assert read_safe_output(tmp_path, "C") is None
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b'{"house": "B", "fallback_w": -5, "expires_s": 1}']
)
def test_what_cannot_be_read_is_as_if_no_central_was_ever_heard(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    assert read_safe_output(tmp_path, "B") is None
