"""RAISE and LOWER on the emulated chip: one pulse at a time, never both outputs, every command answered."""

import random
from itertools import pairwise

import pytest

from microgrid.sample import CommandState, MeterFlag, Sample
from tests.firmware.serial_line import BYTES_PER_S, Line, interlocked, line, regular

NONE, PULSING, DONE, REFUSED = CommandState
OTHER = {"RAISE": "LOWER", "LOWER": "RAISE"}


@pytest.fixture
def meter(firmware_build):
    with Line(firmware_build) as made:
        made.run(1.1)
        yield made


def fate(packets, command_id):
    """What the packets said of this command, in order; whether each said that a command was refused."""
    return [
        (packet.command_state, bool(packet.flags & MeterFlag.COMMAND_REFUSED))
        for packet in packets
        if packet.command_id == command_id
    ]


@pytest.mark.parametrize("direction", OTHER)
def test_the_other_output_waits_until_the_pulse_is_over_and_has_rested(meter, direction):
    meter.say(f"{direction},1,300")
    assert fate(meter.packets(0.1), 1) == [(PULSING, False)]
    meter.say(f"{OTHER[direction]},2,50")
    assert fate(meter.packets(0.05), 2) == [(REFUSED, True)]
    # The pulse that runs is not disturbed, and the newest command's fate stands.
    assert fate(meter.packets(1.0), 2) == [(REFUSED, False)]
    (pulse,) = meter.pulses()
    assert (pulse.pin, pulse.width_ms) == (direction.lower(), 300)
    meter.say(f"{OTHER[direction]},3,50")
    assert fate(meter.packets(0.2), 3) == [(PULSING, False), (DONE, False)]
    assert [(pulse.pin, pulse.width_ms) for pulse in meter.pulses()[1:]] == [(OTHER[direction].lower(), 50)]


def test_about_a_pulses_end_the_other_output_is_refused_until_20_ms_later(meter):
    """Commands that follow it at every millisecond from before its end until after its rest."""
    taken = []
    for early_ms in range(-5, 30):
        meter.say(f"RAISE,{1000 + early_ms},40")
        meter.board.run(0.04 + early_ms / 1000)
        meter.say(f"LOWER,{2000 + early_ms},10")
        states = [state for state, _ in fate(meter.packets(0.2), 2000 + early_ms)]
        taken.append(states[-1] is DONE)
        assert states[-1] in (DONE, REFUSED)
    assert interlocked(meter.pulses())
    assert taken == sorted(taken)  # refused while it is too early, taken from then on
    assert 15 <= taken.count(False) <= 27


def test_back_to_back_without_waiting_for_answers(meter):
    meter.say("RAISE,1,20", "LOWER,2,20", "RAISE,3,30", "LOWER,4,20", "RAISE,5,40")
    packets = meter.packets(0.3)
    # The last replaced what was left of those before in its direction.
    (pulse,) = meter.pulses()
    assert pulse.pin == "raise"
    assert 40 <= pulse.width_ms <= 40 + 10
    assert fate(packets, 5)[-1] == (DONE, False)
    assert MeterFlag.COMMAND_REFUSED in packets[0].flags | packets[1].flags


def test_a_storm_of_commands_never_has_both_outputs_on(meter):
    rng = random.Random(4)
    for command_id in range(1, 400):
        meter.say(f"{rng.choice(list(OTHER))},{command_id},{rng.choice((1, 2, 5, 19, 40, 60000))}")
        meter.run(rng.choice((0.0, 0.001, 0.004, 0.021, 0.06)))
    meter.say("RAISE,900,1", "LOWER,901,1")  # whichever of them runs ends
    meter.run(1)
    pulses = meter.pulses()
    assert {pulse.pin for pulse in pulses} == {"raise", "lower"}
    assert len(pulses) > 20
    assert interlocked(pulses)


@pytest.mark.parametrize("kind", ["external", "watchdog", "brownout"])
def test_what_a_reset_breaks_off_rests_too(meter, kind):
    meter.say("RAISE,1,60000")
    meter.run(0.2)
    meter.reset(kind)
    meter.board.run(0.003)
    meter.say("LOWER,2,30")
    meter.run(1.2)
    broken_off, lowered = meter.pulses()
    assert broken_off.width_ms == pytest.approx(198, abs=2)
    assert (lowered.pin, lowered.width_ms) == ("lower", 30)
    assert interlocked([broken_off, lowered])


def test_a_repeated_id_is_the_same_command_and_not_obeyed_twice(meter):
    meter.say("RAISE,7,50")
    meter.run(0.3)
    for text in ("RAISE,7,50", "LOWER,7,50", "RAISE,7,60000"):
        meter.say(text)
        assert fate(meter.packets(0.1), 7) == [(DONE, False)]
    assert len(meter.pulses()) == 1
    meter.say("RAISE,8,100", "RAISE,8,100")
    meter.run(0.3)
    assert [pulse.width_ms for pulse in meter.pulses()[1:]] == [100]


def test_a_refused_command_repeated_is_still_refused(meter):
    meter.say("RAISE,1,100")
    meter.run(0.05)
    meter.say("LOWER,2,30")
    meter.run(0.3)
    meter.say("LOWER,2,30")
    assert fate(meter.packets(0.1), 2) == [(REFUSED, True)]
    assert len(meter.pulses()) == 1


def test_the_longest_pulse_is_cut_short_by_the_next_of_its_direction(meter):
    meter.say("LOWER,4294967295,60000")
    assert fate(meter.packets(0.1), 4294967295) == [(PULSING, False)]
    meter.say("LOWER,1,10")
    assert fate(meter.packets(0.1), 1) == [(PULSING, False), (DONE, False)]
    assert not [pulse for pulse in meter.pulses() if pulse.to_us is None]


def test_about_a_seconds_end_commands_are_obeyed_at_once_and_packets_keep_their_time(meter):
    """While a packet goes out, and in the moments before, when no answer may hold the next one up."""
    for number, after_ms in enumerate(range(-45, 31, 5), start=1):
        second_us = regular(meter.heard)[-1].begun_us
        meter.board.run((second_us + 1_000_000 - meter.board.now_us + 1000 * after_ms) / 1e6)
        text = line(f"{'RAISE' if number % 2 else 'LOWER'},{number},12")
        sent_us = meter.board.now_us + len(text) * 1_000_000 // BYTES_PER_S
        meter.board.send(text)
        packets = meter.packets(0.12)
        assert 0 <= meter.pulses()[-1].from_us - sent_us <= 5000
        assert fate(packets, number)[-1] == (DONE, False)
        assert MeterFlag.COMMAND_REFUSED not in packets[-1].flags
    begun = [it.begun_us for it in regular(meter.heard)]
    assert all(abs(after - before - 1_000_000) <= 5000 for before, after in pairwise(begun))
    numbers = [it.item.sequence for it in meter.heard if isinstance(it.item, Sample)]
    assert numbers == list(range(len(numbers)))
    assert {pulse.width_ms for pulse in meter.pulses()} == {12}


def test_in_its_first_second_a_meter_obeys_and_its_first_packet_tells(firmware_build):
    with Line(firmware_build) as meter:
        meter.board.run(0.1)
        meter.say("RAISE,1,2000")
        (packet,) = meter.packets(1.0)
        assert (packet.sequence, packet.command_id, packet.command_state) == (0, 1, PULSING)
