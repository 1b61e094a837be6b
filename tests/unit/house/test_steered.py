"""Targets of the central, and what the meter is told because of them."""

from house_client import pulses as pulses_module
from house_client import service as service_module
from microgrid.sample import CommandState, Quality
from microgrid.wire.messages import AckState, TargetAck
from microgrid.wire.serial import CommandKind
from tests.unit.central.parts import NOON, sample
from tests.unit.house.home import FakePort, run

NOON_S = NOON * 60
REFUSED = "The meter refused the pulse: the source is not running."


async def steered(house, target_w, state=CommandState.DONE, power_w=600, **port):
    """Live a minute, send a target, and give the answer and what the meter was told."""
    await house.live(1, power_w)
    house.service.control.pulses.port = FakePort(house.service, state, **port)
    house.target(target_w)
    return await house.answers(), house.service.control.pulses.port.commands


def told(commands):
    """Each pulse as a number: its width, negative to lower."""
    return [c.width_ms if c.kind is CommandKind.RAISE else -c.width_ms for c in commands]


# --- one target -------------------------------------------------------------------------------------


def test_a_target_becomes_a_pulse_and_the_meters_word_goes_back_with_its_time(tmp_path):
    async def story(house):
        answer, commands = await steered(house, 1500)
        assert told(commands) == [900]
        assert answer == TargetAck(
            house="B", request_id=9, command_id=5, state=AckState.ACCEPTED, acknowledged_s=NOON_S + 60
        )
        assert house.service.snapshot().target_w == 1500

    run(tmp_path, story)


def test_too_much_is_lowered(tmp_path):
    async def story(house):
        _, commands = await steered(house, 100)
        assert told(commands) == [-500]

    run(tmp_path, story)


def test_a_target_that_is_met_needs_no_pulse(tmp_path):
    async def story(house):
        answer, commands = await steered(house, 608)
        assert commands == []
        assert answer.acknowledged_s == NOON_S + 60

    run(tmp_path, story)


def test_a_long_pulse_is_acknowledged_when_the_meter_begins_it(tmp_path):
    async def story(house):
        answer, _ = await steered(house, 1500, CommandState.PULSING)
        assert answer.acknowledged_s == NOON_S + 60

    run(tmp_path, story)


def test_a_refused_pulse_is_told_in_words_and_the_meter_was_reached(tmp_path):
    async def story(house):
        answer, _ = await steered(house, 1500, CommandState.REFUSED)
        assert (answer.state, answer.reason) == (AckState.REFUSED, REFUSED)
        assert answer.acknowledged_s == NOON_S + 60

    run(tmp_path, story)


def test_no_echo_is_no_acknowledgement(tmp_path, monkeypatch):
    monkeypatch.setattr(pulses_module, "ECHO_TIMEOUT_S", 0.02)

    async def story(house):
        answer, commands = await steered(house, 1500, None)
        assert len(commands) == 1
        assert (answer.state, answer.acknowledged_s) == (AckState.ACCEPTED, None)

    run(tmp_path, story)


def test_a_port_that_is_gone_is_no_acknowledgement(tmp_path):
    async def story(house):
        answer, _ = await steered(house, 1500, open_=False)
        assert answer.acknowledged_s is None
        house.service.control.pulses.port = None
        house.target(1400, command_id=6)
        assert (await house.answers(2)).acknowledged_s is None

    run(tmp_path, story)


def test_a_meter_that_is_silent_is_not_pulsed_by_an_old_figure(tmp_path):
    async def story(house):
        await house.live(1)
        house.service.control.pulses.port = FakePort(house.service)
        house.clock.step_to(house.clock.now_ms() + service_module.FRESH_S * 1000)
        house.target(1500)
        answer = await house.answers()
        assert house.service.control.pulses.port.commands == []
        assert (answer.state, answer.acknowledged_s) == (AckState.ACCEPTED, None)
        assert house.service.snapshot().quality is Quality.STALE

    run(tmp_path, story)


def test_command_ids_go_on_from_the_meters(tmp_path):
    async def story(house):
        house.service.control.pulses.heard([sample(0, command_id=41, command_state=CommandState.DONE)])
        _, commands = await steered(house, 1500)
        house.target(2500, command_id=6)
        await house.answers(2)
        assert [command.command_id for command in commands] == [42, 43]

    run(tmp_path, story)
