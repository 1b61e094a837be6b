"""The log file, and the crash file a fault nobody expected leaves behind."""

import logging
import sys
import threading

import pytest

from node.logs import start_logging, write_crash_file


@pytest.fixture(autouse=True)
def hooks_and_handlers():
    root = logging.getLogger()
    before = (sys.excepthook, threading.excepthook, list(root.handlers), root.level)
    yield
    sys.excepthook, threading.excepthook = before[:2]
    for handler in root.handlers[:]:
        if handler not in before[2]:
            root.removeHandler(handler)
            handler.close()
    root.setLevel(before[3])


def crash_files(folder):
    return sorted(folder.glob("*-crash-*.txt"))


def test_the_log_is_written_into_a_folder_made_for_it(tmp_path):
    folder = tmp_path / "new" / "logs"
    start_logging(folder, "central")
    logging.getLogger("central_monitor").info("listening")
    logging.getLogger("central_monitor").debug("details")
    text = (folder / "central.log").read_text()
    assert "INFO central_monitor: listening" in text
    assert "details" not in text


def test_an_unexpected_fault_leaves_a_crash_file_and_one_line_on_stderr(tmp_path, capsys):
    start_logging(tmp_path, "house")
    try:
        raise RuntimeError("broken glass é")
    except RuntimeError as fault:
        sys.excepthook(type(fault), fault, fault.__traceback__)
    (file,) = crash_files(tmp_path)
    text = file.read_text(encoding="utf-8")
    assert "RuntimeError: broken glass é" in text
    assert "Traceback" in text
    assert "test_logs.py" in text
    assert capsys.readouterr().err == f"house: an unexpected fault; it is described in {file}.\n"


def test_a_fault_in_a_thread_leaves_one_as_well(tmp_path):
    start_logging(tmp_path, "house")

    def work():
        raise KeyError("lost")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    (file,) = crash_files(tmp_path)
    assert "KeyError: 'lost'" in file.read_text()


def test_two_faults_leave_two_files(tmp_path):
    for text in ("one", "two"):
        write_crash_file(tmp_path, "house", ValueError, ValueError(text), None)
    assert [file.read_text() for file in crash_files(tmp_path)] == ["ValueError: one\n", "ValueError: two\n"]
