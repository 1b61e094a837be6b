"""What no sound house sends to a meter: nothing of it is obeyed, all of it is survived and told."""

import random
from itertools import pairwise

import pytest

from microgrid.sample import CommandState, MeterFlag, Sample
from microgrid.wire.calibration import ITEMS, Refused, Saved, Value
from microgrid.wire.serial import Command, CommandReader
from tests.firmware.serial_line import BYTES_PER_S, Line, line, regular

REFUSED = MeterFlag.COMMAND_REFUSED
GOOD = line("RAISE,1,400")

# Not a command, whatever else it is: obeyed by no meter, and told of in the next packet.
BAD_LINES = [
    b"garbage\r\n",
    b"*\n",
    b"\r\r\n",
    b"\x00\r\n",
    b"RAISE,1,400\r\n",
    b"RAISE,1,400*\r\n",
    b"RAISE,1,400*7\r\n",
    b"RAISE,1,400*0000\r\n",
    GOOD.replace(b"*", b"* "),
    GOOD[5:],  # its beginning was lost
    GOOD[:-4] + b"\r\n",  # its end was
    GOOD.replace(b"1", b"2", 1),  # a bit fell over
    GOOD[:3] + b"\x00" + GOOD[3:],
    GOOD[:3] + b"\x80" + GOOD[3:],
    bytes(byte | 0x80 for byte in GOOD[:-2]) + b"\r\n",
    b"\x00" + GOOD,
    b"$" + GOOD,
    GOOD[:-2] + GOOD,  # two in one
    GOOD[:-2] + b" \r\n",
    line("RAISE,0,400"),
    line("RAISE,4294967296,400"),
    line("RAISE,99999999999,400"),
    line("RAISE,-1,400"),
    line("RAISE,+1,400"),
    line("RAISE,01,400"),
    line("RAISE,1,0"),
    line("RAISE,1,60001"),
    line("RAISE,1,65536"),
    line("RAISE,1,4294967297"),
    line("RAISE,1,-400"),
    line("RAISE,1,400.0"),
    line("RAISE,1,4e2"),
    line("RAISE,1,400,"),
    line("RAISE,1"),
    line("RAISE,,400"),
    line("RAISE"),
    line("raise,1,400"),
    line(" RAISE,1,400"),
    line("RAISE,1,\xb2"),
    line("RAISE;1;400"),
    line("STOP,1,400"),
    line("CAL"),
    line("CAL,"),
    line("CAL,V4G"),
    line("CAL,V0G"),
    line("CAL,v1g"),
    line("CAL,V1A"),
    line("CAL,V1"),
    line("CAL,V1G,"),
    line("CAL,V1G,1000000 "),
    line("CAL,V1O,+5"),
    line("CAL,V1O,-0"),
    line("CAL,V1O,05"),
    line("CAL,V1O,2147483648"),
    line("CAL,V1O,-2147483649"),
    line("CAL,V1O,4294967296"),
    line("CAL,SAVE,1"),
    line("CAL,SAVED"),
    line("CAL,ALL"),
    b"A" * 33 + b"\r\n",
    b"A" * 600 + GOOD,  # a command at the end of what is too long
    GOOD.replace(b"\r\n", b"") + b" " * 40 + b"\r\n",
    bytes(range(128, 160)) + b"\n",
    bytes(range(11, 256)) + b"\n",
]


@pytest.fixture
def meter(firmware_build):
    with Line(firmware_build) as made:
        made.run(1.1)
        yield made


def test_each_bad_line_is_told_of_in_the_next_packet_and_not_obeyed(meter):
    not_told = []
    for bad in BAD_LINES:
        meter.board.send(bad)
        (packet,) = meter.packets(1)
        if packet.flags != MeterFlag.CALIBRATION_BAD | REFUSED:
            not_told.append(bad)
    assert not_told == []
    (packet,) = meter.packets(1)
    assert packet.flags == MeterFlag.CALIBRATION_BAD
    assert meter.pulses() == []
    assert all(isinstance(it.item, Sample) for it in meter.heard)
    assert (packet.command_id, packet.command_state) == (0, CommandState.NONE)


def test_many_bad_lines_in_a_second_are_told_of_once(meter):
    meter.board.send(b"".join(BAD_LINES[:20]))
    assert [bool(packet.flags & REFUSED) for packet in meter.packets(3)] == [True, False, False]


def test_empty_lines_are_nothing(meter):
    meter.board.send(b"\r\n\n\n\r\n" * 20)
    assert [packet.flags for packet in meter.packets(2)] == [MeterFlag.CALIBRATION_BAD] * 2


def test_after_any_bad_line_the_next_is_obeyed(meter):
    for command_id, bad in enumerate(BAD_LINES, start=1):
        meter.board.send(bad)
        meter.say(f"RAISE,{command_id},1")
        meter.run(0.1)
        assert len(meter.pulses()) == command_id, bad


def test_a_command_in_pieces_is_obeyed_when_it_is_whole(meter):
    text = line("LOWER,9,25")
    for byte in text:
        assert meter.pulses() == []
        meter.board.send(bytes([byte]))
        meter.run(0.15)
    (pulse,) = meter.pulses()
    assert (pulse.pin, pulse.width_ms) == ("lower", 25)


def mutant(rng, command_id):
    """A command with up to two things wrong with it, half the time with the checksum that goes with that."""
    text = bytearray(f"{rng.choice(('RAISE', 'LOWER'))},{command_id},{rng.randrange(1, 9)}".encode())
    whole = rng.random() < 0.5
    if not whole:
        text = bytearray(line(bytes(text))[:-2])
    for _ in range(rng.randrange(3)):
        at = rng.randrange(len(text))
        match rng.randrange(4):
            case 0:
                text[at] ^= 1 << rng.randrange(8)
            case 1:
                text.insert(at, rng.choice(b"0129,-*\r\0 "))
            case 2 if len(text) > 1:
                del text[at]
            case _:
                text[at] = rng.choice(b"0123456789")
    text = bytearray(byte for byte in text if byte != ord("\n"))
    return line(bytes(text)) if whole else bytes(text) + b"\r\n"


def test_the_chip_and_the_house_agree_on_what_is_a_command(meter):
    rng = random.Random(12)
    reader = CommandReader()
    newest, taken = 0, 0
    for command_id in range(1, 201):
        text = mutant(rng, command_id)
        commands = [it for it in reader.feed(text) if isinstance(it, Command)]
        meter.board.send(text)
        packets = meter.packets(0.08)
        if commands:
            newest, taken = commands[-1].command_id, taken + 1
            assert packets, text
        assert {packet.command_id for packet in packets} <= {newest}, text
    assert 50 < taken < 150


# --- floods -------------------------------------------------------------------------------------------


def noise(seconds):
    rng = random.Random(3)
    return bytes(rng.randrange(256) for _ in range(round(seconds * BYTES_PER_S)))


def repeated(piece):
    return lambda seconds: piece * round(seconds * BYTES_PER_S / len(piece))


FLOODS = {
    "noise": noise,
    "zeros": repeated(b"\0"),
    "one long line": repeated(b"RAISE,"),
    "line feeds": repeated(b"\n"),
    "short lines": repeated(b"*\n"),
    "questions": repeated(line("CAL,SNR")),
    "values": repeated(line("CAL,V1O,0")),
    "saving": repeated(line("CAL,SAVE")),
    "commands": repeated(line("RAISE,1,1") + line("LOWER,2,1") + line("RAISE,3,5") + line("LOWER,4,9")),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_for_seconds_holds_nothing_up(meter, flood):
    seconds = 2
    before, truth = meter.heard[-1].item, meter.board.truth()
    meter.board.send(FLOODS[flood](seconds))
    meter.run(seconds)
    assert meter.board.stack() >= 500
    # The flood is over, but may have left half a line.
    meter.board.send(b"\r\n")
    meter.run(0.05)
    meter.say("RAISE,99,30")
    last = meter.packets(1.1)[-1]
    assert (last.command_id, last.command_state) == (99, CommandState.DONE)
    assert meter.pulses()[-1].width_ms == 30
    meter.run(1)

    packets = [it.item for it in meter.heard if isinstance(it.item, Sample)]
    assert [packet.sequence for packet in packets] == list(range(len(packets)))
    begun = [it.begun_us for it in regular(meter.heard)]
    assert len(begun) == 5
    assert all(abs(after - before - 1_000_000) <= 5000 for before, after in pairwise(begun))
    # Nor was any energy lost meanwhile: uncalibrated, but as before.
    true = meter.board.truth() - truth
    after = packets[-1]
    for counted, flowed in (
        (after.export_counter_ws - before.export_counter_ws, true.export_ws),
        (after.generation_counter_ws - before.generation_counter_ws, true.generation_ws),
    ):
        assert counted == pytest.approx(flowed, rel=0.06)


def test_commands_amid_a_flood_are_all_obeyed(meter):
    """The chip keeps up with the line: not a byte of a command is lost, however busy it is."""
    junk = [
        noise(0.02).replace(b"\n", b"?") + b"\n",
        line("CAL,SNR") * 15,
        line("CAL,SAVE") * 15,
        BAD_LINES[-1],
    ]
    texts = [junk[command_id % len(junk)] + line(f"RAISE,{command_id},1") for command_id in range(1, 121)]
    flood = b"".join(texts)
    meter.board.send(flood)
    meter.run(len(flood) / BYTES_PER_S + 0.1)
    assert len(meter.pulses()) == len(texts)


# --- calibration --------------------------------------------------------------------------------------


def test_a_value_beyond_its_limits_is_refused_by_name_and_changes_nothing(meter):
    values: dict[str, int] = {}
    for name, item in ITEMS.items():
        for value in (item.low - 1, item.high + 1, 2**31 - 1, -(2**31)):
            meter.say(f"CAL,{name},{value}")
            assert meter.answers(0.06) == [Refused(name)], value
        meter.say(f"CAL,{name}")
        values |= {it.name: it.value for it in meter.answers(0.06) if isinstance(it, Value)}
    assert values == {name: item.nominal for name, item in ITEMS.items()}
    assert {packet.flags for packet in meter.packets(2)} == {MeterFlag.CALIBRATION_BAD}


def test_of_lines_that_do_not_wait_for_answers_some_are_lost_and_that_is_told(meter):
    meter.say(*["CAL,V1G"] * 60)  # an answer is longer than what it answers
    heard = [it.item for it in meter.run(2)]
    answers = [it for it in heard if not isinstance(it, Sample)]
    assert 20 < len(answers) < 60
    assert set(answers) == {Value("V1G", 1_000_000)}
    assert [bool(it.flags & REFUSED) for it in heard if isinstance(it, Sample)] == [True, False]


def test_nothing_can_be_set_while_all_is_being_saved(meter):
    meter.say("CAL,V1O,11")
    meter.run(0.1)
    meter.say("CAL,SAVE")
    meter.run(0.1)
    meter.say("CAL,V1O,22")
    meter.say("CAL,V1O")
    assert meter.answers(0.1) == [Refused("V1O"), Value("V1O", 11)]
    assert meter.answers(2) == [Saved()]
    meter.reset("power")
    meter.run(0.1)
    meter.say("CAL,V1O")
    assert meter.answers(0.1) == [Value("V1O", 11)]


# --- beyond what a meter measures ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        ({"v2": 320}, MeterFlag.VOLTAGE_SATURATED),
        ({"i3": 26}, MeterFlag.CURRENT_SATURATED),
        ({"g1": 1000}, MeterFlag.CURRENT_SATURATED),
        ({"ga1": 180, "ga2": 170, "ga3": -170}, MeterFlag.REVERSE_FLOW),
        ({"vcc": 4, "v1": 180, "v2": 180, "v3": 180}, MeterFlag.SUPPLY_LOW),
    ],
)
def test_what_is_beyond_a_limit_is_told_as_long_as_it_is(meter, settings, flag):
    sound = {"v1": 230, "v2": 231, "v3": 229, "i3": 6, "g1": 6, "ga1": 5, "ga2": 5, "ga3": 5, "vcc": 5}
    meter.board.set(**settings)
    meter.run(2)
    assert meter.packet().flags == MeterFlag.CALIBRATION_BAD | flag
    meter.board.set(**{key: sound[key] for key in settings})
    meter.run(2)
    assert meter.packet().flags == MeterFlag.CALIBRATION_BAD


def test_distortion_far_beyond_any_mains_upsets_no_packet(meter):
    meter.board.set(f=100, **{f"h{kind}{order}": 100 for kind in "vi" for order in range(3, 16, 2)})
    meter.board.send(noise(3))
    meter.run(3)
    meter.board.send(b"\r\n")
    meter.say("LOWER,5,40")
    meter.run(1)
    assert meter.pulses()[-1].width_ms == 40
    begun = [it.begun_us for it in regular(meter.heard)]
    assert len(begun) == 5
    assert all(abs(after - before - 1_000_000) <= 5000 for before, after in pairwise(begun))
