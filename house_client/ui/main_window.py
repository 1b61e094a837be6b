"""The household's window: a kiosk screen, readable from two metres, with nothing that scrolls."""

from PySide6.QtCore import QByteArray, QSettings, Qt, Slot
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QPushButton, QVBoxLayout, QWidget

from house_client.snapshot import CentralState, HouseSnapshot, MeterState
from house_client.ui.panels import ExchangePanel, MeterPanel
from house_client.ui.presentation import central_words, meter_words
from node.qt.format import clock
from node.qt.text import TextLine, ui_font
from node.qt.theme import DARK, LIGHT, load_theme

_SCREEN = (1024, 600)  # the screen the sizes are given for
_LEAST = (640, 384)
_TITLE = 26.0
_STATUS = 20.0


class HouseWindow(QMainWindow):
    """The main screen of the Individual Data Monitor (8.2)."""

    def __init__(self, settings: QSettings) -> None:
        super().__init__()
        self._settings = settings
        self.setWindowTitle(self.tr("House client"))
        self.title = TextLine("", _TITLE, bold=True)
        self.clock = TextLine("", _TITLE, align=Qt.AlignmentFlag.AlignRight)
        self.exchange = ExchangePanel()
        self.meter = MeterPanel()
        self.meter_line = TextLine("", _STATUS)
        self.central_line = TextLine("", _STATUS)
        self.waiting_line = TextLine("", _STATUS, align=Qt.AlignmentFlag.AlignRight)
        self.theme_button = QPushButton(self.tr("&Dark screen"))
        self.theme_button.setProperty("kiosk", True)
        self.theme_button.setFont(ui_font(18))
        self.theme_button.setCheckable(True)
        self.theme_button.toggled.connect(lambda dark: self.set_theme(DARK if dark else LIGHT))
        self._lay_out()
        self._restore()

    @Slot(object)
    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot."""
        house = self.tr("House {0}").format(snapshot.house)
        self.title.set_text(f"{house}  {snapshot.name}" if snapshot.name != snapshot.house else house)
        self.clock.set_text(clock(snapshot.now_s, snapshot.zone))
        self.exchange.show_snapshot(snapshot)
        self.meter.show_snapshot(snapshot)
        heard = snapshot.meter is MeterState.HEARD
        self.meter_line.set_text(meter_words(snapshot), emphasised=not heard)
        linked = snapshot.central is CentralState.LINKED
        self.central_line.set_text(central_words(snapshot), emphasised=not linked)
        self.waiting_line.set_text(self.tr("Minutes waiting: {0}").format(snapshot.minutes_waiting))

    def set_theme(self, name: str) -> None:
        """Draw in the theme of this name, `light` or `dark`."""
        theme = load_theme(name)
        self.setPalette(theme.palette())
        self.setStyleSheet(theme.style_sheet())
        for line in (self.title, self.clock, self.meter_line, self.central_line, self.waiting_line):
            line.set_theme(theme)
        self.exchange.set_theme(theme)
        self.meter.set_theme(theme)
        self.theme_button.setChecked(name == DARK)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scale every text to the screen."""
        scale = min(self.width() / _SCREEN[0], self.height() / _SCREEN[1])
        self.exchange.set_scale(scale)
        self.meter.set_scale(scale)
        for line in (self.title, self.clock):
            line.set_size(_TITLE * scale)
        for line in (self.meter_line, self.central_line, self.waiting_line):
            line.set_size(_STATUS * scale)
        super().resizeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep the window's place and theme for the next start."""
        self._settings.setValue("house/geometry", self.saveGeometry())
        self._settings.setValue("house/theme", DARK if self.theme_button.isChecked() else LIGHT)
        self._settings.sync()
        super().closeEvent(event)

    def _lay_out(self) -> None:
        header = QHBoxLayout()
        header.addWidget(self.title, 5)
        header.addWidget(self.clock, 3)
        header.addWidget(self.theme_button)
        middle = QHBoxLayout()
        middle.setSpacing(18)
        middle.addWidget(self.exchange, 10)
        middle.addWidget(self.meter, 11)
        status = QHBoxLayout()
        status.addWidget(self.meter_line, 5)
        status.addWidget(self.waiting_line, 2)
        whole = QWidget()
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(10, 4, 10, 4)
        layout.setSpacing(4)
        layout.addLayout(header)
        layout.addLayout(middle, 1)
        layout.addLayout(status)
        layout.addWidget(self.central_line)
        self.setCentralWidget(whole)
        # Given outright: the texts shrink with the window, so their present size is not its least.
        self.setMinimumSize(*_LEAST)

    def _restore(self) -> None:
        self.resize(*_SCREEN)
        geometry = self._settings.value("house/geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        self.set_theme(DARK if self._settings.value("house/theme") == DARK else LIGHT)
