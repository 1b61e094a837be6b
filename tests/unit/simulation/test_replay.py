import gzip
from zoneinfo import ZoneInfo

import pytest

from microgrid.months import month_minutes
from simulation.plant.config import PlantConfig
from simulation.plant.house_plant import HousePlant
from simulation.plant.sun import Site
from simulation.replay import HEADER, ReplayError, read_replay
from simulation.virtual_meter import VirtualMeter

KARACHI = ZoneInfo("Asia/Karachi")
GOOD_HEAD = ";".join(HEADER)
START = month_minutes("2026-06", KARACHI).start + 100


def write(path, powers, head=GOOD_HEAD):
    rows = [
        f"2006-12-16 17:{index % 60:02}:00;" + (f"{power};0.4;234.84;18.4" if power else ";;;")
        for index, power in enumerate(powers)
    ]
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def loads(replay, minutes):
    return replay.load_w(range(START, START + minutes)).tolist()


def test_minute_i_of_the_file_plays_at_minute_i_of_the_run(tmp_path):
    replay = read_replay(write(tmp_path / "m.csv", ["4.216", "5.360", "0"]), START)
    assert loads(replay, 3) == [4216, 5360, 0]


def test_a_file_shorter_than_the_run_begins_again(tmp_path):
    replay = read_replay(write(tmp_path / "m.csv", ["1.0", "2.0"]), START)
    assert loads(replay, 5) == [1000, 2000, 1000, 2000, 1000]


def test_a_compressed_file_plays_as_well(tmp_path):
    plain = write(tmp_path / "m.csv", ["1.5"])
    (tmp_path / "m.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert loads(read_replay(tmp_path / "m.csv.gz", START), 1) == [1500]


def test_missing_minutes_consume_between_their_neighbours(tmp_path):
    replay = read_replay(write(tmp_path / "m.csv", ["", "1.000", "", "", "1.600", ""]), START)
    assert loads(replay, 6) == [1000, 1000, 1200, 1400, 1600, 1600]
    assert [replay.silent(START + index) for index in range(6)] == [True, False, True, True, False, True]


def test_another_house_starts_at_another_day(tmp_path):
    powers = [f"{1 + index / 1000:.3f}" for index in range(3000)]
    path = write(tmp_path / "m.csv", powers)
    assert loads(read_replay(path, START, day=2), 2) == [1000 + 2880, 1000 + 2881]
    with pytest.raises(ReplayError, match=r"has 3 days, 0 to 2; there is no day 3"):
        read_replay(path, START, day=3)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2006-12-16 17:24:00;4.2;0.4;234.8", "line 3: there are 4 fields, not 5"),
        ("16.12.2006 17:24;4.2;0.4;234.8;18", "line 3: local_time '16.12.2006 17:24'"),
        ("2006-12-16 17:24:00;four;0.4;234.8;18", "line 3: active_power_kw 'four'"),
        ("2006-12-16 17:24:00;-4.2;0.4;234.8;18", "line 3: active_power_kw '-4.2'"),
        ("2006-12-16 17:24:00;4.2;0.4;nan;18", "line 3: voltage_v 'nan'"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, words):
    path = write(tmp_path / "m.csv", ["1.0"])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(ReplayError, match=r"^m\.csv, " + words):
        read_replay(path, START)


def test_other_files_are_refused_in_words(tmp_path):
    with pytest.raises(ReplayError, match="line 1: the header is not local_time;"):
        read_replay(write(tmp_path / "a.csv", ["1.0"], head="time,kw"), START)
    with pytest.raises(ReplayError, match="no measured minute"):
        read_replay(write(tmp_path / "b.csv", ["", ""]), START)
    (tmp_path / "c.csv.gz").write_bytes(b"not compressed")
    with pytest.raises(ReplayError, match=r"c\.csv\.gz is not a readable CSV file"):
        read_replay(tmp_path / "c.csv.gz", START)


def test_a_missing_minute_is_a_gap_in_packets_while_the_counters_count(tmp_path):
    replay = read_replay(write(tmp_path / "m.csv", ["1.000", "", "1.200"]), START)
    plant = HousePlant(
        "A", PlantConfig(monthly_kwh=300), zone=KARACHI, site=Site(), seed=1, start=START, load=replay.load_w
    )
    meter = VirtualMeter(plant, 1, silent=replay.silent)
    assert len(meter.advance(START + 3)) == 3  # the opening and two of three minutes
    assert plant.last.import_ws == 60 * (1000 + 1100 + 1200)
