"""Targets of the central, and what the meter is told because of them."""

import asyncio

import pytest

from house_client import pulses as pulses_module
from house_client import service as service_module
from microgrid.sample import CommandState, Quality
from microgrid.wire.messages import AckState, TargetAck
from tests.unit.central.parts import NOON, sample
from tests.unit.house.home import run, steered, told

NOON_S = NOON * 60
REFUSED = "The meter refused the pulse; see whether the source is running."


@pytest.fixture
def impatient(monkeypatch):
    """Nobody waits long for an echo."""
    monkeypatch.setattr(pulses_module, "ECHO_TIMEOUT_S", 0.02)
    monkeypatch.setattr(pulses_module, "DEAF_TIMEOUT_S", 0.01)


# --- one target -------------------------------------------------------------------------------------


def test_a_target_becomes_a_pulse_and_the_meters_word_goes_back_with_its_time(tmp_path):
    async def story(house):
        answer = await steered(house, 1500)
        assert house.port.widths == [900]
        assert answer == TargetAck(
            house="B", request_id=9, command_id=5, state=AckState.ACCEPTED, acknowledged_s=NOON_S + 60
        )
        assert house.service.snapshot().target_w == 1500

    run(tmp_path, story)


def test_too_much_is_lowered(tmp_path):
    async def story(house):
        await steered(house, 100)
        assert house.port.widths == [-500]

    run(tmp_path, story)


def test_a_target_that_is_met_needs_no_pulse(tmp_path):
    async def story(house):
        answer = await steered(house, 608)
        assert house.port.commands == []
        assert answer.acknowledged_s == NOON_S + 60

    run(tmp_path, story)


def test_a_long_pulse_is_acknowledged_when_the_meter_begins_it(tmp_path):
    async def story(house):
        answer = await steered(house, 1500, CommandState.PULSING)
        assert answer.acknowledged_s == NOON_S + 60

    run(tmp_path, story)


def test_a_refused_pulse_is_told_in_words_and_the_meter_was_reached(tmp_path):
    async def story(house):
        answer = await steered(house, 1500, CommandState.REFUSED)
        assert (answer.state, answer.reason) == (AckState.REFUSED, REFUSED)
        assert answer.acknowledged_s == NOON_S + 60

    run(tmp_path, story)


def test_no_echo_is_no_acknowledgement(tmp_path, impatient):
    async def story(house):
        answer = await steered(house, 1500, None)
        assert house.port.widths == [900]
        assert (answer.state, answer.acknowledged_s) == (AckState.ACCEPTED, None)

    run(tmp_path, story)


def test_a_port_that_is_gone_is_no_acknowledgement(tmp_path):
    async def story(house):
        answer = await steered(house, 1500, open_=False)
        assert answer.acknowledged_s is None
        house.service.control.pulses.port = None
        house.target(1400, command_id=6)
        assert (await house.answers(2)).acknowledged_s is None

    run(tmp_path, story)


def test_a_meter_that_is_silent_is_not_pulsed_by_an_old_figure(tmp_path):
    async def story(house):
        await house.live(1)
        house.clock.step_to(house.clock.now_ms() + service_module.FRESH_S * 1000)
        house.target(1500)
        answer = await house.answers()
        assert house.port.commands == []
        assert (answer.state, answer.acknowledged_s) == (AckState.ACCEPTED, None)
        assert house.service.snapshot().quality is Quality.STALE

    run(tmp_path, story)


# --- again and again --------------------------------------------------------------------------------


def test_a_repeated_target_is_the_same_command_and_is_not_pulsed_twice(tmp_path):
    async def story(house):
        first = await steered(house, 1500)
        await house.second(700)
        again = await told(house, 1500, request_id=10, expires_s=NOON_S + 5000)
        assert (again.request_id, again.acknowledged_s) == (10, first.acknowledged_s)
        assert house.port.widths == [900]
        await house.second(1500, 1000)
        assert house.service.snapshot().target_w == 1500  # it holds for longer

    run(tmp_path, story)


def test_a_meter_that_did_not_answer_is_tried_again_and_acknowledges_then(tmp_path, impatient):
    async def story(house):
        assert (await steered(house, 1500, None)).acknowledged_s is None
        await house.second(600, 4)
        assert (await told(house, 1500)).acknowledged_s is None  # it is not yet time to try again
        house.port.state = CommandState.DONE
        await house.second(600)
        assert house.port.widths == [900, 900]
        assert (await told(house, 1500)).acknowledged_s == NOON_S + 65

    run(tmp_path, story)


def test_a_target_is_followed_packet_by_packet_until_it_is_met_and_then_left_alone(tmp_path):
    async def story(house):
        await steered(house, 1500, expires_s=NOON_S + 9000)
        for power_w in (800, 1000, 1200, 1300, 1300, 1300, 1300):  # the pulse reached too short
            await house.second(power_w)
        for _ in range(4):
            await house.second(1300)
        assert house.port.widths == [900, 200]
        for _ in range(6):
            await house.second(1300)
        assert house.port.widths == [900, 200, -200]  # what moved nothing is taken back
        for _ in range(600):
            await house.second(1495)
        assert house.port.widths == [900, 200, -200]

    run(tmp_path, story)


def test_an_id_that_comes_back_with_another_target_is_another_command(tmp_path, impatient):
    async def story(house):
        assert (await steered(house, 1500)).acknowledged_s is not None
        house.port.state = None
        await house.second(1500)
        assert (await told(house, 300)).acknowledged_s is None
        assert house.port.widths == [900, -1200]

    run(tmp_path, story)


def test_a_refusal_stands_until_the_meter_obeys(tmp_path):
    async def story(house):
        await steered(house, 1500, CommandState.REFUSED)
        again = await told(house, 1500)
        assert (again.state, again.reason, again.acknowledged_s) == (AckState.REFUSED, REFUSED, NOON_S + 60)
        house.port.state = CommandState.DONE
        await house.second(600, 5)
        again = await told(house, 1500)
        assert (again.state, again.reason, again.acknowledged_s) == (AckState.ACCEPTED, "", NOON_S + 60)

    run(tmp_path, story)


def test_a_new_target_on_the_way_is_reached_from_where_the_source_is_set(tmp_path):
    async def story(house):
        await steered(house, 1500)
        await house.second(700)
        await told(house, 2000, command_id=6)
        assert house.port.widths == [900, 500]

    run(tmp_path, story)


# --- pulses and their echoes ------------------------------------------------------------------------


def test_command_ids_go_on_from_the_meters_and_are_never_its_last(tmp_path):
    async def story(house):
        def meter(command_id):
            house.service.control.pulses.heard([sample(0, command_id=command_id)])

        meter(41)
        await steered(house, 1500)
        meter(0)  # it was started anew
        await told(house, 2500, command_id=6)
        meter(44)  # another meter
        await told(house, 1000, command_id=7)
        assert [command.command_id for command in house.port.commands] == [42, 43, 45]

    run(tmp_path, story)


def test_ids_begin_anew_when_they_are_used_up(tmp_path):
    async def story(house):
        house.service.control.pulses.heard([sample(0, command_id=2**32 - 1)])
        await steered(house, 1500)
        assert house.port.commands[0].command_id == 1

    run(tmp_path, story)


def test_a_late_echo_is_heard_and_no_second_pulse_is_sent(tmp_path, impatient):
    async def story(house):
        assert (await steered(house, 1500, None)).acknowledged_s is None
        house.port.echo(CommandState.DONE)
        for power_w in (700, 900, 1100, 1300, 1500, 1500):
            await house.second(power_w)
        assert (await told(house, 1500)).acknowledged_s == NOON_S + 61
        assert house.port.widths == [900]

    run(tmp_path, story)


def test_the_late_echo_of_an_older_pulse_does_not_acknowledge_a_newer_command(tmp_path, impatient):
    async def story(house):
        await steered(house, 1500, None)
        house.port.echo(CommandState.DONE)
        house.port.state = None
        assert (await told(house, 300, command_id=6)).acknowledged_s is None

    run(tmp_path, story)


def test_while_a_pulse_is_given_no_other_is_sent(tmp_path):
    async def story(house):
        await steered(house, 1500, CommandState.PULSING)
        house.port.state = CommandState.DONE
        answer = await told(house, 400, command_id=6)
        assert (house.port.widths, answer.acknowledged_s) == ([900], None)
        house.port.echo(CommandState.DONE)
        await house.second(1500)
        assert house.port.widths == [900, -1100]

    run(tmp_path, story)


def test_a_pulse_whose_end_is_heard_with_its_echo_is_not_waited_for(tmp_path):
    async def story(house):
        await house.live(1)
        house.port.state = None
        house.target(1500)
        await asyncio.sleep(0)
        house.port.echo(CommandState.PULSING)
        house.port.echo(CommandState.DONE)
        await house.answers()
        house.port.state = CommandState.DONE
        await told(house, 400, command_id=6)
        assert house.port.widths == [900, -1100]

    run(tmp_path, story)


def test_targets_while_an_echo_is_waited_for_are_answered_and_the_newest_obeyed(tmp_path):
    async def story(house):
        await steered(house, 1500)
        house.port.state = None
        house.target(2000, command_id=6, request_id=10)
        await asyncio.sleep(0)
        for number in range(1000):  # a flood
            house.target(number, command_id=7 + number, request_id=11 + number)
        await asyncio.sleep(0)
        assert len(house.port.commands) == 2
        assert len(asyncio.all_tasks()) <= 3
        house.port.state = CommandState.DONE
        house.port.echo(CommandState.DONE)
        answers = [await house.answers(n) for n in range(2, 1003)]
        assert sorted(answer.request_id for answer in answers) == list(range(10, 1011))
        reached = [a.command_id for a in answers if a.acknowledged_s is not None]
        assert reached == [1006]
        assert house.port.widths == [900, 500, 999 - 2000]

    run(tmp_path, story)


def test_a_port_that_goes_in_the_middle_of_a_pulse_leaves_nothing_behind(tmp_path, impatient):
    async def story(house):
        await steered(house, 1500, None)
        house.port.open = False
        await house.second(600, 5)
        house.port.open, house.port.state = True, CommandState.DONE
        await house.second(600, 10)
        assert house.port.widths == [900, 900, 900]
        assert (await told(house, 1500)).acknowledged_s == NOON_S + 75
        assert len(asyncio.all_tasks()) <= 2

    run(tmp_path, story)
