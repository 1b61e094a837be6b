"""The progress bar: on a terminal, and nowhere else."""

import io
import sys

import pytest

from node.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(monkeypatch, stream, steps):
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar("Settling 2026-06") as progress:
        for done, whole in steps:
            progress(done, whole)
    return stream.getvalue()


def test_on_a_terminal_the_bar_grows_in_one_line(monkeypatch):
    text = shown(monkeypatch, Terminal(), [(0, 4), (1, 4), (4, 4)])
    assert text == (
        "\rSettling 2026-06 [" + "." * 40 + "]   0 %"
        "\rSettling 2026-06 [" + "#" * 10 + "." * 30 + "]  25 %"
        "\rSettling 2026-06 [" + "#" * 40 + "] 100 %\n"
    )


def test_it_is_drawn_only_when_it_changes(monkeypatch):
    text = shown(monkeypatch, Terminal(), [(done, 43_200) for done in range(43_201)])
    assert text.count("\r") == 41


def test_elsewhere_a_log_stays_readable(monkeypatch):
    assert shown(monkeypatch, io.StringIO(), [(0, 4), (4, 4)]) == ""


def test_nothing_to_do_and_a_fault_on_the_way(monkeypatch):
    assert shown(monkeypatch, Terminal(), [(0, 0)]).endswith("  0 %\n")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with pytest.raises(KeyError), progress_bar("x"):
        raise KeyError
    assert stream.getvalue() == "\n"
