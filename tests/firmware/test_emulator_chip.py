"""The emulated board's chip: pins, serial line, EEPROM, resets and RAM."""

from itertools import pairwise
from pathlib import Path

import pytest

from simulation.emulator import Emulator, EmulatorError, ResetKind
from tests.firmware.programs import ECHO, compiled, numbers


def test_a_contact_is_seen_through_the_pull_up_whatever_else_the_port_does(firmware_build: Path) -> None:
    source = r"""
    int main(void) {
      begin(16);
      DDRB = 1 << 5;
      for (;;) {
        PORTB = get();
        PORTB ^= 1 << 5;
        number(PINB >> 1 & 1, ' ');
        number(PINB >> 4 & 1, '\n');
      }
    }"""
    both_pull_ups = bytes([1 << 1 | 1 << 4])
    with Emulator(compiled(source, firmware_build)) as board:
        board.run(0.001)
        for generator, grid in ((0, 0), (1, 0), (0, 1), (1, 1)):
            board.set(gen=generator, tie=grid)
            board.send(both_pull_ups)
            board.run(0.01)
            assert numbers(board) == [[1 - generator, 1 - grid]]
        board.set(gen=0, tie=0)
        board.send(b"\0")
        board.run(0.01)
        assert numbers(board) == [[0, 0]]  # nothing pulls them up


def test_outputs_are_stamped_and_let_go_by_a_reset(firmware_build: Path) -> None:
    source = r"""
    int main(void) {
      begin(16);
      get();
      DDRB = 1 << 2 | 1 << 3;
      PORTB = 1 << 2;
      _delay_ms(25);
      PORTB = 1 << 3;
      for (;;) {}
    }"""
    with Emulator(compiled(source, firmware_build)) as board:
        board.run(0.1)
        board.send(b"x")
        board.run(0.1)
        board.reset("external")
        events = [(event.pin, event.high, event.at_us) for event in board.pins]
    assert [event[:2] for event in events] == [
        ("raise", True), ("raise", False), ("lower", True), ("lower", False)
    ]  # fmt: skip
    assert events[0][2] == pytest.approx(100_000 + 87, abs=15)  # a byte's time after it was sent
    assert events[1][2] - events[0][2] == pytest.approx(25_000, abs=10)
    assert events[3][2] == 200_000


def test_bytes_take_their_time_both_ways(firmware_build: Path) -> None:
    sent = bytes(range(256)) * 4
    with Emulator(compiled(ECHO, firmware_build)) as board:
        board.run(0.01)
        board.send(sent)
        board.run(0.2)
        assert bytes(byte for _, byte in board.sent) == sent
        assert not board.faults
        times = [at_us for at_us, _ in board.sent]
    gaps = [after - before for before, after in pairwise(times)]
    assert min(gaps) >= 85
    assert (times[-1] - times[0]) / 1023 == pytest.approx(86.8, abs=0.3)


def test_a_wrong_speed_is_a_fault(firmware_build: Path) -> None:
    with Emulator(compiled("int main(void) { begin(103); for (;;) put('x'); }", firmware_build)) as board:
        board.run(0.01)
        assert board.faults == ["the UART runs at 19231 baud"]


def test_bytes_that_nobody_reads_are_lost_as_in_the_chip(firmware_build: Path) -> None:
    source = "int main(void) { begin(16); _delay_ms(20); for (;;) put(get()); }"
    with Emulator(compiled(source, firmware_build)) as board:
        board.run(0.001)
        board.send(b"abcdefgh")
        board.run(0.1)
        assert bytes(byte for _, byte in board.sent) == b"abc"
        assert len(board.faults) == 5


EEPROM = r"""
int main(void) {
  begin(16);
  for (;;) {
    uint8_t at = get();
    if (at & 0x80) {  // without waiting
      EEAR = at;
      EEDR = at;
      EECR |= 1 << EEMPE;
      EECR |= 1 << EEPE;
    } else {
      eeprom_write_byte((uint8_t*)(uint16_t)at, at);
    }
    put(at);
  }
}"""


def test_the_eeprom_takes_3400_us_a_byte_and_outlives_everything(
    firmware_build: Path, tmp_path: Path
) -> None:
    file = tmp_path / "eeprom"
    with Emulator(compiled(EEPROM, firmware_build), eeprom=file) as board:
        board.run(0.001)
        board.send(bytes([5, 6, 7]))
        board.run(0.012)
        first, second, third = (at_us for at_us, _ in board.sent)
        assert (second - first, third - second) == pytest.approx((3400, 3400), abs=20)
        kinds: tuple[ResetKind, ...] = ("power", "brownout", "external", "watchdog")
        for kind in kinds:
            board.reset(kind)
            assert board.eeprom()[4:9] == b"\xff\x05\x06\x07\xff"
        assert not board.faults
        board.poke_eeprom(1020, b"abcdef")
        board.save()
        assert file.read_bytes() == board.eeprom()
    with Emulator(compiled(EEPROM, firmware_build), eeprom=file) as board:
        assert board.eeprom()[4:9] == b"\xff\x05\x06\x07\xff"
        assert board.eeprom()[1018:] == b"\xff\xffabcd"


def test_a_loss_of_power_spoils_the_byte_that_is_being_written(firmware_build: Path) -> None:
    with Emulator(compiled(EEPROM, firmware_build)) as board:
        board.run(0.001)
        board.send(bytes([8, 9]))
        board.run(0.005)  # the first is written, the second is not done
        board.reset("brownout")
        assert board.eeprom()[8] == 8
        assert board.eeprom()[9] not in (9, 255)


def test_writing_before_the_eeprom_is_ready_is_a_fault(firmware_build: Path) -> None:
    with Emulator(compiled(EEPROM, firmware_build)) as board:
        board.run(0.001)
        board.send(bytes([0x81, 0x82]))
        board.run(0.005)
        assert board.faults == ["the EEPROM was written to before it was ready"]


@pytest.mark.parametrize(
    ("kind", "flag", "kept"),
    [("power", 1, False), ("external", 2, True), ("brownout", 4, False), ("watchdog", 8, True)],
)
def test_a_reset_shows_its_kind_and_only_a_loss_of_power_loses_the_ram(
    firmware_build: Path, kind: ResetKind, flag: int, kept: bool
) -> None:
    source = r"""
    static uint32_t survivor __attribute__((section(".noinit")));
    int main(void) {
      uint8_t cause = MCUSR;
      MCUSR = 0;
      wdt_disable();
      begin(16);
      number(cause, ' ');
      number(survivor == 0x12345678, '\n');
      survivor = 0x12345678;
      for (;;) {}
    }"""
    with Emulator(compiled(source, firmware_build), seed=5) as board:
        board.run(0.1)
        board.reset(kind)
        board.run(0.1)
        assert numbers(board) == [[1, 0], [flag, int(kept)]]


def test_the_watchdog_bites_and_the_board_lives_on(firmware_build: Path) -> None:
    source = r"""
    int main(void) {
      uint8_t cause = MCUSR;
      MCUSR = 0;
      wdt_disable();
      begin(16);
      number(cause, '\n');
      while (!(PIND & 1 << 2)) {}
      while (PIND & 1 << 2) {}
      wdt_enable(WDTO_120MS);
      for (;;) {}
    }"""
    with Emulator(compiled(source, firmware_build)) as board:
        board.set(v1=230)
        board.run(1)
        causes = numbers(board)
    assert causes[0] == [1]
    assert causes[1:] == [[8]] * (len(causes) - 1)
    assert len(causes) >= 5


def test_the_stacks_headroom_is_what_was_never_touched(firmware_build: Path) -> None:
    source = r"""
    static volatile uint8_t used[500];
    int main(void) {
      volatile uint8_t deep[300];
      for (uint16_t i = 0; i < 300; i++) deep[i] = used[i] + (uint8_t)i;
      begin(16);
      for (;;) put(deep[get()]);
    }"""
    with Emulator(compiled(source, firmware_build)) as board:
        whole = board.stack()
        board.run(0.1)
        assert whole == pytest.approx(2048 - 500, abs=10)
        assert whole - board.stack() == pytest.approx(300, abs=25)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("int main(void) { ((void (*)(void))0x3ffe)(); for (;;) {} }", "the chip stopped at"),
        ("int main(void) { cli(); sleep_mode(); for (;;) {} }", "asleep with interrupts off"),
    ],
)
def test_a_chip_that_crashes_is_a_fault_and_ends(firmware_build: Path, source: str, sentence: str) -> None:
    with Emulator(compiled(source, firmware_build)) as board:
        with pytest.raises(EmulatorError, match=sentence):
            board.run(1)
        assert len(board.faults) == 1
        with pytest.raises(EmulatorError, match=sentence):
            board.run(1)
