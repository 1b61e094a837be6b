"""Calibration lines: what is sent, what is read, and what happens to everything else."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid.wire.calibration import (
    ITEMS,
    MeterReader,
    Refused,
    Saved,
    Value,
    decode_reply,
    encode_get,
    encode_save,
    encode_set,
)
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.serial import encode_packet
from tests.unit.wire.examples import SAMPLE
from tests.unit.wire.strategies import mutated
from tests.unit.wire.test_serial import crc

GOLDEN_FILE = Path(__file__).with_name("golden_calibration.txt")
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "protocol.md"
names = st.sampled_from(sorted(ITEMS))


def answer(text: bytes) -> bytes:
    """A line as the meter sends it, without its end."""
    return b"$%b*%04X" % (text, crc(text))


def golden(mark: str) -> list[bytes]:
    lines = GOLDEN_FILE.read_text(encoding="ascii").splitlines()
    assert all(line.startswith(("# ", "> ", "< ", "! ")) for line in lines)
    return [line[2:].encode() for line in lines if line.startswith(mark)]


def request(line: bytes) -> bytes:
    """The same line as this side writes it."""
    words = line.partition(b"*")[0].decode().split(",")
    if words[1:] == ["SAVE"]:
        return encode_save()[:-2]
    return (encode_get(words[1]) if len(words) == 2 else encode_set(words[1], int(words[2])))[:-2]


def test_there_is_a_gain_and_an_offset_for_each_channel_and_an_angle_for_each_current():
    channels = [f"{letter}{phase}" for letter in "VIG" for phase in "123"]
    wanted = {f"{channel}{kind}" for channel in channels for kind in "GO"}
    wanted |= {f"{channel}A" for channel in channels if channel[0] != "V"}
    assert set(ITEMS) == wanted | {"BGU", "CLK", "DIO", "SNR"}
    assert all(item.low <= item.nominal <= item.high for item in ITEMS.values())


def test_the_golden_lines_shared_with_the_firmware():
    sent, back = golden(">"), golden("<")
    assert len(sent) == len(back)
    asked = set()
    for line, reply in zip(sent, back, strict=True):
        found = decode_reply(reply)
        if isinstance(found, Refused):
            with pytest.raises(WireError, match="is not between"):
                request(line)
        else:
            assert request(line) == line
        asked |= {found.name} if isinstance(found, Value) else set()
    assert asked == set(ITEMS)


def test_the_golden_lines_hold_every_limit_and_the_value_beyond_it():
    sent = golden(">")
    for name, item in ITEMS.items():
        for value in (item.low, item.high, item.low - 1, item.high + 1):
            text = f"CAL,{name},{value}".encode()
            assert b"%b*%04X" % (text, crc(text)) in sent


def test_a_meter_that_was_never_calibrated_answers_the_nominal_values():
    count = len(ITEMS)
    assert golden(">")[:count] == [encode_get(name)[:-2] for name in ITEMS]
    assert [decode_reply(line) for line in golden("<")[:count]] == [
        Value(item.name, item.nominal) for item in ITEMS.values()
    ]


def test_what_no_meter_obeys_is_never_sent():
    for line in golden("!"):
        with suppress(WireError, ValueError, IndexError):
            assert request(line) != line


@given(st.data())
def test_what_is_set_reads_as_written_and_its_checksum_fits(data):
    item = ITEMS[data.draw(names)]
    value = data.draw(st.integers(item.low, item.high))
    text, star, checksum = encode_set(item.name, value).partition(b"*")
    assert text == f"CAL,{item.name},{value}".encode()
    assert star + checksum == b"*%04X\r\n" % crc(text)
    assert decode_reply(answer(text)) == Value(item.name, value)


@pytest.mark.parametrize("name", sorted(ITEMS))
def test_values_out_of_limits_are_not_sent(name):
    for value in (ITEMS[name].low - 1, ITEMS[name].high + 1, 2**31, -(2**31) - 1):
        with pytest.raises(WireError, match=f"meter's {name}: {value} is not between") as caught:
            encode_set(name, value)
        assert caught.value.code is WireCode.BAD_FIELD


@pytest.mark.parametrize("name", ["V4G", "v1g", "", "SAVE", "V1G,5", "V1G\n", "ü12"])
def test_names_there_are_not(name):
    for encode in (encode_get, lambda wrong: encode_set(wrong, 0)):
        with pytest.raises(WireError, match="has no value"):
            encode(name)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"CAL", WireCode.NOT_A_PACKET),
        (b"CAT,V1G,1", WireCode.NOT_A_PACKET),
        (b"CAL,", WireCode.BAD_FIELD),
        (b"CAL,V1G", WireCode.BAD_FIELD),
        (b"CAL,V1G,", WireCode.BAD_FIELD),
        (b"CAL,V1G,01", WireCode.BAD_FIELD),
        (b"CAL,V1G,-0", WireCode.BAD_FIELD),
        (b"CAL,V1G,+1", WireCode.BAD_FIELD),
        (b"CAL,V1G,1.0", WireCode.BAD_FIELD),
        (b"CAL,V1G,99999999999", WireCode.BAD_FIELD),
        (b"CAL,V4G,1", WireCode.BAD_FIELD),
        (b"CAL,V4G,REFUSED", WireCode.BAD_FIELD),
        (b"CAL,V1G,REFUSED ", WireCode.BAD_FIELD),
        (b"CAL,SAVED,1", WireCode.BAD_FIELD),
        (b"CAL,\xff\xfe\x00,1", WireCode.BAD_FIELD),
    ],
)
def test_what_is_no_answer_is_named(text, code):
    with pytest.raises(WireError) as caught:
        decode_reply(answer(text))
    assert caught.value.code is code
    assert caught.value.text.isprintable()


def test_the_answers_there_are():
    assert decode_reply(answer(b"CAL,I2O,-12")) == Value("I2O", -12)
    assert decode_reply(answer(b"CAL,I2O,REFUSED")) == Refused("I2O")
    assert decode_reply(answer(b"CAL,SAVED")) == Saved()


def test_answers_are_read_between_packets():
    packet = encode_packet(SAMPLE)
    broken = packet[:40] + answer(b"CAL,SAVED") + b"\r\n"
    found = MeterReader().feed(packet + answer(b"CAL,V1G,5") + b"\r\n" + packet + broken + packet)
    codes = [item.code if isinstance(item, WireError) else item for item in found]
    assert codes == [SAMPLE, Value("V1G", 5), SAMPLE, WireCode.NOT_A_PACKET, Saved(), SAMPLE]


@given(st.data())
def test_a_damaged_answer_is_never_taken_for_another(data):
    line = answer(b"CAL,V1G,1003500")
    for item in MeterReader().feed(data.draw(mutated(line)) + b"\n"):
        assert isinstance(item, WireError) or item == Value("V1G", 1_003_500)


@given(st.binary(max_size=2000))
def test_any_bytes_give_answers_or_named_faults(data):
    for item in MeterReader().feed(data):
        assert isinstance(item, WireError)


def test_the_examples_of_the_documentation():
    lines = [line.strip().encode() for line in DOCUMENTATION.read_text(encoding="utf-8").splitlines()]
    asked = [line for line in lines if re.match(rb"CAL,", line)]
    answers = [line for line in lines if line.startswith(b"$CAL,")]
    assert len(asked) == 3
    assert [request(line) for line in asked] == asked
    assert [decode_reply(line) for line in answers] == [Value("V1G", 1_003_500), Refused("V1G"), Saved()]
