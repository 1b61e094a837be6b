"""The command line, and what was set up at the kiosk, become one house's settings."""

import pytest

from house_client.bootstrap import _arguments, _settings
from house_client.household import HouseSettings
from house_client.settings_file import write_settings


def given(tmp_path, *arguments):
    return _settings(_arguments(arguments), tmp_path)


def set_up(tmp_path, **more):
    write_settings(HouseSettings(house="B", meter=None, central=None, data=tmp_path, **more))


def test_the_houses_limit_is_given_in_kilowatts(tmp_path):
    assert given(tmp_path, "--house", "B").max_export_w is None
    assert given(tmp_path, "--house", "B", "--max-export-kw", "2.345").max_export_w == 2345


def test_the_limit_set_up_at_the_kiosk_holds_unless_the_command_line_says_otherwise(tmp_path):
    set_up(tmp_path, max_export_w=2000)
    assert given(tmp_path).max_export_w == 2000
    assert given(tmp_path, "--max-export-kw", "1.5").max_export_w == 1500
    assert given(tmp_path, "--house", "C").max_export_w is None  # it was another house's


@pytest.mark.parametrize("text", ["0", "-1", "1e9", "nan", "inf", "much", "0.0001"])
def test_a_limit_that_cannot_be_is_said(tmp_path, text, capsys):
    with pytest.raises(SystemExit):
        given(tmp_path, "--max-export-kw", text)
    assert "is not a power in kW above 0" in capsys.readouterr().err
