"""The exchange of the meter as the installer goes through it, and as a power cut finds it."""

import msgspec
import pytest

from house_client.household import Refused
from house_client.meter_exchange import FILE_NAME, Begun, MeterExchange, keep_begun, read_begun
from microgrid.metering import MinuteBuilder
from microgrid.minute import MeterMinute
from microgrid.registers import COUNTER_MODULUS
from tests.unit.central.parts import NOON, sample

NOON_MS = NOON * 60_000


class Home:
    """A house whose meter exports 1 kW and sends a packet a second."""

    def __init__(self, last: MeterMinute | None = None, begun: Begun | None = None):
        self.builder = MinuteBuilder("B", 5000, last)
        self.exchange = MeterExchange("B", self.builder, begun)
        self.newest = sample(1000)

    def hear(self, first_s, last_s, counter_ws, boot_id=1):
        rows = []
        for second in range(first_s, last_s + 1):
            counter = (counter_ws + (second - first_s) * 1000) % COUNTER_MODULUS
            self.newest = sample(1000, boot_id=boot_id, sequence=second, export_counter_ws=counter)
            rows += self.builder.feed(NOON_MS + second * 1000, self.newest)
        return rows

    def begin(self, second):
        return self.exchange.begin(NOON_MS + second * 1000, self.newest, "Asif", "broken display")


def test_from_the_old_meters_last_counter_to_the_new_ones_first():
    home = Home()
    home.hear(1, 90, 5000)
    assert home.exchange.progress() is None
    (row,) = home.begin(90)
    assert (row.minute, row.export_ws) == (NOON + 1, 5000 + 89_000)
    progress = home.exchange.progress()
    assert (progress.installer, progress.reason, progress.began_s) == (
        "Asif",
        "broken display",
        NOON * 60 + 90,
    )
    assert (progress.old.export_ws, progress.old_meter, progress.new) == (94_000, "test-1, start 1", None)
    home.hear(91, 92, 95_000)  # it counts until it is off
    assert home.exchange.progress().old.export_ws == 96_000
    home.hear(400, 405, 3_000_000_000, boot_id=7)
    progress = home.exchange.progress()
    assert (progress.new.export_ws, progress.new_meter) == (3_000_000_000, "test-1, start 7")
    assert not progress.like_old
    rows, swap = home.exchange.finish()
    assert [(row.minute, row.epoch) for row in rows] == [(NOON + 2, 0), (NOON + 5, 1)]
    assert (swap.old.export_ws, swap.new.export_ws, swap.new.epoch) == (96_000, 3_000_000_000, 1)
    assert (swap.house, swap.at_s, swap.installer, swap.new_meter) == (
        "B", NOON * 60 + 400, "Asif", "test-1, start 7",
    )  # fmt: skip
    assert home.exchange.progress() is None


def test_what_cannot_be_done_is_said():
    home = Home()
    with pytest.raises(Refused, match="not heard, so its last counters cannot be kept"):
        home.exchange.begin(NOON_MS, None, "Asif", "x")
    for step in (home.exchange.cancel, home.exchange.finish):
        with pytest.raises(Refused, match="No exchange of the meter was begun"):
            step()
    home.hear(1, 30, 0)
    home.begin(30)
    with pytest.raises(Refused, match="is under way; finish or cancel"):
        home.begin(31)
    with pytest.raises(Refused, match="new meter is not heard yet"):
        home.exchange.finish()


def test_the_old_meter_started_again_is_noticed_and_may_stay():
    home = Home()
    home.hear(1, 90, 5000)
    home.begin(90)
    home.hear(95, 99, 96_000, boot_id=2)
    assert home.exchange.progress().like_old
    home.exchange.cancel()
    assert home.exchange.progress() is None
    rows = home.hear(100, 190, 101_000, boot_id=2)
    assert [(row.minute, row.epoch) for row in rows] == [(NOON + 2, 0)]


def test_a_power_cut_in_between_forgets_nothing(tmp_path):
    home = Home()
    home.hear(1, 90, 5000)
    (last,) = home.begin(90)
    assert read_begun(tmp_path) is None
    keep_begun(tmp_path, home.exchange.begun)
    again = Home(last, read_begun(tmp_path))
    assert again.exchange.begun == home.exchange.begun
    again.hear(300, 310, 7, boot_id=9)
    rows, swap = again.exchange.finish()
    assert [(row.minute, row.epoch, row.export_ws) for row in rows] == [(NOON + 3, 1, 7)]
    assert (swap.old.export_ws, swap.reason) == (94_000, "broken display")
    keep_begun(tmp_path, again.exchange.begun)
    keep_begun(tmp_path, None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}"])
def test_a_note_that_cannot_be_read_is_none(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    assert read_begun(tmp_path) is None


def test_a_new_meter_from_the_factory_stands_at_0():
    home = Home()
    home.hear(1, 90, 5000)
    home.begin(90)
    home.hear(200, 210, 0, boot_id=7)
    _, swap = home.exchange.finish()
    assert swap.new.export_ws % COUNTER_MODULUS == 0
    rows = home.hear(211, 330, 11_000, boot_id=7)
    assert [row.epoch for row in rows] == [1, 1]
    assert rows[-1].export_ws - swap.new.export_ws == (rows[-1].minute + 1 - NOON) * 60_000 - 200_000
    assert msgspec.structs.asdict(swap)["installer"] == "Asif"


def test_what_an_installer_pastes_can_travel_to_the_central():
    home = Home()
    home.hear(1, 60, 5000)
    home.exchange.begin(NOON_MS + 60_000, home.newest, "Asif\nKhan", "broken\r\n" + "display " * 40)
    begun = home.exchange.begun
    assert begun is not None
    assert (begun.installer, len(begun.reason)) == ("Asif Khan", 120)
