"""The installer's tool and the firmware itself: what is set, kept, lost and refused."""

import pytest

from house_client.calibrator import Calibrator, MeterLost
from microgrid.sample import MeterFlag, Sample
from microgrid.wire.calibration import ITEMS, MeterReader, Refused, Value, encode_get, encode_set
from microgrid.wire.serial import checksum
from simulation.emulated_board import BoardWire
from simulation.emulator import Emulator


@pytest.fixture
def board(firmware_build):
    with Emulator(firmware_build / "meter.elf", program=firmware_build / "emulator") as made:
        yield made


@pytest.fixture
def meter(board):
    return Calibrator(BoardWire(board))


def flags(meter):
    (sample,) = meter.samples(1, skipped=1)
    return sample.flags


def test_a_new_meter_has_nominal_values_and_says_that_it_was_never_calibrated(meter):
    assert meter.values() == {name: item.nominal for name, item in ITEMS.items()}
    assert flags(meter) == MeterFlag.CALIBRATION_BAD


def test_what_is_saved_outlives_the_supply_and_what_is_not_is_noticed_as_lost(board, meter):
    kept = {name: (item.low, item.high)[at % 2] for at, (name, item) in enumerate(ITEMS.items())}
    kept["BGU"] = ITEMS["BGU"].nominal  # another one moves the supply's limits
    meter.set_values(kept)
    assert flags(meter) == MeterFlag.CALIBRATION_BAD
    meter.save()
    assert flags(meter) == MeterFlag(0)
    meter.set_values({"V1O": 5, "SNR": 4})
    board.reset("power")
    with pytest.raises(MeterLost, match="not saved is lost"):
        meter.samples()
    again = Calibrator(BoardWire(board))
    assert again.values() == kept
    (sample,) = again.samples(1)
    assert (sample.boot_id, sample.flags) == (kept["SNR"] << 16 | 2, MeterFlag(0))


def test_a_value_beyond_its_limits_changes_nothing(board, meter):
    meter.samples(1)
    wire = BoardWire(board)
    for value in (ITEMS["I2O"].low - 1, 2**31 - 1, -(2**31)):
        text = b"CAL,I2O,%d" % value
        wire.write(b"%b*%b\r\n" % (text, checksum(text)))
        assert Refused("I2O") in heard(wire, 1.5)
    assert meter.value("I2O") == 0
    assert MeterFlag.COMMAND_REFUSED not in flags(meter)


def heard(wire, seconds):
    reader = MeterReader()
    return [item for _ in range(round(seconds / 0.02)) for item in reader.feed(wire.read(0.02))]


def test_lines_that_do_not_wait_for_answers_do_not_upset_it(board, meter):
    meter.samples(1)
    wire = BoardWire(board)
    for value in range(40):
        wire.write(encode_set("G3O", value))
    answers = heard(wire, 4)
    values = [item.value for item in answers if isinstance(item, Value)]
    assert values
    assert set(values) <= set(range(40))
    packets = [item for item in answers if isinstance(item, Sample)]
    assert [packet.sequence for packet in packets] == list(
        range(packets[0].sequence, packets[0].sequence + len(packets))
    )
    meter.set_values({"G3O": 77})
    assert meter.value("G3O") == 77


def test_a_line_that_is_none_is_flagged_once(board, meter):
    meter.samples(1)
    board.send(encode_get("V1G").replace(b"V1G", b"V1H"))
    (first, second) = meter.samples(2, skipped=0)
    assert MeterFlag.COMMAND_REFUSED in first.flags
    assert MeterFlag.COMMAND_REFUSED not in second.flags


class TimedWire(BoardWire):
    """Knows when the line it gave last was over."""

    def __init__(self, board):
        super().__init__(board)
        self._board, self.at_s = board, 0.0

    def read(self, timeout_s):
        if not timeout_s:
            return super().read(0)
        while not (lines := self._board.lines()):
            self._board.run(0.3)
        self.at_s = lines[-1].at_us / 1e6
        return b"".join(line.text for line in lines)


def test_the_clock_is_found(board):
    wire = TimedWire(board)
    meter = Calibrator(wire)
    meter.set_values({"CLK": 300})
    assert meter.clock(60, lambda: wire.at_s) == pytest.approx(0, abs=20)
