"""Running the windows, and drawing them into files."""

from contextlib import contextmanager

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from central_monitor.ui import app as central
from house_client.ui import app as house
from tests.ui.sample_snapshots import make_central, make_kiosk


@pytest.mark.parametrize(
    ("program", "snapshot", "size"),
    [(central, make_central(), (1280, 800)), (house, make_kiosk(), (800, 480))],
)
def test_render_writes_a_picture_of_that_size(qtbot, tmp_path, program, snapshot, size):
    path = tmp_path / "picture.png"
    program.render(snapshot, path, size)
    assert QImage(str(path)).size().toTuple() == size
    assert [entry.name for entry in tmp_path.iterdir()] == ["picture.png"]


def test_render_says_where_it_could_not_write(qtbot, tmp_path):
    with pytest.raises(OSError, match=r"nowhere"):
        house.render(make_kiosk(), tmp_path / "nowhere" / "picture.png")


@pytest.mark.parametrize(("program", "snapshot"), [(central, make_central()), (house, make_kiosk())])
def test_window_runs_until_closed_and_stops_its_source(qtbot, settings, monkeypatch, program, snapshot):
    # Handlers of the test's own process stay as they are.
    monkeypatch.setattr("node.qt.shell.signal.signal", lambda *_: None)
    events = []

    @contextmanager
    def source(publish):
        events.append("started")
        publish(snapshot)
        QTimer.singleShot(200, QApplication.closeAllWindows)
        yield
        events.append("stopped")

    assert program.run_window(source, settings) == 0
    assert events == ["started", "stopped"]
    assert settings.allKeys() != []
