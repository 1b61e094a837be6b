"""A house that was set up through its settings alone, as processes in real time: meter, central, house."""

import time
from pathlib import Path

import pytest

from house_client.household import HouseSettings
from house_client.settings_file import FILE_NAME, write_settings
from tests.e2e.cable import Cable
from tests.e2e.live import HOST, live_central
from tests.e2e.processes import HOUSE, Process, one_sentence, run, wait_until
from tests.e2e.test_live import assert_ends, live_meter, this_minute
from tests.e2e.truth import recorded


def set_up(folder: Path, house: str, port: str, central_port: int) -> Path:
    """What the installer's settings leave behind; the data folder."""
    data = folder / "house"
    write_settings(HouseSettings(house=house, meter=port, central=(HOST, central_port), data=data))
    return data


def test_a_house_set_up_once_becomes_linked_and_comes_back_by_itself(tmp_path: Path) -> None:
    with live_meter("A") as meter, live_central(tmp_path) as (central, port), Cable(port) as cable:
        data = set_up(tmp_path, "A", meter, cable.port)
        for _ in range(2):
            answers = cable.answers
            with Process(HOUSE, "--headless", "--data", data) as house:
                wait_until(lambda known=answers: cable.answers >= known + 3, "a welcome and polls")  # type: ignore[misc]
                assert_ends(house)
        assert_ends(central)
    log = (tmp_path / "central.log").read_text(encoding="utf-8")
    assert " ERROR " not in log + (data / "house.log").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.timeout(240)
def test_its_minutes_are_delivered(tmp_path: Path) -> None:
    with live_meter("A") as meter, live_central(tmp_path) as (central, port):
        data = set_up(tmp_path, "A", meter, port)
        with Process(HOUSE, "--headless", "--data", data) as house:
            first = this_minute()
            time.sleep(60 * (first + 2) + 10 - time.time())
            assert_ends(house)
        assert_ends(central)
    columns, _ = recorded(tmp_path / "power.sqlite", first + 1, first + 2)
    assert columns.present[:, columns.houses.index("A")].all()
    assert (columns.covered_s[:, columns.houses.index("A")] >= 58).all()


def test_without_settings_it_says_what_to_do_in_one_sentence(tmp_path: Path) -> None:
    ended = run(HOUSE, "--headless", "--data", tmp_path)
    assert ended.returncode == 1
    assert one_sentence(ended.stderr).endswith(
        "not set up yet; name it with --house, or set it up at the kiosk."
    )


def test_settings_that_cannot_be_read_are_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"house": "two words"}')
    ended = run(HOUSE, "--headless", "--data", tmp_path)
    assert ended.returncode == 1
    assert "delete the file and set the house up again" in one_sentence(ended.stderr)


def test_a_name_at_the_command_line_leaves_another_houses_settings_alone(tmp_path: Path) -> None:
    data = set_up(tmp_path, "A", str(tmp_path / "ttyUSB0"), 9)
    kept = (data / FILE_NAME).read_bytes()
    with Process(HOUSE, "--headless", "--house", "B", "--data", data) as house:
        wait_until((data / "house-B.sqlite").exists, "the journal of house B")
        time.sleep(1)
        assert_ends(house)
    assert (data / FILE_NAME).read_bytes() == kept
    log = (data / "house.log").read_text(encoding="utf-8")
    assert "ttyUSB0" not in log
