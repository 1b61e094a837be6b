"""The colours of both programs, read from the one palette file in `resources`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from PySide6.QtGui import QColor, QPalette

_RESOURCES = Path(__file__).resolve().parents[2] / "resources"

LIGHT = "light"
DARK = "dark"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by what they are for; `alarm` is for alarms alone, `plot` for plots alone."""

    name: str
    ground: QColor
    panel: QColor
    text: QColor
    quiet: QColor
    line: QColor
    bus: QColor
    closed: QColor
    bar: QColor
    excess: QColor
    band: QColor
    absent: QColor
    hatch: QColor
    emphasis: QColor
    emphasis_text: QColor
    focus: QColor
    plot: tuple[QColor, ...]
    alarm: dict[str, QColor]

    def palette(self) -> QPalette:
        """The Qt palette of these colours, for what the style sheet does not reach."""
        palette = QPalette()
        roles = {
            QPalette.ColorRole.Window: self.ground,
            QPalette.ColorRole.Base: self.panel,
            QPalette.ColorRole.Button: self.panel,
            QPalette.ColorRole.WindowText: self.text,
            QPalette.ColorRole.Text: self.text,
            QPalette.ColorRole.ButtonText: self.text,
            QPalette.ColorRole.Highlight: self.bus,
            QPalette.ColorRole.HighlightedText: self.ground,
            QPalette.ColorRole.Accent: self.bus,
        }
        for role, colour in roles.items():
            palette.setColor(role, colour)
        return palette

    def style_sheet(self) -> str:
        """The style sheet of `resources/style.qss` in these colours."""
        names = {
            name: value.name() for name in self.__slots__ if isinstance(value := getattr(self, name), QColor)
        }
        return Template((_RESOURCES / "style.qss").read_text(encoding="utf-8")).substitute(names)


@cache
def load_theme(name: str) -> Theme:
    """The theme `light` or `dark`; KeyError if the palette file has none of that name."""
    with (_RESOURCES / "palette.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)[name]
    plot = tuple(QColor(value) for value in table.pop("plot"))
    alarm = {key: QColor(value) for key, value in table.pop("alarm").items()}
    colours = {key: QColor(value) for key, value in table.items()}
    return Theme(name=name, plot=plot, alarm=alarm, **colours)
