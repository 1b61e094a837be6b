"""The meter's serial line: what a packet says, and what happens to everything that is not one."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid.sample import CommandState, MeterFlag, Sample
from microgrid.wire import limits as lim
from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.serial import (
    MAX_LINE_BYTES,
    Command,
    CommandKind,
    CommandReader,
    PacketReader,
    at_resolution,
    decode_command,
    decode_packet,
    encode_command,
    encode_packet,
)
from tests.unit.wire.examples import SAMPLE
from tests.unit.wire.strategies import mutated, pieces, samples

PACKET = encode_packet(SAMPLE)
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "protocol.md"
GOLDEN_FILE = Path(__file__).with_name("golden_packets.txt")
LONGEST = msgspec.structs.replace(
    SAMPLE,
    boot_id=lim.MAX_U32,
    uptime_ms=lim.MAX_S64,
    sequence=lim.MAX_U32,
    voltage_v=(1000.0,) * 3,
    current_a=(2000.0,) * 3,
    frequency_hz=100.0,
    generator_p_w=-lim.MAX_POWER_W,
    generator_q_var=-lim.MAX_POWER_W,
    generator_s_va=lim.MAX_POWER_W,
    exchange_p_w=-lim.MAX_POWER_W,
    exchange_q_var=-lim.MAX_POWER_W,
    import_counter_ws=lim.MAX_U32,
    export_counter_ws=lim.MAX_U32,
    generation_counter_ws=lim.MAX_U32,
    flags=MeterFlag(lim.ALL_FLAGS),
    command_id=lim.MAX_U32,
    command_state=CommandState.REFUSED,
    firmware="x" * 16,
)
COMMAND = Command(kind=CommandKind.RAISE, command_id=12, width_ms=400)

commands = st.builds(
    Command,
    kind=st.sampled_from(CommandKind),
    command_id=st.integers(1, lim.MAX_U32),
    width_ms=st.integers(1, 60_000),
)


def crc(text: bytes) -> int:
    """CRC-16/CCITT-FALSE bit by bit, as a firmware writes it: independent of the product's."""
    value = 0xFFFF
    for byte in text:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1) ^ 0x1021 if value & 0x8000 else value << 1
            value &= 0xFFFF
    return value


def resealed(old: bytes, new: bytes) -> bytes:
    """The example packet with one piece replaced and a checksum that fits, without its line end."""
    assert PACKET.count(old) == 1
    text = PACKET[1 : PACKET.index(b"*")].replace(old, new)
    return b"$%b*%04X" % (text, crc(text))


def fault(line: bytes) -> WireError:
    with pytest.raises(WireError) as caught:
        decode_packet(line)
    return caught.value


def codes(found: list) -> list:
    """What a reader found, faults by their codes."""
    return [item.code if isinstance(item, WireError) else item for item in found]


def test_the_checksum_is_ccitt_false():
    assert crc(b"123456789") == 0x29B1  # the check value every catalogue of CRCs gives
    for line in (PACKET.removeprefix(b"$"), encode_command(COMMAND)):
        text, _, checksum = line.removesuffix(b"\r\n").rpartition(b"*")
        assert checksum == b"%04X" % crc(text)


def test_a_packet_reads_as_documented():
    assert PACKET.startswith(
        b"$MTR,1,7,61000,60,230.12,229.90,231.00,4.347,0.000,12.500,0.950LI,1.000LI,0.800CE,49.987,"
        b"3500,-120,3502,-1250,310,72000,0,210000,1,1,0006,12,2,1.0.3*"
    )
    assert PACKET.endswith(b"\r\n")


@given(samples)
def test_what_a_packet_carries_comes_back_equal(sample):
    rounded = at_resolution(sample)
    assert PacketReader().feed(encode_packet(rounded)) == [rounded]
    assert rounded.exchange_p_w == sample.exchange_p_w
    assert rounded.voltage_v == pytest.approx(sample.voltage_v, abs=0.005001)
    assert rounded.current_a == pytest.approx(sample.current_a, abs=0.0005001)


@given(samples)
def test_a_packet_has_one_spelling(sample):
    packet = encode_packet(sample)
    assert encode_packet(decode_packet(packet[:-2])) == packet


def test_counters_and_sequence_at_the_end_of_32_bits():
    last = msgspec.structs.replace(
        SAMPLE,
        sequence=2**32 - 1,
        boot_id=2**32 - 1,
        import_counter_ws=2**32 - 1,
        export_counter_ws=2**32 - 1,
        generation_counter_ws=2**32 - 1,
        command_id=2**32 - 1,
        uptime_ms=2**63 - 1,
    )
    assert at_resolution(last) == last
    with pytest.raises(WireError, match="import counter"):
        encode_packet(msgspec.structs.replace(last, import_counter_ws=2**32))


def test_a_minus_zero_is_printed_as_zero():
    sample = msgspec.structs.replace(SAMPLE, current_a=(-0.0, 0.0, 0.0), frequency_hz=-0.0)
    assert b"-0" not in encode_packet(sample)


def test_the_longest_packet_fits_a_line():
    assert len(encode_packet(LONGEST)) == 254 <= MAX_LINE_BYTES


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("voltage_v", (230.0, float("nan"), 230.0), "voltage 2"),
        ("current_a", (0.0, 0.0, float("inf")), "current 3"),
        ("power_factor", (-0.1, 1.0, 1.0), "power factor 1"),
        ("frequency_hz", 100.001, "frequency"),
        ("generator_s_va", -1, "generator apparent power"),
        ("exchange_p_w", lim.MAX_POWER_W + 1, "exchanged active power"),
        ("flags", MeterFlag(127) + 1, "flags"),
        ("command_id", -1, "command id"),
        ("firmware", "1.0\n", "firmware version"),
        ("firmware", "", "firmware version"),
        ("firmware", "ü", "firmware version"),
    ],
)
def test_what_a_packet_cannot_carry_is_refused_by_name(field, value, name):
    with pytest.raises(WireError, match=f"meter's {name}") as caught:
        encode_packet(msgspec.structs.replace(SAMPLE, **{field: value}))
    assert caught.value.code is WireCode.BAD_FIELD


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        (b"230.12", b"230.1", "voltage 1"),
        (b"230.12", b"1000.01", "voltage 1"),
        (b"230.12", b"-30.12", "voltage 1"),
        (b"230.12", b"nan", "voltage 1"),
        (b"230.12", b"0230.12", "voltage 1"),
        (b"4.347", b"2000.001", "current 1"),
        (b"4.347", b"4.347e1", "current 1"),
        (b"0.950LI", b"0.950", "power factor 1"),
        (b"0.950LI", b"0.950L", "power factor 1"),
        (b"0.950LI", b"0.950IL", "power factor 1"),
        (b"0.950LI", b"1.001LI", "power factor 1"),
        (b"0.800CE", b"0.800XE", "power factor 3"),
        (b"0.800CE", b"0.800CX", "power factor 3"),
        (b"49.987", b"100.001", "frequency"),
        (b",61000,", b",9223372036854775808,", "uptime"),
        (b",61000,", b", 61000,", "uptime"),
        (b",61000,", b",61_000,", "uptime"),
        (b",61000,", b",+61000,", "uptime"),
        (b",3500,", b",2000001,", "generator active power"),
        (b",-1250,", b",-0,", "exchanged active power"),
        (b",72000,", b",4294967296,", "import counter"),
        (b",72000,", b",-1,", "import counter"),
        (b",1,1,0006,", b",1,2,0006,", "grid breaker"),
        (b",0006,", b",0080,", "flags"),
        (b",0006,", b",000a,", "flags"),
        (b",12,2,", b",12,4,", "command state"),
        (b"1.0.3", b"", "firmware version"),
        (b"1.0.3", b"x" * 17, "firmware version"),
        (b"1.0.3", b"\xff", "firmware version"),
    ],
)
def test_a_field_out_of_its_limits_is_named(old, new, name):
    error = fault(resealed(old, new))
    assert error.code is WireCode.BAD_FIELD
    assert error.text.startswith(f"The meter's {name}: ")


def test_faults_of_a_whole_line_are_named():
    line = PACKET[:-2]
    assert fault(line[1:]).code is WireCode.NOT_A_PACKET
    assert fault(b"").code is WireCode.NOT_A_PACKET
    assert fault(line[:40]).code is WireCode.NO_CHECKSUM
    assert fault(line[:-1]).code is WireCode.BAD_CHECKSUM
    assert fault(line.replace(b"230.12", b"230.13")).code is WireCode.BAD_CHECKSUM
    assert fault(line[:-4] + line[-4:].lower() + b" ").code is WireCode.BAD_CHECKSUM
    assert fault(resealed(b",1.0.3", b"")).code is WireCode.FIELD_COUNT
    assert fault(resealed(b"1.0.3", b"1.0.3,0")).code is WireCode.FIELD_COUNT
    assert fault(resealed(b"MTR,1,7", b"GPS,1,7")).code is WireCode.NOT_A_PACKET
    version = fault(resealed(b"MTR,1,7", b"MTR,2,7"))
    assert version.code is WireCode.VERSION
    assert "'2'" in version.text


def test_no_truncated_packet_is_taken():
    for length in range(len(PACKET) - 2):
        assert not any(isinstance(found, Sample) for found in PacketReader().feed(PACKET[:length] + b"\n"))


def test_bytes_one_at_a_time():
    reader = PacketReader()
    found = [item for byte in PACKET * 3 for item in reader.feed(bytes([byte]))]
    assert found == [SAMPLE] * 3


def test_a_bare_line_feed_ends_a_line_and_empty_lines_are_nothing():
    assert PacketReader().feed(b"\r\n\n" + PACKET.replace(b"\r", b"") + b"\r\n") == [SAMPLE]


@pytest.mark.parametrize("end", [b" \r\n", b"\r\r\n", b"\t\n"])
def test_nothing_but_the_line_end_is_taken_off(end):
    assert codes(PacketReader().feed(PACKET.removesuffix(b"\r\n") + end)) == [WireCode.BAD_CHECKSUM]


def test_garbage_between_packets_is_named_and_survived():
    found = PacketReader().feed(
        PACKET + b"\x00\xff boot\n" + PACKET + b"noise" + PACKET + PACKET[:50] + PACKET
    )
    skipped = WireCode.NOT_A_PACKET
    assert codes(found) == [SAMPLE, skipped, SAMPLE, skipped, SAMPLE, skipped, SAMPLE]


@pytest.mark.parametrize("size", [MAX_LINE_BYTES + 1, 3 * MAX_LINE_BYTES, 100_000])
@pytest.mark.parametrize("step", [1, 100, 200_000])
def test_an_overlong_line_is_one_fault_however_it_comes(size, step):
    reader, found = PacketReader(), []
    stream = b"x" * size + b"\n" + PACKET
    for start in range(0, len(stream), step):
        found += reader.feed(stream[start : start + step])
        assert len(reader._lines._partial) <= MAX_LINE_BYTES
    assert codes(found) == [WireCode.OVERLONG_LINE, SAMPLE]


def test_a_line_of_just_the_limit_is_read():
    assert codes(PacketReader().feed(b"x" * MAX_LINE_BYTES + b"\n")) == [WireCode.NOT_A_PACKET]


@given(st.data())
def test_how_the_bytes_are_cut_changes_nothing(data):
    stream = data.draw(mutated(PACKET * 3))
    reader = PacketReader()
    found = [repr(item) for piece in data.draw(pieces(stream)) for item in reader.feed(piece)]
    assert found == [repr(item) for item in PacketReader().feed(stream)]


@given(st.data())
def test_a_damaged_packet_is_never_taken_for_another(data):
    for item in PacketReader().feed(data.draw(mutated(PACKET)) + b"\n"):
        # The CRC finds every burst up to 16 bits; of anything else one in 65,536 passes it, and of those
        # few are spelt as a packet is.
        assert isinstance(item, WireError) or item == SAMPLE


@given(st.binary(max_size=2000))
def test_any_bytes_give_samples_or_named_faults(data):
    for item in PacketReader().feed(data) + CommandReader().feed(data):
        assert isinstance(item, WireError)


@given(st.lists(st.binary(max_size=30), min_size=0, max_size=32))
def test_fields_of_anything_under_a_right_checksum(fields):
    text = b"MTR,1," + b",".join(fields)
    for item in PacketReader().feed(b"$%b*%04X\r\n" % (text, crc(text))):
        assert isinstance(item, WireError)
        assert item.text.isprintable()


@given(commands)
def test_commands_come_back_equal(command):
    assert CommandReader().feed(encode_command(command)) == [command]


def test_a_command_reads_as_documented():
    assert encode_command(COMMAND).startswith(b"RAISE,12,400*")
    assert decode_command(encode_command(COMMAND)[:-2]) == COMMAND


@pytest.mark.parametrize(("command_id", "width_ms"), [(0, 400), (2**32, 400), (1, 0), (1, 60_001)])
def test_commands_out_of_limits_are_refused_at_both_ends(command_id, width_ms):
    command = Command(kind=CommandKind.LOWER, command_id=command_id, width_ms=width_ms)
    with pytest.raises(WireError):
        encode_command(command)
    text = b"LOWER,%d,%d" % (command_id, width_ms)
    assert codes(CommandReader().feed(b"%b*%04X\n" % (text, crc(text)))) == [WireCode.BAD_FIELD]


@pytest.mark.parametrize(
    "text", [b"STOP,1,400", b"RAISE,01,400", b"RAISE,1", b"raise,1,400", b"RAISE,1,4e2", b""]
)
def test_what_is_no_command_is_named(text):
    assert codes(CommandReader().feed(b"%b*%04X\n" % (text, crc(text)))) == [WireCode.NOT_A_COMMAND]


def test_a_damaged_command_is_never_obeyed():
    line = encode_command(COMMAND)
    for at in range(len(line) - 2):
        damaged = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
        assert all(isinstance(item, WireError) for item in CommandReader().feed(damaged + b"\n"))
    for length in range(1, len(line) - 2):
        assert all(isinstance(item, WireError) for item in CommandReader().feed(line[:length] + b"\n"))


def test_every_command_state_and_flag_travels():
    for state in CommandState:
        assert at_resolution(msgspec.structs.replace(SAMPLE, command_state=state)).command_state is state
    for flags in range(lim.ALL_FLAGS + 1):
        sample = msgspec.structs.replace(SAMPLE, flags=MeterFlag(flags))
        assert at_resolution(sample).flags == flags


GOLDEN = [
    SAMPLE,
    msgspec.structs.replace(  # nothing connected, just started
        SAMPLE,
        boot_id=0,
        uptime_ms=0,
        sequence=0,
        voltage_v=(0.0, 0.0, 0.0),
        current_a=(0.0, 0.0, 0.0),
        power_factor=(0.0, 0.0, 0.0),
        leading=(False, False, False),
        exporting=(False, False, False),
        frequency_hz=0.0,
        generator_p_w=0,
        generator_q_var=0,
        generator_s_va=0,
        exchange_p_w=0,
        exchange_q_var=0,
        import_counter_ws=0,
        generation_counter_ws=0,
        generator_breaker_closed=False,
        grid_breaker_closed=False,
        flags=MeterFlag(0),
        command_id=0,
        command_state=CommandState.NONE,
        firmware="0",
    ),
    LONGEST,
]
GOLDEN_COMMANDS = [
    COMMAND,
    Command(kind=CommandKind.LOWER, command_id=2**32 - 1, width_ms=60_000),
]


def test_the_golden_lines_shared_with_the_firmware():
    lines = GOLDEN_FILE.read_text(encoding="ascii").splitlines()
    packets = [line.encode() for line in lines if line.startswith("$")]
    orders = [line.encode() for line in lines if line.startswith(("RAISE", "LOWER"))]
    assert [decode_packet(line) for line in packets] == GOLDEN
    assert [encode_packet(sample)[:-2] for sample in GOLDEN] == packets
    assert [decode_command(line) for line in orders] == GOLDEN_COMMANDS
    assert [encode_command(command)[:-2] for command in GOLDEN_COMMANDS] == orders
    assert all(line.startswith(("$", "RAISE", "LOWER", "#")) for line in lines)


def test_the_examples_of_the_documentation():
    lines = [line.strip().encode() for line in DOCUMENTATION.read_text(encoding="utf-8").splitlines()]
    assert [decode_packet(line) for line in lines if line.startswith(b"$MTR")] == [SAMPLE]
    orders = [line for line in lines if re.match(rb"(RAISE|LOWER),", line)]
    assert [decode_command(line) for line in orders] == GOLDEN_COMMANDS
