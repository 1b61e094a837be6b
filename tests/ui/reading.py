"""What a person reads on a screen or in a file, as plain text."""

import csv
from datetime import datetime
from pathlib import Path

from PySide6.QtWidgets import QLabel, QWidget

from microgrid.months import minute_of
from node.qt.table import Table


def said(widget: QWidget) -> str:
    """All that the labels say that can be seen."""
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def texts(table: Table) -> list[list[str]]:
    """The rows of a table, from top to bottom."""
    return [table.texts(row) for row in range(len(table.keys))]


def plain(text: str) -> str:
    """Without the spaces that hold a unit to its number."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def minute(text: str) -> int:
    """The minute that is written like this, with its distance from UTC: 2024-12-24T09:30+05:00."""
    return minute_of(datetime.fromisoformat(text))


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a file of comma-separated values, by the names of their columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
