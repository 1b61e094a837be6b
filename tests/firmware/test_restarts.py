"""Resets, brown-outs, power cuts, spoilt EEPROMs and wraps: what the emulated meter keeps and says."""

import random
import struct
import subprocess
from binascii import crc_hqx
from itertools import pairwise
from typing import NamedTuple

import pytest

from microgrid.sample import CommandState, MeterFlag
from tests.firmware.serial_line import Line, interlocked

# docs/meter.md: two copies of the calibration, then a ring of slots.
COPY_AT = {"A": 0, "B": 128}
RING_AT, SLOT_BYTES, SLOTS = 256, 18, 42
WRAP = 2**32
SOUND = MeterFlag(0)


class Slot(NamedTuple):
    """One of the EEPROM's slots: counters in Ws, the number of the start, the slot's own serial number."""

    import_ws: int
    export_ws: int
    generation_ws: int
    start: int
    serial: int

    def packed(self) -> bytes:
        """As it stands in the EEPROM."""
        head = struct.pack("<IIIH", *self[:4])
        serial = struct.pack("<H", self.serial)
        return head + struct.pack("<H", crc_hqx(head + serial, 0xFFFF)) + serial


def slots(eeprom):
    """The sound slots of the ring."""
    found = []
    for at in range(RING_AT, RING_AT + SLOTS * SLOT_BYTES, SLOT_BYTES):
        import_ws, export_ws, generation_ws, start, _, serial = struct.unpack_from("<IIIHHH", eeprom, at)
        slot = Slot(import_ws, export_ws, generation_ws, start, serial)
        if slot.packed() == eeprom[at : at + SLOT_BYTES]:
            found.append(slot)
    return found


def newest(eeprom):
    """The newest sound slot; in these tests serial numbers do not wrap."""
    return max(slots(eeprom), key=lambda slot: slot.serial, default=Slot(0, 0, 0, 0, -1))


def counters(packet):
    return packet.import_counter_ws, packet.export_counter_ws, packet.generation_counter_ws


def not_behind(counted, before):
    return all(now >= then for now, then in zip(counted, before, strict=True))


@pytest.fixture(scope="module")
def calibrated(firmware_build):
    """The EEPROM of a meter that was calibrated and ran for a while."""
    with Line(firmware_build) as meter:
        meter.run(0.1)
        meter.calibrate("V1G,1003500", "SNR,513")
        meter.reset("power")
        meter.run(1)
        return meter.board.eeprom()


@pytest.fixture
def meter(firmware_build, calibrated):
    """Its third start."""
    with Line(firmware_build) as made:
        made.board.poke_eeprom(0, calibrated)
        yield made


def value(meter, name):
    meter.say(f"CAL,{name}")
    (answer,) = meter.answers(0.05)
    assert answer.name == name
    return answer.value


# --- the EEPROM ---------------------------------------------------------------------------------------


def test_each_start_has_its_own_boot_id(meter):
    assert [packet.boot_id for packet in meter.packets(2.1)] == [513 << 16 | 3] * 2
    for start, kind in enumerate(("power", "brownout", "external", "watchdog"), start=4):
        meter.reset(kind)
        packet = meter.packet()
        assert (packet.boot_id, packet.sequence) == (513 << 16 | start, 0)
        assert 1000 <= packet.uptime_ms <= 1005


@pytest.mark.parametrize("filling", [0xFF, 0x00, 0x5A])
def test_a_blank_eeprom_is_a_first_start_with_nominal_values(meter, filling):
    meter.board.poke_eeprom(0, bytes([filling]) * 1024)
    packet = meter.packet(1.1)
    assert (packet.boot_id, packet.flags) == (1, MeterFlag.CALIBRATION_BAD)
    assert value(meter, "V1G") == 1_000_000
    assert packet.import_counter_ws == 0
    assert 0 < packet.export_counter_ws < 5000
    meter.calibrate("V1G,990000")
    assert meter.packet().flags == SOUND


@pytest.mark.parametrize("copy", COPY_AT)
@pytest.mark.parametrize("at", [0, 1, 60, 112, 114])
def test_a_byte_spoilt_in_one_copy_of_the_calibration_is_mended_from_the_other(meter, calibrated, copy, at):
    address = COPY_AT[copy] + at
    meter.board.poke_eeprom(address, bytes([calibrated[address] ^ 0x10]))
    packet = meter.packet(1.1)
    assert (packet.boot_id >> 16, packet.flags) == (513, SOUND)
    assert value(meter, "V1G") == 1_003_500
    assert meter.board.eeprom()[:RING_AT] == calibrated[:RING_AT]


def test_with_both_copies_spoilt_nominal_values_are_used_and_that_is_told_until_it_is_calibrated(
    meter, calibrated
):
    for address in COPY_AT.values():
        meter.board.poke_eeprom(address + 5, bytes([calibrated[address + 5] ^ 1]))
    assert {(packet.boot_id, packet.flags) for packet in meter.packets(3.1)} == {
        (3, MeterFlag.CALIBRATION_BAD)
    }
    assert value(meter, "V1G") == 1_000_000
    assert value(meter, "SNR") == 0
    meter.calibrate("SNR,513")
    assert meter.packet().flags == SOUND
    meter.reset("power")
    packet = meter.packet()
    assert (packet.boot_id, packet.flags) == (513 << 16 | 4, SOUND)


def test_a_value_beyond_its_limits_is_not_taken_from_the_eeprom_however_good_its_checksum(meter, calibrated):
    block = bytearray(calibrated[:115])
    block[1:5] = struct.pack("<i", 499_999)  # V1G
    block[113:115] = struct.pack("<H", crc_hqx(bytes(block[:113]), 0xFFFF))
    for address in COPY_AT.values():
        meter.board.poke_eeprom(address, bytes(block))
    assert meter.packet(1.1).flags == MeterFlag.CALIBRATION_BAD
    assert value(meter, "V1G") == 1_000_000


def test_a_spoilt_slot_is_passed_over_for_the_one_before(meter):
    for slot, at in ((Slot(1000, 2000, 3000, 8, 100), 7), (Slot(1100, 2200, 3300, 9, 101), 8)):
        meter.board.poke_eeprom(RING_AT + at * SLOT_BYTES, slot.packed())
    meter.board.poke_eeprom(RING_AT + 8 * SLOT_BYTES + 4, b"\0")
    meter.run(0.15)
    meter.reset("power")
    packet = meter.packet()
    assert packet.boot_id == 513 << 16 | 10
    assert packet.import_counter_ws == 1000
    assert 2000 < packet.export_counter_ws < 2000 + 5000


def test_serial_numbers_starts_and_counters_wrap(meter):
    ring = [Slot(WRAP - 9, WRAP - 1000, WRAP - 2001 + i, 0xFFFF, (0xFFF0 + i) & 0xFFFF) for i in range(42)]
    meter.board.poke_eeprom(RING_AT, b"".join(slot.packed() for slot in ring[-15:] + ring[:-15]))
    begun = meter.packet(1.1)
    assert begun.boot_id == 513 << 16
    assert begun.import_counter_ws == WRAP - 9
    assert 1000 < begun.export_counter_ws < 3000  # it has wrapped
    meter.reset("watchdog")
    after = meter.packet()
    assert after.boot_id == 513 << 16 | 1
    assert begun.export_counter_ws <= after.export_counter_ws < begun.export_counter_ws + 5000
    meter.reset("power")
    assert meter.packet().boot_id == 513 << 16 | 2


# --- what outlives a reset ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["external", "watchdog"])
def test_a_reset_that_leaves_the_ram_loses_nothing(meter, kind):
    before = meter.packet(3.1)
    meter.run(0.4)
    meter.reset(kind)
    after = meter.packet()
    assert after.flags == SOUND
    assert not_behind(counters(after), counters(before))
    # Between the two packets 1.4 s went by, of which the slots that the reset broke off are not counted.
    exported = after.export_counter_ws - before.export_counter_ws
    assert 1.0 * before.exchange_p_w < exported < 1.4 * before.exchange_p_w


def test_counters_in_ram_that_cannot_be_true_are_not_believed(meter):
    """What the RAM holds by chance after a loss of power has a good checksum once in 32,768 times."""
    meter.run(2)
    stored = newest(meter.board.eeprom())
    assert not_behind(stored[:3], (0, 0, 0))
    true = Slot(0, 10_000, WRAP - 50_000_000, stored.start, stored.serial)
    at = next(
        at
        for at in range(RING_AT, 1024, SLOT_BYTES)
        if stored.packed() == meter.board.eeprom()[at:][:SLOT_BYTES]
    )
    # Now the RAM's are 50 MWs ahead: no meter measures so much in the five minutes between two savings.
    meter.board.poke_eeprom(at, true.packed())
    meter.reset("external")
    after = meter.packet()
    assert WRAP - 50_000_000 <= after.generation_counter_ws < WRAP - 50_000_000 + 10_000


def test_a_brown_out_is_told_for_a_minute_and_loses_only_what_came_after_the_supply_sank(meter):
    meter.run(3.1)
    # A capacitor runs empty; at 115 ms the supply is too low, at 400 ms the chip stops.
    for supply_v in (4.9, 4.7, 4.5, 4.1, 3.9, 3.7, 3.5, 3.3, 3.1):
        meter.board.set(vcc=supply_v)
        before = meter.board.truth()
        meter.run(0.1)
        if supply_v == 4.1:
            sank = before
    meter.reset("brownout")
    meter.board.set(vcc=5)
    kept = newest(meter.board.eeprom())
    true = meter.board.truth()
    assert 0.94 * sank.export_ws - 2000 < kept.export_ws < 1.06 * true.export_ws
    assert 0.94 * sank.generation_ws - 2000 < kept.generation_ws < 1.06 * true.generation_ws

    packets = meter.packets(62.1)
    assert [packet.flags for packet in packets] == [MeterFlag.BROWN_OUT_RESTART] * 60 + [SOUND] * 2
    assert not_behind(counters(packets[0]), kept[:3])
    assert packets[0].export_counter_ws < kept.export_ws + 5000
    assert value(meter, "V1G") == 1_003_500


def test_a_supply_that_stays_low_is_told_and_saved_once(meter):
    meter.run(2.1)
    meter.board.set(vcc=4.0)
    meter.run(1)
    saved = meter.board.eeprom()
    assert {packet.flags & MeterFlag.SUPPLY_LOW for packet in meter.packets(2)} == {MeterFlag.SUPPLY_LOW}
    assert meter.board.eeprom() == saved


def test_five_minutes_the_wrap_of_the_millisecond_count_and_power_lost_without_warning(
    firmware_build, calibrated
):
    """One long run for both, as it takes long: nobody notices the wrap after 20 s, and counters are saved."""
    with Line(firmware_build, "meter-wrap.elf") as meter:
        meter.board.poke_eeprom(0, calibrated)
        meter.run(301.5)
        heard = list(meter.heard)
        meter.reset("power")
        restarted = meter.packet()
    packets = [it.item for it in heard]
    keeps_time(heard, packets)
    assert restarted.boot_id == packets[-1].boot_id + 1
    assert restarted.flags == SOUND
    # At most five minutes are lost, and nothing is added.
    assert not_behind(counters(restarted), counters(packets[299]))
    most = packets[-1].export_counter_ws + 1.1 * packets[-1].exchange_p_w
    assert restarted.export_counter_ws < most


def keeps_time(heard, packets):
    """Uptime, packets and energy go on, second by second."""
    assert [round(packet.uptime_ms / 1000) for packet in packets] == list(range(1, 302))
    assert all(abs(packet.uptime_ms % 1000 - 3) <= 5 for packet in packets)
    assert all(abs(after.begun_us - before.begun_us - 1_000_000) <= 5000 for before, after in pairwise(heard))
    for before, after in pairwise(packets[3:]):
        exported = after.export_counter_ws - before.export_counter_ws
        generated = after.generation_counter_ws - before.generation_counter_ws
        assert exported == pytest.approx(before.exchange_p_w, rel=0.01)
        assert generated == pytest.approx(before.generator_p_w, rel=0.01)


def test_a_pulse_is_broken_off_by_a_reset_and_not_taken_up_again(meter):
    meter.run(1.1)
    meter.say("RAISE,5,60000")
    meter.run(0.3)
    meter.reset("watchdog")
    packet = meter.packet()
    assert (packet.command_id, packet.command_state) == (0, CommandState.NONE)
    meter.say("LOWER,5,20")
    assert meter.packets(0.2)[-1].command_state is CommandState.DONE
    assert interlocked(meter.pulses())


# --- at any moment ------------------------------------------------------------------------------------


def test_resets_at_any_moment_lose_nothing_that_was_saved(firmware_build, calibrated):
    """Each start saves counters, and calibration too: the reset comes in the midst of that."""
    rng = random.Random(8)
    with Line(firmware_build) as meter:
        meter.board.poke_eeprom(0, calibrated)
        saved, offset, wished = newest(calibrated), 0, 0
        torn = 0
        for number in range(1, 121):
            meter.board.run(rng.uniform(0.03, 0.12))
            if rng.random() < 0.3:
                meter.run(0.4)  # it counts, and mends what was torn
            held = value(meter, "V1O")
            assert held in (offset, wished)
            offset, wished = held, number
            meter.say(f"CAL,V1O,{number}", "CAL,SAVE")
            meter.board.run(rng.choice((rng.uniform(0, 0.1), rng.uniform(0, 0.9))))
            meter.reset(rng.choice(("power", "power", "brownout", "external", "watchdog")))
            eeprom = meter.board.eeprom()
            torn += eeprom[:115] != eeprom[128:243]
            kept = newest(eeprom)
            assert not_behind(kept[:3], saved[:3])
            assert saved.start <= kept.start <= saved.start + 1
            saved = kept
        packet = meter.packet()
        assert torn > 20
        assert packet.flags & ~MeterFlag.BROWN_OUT_RESTART == SOUND
        assert packet.boot_id == 513 << 16 | saved.start + 1
        assert not_behind(counters(packet), saved[:3])
        assert value(meter, "V1G") == 1_003_500
        true = meter.board.truth()
        assert packet.export_counter_ws < 1.06 * true.export_ws


# --- a program that hangs -----------------------------------------------------------------------------


@pytest.fixture
def hanging_elf(firmware_build, tmp_path):
    """The firmware with a fault put into it: asked for a calibration value, its main loop hangs."""
    elf = bytearray((firmware_build / "meter.elf").read_bytes())
    symbols = subprocess.run(
        ["avr-nm", "-C", firmware_build / "meter.elf"], capture_output=True, text=True, check=True
    )
    (address,) = (int(row[:8], 16) for row in symbols.stdout.splitlines() if " meter::name_of(" in row)
    (table,) = struct.unpack_from("<I", elf, 28)  # of the program headers
    offset, virtual, _, size = struct.unpack_from("<IIII", elf, table + 4)
    assert virtual <= address < virtual + size
    struct.pack_into("<H", elf, offset + address - virtual, 0xCFFF)  # rjmp to itself
    path = tmp_path / "hanging.elf"
    path.write_bytes(elf)
    return path


def test_a_main_loop_that_hangs_is_ended_by_the_watchdog_and_its_pulse_in_time(
    firmware_build, calibrated, hanging_elf
):
    with Line(firmware_build, hanging_elf) as meter:
        meter.board.poke_eeprom(0, calibrated)
        before = meter.packet(3.1)
        meter.say("RAISE,1,500")
        meter.run(0.1)
        meter.say("CAL,V1G")
        assert meter.packets(1.8) == []
        (pulse,) = meter.pulses()
        assert pulse.width_ms == 500
        after = meter.packet(1.6)
        assert (after.boot_id, after.sequence, after.flags) == (before.boot_id + 1, 0, SOUND)
        assert not_behind(counters(after), counters(before))
        meter.say("LOWER,1,20")
        assert meter.packets(0.2)[-1].command_state is CommandState.DONE
