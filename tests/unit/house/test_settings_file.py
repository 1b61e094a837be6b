"""The installer's settings on the disk: whole or not at all, and a bad file is said in words."""

import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from house_client.household import HouseSettings
from house_client.settings_file import FILE_NAME, SettingsError, read_settings, write_settings


def settings(data: Path) -> HouseSettings:
    return HouseSettings(house="B", meter="/dev/ttyACM0", central=("192.168.1.1", 47474), data=data)


def test_what_was_kept_comes_back(tmp_path):
    folder = tmp_path / "not there yet"
    assert read_settings(folder) is None
    changes: tuple[dict[str, Any], ...] = ({}, {"meter": None, "central": None}, {"max_export_w": 2345})
    for kept in (replace(settings(folder), **change) for change in changes):
        write_settings(kept)
        assert read_settings(folder) == kept
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_people_can_read_it(tmp_path):
    write_settings(settings(tmp_path))
    text = (tmp_path / FILE_NAME).read_text()
    assert '"central": "192.168.1.1:47474"' in text
    assert str(tmp_path) not in text


def test_a_fault_on_the_way_leaves_the_settings_of_before(tmp_path, monkeypatch):
    write_settings(settings(tmp_path))

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_settings(replace(settings(tmp_path), house="C"))
    assert read_settings(tmp_path) == settings(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"house": 7}',
        b'{"house": "no spaces"}',
        b'{"house": "B", "central": "192.168.1.1"}',
        b'{"house": "B", "max_export_w": 0}',
        b'{"house": "B", "max_export_w": "2 kW"}',
        b'{"house": "B", "port": "/dev/ttyACM0"}',
    ],
)
def test_a_bad_file_is_said_in_words(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(SettingsError, match=r"cannot be used .*; delete the file and set the house up again"):
        read_settings(tmp_path)
