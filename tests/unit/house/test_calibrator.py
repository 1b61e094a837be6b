"""A meter under calibration, without a port: what is asked of it, and what becomes of its answers."""

import pytest

from house_client.calibrator import AVERAGED, PATIENCE, SKIPPED, TRIES, Calibrator, MeterLost
from microgrid.calibration import CalibrationError, Channel, Quantity
from microgrid.sample import MeterFlag
from microgrid.wire.calibration import ITEMS
from microgrid.wire.errors import WireError
from tests.unit.house.fake_meter import ANGLES, CURRENTS, VOLTAGES, FakeMeter


@pytest.fixture
def fake():
    return FakeMeter()


@pytest.fixture
def meter(fake):
    return Calibrator(fake)


def points(fake, meter, channels, *truths):
    fake.apply(channels, *truths)
    return meter.points(dict(zip(channels, truths, strict=True)))


# --- values -----------------------------------------------------------------------------------------


def test_values_are_read_and_set(fake, meter):
    assert meter.values() == {name: item.nominal for name, item in ITEMS.items()}
    meter.set_values({"V1G": 1_003_500, "SNR": 17})
    assert (meter.value("V1G"), fake.values["SNR"]) == (1_003_500, 17)
    assert fake.saved["V1G"] == 1_000_000
    meter.save()
    assert fake.saved["V1G"] == 1_003_500


def test_of_values_of_which_one_is_none_nothing_is_set(fake, meter):
    for wrong in ({"V9G": 0}, {"V2G": 2**40}):
        with pytest.raises(WireError):
            meter.set_values({"V1G": 1_003_500} | wrong)
    assert fake.sent == []


def test_what_the_meter_refuses_is_said(fake, meter):
    fake.refused.add("DIO")
    with pytest.raises(CalibrationError, match="refuses DIO = 1400"):
        meter.set_values({"DIO": 1400})


def test_a_line_that_is_not_heard_is_sent_again(fake, meter):
    fake.deaf_for = TRIES - 1
    meter.set_values({"I2O": -12})
    assert fake.values["I2O"] == -12
    assert fake.sent == ["CAL,I2O,-12"] * TRIES


def test_a_meter_that_answers_nothing(fake, meter):
    fake.deaf_for = 100
    with pytest.raises(CalibrationError, match="does not answer 'CAL,SAVE'"):
        meter.save()
    assert fake.second == 10 + TRIES * PATIENCE


def test_answers_to_something_else_are_passed_over(fake, meter):
    fake.answer = lambda *line: "CAL,V1G,7"
    with pytest.raises(CalibrationError, match="does not answer 'CAL,V2G'"):
        meter.value("V2G")
    with pytest.raises(CalibrationError, match="does not answer 'CAL,V1G,1000001'"):
        meter.set_values({"V1G": 1_000_001})


# --- the line ---------------------------------------------------------------------------------------


def test_a_silent_meter(fake, meter):
    fake.read = lambda timeout_s: b""
    with pytest.raises(MeterLost, match="silent"):
        meter.samples()


def test_noise_is_borne_but_not_for_ever(fake, meter):
    clear = fake.read
    noisy = iter([b"\xff\xfe\n", b"$MTR,1,\n"])
    fake.read = lambda timeout_s: next(noisy, b"") or clear(timeout_s)
    assert len(meter.samples()) == AVERAGED
    fake.read = lambda timeout_s: b"noise\n"
    with pytest.raises(MeterLost, match="heard badly"):
        meter.samples()
    with pytest.raises(CalibrationError, match="does not answer"):
        meter.save()


def test_the_first_packets_are_of_what_was_before(fake, meter):
    first = fake.second + 1
    assert [sample.sequence for sample in meter.samples(3)] == [first + SKIPPED + at for at in range(3)]


def test_a_meter_that_started_again_is_not_gone_on_with(fake, meter):
    meter.set_values({"V1G": 1_003_500})
    meter.samples()
    fake.restart()
    with pytest.raises(MeterLost, match=r"not saved is lost"):
        meter.samples()


def test_packets_that_came_while_a_person_was_busy_are_of_what_was_before(fake, meter):
    fake.apply(VOLTAGES[:1], 100.0)
    meter.points({VOLTAGES[0]: 100.0})
    fake.pass_seconds(60)
    fake.apply(VOLTAGES[:1], 250.0)
    assert meter.points({VOLTAGES[0]: 250.0})[VOLTAGES[0]].reading == pytest.approx(250.0)


def test_an_answer_is_waited_for_from_when_it_was_asked_for(fake, meter):
    meter.samples()
    fake.pass_seconds(60)
    meter.save()
    assert fake.sent == ["CAL,SAVE"]


def test_a_meter_that_started_again_long_ago_is_noticed(fake, meter):
    meter.samples()
    fake.restart()
    fake.second = 1000  # its uptime is beyond what it was
    with pytest.raises(MeterLost, match=r"not saved is lost"):
        meter.samples()


# --- new values -------------------------------------------------------------------------------------


def build_wrongly(fake):
    for at, channel in enumerate(fake.truth):
        fake.gains[channel] = 0.97 + 0.005 * at
        fake.offsets[channel] = 0.02 * at - 0.03


def test_three_voltages_and_currents_at_once(fake, meter):
    build_wrongly(fake)
    for channels, lows, highs, close in (
        (VOLTAGES, (100.0, 101.0, 99.0), (250.0, 250.0, 251.0), 0.02),
        (CURRENTS[:3], (1.0, 1.0, 1.02), (15.0, 15.0, 14.9), 0.002),
    ):
        low = points(fake, meter, channels, *lows)
        new = meter.two_point(low, points(fake, meter, channels, *highs))
        assert sorted(new) == sorted(name for it in channels for name in (it.gain, it.offset))
        for truths in (lows, highs):
            for channel, point in points(fake, meter, channels, *truths).items():
                assert point.reading == pytest.approx(fake.truth[channel], abs=close)


def test_a_generators_current_and_angle_by_the_sums_of_the_packet(fake, meter):
    build_wrongly(fake)
    current, angle = [CURRENTS[4]], [ANGLES[4]]
    fake.apply(VOLTAGES, 230.0, 230.0, 230.0)
    fake.apply(angle, 60.0)
    low = points(fake, meter, current, 1.0)
    meter.two_point(low, points(fake, meter, current, 15.0))
    assert points(fake, meter, current, 4.0)[current[0]].reading == pytest.approx(4.0, abs=0.005)
    meter.angles(points(fake, meter, angle, 60.0))
    assert points(fake, meter, angle, 60.0)[angle[0]].reading == pytest.approx(60.0, abs=0.05)
    assert fake.values["I2G"] == 1_000_000


def test_angles_of_the_tie_at_once(fake, meter):
    fake.apply(VOLTAGES, 230.0, 230.0, 230.0)
    fake.apply(CURRENTS[:3], 5.0, 5.0, 5.0)
    fake.offsets |= dict(zip(ANGLES[:3], (2.0, -1.5, 0.4), strict=True))
    assert meter.angles(points(fake, meter, ANGLES[:3], 60.0, -60.0, -120.0)) == {
        "I1A": pytest.approx(2000, abs=40),
        "I2A": pytest.approx(-1500, abs=40),
        "I3A": pytest.approx(400, abs=40),
    }
    assert points(fake, meter, ANGLES[:1], 50.0)[ANGLES[0]].reading == pytest.approx(50.0, abs=0.05)


def test_if_one_channel_gives_nothing_no_channel_is_set(fake, meter):
    low = points(fake, meter, VOLTAGES, 100.0, 100.0, 100.0)
    high = points(fake, meter, VOLTAGES[:2], 250.0, 250.0)
    high[VOLTAGES[2]] = low[VOLTAGES[2]]
    with pytest.raises(CalibrationError, match="too near"):
        meter.two_point(low, high)
    assert fake.values == fake.saved


def test_a_reading_that_is_none_is_refused(fake, meter):
    fake.noise = 0.02
    with pytest.raises(CalibrationError, match="wait until it stands still"):
        points(fake, meter, VOLTAGES[:1], 230.0)
    fake.noise, fake.flags = 0.0, MeterFlag.VOLTAGE_SATURATED
    with pytest.raises(CalibrationError, match="apply less"):
        points(fake, meter, VOLTAGES[:1], 290.0)


def test_the_clock(fake, meter):
    now = iter(range(0, 100_000))
    fake.values["CLK"] = 40
    assert meter.clock(120, lambda: next(now) * 1.0005) == 40 - 500
    assert fake.values["CLK"] == -460


def test_a_channel_there_is_not(fake, meter):
    with pytest.raises(CalibrationError, match="There is no"):
        meter.two_point({Channel(Quantity.ANGLE, 1): None}, {})
